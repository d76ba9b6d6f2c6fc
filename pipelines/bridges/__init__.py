"""Live feeds as exchange files: MQTT, Kafka and OPC UA into the landing folder.

A bridge takes messages (PC-85) or point values, keeps them in a spool on disk before it tells the sender that it has
them, and writes them into the landing folder as the exchange files that the mine's own systems would send. From there
on nothing is special about them: one ingest, one bronze, one balance.
"""

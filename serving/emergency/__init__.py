"""Emergencies: the matched plan and its steps, who is where and how they come out, what the air does, who was told.

It shows, advises and records. It commands no equipment and calls nobody by itself: a person does, and writes it down.
"""

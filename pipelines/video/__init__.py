"""Pictures of cameras: clips and live streams as frames with the time of capture, and whether a picture can be used."""

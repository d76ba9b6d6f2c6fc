"""Ways out of the mine for everybody underground, as the air is now and as smoke will spread."""

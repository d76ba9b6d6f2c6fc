"""Models over HTTP: the champion of the registry, else the shipped one, through the model's one `predict` call."""

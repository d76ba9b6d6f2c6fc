"""Video → unsafe behaviour: clips as they land, live streams as they run."""

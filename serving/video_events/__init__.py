"""Events that video analysis sends by HTTP: kept once each, on their way into the lake, and advisories at once."""

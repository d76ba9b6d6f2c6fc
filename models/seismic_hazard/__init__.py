"""The chance that a coal mine's next shift brings a strong tremor (over 10⁴ J)."""

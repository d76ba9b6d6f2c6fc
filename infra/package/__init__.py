"""minefusion: fuses a mine's data and turns it into safety."""

__version__ = "0.1.0"

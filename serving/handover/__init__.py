"""Handing a shift over: one sheet of what is open and what cannot be relied on, signed by who goes and who comes."""

"""Analysts' views over the lake: each a declaration and a pure function from frames to one frame."""

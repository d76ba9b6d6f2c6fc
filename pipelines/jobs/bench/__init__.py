"""Speed as a ratio: our jobs beside the plain tool on the same bytes, in one run, on this machine.

Each way of doing the work is a process of its own that stays warm; the parent lets them take turns, so that what else
the machine does falls on all alike, and watches their CPU time and memory from outside.
"""

"""The same jobs, kept running: files are taken in as they are complete, and every table follows.

Two paces on one machine. The first takes files into bronze and raises methane alarms from them at once; it is short, so
that gas waits for nothing. The second, a process of its own, brings silver, the indices and the fused table up to date
round after round, by the very jobs that `minefusion build` runs. Both write by the one protocol of the engines, so a
stream may be killed at any moment, and a batch run on either engine may go on from what it left.
"""

"""The alarm engine: which alarms stand, what was done about each, and what the clock asks for.

Pure functions over frozen records: `engine.step(board, event, now)` gives the new board and the changes that were made
to it, and nothing else moves a board. The changes are what the journal keeps, so a board read back from the journal is
the board that was. Nothing here commands equipment: an alarm is shown, recorded and followed until it is closed.
"""

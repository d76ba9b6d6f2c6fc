"""The journal: every change of an alarm, a disposition or a user, every login and every look at a person's track.

Append-only and chained by hash: a line that was changed, left out or put in is found, and the chain's head stands in
every shift report, so that a chain that was made anew from some line on, or cut short, is found too.
"""

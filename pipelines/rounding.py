"""One way to round on both engines."""

from __future__ import annotations

import narwhals as nw

DECIMALS = 6
# Sums differ in their last bit with the order of adding, and the engines round exact halves to different sides. A
# nudge far below the last digit that is kept takes both from what is stored, compared with limits and shown.
NUDGE = 1e-9


def rounded(value: nw.Expr) -> nw.Expr:
    """The value to six decimals, the same on both engines. Round before comparing with a limit."""
    return (value.cast(nw.Float64) + NUDGE).round(DECIMALS)

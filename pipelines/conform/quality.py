"""The quality gate of a value: GOOD, SUSPECT or BAD, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import narwhals as nw

from minefusion.schemas.exchange.grammar import dictionary

ALARM, CUT, CALIBRATION, OVER_RANGE, SUBSTATION_FAULT, NOT_POLLED, SUSPENDED, SENSOR_FAULT = (2**n for n in range(8))
STATUS_UNREADABLE = -1
HIGHEST_STATUS = 255


def status_flags(text: str = "status_text", marks: str = "marks") -> nw.Expr:
    """The status bits of a record; STATUS_UNREADABLE where the reader could not tell them."""
    unreadable = nw.col(marks).str.contains("STATUS_UNKNOWN", literal=True)
    flags = nw.when(unreadable).then(nw.lit(STATUS_UNREADABLE)).otherwise(nw.col(text).cast(nw.Int32))
    return flags.cast(nw.Int32)


def provincial_flags(state: str = "state_text", substation: str = "substation_text") -> nw.Expr:
    """The status bits of a provincial record, as `status_flags`: its state is a sum of bits or one of the words of
    the dictionary `provincial_state`; a substation that is not in order is told beside it. Null where none is sent."""
    told = nw.col(state)
    flags = nw.when(told.str.contains(r"^[0-9]{1,3}$")).then(told).otherwise(nw.lit(None, dtype=nw.String))
    flags = flags.cast(nw.Int32)
    for word, term in dictionary("provincial_state").items():
        flags = nw.when(told == word).then(nw.lit(int(term.means))).otherwise(flags)
    unreadable = (~told.is_null() & flags.is_null()) | (flags > HIGHEST_STATUS)
    is_down = nw.col(substation).is_in(["1", "2"]).fill_null(False)
    adds = is_down & ~has_bit(SUBSTATION_FAULT, flags)
    with_substation = nw.when(adds).then(flags + SUBSTATION_FAULT).otherwise(flags)
    found = nw.when(unreadable.fill_null(False)).then(nw.lit(STATUS_UNREADABLE)).otherwise(with_substation)
    return found.cast(nw.Int32).alias("status_flags")


def bits(flags: str = "status_flags") -> nw.Expr:
    """The flags as bits to test; none are set where there are none to be read."""
    return nw.when(nw.col(flags) >= 0).then(nw.col(flags)).otherwise(0).fill_null(0)


def has_bit(bit: int, of: nw.Expr | None = None) -> nw.Expr:
    """Whether the bit is set; in `_bits` where nothing else is given."""
    flags = nw.col("_bits") if of is None else of
    return (flags // bit) % 2 == 1


def graded(bad: Mapping[str, nw.Expr], suspect: Mapping[str, nw.Expr]) -> tuple[nw.Expr, nw.Expr]:
    """Quality, and the codes of what holds joined by commas. No condition may be null."""
    # Nulls are left out: each condition then stands once in Spark's plan; joining them one by one would double it.
    codes = [nw.when(holds).then(nw.lit("," + code)) for code, holds in chain(bad.items(), suspect.items())]
    reasons = nw.concat_str(*codes, ignore_nulls=True).str.slice(1)
    is_bad, is_suspect = _any(bad), _any(suspect)
    doubtful = nw.when(is_suspect).then(nw.lit("SUSPECT")).otherwise(nw.lit("GOOD"))
    return nw.when(is_bad).then(nw.lit("BAD")).otherwise(doubtful), reasons


def _any(conditions: Mapping[str, nw.Expr]) -> nw.Expr:
    found = nw.lit(False)
    for holds in conditions.values():
        found = found | holds
    return found

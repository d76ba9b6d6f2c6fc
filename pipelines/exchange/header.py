"""What the header of a file says: when it was made, for which mine, and how many records it announces."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from minefusion.schemas.exchange.grammar import AHEAD_S, MINE_CODE, MINE_UTC_OFFSET_H, Kind, header_forms

_DATETIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


@dataclass
class Header:
    """`at` is the upload time in UTC; `reason` is set where the file must be refused."""

    at: datetime | None = None
    declared: int | None = None
    reason: str = ""
    codes: Counter[str] = field(default_factory=Counter)


@lru_cache(maxsize=4096)  # the files of one moment bear the same time, in their names and in their headers
def from_mine_local(text: str) -> datetime | None:
    """`yyyy-MM-dd HH:mm:ss` or 14 digits in mine local time, in UTC; None where it is no real time."""
    form = "%Y-%m-%d %H:%M:%S" if "-" in text else "%Y%m%d%H%M%S"
    try:
        return (datetime.strptime(text, form) - timedelta(hours=MINE_UTC_OFFSET_H)).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_ahead(at: datetime, of: datetime) -> bool:
    """Farther ahead than clocks may differ."""
    return at > of + timedelta(seconds=AHEAD_S)


def read_header(fields: tuple[str, ...] | None, kind: Kind, mine_code: str, received_at: datetime) -> Header:
    """Any header with exactly one date-time, wherever it stands (PC-5)."""
    header = Header()
    fields = tuple(text.strip() for text in fields or ())
    timed = list(filter(_DATETIME.match, fields))
    times = [at for at in map(from_mine_local, filter(_DATETIME.fullmatch, timed)) if at is not None]
    # A time that goes on: the header ends in a line break instead of its separator, and holds the first record too.
    is_glued = not all(map(_DATETIME.fullmatch, timed))
    has_mine = bool(fields) and MINE_CODE.match(fields[0]) is not None
    is_record = not has_mine and len(fields) in {len(layout.fields) for layout in kind.layouts} - kind.header_counts
    if len(times) != 1 or is_glued or is_record:
        header.reason = "HEADER_UNREADABLE"
        return header
    header.at = times[0]
    if not has_mine:
        header.codes["HEADER_WITHOUT_MINE"] = 1
    elif fields[0].upper() != mine_code.upper():
        header.reason = "MINE_MISMATCH"
        return header
    if is_ahead(header.at, received_at):
        header.reason = "FUTURE_TIME"
        return header
    _by_form(header, fields, kind)
    return header


def _by_form(header: Header, fields: tuple[str, ...], kind: Kind) -> None:
    """Choose the form by the number of fields and the place of the time; read what it names."""
    if len(fields) not in kind.header_counts:
        header.codes["HEADER_VARIANT"] = 1
        return
    for name in (kind.header, *kind.dialect_headers.values()):
        form = header_forms()[name]
        time_at = [item.column for item in form].index("data_time")
        if len(form) != len(fields) or not _DATETIME.fullmatch(fields[time_at]):
            continue
        header.codes["FIELD_TOO_LONG"] = sum(
            item.longest is not None and len(text) > item.longest for item, text in zip(form, fields, strict=True)
        )
        declared = [text for item, text in zip(form, fields, strict=True) if item.column == "declared_count"]
        if declared and declared[0].isdecimal():
            header.declared = int(declared[0])
        return

"""The shift report: one self-contained HTML page about one mine's shift, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from minefusion.schemas.settings import Lang
from minefusion.serving.journal.head import Head
from minefusion.serving.reader import Reader
from minefusion.serving.report.facts import gather
from minefusion.serving.report.page import render


@dataclass(frozen=True)
class ShiftReport:
    """The page, and how many alarms it lists."""

    html: str
    alarms: int


def shift_report(
    reader: Reader,
    mine_code: str,
    end: datetime,
    *,
    balance: Sequence[Mapping[str, Any]],
    index_names: Mapping[str, tuple[str, str]],
    made_at: datetime,
    journal: Head | None = None,
    lang: Lang = "zh",
    hours: float | None = None,
) -> ShiftReport:
    """The report of the shift that ends at `end`.

    Args:
        end: the shift's end; where the site file declares no shift that ends then, the eight hours before it.
        balance: rows of the record balance, one a file kind: `kind`, `files`, `sent`, `stored`, … and `ok`.
        index_names: index id → its name in Chinese and in English.
        made_at: when the report is made; it stands in the foot of the page.
        journal: the newest line of the journal of alarms, there too, by which a journal that was made anew or cut short
            is found; null where no service runs.
        lang: the language shown first; the page holds both.
        hours: report of so many hours before `end` and not of the shift; 24: of the day.

    Raises:
        InputError: gold holds nothing of this mine in that span.
    """
    facts = gather(reader, mine_code, end, hours)
    html = render(facts, balance=balance, index_names=index_names, made_at=made_at, journal=journal, lang=lang)
    return ShiftReport(html, len(facts.alarms))

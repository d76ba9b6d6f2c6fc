"""A hand-over as the control room holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Signature:
    """Who signed, when, and what they add."""

    by: str
    at: datetime
    remarks: str


@dataclass(frozen=True)
class Handover:
    """One sheet. Both sign the very same one: `sheet_sha256` is of its JSON with sorted keys.

    Attributes:
        begin: since when the shift ran.
        sheet: what is handed over, as JSON holds it; see `sheet.sheet_of`.
        outgoing, incoming: signatures; null: not signed yet.
        is_void: a later sheet took its place before both had signed.
    """

    handover_id: str
    mine_code: str
    begin: datetime
    made_at: datetime
    made_by: str
    sheet: dict[str, Any]
    sheet_sha256: str
    outgoing: Signature | None = None
    incoming: Signature | None = None
    is_void: bool = False

    @property
    def is_open(self) -> bool:
        return self.incoming is None and not self.is_void

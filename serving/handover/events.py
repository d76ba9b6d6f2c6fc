"""What people do when they hand a shift over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class MakeSheet:
    """The sheet of a mine's shift that began at `begin`."""

    mine_code: str
    begin: datetime
    sheet: dict[str, Any]
    by: str


@dataclass(frozen=True)
class SignOut:
    """Who goes signs, first."""

    handover_id: str
    sheet_sha256: str
    by: str
    remarks: str = ""


@dataclass(frozen=True)
class SignIn:
    """Who comes signs the same sheet, second."""

    handover_id: str
    sheet_sha256: str
    by: str
    remarks: str = ""


HandoverEvent = MakeSheet | SignOut | SignIn

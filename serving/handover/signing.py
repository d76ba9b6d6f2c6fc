"""Making a sheet and signing it: pure steps over the board."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from minefusion.serving.alarms.work import RefusedError, UnknownError, Work
from minefusion.serving.handover import events
from minefusion.serving.handover.records import Handover, Signature
from minefusion.serving.numbering import numbered

# An older sheet tells of another state of the mine: who goes makes it anew before signing.
LASTS = timedelta(minutes=30)


def sign(work: Work, event: events.HandoverEvent) -> None:
    """Let it happen.

    Raises:
        RefusedError: the rules do not allow it.
    """
    match event:
        case events.MakeSheet():
            _make(work, event)
        case events.SignOut():
            _sign_out(work, event)
        case events.SignIn():
            _sign_in(work, event)


def sha256_of(sheet: Mapping[str, Any]) -> str:
    """What both sign."""
    return hashlib.sha256(json.dumps(sheet, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _make(work: Work, event: events.MakeSheet) -> None:
    if event.begin >= work.now:
        raise RefusedError("班次起点须早于现在", f"expected a shift that has begun, got {event.begin.isoformat()}")
    for each in list(work.board.handovers.values()):
        if each.mine_code == event.mine_code and each.is_open:
            work.put("voided", replace(each, is_void=True), event.by)
    handover_id = numbered("H", event.mine_code, work.now, work.board.handovers)
    made = Handover(
        handover_id, event.mine_code, event.begin, work.now, event.by, event.sheet, sha256_of(event.sheet)
    )  # fmt: skip
    work.put("made", made, event.by)


def _sign_out(work: Work, event: events.SignOut) -> None:
    handover = _open(work, event)
    if handover.outgoing is not None:
        raise RefusedError(
            f"{handover.outgoing.by} 已签交班", f"{handover.outgoing.by} signed it already; not recorded twice"
        )
    if work.now - handover.made_at > LASTS:
        minutes = LASTS // timedelta(minutes=1)
        raise RefusedError(
            f"交接单已超过 {minutes} 分钟，须重新生成", f"expected a sheet younger than {minutes} min; make it anew"
        )
    signed = replace(handover, outgoing=Signature(event.by, work.now, event.remarks.strip()))
    work.put("signed_out", signed, event.by)


def _sign_in(work: Work, event: events.SignIn) -> None:
    handover = _open(work, event)
    if handover.outgoing is None:
        raise RefusedError("交班人尚未签字", "expected a sheet that who goes has signed, got one that is not")
    if handover.outgoing.by == event.by:
        raise RefusedError("接班人不能是交班人", "expected another person than who signed as going to sign as coming")
    signed = replace(handover, incoming=Signature(event.by, work.now, event.remarks.strip()))
    work.put("signed_in", signed, event.by)


def _open(work: Work, event: events.SignOut | events.SignIn) -> Handover:
    handover = work.board.handovers.get(event.handover_id)
    if handover is None:
        raise UnknownError(
            f"没有交接单 {event.handover_id}", f"expected a known hand-over sheet, got '{event.handover_id}'"
        )
    if not handover.is_open:
        raise RefusedError("交接单已完成或作废", "expected a sheet that is open, got one that is finished or void")
    if event.sheet_sha256 != handover.sheet_sha256:
        raise RefusedError("签的不是这份交接单", "expected the hash of the sheet that is signed, got another")
    return handover

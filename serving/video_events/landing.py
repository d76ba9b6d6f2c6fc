"""An event on its way into the lake: a fusion message (PC-85) in the landing folder, which the next ingest takes in."""

from __future__ import annotations

import json
import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from minefusion.schemas.fusion_message import SCHEMA, canonical, signature
from minefusion.serving.numbering import MINE_CLOCK
from minefusion.serving.video_events.sent import SentEvent

# The same event told the same way is the same message, however often it is written.
_NAMESPACE = uuid.UUID("0f6b5c52-3d0c-5c1e-8b8e-6b1a5f1f7f42")
SOURCE = "ai-events"
VIDEO_SYSTEM = "51"


def land(folder: Path, event: SentEvent, seq: int, at: datetime, secret: str) -> bool:
    """Write the message; whether there is a landing folder to write it to. Half a file is never seen.

    Args:
        seq: number of the event among those of its mine.
        secret: key of the signature; empty: messages are not signed.
    """
    if not folder.is_dir():
        return False
    body: dict[str, Any] = {
        "device_code": event.camera_code,
        "media": "event",
        "begin": event.begin_time.isoformat(),
        "event": {name: value for name, value in event.body.items() if name not in ("mine_code", "camera_code")},
    }
    if event.end_time is not None:
        body["end"] = event.end_time.isoformat()
    identity = uuid.uuid5(_NAMESPACE, event.mine_code + canonical(body).decode())
    message = {
        "schema": SCHEMA,
        "msg_id": str(identity),
        "mine_code": event.mine_code,
        "system_code": VIDEO_SYSTEM,
        "source_id": SOURCE,
        "data_kind": "av",
        "produced_at": (event.end_time or event.begin_time).isoformat(),
        "sent_at": at.isoformat(),
        "seq": seq,
        "security_level": "L3",
        "body": body,
    }
    if secret:
        message["signature"] = signature(body, secret.encode())
    name = f"{event.mine_code}_message_{at.astimezone(MINE_CLOCK):%Y%m%d%H%M%S}_{seq}.json"
    hidden = folder / f".{name}"
    hidden.write_text(json.dumps(message, ensure_ascii=False), encoding="utf-8")
    os.replace(hidden, folder / name)
    return True

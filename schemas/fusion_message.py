"""What both ends of a fusion message (PC-85) agree on: its schema and how its body is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SCHEMA = "mine-fusion/1"


def canonical(body: Any) -> bytes:
    """The body as it is signed: compact JSON in UTF-8, names in order."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def signature(body: Any, secret: bytes) -> str:
    """HMAC-SHA-256 of the body, in hexadecimal digits."""
    return hmac.new(secret, canonical(body), hashlib.sha256).hexdigest()

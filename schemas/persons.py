"""How a person is named where no card and no name may stand (PC-88, PC-89)."""

from __future__ import annotations

import hashlib
import hmac


def person_hash(key: bytes, mine_code: str, card_code: str) -> str:
    """The keyed hash of a card: the same card of the same mine, the same 32 characters."""
    return hmac.new(key, f"{mine_code}\n{card_code}".encode(), hashlib.sha256).hexdigest()[:32]


def masked_name(name: str) -> str:
    """张强 as 张*, 张志强 as 张*强: enough to tell two colleagues apart, not enough to know a stranger."""
    if len(name) <= 1:
        return "*" * len(name)
    return f"{name[0]}*{name[-1] if len(name) > 2 else ''}"

"""Tokens: a short one to work with, and one to get the next for as long as a shift and a half.

Both end at once when the user is changed, logs out or sets a new password: each carries the instant from which the
user's tokens hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import jwt

from minefusion.serving.accounts.users import User, Users

Use = Literal["work", "renew"]
# A dispatcher is asked for the password no oftener than each 20 hours.
LIFETIMES: dict[Use, timedelta] = {"work": timedelta(minutes=15), "renew": timedelta(hours=20)}
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Tokens:
    """Makes and reads tokens, by the users' clock and a secret key of 32 or more bytes."""

    key: bytes
    users: Users

    def issue(self, user: User, use: Use) -> str:
        ends = self.users.room.clock() + LIFETIMES[use]
        told = {"sub": user.login, "use": use, "of": user.tokens_from.isoformat(), "exp": ends.timestamp()}
        return jwt.encode(told, self.key, _ALGORITHM)

    def holder(self, token: str, use: Use) -> User | None:
        """The user whose token it is; null where it is none of ours, is for another use, or has ended."""
        try:
            told = jwt.decode(
                token,
                self.key,
                [_ALGORITHM],
                options={"require": ["sub", "exp"], "verify_exp": False},  # by our own clock, below
            )
            is_current = told["use"] == use and self.users.room.clock().timestamp() < float(told["exp"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            return None
        user = self.users.get(str(told["sub"])) if is_current else None
        if user is None or user.is_disabled or told.get("of") != user.tokens_from.isoformat():
            return None
        return user

"""Answers: JSON as everywhere in minefusion, tags by which a client knows that it has it already, and pages."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Column, ColumnElement, and_, or_

from minefusion.schemas.json_text import as_json
from minefusion.serving.api.problems import ProblemError


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return as_json(content).encode()


class _Turn:
    """Whoever holds its lock makes the answer; it is there as long as somebody waits."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class KeptAnswers:
    """Answers by their tag, the newest ones: many desks ask the same, and the tag says all that decides the answer.

    Who asks while the answer is being made waits for it, so that a hundred desks that hear of a change cost one look.
    """

    def __init__(self, most_bytes: int = 64 << 20) -> None:
        self._most = most_bytes
        self._size = 0
        self._of: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    def answer(self, tag: str, make: Callable[[], Any]) -> Response:
        """The answer that bears the tag, made where it is not there."""
        with self._lock:
            turn = self._turns.setdefault(tag, _Turn())
        with turn.lock:
            body = self._known(tag)
            if body is None:
                body = as_json(make()).encode()
                self._keep(tag, body)
        return Response(body, media_type=Json.media_type, headers={"ETag": tag})

    def _known(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._of:
                self._of.move_to_end(tag)
            return self._of.get(tag)

    def _keep(self, tag: str, body: bytes) -> None:
        with self._lock:
            self._size += len(body) - len(self._of.pop(tag, b""))
            self._of[tag] = body
            while self._size > self._most:
                _, oldest = self._of.popitem(last=False)
                self._size -= len(oldest)


def tag_of(*parts: object) -> str:
    """A weak tag of what decides an answer."""
    return f'W/"{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}"'


def known_already(request: Request, tag: str) -> Response | None:
    """The answer "not modified", where the client says that it has what bears the tag."""
    has = [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
    return Response(status_code=304, headers={"ETag": tag}) if tag in has or "*" in has else None


def cursor_to(values: list[Any]) -> str:
    """Where the next page begins: behind the row with these values of its order."""
    return base64.urlsafe_b64encode(as_json(values).encode()).decode().rstrip("=")


def cursor_at(cursor: str, length: int) -> list[Any]:
    """What `cursor_to` was given; so many values."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise no_cursor() from None
    is_list = isinstance(values, list) and all(isinstance(each, str | int | float) for each in values)
    if not is_list or len(values) != length:
        raise no_cursor()
    return list(values)


def no_cursor() -> ProblemError:
    return ProblemError(400, "翻页标记无效", "expected a cursor that a page gave as next, got another")


def older(time: Column[Any], key: Column[Any], cursor: str) -> ColumnElement[bool]:
    """Rows that follow, the newest first, on the one that the cursor names by its instant and key."""
    at, named = cursor_at(cursor, 2)
    try:
        instant = datetime.fromisoformat(str(at))
    except ValueError:
        raise no_cursor() from None
    if instant.tzinfo is None:
        raise no_cursor()
    return or_(time < instant, and_(time == instant, key > str(named)))

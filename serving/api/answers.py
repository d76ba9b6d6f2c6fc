"""Answers: JSON as everywhere in minefusion, tags by which a client knows that it has it already, and pages."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

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


class Newest:
    """The newest answer of each name, by what decides it, so that many who ask for the same at once cost one look."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Any]] = {}
        self._lock = threading.Lock()

    def of(self, name: str, tag: str, look: Callable[[], Any]) -> Any:
        """The answer that bears the tag; it is looked for where the newest bears another."""
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] != tag:
                known = self._known[name] = (tag, look())
            return known[1]


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

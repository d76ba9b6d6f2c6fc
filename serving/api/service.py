"""What the endpoints share: tables, control room and users; and the one gate through which every call comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from minefusion.serving.accounts.roles import may, who_may
from minefusion.serving.accounts.tokens import Tokens, Use
from minefusion.serving.accounts.users import User, Users
from minefusion.serving.api.answers import Newest
from minefusion.serving.api.cards import Cards
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.rates import Rate
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.reader import Reader

logger = logging.getLogger(__name__)

API = "/api/v1"
RENEW = f"{API}/refresh"
# All that a person with a one-time password may do.
_BEFORE_CHANGE = {f"{API}/me", f"{API}/me/password", f"{API}/logout"}


def no_models() -> Sequence[dict[str, Any]]:
    """Cards of models where there is no registry of models."""
    return ()


@dataclass
class Service:
    """One running service.

    Attributes:
        person_key: secret with which cards are hashed, the same as that of gold.
        model_cards: rows about the models that are registered.
        asks: of a user; `logins`: wrong ones of a login, `addresses`: from an address whatever the login.
        versions: of each table of the lake, as last seen.
        looks: at people, that were written down already.
        newest: answers that many ask for at once.
        fault: what the watch over the lake fails at, where it does.
    """

    reader: Reader
    room: ControlRoom
    users: Users
    tokens: Tokens
    person_key: bytes
    model_cards: Callable[[], Sequence[dict[str, Any]]] = no_models
    asks: Rate = field(default_factory=lambda: Rate(per_s=50, burst=200))
    logins: Rate = field(default_factory=lambda: Rate(per_s=1 / 12, burst=5))
    addresses: Rate = field(default_factory=lambda: Rate(per_s=0.5, burst=30))
    versions: dict[str, int] = field(default_factory=dict)
    looks: set[tuple[str, ...]] = field(default_factory=set)
    newest: Newest = field(default_factory=Newest)
    fault: str | None = None

    @cached_property
    def cards(self) -> Cards:
        return Cards(self.reader, self.person_key)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def caller(request: Request) -> User:
    """Who calls, if the call is allowed: a token that holds, a role that may, and not too often."""
    service, path = service_of(request), request.scope["route"].path_format
    use: Use = "renew" if path == RENEW else "work"
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    user = service.tokens.holder(token, use) if scheme.lower() == "bearer" else None
    if user is None:
        raise ProblemError(401, "请先登录", "expected a token that holds; log in", {"WWW-Authenticate": "Bearer"})
    wait_s = service.asks.wait_s(user.login)
    if wait_s:
        raise ProblemError(429, "请求过于频繁", f"too many requests; again in {wait_s} s", {"Retry-After": str(wait_s)})
    if user.must_change and path not in _BEFORE_CHANGE:
        raise ProblemError(403, "请先修改一次性密码", "expected the one-time password to be changed first")
    if not may(user.role, request.method, path):
        who = who_may(request.method, path)
        raise ProblemError(403, f"无权操作：需要“{who.zh}”角色", f"not allowed: needs the role {who.en}")
    logger.info("%s %s %s", user.login, request.method, request.url.path)
    return user


def mines_asked(user: User, mine: str | None) -> frozenset[str]:
    """The mines that a question is about; empty: all of them. One that the user does not see is refused."""
    if mine is None:
        return user.mines
    if not user.sees(mine):
        raise ProblemError(403, f"无权查看煤矿 {mine}", f"not allowed: mine {mine} is not one of yours")
    return frozenset({mine})


def write_down_look(service: Service, user: User, what: str, mines: frozenset[str], **note: Any) -> None:
    """Write down that a user looked at where people are, once an hour for each kind of look and mine (PC-88)."""
    hour = service.room.clock().strftime("%Y-%m-%dT%H")
    if any(not each[0].startswith(hour) for each in list(service.looks)):
        service.looks.clear()
    for mine in sorted(mines) or [""]:
        look = (hour, user.login, what, mine)
        if look not in service.looks:
            service.room.note(f"look.{what}", mine, mine, user.login, {"hour": hour, **note})
            service.looks.add(look)


Caller = Annotated[User, Depends(caller)]
Serving = Annotated[Service, Depends(service_of)]
# Only so that the description says how to log in; `caller` does the work.
SCHEME = Depends(HTTPBearer(auto_error=False, description="A token from /api/v1/login"))

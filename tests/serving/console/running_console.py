"""The console's service over a real socket, with a clock that the test holds, and what a browser is watched for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from minefusion.schemas.settings import PROJECT, load_settings
from minefusion.serving.accounts.tokens import Tokens
from minefusion.serving.accounts.users import Users
from minefusion.serving.api.app import attach, make_app
from minefusion.serving.api.service import Service
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.inference.shelf import Shelf
from minefusion.serving.journal.database import open_database
from minefusion.serving.reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = PROJECT / ".cache" / "console" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "long enough 123"
USERS = {"zhang": ("张志强", "dispatcher"), "li": ("李明", "dispatcher"), "wang": ("王海", "viewer")}
# Argon2 as weak as it gets: what is tested here is not its strength.
QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


# Applications that no service uses now: to make one takes longer than many a test.
_APPS: list[Any] = []


@dataclass
class Clock:
    """Goes on from an instant, as the service's own does."""

    start: datetime
    since: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self.since)

    def set(self, start: datetime) -> None:
        self.start, self.since = start, time.monotonic()


class Console:
    """A running service, its database and its clock; `stop` and `start` it like a process."""

    def __init__(self, lake: Path, database: Path, clock: Clock) -> None:
        self.lake, self.database, self.clock = lake, database, clock
        self.port = 0

    def start(self) -> None:
        room = ControlRoom(open_database(f"sqlite:///{self.database}"), self.clock)
        users = Users(room, QUICK)
        self.service = Service(
            Reader(self.lake, keeps_open=True), room, users, Tokens(b"only for tests " * 3, users),
            b"only-for-tests-0123456789-0123456789", Shelf(load_settings(home=str(self.database.parent))),
        )  # fmt: skip
        self.service.asks.burst = 1_000_000
        for login, (name, role) in USERS.items():
            if users.get(login) is None:
                users.set_password(login, users.create(login, name, role, (), "system"), PASSWORD)
        self.app = _APPS.pop() if _APPS else make_app(self.service, watch_every_s=None)
        attach(self.app, self.service)
        self.app.state.watch.beat()
        config = uvicorn.Config(self.app, port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.service.room.database.close()
        _APPS.append(self.app)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def beat(self) -> None:
        self.app.state.watch.beat()
        assert self.service.fault is None


Opened = Callable[..., "Page"]


def note_trouble(troubles: list[str], kind: str, told: str) -> None:
    # A service that is down, and what a role may not, the browser itself reports; the page says it in its own words.
    if kind in ("error", "warning") and "Failed to load resource" not in told:
        troubles.append(f"{kind}: {told}")


def note_request(troubles: list[str], asked: str, own: str) -> None:
    if not asked.startswith((own, "blob:", "data:")):
        troubles.append(f"asked for {asked}")

"""`minefusion serve`: the control centre's service."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.window import parse_instant

if TYPE_CHECKING:
    from minefusion.schemas.settings import Settings

# Open streams end by themselves when the service goes; they are not waited for.
_GRACE_S = 3


def command(
    host: Annotated[str, typer.Option(help="监听地址 · Address to listen on")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="端口，0 为任选 · Port; 0: any that is free", min=0, max=65_535)
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="ISO",
            help="时钟从此刻走起，把过去的班次当作现在 · Play a past shift: the clock starts here",
        ),
    ] = None,
    reset_admin: Annotated[
        bool,
        typer.Option("--reset-admin", help="给 admin 一个新的一次性密码 · Give admin a new one-time password"),
    ] = False,
) -> None:
    """启动调度服务：数据接口、报警、处置、日志 · Serve tables, alarms, dispositions and the journal over HTTP."""
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise MissingError(
            "expected the packages of the service, found none: pip install 'minefusion[serving]'"
        ) from None
    from minefusion.serving.api.app import make_app
    from minefusion.serving.api.watch import PERIOD_FAR_S, PERIOD_S

    clock = _Clock(parse_instant(as_of, "--as-of")) if as_of else _now
    service, password = _open(settings(), clock, reset_admin)
    app = make_app(service, watch_every_s=PERIOD_FAR_S if settings().tables else PERIOD_S)
    listening = _bound(host, settings().serve_port if port is None else port)
    address = f"http://{host}:{listening.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE_S, server_header=False)
    server = uvicorn.Server(config)
    threading.Thread(target=_say_when_up, args=(server, address, password), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: None)  # the server sends it once more when it has ended in good order
    server.run(sockets=[listening])


class _Clock:
    """Starts at an instant and goes on from there."""

    def __init__(self, start: datetime) -> None:
        self._start, self._since = start, time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._since)


def _now() -> datetime:
    return datetime.now(UTC)


def _open(settings: Settings, clock: Any, reset_admin: bool) -> tuple[Any, str | None]:
    """The service over lake and database, and the administrator's one-time password where there is a new one."""
    from minefusion.pipelines.hazard.catalogue import INDICES
    from minefusion.pipelines.jobs.balance import balance
    from minefusion.pipelines.jobs.person_key import kept_key, person_key
    from minefusion.serving.accounts.tokens import Tokens
    from minefusion.serving.accounts.users import FIRST_LOGIN, Users
    from minefusion.serving.alarms.records import SYSTEM
    from minefusion.serving.api.model_cards import ModelCards
    from minefusion.serving.api.service import Service
    from minefusion.serving.control_room import ControlRoom
    from minefusion.serving.inference.shelf import Shelf
    from minefusion.serving.journal.database import open_database
    from minefusion.serving.reader import Reader

    reader = Reader(settings.lake, settings.tables, keeps_open=True)
    users = Users(ControlRoom(open_database(settings.database), clock))
    tokens = Tokens(kept_key(settings.home / "token.key"), users)
    service = Service(
        reader,
        users.room,
        users,
        tokens,
        person_key(settings),
        Shelf(settings),
        model_cards=ModelCards(settings),
        landing=settings.airflow.landing,
        message_secret=settings.message_secret,
        index_names={index.id: (index.name_zh, index.name_en) for index in INDICES},
        balance=lambda: [asdict(kind) for kind in balance(settings).kinds],
    )
    password = users.first()
    if password is None and reset_admin:
        password = users.reset_password(FIRST_LOGIN, SYSTEM)
    return service, password


def _bound(host: str, port: int) -> socket.socket:
    """A socket on which the service is to listen.

    Raises:
        InputError: the address is none, or something listens there already.
    """
    try:
        return socket.create_server(
            (host, port), backlog=512, family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except OSError as error:
        raise InputError(
            f"expected to listen on {host} port {port}, got: {error.strerror or error}; name another by --port, "
            "or end what listens there"
        ) from None


def _say_when_up(server: Any, address: str, password: str | None) -> None:
    """Print the address once it answers, and the login that opens it once, where there is a new one."""
    from minefusion.serving.accounts.users import FIRST_LOGIN

    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    told = {"url": address, "login": FIRST_LOGIN if password else None, "one_time_password": password}
    lines = [address]
    if password:
        lines.append(
            words(
                f"登录：{FIRST_LOGIN}，一次性密码 {password}（只显示这一次，登录后须修改）",
                f"login: {FIRST_LOGIN}, one-time password {password} (shown this once; to be changed then)",
            )
        )
    emit(told, "\n".join(lines))
    sys.stdout.flush()

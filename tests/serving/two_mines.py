"""Two small mines as literal rows, and a service over them: what the tests of the API share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import gold, reference, silver
from minefusion.schemas.settings import load_settings
from minefusion.schemas.table import Table
from minefusion.serving.accounts.roles import ROLES
from minefusion.serving.accounts.tokens import Tokens
from minefusion.serving.accounts.users import Users
from minefusion.serving.alarms.candidates import Known, look
from minefusion.serving.api.app import attach, make_app
from minefusion.serving.api.service import Service
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.inference.shelf import Shelf
from minefusion.serving.journal.database import open_database
from minefusion.serving.reader import Reader

MINES = ("620000000001", "620000000002")
MINE, OTHER = MINES
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(hours=2)
KEY = b"only-for-tests-0123456789-0123456789"
PASSWORD = "long enough 123"
# Argon2 as weak as it gets: what is tested here is not its strength.
QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))

BALANCE = (
    {"kind": "CDSS", "files": 3, "sent": 9, "stored": 8, "quarantined": 1, "rejected": 0, "duplicate": 0, "aside": 0,
     "waiting": 0, "ok": True},
)  # fmt: skip

Row = dict[str, Any]


def area(mine: str, number: int) -> str:
    return f"{mine}{number:02d}"


def gas(mine: str) -> str:
    return f"{mine}MN01"


def rows(mine: str) -> Iterator[tuple[Table, list[Row]]]:
    """One mine's tables: two hours of two areas, with an alarm that is over, one that stands and one on video."""
    face, heading = area(mine, 1), area(mine, 2)
    minutes = [START + timedelta(minutes=number) for number in range(120)]
    yield (
        silver.AREA,
        [
            {"area_id": face, "name_zh": "综采工作面", "name_en": "face", "kind": "longwall_face", "cap": 25},
            {"area_id": heading, "name_zh": "掘进", "name_en": "heading", "kind": "heading", "cap": 18},
        ],
    )
    yield silver.POINT, [
        {
            "point_id": gas(mine), "quantity": "ch4", "unit": "%", "area_id": face, "location": "回风隅角",
            "period_s": 30.0, "alarm": 1.0, "cut": 1.5, "restore": 1.0, "value_kind": "MN",
            "feed": "silver.reading",
        },
        {
            "point_id": f"{mine}KG01", "quantity": "aux_fan", "area_id": heading, "period_s": 30.0,
            "value_kind": "KG", "feed": "silver.reading",
        },
    ]  # fmt: skip
    yield silver.READING, [
        {
            "point_id": gas(mine), "quantity": "ch4", "unit": "%", "area_id": face,
            "observed_at": START + timedelta(seconds=30 * step), "quality": "GOOD" if step % 50 else "BAD",
            "value": 1.8 if step == 77 else 0.3 + 0.001 * (step * 37 % 101), "quality_reasons": "",
        }
        for step in range(240)
        if not 100 <= step < 120
    ]  # fmt: skip
    yield (
        gold.AREA_MINUTE,
        [
            {"area_id": each, "minute": at, "level": number % 5, "ch4_pct_max": number / 100, "people_count": 3}
            for each in (face, heading)
            for number, at in enumerate(minutes)
        ],
    )
    yield gold.HAZARD_INDEX, [
        {
            "index_id": index, "area_id": face, "entity": gas(mine), "point_id": gas(mine), "window_start": at,
            "window_end": at + timedelta(minutes=1), "value": number / 100, "level": number % 5,
            "legal_exceeded": number % 7 == 0, "unit": "%",
        }
        for index in ("G-01", "G-02")
        for number, at in enumerate(minutes)
    ]  # fmt: skip
    yield (
        silver.HEADCOUNT,
        [
            {"area_id": each, "observed_at": at, "people_count": 3, "leaders_count": 0}
            for each in (mine, face)
            for at in minutes[::10]
        ],
    )
    yield (
        silver.PERSON,
        [
            {"card_code": f"{mine}C{number}", "name": name, "work_type": "瓦检员", "is_defined": True}
            for number, name in enumerate(("张强", "李志明", "王"))
        ],
    )
    yield silver.POSITION, [
        {
            "card_code": f"{mine}C{number}", "observed_at": at, "in_out_flag": 1, "area_id": face, "edge_id": "E1",
            "chainage_m": float(number), "quality": "GOOD",
        }
        for number in range(3)
        for at in (*minutes[::5], NOW - timedelta(minutes=1))
    ]  # fmt: skip
    yield (
        gold.ALARM,
        [
            alarm(mine, "G-01", gas(mine), face, 70, None, 4, point_id=gas(mine)),
            alarm(mine, "F-10", f"{mine}CO1", face, 30, 118, 3),
            alarm(mine, "P-03", heading, heading, 90, None, 3),
        ],
    )
    yield silver.VIDEO_EVENT, [
        {
            "event_id": "e1", "camera_code": f"{mine}CAM", "event_type": "V101", "began_at": minutes[100],
            "ended_at": minutes[101], "level": 2, "quality": "GOOD", "area_id": heading, "event_confidence": 0.8,
            "snapshot_uri": f"evidence/{mine}/e1.jpg", "clip_uri": f"evidence/{mine}/e1.mp4",
        }
    ]  # fmt: skip
    yield gold.UNSAFE_BEHAVIOUR, [
        {"event_id": event, "camera_code": f"{mine}CAM", "began_at": minutes[90], "snapshot_uri": uri, "clip_uri": uri}
        for event, uri in (
            ("out", f"evidence/{mine}/../../out.jpg"), ("web", "https://example.org/e.jpg"), ("away", "/etc/hostname")
        )
    ]  # fmt: skip
    yield gold.METHANE_FORECAST, [
        {
            "point_id": gas(mine), "area_id": face, "issued_at": minutes[number], "horizon_min": horizon,
            "target_at": minutes[number] + timedelta(minutes=horizon), "q50_pct": 0.8, "limit_pct": 1.0,
            "reach_chance": number / 200, "is_warning": 90 <= number < 105 or number == 107,
            "sentence_zh": f"预计 {horizon} 分钟", "sentence_en": f"in {horizon} min",
        }
        for number in range(80, 120)
        for horizon in (10, 15)
    ]  # fmt: skip
    yield gold.DATA_QUALITY, [
        {"dataset": "silver.reading", "entity": gas(mine), "area_id": face, "hour": START, "expected": 120,
         "received": 119}
    ]  # fmt: skip
    yield reference.ROADWAY_EDGE, [{"edge_id": "E1", "from_node": "N1", "to_node": "N2", "area_id": face}]
    yield reference.ROADWAY_NODE, [{"node_id": "N1", "x": 0.0, "y": 0.0, "z": 0.0}]


def alarm(
    mine: str, kind: str, entity: str, area_id: str, began: int, ended: int | None, level: int, **more: Any
) -> Row:
    raised = START + timedelta(minutes=began)
    return {
        "alarm_id": f"{kind}:{mine}:{entity}:{raised:%Y%m%dT%H%M%S}", "kind": kind, "area_id": area_id,
        "entity": entity, "level": level, "raised_at": raised,
        "cleared_at": None if ended is None else START + timedelta(minutes=ended), "peak_value": 1.8, "unit": "%",
        "legal_exceeded": level == 4, "people_in_area": 3, "marks": "", "sentence_zh": "超限", "sentence_en": "over",
    } | more  # fmt: skip


def write(lake: Path, extra: tuple[tuple[Table, Row], ...] = ()) -> Path:
    """Both mines into a lake."""
    engine = LightEngine(load_settings(lake=lake))
    for mine in MINES:
        for table, given in rows(mine):
            append(engine, table, mine, given)
    for table, row in extra:
        append(engine, table, MINE, [row])
    for mine in MINES:
        folder = lake / "evidence" / mine
        folder.mkdir(parents=True)
        for ending in ("jpg", "mp4"):
            (folder / f"e1.{ending}").write_bytes(b"evidence of e1")
    (lake / "out.jpg").write_bytes(b"not for everybody")
    return lake


def append(engine: LightEngine, table: Table, mine: str, given: list[Row]) -> None:
    whole = [dict.fromkeys(table.names) | {"mine_code": mine} | row for row in given]
    for row in whole:
        if "day" in row and table.time:
            row["day"] = row[table.time].date().isoformat()
    engine.append(table, engine.frame(whole, table.arrow_schema()))


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A running service; `logins`: the user of each role, and others."""

    service: Service
    app: Any
    clock: Clock
    client: TestClient
    logins: dict[str, str]

    def call(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        """Call as that user, by the name in `logins`; null: as nobody."""
        headers = {"Authorization": f"Bearer {self.token(role)}"} if role else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def token(self, role: str) -> str:
        user = self.service.users.get(self.logins[role])
        assert user is not None
        return self.service.tokens.issue(user, "work")

    def get(self, role: str, path: str, **params: Any) -> Any:
        answer = self.call(role, "GET", f"/api/v1{path}", params={k: v for k, v in params.items() if v is not None})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, role: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.call(role, "POST", f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def beat(self, minutes: float = 0) -> None:
        self.clock.now += timedelta(minutes=minutes)
        self.app.state.watch.beat()
        assert self.service.fault is None

    @property
    def gas_alarm(self) -> str:
        return next(each.alarm_id for each in self.service.room.board.alarms.values() if each.class_name == "methane")


LOGINS = {
    **{role: (role, (MINE,)) for role in ROLES},
    "checker": ("dispatcher", (MINE,)),
    "admin@all": ("admin", ()),
    "dispatcher@all": ("dispatcher", ()),
}


# Applications that no service uses now: to make one takes longer than most tests.
_APPS: list[Any] = []


@contextmanager
def running(
    lake: Path, database: Path, now: datetime = NOW, look: Callable[[Reader, datetime], Known] = look
) -> Iterator[Site]:
    """A service over the lake, at `now`, with the users of LOGINS and what the lake told it by then."""
    clock = Clock(now)
    opened = open_database(f"sqlite:///{database}")
    room = ControlRoom(opened, clock)
    users = Users(room, QUICK)
    shelf = Shelf(load_settings(home=str(database.parent)))
    service = Service(
        Reader(lake, keeps_open=True), room, users, Tokens(KEY, users), KEY, shelf, balance=lambda: BALANCE
    )
    service.asks.burst = 1_000_000
    app = _APPS.pop() if _APPS else make_app(service, watch_every_s=None)
    attach(app, service)
    app.state.watch.look = look
    with TestClient(app, raise_server_exceptions=False) as client:
        site = Site(service, app, clock, client, {login: login.replace("@", "-") for login in LOGINS})
        for login, (role, mines) in LOGINS.items():
            own = site.logins[login]
            if users.get(own) is None:
                users.set_password(own, users.create(own, "张志强", role, mines, "system"), PASSWORD)
        site.beat()
        yield site
    opened.close()
    _APPS.append(app)

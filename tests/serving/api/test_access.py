"""Who may come in and do what: each cell of the table of roles and endpoints, with two mines; attempts at the gate."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from fastapi.routing import APIRoute
from two_mines import KEY, MINE, NOW, OTHER, PASSWORD, START, Site, area, gas

from minefusion.schemas.persons import person_hash
from minefusion.serving.accounts.roles import RIGHT, ROLES, access, may
from minefusion.serving.accounts.tokens import LIFETIMES
from minefusion.serving.emergency import events as emergency
from minefusion.serving.handover.events import MakeSheet

OPEN = {("GET", "/health"), ("POST", "/api/v1/login"), ("GET", "/openapi.json")}
STREAM = ("GET", "/api/v1/stream")  # never ends: tested over a real socket
CELLS = sorted(key for key in access() if key[0] != RIGHT)


def endpoints(site: Site) -> dict[tuple[str, str], APIRoute]:
    found: dict[tuple[str, str], APIRoute] = {}

    def gather(routes: Any) -> None:
        for each in routes:
            if isinstance(each, APIRoute):
                found.update({(method, each.path_format): each for method in each.methods})
            elif inner := getattr(each, "routes", None):
                gather(inner)

    gather(site.app.routes)
    return found


def operations(site: Site) -> dict[tuple[str, str], dict[str, Any]]:
    paths = site.app.openapi()["paths"]
    return {(method.upper(), path): told for path, each in paths.items() for method, told in each.items()}


def things_of(site: Site, mine: str) -> dict[str, str]:
    """What stands in a path, of that mine."""
    board = site.service.room.board
    alarm = next(each for each in board.alarms.values() if each.mine_code == mine and each.class_name == "methane")
    return {
        "alarm_id": alarm.alarm_id, "disposition_id": alarm.disposition_id or "", "point_id": gas(mine),
        "person_hash": person_hash(KEY, mine, f"{mine}C1"), "login": "nobody-there", "number": "1", "sha256": "0" * 64,
        "emergency_id": emergency_of(site, mine), "handover_id": handover_of(site, mine), "step_id": "count",
        "name": "seismic_hazard", "event_id": "e1", "kind": "clip",
    }  # fmt: skip


def emergency_of(site: Site, mine: str) -> str:
    """An emergency of that mine that goes by a plan and has a message; declared where there is none."""
    room = site.service.room
    if not any(each.mine_code == mine for each in room.board.emergencies.values()):
        (line,) = room.handle(emergency.Declare(mine, area(mine, 1), "fire", 4, "皮带冒烟", (), "dispatcher"))
        room.handle(emergency.ChoosePlan(line.subject, "fire", (), "dispatcher"))
        room.handle(emergency.Prepare(line.subject, "radio", "二队", "撤离", "dispatcher"))
    return next(each.emergency_id for each in room.board.emergencies.values() if each.mine_code == mine)


def handover_of(site: Site, mine: str) -> str:
    """A hand-over sheet of that mine; made where there is none."""
    room = site.service.room
    if not any(each.mine_code == mine for each in room.board.handovers.values()):
        room.handle(MakeSheet(mine, START, {}, "dispatcher"))
    return next(each.handover_id for each in room.board.handovers.values() if each.mine_code == mine)


def call(site: Site, role: str | None, cell: tuple[str, str], mine: str) -> Any:
    """Call an endpoint about that mine: its own things in the path, the mine in the question where it may be asked."""
    method, path = cell
    told = operations(site)[cell]
    span = {
        "from": START.isoformat(), "to": NOW.isoformat(), "why": "测试", "points": gas(mine), "mine": mine,
        "day": "2026-03-01",
    }  # fmt: skip
    if path.endswith("/emergencies/plans"):
        span |= {"kind": "fire", "area_id": area(mine, 1), "severity": "4"}
    params = {each["name"]: span[each["name"]] for each in told.get("parameters", []) if each["name"] in span}
    return site.call(role, method, path.format(**things_of(site, mine)), params=params, json={})


def test_every_endpoint_has_a_row_and_every_row_an_endpoint(shown: Site):
    there = set(operations(shown)) | {("GET", "/openapi.json")}
    assert there - OPEN == set(CELLS)
    assert there >= OPEN


@pytest.mark.parametrize("cell", CELLS, ids=" ".join)
def test_each_cell(shown: Site, cell: tuple[str, str]):
    nobody = call(shown, None, cell, MINE)
    assert nobody.status_code == 401, nobody.text
    assert nobody.headers["content-type"] == "application/problem+json"
    is_about_a_mine = "mine" in str(operations(shown)[cell].get("parameters")) or "_id}" in cell[1]
    # The things in a path are there, but for a user, a file and a renewing token.
    gone = {"refresh": {401}, "{login}": {404}, "{sha256}": {404}, "{name}": {404}}
    allowed = {200, 409, 422}.union(*(each for part, each in gone.items() if part in cell[1]))
    for role in ROLES:
        if not may(role, *cell):
            refused = call(shown, role, cell, MINE)
            assert refused.status_code == 403, refused.text
            assert "需要" in refused.json()["detail_zh"]
        elif cell not in (STREAM, ("POST", "/api/v1/logout")):
            own = call(shown, role, cell, MINE)
            assert own.status_code in allowed, own.text
            other = call(shown, role, cell, OTHER)
            if is_about_a_mine and own.status_code != 422:
                assert other.status_code in {403, 404}, other.text
            assert other.status_code != 200 or OTHER not in other.text


def test_lists_hold_only_the_users_mines(site: Site):
    for path in ("/alarms", "/dispositions", "/holds", "/journal", "/mines", "/status", "/alarms/kpi"):
        assert OTHER not in json.dumps(site.get("dispatcher", path))
    for path in ("/alarms", "/dispositions", "/journal", "/mines", "/status"):
        assert OTHER in json.dumps(site.get("dispatcher@all", path))


def test_what_is_open_without_a_login_and_nothing_else(shown: Site):
    assert shown.call(None, "GET", "/health").json()["ok"] is True
    assert shown.call(None, "GET", "/openapi.json").status_code == 200
    assert shown.call(None, "GET", "/console/").status_code == 200
    for path in ("/docs", "/redoc", "/api/v1", "/metrics", "/api/v1/users/../mines"):
        assert shown.call(None, "GET", path).status_code in (401, 404)


def test_names_are_masked_unless_the_role_may_see_them(site: Site, monkeypatch: pytest.MonkeyPatch):
    for role in ROLES:
        assert may(role, RIGHT, "names") == (role in ("dispatcher", "admin"))
    names = access() | {(RIGHT, "names"): frozenset({"admin"})}
    monkeypatch.setattr("minefusion.serving.accounts.roles.access", lambda: names)
    assert [row["name"] for row in site.get("dispatcher", "/persons", mine=MINE)["rows"]] == ["张*", "李*明", "*"]
    assert [row["name"] for row in site.get("admin", "/persons", mine=MINE)["rows"]] == ["张强", "李志明", "王"]


# ── login ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def login(site: Site, name: str, password: str) -> Any:
    return site.call(None, "POST", "/api/v1/login", json={"login": name, "password": password})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_login_renew_and_logout(site: Site):
    told = login(site, "dispatcher", PASSWORD).json()
    assert told["user"]["role"] == "dispatcher"
    assert site.client.get("/api/v1/me", headers=bearer(told["token"])).json()["mines"] == [MINE]
    assert site.client.post("/api/v1/refresh", headers=bearer(told["token"])).status_code == 401
    assert site.client.get("/api/v1/me", headers=bearer(told["renew"])).status_code == 401
    site.clock.now += LIFETIMES["work"]
    assert site.client.get("/api/v1/me", headers=bearer(told["token"])).status_code == 401
    fresh = site.client.post("/api/v1/refresh", headers=bearer(told["renew"])).json()
    assert site.client.get("/api/v1/me", headers=bearer(fresh["token"])).status_code == 200
    assert site.client.post("/api/v1/logout", headers=bearer(fresh["token"])).status_code == 204
    assert site.client.get("/api/v1/me", headers=bearer(fresh["token"])).status_code == 401
    assert site.client.post("/api/v1/refresh", headers=bearer(fresh["renew"])).status_code == 401


def test_logins_are_written_down_and_wrong_ones_slowed_down(site: Site):
    assert login(site, "dispatcher", PASSWORD).status_code == 200
    answers = [login(site, "dispatcher", "wrong password") for _ in range(7)]
    assert [each.status_code for each in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) <= 12
    assert login(site, "nobody", "wrong password").json() == answers[0].json()
    lines = site.get("admin@all", "/journal")["rows"]
    assert [each["what"] for each in lines if each["what"].startswith("user.login")] == [
        *["user.login_failed"] * 6, "user.login",
    ]  # fmt: skip
    assert "nobody" not in json.dumps(lines), "what was typed as a login may be a password"


def test_many_logins_from_one_address_are_slowed_down_whatever_the_login(site: Site):
    answers = [login(site, f"nobody{number}", "wrong password").status_code for number in range(32)]
    assert answers == [401] * 30 + [429] * 2


def test_a_one_time_password_opens_nothing_but_its_own_change(site: Site):
    once = site.post("admin", "/users", {"login": "new.one", "name": "孙强", "role": "viewer", "mines": [MINE]}, 201)
    told = login(site, "new.one", once["one_time_password"]).json()
    with_it = bearer(told["token"])
    assert site.client.get("/api/v1/mines", headers=with_it).status_code == 403
    assert site.client.get("/api/v1/me", headers=with_it).json()["must_change"] is True
    for new in ("short", once["one_time_password"], "xx-new.one-xx-xx"):
        body = {"old": once["one_time_password"], "new": new}
        assert site.client.post("/api/v1/me/password", headers=with_it, json=body).status_code == 409
    body = {"old": once["one_time_password"], "new": "quite another 1"}
    assert site.client.post("/api/v1/me/password", headers=with_it, json=body).status_code == 204
    assert site.client.get("/api/v1/mines", headers=with_it).status_code == 401
    told = login(site, "new.one", "quite another 1").json()
    assert site.client.get("/api/v1/mines", headers=bearer(told["token"])).status_code == 200


def test_a_change_of_a_user_ends_the_tokens_and_is_written_down(site: Site):
    old = bearer(site.token("analyst"))
    answer = site.call("admin", "PATCH", "/api/v1/users/analyst", json={"role": "viewer", "mines": [MINE, OTHER]})
    assert answer.json()["role"] == "viewer"
    assert site.client.get("/api/v1/me", headers=old).status_code == 401
    now = bearer(site.token("analyst"))
    site.call("admin", "PATCH", "/api/v1/users/analyst", json={"is_disabled": True})
    assert site.client.get("/api/v1/me", headers=now).status_code == 401
    assert login(site, "analyst", PASSWORD).status_code == 401
    lines = site.get("admin@all", "/journal", what="user.changed")["rows"]
    assert lines[1]["facts"]["note"] == {"role": ["analyst", "viewer"], "mines": [MINE, f"{MINE} {OTHER}"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"login": "Bad Login"}, "a login of 2 to 32"),
        ({"login": "viewer"}, "which there is already"),
        ({"name": " "}, "expected a name"),
        ({"role": "god"}, "expected a role, one of viewer"),
        ({"mines": ["62; drop"]}, "expected mine codes"),
    ],
)
def test_what_a_new_user_may_not_be(site: Site, body: dict[str, Any], said: str):
    given = {"login": "new.one", "name": "孙强", "role": "viewer", "mines": [MINE]} | body
    assert said in site.post("admin", "/users", given, 409)["detail"]


def test_nobody_locks_himself_out(site: Site):
    for body in ({"is_disabled": True}, {"role": "viewer"}):
        assert site.call("admin", "PATCH", "/api/v1/users/admin", json=body).status_code == 409
    assert site.call("admin", "PATCH", "/api/v1/users/nobody", json={}).status_code == 404
    assert site.call("admin", "POST", "/api/v1/users/viewer/password").json()["one_time_password"]


# ── attempts at the gate ────────────────────────────────────────────────────────────────────────────────────────────


def forged(site: Site) -> list[str]:
    """Tokens that are none of ours."""
    real = site.token("viewer")
    told = jwt.decode(real, options={"verify_signature": False})
    head, body, signature = real.split(".")

    def packed(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    as_admin = told | {"sub": "admin"}
    return [
        "", "x", "a.b.c", real[:-2], f"{head}.{body}.", f"{head}.{packed(as_admin)}.{signature}",
        f"{packed({'alg': 'none', 'typ': 'JWT'})}.{packed(as_admin)}.",
        jwt.encode(as_admin, "some other key 0123456789 0123456789", "HS256"),
        jwt.encode(as_admin, KEY * 2, "HS512"), jwt.encode(told | {"exp": 0}, KEY, "HS256"),
        jwt.encode(told | {"exp": "soon"}, KEY, "HS256"), jwt.encode(told | {"use": "renew"}, KEY, "HS256"),
        jwt.encode(told | {"of": ""}, KEY, "HS256"), jwt.encode(told | {"sub": "nobody"}, KEY, "HS256"),
        jwt.encode({"sub": "viewer"}, KEY, "HS256"), jwt.encode(told | {"sub": "viewer' or '1'='1"}, KEY, "HS256"),
    ]  # fmt: skip


def test_no_forged_token_comes_in(site: Site):
    for token in forged(site):
        for scheme in ("Bearer", "bearer", "Basic", ""):
            answer = site.client.get("/api/v1/me", headers={"Authorization": f"{scheme} {token}"})
            assert answer.status_code == 401, token
    assert site.client.get("/api/v1/me", params={"token": site.token("viewer")}).status_code == 401
    assert site.client.get("/api/v1/me", headers={"Cookie": f"token={site.token('viewer')}"}).status_code == 401
    assert site.client.get("/api/v1/me", headers=bearer(site.token("viewer"))).status_code == 200


def test_who_asks_too_often_is_told_when_to_come_back(site: Site):
    site.service.asks.burst = 3
    site.service.asks.per_s = 0.5
    answers = [site.call("viewer", "GET", "/api/v1/me") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert site.call("dispatcher", "GET", "/api/v1/me").status_code == 200, "each user has a bucket of his own"

"""The mine at an instant: what the console is painted from, live and for a past minute."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from two_mines import MINE, NOW, OTHER, START, Site, area, gas

from minefusion.serving.console.pages import FOLDERS, HERE


def picture(site: Site, minutes: float | None = None) -> Any:
    at = None if minutes is None else (START + timedelta(minutes=minutes)).isoformat()
    return site.get("dispatcher", "/picture", mine=MINE, at=at)


def states(told: Any) -> dict[str, str]:
    return {each["class_name"]: each["state"] for each in told["alarms"]}


def test_now_holds_levels_values_people_and_open_alarms(shown: Site):
    told = picture(shown)
    assert told["is_live"] is True
    face = next(each for each in told["areas"] if each["area_id"] == area(MINE, 1))
    assert face["minute"] == (NOW - timedelta(minutes=1)).isoformat()
    assert (face["main"], face["main_value"], len(face["trend"])) == ("ch4_pct_max", 1.19, 60)
    assert (face["trend"][0], face["trend"][-1]) == (0.6, 1.19)
    # Minute 119 is of level 4; the heading's alarm of level 3 stands although its minute says 119 % 5.
    assert face["level"] == 4
    last = {row[0]: row for row in told["values"]}[gas(MINE)]
    assert last[1:] == [
        "ch4",
        int((NOW - timedelta(seconds=30)).timestamp() * 1000),
        0.3 + 0.001 * (239 * 37 % 101),
        "GOOD",
        "",
    ]
    assert told["underground"]["people_count"] == 3
    assert {"methane", "personnel"} <= states(told).keys()
    assert {each["disposition_id"] for each in told["alarms"] if each["disposition_id"]} == {
        each["disposition_id"] for each in told["dispositions"]
    }


def test_an_alarm_raises_the_level_of_its_area(shown: Site):
    told = picture(shown)
    heading = next(each for each in told["areas"] if each["area_id"] == area(MINE, 2))
    minute = shown.get("dispatcher", "/area-minutes", mine=MINE, area_id=area(MINE, 2), limit=1000)["rows"][-1]
    worst = max(
        each["level"] for each in told["alarms"] if each["area_id"] == area(MINE, 2) and not each["is_advisory"]
    )
    assert heading["level"] == max(worst, minute["level"])


def test_the_same_picture_is_not_sent_twice(shown: Site):
    first = shown.call("viewer", "GET", "/api/v1/picture", params={"mine": MINE})
    again = shown.call(
        "viewer", "GET", "/api/v1/picture", params={"mine": MINE}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (first.status_code, again.status_code) == (200, 304)


def test_the_past_holds_nothing_that_came_later(site: Site):
    site.beat(minutes=1)
    site.post("dispatcher", "/alarms/acknowledge", {"alarm_ids": [site.gas_alarm], "note": "已知"})
    site.beat(minutes=5)
    now, then = picture(site), picture(site, 120.5)
    assert states(now)["methane"] == "active_acked"
    assert states(then)["methane"] == "active_unacked"
    assert then["is_live"] is False
    assert all(row[2] <= (START + timedelta(minutes=120.5)).timestamp() * 1000 for row in then["values"])
    before = picture(site, 60)
    assert before["alarms"] == []
    assert before["areas"][0]["minute"] == (START + timedelta(minutes=59)).isoformat()
    closed = next(each for each in then["dispositions"])
    assert closed["state"] == "draft"


def test_a_past_that_lies_ahead_is_now(shown: Site):
    assert picture(shown, 500)["is_live"] is True


def test_worst_minutes_equal_the_table(shown: Site):
    told = shown.get(
        "viewer",
        "/worst-minutes",
        mine=MINE,
        **{"from": START.isoformat(), "to": (NOW + timedelta(hours=6)).isoformat()},
    )
    assert len(told["at_ms"]) == 120
    assert told["ch4_pct"] == [number / 100 for number in range(120)]
    assert told["level"] == [number % 5 for number in range(120)]
    for span in ({"from": NOW, "to": START}, {"from": START, "to": START + timedelta(days=40)}):
        params = {"mine": MINE} | {key: value.isoformat() for key, value in span.items()}
        assert shown.call("viewer", "GET", "/api/v1/worst-minutes", params=params).status_code == 422


# ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["snapshot", "clip"])
def test_evidence_comes_from_its_own_folder_only(shown: Site, kind: str):
    ask = f"/api/v1/evidence/{{}}/{kind}"
    own = shown.call("dispatcher", "GET", ask.format("e1"), params={"mine": MINE})
    assert own.status_code == 200
    assert own.headers["content-type"] == {"snapshot": "image/jpeg", "clip": "video/mp4"}[kind]
    assert own.content == b"evidence of e1"
    for event in ("out", "web", "away", "nowhere"):
        assert shown.call("dispatcher", "GET", ask.format(event), params={"mine": MINE}).status_code == 404, event
    assert shown.call("dispatcher", "GET", ask.format("e1"), params={"mine": OTHER}).status_code == 403


# ── the page's files ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_needs_no_login_and_shows_no_other_file(shown: Site):
    page = shown.call(None, "GET", "/console/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("main.js", "style.css", "tokens.css", "icon.svg"):
        assert shown.call(None, "GET", f"/console/{name}").status_code == 200
    assert shown.client.get("/", follow_redirects=False).headers["location"] == "/console/"
    for name in (
        "pages.py",
        "../pages.py",
        "%2e%2e/pages.py",
        "..%2f..%2faccounts/access.csv",
        "vendor/../../pages.py",
        "vendor/",
    ):
        assert shown.call(None, "GET", f"/console/{name}").status_code in (404, 401), name


def test_the_page_asks_nobody_else():
    for path in sorted((HERE / "page").iterdir()):
        words = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in words, path.name
        assert "style=" not in words, f"{path.name}: the page's own policy forbids it"
    assert set(FOLDERS.values()) == {HERE / "page", HERE / "vendor"}


def test_npm_lock_is_exact_and_names_no_address():
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
    asked = (HERE / "package.json").read_text(encoding="utf-8")
    assert not any(sign in asked for sign in ("^", "~", "*"))


def test_modules_name_only_files_that_are_there():
    page = HERE / "page"
    for path in page.glob("*.js"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("import ") and "'./" in line:
                name = line.split("'./")[1].split("'")[0]
                assert name.startswith("vendor/") or (page / name).is_file(), f"{path.name}: {name}"
    assert Path(page / "index.html").is_file()

"""Each list says what the table says, page by page, and no more than the user may see."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from two_mines import KEY, MINE, MINES, NOW, OTHER, START, Site, gas

from minefusion.schemas.json_text import as_json
from minefusion.schemas.persons import person_hash
from minefusion.serving.api.answers import KeptAnswers
from minefusion.serving.api.freshness import Freshness
from minefusion.serving.api.listings import LISTINGS, Listing
from minefusion.serving.reader import Reader


def through_json(rows: Any) -> Any:
    import json

    return json.loads(as_json(list(rows)))


def all_pages(site: Site, role: str, path: str, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = site.get(role, path, cursor=cursor, **params)
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            return rows
        assert len(page["rows"]) == params["limit"]


QUERIES_EACH = 50


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda each: each.path)
def test_a_list_is_what_sql_says(shown: Site, listing: Listing):
    """Fifty questions drawn at random from what the table holds."""
    chance = random.Random(listing.path)
    reader = shown.service.reader
    there = list(reader.sql(f"SELECT * FROM {listing.table.name}"))
    names = ", ".join(f'"{each.name}"' for each in listing.columns)
    answered = 0
    for _ in range(QUERIES_EACH if there else 1):
        params: dict[str, Any] = {"limit": chance.choice([1, 7, 100, 1000])}
        wheres, given = ["true"], {}
        sample = chance.choice(there) if there else {}
        if listing.has_mine and chance.random() < 0.5:
            params["mine"] = given["mine"] = chance.choice([MINE, OTHER])
            wheres.append("mine_code = $mine")
        for name in listing.equals:
            if sample.get(name) is not None and chance.random() < 0.3:
                params[name] = given[name] = sample[name]
                wheres.append(f"{name} = ${name}")
        for name in listing.least:
            if chance.random() < 0.3:
                params[f"{name}_min"] = given[f"{name}_min"] = chance.randrange(5)
                wheres.append(f"{name} >= ${name}_min")
        time = listing.table.time
        if time:
            begin = START + timedelta(minutes=chance.randrange(-10, 120))
            params["from"], given["begin"] = begin.isoformat(), begin
            wheres.append(f"{time} >= $begin")
            if chance.random() < 0.7:
                end = begin + timedelta(minutes=chance.randrange(1, 60))
                params["to"], given["end"] = end.isoformat(), end
                wheres.append(f"{time} < $end")
        order = ", ".join(listing.order)
        query = f"SELECT {names} FROM {listing.table.name} WHERE {' AND '.join(wheres)} ORDER BY {order}"
        expected = through_json(reader.sql(query, **given))
        assert (
            all_pages(
                shown,
                "admin@all" if listing.is_of_persons else "dispatcher@all",
                f"/{listing.path}",
                **{**params, "limit": max(params["limit"], len(expected) // 5 + 1)},
            )
            == expected
        )
        answered += bool(expected)
    assert answered or not there


@pytest.mark.parametrize("path", ["seismic-hazard", "model-health", "models"])
def test_what_is_still_empty_answers_an_empty_list(shown: Site, path: str):
    assert shown.get("dispatcher", f"/{path}")["rows"] == []


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda each: each.path)
def test_a_list_shows_the_users_mines_and_no_person(shown: Site, listing: Listing):
    params = {"from": START.isoformat(), "limit": 1000} if listing.table.time else {"limit": 1000}
    rows = shown.get("dispatcher", f"/{listing.path}", **params)["rows"]
    if listing.has_mine:
        assert {row["mine_code"] for row in rows} <= {MINE}
        refused = shown.call("dispatcher", "GET", f"/api/v1/{listing.path}", params={"mine": OTHER})
        assert refused.status_code == 403
    assert "张" not in str(rows)
    assert all(
        ("card_code" not in row and "name" not in row) or listing.path in ("stations", "cameras", "equipment")
        for row in rows
    )


def test_a_page_is_known_again_by_its_tag(shown: Site):
    params = {"from": START.isoformat(), "limit": 5}
    first = shown.call("viewer", "GET", "/api/v1/area-minutes", params=params)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert shown.call("viewer", "GET", "/api/v1/area-minutes", params=params, headers=tag).status_code == 304
    other = shown.call("viewer", "GET", "/api/v1/area-minutes", params={**params, "limit": 6}, headers=tag)
    assert other.status_code == 200
    of_all = shown.call("dispatcher@all", "GET", "/api/v1/area-minutes", params=params, headers=tag)
    assert of_all.status_code == 200, "what another user sees is not what this one sees"


@pytest.mark.parametrize("cursor", ["!", "W10", "WzFd", "bnVsbA", "eyJhIjoxfQ"])
def test_a_cursor_that_no_page_gave_is_refused(shown: Site, cursor: str):
    answer = shown.call("viewer", "GET", "/api/v1/area-minutes", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail_zh"] == "翻页标记无效"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"levle": 3}, "levle"),
        ({"limit": 0}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-03-01T00:00:00"}, "from"),
        ({"level_min": 9}, "level_min"),
    ],
)
def test_a_wrong_question_is_told_where(shown: Site, params: dict[str, Any], said: str):
    answer = shown.call("viewer", "GET", "/api/v1/area-minutes", params=params)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def curve(site: Site, **params: Any) -> dict[str, Any]:
    (found,) = site.get("viewer", "/series", mine=MINE, points=gas(MINE), **params)["series"]
    return found


def test_a_curve_that_fits_is_whole_and_its_gap_is_told(shown: Site):
    found = curve(shown, **{"from": START.isoformat(), "to": NOW.isoformat()})
    assert (found["count"], found["hidden"], len(found["at_ms"])) == (220, 0, 220)
    assert found["unit"] == "%"
    assert [[datetime.fromisoformat(each) for each in gap] for gap in found["gaps"]] == [
        [START + timedelta(seconds=30 * 99), START + timedelta(seconds=30 * 120)]
    ]
    assert [mark[1] for mark in found["quality"]] == ["BAD"] * 4


@pytest.mark.parametrize("most", [8, 20, 50, 219])
def test_a_thinned_curve_keeps_the_extremes_at_their_instants_and_counts_what_it_hides(shown: Site, most: int):
    whole = curve(shown, **{"from": START.isoformat(), "to": NOW.isoformat()})
    thin = curve(shown, **{"from": START.isoformat(), "to": NOW.isoformat()}, most=most)
    pairs = set(zip(whole["at_ms"], whole["value"], strict=True))
    kept = list(zip(thin["at_ms"], thin["value"], strict=True))
    assert set(kept) <= pairs
    assert len(kept) <= most
    assert thin["hidden"] == 220 - len(kept)
    assert thin["at_ms"] == sorted(thin["at_ms"])
    assert max(thin["value"]) == 1.8
    good = [value for place, value in enumerate(whole["value"]) if place not in {m[0] for m in whole["quality"]}]
    kept_good = [value for place, value in enumerate(thin["value"]) if place not in {m[0] for m in thin["quality"]}]
    assert (min(kept_good), max(kept_good)) == (min(good), max(good))


def test_statistics_by_hour_are_extremes(shown: Site):
    params = {"mine": MINE, "agg": "1h", "from": START.isoformat(), "to": NOW.isoformat()}
    found = shown.get("viewer", f"/points/{gas(MINE)}/values", **params)["rows"]
    assert found[0]["value_max"] == 1.8
    assert [row["readings"] for row in found] == [98, 118]
    assert shown.get("viewer", f"/points/{gas(MINE)}/values", mine=MINE, agg="5min")["rows"] == []


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"points": "nowhere"}, 404),
        ({"points": ""}, 422),
        ({"points": ",".join(map(str, range(30)))}, 422),
        ({"from": NOW.isoformat(), "to": START.isoformat()}, 422),
        ({"mine": OTHER}, 403),
        ({"to": "0001-01-01T00:00:00Z"}, 422),
    ],
)
def test_what_a_curve_refuses(shown: Site, params: dict[str, Any], status: int):
    asked = {"mine": MINE, "points": gas(MINE)} | params
    assert shown.call("viewer", "GET", "/api/v1/series", params=asked).status_code == status


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_where_without_cards(shown: Site):
    rows = shown.get("dispatcher", "/positions", mine=MINE)["rows"]
    assert [(row["age_s"], row["edge_id"]) for row in rows] == [(60.0, "E1")] * 3
    assert {row["person_hash"] for row in rows} == {person_hash(KEY, MINE, f"{MINE}C{n}") for n in range(3)}
    assert {row["name"] for row in rows} == {"张强", "李志明", "王"}
    assert not any("C0" in str(value) for row in rows for value in row.values())
    assert shown.get("dispatcher", "/positions", mine=MINE, area_id="elsewhere")["rows"] == []


def test_every_look_at_a_track_is_written_down_with_its_reason(site: Site):
    who = person_hash(KEY, MINE, f"{MINE}C1")
    asked = {"mine": MINE, "from": START.isoformat(), "to": NOW.isoformat(), "why": "查找失联人员"}
    assert len(site.get("dispatcher", f"/persons/{who}/track", **asked)["rows"]) == 25
    assert site.call("dispatcher", "GET", "/api/v1/persons/nobody/track", params=asked).status_code == 404
    assert site.call("dispatcher", "GET", f"/api/v1/persons/{who}/track", params=asked | {"why": ""}).status_code == 422
    assert (
        site.call("dispatcher", "GET", f"/api/v1/persons/{who}/track", params=asked | {"mine": OTHER}).status_code
        == 403
    )
    looks = site.get("admin@all", "/journal", what="look.track")["rows"]
    assert [(each["by"], each["subject"], each["facts"]["note"]["why"]) for each in looks] == [
        ("dispatcher", "nobody", "查找失联人员"),
        ("dispatcher", who, "查找失联人员"),
    ]


def test_looks_at_positions_are_written_down_once_an_hour(site: Site):
    for _ in range(3):
        site.get("dispatcher", "/positions", mine=MINE)
    site.get("dispatcher", "/persons", mine=MINE)
    site.clock.now += timedelta(hours=1)
    site.get("dispatcher", "/positions", mine=MINE)
    lines = site.get("admin@all", "/journal", by="dispatcher", mine=MINE)["rows"]
    assert [each["what"] for each in lines] == ["look.positions", "look.persons", "look.positions"]


# ── what is asked again ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_question_is_answered_once_until_the_table_moves(site: Site, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    real = site.service.reader.sql
    monkeypatch.setattr(site.service.reader, "sql", lambda query, **more: asked.append(query) or real(query, **more))
    first = site.get("viewer", "/areas")
    assert site.get("analyst", "/areas") == first
    assert len(asked) == 1
    assert site.get("dispatcher@all", "/areas") != first, "who sees more mines asks something else"
    assert len(asked) == 2


def test_kept_answers_are_bounded_and_the_longest_unasked_go():
    kept = KeptAnswers(most_bytes=30)
    made: list[str] = []

    def answer(tag: str) -> str:
        return kept.answer(tag, lambda: made.append(tag) or "x" * 8).body.decode()

    assert [answer(each) for each in "abca"] == ['"xxxxxxxx"'] * 4
    assert made == ["a", "b", "c"]
    answer("d")
    assert answer("a")
    assert answer("b")
    assert made == ["a", "b", "c", "d", "b"], "b was asked for the longest ago"
    assert KeptAnswers(most_bytes=3).answer("t", lambda: "x" * 8).body == b'"xxxxxxxx"'


def test_freshness_is_told_of_silent_mines_too(two_mines_lake: Path):
    reader, fresh = Reader(two_mines_lake), Freshness()
    told = fresh.newest(reader, NOW)["silver.reading"]
    assert told == {mine: START + timedelta(minutes=119, seconds=30) for mine in MINES}
    later = fresh.newest(reader, NOW + timedelta(hours=3))["silver.reading"]
    assert later == told, "silent for three hours, and still told"
    earlier = fresh.newest(reader, START + timedelta(minutes=30))["silver.reading"]
    assert set(earlier.values()) == {START + timedelta(minutes=30)}, (
        "the clock was put back: nothing of what came later"
    )


def test_who_asks_while_an_answer_is_made_waits_for_it():
    kept, made, begun = KeptAnswers(), [], threading.Event()

    def slowly() -> str:
        made.append(threading.get_ident())
        begun.wait(5)
        return "told"

    with ThreadPoolExecutor(8) as desks:
        asked = [desks.submit(kept.answer, "same", slowly) for _ in range(8)]
        begun.set()
        assert {each.result().body for each in asked} == {b'"told"'}
    assert len(made) == 1

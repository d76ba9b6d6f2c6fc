"""The analysts' page in a real browser: what it shows stands in its address, and it asks nobody but its own service."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import uvicorn
from random_mine import AREAS, BEGIN, END, HOSTILE, MINE
from two_mines import PASSWORD, Site

from minefusion.serving.accounts.roles import may
from minefusion.serving.analyst.views import VIEWS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# A browser says on its console that an answer was no: not logged in, and a query that is refused.
EXPECTED = re.compile(r"status of 40[01]")
SPAN = f"mine={MINE}&from={BEGIN:%Y-%m-%dT%H:%M:%S}Z&to={END:%Y-%m-%dT%H:%M:%S}Z"


@contextlib.contextmanager
def listening(app: Any) -> Iterator[str]:
    """The application behind a real socket."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def page(desk: Site, chromium: Browser) -> Iterator[Page]:
    """A page whose user has logged in; what it complained of, and whom else it asked, is empty in the end."""
    with listening(desk.app) as address:
        opened = chromium.new_page(base_url=address, viewport={"width": 1920, "height": 1080})
        troubles: list[str] = []
        opened.on(
            "console", lambda message: troubles.append(message.text) if not EXPECTED.search(message.text) else None
        )
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        opened.on(
            "request", lambda asked: None if asked.url.startswith((address, "blob:")) else troubles.append(asked.url)
        )
        opened.on("dialog", lambda dialog: troubles.append(dialog.message))
        opened.goto(f"/analyse/hazards/cells?{SPAN}")
        opened.fill("[name=login]", "analyst")
        opened.fill("[name=password]", PASSWORD)
        opened.click("#login button")
        opened.wait_for_selector("[data-view='hazards/cells']")
        yield opened
        assert troubles == []
        opened.close()


def show(page: Page, path: str, more: str = "") -> None:
    page.goto(f"/analyse/{path}?{SPAN}{more}")
    page.wait_for_selector(f"[data-view='{path}']")


def test_without_a_login_there_is_a_form_and_no_data(desk: Site):
    answer = desk.call(None, "GET", "/analyse/hazards/cells")
    assert answer.status_code == 200
    assert MINE not in answer.text
    assert desk.call(None, "GET", "/analyse/static/analyse.js").status_code == 200
    assert desk.call(None, "GET", "/analyse/static/../../reader.py").status_code in (200, 404)
    assert "class Reader" not in desk.call(None, "GET", "/analyse/static/%2e%2e%2freader.py").text


def test_a_cell_opens_its_readings_and_why_and_the_address_opens_it_again(page: Page):
    show(page, "hazards/cells")
    assert page.locator("svg.chart .cell.s4").count() > 0
    page.locator("svg.chart a:has(.cell.s4)").first.click()
    page.wait_for_selector("aside.why")
    chosen = page.locator("aside.why .sentence").inner_text()
    assert HOSTILE in chosen, "what comes from data is text"
    assert page.locator(".cell.picked").count() >= 1
    assert "pick=" in page.url
    assert "at=" in page.url
    assert page.locator("figure .gas-lane").count() >= 1
    address = page.url
    page.goto("/analyse/quality/hours")
    page.goto(address)
    page.wait_for_selector("aside.why")
    assert page.locator("aside.why .sentence").inner_text() == chosen
    page.go_back()
    page.wait_for_selector("[data-view='quality/hours']")


def test_every_view_that_the_role_may_see_is_drawn(page: Page, desk: Site):
    for path in VIEWS:
        if not may("analyst", "GET", f"/api/v1/analysis/{path}"):
            continue
        # As a click does it, without loading the page anew.
        page.evaluate(
            "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')) }",
            f"/analyse/{path}?{SPAN}",
        )
        page.wait_for_selector(f"[data-view='{path}']")
        assert page.locator("#trouble").inner_text() == ""
        asked = {"mine": MINE, "from": BEGIN.isoformat(), "to": END.isoformat()}
        rows = desk.get("analyst", f"/analysis/{path}", **asked)["rows"]
        assert f"{len(rows)} 行" in page.locator("#view + .aside").inner_text()
        tables = page.locator("[data-view] > .wide").last.locator("tbody tr")
        assert tables.count() == min(len(rows), 300)
    groups = page.locator("#groups a")
    assert groups.count() == len({each.group for each in VIEWS.values()}) + 1


def test_a_point_of_a_list_opens_its_curve(page: Page):
    show(page, "methane/over-limit")
    page.locator("[data-view] tbody a").last.click()  # the newest: readings are there
    page.wait_for_selector("figure .gas-lane")
    assert page.locator("figure .gas-lane").get_attribute("data-point") in page.url


def test_the_question_is_the_address(page: Page):
    show(page, "hazards/cells")
    page.select_option("[name=level_min]", "3")
    page.select_option("[name=area_id]", AREAS[0])
    page.click("#ask")
    page.wait_for_url("**level_min=3**")
    page.wait_for_selector("#pane:not([aria-busy])")
    assert page.locator(".cell.s1, .cell.s2").count() == 0
    assert page.locator(".cell.s3, .cell.s4").count() > 0
    assert page.input_value("[name=from]") == "2026-03-01T20:00", "on the mine's clock"
    assert page.input_value("#link") == page.url


def test_a_file_is_what_the_page_shows(page: Page, desk: Site, tmp_path: Path):
    show(page, "methane/durations")
    with page.expect_download() as got:
        page.click("#file-parquet")
    got.value.save_as(tmp_path / "rows.parquet")
    asked = {"mine": MINE, "from": BEGIN.isoformat(), "to": END.isoformat()}
    rows = desk.get("analyst", "/analysis/methane/durations", **asked)["rows"]
    assert pl.read_parquet(tmp_path / "rows.parquet")["point_id"].to_list() == [row["point_id"] for row in rows]


def test_language_by_a_switch_and_kept_in_the_address(page: Page):
    show(page, "quality/hours")
    assert page.locator("#view").inner_text() == "数据集 × 小时"
    page.click("[data-lang=en]")
    page.wait_for_selector("[data-view='quality/hours']")
    assert page.locator("#view").inner_text() == "By dataset and hour"
    assert "lang=en" in page.url
    page.click("[data-lang=zh]")
    page.wait_for_selector("html[lang='zh-CN']")


def test_sql_runs_is_kept_in_the_address_and_says_what_is_wrong(page: Page):
    page.goto("/analyse/sql")
    page.wait_for_selector("#tables details")
    page.fill("#query", "SELECT count(*) AS n FROM silver.reading")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer td")
    assert int(page.locator("#answer td").inner_text()) > 100
    page.goto(page.url)
    page.wait_for_selector("#answer td")
    page.fill("#query", "DROP TABLE gold.alarm")
    page.click("#run")
    page.wait_for_selector("#trouble:has-text('it only reads')")


def test_nothing_is_clipped_in_the_drawings(page: Page):
    for path in ("hazards/cells", "people/hours", "quality/hours", "models/horizons", "alarms/months"):
        show(page, path)
        clipped = page.evaluate(
            "() => [...document.querySelectorAll('svg.chart')].flatMap(svg => {"
            " const box = svg.getBoundingClientRect();"
            " return [...svg.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();"
            " return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1); })"
            " .map(t => t.textContent); })"
        )
        assert clipped == [], path

"""The four pages as one: a login opens all, each leads to the others, and a place and its time go along."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from mine_1203 import FACE, METHANE, MINE, NOW
from playwright.sync_api import Page, expect
from running_console import Console, Opened

from minefusion.serving.accounts.roles import ROLES, may

# What a page shows first: who may not ask for it sees no link.
FIRST = {"/console/": "picture", "/analyse": "analysis", "/emergency": "emergencies", "/handover": "handovers"}
LINKS = "nav:is(.nav, .pages) a"


def current(page: Page) -> str:
    return page.locator(f"{LINKS}[aria-current=page]").inner_text()


def test_one_login_opens_all_pages_and_one_logout_ends_all(console: Console, opened: Opened):
    page = opened()
    for link, ready in (
        ("分析", "[data-view='hazards/cells']"),
        ("应急", "#signs"),
        ("交接班", "#sheets"),
        ("调度", "html[data-ready]"),
    ):
        page.click(f"{LINKS}:text-is('{link}')")
        page.wait_for_selector(ready, state="visible" if ready != "html[data-ready]" else "attached")
        assert page.locator("input[name=password]:visible").count() == 0, "no login is asked for again"
        assert current(page) == link
        assert page.locator(LINKS).all_inner_texts() == ["调度", "分析", "应急", "交接班"]
    page.goto(f"{console.url}/analyse/hazards/cells?mine={MINE}&lang=en")
    page.wait_for_selector("[data-view='hazards/cells']")
    page.click(f"{LINKS}:text-is('Hand-over')")
    page.wait_for_selector("#sheets:not([hidden])")
    assert current(page) == "Hand-over"
    page.click("#logout")
    page.wait_for_selector("#login:not([hidden])")
    page.goto(f"{console.url}/analyse")
    page.wait_for_selector("#login:not([hidden])")
    page.goto(f"{console.url}/console/")
    page.wait_for_selector(".login:not([hidden]) input[name=password]")


def test_a_place_and_its_time_go_along_to_the_explorer_and_back(opened: Opened):
    page = opened()
    page.click(f".am[data-key='{METHANE}']")
    page.click(".mapp .ph a")
    page.wait_for_selector("[data-view='hazards/cells']")
    asked = {name: each[0] for name, each in parse_qs(urlsplit(page.url).query).items()}
    assert asked["mine"] == MINE
    assert asked["pick"] == FACE
    at = datetime.fromisoformat(asked["at"])
    assert at == NOW.replace(minute=28, second=0)
    page.click("#to-console")
    page.wait_for_selector("html[data-ready]", state="attached")
    about = {name: each[0] for name, each in parse_qs(urlsplit(page.url).fragment).items()}
    assert about["place"] == f"area:{FACE}"
    # The replay goes on from that instant.
    assert 0 <= datetime.fromtimestamp(int(about["replay"]) / 1000, UTC).timestamp() - at.timestamp() < 120
    expect(page.locator(".ar.sel")).to_have_attribute("data-key", FACE)


def test_a_role_sees_links_to_the_pages_that_it_may_open(opened: Opened):
    page = opened("wang")
    for role in ROLES:
        links = page.evaluate(
            "async role => (await import('/pages/links.js')).linksFor(role, '', {lang: 'zh'}).map(each => each.href)",
            role,
        )
        shown = {re.split(r"[?#]|hazards", each)[0].removesuffix("/") for each in links}
        able = {page for page, first in FIRST.items() if may(role, "GET", f"/api/v1/{first}")}
        assert shown == {each.removesuffix("/") for each in able}
    assert page.locator(LINKS).all_inner_texts() == ["调度", "分析"]

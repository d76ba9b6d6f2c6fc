"""The commander's and the hand-over page in a real browser: keyboard alone, both languages, no outside request."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from test_emergencies import struck  # noqa: F401
from two_mines import PASSWORD, Site, running

from minefusion.serving.api.app import make_app
from minefusion.serving.emergency.page import ADDRESSES, shell

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_shell_holds_no_data_and_both_languages(address: str):
    page = shell(address)
    assert "{{" not in page
    assert page.count('class="zh"') == page.count('class="en"') > 5
    assert "http:" not in page
    assert "https:" not in page


def test_the_shells_are_open_and_nothing_beside_them(shown: Site):
    for path in ("/emergency", "/handover", "/emergency/files/emergency.js", "/emergency/files/tokens.css"):
        assert shown.client.get(path).status_code == 200
    for path in ("/emergency/files/__init__.py", "/emergency/files/..%2F__init__.py", "/emergency/files/x"):
        assert shown.client.get(path).status_code == 404


@pytest.fixture(scope="module")
def address(struck: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:  # noqa: F811
    database = Path(shutil.copy(struck[1], tmp_path_factory.mktemp("page") / "room.db"))
    with running(struck[0], database) as site:
        app = make_app(site.service, watch_every_s=None)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", site
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(address: tuple[str, Site], chromium: Browser) -> Iterator[Page]:
    """A page that complains of every error, outside request and dialog."""
    url, _ = address
    opened = chromium.new_page(viewport={"width": 1600, "height": 1000})
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else troubles.append(asked.url))
    opened.on("dialog", lambda dialog: troubles.append(dialog.message))
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()
    assert [each for each in troubles if "409" not in each] == []


def log_in(page: Page, url: str, login: str) -> None:
    """With the keyboard alone: the first field has the focus."""
    page.goto(url)
    page.locator("#login").wait_for()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def press(page: Page, selector: str) -> None:
    """What a keyboard does to a button."""
    page.locator(selector).first.wait_for()
    page.locator(selector).first.focus()
    page.keyboard.press("Enter")


def test_an_emergency_by_keyboard_from_sign_to_end(page: Page, address: tuple[str, Site]):
    url, site = address
    log_in(page, f"{url}/emergency", site.logins["dispatcher"])
    page.locator("#signs button").wait_for()
    press(page, "#signs button")
    assert page.locator('#declare [name="words"]').input_value() == "超限"
    page.locator('#declare [name="kind"]').select_option("fire")
    press(page, '#declare button[type="submit"]')
    page.locator("#people tr").nth(4).wait_for()
    assert "综采工作面" in page.locator("#what").inner_text()
    assert page.locator("#people tr").first.inner_text().startswith("◆ 红 无路可撤")
    assert page.locator("#counts").inner_text().split()[:4] == ["在册", "5", "未出井", "5"]

    press(page, '[data-plan="fire"]')
    page.locator('[data-step="withdraw_lee"]').wait_for()
    page.locator("#stepNote").fill("已通知二队")
    press(page, '[data-step="withdraw_lee"]')
    page.locator("#steps li.done").wait_for()
    assert "已通知二队" in page.locator("#steps li.done").inner_text()
    press(page, '[data-sent="1"]')
    page.locator('[data-understood="1"]').wait_for()
    page.locator("#who").fill("二队队长")
    press(page, '[data-understood="1"]')
    page.locator("#messages li.done").wait_for()

    from playwright.sync_api import expect

    first = page.locator("#people tr").first
    first.locator('[data-says="safe"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#counts div", has_text="未回应").locator("dd")).to_have_text("4")
    assert page.evaluate("document.activeElement.dataset.says") == "safe", "the focus stays where it was"
    press(page, '#end button[type="submit"]')
    page.locator("#problem:not([hidden])").wait_for()
    assert "尚有 5 人未清点出井" in page.locator("#problem").inner_text()

    press(page, '[data-lang="en"]')
    assert "no way out" in page.locator("#people").inner_text()
    assert page.locator("h1 .en").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
    page.locator('#end [name="why"]').fill("drill over")
    press(page, '#end button[type="submit"]')
    page.locator("#calm:not([hidden])").wait_for()
    assert "not out at its end 5" in page.locator("#over").inner_text()


def test_a_shift_is_handed_over_at_one_desk(page: Page, address: tuple[str, Site]):
    from playwright.sync_api import expect

    url, site = address
    log_in(page, f"{url}/handover", site.logins["dispatcher"])
    press(page, '#make button[type="submit"]')
    page.locator("#outgoing:not([hidden])").wait_for()
    sheet = page.locator("#sheet").inner_text()
    assert "甲烷超限" in sheet
    assert "卡死" in sheet
    assert "漂移" in sheet
    page.locator('#outgoing [name="remarks"]').fill("注意三号测点")
    press(page, '#outgoing button[type="submit"]')
    page.locator("#incoming:not([hidden])").wait_for()
    for login in ("dispatcher", "checker"):
        page.locator('#incoming [name="login"]').fill(site.logins[login])
        page.locator('#incoming [name="password"]').fill(PASSWORD)
        press(page, '#incoming button[type="submit"]')
        if login == "dispatcher":
            page.locator("#problem:not([hidden])").wait_for()
            assert "接班人不能是交班人" in page.locator("#problem").inner_text()
    expect(page.locator("#what")).to_have_text("交接完成")
    assert "注意三号测点" in page.locator(".signatures").inner_text()
    assert site.logins["checker"] in page.locator(".signatures").inner_text()

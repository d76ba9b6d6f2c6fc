"""The console in a real Chromium: each flow of a dispatcher, at the sizes and in the looks it is made for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mine_1203 import CAMERA, CROWD, FACE, FEED, HEADING, HEADING_2, INTAKE, METHANE, MINE, NOW
from playwright.sync_api import Page, expect
from running_console import AXE, PASSWORD, Console, Opened

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import silver
from minefusion.schemas.settings import load_settings
from minefusion.serving.alarms import events
from minefusion.serving.journal.verify import verify

HERE = Path(__file__).parent
OVERLAPS = (HERE / "overlaps.js").read_text(encoding="utf-8")
SMALL_WORDS = (HERE / "small_words.js").read_text(encoding="utf-8")


def place(page: Page) -> str:
    return str(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('place') ?? ''"))


def shows(page: Page, area: str, name: str) -> None:
    """Every pane is about that area."""
    expect(page.locator(".ar.sel")).to_have_attribute("data-key", area)
    expect(page.locator(".mapp .crumbs")).to_contain_text(name)
    expect(page.locator(".curves .ph")).to_contain_text(name)
    expect(page.locator(".evidence .ph")).to_contain_text(name)


def click_label(page: Page, words: str) -> None:
    """Click a label of the map."""
    labels = json.loads(page.locator(".canvas").get_attribute("data-labels") or "[]")
    _, x, y, w, h = next(each for each in labels if words in each[0])
    page.locator(".canvas").click(position={"x": x + w / 2, "y": y + h / 2})


def alarm(console: Console, alarm_id: str) -> Any:
    return console.service.room.board.alarms[alarm_id]


# ── one place, one time ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_selected_anywhere_every_pane_shows(opened: Opened):
    page = opened()
    face, heading = "1203综采工作面", "1404回风巷掘进"

    page.click(f".ar[data-key='{HEADING}']")
    shows(page, HEADING, heading)
    expect(page.locator(".gutter")).to_contain_text("CH4")

    page.click(f".am[data-key='{METHANE}']")
    shows(page, FACE, face)
    raised = NOW - timedelta(minutes=1.37)
    expect(page.locator(".handle")).to_have_attribute("data-at", str(int(raised.timestamp() * 1000)))
    expect(page.locator(".plotb > .tag")).to_have_text("14:28:49")
    expect(page.locator(".timeline")).to_contain_text("甲烷超限")
    expect(page.locator(".am.sel button").first).to_contain_text("确认")

    click_label(page, "1205运输巷掘进")
    assert place(page) == f"area:{HEADING_2}"
    shows(page, HEADING_2, "1205运输巷掘进")

    page.click(f".ar[data-key='{FACE}']")
    page.click("[data-tab=sensors]")
    page.click(".ev [data-place='point:MN00T1']")
    assert place(page) == "point:MN00T1"
    shows(page, FACE, face)
    expect(page.locator(".gutter .ser").first).to_contain_text("T1")

    page.click("[data-tab=people]")
    expect(page.locator(".ev .list li")).to_have_count(14)
    page.locator(".ev .list button").first.click()
    assert place(page).startswith("person:")
    shows(page, FACE, face)

    page.click(".marks [data-place]:last-child")
    assert place(page).startswith("alarm:")
    expect(page.locator(".am.sel")).to_have_count(1)

    page.locator(".ai", has_text="1205运输巷").first.click()
    shows(page, HEADING_2, "1205运输巷掘进")
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    assert place(page) == ""
    expect(page.locator(".ar.sel")).to_have_count(0)


def test_a_link_opens_the_same_place_time_and_look(opened: Opened):
    page = opened(address=f"place=area:{FACE}&lang=en&theme=dark&span=30")
    shows(page, FACE, "Longwall face 1203")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.locator(".curves .ph")).to_contain_text("14:10–14:40")
    page.click("[data-to-lang=zh]")
    expect(page.locator(".place")).to_have_text("1203综采工作面")
    assert "lang=en" not in page.url


def test_limits_forecast_gap_and_video_are_there(opened: Opened):
    page = opened(address=f"place=area:{FACE}")
    expect(page.locator(".gutter")).to_contain_text("+10 min 1.22")
    expect(page.locator(".gutter")).to_contain_text("80 % 0.94–1.50")
    expect(page.locator(".gutter .ser").first).to_contain_text("1.5")
    page.click("[data-tab=video]")
    expect(page.locator(".ev")).to_have_attribute("data-loaded", "clip")
    expect(page.locator(".vid")).to_contain_text("3 人，正撤离")
    page.click(f".ar[data-key='{INTAKE}']")
    expect(page.locator(".fr .over")).to_contain_text("C-07 运输巷机头 14:29:58")
    click_label(page, "C-07")
    assert place(page) == f"camera:{CAMERA}"


# ── alarms by keyboard alone ────────────────────────────────────────────────────────────────────────────────────────


def test_acknowledge_assign_and_dispose_by_keyboard_alone(console: Console, opened: Opened):
    page = opened()
    page.keyboard.press("n")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(".ask .fault")).to_contain_text("至少两个字")
    page.keyboard.type("已知，正联系变电所")
    page.keyboard.press("Enter")
    expect(page.locator(".ask")).to_be_hidden()
    expect(page.locator(".top .news")).to_contain_text("已写入日志 #")
    acked = alarm(console, METHANE)
    assert (acked.acked_by, acked.notes[-1].text) == ("zhang", "已知，正联系变电所")

    page.keyboard.press("s")
    page.keyboard.type("瓦检员 <b onclick='x'>")
    page.keyboard.press("Enter")
    expect(page.locator(f".am[data-key='{METHANE}']")).to_contain_text("已指派 · 瓦检员 <b onclick='x'>")

    page.keyboard.press("v")
    expect(page.locator(".top .news")).to_contain_text("不能搁置：甲烷超限属监管类")

    page.keyboard.press("d")
    expect(page.locator(".drawer")).to_contain_text("风门或风机扰动 86 %")
    page.locator("#f-told-role").focus()  # as Tab does, from wherever the reader is
    page.keyboard.type("跟班队长")
    page.keyboard.press("Tab")
    page.keyboard.type("赵刚")
    page.locator("input[value=doors_and_fans]").focus()
    page.keyboard.press("Space")
    page.locator("#f-action-text").focus()
    page.keyboard.type("核查风门是否关严")
    page.locator("#f-out").focus()
    page.keyboard.type("9")
    page.keyboard.press("Tab")
    page.keyboard.type("23")
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_be_hidden()
    page.keyboard.press("d")
    expect(page.locator("#f-told-who")).to_have_value("赵刚")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".drawer")).to_contain_text("9 / 23")
    record = console.service.room.board.dispositions[str(acked.disposition_id)]
    assert [(each.role, each.who) for each in record.told] == [("跟班队长", "赵刚")]
    assert record.judged[0].cause == "doors_and_fans"
    assert record.judged[0].evidence[0].startswith("风门 FM-07/08 同时开启")
    assert [each.text for each in record.actions] == ["核查风门是否关严"]
    assert (record.withdrawals[-1].out, record.withdrawals[-1].of) == (9, 23)
    expect(page.locator("[data-act=submit]")).to_be_disabled()
    expect(page.locator(".df")).to_contain_text("报警条件仍在")
    page.keyboard.press("Escape")
    expect(page.locator(".am.sel")).to_be_focused()
    expect(page.locator(".timeline")).to_contain_text("撤人 9/23")
    assert verify(console.service.room.database).ok


def test_a_second_person_closes_what_the_first_has_handled(console: Console, opened: Opened):
    room, now = console.service.room, NOW
    record_id = str(alarm(console, FEED).disposition_id)
    room.handle(events.Acknowledge((FEED,), "zhang", "已知"))
    room.handle(events.Tell(record_id, "赵刚", "跟班队长", "phone", now, "zhang", True))
    room.handle(events.JudgeCause(record_id, "wiring", "zhang"))
    room.handle(events.PlanAction(record_id, "停电检查", "机电队", "zhang"))
    room.handle(events.ReportDone(record_id, 1, "已完成", "zhang"))
    room.handle(events.CountOut(record_id, 23, 23, "zhang"))
    over = {each.candidate_id: each for each, _ in console.app.state.watch.known.candidates}[FEED]
    room.handle(events.Found((replace(over, cleared_at=now),)))
    mine = opened("zhang", address=f"place=alarm:{FEED}")
    mine.keyboard.press("d")
    mine.fill("#f-restored-at", "14:30")
    mine.fill("#f-inspector", "李明")
    mine.fill("#f-ch4", "0.4")
    mine.click("form[data-path=restoration] button")
    expect(mine.locator("[data-act=submit]")).to_be_enabled()
    mine.click("[data-act=submit]")
    expect(mine.locator(".drawer")).to_contain_text("须由另一人复核")
    other = opened("li", address=f"place=alarm:{FEED}")
    other.keyboard.press("d")
    other.click("form[data-path=check] button[value=yes]")
    expect(other.locator(".drawer")).to_be_hidden()
    assert room.board.dispositions[record_id].state == "closed"
    assert room.board.dispositions[record_id].checks[0].by == "li"


def test_a_viewer_sees_and_may_do_nothing(opened: Opened):
    page = opened("wang", address=f"place=alarm:{METHANE}")
    expect(page.locator(".am.sel")).to_contain_text("需要“调度员”角色")
    assert page.locator(".am.sel .act button:enabled").all_text_contents() == ["处置 D"]
    page.keyboard.press("a")
    expect(page.locator(".top .news")).to_contain_text("无权处置")
    page.click("[data-tab=people]")
    expect(page.locator(".ev")).to_contain_text("无权查看人员位置")
    assert page.locator(".canvas").get_attribute("data-people") == "0"


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_past_minute_is_shown_as_it_was_known_then(console: Console, opened: Opened):
    console.service.room.handle(events.Acknowledge((CROWD,), "li", ""))
    page = opened(address=f"place=area:{FACE}")
    expect(page.locator("[data-kpi=priority-1]")).to_have_text("3")
    page.keyboard.press("[")
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(page.locator(".replay")).to_contain_text("历史回放 2026-03-02 14:27")
    expect(page.locator("[data-kpi=priority-1]")).to_have_text("0")
    expect(page.locator(f".am[data-key='{METHANE}']")).to_have_count(0)
    expect(page.locator(f".am[data-key='{CROWD}']")).to_contain_text("未确认")
    expect(page.locator(".ar.sel")).to_contain_text("23 / 25")
    expect(page.locator(".focus")).to_contain_text("确认")
    page.click(f".am[data-key='{CROWD}']")
    expect(page.locator(".am.sel [data-act=ack]")).to_be_disabled()
    page.keyboard.press("a")
    expect(page.locator(".top .news")).to_contain_text("此时不可操作")
    page.keyboard.press("l")
    expect(page.locator(".replay")).to_be_hidden()
    expect(page.locator(f".am[data-key='{METHANE}']")).to_have_count(1)
    expect(page.locator(f".am[data-key='{CROWD}']")).to_contain_text("已确认")
    strip = page.locator(".strip").bounding_box()
    assert strip is not None
    page.mouse.click(strip["x"] + strip["width"] * 0.7, strip["y"] + 20)
    expect(page.locator(".replay")).to_contain_text("13:36")


def test_new_values_and_alarms_come_by_themselves_and_a_restart_is_survived(console: Console, opened: Opened):
    page = opened(address=f"place=area:{FACE}")
    expect(page.locator("[data-band=value]")).to_have_text("1.55 %")
    row = dict.fromkeys(silver.READING.names) | {
        "mine_code": MINE, "point_id": "MN00T0", "quantity": "ch4", "unit": "%", "area_id": FACE, "value": 1.77,
        "observed_at": console.clock() - timedelta(seconds=1), "quality": "GOOD", "quality_reasons": "",
        "day": "2026-03-02",
    }  # fmt: skip
    engine = LightEngine(load_settings(lake=console.lake))
    engine.append(silver.READING, engine.frame([row], silver.READING.arrow_schema()))
    console.beat()
    expect(page.locator("[data-band=value]")).to_have_text("1.77 %")

    console.stop()
    expect(page.locator(".lost-line")).to_contain_text("与服务器断开")
    expect(page.locator(".lost-line")).to_contain_text("确认与处置暂不可用")
    assert page.evaluate("getComputedStyle(document.querySelector('.main')).filter") == "grayscale(1)"
    page.keyboard.press("n")
    page.keyboard.press("a")
    expect(page.locator(".top .news")).to_contain_text("此时不可操作")
    console.start()
    console.service.room.handle(events.Acknowledge((CROWD,), "li", ""))
    expect(page.locator(".lost-line")).to_be_hidden()
    expect(page.locator(f".am[data-key='{CROWD}']")).to_contain_text("已确认 · li")
    expect(page.locator(".top .news")).to_contain_text("已恢复，补齐")
    # What is older than three periods says so.
    console.clock.set(NOW + timedelta(minutes=6))
    page.reload()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator(".link small")).to_have_class("old")
    page.click("[data-tab=sensors]")
    expect(page.locator(".ev")).to_contain_text("旧 06:")


def test_calm_is_calm(console: Console, opened: Opened):
    console.stop()
    console.database.unlink()
    console.clock.set(NOW - timedelta(minutes=45))
    console.start()
    page = opened()
    expect(page.locator(".alarms .empty")).to_contain_text("无活动报警")
    expect(page.locator("[data-kpi=priority-1]")).to_have_text("0")


# ── looks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("width", "height", "look"),
    [
        (1920, 1080, "lang=zh"), (1920, 1080, "lang=en&theme=dark"), (3840, 2160, "profile=wall&theme=dark"),
        (1366, 768, "profile=laptop"),
    ],
)  # fmt: skip
def test_nothing_overlaps_and_nothing_is_too_small(opened: Opened, width: int, height: int, look: str):
    page = opened(address=f"{look}&place=alarm:{METHANE}", width=width, height=height)
    page.wait_for_timeout(300)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(SMALL_WORDS) == []
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    pixels = page.screenshot()
    assert len(set(pixels)) > 200, "not blank"
    for name in ("place", "big"):
        assert page.evaluate(f"(e => e.scrollWidth <= e.clientWidth + 1)(document.querySelector('.focus .{name}'))")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_names_hold_in_both_languages(opened: Opened, theme: str):
    if not AXE.is_file():
        pytest.skip("no axe-core here: run make setup where npm can reach its registry")
    page = opened(address=f"theme={theme}&place=alarm:{METHANE}")
    for language in ("zh", "en"):
        page.click(f"[data-to-lang={language}]")
        page.keyboard.press("d")
        assert axe(page) == []
        page.keyboard.press("Escape")
    assert page.locator("html").get_attribute("lang") == "en"


def axe(page: Page) -> list[str]:
    """What axe-core finds; it is run apart from the page's own world, whose policy forbids it."""
    session = page.context.new_cdp_session(page)
    world = session.send(
        "Page.createIsolatedWorld", {"frameId": session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]}
    )
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']}"
    script = (
        AXE.read_text(encoding="utf-8") + f";axe.run(document, {rules}).then(found => JSON.stringify(found.violations))"
    )
    told = session.send(
        "Runtime.evaluate", {"expression": script, "contextId": world["executionContextId"], "awaitPromise": True}
    )
    assert "exceptionDetails" not in told, told
    found = json.loads(told["result"]["value"])
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary'][:200]}" for each in found for node in each["nodes"]
    ]


def test_the_map_zooms_to_individuals_and_back(opened: Opened):
    page = opened()
    before = page.locator(".canvas").get_attribute("data-labels")
    assert page.locator(".canvas").get_attribute("data-people") == "0"
    box = page.locator(".canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(4):
        page.mouse.wheel(0, -120)
    assert page.locator(".canvas").get_attribute("data-labels") != before
    expect(page.locator(".canvas")).to_have_attribute("data-people", re.compile(r"^([6-9]|\d\d)$"))
    page.keyboard.press("p")
    assert page.locator(".canvas").get_attribute("data-people") == "0"
    expect(page.locator("[data-layer=people]")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("0")
    page.keyboard.press("Alt+t")
    expect(page.locator(".twin")).to_contain_text("1203综采工作面")


def test_the_first_login_asks_for_a_password_of_ones_own(console: Console, chromium: Any):
    one_time = console.service.users.create("sun", "孙立", "viewer", (), "system")
    page = chromium.new_page()
    page.goto(console.url)
    page.fill("input[name=login]", "sun")
    page.fill("input[name=password]", "wrong")
    page.press("input[name=password]", "Enter")
    expect(page.locator(".login .fault")).to_have_text("登录名或密码不对")
    page.fill("input[name=password]", one_time)
    page.press("input[name=password]", "Enter")
    page.fill("input[name=new]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.press("input[name=again]", "Enter")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator(".who")).to_have_text(re.compile("孙立"))
    page.close()

"""The shift report: it says all that gold says, in both languages, hides no extreme, and runs nothing it was given."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from literal_shift import (
    ALARMS,
    BALANCE,
    BELT,
    BELT_CO,
    CORNER,
    END,
    HEADING_GAS,
    HOSTILE,
    INDEX_NAMES,
    LEVELS,
    MINE,
    POINTS,
    RETURN,
    SHIFT,
    SPIKE,
    SPIKE_AT,
    START,
    write,
)

from minefusion.schemas import gold, silver
from minefusion.schemas.errors import InputError
from minefusion.serving.reader import Reader
from minefusion.serving.report import ShiftReport, shift_report
from minefusion.serving.report.curve import gaps, kept_extremes, spans, steps, stretches
from minefusion.serving.report.markup import Text, both, escaped, number, quantity, share

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MADE_AT = datetime(2026, 3, 1, 8, 12, tzinfo=UTC)


def made(reader: Reader, **more: Any) -> ShiftReport:
    given = {"balance": BALANCE, "index_names": INDEX_NAMES, "made_at": MADE_AT} | more
    return shift_report(reader, MINE, END, **given)


@pytest.fixture(scope="module")
def report(shift_lake: Reader) -> ShiftReport:
    return made(shift_lake)


# ── the page, parsed ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """This element and all in it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    def all(self, tag: str, cls: str | None = None) -> list[Element]:
        return [e for e in self if e.tag == tag and (cls is None or cls in e.attributes.get("class", "").split())]

    def text(self, lang: str) -> str:
        """The words that a reader of one language sees."""
        if self.attributes.get("class", "").split()[:1] == [{"zh": "en", "en": "zh"}[lang]]:
            return ""
        return "".join(c if isinstance(c, str) else c.text(lang) for c in self.children if not _is_code(c))


def _is_code(child: Element | str) -> bool:
    return isinstance(child, Element) and child.tag in ("style", "script")


class _Parser(html.parser.HTMLParser):
    EMPTY = ("meta", "img", "br", "link", "input")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in self.EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(page: str) -> Element:
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert len(parser.open) == 1, "an element is left open"
    return parser.open[0]


@pytest.fixture(scope="module")
def page(report: ShiftReport) -> Element:
    return parsed(report.html)


def section(page: Element, name: str) -> Element:
    return next(e for e in page.all("section") if e.attributes.get("id") == name)


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_alarm_of_gold_is_told_in_both_languages(report: ShiftReport, page: Element, lang: str):
    told = section(page, "alarms").text(lang)
    assert report.alarms == len(ALARMS)
    for alarm in ALARMS:
        assert alarm[f"sentence_{lang}"] in told
        assert alarm["kind"] in told


def test_the_worst_alarm_stands_at_the_top(page: Element):
    band = page.all("section", "band")[0]
    assert "红·重大" in band.text("zh")
    assert "red, severe" in band.text("en")
    assert "1.87 %" in band.text("zh")
    assert "23 / 25" in band.text("zh")
    assert "11:10:00" in band.text("zh"), "the mine's own clock"


def test_of_one_level_the_legal_ones_come_first_and_ours_before_the_mine_s(tmp_path: Path):
    at = {"raised_at": START, "cleared_at": END, "area_id": "a", "level": 4}
    alarms = [
        {**at, "alarm_id": "1", "kind": "V-08", "entity": "x", "legal_exceeded": False},
        {**at, "alarm_id": "2", "kind": "YCBJ-001", "entity": "x", "legal_exceeded": True},
        {**at, "alarm_id": "3", "kind": "G-01", "entity": "x", "legal_exceeded": True},
        {**at, "alarm_id": "4", "kind": "G-02", "entity": "x", "legal_exceeded": True, "level": 3},
    ]
    page = parsed(made(write(tmp_path, {**SHIFT, gold.ALARM: alarms})).html)
    assert "G-01" in page.all("section", "band")[0].text("zh")
    told = section(page, "alarms").text("zh")
    assert sorted(("G-01", "V-08", "G-02", "YCBJ-001"), key=told.index) == ["G-01", "V-08", "G-02", "YCBJ-001"]


def test_marks_of_an_alarm_are_words(page: Element):
    rows = [row.text("en") for row in section(page, "alarms").all("tr")]
    corner = next(row for row in rows if CORNER in row and "G-01" in row)
    assert "legal limit exceeded" in corner
    assert "still active" not in corner
    heading = next(row for row in rows if HEADING_GAS in row)
    assert "still active" in heading
    assert "over range" in heading
    belt = next(row for row in rows if BELT_CO in row)
    assert "advisory" in belt, "a limit that is not law is called so"
    assert "legal limit exceeded" not in belt


def test_both_languages_are_complete(page: Element):
    """Every text that has two forms has both; nothing Chinese is left where English has no form of its own."""
    spans = [e for e in page if e.attributes.get("class", "").split()[:1] in (["zh"], ["en"])]
    langs = [e.attributes["class"].split()[0] for e in spans]
    assert langs == ["zh", "en"] * (len(spans) // 2)
    assert all(e.text(lang).strip() for e, lang in zip(spans, langs, strict=True))
    chinese = "[\u4e00-\u9fff]+"
    as_sent = "中" + HOSTILE + "".join(str(point["location"]) for point in POINTS)
    assert [run for run in re.findall(chinese, page.text("en").partition("班报")[2]) if run not in as_sent] == []


def test_language_asked_for_is_shown_first(shift_lake: Reader):
    assert '<html lang="en">' in made(shift_lake, lang="en").html
    assert '<html lang="zh-CN">' in made(shift_lake).html


def test_timeline_shows_every_span_with_its_level(page: Element):
    timeline = section(page, "timeline")
    drawn = [e.attributes["class"] for e in timeline.all("rect")]
    levels = [level for spans in LEVELS.values() for _, level, _ in spans]
    assert sum(cls == "unknown" for cls in drawn) == levels.count(None) == 2
    assert sum(cls == "calm" for cls in drawn) == levels.count(0)
    for level in (1, 2, 3, 4):
        assert sum(cls == f"bar s{level}" for cls in drawn) == levels.count(level)


def test_timeline_table_counts_minutes(page: Element):
    rows = {
        row.all("td")[0].text("en"): [c.text("en") for c in row.all("td")]
        for row in section(page, "timeline").all("tr")[1:]
    }
    assert rows["Longwall face 1203"][1:7] == ["24", "22", "14", "40", "380", "0"]
    assert rows["Goaf 1201"][1:7] == ["0", "0", "0", "0", "0", "480"], "no data is never normal"


def test_areas_that_were_normal_throughout_are_named_and_not_drawn(tmp_path: Path):
    more = [f"{MINE}9{number}" for number in range(9)]
    calm = [row | {"area_id": area} for area in more for row in SHIFT[gold.AREA_MINUTE][:480]]
    calm = [row | {"level": 0, "people_count": 0} for row in calm]
    tables = {**SHIFT, gold.AREA_MINUTE: [*SHIFT[gold.AREA_MINUTE], *calm]}
    timeline = section(parsed(made(write(tmp_path, tables)).html), "timeline")
    drawn = [row.all("td")[0].text("en") for row in timeline.all("tr")[1:]]
    assert len(drawn) == 8
    assert "Goaf 1201" in drawn, "insufficient data is never folded away"
    assert "5 more areas, normal throughout" in timeline.text("en")
    assert all(area in timeline.text("en") for area in more), "drawn or named, none is lost"


def test_a_minute_without_a_row_is_without_data(tmp_path: Path):
    some = [row for row in SHIFT[gold.AREA_MINUTE] if row["minute"] < START + timedelta(minutes=60)]
    cut = parsed(made(write(tmp_path, {**SHIFT, gold.AREA_MINUTE: some})).html)
    rows = {row.all("td")[0].text("en"): row.all("td")[6].text("en") for row in section(cut, "timeline").all("tr")[1:]}
    assert rows["Longwall face 1203"] == "420"


def test_people_are_beside_their_cap(page: Element):
    rows = {
        row.all("td")[0].text("en"): [c.text("en") for c in row.all("td")]
        for row in section(page, "people").all("tr")[1:]
    }
    assert rows["Longwall face 1203"][1:4] == ["29", "25", "22"]
    assert rows["Belt road"][1:4] == ["5", "not set", "—"], "no cap is not the same as no excess"


def test_switches_that_changed_are_drawn_and_the_others_counted(page: Element):
    told = section(page, "air").text("en")
    assert "FM-07" in told
    assert "open 5 min" in told
    assert "running 430 min" in told
    assert "local fan stopped 1" in told


def test_data_quality_is_by_hour_and_never_rounded_up(page: Element):
    told = section(page, "quality").text("en")
    assert "70.8 %" in told
    assert "recomputed extreme outside the reported" in told
    assert share(0.99999) == "99.9 %"


def test_balance_names_the_kind_that_fails(page: Element):
    rows = [row.text("en") for row in section(page, "balance").all("tr")[1:]]
    assert [("holds" in row, "fails" in row) for row in rows] == [(True, False), (False, True)]
    tiles = [tile.text("en") for tile in page.all("div", "tile")]
    assert any("Record balance" in tile and "1 fail" in tile for tile in tiles)


def test_limits_carry_source_and_confidence(page: Element):
    rows = {row.all("td")[0].text("en"): row.text("en") for row in section(page, "limits").all("tr") if row.all("td")}
    corner = next(told for name, told in rows.items() if CORNER in name)
    assert "1.00 %" in corner
    assert "1.50 %" in corner
    assert "CH4-001" in corner
    assert "confirmed" in corner
    assert "advisory (inferred, to be checked)" in next(told for name, told in rows.items() if BELT_CO in name)
    assert "methane exceedance" in next(told for name, told in rows.items() if name.startswith("G-01"))


def test_it_says_that_it_is_not_the_interlock(page: Element):
    assert "不替代经认证的安全监控系统闭锁" in page.text("zh")
    assert "does not replace the certified interlock" in page.text("en")


def test_the_shift_is_the_declared_one(page: Element):
    head = page.all("header", "top")[0]
    assert "早班" in head.text("zh")
    assert "2026-03-01 08:00–16:00" in head.text("en")


def test_same_gold_gives_the_same_page(shift_lake: Reader, report: ShiftReport):
    assert made(shift_lake).html == report.html


# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def lane(page: Element, point_id: str) -> Element:
    return next(e for e in page.all("g", "gas-lane") if e.attributes["data-point"] == point_id)


def drawn_values(page: Element, point_id: str) -> list[float]:
    """The values at the corners of a point's curve, read back from the drawing."""
    group = lane(page, point_id)
    low, high = float(group.attributes["data-low"]), float(group.attributes["data-high"])
    plot = group.all("rect", "plot")[0].attributes
    top, height = float(plot["y"]), float(plot["height"])
    corners = [corner for line in group.all("polyline") for corner in line.attributes["points"].split()]
    return [low + (high - low) * (1 - (float(corner.split(",")[1]) - top) / height) for corner in corners]


@pytest.mark.parametrize(("point_id", "peak"), [(CORNER, SPIKE), (HEADING_GAS, 4.0), (BELT_CO, 12.0)])
def test_the_peak_is_drawn_at_its_own_height(page: Element, point_id: str, peak: float):
    assert max(drawn_values(page, point_id)) == pytest.approx(peak, abs=0.002 * peak)


def test_a_spike_of_one_sample_is_named_with_its_value_and_time(page: Element):
    at = SPIKE_AT + timedelta(hours=8)
    assert f"{SPIKE:.2f} % · {at:%H:%M:%S}" in lane(page, CORNER).text("en")


def test_calibration_is_hatched_and_not_drawn_as_gas(page: Element):
    group = lane(page, CORNER)
    assert len(group.all("rect", "doubt")) == 1
    assert max(drawn_values(page, CORNER)) < 2.0, "the calibration gas reads 2.1 %"


def test_a_gap_is_drawn_as_a_gap(page: Element):
    group = lane(page, RETURN)
    assert len(group.all("polyline")) == 2
    assert "缺 35 min" in group.text("zh")
    assert len(lane(page, HEADING_GAS).all("polyline")) == 1


def test_a_forecast_is_a_shade_behind_its_own_curve_and_broken_where_none_was_made(tmp_path: Path):
    issued = [START + timedelta(minutes=minute) for minute in (*range(60, 120), *range(180, 240))]
    rows = [
        {
            "point_id": CORNER, "issued_at": at, "horizon_min": horizon, "low_pct": 0.4,
            "target_at": at + timedelta(minutes=horizon), "high_pct": 0.6, "model": "methane_forecast",
        }
        for at in issued
        for horizon in (10, 30)
    ]  # fmt: skip
    page = parsed(made(write(tmp_path, {**SHIFT, gold.METHANE_FORECAST: rows})).html)
    lanes = {lane.attributes["data-point"]: lane.all("polygon", "forecast") for lane in page.all("g", "gas-lane")}
    assert [len(lanes[CORNER]), len(lanes[RETURN])] == [2, 0]
    corners = [tuple(map(float, corner.split(","))) for corner in lanes[CORNER][0].attributes["points"].split()]
    assert len(corners) == 2 * 60
    assert len({y for _, y in corners}) == 2
    assert "forecast 30 min before" in section(page, "gas").text("en")
    assert "30 分钟前预测" in section(page, "gas").text("zh")


def test_without_forecasts_nothing_is_said_of_them(page: Element):
    assert page.all("polygon", "forecast") == []
    assert "forecast" not in section(page, "gas").text("en")


def test_over_range_says_at_least(page: Element):
    group = lane(page, HEADING_GAS)
    assert len(group.all("rect", "saturated")) == 1
    assert "over range ≥ 4.00 %" in group.text("en")
    assert "4.00 % · " not in group.text("en"), "over range, no sample is the peak"


def test_limits_colour_only_when_reached(page: Element):
    assert {e.attributes["class"] for e in lane(page, CORNER).all("path", "limit")} == {"limit over-3", "limit over-4"}
    assert {e.attributes["class"] for e in lane(page, RETURN).all("path", "limit")} == {"limit"}


def test_hidden_samples_are_counted(page: Element):
    shown = sum(len(drawn_values(page, p)) for p in (CORNER, HEADING_GAS, BELT_CO, RETURN))
    sent = 3 * 2880 + (2880 - 35 * 6) - 12 * 6
    assert f"{number(sent - shown)} samples folded" in section(page, "gas").text("en")


samples = st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=1, max_size=300)


@given(samples, st.floats(0.5, 50))
def test_reduction_keeps_every_extreme_of_every_bucket(values: list[float], bucket_s: float):
    at_s, value = np.arange(len(values), dtype=float), np.array(values)
    keep = kept_extremes(at_s, value, bucket_s)
    assert list(keep) == sorted(set(keep))
    bucket = np.floor(at_s / bucket_s)
    for one in np.unique(bucket):
        all_of, kept_of = value[bucket == one], value[keep][bucket[keep] == one]
        assert (kept_of.min(), kept_of.max()) == (all_of.min(), all_of.max())
        assert (kept_of[0], kept_of[-1]) == (all_of[0], all_of[-1])
        assert len(kept_of) <= 4


@given(st.lists(st.integers(1, 499), min_size=1, unique=True).map(sorted), st.integers(1, 60))
def test_a_line_stops_at_every_gap_and_nowhere_else(at: list[int], longest_s: int):
    at_s = np.array(at, dtype=float)
    pieces = list(stretches(at_s, longest_s))
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(len(at)))
    assert all((np.diff(at_s[piece]) <= longest_s).all() for piece in pieces)
    inside = [gap for gap in gaps(at_s, 500.0, longest_s) if gap[0] > 0 and gap[1] < 500]
    assert inside == [(at_s[a.stop - 1], at_s[b.start]) for a, b in pairwise(pieces)]


def test_no_sample_is_one_gap():
    assert gaps(np.array([]), 100.0, 30.0) == [(0.0, 100.0)]
    assert list(stretches(np.array([]), 30.0)) == []


def test_spans_end_after_the_last_sample_s_period():
    at_s, holds = np.array([0.0, 10, 20, 30, 90, 100]), np.array([False, True, True, False, True, True])
    assert spans(at_s, holds, 30.0, 10.0) == [(10.0, 30.0), (90.0, 110.0)]


def test_a_state_is_not_held_across_a_gap():
    assert steps(np.array([0.0, 10, 100]), np.array([1.0, 1, 0]), 120.0, 30.0) == [(0, 40, 1), (100, 120, 0)]


# ── what it must not do ─────────────────────────────────────────────────────────────────────────────────────────────


def test_names_with_markup_are_inert(page: Element, report: ShiftReport):
    assert len(page.all("script")) == 1, "ours"
    assert not page.all("img")
    assert HOSTILE in page.text("zh"), "it is shown as the text it is"
    assert not [name for element in page for name in element.attributes if name.startswith("on")]
    assert HOSTILE not in report.html


@given(st.text())
def test_no_text_leaves_its_place(words: str):
    element = parsed(f'<p title="{escaped(words)}">{both(Text(words, words + "x"))}</p>').all("p")[0]
    assert [child.tag for child in element][1:] == ["span", "span"]
    assert set(element.attributes) == {"title"}


def test_it_asks_for_nothing(report: ShiftReport):
    assert "default-src 'none'" in report.html
    outside = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", report.html)
    assert {target for target in outside if not target.startswith("#")} <= {"x"}, "only the hostile name's own words"


def test_gold_holds_no_person(page: Element):
    assert "不含姓名与卡号" in page.text("zh")


@pytest.mark.parametrize(
    ("mine_code", "end", "said"),
    [
        ("999999999999", END, "expected data of mine 999999999999"),
        (MINE, END + timedelta(days=30), f"gold holds: {MINE} 2026-03-01T00:00:00"),
    ],
)
def test_no_data_is_said_with_what_there_is(shift_lake: Reader, mine_code: str, end: datetime, said: str):
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        shift_report(shift_lake, mine_code, end, balance=(), index_names={}, made_at=MADE_AT)
    assert "\n" not in str(refused.value)


def test_unsafe_behaviours_stand_where_a_camera_was_watched(page: Element, tmp_path: Path):
    assert not [e for e in page.all("section") if e.attributes.get("id") == "video"], "no camera, no section"
    watched = [{"camera_code": "C1", "clip_id": "c", "area_id": BELT, "minute": START, "pictures": 300}]
    calm = section(parsed(made(write(tmp_path / "calm", {**SHIFT, silver.CAMERA_MINUTE: watched})).html), "video")
    assert "Nothing unsafe was seen." in calm.text("en")
    assert "1 minutes of cameras watched: Belt road" in calm.text("en")
    seen = [
        {"event_id": f"e{level}", "camera_code": "C1", "area_id": BELT, "behaviour": "rule", "level": level,
         "began_at": START + timedelta(seconds=30), "raised_at": START + timedelta(seconds=31), "delay_s": 1.6,
         "event_confidence": 0.9, "sentence_zh": f"{HOSTILE}{level}级", "sentence_en": f"of level {level}"}
        for level in (2, 4)
    ]  # fmt: skip
    tables = {**SHIFT, silver.CAMERA_MINUTE: watched, gold.UNSAFE_BEHAVIOUR: seen}
    report = made(write(tmp_path / "seen", tables))
    told = section(parsed(report.html), "video").text("en")
    assert told.index("of level 4") < told.index("of level 2"), "the worst first"
    assert "08:00:30" in told
    assert "<script>alert" not in report.html


def test_a_calm_shift_says_so_and_what_came_closest(tmp_path: Path):
    calm = [row | {"level": 0} for row in SHIFT[gold.AREA_MINUTE] if row["level"] is not None]
    tables = {**SHIFT, gold.ALARM: (), gold.AREA_MINUTE: calm}
    quiet = made(write(tmp_path, tables))
    band = parsed(quiet.html).all("section", "band")[0]
    assert quiet.alarms == 0
    assert "无报警" in band.text("zh")
    assert "4.00 %" in band.text("en")
    assert "No index raised an alarm." in section(parsed(quiet.html), "alarms").text("en")


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1.5, "%", "1.50 %"), (24.0, "ppm", "24 ppm"), (-0.5, "m/s", "−0.50 m/s"), (None, "%", "—"),
        (1034.0, "ppm", "1\u2009034 ppm"), (29.0, "person", "29"), (float("nan"), "%", "—"),
    ],
)  # fmt: skip
def test_numbers_have_their_unit_and_null_is_a_dash(value: float | None, unit: str, told: str):
    assert quantity(value, unit) == told


# ── in a browser ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser_page(report: ShiftReport, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page in a real browser, with what it complained of and asked for in `page.troubles`."""
    path = tmp_path_factory.mktemp("page") / "shift.html"
    path.write_text(report.html, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.goto(path.as_uri())
    yield page
    assert troubles == []
    page.close()


def test_browser_shows_the_timeline(browser_page: Page):
    figure = browser_page.locator("#timeline svg.chart")
    box = figure.bounding_box()
    assert box is not None
    assert box["width"] > 900
    assert box["height"] > 100
    assert browser_page.locator("#timeline rect.bar").count() > 5
    pixels = figure.screenshot()
    assert len(set(pixels)) > 100, "not blank"
    assert len(pixels) > 5_000


def test_browser_switches_the_language(browser_page: Page):
    title = browser_page.locator("#h-timeline")
    assert title.inner_text() == "风险时间线"
    browser_page.click('[data-lang="en"]')
    assert title.inner_text() == "Hazard timeline"
    assert browser_page.locator("html").get_attribute("lang") == "en"
    assert browser_page.locator('[data-lang="en"]').get_attribute("aria-pressed") == "true"
    assert "lang=en" in browser_page.url, "a link opens in the language it was copied in"
    browser_page.click('[data-lang="zh"]')
    assert title.inner_text() == "风险时间线"


def test_browser_clips_no_text(browser_page: Page):
    clipped = browser_page.evaluate(
        "() => [...document.querySelectorAll('svg.chart')].flatMap(svg => {"
        " const box = svg.getBoundingClientRect();"
        " return [...svg.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();"
        " return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1); })"
        " .map(t => t.textContent); })"
    )
    assert clipped == []


def test_browser_prints_without_buttons(browser_page: Page):
    browser_page.emulate_media(media="print")
    assert not browser_page.locator("[data-print]").is_visible()
    assert browser_page.locator("#balance").is_visible()
    pdf = browser_page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    browser_page.emulate_media(media="screen")

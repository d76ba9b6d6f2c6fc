"""What indices come to together: verdicts from literal findings, and rows from literal rows of gold.hazard_index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import MINE_CODE, TEST_MINE, Row, area, at, rows_as, rows_in

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.composed import Composed
from minefusion.pipelines.hazard.composite import (
    Background,
    Danger,
    background,
    composites,
    hour_findings,
    risk_tiers,
)
from minefusion.pipelines.hazard.inputs import MINE
from minefusion.pipelines.hazard.verdicts import Finding, Verdict, groups, level_of
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.silver import AREA, HEADCOUNT
from minefusion.schemas.site import GradedRisk, GroupComparison, Site
from minefusion.schemas.window import Window

# Every group weighs the same where the weights are not the point.
EVEN = dict.fromkeys((group.name for group in groups().values()), 1.0)
LEVELS = st.one_of(st.none(), st.integers(0, 4))


def finding(index_id: str, level: int | None, *, legal: bool = False, coverage: float = 1.0) -> Finding:
    return Finding(index_id, level, None, coverage, legal, f"{index_id} 说明。", f"{index_id} says so.")


def verdict(*findings: Finding, **earlier: int) -> Verdict:
    return Verdict(findings, {name.replace("_", "-"): level for name, level in earlier.items()}, EVEN)


NORMALS = [finding(index, 0) for index in ("G-02", "V-01", "T-01")]


def test_the_worst_legal_level_decides():
    assert verdict(*NORMALS, finding("G-01", 4, legal=True)).tier() == (4, "legal", ["G-01"])


def test_findings_below_orange_add_up_and_are_no_mean():
    # Two yellows of different groups: 1 − 0.5·0.5 = 0.75, where a mean would give 0.2.
    found = verdict(*NORMALS, finding("F-09", 2), finding("P-01", 2))
    assert found.score == pytest.approx(0.75)
    assert found.tier() == (3, "combined", ["F-09", "P-01"])


def test_many_normals_are_normal():
    assert verdict(*NORMALS).tier() == (0, "combined", [])


def test_a_single_red_without_a_law_sets_orange_however_light_its_group():
    light = Verdict([*NORMALS, finding("H-02", 4)], {}, EVEN | {"heat": 0.1})
    assert light.combined_level == 0
    assert light.tier() == (3, "critical", ["H-02"])


def test_the_main_fan_sets_red_by_itself():
    light = Verdict([*NORMALS, finding("V-04", 4)], {}, EVEN | {"ventilation": 0.1})
    assert light.tier() == (4, "critical", ["V-04"])


def test_a_rise_by_two_levels_within_the_hour_sets_orange():
    assert verdict(*NORMALS, finding("W-03", 2), W_03=0).tier() == (3, "sudden", ["W-03"])
    assert verdict(*NORMALS, finding("W-03", 2), W_03=1).tier() == (2, "combined", ["W-03"])


def test_under_sixty_percent_there_is_no_tier_and_never_green():
    half = [finding("G-01", 0), finding("V-01", None)]
    assert verdict(*half).tier() == (None, "insufficient_data", [])
    zh, en = verdict(*half).sentences("工作面", "Face", 12)
    assert "数据不足" in zh
    assert "insufficient data, only 50 %" in en


def test_too_little_data_does_not_hide_gas():
    assert verdict(finding("G-01", 4, legal=True), finding("V-01", None)).tier() == (4, "legal", ["G-01"])


def test_the_sentence_says_what_decides_and_who_is_there():
    zh, en = verdict(*NORMALS, finding("G-01", 4, legal=True)).sentences("工作面", "Face", 12)
    assert zh == "工作面：红色（法定限值）；G-01 说明；区域内最多 12 人。"
    assert en == "Face: red (legal limit); G-01 says so; up to 12 people there."


def test_a_value_between_two_steps_lies_between_their_anchors():
    # X-06 has steps for all places: 0.25, 0.5, 0.75, 0.9.
    assert Finding("X-06", 2, 0.625, 1.0, False, "", "").share == pytest.approx(0.625)
    assert Finding("X-06", 4, 0.95, 1.0, False, "", "").share == 1.0


@given(st.lists(LEVELS, min_size=1, max_size=8), st.integers(0, 7))
def test_no_index_that_worsens_lowers_the_tier(levels: list[int | None], place: int):
    names = ("G-01", "F-09", "V-01", "T-01", "R-01", "W-03", "S-01", "E-01")
    place %= len(levels)
    if levels[place] is None or levels[place] == 4:
        return
    worse = [level if n != place else (level or 0) + 1 for n, level in enumerate(levels)]
    before, after = (
        verdict(*(finding(name, level) for name, level in zip(names, each, strict=False))).tier()[0]
        for each in (levels, worse)
    )
    assert (after if after is not None else -1) >= (before if before is not None else -1)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("X-01", "", [(0.24, 0), (0.25, 1), (0.5, 2), (0.74, 2), (0.75, 3), (0.99, 3), (1.0, 4)]),
        ("X-04", "", [(0.24, 0), (0.25, 1), (0.5, 2), (0.75, 3), (0.89, 3), (0.9, 4)]),
        ("X-05", "", [(0.049, 0), (0.05, 1), (0.19, 1), (0.2, 2), (0.49, 2), (0.5, 3), (0.79, 3), (0.8, 4)]),
        ("X-06", "", [(0.24, 0), (0.25, 1), (0.49, 1), (0.5, 2), (0.75, 3), (0.89, 3), (0.9, 4)]),
        ("X-07", "LEC", [(69.0, 1), (70.0, 2), (159.0, 2), (160.0, 3), (320.0, 3), (321.0, 4), (540.0, 4)]),
        ("X-07", "LS", [(1.0, 1), (8.0, 1), (9.0, 2), (16.0, 2), (18.0, 3), (25.0, 3), (30.0, 4), (36.0, 4)]),
        ("X-09", "any", [(3.0, 0), (4.0, 3)]),
        ("X-09", "V-04", [(3.0, 0), (4.0, 4)]),
        ("X-09", "sudden", [(1.0, 0), (2.0, 3), (4.0, 3)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert level_of(index_id, scope, value) == level, value


@pytest.mark.parametrize(("levels", "score", "level"), [((4, 2, 1), 1.0, 4), ((2, 1), 0.625, 2), ((3, 2), 0.875, 3)])
def test_all_findings_together_by_hand(levels: tuple[int, ...], score: float, level: int):
    """1 - Π(1 - u) over groups, u of a level alone 0.25, 0.5, 0.75 and 1."""
    found = verdict(*(finding(name, each) for name, each in zip(("P-01", "R-07", "H-02"), levels, strict=False)))
    assert (found.score, found.combined_level) == (pytest.approx(score), level)


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def row(index_id: str, minute: float, level: int | None, *, length: float = 1.0, **more: Any) -> Row:
    return {
        "index_id": index_id,
        "area_id": "F1",
        "entity": "F1",
        "window_start": at(minute),
        "window_end": at(minute + length),
        "value": None if level is None else float(level),
        "level": level,
        "legal_exceeded": False,
        "coverage": 1.0,
        "inputs": '{"a": 1}',
        "sentence_zh": f"{index_id} {minute:g}",
        "sentence_en": f"{index_id} {minute:g}",
        **more,
    }


def composed_of(
    engine: Engine, rows: list[Row], *, hours: tuple[int, int] = (0, 1), people: int | None = None
) -> Composed:
    heads = [] if people is None else [{"area_id": "F1", "observed_at": at(5), "people_count": people}]
    return Composed(
        indices=rows_in(engine, HAZARD_INDEX, rows),
        headcount=engine.with_epoch(rows_in(engine, HEADCOUNT, heads), "observed_at", "observed_us"),
        areas=rows_in(engine, AREA, [area("F1")]),
        mines=rows_as(engine, MINE, [TEST_MINE]),
        sites={MINE_CODE: None},
        window=Window(at(60 * hours[0]), at(60 * hours[1])),
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def plain(site: Site | None = None, **more: Any) -> dict[str, Background]:
    return {MINE_CODE: background(site, more.get("days", ()), more.get("dangers", ()))}


def judged(engine: Engine, rows: list[Row], ground: dict[str, Background] | None = None, **more: Any) -> list[Row]:
    composed = composed_of(engine, rows, **more)
    found = composites(composed, hour_findings(composed, {"R-01": 1440}), ground or plain())
    return engine.to_arrow(found).to_pylist()


def tiers(engine: Engine, rows: list[Row], **more: Any) -> list[Row]:
    composed = composed_of(engine, rows, **more)
    return engine.to_arrow(risk_tiers(composed, hour_findings(composed, {"R-01": 1440}), plain())).to_pylist()


def of(rows: list[Row], index_id: str, area_id: str = "F1") -> Row:
    return next(each for each in rows if (each["index_id"], each["area_id"]) == (index_id, area_id))


def test_the_worst_minute_of_the_hour_counts(light: Engine):
    found = tiers(light, [row("G-01", 3, 0), row("G-01", 4, 4, legal_exceeded=True), row("G-01", 59, 0)], people=7)
    face = next(each for each in found if each["area_id"] == "F1")
    assert (face["tier"], face["basis"], face["decided_by"], face["people_count"]) == (4, "legal", "G-01", 7)
    assert "G-01 4" in face["sentence_en"]


def test_an_index_of_a_day_tells_of_the_day_after_it(light: Engine):
    day = [row("R-01", -1440 + 60, 3, length=1440), row("G-01", 61, 0), row("G-01", 121, 0)]
    found = {each["window_start"]: each["tier"] for each in tiers(light, day, hours=(0, 3)) if each["area_id"] == "F1"}
    # Rock weighs 8 beside gas's 9, so an orange of its own comes to 0.67: yellow.
    assert found == {at(0): None, at(60): 2, at(120): 2}


def test_an_index_that_the_mine_lacks_is_not_expected(light: Engine):
    rows = [row("G-01", 3, 1), row("W-01", 3, None, inputs="{}"), row("V-01", 3, None, inputs="{}")]
    face = next(each for each in tiers(light, rows) if each["area_id"] == "F1")
    assert (face["tier"], face["completeness"]) == (1, 1.0)


def test_an_area_without_any_index_has_no_tier(light: Engine):
    mine = next(each for each in tiers(light, [row("G-01", 3, 0)]) if each["area_id"] == MINE_CODE)
    assert (mine["tier"], mine["basis"]) == (None, "insufficient_data")


def test_rows_of_the_composites(light: Engine):
    found = judged(light, [row("G-01", 3, 3), row("G-02", 3, 2), row("F-09", 3, 2)], people=10)
    weights = plain()[MINE_CODE].weights("2026-03")
    assert (weights["gas"], weights["fire"]) == (1.0, 1.0)
    assert of(found, "X-01")["value"] == pytest.approx(0.75)
    assert of(found, "X-06")["value"] == pytest.approx(1 - 0.25 * 0.5)
    assert of(found, "X-06")["level"] == 3
    # Gas alone has two indices: 0.95 trusted each.
    both = 1 - (1 - 0.95 * 0.75) * (1 - 0.95 * 0.5)
    conflict = 0.95 * 0.75 * 0.95 * 0.5 + 0.95 * 0.25 * 0.95 * 0.5
    assert of(found, "X-04")["value"] == pytest.approx(
        (both - 0.95 * 0.75 * 0.95 * 0.5 - 0.95 * 0.5 * 0.95 * 0.25) / (1 - conflict)
    )
    assert '"group": "gas"' in of(found, "X-05")["inputs"]
    assert of(found, "X-05")["value"] == pytest.approx(1 / (1 + 99 / (10 * 4) ** 0.5), abs=1e-6)
    assert (of(found, "X-10")["value"], of(found, "X-10")["level"]) == (pytest.approx(8.75), 0)
    assert of(found, "X-02", MINE_CODE)["value"] == pytest.approx(0, abs=1e-6)
    assert of(found, "X-03", MINE_CODE)["null_reason"] == "TOO_FEW_SAMPLES"
    assert not [each for each in found if each["index_id"] in ("X-07", "X-08")]


def test_graded_risks_and_an_overdue_danger(light: Engine):
    site = _site(
        graded_risks=(
            GradedRisk("RISK-1", "F1", "顶板", "roof", likelihood=6, exposure=6, consequence=3),
            GradedRisk("RISK-2", "F1", "触电", "shock", likelihood=2, consequence=3),
        )
    )
    late = Danger("F1", at(-3000), at(-100), None, True)
    in_time = Danger("F1", at(-3000), at(-100), at(-200), False)
    found = judged(light, [row("G-01", 3, 0)], plain(site, dangers=[late, in_time]))
    of_risk = {each["entity"]: (each["value"], each["level"]) for each in found if each["index_id"] == "X-07"}
    assert of_risk == {"RISK-1": (108.0, 2), "RISK-2": (6.0, 1)}
    colour = of(found, "X-08")
    assert (colour["value"], colour["level"]) == (3.0, 3)
    assert '"major_overdue": 1, "closed_on_time": 1.0' in colour["inputs"]


def test_a_danger_is_not_overdue_before_its_date_and_red_stays_red(light: Engine):
    site = _site(graded_risks=(GradedRisk("R", "F1", "顶板", "roof", likelihood=6, exposure=6, consequence=15),))
    early = Danger("F1", at(-3000), at(100), None, True)
    assert of(judged(light, [row("G-01", 3, 0)], plain(site, dangers=[early])), "X-08")["level"] == 4
    nothing = _site(graded_risks=())
    assert of(judged(light, [row("G-01", 3, 1)], plain(nothing, dangers=[early])), "X-08")["level"] == 1


def test_a_comparison_that_contradicts_itself_is_rejected(light: Engine):
    circle = [("gas", "fire", 9.0), ("fire", "water", 9.0), ("water", "gas", 9.0)]
    site = _site(group_comparisons=tuple(GroupComparison(*each) for each in circle))
    told = of(judged(light, [row("G-01", 3, 0)], plain(site)), "X-02", MINE_CODE)
    assert told["value"] > 0.1
    assert (told["level"], told["null_reason"]) == (None, "WEIGHTS_REJECTED")
    assert plain(site)[MINE_CODE].weights("2026-03")["gas"] == 1.0


def test_the_month_before_tells_which_group_varies(light: Engine):
    days = [("2026-03", {"gas": 0.1 * (n % 7), "water": 0.5}) for n in range(40)]
    ground = plain(days=days)
    told = of(judged(light, [row("G-01", 3, 0)], ground), "X-03", MINE_CODE)
    assert told["value"] == 1.0
    assert ground[MINE_CODE].weights("2026-03")["water"] == 0.0
    assert ground[MINE_CODE].weights("2026-04")["water"] > 0.8
    assert of(judged(light, [row("G-01", 3, 0)], plain(days=days[:29])), "X-03", MINE_CODE)["value"] is None


def _site(**parts: Any) -> Site:
    return Site(
        mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(), **parts
    )


def test_windows_are_whole_hours(light: Engine):
    found = judged(light, [row("G-01", 3, 0)])
    assert {each["window_end"] - each["window_start"] for each in found} == {timedelta(hours=1)}

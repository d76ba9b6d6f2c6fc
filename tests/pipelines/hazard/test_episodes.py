"""Alarms: exactly when they open and close, what they say, and that the cut of time into windows does not matter."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from literal_mine import MINE_CODE, T0, area, at, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.episodes import alarms, gas_spans
from minefusion.schemas.gold import ALARM, HAZARD_INDEX
from minefusion.schemas.silver import REPORTED_ABNORMALITY

Row = dict[str, Any]

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "pl_longwall_methane" / "methane_30s.parquet"
FACE = point("G1", "ch4", gas_class="LW_FACE_T1")  # alarm 1.0, cut 1.5, restore 1.0
RETURN = point("G2", "ch4", gas_class="TOTAL_RETURN")  # alarm 0.75, nothing is cut


def found(
    light: LightEngine,
    readings: list[Row],
    *,
    hazard: list[Row] = (),
    told: list[Row] = (),
    points: list[Row] = (FACE,),
    **more: Any,
) -> list[Row]:
    """Alarms in the order of their start."""
    inputs = make_inputs(light, points=points, readings=readings, **more)
    in_window = [row for row in hazard if row["window_start"] < inputs.window.end]
    rows = alarms(
        inputs,
        light.frame(in_window, HAZARD_INDEX.arrow_schema()),
        light.frame(told, REPORTED_ABNORMALITY.arrow_schema()),
    )
    return sorted(light.to_arrow(rows).to_pylist(), key=lambda row: (row["raised_at"], row["kind"], row["alarm_id"]))


def lasted(row: Row) -> tuple[float, float | None]:
    """Minutes after T0 of raise and clear."""
    cleared = row["cleared_at"]
    return (row["raised_at"] - T0) / timedelta(minutes=1), None if cleared is None else (cleared - T0) / timedelta(
        minutes=1
    )


# ── when an episode opens and closes ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.99] * 6, []),  # just below the limit
        ([0.5, 1.0, 0.5, 0.5, 0.5], []),  # one of three
        (
            [0.5, 1.0, 1.0, 0.9, 0.9, 0.9],
            [(1.0, 2.0)],
        ),  # at the limit twice: opens at 1:00; 1:30 and 2:00 cover a minute
        ([1.0, 0.5, 1.0, 0.5, 0.5], [(1.0, 2.0)]),  # two of three, one under between them
        ([1.0, 0.5, 0.5, 1.0, 0.5], []),  # two of four
        ([1.2, 1.2, 0.9, 1.2, 0.9, 0.9], [(0.5, 2.5)]),  # a run under the restore value is broken
        ([1.2, 1.2, 1.0, 1.0, 1.0, 0.99, 0.99], [(0.5, 3.0)]),  # at the restore value it does not close
        ([1.2, 1.2, 0.9, 0.9, 1.2, 1.2, 0.9, 0.9], [(0.5, 1.5), (2.5, 3.5)]),
        ([1.2, 1.2, 1.2], [(0.5, None)]),  # still open
    ],
)
def test_opens_at_two_of_three_and_closes_after_a_minute_under(light: LightEngine, values: list[float], expected: list):
    assert [lasted(row) for row in found(light, series("G1", values))] == expected


def test_a_short_gap_does_not_split_it(light: LightEngine):
    # One sample is missing at 1:30: the run under the limit is not broken by it.
    assert [lasted(row) for row in found(light, series("G1", [1.2, 1.2, 0.9, None, 0.9, 0.9]))] == [(0.5, 2.0)]


def test_a_long_gap_breaks_a_run_under_the_limit(light: LightEngine):
    # Between 1:00 and 3:00 nothing is known: the run begins anew at 3:00 and covers a minute at 3:30.
    assert [lasted(row) for row in found(light, series("G1", [1.2, 1.2, 0.9, None, None, None, 0.9, 0.9]))] == [
        (0.5, 3.5)
    ]


def test_each_sample_covers_its_own_period(light: LightEngine):
    slow = FACE | {"period_s": 60.0}  # one sample under the limit covers the minute
    rows = found(light, series("G1", [1.2, 1.2, 0.9, 0.9], every_s=60), points=[slow])
    assert [lasted(row) for row in rows] == [(1.0, 2.0)]
    fast = FACE | {"period_s": 20.0}  # three are needed
    rows = found(light, series("G1", [1.2, 1.2, 0.9, 0.9, 0.9], every_s=20), points=[fast])
    assert [lasted(row) for row in rows] == [(pytest.approx(1 / 3), pytest.approx(4 / 3))]


def test_bad_samples_neither_open_nor_close(light: LightEngine):
    calibration = (2.0, "BAD", "CALIBRATION")
    assert found(light, series("G1", [0.2, calibration, calibration, calibration, 0.2])) == []
    rows = found(
        light, series("G1", [1.2, 1.2, (0.1, "BAD", "SENSOR_FAULT"), (0.1, "SUSPECT", "STUCK"), 1.2, 0.9, 0.9])
    )
    assert [lasted(row) for row in rows] == [(0.5, 3.0)]


def test_a_sample_of_an_hour_ago_confirms_nothing(light: LightEngine):
    assert found(light, series("G1", [1.2], start=-61) + series("G1", [1.2]), minutes=(0, 1)) == []
    assert len(found(light, series("G1", [1.2], start=-60) + series("G1", [1.2]), minutes=(0, 1))) == 1


# ── what an episode says ────────────────────────────────────────────────────────────────────────────────────────────


def test_peak_integral_and_words_by_hand(light: LightEngine):
    # Over 1.0 from 0:30: 0.2, 0.6 and 0 % above it for half a minute each: 0.4 %·min. The first sample is not in it.
    row = found(light, series("G1", [1.3, 1.2, 1.6, 1.0, 0.9, 0.8]))[0]
    assert (row["kind"], row["level"], row["legal_exceeded"]) == ("G-01", 4, True)  # 1.6 reaches the cut at 1.5
    assert (row["peak_value"], row["peak_at"]) == (1.6, at(1.0))
    assert row["integral"] == pytest.approx(0.4)
    assert row["alarm_id"] == f"G-01:{MINE_CODE}:G1:20260301T080030.000000"
    assert (
        row["sentence_zh"]
        == "F1区 G1测点：甲烷最高 1.60 %，报警值 1.00 %，断电值 1.50 %，持续 2.0 分钟；依据 CH4-002。"
    )
    assert row["sentence_en"] == (
        "Area F1, G1测点: methane up to 1.60 %, alarm at 1.00 %, power cut at 1.50 %, for 2.0 min; limit of CH4-002."
    )


@pytest.mark.parametrize(("peak", "level"), [(1.0, 3), (1.49, 3), (1.5, 4), (1.51, 4)])
def test_level_by_the_cut_value(light: LightEngine, peak: float, level: int):
    assert [row["level"] for row in found(light, series("G1", [peak, peak]))] == [level]


def test_without_a_cut_value_the_alarm_is_red_and_an_uncertain_limit_is_labelled(light: LightEngine):
    row = found(light, series("G2", [0.75, 0.75]), points=[RETURN])[0]
    assert row["level"] == 4
    assert "参考限值" in row["sentence_zh"]
    assert "advisory" in row["sentence_en"]
    assert "still open" in row["sentence_en"]


def test_a_stricter_limit_of_the_mine_is_an_alarm_but_no_breach_of_law(light: LightEngine):
    strict = point("G1", "ch4", gas_class="LW_FACE_T1", mine_alarm=0.8)
    low, high = (
        found(light, series("G1", [0.9, 0.9]), points=[strict])[0],
        found(light, series("G1", [1.0, 1.0]), points=[strict])[0],
    )
    assert (low["legal_exceeded"], high["legal_exceeded"]) == (False, True)
    assert "矿方设定" in low["sentence_zh"]


def test_over_range_counts_as_at_least_the_end_of_the_range(light: LightEngine):
    """A feed that climbs through 4 % and stays saturated for two hours is one red alarm that stays open."""
    saturated = (4.0, "SUSPECT", "SATURATED")
    readings = series("G1", [0.5, 1.2, 2.0, 3.0, 3.9, *[saturated] * 240])
    row = found(light, readings, minutes=(0, 122))[0]
    assert lasted(row) == (1.0, None)
    assert (row["level"], row["peak_value"], row["marks"]) == (4, 4.0, "SATURATED")
    assert "至少 4.00 %" in row["sentence_zh"]
    assert "at least 4.00 %" in row["sentence_en"]


def test_silent_above_the_limit_stays_open_and_says_so(light: LightEngine):
    row = found(light, series("G1", [1.2, 1.3]), minutes=(0, 60))[0]
    assert (lasted(row), row["marks"]) == ((0.5, None), "NO_DATA")
    assert row["integral"] == pytest.approx(0.15)  # silence adds nothing: 0.3 % for one period
    # It comes back low after half an hour: closed then, and still marked.
    row = found(light, series("G1", [1.2, 1.3]) + series("G1", [0.3, 0.3], start=30), minutes=(0, 60))[0]
    assert (lasted(row), row["marks"]) == ((0.5, 30.5), "NO_DATA")


def test_three_periods_of_silence_are_not_marked(light: LightEngine):
    row = found(light, series("G1", [1.2, 1.2, None, None, 1.2]), minutes=(0, 3))[0]
    assert row["marks"] == ""


def test_people_at_raise_come_from_the_newest_snapshot_before_it(light: LightEngine):
    counts = [
        {"area_id": "F1", "observed_at": at(minute), "people_count": people}
        for minute, people in ((-1, 3), (0, 5), (0.6, 9), (2, 11))
    ]
    gas = series("G1", [1.2, 1.2, 1.2])
    assert found(light, gas, headcount=counts)[0]["people_in_area"] == 5
    # Older than three of the longest period counted on: not known.
    old = [{"area_id": "F1", "observed_at": at(-4), "people_count": 3}]
    assert found(light, gas, headcount=old)[0]["people_in_area"] is None


def test_five_minute_snapshots_hold_longer(light: LightEngine):
    counts = [{"area_id": "F1", "observed_at": at(minute), "people_count": 7} for minute in (-19, -14)]
    assert found(light, series("G1", [1.2, 1.2]), headcount=counts)[0]["people_in_area"] == 7


# ── stays of other indices ──────────────────────────────────────────────────────────────────────────────────────────


def windows(levels: list[int | None], index_id: str = "T-01", minutes: int = 1, **more: Any) -> list[Row]:
    return [
        {
            "mine_code": MINE_CODE,
            "index_id": index_id,
            "area_id": "F1",
            "entity": "T1",
            "point_id": "T1",
            "window_start": at(number * minutes),
            "window_end": at((number + 1) * minutes),
            "value": None if level is None else 20.0 + number,
            "unit": "℃",
            "level": level,
            "legal_exceeded": level == 4,
            "sentence_zh": f"F1区：温度 {20 + number} ℃；橙色。",
            "sentence_en": f"Area F1: temperature {20 + number} degC; orange.",
            **more,
        }
        for number, level in enumerate(levels)
        if level != -1
    ]


def test_one_row_per_stay_at_level_three_or_more(light: LightEngine):
    first, second = found(light, [], hazard=windows([2, 3, 4, 3, 2, 0, 3]))
    assert (lasted(first), first["level"], first["peak_value"], first["peak_at"]) == ((1.0, 4.0), 4, 22.0, at(2))
    assert (first["kind"], first["legal_exceeded"], first["entity"]) == ("T-01", True, "T1")
    assert first["sentence_zh"] == "F1区：温度 22 ℃；橙色；持续 3.0 分钟。"
    assert (lasted(second), second["legal_exceeded"]) == ((6.0, None), False)


@pytest.mark.parametrize(
    ("values", "peak"),
    [
        ([20.0, 31.0, 33.0, 32.0, 20.0], 33.0),  # it rose into the stay: the highest
        ([20.9, 17.5, 16.0, 17.0, 20.9], 16.0),  # it fell: the lowest
        ([31.0, 33.0, 20.0], 31.0),  # not known on which side the safe values lie: the first
    ],
)
def test_the_worst_value_lies_on_the_bad_side(light: LightEngine, values: list[float], peak: float):
    rows = windows([3 if value > 30 or value < 18 else 0 for value in values])
    hazard = [row | {"value": value} for row, value in zip(rows, values, strict=True)]
    assert found(light, [], hazard=hazard)[0]["peak_value"] == peak


def test_a_stay_is_kept_open_by_silence(light: LightEngine):
    # -1: no row at all; None: a row without a level.
    row = found(light, [], hazard=windows([3, None, 3, 2]))[0]
    assert (lasted(row), row["marks"]) == ((0.0, 3.0), "NO_DATA")
    row = found(light, [], hazard=windows([3]), minutes=(0, 20))[0]
    assert (lasted(row), row["marks"]) == ((0.0, None), "NO_DATA")
    row = found(light, [], hazard=windows([3, -1, -1, 3, 0]))[0]
    assert (lasted(row), row["marks"]) == ((0.0, 4.0), "")


def test_levels_of_methane_are_no_alarms_of_their_own(light: LightEngine):
    assert found(light, [], hazard=windows([3, 4, 0], index_id="G-01")) == []


def test_level_two_is_no_alarm(light: LightEngine):
    assert found(light, [], hazard=windows([0, 1, 2, 2])) == []


# ── what the mine reports ───────────────────────────────────────────────────────────────────────────────────────────


def report(kind: str, entity: str, began: float, ended: float | None = None, **more: Any) -> Row:
    return {
        "mine_code": MINE_CODE,
        "kind": kind,
        "entity_id": entity,
        "abnormal_type": "",
        "began_at": at(began),
        "ended_at": None if ended is None else at(ended),
        "area_id": "F1",
        **more,
    }


def test_one_row_per_reported_abnormality(light: LightEngine):
    told = [
        report(
            "YCBJ",
            "G1",
            1,
            13.5,
            abnormal_type="001",
            point_id="G1",
            max_value=1.62,
            max_at=at(2),
            unit="%",
            cause="割煤",
            measure="停机",
        )
    ]
    row = found(light, [], told=told)[0]
    assert (row["kind"], row["entity"], row["level"], row["legal_exceeded"]) == ("YCBJ-001", "G1", 3, True)
    assert lasted(row) == (1.0, 13.5)
    assert row["sentence_zh"] == "F1区 G1测点：矿方上报超限报警，1.62 %，持续 12.5 分钟；原因：割煤；措施：停机。"


def test_reports_about_persons_carry_no_card(light: LightEngine):
    cards = ["14000000000100017", "14000000000100018"]
    told = [report("RYQJ", card, 3) for card in cards] + [report("RYCY", "F1", 3, count=31)]
    rows = found(light, [], told=told)
    assert [row["kind"] for row in rows] == ["RYCY", "RYQJ", "RYQJ"]
    assert len({row["alarm_id"] for row in rows}) == 3
    assert not any(card in str(row) for card in cards for row in rows)
    assert rows[0]["peak_value"] == 31
    assert "31 人" in rows[0]["sentence_zh"]
    assert (rows[1]["level"], rows[1]["entity"]) == (4, "F1")


def test_an_unknown_type_of_report_is_shown_as_an_alarm(light: LightEngine):
    row = found(light, [], told=[report("YCBJ", "G1", 0, abnormal_type="042", point_id="G1")])[0]
    assert (row["kind"], row["level"]) == ("YCBJ-042", 3)


# ── the cut into windows ────────────────────────────────────────────────────────────────────────────────────────────


class Table(dict):
    """gold.alarm as the job keeps it: what a window recomputes replaces what was open in it."""

    def replace(
        self, light: LightEngine, readings: list[Row], hazard: list[Row], told: list[Row], start: float, end: float
    ) -> None:
        overlapping = {
            key: row for key, row in self.items() if row["cleared_at"] is None or row["cleared_at"] >= at(start)
        }
        oldest = min(
            (row["raised_at"] for row in overlapping.values() if row["raised_at"] < at(start)), default=at(start)
        )
        lookback = max(120.0, (at(start) - oldest) / timedelta(minutes=1) + 65)
        first = at(start - lookback)
        rows = found(
            light,
            readings,
            hazard=[row for row in hazard if row["window_start"] >= first],
            told=[row for row in told if first <= row["began_at"] < at(end)],
            minutes=(start, end),
            lookback_min=lookback,
        )
        for key in overlapping:
            del self[key]
        self.update({row["alarm_id"]: row for row in rows})


VALUES = st.sampled_from([0.4, 0.9, 1.0, 1.2, 1.6, None, (4.0, "SUSPECT", "SATURATED"), (2.0, "BAD", "CALIBRATION")])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(VALUES, min_size=20, max_size=120),
    levels=st.lists(st.sampled_from([0, 2, 3, 4, None, -1]), min_size=1, max_size=60),
    cuts=st.sets(st.integers(1, 59), max_size=6),
)
def test_alarms_do_not_depend_on_how_time_is_cut(light: LightEngine, values: list, levels: list, cuts: set[int]):
    readings, hazard = series("G1", values), windows(levels)
    told = [report("YCBJ", "G1", 7, 33, abnormal_type="001", point_id="G1"), report("RYXZ", "1", 50)]
    whole, pieces = Table(), Table()
    whole.replace(light, readings, hazard, told, 0, 60)
    edges = [0, *sorted(cuts), 60]
    for start, end in pairwise(edges):
        pieces.replace(light, readings, hazard, told, start, end)
    assert pieces == whole


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, min_size=2, max_size=60), later=st.lists(VALUES, min_size=1, max_size=20))
def test_later_samples_change_no_start(light: LightEngine, values: list, later: list):
    end = len(values) / 2
    before = found(light, series("G1", values), minutes=(0, 60))
    after = found(light, series("G1", values) + series("G1", later, start=end), minutes=(0, 60))
    old = [(row["alarm_id"], row["raised_at"]) for row in before]
    assert [(row["alarm_id"], row["raised_at"]) for row in after if row["raised_at"] < at(end)] == old


# ── the real series ─────────────────────────────────────────────────────────────────────────────────────────────────


def plain_episodes(values: list[float], limit: float, restore: float) -> list[tuple[int, int | None, float]]:
    """Start, end and peak of the episodes of a 30-s series without gaps: a loop that knows nothing of the product."""
    episodes, start, under = [], None, 0
    for i, value in enumerate(values):
        if start is None:
            if value >= limit and sum(v >= limit for v in values[max(0, i - 2) : i + 1]) >= 2:
                start, under = i, 0
        else:
            under = under + 1 if value < restore else 0
            if under == 2:
                episodes.append((start, i, max(values[start : i + 1])))
                start = None
    if start is not None:
        episodes.append((start, None, max(values[start:])))
    return episodes


@pytest.mark.skipif(not DATA.exists(), reason=f"the public methane series is not at {DATA}")
@pytest.mark.parametrize(
    ("column", "part", "count"), [("MM116", "train", 140), ("MM116", "test", None), ("MM31", "train", None)]
)
def test_real_series_gives_the_episodes_of_a_plain_loop(light: LightEngine, column: str, part: str, count: int | None):
    values = pl.read_parquet(DATA).filter(pl.col("official_split") == part).sort("step")[column].to_list()
    expected = plain_episodes(values, 1.0, 1.0)
    assert count is None or len(expected) == count
    days = len(values) / 2
    rows = found(light, series("G1", values), minutes=(0, days))

    def instant(step: int | None) -> datetime | None:
        return None if step is None else at(step / 2)

    assert [(row["raised_at"], row["cleared_at"], row["peak_value"]) for row in rows] == [
        (instant(start), instant(end), peak) for start, end, peak in expected
    ]


def test_the_state_machine_names_samples():
    times = [n * 30_000_000 for n in range(6)]
    spans = list(gas_spans(times, [1.0, 1.0, 0.5, 0.5, 1.0, 1.0], 30_000_000, 1.0, 1.0))
    assert [(span.opened, span.closed) for span in spans] == [(1, 3), (5, None)]


def test_columns_are_those_of_the_table(light: LightEngine):
    row = found(light, series("G1", [1.2, 1.2]))[0]
    assert set(row) == set(ALARM.names) - {"computed_at", "revision", "day"}


def test_areas_without_a_name_are_called_by_their_code(light: LightEngine):
    row = found(light, series("G1", [1.2, 1.2]), points=[FACE | {"area_id": "unplaced"}], areas=[area("F1")])[0]
    assert row["area_id"] == "unplaced"
    assert row["sentence_en"].startswith("unplaced, G1测点")

"""Exposure at stations (T-02) and mixtures of toxic gas (T-03), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from literal_mine import MINE_CODE, Make, Row, answers, area, at, collect, make_history, of, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.toxic import mixture_index, t03
from minefusion.pipelines.hazard.toxic_exposure import MOLAR_G, ShiftHours, ppm_of, reduction_factor, t02
from minefusion.schemas.site import Shift, Site

# ── T-02 ──


def test_milligrams_as_ppm():
    """CO 20 mg/m³: 20 · 24.45/28.01 = 17.46 ppm."""
    assert answers(x=ppm_of(of(20.0), MOLAR_G["co"]))["x"] == pytest.approx(17.458, abs=0.001)


@pytest.mark.parametrize(("hours", "factor"), [(8.0, 1.0), (12.0, 0.5), (10.0, 0.7), (6.0, 1.5)])
def test_the_reduction_factor_of_other_shifts(hours: float, factor: float):
    assert reduction_factor(hours) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("T-02", "", [(0.49, 0), (0.5, 2), (0.79, 2), (0.8, 3), (0.99, 3), (1.0, 4), (1.4, 4)]),
        ("T-03", "", [(0.49, 0), (0.5, 2), (0.69, 2), (0.7, 3), (1.5, 3)]),
        ("T-03", "over", [(1.0, 0), (1.001, 4)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


def site(*shifts: Shift) -> Site:
    return Site(
        mine_code=MINE_CODE,
        name_zh="试验矿",
        name_en="Test",
        severe_hazard=True,
        areas=(),
        nodes=(),
        edges=(),
        shifts=shifts,
    )


# T0 is 16:00 at the mine.
DAY = site(Shift("早", "day", "08:00", 8.0), Shift("晚", "late", "16:00", 8.0))
CO = [point("C", "co")]


def five(values: Sequence[float | None], *, start_h: float = 0.0, name: str = "C", quantity: str = "co") -> list[Row]:
    return [
        {"point_id": name, "quantity": quantity, "value_mean": value, "value_max": value,
         "window_start": at(60 * start_h + 5 * n)}
        for n, value in enumerate(values)
        if value is not None
    ]  # fmt: skip


Run = Callable[..., list[Row]]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def rows(readings: Sequence[Row], points: Sequence[Row] = CO, of_site: Site | None = DAY, **parts) -> list[Row]:
        return collect(t02(make_history(light, five=readings, points=points, site=of_site, **parts)))

    return rows


def test_the_dose_of_a_shift_grows(run: Run):
    """12 ppm from the shift's start: after 1 h 1.5 ppm of the 17.46 allowed over 8 h, after 8 h 12 of them."""
    rows = run(five([12.0] * 96), hours=(0, 8))
    assert json.loads(rows[0]["inputs"])["twa"] == 1.5
    assert json.loads(rows[7]["inputs"])["twa"] == 12.0
    assert rows[7]["value"] == pytest.approx(12 / 17.458, abs=1e-3)
    assert [row["level"] for row in rows] == [0] * 5 + [2] * 3  # the quarter's 12 of 26.2 ppm are 0.46
    assert rows[7]["sentence_zh"] == "C测点：一氧化碳接触水平为限值的 69 %；黄色（参考限值）。"


def test_a_shift_before_does_not_count(run: Run):
    (row,) = run(five([100.0] * 84, start_h=-7) + five([4.0] * 12))
    assert json.loads(row["inputs"])["twa"] == 0.5


def test_the_highest_quarter_of_an_hour(run: Run):
    """30 ppm for 15 minutes against 26.19: red; for 10 minutes (30 + 30 + 0)/3 = 20: yellow."""
    (row,) = run(five([0.0] * 6 + [30.0] * 3 + [0.0] * 3))
    assert (json.loads(row["inputs"])["stel"], row["level"]) == (30.0, 4)
    (row,) = run(five([0.0] * 6 + [30.0] * 2 + [0.0] * 4))
    assert (json.loads(row["inputs"])["stel"], row["level"]) == (20.0, 2)


def test_a_quarter_with_a_silent_part_does_not_count_but_may_begin_in_the_hour_before(run: Run):
    (row,) = run(five([0.0] * 6 + [30.0, None, 30.0] + [0.0] * 3))
    assert json.loads(row["inputs"])["stel"] == 10.0
    (row,) = run(five([30.0, 30.0], start_h=-1 / 6) + five([30.0] + [0.0] * 11))
    assert json.loads(row["inputs"])["stel"] == 30.0


def test_hydrogen_sulphide_has_a_ceiling(run: Run):
    """10 mg/m³ are 7.174 ppm: 7.2 in one five minutes are red."""
    points = [point("S", "h2s")]
    (row,) = run(five([0.0] * 11 + [7.2], name="S", quantity="h2s"), points)
    assert (row["value"], row["level"]) == (pytest.approx(1.0036, abs=1e-3), 4)
    (row,) = run(five([0.0] * 11 + [3.5], name="S", quantity="h2s"), points)
    assert row["level"] == 0


def test_carbon_dioxide_is_measured_in_per_cent(run: Run):
    """18000 mg/m³ are 10 000 ppm, 1 %."""
    (row,) = run(five([1.0] * 12, name="D", quantity="co2"), [point("D", "co2")])
    assert (row["value"], row["level"]) == (pytest.approx(1.0, abs=0.001), 4)


def test_twelve_hours_halve_the_limit(run: Run):
    long = site(Shift("早", "day", "16:00", 12.0))
    (row,) = run(five([12.0] * 12), of_site=long)
    inputs = json.loads(row["inputs"])
    assert (inputs["twa"], inputs["shift_factor"]) == (1.5, 0.5)


def test_a_shift_that_is_hardly_measured_gives_a_lower_bound(run: Run):
    """Six of 24 five-minute means: a level from yellow on stands, less is not known."""
    (row,) = run(five([30.0] * 6, start_h=1), hours=(1, 2))
    assert (row["level"], json.loads(row["inputs"])["marks"]) == (4, "LOWER_BOUND")
    (row,) = run(five([3.0] * 6, start_h=1), hours=(1, 2))
    assert (row["level"], row["null_reason"]) == (None, "LOW_COVERAGE")


def test_usual_shifts_where_the_site_file_names_none():
    hours = ShiftHours.of(None)
    assert hours.at(at(0).timestamp() // 3600) == (at(0).timestamp() // 60, 480.0)
    assert hours.at(at(420).timestamp() // 3600) == (at(0).timestamp() // 60, 480.0)
    gap = ShiftHours.of(site(Shift("早", "day", "08:00", 8.0)))
    assert gap.at(at(60).timestamp() // 3600) is None


def test_a_mine_without_toxic_gas_points(run: Run):
    assert run([], []) == []
    assert run([])[0]["null_reason"] == "NO_DATA"


# ── T-03 ──


def test_the_mixture_of_the_catalogue_vector():
    """CO 18/24, NO2 1.5/2.5, H2S 3/6.6: together 1.805, irritants 1.055, asphyxiants 1.205."""
    shares = {"co": of(18 / 24), "no2": of(1.5 / 2.5), "so2": of(None), "nh3": of(None), "h2s": of(3 / 6.6)}
    assert answers(**mixture_index(shares)) == {
        "irritant": pytest.approx(1.055, abs=0.001), "asphyxiant": pytest.approx(1.205, abs=0.001),
        "total": pytest.approx(1.805, abs=0.001),
    }  # fmt: skip


MIXED = [point("C", "co"), point("N", "no2"), point("S", "h2s"), point("C2", "co", "X")]


def test_the_worst_organ_of_an_area_counts(make: Make):
    """An area with carbon monoxide alone has no mixture."""
    values = {"C": 18.0, "N": 1.5, "S": 3.0, "C2": 20.0}
    readings = [row for name, value in values.items() for row in series(name, [value] * 4)]
    (row,) = collect(t03(make(points=MIXED, readings=readings, areas=[area("F1"), area("X")], minutes=(0, 1))))
    assert (row["entity"], row["value"], row["level"]) == ("F1", pytest.approx(1.204545), 4)
    assert json.loads(row["inputs"])["total"] == 1.805
    assert row["sentence_en"] == "Area F1: asphyxiant gases add up to 1.20; red (advisory limit)."


def test_silence_and_absence_are_named(make: Make):
    (row,) = collect(t03(make(points=MIXED[:3], readings=[], minutes=(0, 1))))
    assert (row["value"], row["null_reason"]) == (None, "NO_DATA")
    assert collect(t03(make(points=MIXED[:1], readings=[], minutes=(0, 1)))) == [], "one gas is no mixture"

"""Fire ratios and indicator gases by place and hour (F-01 to F-08), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from literal_mine import MINE_CODE, Row, area, at, collect, make_history, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.heating import (
    days_at_rest,
    f01,
    f02,
    f03,
    f04,
    f05,
    f06,
    f07,
    f08,
    fallen_while_co_rises,
    stage,
)
from minefusion.pipelines.hazard.hours import Span
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import DieselBackground, InertInjection, SealedFire

EDGES = [
    {"edge_id": "in", "area_id": "IN", "air_class": "BELT_ROAD", "length_m": 600.0, "section_m2": 12.0},
    {"edge_id": "out", "area_id": "OUT", "air_class": "BELT_ROAD", "length_m": 600.0, "section_m2": 15.0},
]
PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]
AREAS = [area("F1"), area("IN", "intake_airway"), area("OUT", "return_airway"), area("GOAF", "goaf")]
UNIT = {"co": "ppm", "c2h4": "ppm"}


def sensor(point_id: str, quantity: str, edge: str = "out") -> Row:
    return point(point_id, quantity, {"out": "OUT", "in": "IN"}[edge], edge_id=edge)


POINTS = [sensor(name, name) for name in ("co", "o2", "co2", "ch4")]
# The catalogue's vector: O2 20.10, CO2 0.45, CO 25 ppm; N2 79.30 by difference of 100 with 0.1475 % of methane.
VECTOR = {"o2": 20.10, "co2": 0.45, "co": 25.0, "ch4": 0.1475}


def five(point_id: str, quantity: str, values: Sequence[float | None], *, start_h: float = 0.0) -> list[Row]:
    """Five-minute means from so many hours after T0 on."""
    return [
        {"point_id": point_id, "quantity": quantity, "value_mean": value, "area_id": "OUT",
         "window_start": at(60 * start_h + 5 * n)}
        for n, value in enumerate(values)
        if value is not None
    ]  # fmt: skip


def steady(values: Mapping[str, float], n: int = 12, **more: Any) -> list[Row]:
    return [row for name, value in values.items() for row in five(name, name, [value] * n, **more)]


def site(**sections: Any) -> Site:
    return Site(
        mine_code=MINE_CODE,
        name_zh="试验矿",
        name_en="Test",
        severe_hazard=True,
        areas=(),
        nodes=(),
        edges=(),
        **sections,
    )


Run = Callable[..., list[Row]]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def rows(index, readings: Sequence[Row] = (), points: Sequence[Row] = POINTS, **parts: Any) -> list[Row]:
        mine = {"areas": AREAS, "edges": EDGES, "air_paths": PATHS} | parts
        return collect(index(make_history(light, five=readings, points=points, **mine)))

    return rows


def test_a_panel_by_hand(run: Run):
    """The catalogue's vectors on an air path without intake sensors."""
    wanted = {f01: (0.899, 0), f02: (0.278, 0), f03: (50.06, 2), f04: (0.503, 2), f05: (0.0056, 0)}
    for index, (value, level) in wanted.items():
        (row,) = run(index, steady(VECTOR))
        assert (row["entity"], row["area_id"]) == ("F1", "F1")
        assert row["value"] == pytest.approx(value, rel=0.01), index
        assert row["level"] == level, index
        assert row["coverage"] == 1.0
    (row,) = run(f02, steady(VECTOR))
    assert row["sentence_zh"] == "F1区：格雷哈姆系数 0.28；正常。"
    inputs = json.loads(row["inputs"])
    assert inputs["low"] < 0.278 < inputs["high"]  # ± √((2/25)² + (0.15/0.899)²) = 18 %
    assert inputs["high"] == pytest.approx(0.278 * 1.185, abs=0.002)


def test_intake_air_is_taken_off(run: Run):
    """Intake of 20.75 % oxygen, 0.05 % carbon dioxide and 5 ppm: its own 20.75/79.2 of N2, and 20 ppm are left."""
    points = [*POINTS, sensor("o2_in", "o2", "in"), sensor("co2_in", "co2", "in"), sensor("co_in", "co", "in")]
    intake = [
        row
        for name, value in (("o2", 20.75), ("co2", 0.05), ("co", 5.0))
        for row in five(f"{name}_in", name, [value] * 12)
    ]
    (row,) = run(f02, steady(VECTOR) + intake, points)
    deficiency = 20.75 / 79.2 * 79.3 - 20.10
    assert row["value"] == pytest.approx(100 * 0.0020 / deficiency, rel=1e-3)


def test_too_little_oxygen_used_has_no_ratio(run: Run):
    """Fresh air: F-01 says how little, the ratios say why there are none."""
    fresh = {"o2": 20.9, "co2": 0.04, "co": 25.0, "ch4": 0.0}
    (row,) = run(f01, steady(fresh))
    assert (row["level"], json.loads(row["inputs"])["deficiency_too_small"]) == (0, True)
    for index in (f02, f03, f04):
        (row,) = run(index, steady(fresh))
        assert (row["value"], row["level"], row["null_reason"]) == (None, None, "DEFICIENCY_TOO_SMALL")
    assert run(f05, steady(fresh))[0]["null_reason"] == "CO2_TOO_SMALL"


def test_one_outlier_of_the_hour_raises_nothing(run: Run):
    readings = steady(VECTOR | {"co": 25.0})
    readings = [row | {"value_mean": 400.0} if row["point_id"] == "co" and row["window_start"] == at(30) else row
                for row in readings]  # fmt: skip
    assert run(f02, readings)[0]["level"] == 0
    twice = [row | {"value_mean": 400.0} if row["point_id"] == "co" and row["window_start"] in (at(30), at(35)) else row
             for row in readings]  # fmt: skip
    assert run(f02, twice)[0]["level"] == 4


def test_missing_gases_are_named(run: Run):
    for index, silent, reason in (
        (f02, "o2", "NO_OXYGEN"), (f02, "co", "NO_CARBON_MONOXIDE"), (f02, "co2", "NO_CARBON_DIOXIDE"),
        (f05, "co2", "NO_CARBON_DIOXIDE"), (f06, "co", "NO_CARBON_MONOXIDE"),
    ):  # fmt: skip
        (row,) = run(index, steady({name: value for name, value in VECTOR.items() if name != silent}))
        assert (row["value"], row["null_reason"]) == (None, reason), (index, silent)


def test_a_mine_without_any_gas_has_no_row(run: Run):
    for index in (f01, f02, f03, f04, f05, f06, f07, f08):
        assert run(index, [], []) == []


def test_inert_gas_makes_ratios_to_oxygen_wrong(run: Run):
    nitrogen = site(inert_injections=(InertInjection("F1", "n2", "2026-03-01T15:00+08:00"),))  # an hour before T0
    for index in (f01, f02, f03, f04, f06):
        assert run(index, steady(VECTOR), site=nitrogen)[0]["null_reason"] == "INERT_GAS"
    assert run(f05, steady(VECTOR), site=nitrogen)[0]["value"] is not None
    carbon = site(inert_injections=(InertInjection("F1", "co2", "2026-03-01T15:00+08:00"),))
    assert run(f05, steady(VECTOR), site=carbon)[0]["null_reason"] == "INERT_GAS"
    past = site(inert_injections=(InertInjection("F1", "n2", "2026-02-01T00:00+08:00", "2026-02-02T00:00+08:00"),))
    assert run(f02, steady(VECTOR), site=past)[0]["value"] is not None


def test_diesel_is_taken_off(run: Run):
    diesel = site(diesel_backgrounds=(DieselBackground("F1", 10.0),))
    (row,) = run(f02, steady(VECTOR), site=diesel)
    assert row["value"] == pytest.approx(0.278 * 15 / 25, rel=0.005)


def test_half_an_hour_after_a_blast_is_left_out(run: Run):
    """A shot at 0:10: the sets of 0:10 to 0:35 do not count; a shot at 0:00 and one at 0:30 leave nothing."""

    def shots(*minutes: float) -> dict:
        return {"records": [
            {"record_id": f"b{n}", "kind": "blast", "quantity": "broken", "measured_at": at(minute), "value": 50.0}
            for n, minute in enumerate(minutes)
        ]}  # fmt: skip

    readings = steady(VECTOR)
    loud = [row | {"value_mean": 400.0} if row["point_id"] == "co" and at(10) <= row["window_start"] < at(40) else row
            for row in readings]  # fmt: skip
    assert run(f02, loud)[0]["level"] == 4
    assert run(f02, loud, feeds=shots(10))[0]["level"] == 0
    assert run(f02, loud, feeds=shots(0, 30))[0]["null_reason"] == "AFTER_BLAST"


def test_the_places_own_normal_replaces_the_blue_step(run: Run):
    """A month of 0.28: 0.42 is blue by the ladder and more than usual here; a seam that always has 0.45 is not blue."""
    month = [
        row
        for name, value in (VECTOR | {"co": 40.0}).items()
        for day in range(-31, 0)
        for row in five(name, name, [value], start_h=24 * day + 1)
    ]
    month += steady(VECTOR | {"co": 40.0}, 1, start_h=-744)
    (row,) = run(f02, month + steady(VECTOR | {"co": 40.0}))
    assert (row["value"], row["level"]) == (pytest.approx(0.445, abs=0.001), 1)
    assert json.loads(row["inputs"])["normal"] == pytest.approx(0.445, abs=0.001)
    (row,) = run(f02, month + steady(VECTOR | {"co": 38.0}))
    assert (row["value"], row["level"]) == (pytest.approx(0.423, abs=0.001), 0)


def test_an_impossible_sample_is_rejected(run: Run):
    """CO2 1.5 over ΔO2 0.62: 2.4, no fuel burns so."""
    (row,) = run(f04, steady(VECTOR | {"co2": 1.5}))
    assert (row["value"], row["null_reason"]) == (None, "IMPOSSIBLE_ANALYSIS")


def test_carbon_to_hydrogen_of_a_panel(run: Run):
    """6·(0.45 + 0.0025 + 0.1475)/(2·(0.899 − 0.45 + 0.1475) − 0.0025) = 3.6/1.190."""
    (row,) = run(f06, steady(VECTOR))
    assert (row["value"], row["level"]) == (pytest.approx(3.025, abs=0.005), 2)
    inputs = json.loads(row["inputs"])
    excess = 79.30 - 79.04 / 20.93 * 20.10
    assert inputs["willett"] == pytest.approx(0.25 / (0.45 + excess + 0.15), abs=0.001)
    assert inputs["morris"] == pytest.approx(excess / 0.4525, abs=0.01)


def sample(record: str, minute: float, place: str = "tube 1", **amounts: float) -> list[Row]:
    return [
        {"record_id": record, "kind": "gas_sample", "quantity": gas, "measured_at": at(minute), "value": amount,
         "unit": UNIT.get(gas, "%"), "area_id": "GOAF", "place": place}
        for gas, amount in amounts.items()
    ]  # fmt: skip


def test_a_sealed_goaf_by_sample(run: Run):
    """The catalogue's vectors of Litton's ratio; a sample's hour alone has a row."""
    hot = sample("s1", 20, co=4000.0, o2=2.0, ch4=20.0)
    cool = sample("s2", 150, co=500.0, o2=3.0, ch4=20.0)
    rows = run(f07, [], [], hours=(0, 3), feeds={"records": hot + cool})
    assert [(row["entity"], row["window_start"], row["level"]) for row in rows] == [
        ("GC tube 1", at(0), 2), ("GC tube 1", at(120), 0),
    ]  # fmt: skip
    assert [row["value"] for row in rows] == [pytest.approx(1.594, abs=0.001), pytest.approx(0.181, abs=0.001)]
    assert json.loads(rows[1]["inputs"])["days_at_rest"] == pytest.approx(2 / 24, abs=0.06)
    (row,) = run(f07, [], [], feeds={"records": sample("s1", 20, co=4000.0, o2=0.1, ch4=20.0)})
    assert (row["value"], row["null_reason"]) == (None, "OXYGEN_TOO_LOW")


def test_a_sealed_fire_of_the_site_file_is_sealed_too(run: Run):
    (row,) = run(f07, steady(VECTOR), site=site(sealed_fires=(SealedFire("F1"),)))
    assert row["entity"] == "F1"


SPAN = Span(0, 744, 745)


def vector(**places: float) -> np.ndarray:
    """744 hours and the judged one, NaN but where `h<hour>` says."""
    values = np.full(745, np.nan)
    for name, value in places.items():
        values[int(name[1:])] = value
    return values


def test_days_at_rest():
    assert days_at_rest({"a": vector(h0=0.5, h744=0.5)}, SPAN)["days"] == [31.0]
    assert days_at_rest({"a": vector(h0=0.5, h720=1.2, h744=0.5)}, SPAN)["days"] == [1.0]
    assert np.isnan(days_at_rest({"a": vector()}, SPAN)["days"]).all()


def test_the_oxides_fall_as_a_heating_runs_away():
    """0.2 at noon, 0.12 now while CO rises: fallen by 0.4; with CO at rest, or coal that never was hot, 0."""
    ratio, rising = np.full(745, np.nan), np.full(745, np.nan)
    ratio[733:745] = np.linspace(0.2, 0.12, 12)
    rising[733:745] = np.linspace(0.01, 0.05, 12)
    assert fallen_while_co_rises({"value": ratio, "d_co": rising}, SPAN)["fallen"] == pytest.approx([0.4])
    assert fallen_while_co_rises({"value": ratio, "d_co": rising[::-1]}, SPAN)["fallen"] == pytest.approx([0.0])
    assert fallen_while_co_rises({"value": ratio / 2, "d_co": rising}, SPAN)["fallen"] == pytest.approx([0.0])


QUIET = np.where(np.arange(745) % 2 == 0, 5.0, 5.4)
USED = np.full(745, 0.5)


def rising_co(per_hour: float, hours: int = 24) -> np.ndarray:
    co = QUIET.copy()
    co[745 - hours :] = 5.0 + per_hour * np.arange(1, hours + 1)
    return co


def staged(**series: np.ndarray) -> float:
    return float(stage({"d_o2": USED, **series}, SPAN)["stage"][0])


def test_stages_of_indicator_gases():
    none, ethylene = np.full(745, 0.0), np.full(745, 0.0)
    ethylene[740:] = 1.2
    assert staged(co=QUIET) == 0.0
    assert staged(co=rising_co(0.2)) == 1.0
    broken = rising_co(0.1, 72)
    broken[721:] = broken[720] + 0.6 * np.arange(1, 25)
    assert staged(co=broken) == 2.0
    assert staged(co=rising_co(0.2), c2h4=none) == 1.0
    assert staged(co=rising_co(0.2), c2h4=ethylene) == 3.0
    hydrogen = np.full(745, 20.0)
    hydrogen[740:] = 60.0
    assert staged(co=rising_co(0.2), h2=hydrogen) == 4.0
    ethane = np.full(745, 2.0)
    ethylene[740:745] = [2.0, 4.0, 6.0, 5.6, 5.0]  # to ethane 1, 2, 3, 2.8, 2.5: turned over by a sixth
    assert staged(co=rising_co(0.2), c2h4=ethylene, c2h6=ethane) == 4.0
    assert staged(co=QUIET, c2h2=np.full(745, 1.5)) == 5.0


def test_ethylene_without_carbon_monoxide_or_used_oxygen_does_not_count():
    ethylene = np.full(745, 3.0)
    assert staged(co=QUIET, c2h4=ethylene) == 0.0
    assert float(stage({"co": rising_co(0.2), "c2h4": ethylene, "d_o2": USED / 5}, SPAN)["stage"][0]) == 1.0
    assert np.isnan(staged(co=np.full(745, np.nan), c2h4=ethylene))


def test_acetylene_in_a_sample_is_red(run: Run):
    (row,) = run(f08, [], [], feeds={"records": sample("s1", 20, co=200.0, o2=15.0, c2h2=0.0002)})
    assert (row["value"], row["level"], row["unit"]) == (5.0, 4, "stage")
    assert row["sentence_zh"] == "GOAF区 气样 tube 1：指标气体：出现乙炔；红色（参考限值）。"


def test_a_month_of_a_panel_by_its_sensors(run: Run):
    """Carbon monoxide of 25 ppm that grows by 1 ppm an hour over the last day: stage 1, blue."""
    calm = [
        row
        for name, value in VECTOR.items()
        for hour in range(-14 * 24, -24, 6)
        for row in five(name, name, [value], start_h=hour)
    ]
    day = [
        row
        for name, value in VECTOR.items()
        for hour in range(-24, 1)
        for row in five(name, name, [value + (hour + 25 if name == "co" else 0)] * 12, start_h=hour)
    ]
    (row,) = run(f08, calm + day)
    assert (row["value"], row["level"]) == (1.0, 1)
    (row,) = run(f08, steady(VECTOR))
    assert (row["value"], row["null_reason"]) == (None, "NO_HISTORY")


def test_each_hour_of_the_window_has_a_row(run: Run):
    rows = run(f02, steady(VECTOR), hours=(0, 3))
    assert [row["window_start"] for row in rows] == [at(0), at(60), at(120)]
    assert [row["null_reason"] for row in rows] == [None, "NO_DATA", "NO_DATA"]
    assert rows[0]["window_end"] - rows[0]["window_start"] == timedelta(hours=1)

"""Microseismic indices R-01 to R-05 on literal lists of events."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from ground_and_water import record, site, tremor
from literal_mine import MINE_CODE, Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.seismic import r01, r02, r03, r04, r05
from minefusion.schemas.site import SeismicZone

# Ten events of 100 J a day over 30 days, at 1:12, 3:36 …, up to the judged hour's end at 1:00.
EVERY = [tremor(n, 1 - 0.05 - 2.4 * n, 100.0) for n in range(300)]


def row_of(light: LightEngine, index: Any, feeds: dict[str, list[Row]], entity: str = "F1", **more: Any) -> Row:
    history = make_history(light, feeds=feeds, **more)
    return next(row for row in collect(index(history)) if row["entity"] == entity)


@pytest.mark.parametrize(
    ("scope", "value", "level"),
    [
        ("strongest_event", 9_999.0, 0), ("strongest_event", 1e4, 1), ("strongest_event", 1e5, 2),
        ("strongest_event", 1e6, 3), ("strongest_event", 9.99e6, 3), ("strongest_event", 1e7, 4),
        ("deviation", 1.99, 0), ("deviation", 2.0, 2), ("quiet_advancing", 0.3, 0), ("quiet_advancing", 0.29, 2),
        ("quiet", 0.29, 1), ("deviation", None, None),
    ],
)  # fmt: skip
def test_levels_of_energy(scope: str, value: float | None, level: int | None):
    assert answers(x=listed_level(of(value), "R-01", scope))["x"] == level


def test_a_day_by_hand(light: LightEngine):
    """Ten events of 100 J: 1000 J, no deviation; the mine's row says the same."""
    for entity in ("F1", MINE_CODE):
        row = row_of(light, r01, {"seismic": EVERY}, entity)
        told = json.loads(row["inputs"])
        assert (row["value"], row["level"], told["events"], told["strongest_j"]) == (1000.0, 0, 10.0, 100)
        assert told["energy_deviation"] == pytest.approx(0.0, abs=0.05)
        assert row["sentence_zh"].endswith("24 h 微震 10 次，总能量 1000 J，最大 100 J；正常。")


def test_one_strong_event_is_red_and_deviates(light: LightEngine):
    row = row_of(light, r01, {"seismic": [*EVERY, tremor(999, 0.5, 2e7)]})
    assert (row["level"], row["limit_confidence"]) == (4, "advisory")
    assert json.loads(row["inputs"])["energy_deviation"] > 1000
    assert "（参考限值）" in row["sentence_zh"]


@pytest.mark.parametrize("blast", [{"is_blast": True}, {}])
def test_blasts_are_left_out(light: LightEngine, blast: dict[str, bool]):
    """A big event that the system calls a blast, or that stands within a minute of a blast record of its area."""
    shot = [] if blast else [record("blast", "explosive_mass", 0.51, 30.0, "B1")]
    row = row_of(light, r01, {"seismic": [*EVERY, tremor(999, 0.5, 2e7, **blast)], "records": shot})
    assert (row["value"], row["level"]) == (1000.0, 0)


def test_a_blast_elsewhere_or_later_takes_nothing_away(light: LightEngine):
    shots = [
        record("blast", "explosive_mass", 0.5, 30.0, "B1", area_id="F2"),
        record("blast", "explosive_mass", 0.6, 30.0, "B2"),
    ]
    row = row_of(light, r01, {"seismic": [*EVERY, tremor(999, 0.5, 2e7)], "records": shots})
    assert row["level"] == 4


def test_a_network_that_was_down_for_a_part_is_scaled_up(light: LightEngine):
    """80 % up: 10 events stand for 12.5; 70 % up: not known."""
    up = row_of(light, r01, {"seismic": EVERY, "records": [record("seismic_network", "uptime", 0, 80.0, "U")]})
    assert json.loads(up["inputs"])["events"] == 12.5
    assert (up["value"], up["coverage"]) == (1250.0, 0.8)
    down = row_of(light, r01, {"seismic": EVERY, "records": [record("seismic_network", "uptime", 0, 70.0, "U")]})
    assert (down["value"], down["level"], down["null_reason"]) == (None, None, "LOW_COVERAGE")
    strong = [*EVERY, tremor(999, 0.5, 2e7)]
    seen = row_of(light, r01, {"seismic": strong, "records": [record("seismic_network", "uptime", 0, 70.0, "U")]})
    assert seen["level"] == 4


@pytest.mark.parametrize(("advance", "level"), [([4.0], 2), ([], 1), ([0.0], 0)])
def test_quiet_is_abnormal_while_the_face_advances(light: LightEngine, advance: list[float], level: int):
    """No event for three days after ten a day; a standing face may be quiet."""
    told = [record("face_advance", "advance", 0, metres, "A") for metres in advance]
    row = row_of(light, r01, {"seismic": [e for e in EVERY if int(e["event_id"][1:]) >= 30], "records": told})
    assert (row["value"], row["level"]) == (0.0, level)
    assert json.loads(row["inputs"])["quiet_ratio"] == 0


def test_energy_per_metre_of_advance(light: LightEngine):
    """Twice the energy on twice the advance is no deviation."""
    today = [tremor(1000 + n, 0.9 - 2 * n, 100.0) for n in range(10)]
    told = [
        record("face_advance", "advance", 1 - 24 * day - 1, 8.0 if day == 0 else 4.0, f"A{day}") for day in range(20)
    ]
    row = row_of(light, r01, {"seismic": EVERY + today, "records": told})
    assert json.loads(row["inputs"])["per_metre_of_advance"] is True
    assert json.loads(row["inputs"])["energy_deviation"] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("index", [r01, r02, r03, r04, r05])
def test_a_mine_without_events_is_not_judged(light: LightEngine, index: Any):
    assert collect(index(make_history(light, hours=(0, 2)))) == []


#


def gutenberg_richter(b: float, count: int, first_hour: float, last_hour: float, first: int = 0) -> list[Row]:
    """Events with b, evenly spread in time, without chance: the quantiles of the distribution in a mixed order."""
    share = (np.arange(count) * 0.6180339887 + 0.5) % 1
    magnitudes = np.round(0.45 - np.log10(1 - share) / b, 1)
    hours = np.linspace(first_hour, last_hour, count)
    return [
        tremor(first + n, float(hour), 10 ** (1.9 * float(m) + 1.8), magnitude=float(m))
        for n, (hour, m) in enumerate(zip(hours, magnitudes, strict=True))
    ]


@pytest.mark.parametrize(
    ("scope", "value", "level"),
    [
        ("drop", -2.0, 0), ("drop", -2.01, 2), ("drop_with_rising_energy", -3.0, 0),
        ("drop_with_rising_energy", -3.01, 3), ("drop", None, None),
    ],
)  # fmt: skip
def test_levels_of_a_drop(scope: str, value: float | None, level: int | None):
    assert answers(x=listed_level(of(value), "R-02", scope))["x"] == level


def test_a_steady_b_is_normal(light: LightEngine):
    row = row_of(light, r02, {"seismic": gutenberg_richter(1.0, 2000, -700, 0.9)})
    assert row["value"] == pytest.approx(1.0, abs=0.2)
    assert row["level"] == 0
    assert json.loads(row["inputs"])["events"] == 200


def test_a_fall_of_b_with_rising_energy_is_orange(light: LightEngine):
    """From 1.2 to 0.6: four standard errors, and large events make the energy rise."""
    events = gutenberg_richter(1.2, 2000, -700, -100) + gutenberg_richter(0.6, 350, -99, 0.9, 5000)
    row = row_of(light, r02, {"seismic": events})
    told = json.loads(row["inputs"])
    assert told["drop_in_sigma"] < -3
    assert row["level"] == (3 if told["energy_rises"] else 2)
    assert row["value"] < told["reference"] - 0.3


def test_too_few_events_have_no_b(light: LightEngine):
    row = row_of(light, r02, {"seismic": gutenberg_richter(1.0, 40, -100, 0.9)})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "TOO_FEW_EVENTS")


def test_events_of_a_few_hours_are_not_judged(light: LightEngine):
    events = gutenberg_richter(1.0, 1000, -600, -30) + gutenberg_richter(0.5, 400, -5, 0.9, 5000)
    row = row_of(light, r02, {"seismic": events})
    assert row["value"] is not None
    assert (row["level"], row["null_reason"]) == (None, "TOO_SHORT_A_TIME")


def test_the_sites_own_reference_counts(light: LightEngine):
    zone = site(seismic_zones=(SeismicZone("F1", b_reference=3.0),))
    row = row_of(light, r02, {"seismic": gutenberg_richter(1.0, 2000, -700, 0.9)}, site=zone)
    assert json.loads(row["inputs"])["reference"] == 3.0
    assert row["level"] >= 2


@pytest.mark.parametrize(
    ("chance", "level"), [(0.09, 0), (0.1, 1), (0.3, 2), (0.49, 2), (0.5, 3), (1.0, 3), (None, None)]
)
def test_levels_of_the_chance(chance: float | None, level: int | None):
    assert answers(x=listed_level(of(chance), "R-03"))["x"] == level


def test_the_chance_has_a_band(light: LightEngine):
    row = row_of(light, r03, {"seismic": gutenberg_richter(1.0, 2000, -700, 0.9)})
    told = json.loads(row["inputs"])
    assert told["low"] < row["value"] < told["high"]
    assert told["magnitude"] == pytest.approx(2.21)


# ── R-04 ──


@pytest.mark.parametrize(("ratio", "level"), [(1.99, 0), (2.0, 1), (3.0, 2), (4.99, 2), (5.0, 3), (None, None)])
def test_levels_of_strain_release(ratio: float | None, level: int | None):
    assert answers(x=listed_level(of(ratio), "R-04"))["x"] == level


def test_strain_release_by_hand(light: LightEngine):
    """Ten events of 100 J a day: 100 J^½ a day, ratio 1; over 50 m² the stress equivalent is 2."""
    zone = site(seismic_zones=(SeismicZone("F1", area_m2=50.0),))
    row = row_of(light, r04, {"seismic": EVERY}, site=zone)
    assert row["value"] == pytest.approx(1.0, abs=0.05)
    assert json.loads(row["inputs"])["stress_equivalent"] == 2.0
    more = row_of(light, r04, {"seismic": EVERY + [tremor(2000 + n, 0.1 * n - 3, 100.0) for n in range(30)]})
    assert (more["value"] > 3, more["level"], json.loads(more["inputs"])["stress_equivalent"]) == (True, 2, None)


# ── R-05 ──


def with_moments(today: float, last_days: int = 1) -> list[Row]:
    """Energies on a line of the moments; those of the last day radiate `today` times as much."""
    rows = []
    for n in range(300):
        hour = 0.9 - 2.4 * n
        moment = 10 ** (10 + (n % 10) / 10)
        rows.append(tremor(n, hour, 1e-6 * moment * (today if hour > 1 - 24 * last_days else 1), moment_nm=moment))
    return rows


@pytest.mark.parametrize(
    ("scope", "value", "level"), [("", 1.0, 0), ("", 1.01, 2), ("fall", 0.7, 0), ("fall", 0.69, 3), ("", None, None)]
)
def test_levels_of_the_energy_index(scope: str, value: float | None, level: int | None):
    assert answers(x=listed_level(of(value), "R-05", scope))["x"] == level


def test_an_index_that_rises_over_one_is_yellow(light: LightEngine):
    row = row_of(light, r05, {"seismic": with_moments(3.0)})
    assert row["value"] == pytest.approx(3.0, rel=0.2)
    assert row["level"] == 2


def test_a_fall_with_growing_volume_is_orange(light: LightEngine):
    """A third of the energy for the same moments is three times the apparent volume."""
    row = row_of(light, r05, {"seismic": with_moments(0.3)})
    assert json.loads(row["inputs"])["volume_growth"] > 2
    assert (row["value"] < 0.5, row["level"]) == (True, 3)


def test_events_without_a_moment_have_no_index(light: LightEngine):
    row = row_of(light, r05, {"seismic": EVERY})
    assert (row["value"], row["null_reason"]) == (None, "NO_SEISMIC_MOMENT")

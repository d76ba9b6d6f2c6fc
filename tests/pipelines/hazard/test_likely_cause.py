"""Which cause stands first, from literal scenes: a face, its return, a fan, doors and a machine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from literal_mine import MINE_CODE, T0
from test_air_ways import site

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.likely_cause import Cause, CauseInputs, likely_causes, ranked
from minefusion.schemas.gold import CAUSES
from minefusion.schemas.window import Window

# Six hours before the alarm and a quarter of an hour after it, a sample every half minute.
SAMPLES, ALARM = 750, 720
# Point → quantity, roadway, chainage. The face lies between the intake and the return.
POINTS = {
    "FACE_GAS": ("ch4", "FACE", 180.0),
    "RETURN_GAS": ("ch4", "RET", 500.0),
    "FACE_AIR": ("air_velocity", "FACE", 100.0),
    "SHEARER": ("equipment_on", "FACE", 50.0),
    "FAN": ("main_fan", "MAIN", 400.0),
    "BAROMETER": ("pressure", "IN", 10.0),
}


def usual() -> dict[str, np.ndarray]:
    """An ordinary morning in which nothing happens."""
    flicker = 0.01 * np.array([(0, 1, 0, -1)[n % 4] for n in range(SAMPLES)])
    return {
        "FACE_GAS": 0.30 + flicker,
        "RETURN_GAS": 0.30 + flicker,
        "FACE_AIR": 2.0 + flicker,
        "SHEARER": np.zeros(SAMPLES),
        "FAN": np.ones(SAMPLES),
        "BAROMETER": np.full(SAMPLES, 92.0),
    }


def causes_of(light: LightEngine, series: dict[str, np.ndarray], point: str) -> list[dict[str, Any]]:
    """Rows of gold.alarm_cause of one alarm, that of `point` at sample ALARM."""
    first = T0 - timedelta(seconds=30 * ALARM)
    raised_us = int(T0.timestamp()) * 1_000_000
    units = {"ch4": "%", "air_velocity": "m/s", "pressure": "kPa"}
    points = [
        {"mine_code": MINE_CODE, "point_id": code, "quantity": quantity,
         "sensor_type": "0001" if quantity == "ch4" else "", "unit": units.get(quantity),
         "area_id": f"{MINE_CODE}02" if edge == "FACE" else f"{MINE_CODE}03",
         "edge_id": edge, "chainage_m": chainage, "location": code, "period_s": 30.0}
        for code, (quantity, edge, chainage) in POINTS.items()
    ]  # fmt: skip
    at = [int(first.timestamp()) * 1_000_000 + 30_000_000 * n for n in range(SAMPLES)]
    readings = pl.concat(
        pl.DataFrame({"point_id": [code] * SAMPLES, "observed_us": at, "value": values.astype(float)})
        for code, values in series.items()
    ).with_columns(mine_code=pl.lit(MINE_CODE), quality_reasons=pl.lit(""))
    alarms = pl.DataFrame(
        [{"alarm_id": "A", "mine_code": MINE_CODE, "point_id": point, "area_id": f"{MINE_CODE}02", "raised_at": T0}],
        schema_overrides={"raised_at": pl.Datetime("us", "UTC")},
    ).with_columns(raised_us=pl.lit(raised_us))
    health = pl.DataFrame(schema={"mine_code": pl.String, "point_id": pl.String, "hour_us": pl.Int64})

    def lazy(frame: pl.DataFrame) -> nw.LazyFrame:
        return nw.from_native(frame.lazy())

    inputs = CauseInputs(
        lazy(alarms), lazy(readings), lazy(pl.DataFrame(points)), lazy(health), {MINE_CODE: site()},
        Window(T0, T0 + timedelta(minutes=10)), light.grouped,
    )  # fmt: skip
    return sorted(likely_causes(inputs).collect().to_arrow().to_pylist(), key=lambda row: row["rank"])


def risen(series: np.ndarray, begin: int, minutes: float, by: float) -> np.ndarray:
    """The series with gas that comes in by and by."""
    ramp = np.clip((np.arange(SAMPLES) - begin) / (2 * minutes), 0, 1)
    return series + by * ramp


def test_test_gas_at_one_sensor_is_a_calibration(light: LightEngine):
    series = usual()
    series["FACE_GAS"][ALARM - 8 : ALARM - 2] = 0.0
    series["FACE_GAS"][ALARM - 2 : ALARM + 4] = 1.5
    rows = causes_of(light, series, "FACE_GAS")
    assert rows[0]["cause"] == "calibration"
    assert rows[0]["score"] >= 0.8
    assert "方波" in rows[0]["sentence_zh"]
    assert json.loads(rows[0]["evidence"])["height"] == pytest.approx(1.2, abs=0.05)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))


def test_a_lone_jump_that_stays_is_the_sensor(light: LightEngine):
    series = usual()
    series["FACE_GAS"][ALARM - 2 :] += 0.9
    assert causes_of(light, series, "FACE_GAS")[0]["cause"] == "sensor_fault"


def test_a_fan_that_stopped_goes_before_the_gas_that_it_lets_gather(light: LightEngine):
    series = usual()
    series["FAN"][ALARM - 30 : ALARM + 10] = 0
    series["FACE_AIR"][ALARM - 28 : ALARM + 10] = 0.4
    series["FACE_GAS"] = risen(series["FACE_GAS"], ALARM - 24, 10, 0.9)
    series["RETURN_GAS"] = risen(series["RETURN_GAS"], ALARM - 14, 10, 0.9)
    rows = causes_of(light, series, "FACE_GAS")
    assert rows[0]["cause"] == "doors_and_fans"
    assert json.loads(rows[0]["evidence"])["air_fell_by"] == pytest.approx(0.8, abs=0.02)
    assert causes_of(light, series, "RETURN_GAS")[0]["cause"] == "doors_and_fans"


def test_gas_that_was_up_the_air_first_came_from_there_and_that_of_the_face_from_the_face(light: LightEngine):
    """20 m of the face at 2 m/s and 500 m of return at 2 m/s: a bit over four minutes."""
    series = usual()
    series["FACE_GAS"] = risen(series["FACE_GAS"], ALARM - 24, 6, 0.9)
    series["RETURN_GAS"] = risen(series["RETURN_GAS"], ALARM - 15, 6, 0.9)
    rows = causes_of(light, series, "RETURN_GAS")
    assert rows[0]["cause"] == "upstream_source"
    evidence = json.loads(rows[0]["evidence"])
    assert evidence["source"] == "FACE_GAS"
    assert evidence["lead_min"] == pytest.approx(4.5, abs=1)
    assert causes_of(light, series, "FACE_GAS")[0]["cause"] == "local_source"


def test_gas_that_follows_the_cutting_is_production(light: LightEngine):
    """Three cuts of fifty minutes; the coal gives off its gas over a quarter of an hour."""
    series = usual()
    machine = series["SHEARER"]
    for begin in (60, 300, ALARM - 90):
        machine[begin : begin + 100] = 1
    fresh = np.zeros(SAMPLES)
    for n in range(1, SAMPLES):
        fresh[n] = fresh[n - 1] + (machine[n - 1] - fresh[n - 1]) / 30
    series["FACE_GAS"] = series["FACE_GAS"] + 0.6 * fresh
    series["RETURN_GAS"] = series["RETURN_GAS"] + 0.6 * np.concatenate([np.zeros(9), fresh[:-9]])
    assert causes_of(light, series, "FACE_GAS")[0]["cause"] == "production"


def test_a_steep_fall_of_the_barometer_draws_gas(light: LightEngine):
    series = usual()
    series["BAROMETER"] = series["BAROMETER"] - np.clip(np.arange(SAMPLES) - (ALARM - 240), 0, None) / 120 * 0.2
    series["FACE_GAS"] = risen(series["FACE_GAS"], ALARM - 200, 90, 0.9)
    series["RETURN_GAS"] = risen(series["RETURN_GAS"], ALARM - 190, 90, 0.9)
    rows = causes_of(light, series, "FACE_GAS")
    assert rows[0]["cause"] == "barometer"
    assert json.loads(rows[0]["evidence"])["fall_pa_h"] == pytest.approx(200, rel=0.1)


def test_without_evidence_the_answer_is_unclear(light: LightEngine):
    """A rise by and by that nobody else sees, with the air, the machines and the barometer as usual."""
    series = usual()
    series["FACE_GAS"] = risen(series["FACE_GAS"], ALARM - 30, 14, 0.9)
    rows = causes_of(light, series, "FACE_GAS")
    assert rows[0]["cause"] == "unclear"
    assert "不明确" in rows[0]["sentence_zh"]


def test_two_causes_alike_are_unclear_and_one_that_leads_is_not():
    one, two = Cause("production", 0.8, "", ""), Cause("barometer", 0.75, "", "")
    assert [cause.code for cause in ranked([two, one])] == ["unclear", "production", "barometer"]
    assert [cause.code for cause in ranked([Cause("barometer", 0.6, "", ""), one])] == ["production", "barometer"]
    assert [cause.code for cause in ranked([])] == ["unclear"]


def test_every_cause_has_its_words():
    assert all(zh and en for en, zh in CAUSES.values())

"""Sensor health by hour, from literal series of three methane sensors along one return, and from a real series."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from literal_mine import MINE_CODE
from test_air_ways import site

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.sensor_health import HealthInputs, sensor_health
from minefusion.schemas.gold import HEALTH_CHECKS
from minefusion.schemas.settings import PROJECT, Settings
from minefusion.schemas.site import Site
from minefusion.schemas.window import Window

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOURS, PER_HOUR = 5, 120
COUNT = HOURS * PER_HOUR
SENSORS = ("RET_1", "RET_2", "RET_3")
SERIES = PROJECT.parent / "shared" / "data" / "pl_longwall_methane" / "methane_30s.parquet"


def usual() -> dict[str, np.ndarray]:
    """Three sensors in one air that comes and goes, each with a restless last digit; and the air's velocity."""
    rng = np.random.default_rng(7)
    air = 0.40 + 0.08 * np.sin(np.arange(COUNT) / 60)
    found = {name: np.round(air + 0.012 * rng.standard_normal(COUNT), 2) for name in SENSORS}
    return found | {"AIR": np.round(2.0 + 0.03 * rng.standard_normal(COUNT), 2)}


def inputs_of(
    engine: Engine,
    series: dict[str, np.ndarray],
    *,
    marks: dict[str, dict[int, str]] | None = None,
    told: dict[str, datetime] | None = None,
    of_site: Site | None = None,
    sensor_type: str = "0001",
) -> HealthInputs:
    """Samples every half minute from T0; NaN is a record that never came. `marks`: quality reasons by sample."""
    first_us = int(T0.timestamp()) * 1_000_000
    parts, points = [], []
    for number, (code, values) in enumerate(series.items()):
        is_gas = code != "AIR"
        reasons = [(marks or {}).get(code, {}).get(n, "") for n in range(len(values))]
        rows = pl.DataFrame({"n": range(len(values)), "value": values.astype(float), "quality_reasons": reasons})
        parts.append(rows.filter(pl.col("value").is_not_nan()).with_columns(point_id=pl.lit(code)))
        points.append(
            {"mine_code": MINE_CODE, "point_id": code, "quantity": "ch4" if is_gas else "air_velocity",
             "sensor_type": sensor_type if is_gas else "0002", "unit": "%" if is_gas else "m/s",
             "area_id": f"{MINE_CODE}03", "edge_id": "RET", "chainage_m": 100.0 + 120 * number,
             "location": f"{code}测点", "period_s": 30.0, "value_kind": "MN"}
        )  # fmt: skip
    rows = pl.concat(parts).with_columns(
        mine_code=pl.lit(MINE_CODE), observed_us=first_us + 30_000_000 * pl.col("n").cast(pl.Int64)
    )
    window_us = 300_000_000
    means = rows.filter(pl.col("quality_reasons") == "").group_by(
        "mine_code", "point_id", start_us=pl.col("observed_us") // window_us * window_us
    )
    means = means.agg(value_mean=pl.col("value").mean(), readings=pl.len().cast(pl.Int64))
    calibrated = pl.DataFrame(
        [
            {"mine_code": MINE_CODE, "point_id": code, "began_us": int(at.timestamp()) * 1_000_000}
            for code, at in (told or {}).items()
        ],
        schema={"mine_code": pl.String, "point_id": pl.String, "began_us": pl.Int64},
    )

    def frame(data: pl.DataFrame) -> nw.LazyFrame:
        return engine.from_arrow(data.to_arrow(compat_level=pl.CompatLevel.oldest()))

    hours = len(next(iter(series.values()))) // PER_HOUR
    return HealthInputs(
        readings=frame(rows.drop("n")), means=frame(means), points=frame(pl.DataFrame(points)),
        calibrations=frame(calibrated), sites={MINE_CODE: of_site or site()},
        window=Window(T0, T0 + timedelta(hours=hours)), grouped=engine.grouped,
    )  # fmt: skip


def health_of(engine: Engine, series: dict[str, np.ndarray], point: str, **more: Any) -> list[dict[str, Any]]:
    """The rows of one sensor by hour."""
    rows = engine.to_arrow(sensor_health(inputs_of(engine, series, **more))).to_pylist()
    return sorted((row for row in rows if row["point_id"] == point), key=lambda row: row["hour"])


def verdicts(rows: list[dict[str, Any]], check: str) -> list[str]:
    return [row[f"{check}_verdict"] for row in rows]


def test_healthy_sensors_are_in_order(light: LightEngine):
    rows = health_of(light, usual(), "RET_2")
    assert len(rows) == HOURS
    assert {row["verdict"] for row in rows} == {"ok"}
    assert {row["leading_check"] for row in rows} == {None}
    assert rows[-1]["sentence_zh"] == "RET_2测点：仪表正常；正常。"
    assert rows[-1]["sentence_en"] == "Point RET_2: in order; ok."


def test_every_check_has_a_score_and_a_verdict_in_every_row(light: LightEngine):
    for row in health_of(light, usual(), "RET_1"):
        for check in HEALTH_CHECKS:
            assert row[f"{check}_verdict"] in ("ok", "watch", "fault", "unknown")
            assert row[f"{check}_score"] is None or 0 <= row[f"{check}_score"] <= 1
        assert json.loads(row["findings"]) is not None


def test_a_stillness_that_the_neighbours_do_not_share_is_stuck(light: LightEngine):
    series = usual()
    series["RET_2"][3 * PER_HOUR : 4 * PER_HOUR] = series["RET_2"][3 * PER_HOUR]
    assert verdicts(health_of(light, series, "RET_2"), "stuck") == ["ok", "ok", "ok", "fault", "ok"]
    assert set(verdicts(health_of(light, series, "RET_1"), "stuck")) == {"ok"}


def test_a_coarse_sensor_in_still_air_is_not_stuck(light: LightEngine):
    """Steps of 0.1 %: it stands still for hours while it is healthy."""
    series = {name: np.round(0.42 + 0.0 * values, 1) for name, values in usual().items()}
    assert set(verdicts(health_of(light, series, "RET_2"), "stuck")) == {"ok"}


def test_a_jump_of_one_sensor_is_an_offset_until_it_is_back(light: LightEngine):
    series = usual()
    series["RET_2"][2 * PER_HOUR + 30 :] += 0.25
    rows = health_of(light, series, "RET_2")
    assert verdicts(rows, "offset") == ["unknown", "ok", "fault", "fault", "fault"]
    found = json.loads(rows[3]["findings"])[0]
    assert found["check"] == "offset"
    assert found["shift"] == pytest.approx(0.25, abs=0.03)
    assert found["since"].startswith("2026-03-01T02:15")
    assert "突变 +0.2" in rows[3]["sentence_zh"]
    assert set(verdicts(health_of(light, series, "RET_1"), "offset")[1:]) == {"ok"}


def test_a_sensor_that_loses_its_gain_drifts(light: LightEngine):
    series = usual()
    lost = np.clip((np.arange(COUNT) - 1.5 * PER_HOUR) / (2.5 * PER_HOUR), 0, 1)
    series["RET_2"] = np.round(series["RET_2"] * (1 - 0.5 * lost), 2)
    rows = health_of(light, series, "RET_2")
    assert verdicts(rows, "drift")[-1] == "fault"
    assert verdicts(rows, "offset")[-1] == "ok"
    assert "漂移" not in rows[0]["sentence_zh"]


def test_gas_that_all_of_them_see_is_no_fault(light: LightEngine):
    series = usual()
    for number, name in enumerate(SENSORS):
        begin = 3 * PER_HOUR + 4 * number
        series[name][begin : begin + 60] += 1.0
    assert {row["verdict"] for name in SENSORS for row in health_of(light, series, name)} == {"ok"}


def test_test_gas_without_its_flag_is_told_and_with_it_is_not(light: LightEngine):
    series = usual()
    begin = 2 * PER_HOUR + 40
    series["RET_2"][begin : begin + 6] = 0.0
    series["RET_2"][begin + 6 : begin + 11] = 1.5
    rows = health_of(light, series, "RET_2")
    assert verdicts(rows, "calibration") == ["ok", "ok", "fault", "ok", "ok"]
    assert rows[2]["spikes_verdict"] == "ok"
    flagged = health_of(light, series, "RET_2", marks={"RET_2": dict.fromkeys(range(begin, begin + 11), "CALIBRATION")})
    assert set(verdicts(flagged, "calibration")) == {"ok"}


def test_a_calibration_falls_due_after_its_period(light: LightEngine):
    """Catalytic sensors are calibrated every 15 days, laser sensors far less often."""
    told = {"RET_2": T0 - timedelta(days=16)}
    rows = health_of(light, usual(), "RET_2", told=told)
    assert set(verdicts(rows, "calibration")) == {"watch"}
    assert "距上次标校 16 天" in rows[0]["sentence_zh"]
    fresh = health_of(light, usual(), "RET_2", told={"RET_2": T0 - timedelta(days=14)})
    assert set(verdicts(fresh, "calibration")) == {"ok"}
    assert set(verdicts(health_of(light, usual(), "RET_2", told=told, sensor_type="0043"), "calibration")) == {"ok"}


def test_spikes_are_watched_and_many_are_a_fault(light: LightEngine):
    series = usual()
    series["RET_2"][3 * PER_HOUR + 20] = 2.1
    assert verdicts(health_of(light, series, "RET_2"), "spikes")[3] == "watch"
    for n in (40, 60, 80):
        series["RET_2"][3 * PER_HOUR + n] = 2.1
    assert verdicts(health_of(light, series, "RET_2"), "spikes")[3] == "fault"


def test_an_unquiet_sensor_is_noisy(light: LightEngine):
    series = usual()
    hour = slice(3 * PER_HOUR, 4 * PER_HOUR)
    series["RET_2"][hour] += np.round(0.06 * np.random.default_rng(3).standard_normal(PER_HOUR), 2)
    assert verdicts(health_of(light, series, "RET_2"), "noise") in (
        ["unknown", "ok", "ok", "watch", "ok"], ["unknown", "ok", "ok", "fault", "ok"],
    )  # fmt: skip


@pytest.mark.parametrize(("missing", "verdict"), [(0, "ok"), (2, "watch"), (40, "fault"), (PER_HOUR, "fault")])
def test_what_did_not_come_counts(light: LightEngine, missing: int, verdict: str):
    series = usual()
    series["RET_2"][2 * PER_HOUR : 2 * PER_HOUR + missing] = np.nan
    row = health_of(light, series, "RET_2")[2]
    assert row["completeness_verdict"] == verdict
    assert row["completeness_score"] == pytest.approx(missing / PER_HOUR, abs=1e-4)


def test_two_sensors_that_contradict_the_air_have_their_channels_swapped(light: LightEngine):
    """From the face on gas only joins: what is up the air cannot show more than what is down it."""
    series = usual()
    series["RET_3"] = series["RET_3"] * 2.5  # at the end of the road more has come out of the ribs
    of_site = site()
    order = {"FACE_1": 20.0, "FACE_2": 180.0}
    face = {name: series[one] for name, one in zip(order, ("RET_3", "RET_1"), strict=True)}
    inputs = inputs_of(light, face, of_site=of_site)
    points = inputs.points.with_columns(
        nw.lit("FACE").alias("edge_id"),
        nw.when(nw.col("point_id") == "FACE_1").then(nw.lit(20.0)).otherwise(nw.lit(180.0)).alias("chainage_m"),
    )
    swapped = HealthInputs(**{**vars(inputs), "points": points})
    rows = light.to_arrow(sensor_health(swapped)).to_pylist()
    assert {row["swapped_verdict"] for row in rows if row["hour"] >= T0 + timedelta(hours=1)} == {"fault"}


def test_a_mine_without_a_site_file_is_judged_by_samples_alone(light: LightEngine):
    series = usual()
    series["RET_2"][3 * PER_HOUR : 4 * PER_HOUR] = series["RET_2"][3 * PER_HOUR]
    inputs = HealthInputs(**{**vars(inputs_of(light, series)), "sites": {MINE_CODE: None}})
    rows = [row for row in light.to_arrow(sensor_health(inputs)).to_pylist() if row["point_id"] == "RET_2"]
    assert {row["drift_verdict"] for row in rows} == {"unknown"}
    assert [row["stuck_verdict"] for row in sorted(rows, key=lambda row: row["hour"])][3] == "fault"


def test_rows_do_not_depend_on_how_time_is_cut(light: LightEngine):
    series = usual()
    series["RET_2"][2 * PER_HOUR + 30 :] += 0.25
    inputs = inputs_of(light, series)
    whole = light.to_arrow(sensor_health(inputs)).to_pylist()
    last = HealthInputs(**{**vars(inputs), "window": Window(T0 + timedelta(hours=4), T0 + timedelta(hours=5))})
    alone = light.to_arrow(sensor_health(last)).to_pylist()
    assert alone == [row for row in whole if row["hour"] == T0 + timedelta(hours=4)]


@pytest.mark.usefixtures("spark")
def test_spark_gives_the_same_rows(light: LightEngine, settings: Settings):
    from minefusion.pipelines.engines.spark import SparkEngine

    series = {name: values[: 3 * PER_HOUR] for name, values in usual().items()}
    series["RET_2"] = np.where(np.arange(3 * PER_HOUR) >= 1.5 * PER_HOUR, series["RET_2"] + 0.25, series["RET_2"])
    both = []
    for engine in (light, SparkEngine(settings)):
        rows = engine.to_arrow(sensor_health(inputs_of(engine, series))).to_pylist()
        both.append(sorted(rows, key=lambda row: (row["point_id"], row["hour"])))
    assert both[0] == both[1]


@pytest.mark.skipif(
    not SERIES.is_file(),
    reason=f"the measured series is not here: put {SERIES.name} into ../shared/data/pl_longwall_methane",
)
def test_a_real_sensor_in_coarse_steps_is_not_thrown_out(light: LightEngine):
    """Naively, range 0 over half an hour, a quarter of the good half hours of this series would be stuck."""
    table = pl.read_parquet(SERIES)["MM116"].to_numpy()
    halves = table[: len(table) // 60 * 60].reshape(-1, 60)
    naive = float(np.mean(np.ptp(halves, axis=1) == 0))
    assert naive == pytest.approx(0.27, abs=0.005)
    rows = health_of(light, {"MM116": table}, "MM116")
    assert sum(row["stuck_verdict"] == "fault" for row in rows) <= 0.03 * len(rows)

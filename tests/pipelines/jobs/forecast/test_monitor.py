"""Forecasts beside readings, with answers worked out by hand."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from minefusion.pipelines.jobs.forecast.monitor import health_of_mine
from minefusion.schemas.gold import MODEL_FAULTS, QUANTILES

HOUR_US = 3_600_000_000


def minutes(count: int, *, first: int = 0, **columns: object) -> pl.DataFrame:
    """A forecast a minute of 0.50 %, interval 0.45 to 0.55; the last good value was 0.60, the reading comes as 0.50."""
    told = {
        "mine_code": "m", "point_id": "p", "horizon_min": 10, "model_version": "1", "base_pct": 0.60,
        "low_pct": 0.45, "high_pct": 0.55, "is_out_of_range": False, "value": 0.50,
    } | dict.fromkeys(QUANTILES, 0.50) | columns  # fmt: skip
    rows = pl.DataFrame({"target_us": [(first + n) * 60_000_000 for n in range(count)]})
    floats = {"base_pct", "low_pct", "high_pct", "value", *QUANTILES}
    return rows.with_columns(
        pl.lit(value, dtype=pl.Float64 if name in floats else None).alias(name) for name, value in told.items()
    )


def health(*parts: pl.DataFrame) -> pl.DataFrame:
    rows = pl.concat(parts, how="diagonal").to_arrow()
    return pl.DataFrame(pl.from_arrow(health_of_mine(pa.table(rows)))).sort("hour")


def last(*parts: pl.DataFrame) -> dict[str, object]:
    return health(*parts).row(-1, named=True)


def test_worked_example():
    found = last(minutes(60), minutes(60, first=60, value=0.58))
    assert found["forecasts"] == 120
    assert found["mae_pct"] == pytest.approx(0.04)
    assert found["persistence_mae_pct"] == pytest.approx((0.10 + 0.02) / 2)
    # A loss of level·error below the truth, mean over the levels (whose mean is 0.5).
    assert found["pinball_pct"] == pytest.approx(0.5 * 0.08 / 2, abs=1e-6)
    assert found["interval_held"] == 0.5
    assert (found["faults"], found["is_degraded"]) == ("COVERAGE", True)


def test_the_day_ends_with_its_hour():
    found = health(minutes(30 * 60))
    assert found["forecasts"].to_list() == [60 * min(hour + 1, 24) for hour in range(30)]
    assert not found["is_degraded"].any()


@pytest.mark.parametrize(
    ("columns", "faults"),
    [
        ({"value": 0.60}, "ERROR,COVERAGE"),
        ({"value": 0.60, "high_pct": 0.70}, "ERROR"),
        ({"is_out_of_range": True}, "DRIFT"),
        (dict.fromkeys((*QUANTILES, "base_pct", "low_pct", "high_pct", "is_out_of_range")), "MISSING"),
        ({"value": None}, ""),  # no reading came: nothing to judge
        ({}, ""),
    ],
)
def test_each_fault_is_told(columns: dict[str, object], faults: str):
    found = last(minutes(180, **columns))
    assert found["faults"] == faults
    assert found["is_degraded"] == (faults != "")
    for code in filter(None, faults.split(",")):
        assert MODEL_FAULTS[code][0] in str(found["sentence_zh"])
        assert MODEL_FAULTS[code][1] in str(found["sentence_en"])


def test_few_readings_judge_nothing():
    assert last(minutes(50, value=0.9, is_out_of_range=True))["faults"] == ""
    assert last(minutes(100, value=0.9, is_out_of_range=True))["faults"] == "DRIFT"


def test_a_version_answers_for_its_own():
    """After a change of the champion, the old one's errors are not the new one's."""
    found = last(minutes(180, value=0.9), minutes(180, first=180, model_version="2"))
    assert (found["model_version"], found["forecasts"], found["faults"]) == ("2", 180, "")

"""Two ordinary days beside a measured longwall: the simulated gas remembers and surprises as much as the real one."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from minefusion.pipelines.simulate.run import run_mine
from minefusion.pipelines.simulate.scenario import load_scenario
from minefusion.schemas.settings import PROJECT

SERIES = PROJECT.parent / "shared" / "data" / "pl_longwall_methane" / "methane_30s.parquet"
# Steps of 30 s at which the two are compared.
LAGS = {"30 s": 1, "3 min": 6, "6 min": 12, "30 min": 60}
AHEAD = {"3 min": 6, "10 min": 20, "30 min": 60, "60 min": 120}

pytestmark = pytest.mark.skipif(
    not SERIES.is_file(),
    reason=f"the measured series is not here: put {SERIES.name} into ../shared/data/{SERIES.parent.name}",
)


def memory(value: np.ndarray, lag: int) -> float:
    off = value - value.mean()
    return float((off[:-lag] * off[lag:]).mean() / (off * off).mean())


def surprise(value: np.ndarray, steps: int) -> float:
    """Mean absolute error of saying that nothing changes, as a share of the mean."""
    return float(np.abs(value[steps:] - value[:-steps]).mean() / value.mean())


@pytest.fixture(scope="module")
def measured():
    return pl.read_parquet(SERIES).filter(pl.col("official_split") == "train")["MM116"].to_numpy()


@pytest.fixture(scope="module")
def simulated():
    """The air at a return corner over three days, of two mines."""
    found = []
    for seed in (1, 2):
        run = run_mine(
            load_scenario("ordinary_days"), seconds=3 * 86_400.0, seed=seed, start=datetime(2026, 3, 1, tzinfo=UTC),
            roadways=20, people=0,
        )  # fmt: skip
        number = next(n for n, p in enumerate(run.instruments.points) if "回风隅角T0甲烷" in p.location)
        found.append(run.observed.true[::3, number])
    return found


def test_autocorrelation_lies_within_a_fifth_of_the_measured_one(measured, simulated):
    for name, lag in LAGS.items():
        ours = np.mean([memory(value, lag) for value in simulated])
        assert ours == pytest.approx(memory(measured, lag), rel=0.2), name


def test_persistence_is_as_wrong_as_on_the_measured_series(measured, simulated):
    for name, steps in AHEAD.items():
        ours = np.mean([surprise(value, steps) for value in simulated])
        assert ours == pytest.approx(surprise(measured, steps), rel=0.2), name

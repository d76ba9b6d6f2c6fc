"""Sensor health and likely causes on simulated shifts, through all jobs, against the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from minefusion.cli.evaluate import numbers
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.evaluate.alarm_cause import SHIFTS, first_causes
from minefusion.pipelines.jobs.evaluate.sensor_health import CHECKS, Score, _meets, scored
from minefusion.pipelines.jobs.evaluate.simulated import TrueFault, built
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import gold
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import load_settings

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    """Ten hours of poor sensors, built once; a second run of the job must change nothing."""
    settings = load_settings(lake=tmp_path_factory.mktemp("evaluate"))
    jobs = ("conform", "sensor_health")
    with built(settings, "sensor_faults", hours=10, seed=203, jobs=jobs, roadways=30, people=5) as run:
        found = {score.check: score for score in scored(run)}
        again = run_job(run.engine, "sensor_health")
        assert [table.changed for table in again] == [0]
        rows = collected(run.engine, run.engine.read(gold.SENSOR_HEALTH))
        assert rows.select(gold.SENSOR_HEALTH.key).is_unique().all()
        assert rows.select(pl.col("sentence_zh", "sentence_en").is_null().any()).row(0) == (False, False)
    return found


@pytest.mark.parametrize("check", ["completeness", "stuck", "offset", "calibration", "spikes"])
def test_what_went_wrong_is_found_and_little_else(scores: dict[str, Score], check: str):
    score = scores[check]
    assert score.faults >= 2
    assert score.recall is not None
    assert score.precision is not None
    assert score.recall >= 0.75
    assert score.precision >= 0.75


def test_every_check_is_scored(scores: dict[str, Score]):
    assert tuple(scores) == CHECKS
    assert all(0 <= score.right <= score.findings and score.found <= score.faults for score in scores.values())


@pytest.mark.parametrize("name", ["fan_stop", "calibration"])
def test_the_one_true_cause_stands_first(name: str, tmp_path):
    first = first_causes(load_settings(lake=tmp_path), SHIFTS[name], seed=203)
    assert first.total() >= 3
    assert sum(first[cause] for cause in SHIFTS[name].causes) >= 0.8 * first.total()


def test_scores_add_up_and_say_nothing_of_nothing():
    both = Score("stuck", 4, 1, 3, 5, 4) + Score("stuck", 6, 0, 6, 5, 5)
    assert (both.recall, both.precision) == (0.9, 0.9)
    assert (Score("stuck", 0, 0, 0, 0, 0).recall, Score("stuck", 0, 0, 0, 0, 0).precision) == (None, None)


def test_a_finding_is_right_in_the_hours_of_its_fault_and_a_level_in_the_hour_after():
    fault = TrueFault("stuck", "P", T0, T0 + timedelta(minutes=50))
    hour = timedelta(hours=1)
    assert _meets(fault, T0, T0 + hour, "stuck")
    assert not _meets(fault, T0 + hour, T0 + 2 * hour, "stuck")
    assert _meets(fault, T0 + hour, T0 + 2 * hour, "offset")
    assert _meets(TrueFault("drift", "P", T0, None), T0 + 9 * hour, T0 + 10 * hour, "drift")
    assert not _meets(fault, T0 - hour, T0, "stuck")


def test_seeds_are_numbers_or_spans_of_them():
    assert numbers("3,5") == [3, 5]
    assert numbers("101-103, 7") == [101, 102, 103, 7]
    with pytest.raises(InputError, match="expected seeds as 101-108"):
        numbers("a-b")

"""The gold runner: what is due, in which pieces, by which definitions; and that its cut does not show."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import (
    MINE,
    T0,
    at,
    copied,
    definitions,
    exchange_files,
    point_code,
    rows_of,
    same_but_for_arrival,
    values,
)

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs import due
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import gold, silver
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

# When and in which pieces they run is tested here, in dozens of builds; a few indices of each cadence will do.
pytestmark = pytest.mark.usefixtures("some_indices")

A, B = point_code(1), point_code(2)
OTHER = "620000000002"
OTHERS_POINT = f"{OTHER}01MN0001001A01"


def take(engine: LightEngine, landing: Path, selection: str | None = None, **more: Any) -> int:
    ingest(engine.settings, landing, engine=engine)
    return sum(built.changed for built in build(engine, selection=selection, **more))


def feed(folder: Path, first: int, last: int, value: float = 0.2, **more: Any) -> None:
    for minute in range(first, last):
        values(folder, minute, {A: value}, **more)


def minutes_of(engine: LightEngine, mine: str = MINE) -> list[int]:
    """Minutes after T0 that the fused table has for a mine."""
    rows = rows_of(engine, gold.AREA_MINUTE).filter(pl.col("mine_code") == mine)
    return sorted({round((minute - T0) / timedelta(minutes=1)) for minute in rows["minute"]})


def gas_alarms(engine: LightEngine) -> list[tuple[float, float | None, float]]:
    """Minutes raised and cleared, and the peak."""
    rows = rows_of(engine, gold.ALARM).filter(pl.col("kind") == "G-01").sort("raised_at")
    minute = timedelta(minutes=1)
    return [
        (
            (row["raised_at"] - T0) / minute,
            None if row["cleared_at"] is None else (row["cleared_at"] - T0) / minute,
            row["peak_value"],
        )
        for row in rows.iter_rows(named=True)
    ]


@pytest.fixture(scope="module")
def one_go(
    shift: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
    some_indices: None,  # noqa: ARG001
) -> LightEngine:
    """The shift, through gold in one go."""
    engine = LightEngine(load_settings(lake=tmp_path_factory.mktemp("one_go") / "lake"))
    take(engine, shift[0])
    return engine


# ── the cut does not show ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_build_changes_nothing_and_keeps_every_version(one_go: LightEngine):
    tables = (silver.READING, gold.HAZARD_INDEX, gold.ALARM, gold.AREA_MINUTE, gold.DATA_QUALITY)
    before = [one_go.part(table).version for table in tables]
    assert sum(built.changed for built in build(one_go)) == 0
    assert [one_go.part(table).version for table in tables] == before


def test_gold_built_as_the_files_come_is_gold_built_at_once(
    one_go: LightEngine, engines: Callable[[str], LightEngine], shift: tuple[Path, Path], landing: Path
):
    """In order, with some files late."""
    chance = random.Random(7)
    files = sorted(exchange_files(shift[0]), key=lambda path: path.name.split("_")[-1])
    late = chance.sample(files, 40)
    rounds = [
        [file for file in files[start::1][: len(files) // 4] if file not in late]
        for start in range(0, len(files), len(files) // 4)
    ]
    copied(shift[0].glob("*.site.yaml"), landing)
    engine = engines("step by step")
    for number, some in enumerate([*rounds, late]):
        copied(some, landing)
        take(engine, landing)
        if number == 2:
            assert take(engine, landing) == 0
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}


def test_gold_is_rebuilt_from_bronze_alone(
    one_go: LightEngine, engines: Callable[[str], LightEngine], monkeypatch: pytest.MonkeyPatch
):
    """In smaller pieces, too."""
    monkeypatch.setattr(due, "PIECE", timedelta(minutes=17))
    engine = engines("rebuilt")
    for kept in ("bronze", "sites"):
        shutil.copytree(one_go.settings.lake / kept, engine.settings.lake / kept)
    build(engine)
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}
    assert differences(one_go.settings.lake, engine.settings.lake, tables=[gold.DATA_QUALITY]) == {}


@pytest.mark.parametrize("job", ["hazard_index", "alarm", "area_minute", "data_quality"])
def test_a_span_computed_again_is_the_same_and_no_revision_is_raised(one_go: LightEngine, job: str):
    start = rows_of(one_go, gold.AREA_MINUTE)["minute"].min()
    for first, last in ((0, 60), (13, 31), (-600, 600)):
        window = Window(start + timedelta(minutes=first), start + timedelta(minutes=last))
        assert [built for built in run_gold(one_go, job, window=window) if built.changed] == []


def test_a_span_that_lost_rows_gets_them_back(one_go: LightEngine, engines: Callable[[str], LightEngine]):
    from deltalake import DeltaTable

    engine = engines("lost")
    shutil.copytree(one_go.settings.lake, engine.settings.lake, dirs_exist_ok=True)
    DeltaTable(engine.uri(gold.AREA_MINUTE)).delete()
    start = rows_of(one_go, gold.AREA_MINUTE)["minute"].min()
    build(engine, selection="gold", window=Window(start, start + timedelta(hours=2)))
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}


# ── which minutes ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_short_silence_has_rows_and_a_long_one_has_none(engines: Callable[[str], LightEngine], landing: Path):
    engine = engines("as it comes")
    for first, last in ((0, 3), (40, 42), (300, 302)):
        feed(landing, first, last)
        take(engine, landing)
    assert minutes_of(engine) == [*range(42), 300, 301]
    take(engines("at once"), landing)
    assert same_but_for_arrival(engines("at once").settings.lake, engine.settings.lake) == {}


def test_late_data_moves_what_follows_from_it_and_raises_its_revision(light: LightEngine, landing: Path):
    feed(landing, 0, 30)
    take(light, landing)
    values(landing, 10.5, {A: 0.35}, sent=31)
    take(light, landing)
    rows = rows_of(light, gold.AREA_MINUTE).filter(pl.col("area_id") == "unplaced")
    revised = {
        round((row["minute"] - T0) / timedelta(minutes=1)): row["revision"] for row in rows.iter_rows(named=True)
    }
    assert revised[9] == 0
    assert revised[10] == 1


def test_an_alarm_job_does_not_run_ahead_of_the_indices(light: LightEngine, landing: Path):
    """An index job that failed leaves its batches to be done; alarms wait for them."""
    feed(landing, 0, 5, value=1.2)
    take(light, landing, "conform,alarm,area_minute")
    assert rows_of(light, gold.ALARM).height == rows_of(light, gold.AREA_MINUTE).height == 0
    take(light, landing)
    assert [raised for raised, _, _ in gas_alarms(light)] == [1.0]


# ── alarms over time ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alarm_that_lasts_over_many_builds_is_one_row(engines: Callable[[str], LightEngine], landing: Path):
    engine = engines("as it comes")
    definitions(landing, 0, {"point_code": A})
    for first, last, value in ((0, 10, 0.3), (10, 150, 1.2), (150, 290, 1.7), (290, 295, 0.3)):
        feed(landing, first, last, value)
        take(engine, landing)
    # One-minute values: each stands for its own period, so the first under the limit closes it.
    assert [(raised, peak) for raised, _, peak in gas_alarms(engine)] == [(11.0, 1.7)]
    assert gas_alarms(engine)[0][1] is not None
    take(engines("at once"), landing)
    assert same_but_for_arrival(engines("at once").settings.lake, engine.settings.lake) == {}


def test_a_point_silent_above_its_limit_keeps_its_level_for_hours(engines: Callable[[str], LightEngine], landing: Path):
    engine = engines("as it comes")
    definitions(landing, 0, {"point_code": A}, {"point_code": B})
    for minute in range(6):
        values(landing, minute, {A: 1.2, B: 0.1})
    take(engine, landing)
    for first, last in ((6, 120), (120, 200), (200, 260)):
        for minute in range(first, last):
            values(landing, minute, {B: 0.1})
        take(engine, landing)
    rows = rows_of(engine, gold.HAZARD_INDEX).filter(pl.col("index_id") == "G-01", pl.col("point_id") == A)
    last = rows.filter(pl.col("window_start") == at(259)).to_dicts()[0]
    assert (last["level"], last["value"], last["null_reason"]) == (3, None, "NO_DATA")
    assert [cleared for _, cleared, _ in gas_alarms(engine)] == [None]
    take(engines("at once"), landing)
    assert same_but_for_arrival(engines("at once").settings.lake, engine.settings.lake) == {}


def test_an_alarm_open_at_the_end_of_a_recomputed_span_keeps_its_end(light: LightEngine, landing: Path):
    definitions(landing, 0, {"point_code": A})
    feed(landing, 0, 10)
    feed(landing, 10, 90, value=1.3)
    feed(landing, 90, 100)
    take(light, landing)
    before = gas_alarms(light)
    assert before[0][1] is not None
    built = run_gold(light, "alarm", window=Window(at(0), at(30)))
    assert [each.changed for each in built] == [0]
    assert gas_alarms(light) == before


def test_a_new_limit_does_not_rewrite_what_was(engines: Callable[[str], LightEngine], landing: Path):
    engine = engines("as it comes")
    definitions(landing, 0, {"point_code": A, "alarm_high": 0.5, "cutoff_high": 0.5, "restore_high": 0.5})
    feed(landing, 0, 10, 0.3)
    feed(landing, 10, 20, 0.7)
    feed(landing, 20, 30, 0.3)
    take(engine, landing)
    assert [raised for raised, _, _ in gas_alarms(engine)] == [11.0]
    definitions(landing, 40, {"point_code": A, "alarm_high": 0.9, "cutoff_high": 0.9, "restore_high": 0.9})
    feed(landing, 30, 60, 0.7)
    take(engine, landing)
    raised = [raised for raised, _, _ in gas_alarms(engine)]
    assert raised[0] == 11.0
    take(engines("at once"), landing)
    assert same_but_for_arrival(engines("at once").settings.lake, engine.settings.lake) == {}


# ── mines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two_mines(landing: Path) -> Path:
    feed(landing, 0, 10)
    for minute in range(5, 20):
        values(landing, minute, {OTHERS_POINT: 0.4}, mine=OTHER)
    return landing


def test_each_mine_has_its_own_minutes_and_its_own_progress(light: LightEngine, two_mines: Path):
    take(light, two_mines, mines=[MINE])
    assert minutes_of(light) == list(range(10))
    assert minutes_of(light, OTHER) == []
    assert take(light, two_mines, mines=[MINE]) == 0
    before = light.rows_read
    build(light, mines=[MINE])
    assert light.rows_read == before  # what was done is not looked at again
    take(light, two_mines)  # all mines
    assert (minutes_of(light), minutes_of(light, OTHER)) == (list(range(10)), list(range(5, 20)))
    assert take(light, two_mines, mines=[OTHER]) == 0


def test_a_failing_mine_leaves_the_other_complete(light: LightEngine, two_mines: Path, monkeypatch: pytest.MonkeyPatch):
    from minefusion.pipelines.jobs import gold_inputs

    take(light, two_mines, "conform")
    real = gold_inputs.sites_of

    def sites_of(settings: Any, mines: Any) -> Any:
        if OTHER in mines:
            raise ValueError(f"the feed of {OTHER} is broken")
        return real(settings, mines)

    with monkeypatch.context() as patched:
        patched.setattr(gold_inputs, "sites_of", sites_of)
        with pytest.raises(ValueError, match=OTHER):
            build(light, selection="gold", mines=[OTHER])
        build(light, selection="gold", mines=[MINE])
    assert (minutes_of(light), minutes_of(light, OTHER)) == (list(range(10)), [])
    build(light, selection="gold", mines=[OTHER])
    assert minutes_of(light, OTHER) == list(range(5, 20))


# ── the future, and cost ────────────────────────────────────────────────────────────────────────────────────────────


def test_gold_never_sees_the_future(engines: Callable[[str], LightEngine], landing: Path):
    """What was computed when only the past was known is not changed by what came after."""
    definitions(landing, 0, {"point_code": A})
    chance = random.Random(11)
    for minute in range(40):
        values(landing, minute, {A: round(chance.uniform(0.2, 1.4), 2)})
    engine = engines("past")
    take(engine, landing)
    before = gold_rows_until(engine, at(39))
    for minute in range(40, 80):
        values(landing, minute, {A: round(chance.uniform(0.2, 3.4), 2)})
    take(engine, landing)
    assert gold_rows_until(engine, at(39)).equals(before)


def gold_rows_until(engine: LightEngine, end: datetime) -> pl.DataFrame:
    """Index rows whose window was over by then."""
    return rows_of(engine, gold.HAZARD_INDEX).filter(pl.col("window_end") <= end).drop("computed_at")


MINUTES = "hazard_index,alarm,area_minute,data_quality"


def test_cost_follows_what_is_new_and_not_the_history(engines: Callable[[str], LightEngine], landing: Path):
    """The slow indices are left out: a month of medians is what they are for."""
    read = {}
    for days in (1, 10):
        engine, folder = engines(f"{days}"), landing / f"{days}"
        folder.mkdir()
        definitions(folder, -days * 1440, {"point_code": A})
        for day in range(days):
            feed(folder, (day - days) * 1440, (day - days) * 1440 + 3)
        take(engine, folder)
        feed(folder, 0, 1)
        take(engine, folder, "conform")
        before = engine.rows_read
        assert sum(built.changed for built in build(engine, selection=MINUTES)) > 0
        read[days] = engine.rows_read - before
    assert read[10] <= 1.2 * read[1]

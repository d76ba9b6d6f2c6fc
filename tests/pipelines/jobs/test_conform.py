"""Silver: one row per key whatever the order of arrival, judged by the definition of its own time."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

A, B, CO = point_code(1), point_code(2), point_code(3, "0004")


def take(engine: LightEngine, landing: Path, **more: Any) -> int:
    """Ingest and conform; how many rows of silver changed."""
    ingest(engine.settings, landing, engine=engine)
    return sum(built.changed for built in conform(engine, **more))


def readings(engine: LightEngine, *columns: str) -> list[tuple[Any, ...]]:
    rows = rows_of(engine, silver.READING)
    minute = ((pl.col("observed_at") - T0).dt.total_seconds() / 60).alias("minute")
    return list(rows.select(minute, *columns).iter_rows())


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reading_has_utc_time_unit_quality_and_place(light: LightEngine, landing: Path):
    definitions(
        landing, 0, {"point_code": A}, {"point_code": CO, "sensor_type_code": "0004", "unit": "%", "range_high": 1}
    )
    values(landing, 0, {A: 0.42, CO: 0.0024})
    assert take(light, landing) > 0
    gas, co = rows_of(light, silver.READING).to_dicts()
    assert (gas["observed_at"], gas["value"], gas["unit"], gas["quality"]) == (T0, 0.42, "%", "GOOD")
    assert (co["value"], co["unit"], co["quantity"]) == (24.0, "ppm", "co")  # sent in percent
    assert gas["area_id"] == "unplaced"  # no site file: listed, never dropped
    assert take(light, landing) == 0


def test_values_without_a_definition_are_not_left_out(light: LightEngine, landing: Path):
    values(landing, 0, {A: 1.2})
    take(light, landing)
    point = rows_of(light, silver.POINT).to_dicts()[0]
    assert (point["is_defined"], point["quantity"], point["alarm"]) == (False, "ch4", 1.0)  # by the code's type
    assert readings(light, "value", "quality") == [(0.0, 1.2, "GOOD")]


def test_of_a_value_sent_twice_the_one_sent_last_counts(light: LightEngine, landing: Path):
    values(landing, 0, {A: 0.5}, sent=3)
    values(landing, 0, {A: 0.4}, sent=2)
    take(light, landing)
    values(landing, 0, {A: 0.3}, sent=1)  # comes last, was sent first
    take(light, landing)
    assert readings(light, "value") == [(0.0, 0.5)]


def test_late_data_moves_what_it_belongs_to(light: LightEngine, landing: Path):
    values(landing, 10, {A: 0.2})
    values(landing, 12, {A: 0.4})
    take(light, landing)
    before = rows_of(light, silver.READING_5MIN).to_dicts()
    values(landing, 11, {A: 0.9}, sent=90)  # an outage later
    take(light, landing)
    after = rows_of(light, silver.READING_5MIN).to_dicts()
    assert [(row["value_max"], row["readings"]) for row in before] == [(0.4, 2)]
    assert [(row["value_max"], row["readings"]) for row in after] == [(0.9, 3)]


def test_gas_over_range_counts_as_the_end_of_the_range(light: LightEngine, landing: Path):
    """A feed that climbs through 4 % and saturates for two hours is never hidden."""
    definitions(landing, -1, {"point_code": A})
    for minute in range(0, 140, 2):
        if minute < 10:
            values(landing, minute, {A: 3 + minute / 10})
        else:  # the instrument says "over range" and gives its end, less than its end, or nothing
            told = (4.0, 0.0, "")[minute // 2 % 3]
            values(landing, minute, {A: told}, status=8)
    take(light, landing)
    saturated = rows_of(light, silver.READING).filter(pl.col("observed_at") >= at(10))
    assert saturated["value"].min() == 4.0
    assert set(saturated["quality"]) == {"SUSPECT"}
    assert set(saturated["quality_reasons"]) == {"SATURATED"}


def test_reported_statistics_stand_beside_the_recomputed_ones(light: LightEngine, landing: Path):
    for minute, value in ((0, 0.2), (2, 0.6), (4, 0.4)):
        values(landing, minute, {A: value, B: value})
    told = {"sensor_type_name": "甲烷", "unit": "%", "begin_time": at(0), "end_time": at(5), "data_time": at(5)}
    told |= {"min_value": 0.2, "avg_value": 0.4, "max_time": at(2), "min_time": at(0)}
    rows = [told | {"point_code": A, "max_value": 0.6}, told | {"point_code": B, "max_value": 0.5}]
    write_file(landing, "TJSJ", MINE, "示范煤矿", at(5), rows)
    take(light, landing)
    a, b = rows_of(light, silver.READING_5MIN).to_dicts()
    assert (a["value_max"], a["value_min"], a["value_mean"], a["readings"]) == (0.6, 0.2, 0.4, 3)
    assert (a["reported_max"], a["finding"]) == (0.6, None)
    assert (b["reported_max"], b["finding"]) == (0.5, "OUTSIDE_REPORTED")


# ── definitions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_is_judged_by_the_definition_of_its_own_time(light: LightEngine, landing: Path):
    definitions(landing, 0, {"point_code": A, "range_high": 4})
    values(landing, 1, {A: 4.0})
    take(light, landing)
    definitions(landing, 30, {"point_code": A, "range_high": 10, "location": "1101综采工作面回风巷T2"})
    values(landing, 31, {A: 4.0})
    take(light, landing)
    assert readings(light, "quality_reasons") == [(1.0, "SATURATED"), (31.0, "")]
    point = rows_of(light, silver.POINT).to_dicts()[0]
    assert (point["range_high"], point["gas_class"]) == (10.0, "LW_RETURN_T2")
    assert rows_of(light, silver.DEFINITION).height == 2


def test_a_definition_that_says_nothing_new_changes_nothing(light: LightEngine, landing: Path):
    definitions(landing, 0, {"point_code": A})
    take(light, landing)
    definitions(landing, 60, {"point_code": A})
    assert take(light, landing) == 0


def test_a_definition_that_comes_late_reworks_what_it_is_about(light: LightEngine, landing: Path):
    """Values come first; then their definition, and then one that was sent between."""
    for minute in (0, 40, 80):
        values(landing, minute, {A: 4.0})
    take(light, landing)
    assert [reasons for _, reasons in readings(light, "quality_reasons")] == ["", "", ""]
    definitions(landing, 10, {"point_code": A, "range_high": 4})
    take(light, landing)
    assert [reasons for _, reasons in readings(light, "quality_reasons")] == ["SATURATED"] * 3
    definitions(landing, 70, {"point_code": A, "range_high": 10})
    take(light, landing)
    assert [reasons for _, reasons in readings(light, "quality_reasons")] == ["SATURATED", "SATURATED", ""]
    assert rows_of(light, silver.REWORKED).height == 2


def test_what_was_told_again_behind_a_late_interruption_is_found_again(
    engines: Callable[[str], LightEngine], landing: Path
):
    """A at 0, A at 60, then B of 30 comes: B holds from 30 to 60 only."""
    engine = engines("lake")
    values(landing, 90, {A: 4.0})
    definitions(landing, 0, {"point_code": A, "range_high": 4})
    definitions(landing, 60, {"point_code": A, "range_high": 4})
    take(engine, landing)
    definitions(landing, 30, {"point_code": A, "range_high": 10})
    take(engine, landing)
    assert rows_of(engine, silver.DEFINITION)["valid_from"].to_list() == [at(0), at(30), at(60)]
    take(engines("at once"), landing)
    assert same_but_for_arrival(engine.settings.lake, engines("at once").settings.lake) == {}


# ── order, batches, rebuilds ────────────────────────────────────────────────────────────────────────────────────────


def test_a_simulated_shift_gets_its_true_places(light: LightEngine, shift: tuple[Path, Path]):
    landing, truth = shift
    take(light, landing)
    places = pl.read_csv(truth / "places.csv", schema_overrides={"code": pl.String, "area_id": pl.String})
    for table, code, what in ((silver.POINT, "point_id", "point"), (silver.STATION, "station_code", "station")):
        found = rows_of(light, table).join(places.filter(pl.col("what") == what), left_on=code, right_on="code")
        right = (pl.col("area_id") == pl.col("area_id_right")) & (pl.col("edge_id") == pl.col("edge_id_right"))
        assert found.height > 0
        assert found.select(right.mean()).item() >= 0.99
    fixes = pl.read_parquet(truth / "fixes.parquet")
    found = rows_of(light, silver.POSITION).filter(pl.col("in_out_flag") == 1)
    found = found.join(fixes, on=["card_code", "observed_at"])
    right = (pl.col("area_id") == pl.col("area_id_right")) & (pl.col("edge_id") == pl.col("edge_id_right"))
    assert found.height > 0
    assert found.select(right.mean()).item() >= 0.99


@pytest.fixture(scope="module")
def one_go(shift: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    """The shift in one go."""
    engine = LightEngine(load_settings(lake=tmp_path_factory.mktemp("one_go") / "lake"))
    take(engine, shift[0])
    return engine


@given(seed=st.integers(0, 2**32 - 1), rounds=st.integers(2, 4))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_silver_does_not_depend_on_the_order_of_arrival(
    shift: tuple[Path, Path], one_go: LightEngine, tmp_path: Path, seed: int, rounds: int
):
    chance = random.Random(seed)
    files = list(exchange_files(shift[0]))
    chance.shuffle(files)
    base = tmp_path / f"{seed}-{rounds}"
    shutil.rmtree(base, ignore_errors=True)
    (base / "landing").mkdir(parents=True)
    copied(shift[0].glob("*.site.yaml"), base / "landing")
    engine = LightEngine(load_settings(lake=base / "lake", batch_files=chance.randint(20, 400)))
    for part in range(rounds):
        copied(files[part::rounds], base / "landing")
        take(engine, base / "landing")
        assert take(engine, base / "landing") == 0
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}


def test_silver_is_rebuilt_from_bronze_alone(one_go: LightEngine, engines: Callable[[str], LightEngine]):
    engine = engines("rebuilt")
    for kept in ("bronze", "sites"):
        shutil.copytree(one_go.settings.lake / kept, engine.settings.lake / kept)
    conform(engine)
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}


def test_a_span_worked_out_anew_is_the_same(one_go: LightEngine, engines: Callable[[str], LightEngine]):
    engine = engines("anew")
    shutil.copytree(one_go.settings.lake, engine.settings.lake, dirs_exist_ok=True)
    start = rows_of(engine, silver.READING)["observed_at"].min() + timedelta(minutes=13)
    window = Window(start, start + timedelta(minutes=20))
    assert [built for built in conform(engine, window=window) if built.changed] == []

    from deltalake import DeltaTable

    DeltaTable(engine.uri(silver.READING)).delete(f"observed_at >= '{start + timedelta(minutes=5)}'")
    conform(engine, window=Window(start, start + timedelta(hours=1)))
    assert same_but_for_arrival(one_go.settings.lake, engine.settings.lake) == {}


def test_a_batch_that_is_half_in_bronze_waits(engines: Callable[[str], LightEngine], landing: Path):
    """Conform between a killed ingest and the one that finishes its batch must not count that batch as done."""
    engine = engines("lake")
    values(landing, 0, {A: 0.1})
    take(engine, landing)
    values(landing, 1, {A: 0.2})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LightEngine, "append", None)
        with pytest.raises(TypeError):
            ingest(engine.settings, landing, engine=engine)
    conform(engine)
    assert len(readings(engine)) == 1
    take(engine, landing)
    assert len(readings(engine)) == 2


# ── mines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mine_that_fails_stops_no_other(light: LightEngine, landing: Path):
    other = "620000000002"
    values(landing, 0, {A: 0.1})
    values(landing, 0, {f"{other}01MN0001001A01": 0.2}, mine=other)
    ingest(light.settings, landing, engine=light)
    (light.settings.lake / "sites").mkdir()
    (light.settings.lake / "sites" / f"{other}.site.yaml").write_text("nonsense: 1\n")
    with pytest.raises(Exception, match=other):
        conform(light, mines=[other])
    assert sum(built.changed for built in conform(light, mines=[MINE])) > 0
    assert sum(built.changed for built in conform(light, mines=[MINE])) == 0
    assert rows_of(light, silver.READING, "mine_code")["mine_code"].to_list() == [MINE]
    (light.settings.lake / "sites" / f"{other}.site.yaml").unlink()
    conform(light)  # all mines: takes up each where it is
    assert rows_of(light, silver.READING, "mine_code")["mine_code"].to_list() == [MINE, other]
    assert sum(built.changed for built in build(light, selection="conform", mines=[other])) == 0


def test_a_mine_worked_on_alone_does_not_start_over(light: LightEngine, landing: Path):
    """Its own progress counts, and the ledger is read from there."""
    for minute in range(5):
        values(landing, minute, {A: 0.1})
        ingest(light.settings, landing, engine=light)
        conform(light, mines=[MINE])
    before = light.rows_read
    conform(light, mines=[MINE])
    assert light.rows_read == before
    assert light.consumed(EXCHANGE_FILE, "ingest") == 5


# ── cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cost_follows_what_is_new_and_not_the_history(engines: Callable[[str], LightEngine], landing: Path):
    read = {}
    for days in (1, 10):
        engine, folder = engines(f"{days}"), landing / f"{days}"
        folder.mkdir()
        definitions(folder, -days * 1440, {"point_code": A}, {"point_code": B})
        for day in range(days):
            for minute in range(4):
                values(folder, (day - days) * 1440 + minute, {A: 0.1 + minute / 100, B: 0.2})
        take(engine, folder)
        values(folder, 0, {A: 0.3, B: 0.2})
        ingest(engine.settings, folder, engine=engine)
        before = engine.rows_read
        assert sum(built.changed for built in conform(engine)) > 0
        read[days] = engine.rows_read - before
    assert read[10] <= 1.2 * read[1]

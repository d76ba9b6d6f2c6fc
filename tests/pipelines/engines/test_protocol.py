"""The write protocol, the same on both engines: differences only, revisions, versions consumed, races, pruning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from minefusion.pipelines.engines.engine import BeatenError, Consumed, Engine, Written
from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.settings import Settings, load_settings
from minefusion.schemas.table import Column, Table, day_column
from minefusion.schemas.window import Window

GAUGE = Table(
    name="gold.gauge",
    doc="A table with everything that the protocol looks at.",
    zh="测试表",
    key=("mine_code", "gauge", "at"),
    columns=(
        Column("mine_code", "string", "Mine.", "煤矿"),
        Column("gauge", "string", "Gauge.", "表"),
        Column("at", "timestamp", "Instant.", "时刻"),
        Column("batch", "long", "Batch.", "批次"),
        Column("value", "double", "Value.", "值"),
        Column("is_on", "boolean", "On.", "开"),
        Column("revision", "int", "Revision.", "修订号"),
        Column("computed_at", "timestamp", "When written.", "计算时间"),
        day_column(),
    ),
    time="at",
)
T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["light", "spark"])
def engine(request: pytest.FixtureRequest, settings: Settings) -> Engine:
    return open_one(request, settings, request.param)


@pytest.fixture
def light(settings: Settings) -> LightEngine:
    """For what both engines have from the same lines; a MERGE on Spark costs seconds."""
    return LightEngine(settings)


def open_one(request: pytest.FixtureRequest, settings: Settings, name: str) -> Engine:
    if name == "light":
        return LightEngine(settings)
    request.getfixturevalue("spark")
    from minefusion.pipelines.engines.spark import SparkEngine

    return SparkEngine(settings)


def row(
    gauge: str, minute: int = 0, value: float | None = 1.0, mine: str = "A", batch: int = 1, **more: Any
) -> dict[str, Any]:
    at = T0 + minute * MINUTE
    return {
        "mine_code": mine,
        "gauge": gauge,
        "at": at,
        "batch": batch,
        "value": value,
        "is_on": True,
        "revision": 0,
        "computed_at": T0,
        "day": at.date().isoformat(),
    } | more


def frame(engine: Engine, rows: Sequence[dict[str, Any]]) -> nw.LazyFrame:
    return engine.frame(rows, GAUGE.arrow_schema())


def write(engine: Engine, rows: Sequence[dict[str, Any]], consumed: Consumed | None = None, **part: Any) -> Written:
    return engine.replace(engine.part(GAUGE, **part), frame(engine, rows), consumed=consumed)


def held(engine: Engine, **filters: Any) -> dict[tuple[str, int], tuple[float | None, int]]:
    """What the table holds: (gauge, minute) → (value, revision)."""
    rows = engine.to_arrow(engine.read(GAUGE, **filters)).to_pylist()
    return {(r["gauge"], round((r["at"] - T0) / MINUTE)): (r["value"], r["revision"]) for r in rows}


def version(engine: Engine) -> int:
    return DeltaTable(engine.uri(GAUGE)).version()


def test_a_part_becomes_equal_to_the_rows(engine: Engine):
    first = [row("kept"), row("moved", value=1.0), row("gone"), row("nulled", value=2.0)]
    assert write(engine, first) == Written(changed=4, rows=4)

    second = [row("kept"), row("moved", value=1.5), row("nulled", value=None), row("new", 1)]
    assert write(engine, second) == Written(changed=4, rows=4)

    assert held(engine) == {
        ("kept", 0): (1.0, 0),
        ("moved", 0): (1.5, 1),
        ("nulled", 0): (None, 1),
        ("new", 1): (1.0, 0),
    }


def test_the_same_rows_again_commit_nothing(light: LightEngine):
    rows = [row("a"), row("b", value=None)]
    write(light, rows)
    before = version(light)
    later = [r | {"computed_at": T0 + timedelta(days=1), "revision": 7} for r in rows]
    assert write(light, later) == Written(changed=0, rows=2)
    assert version(light) == before


def test_only_the_part_that_was_read_is_replaced(light: LightEngine):
    write(light, [row("a", 0), row("a", 10), row("b", 0, mine="B")])
    window = Window(T0, T0 + 5 * MINUTE)
    assert write(light, [row("a", 1)], window=window, mines=["A"]) == Written(changed=2, rows=1)
    assert held(light) == {("a", 1): (1.0, 0), ("a", 10): (1.0, 0), ("b", 0): (1.0, 0)}


def test_a_row_may_move_to_another_day(light: LightEngine):
    """The key decides, not the partition: a file that waited gets its day when it is complete."""
    keyed = replace(GAUGE, key=("mine_code", "gauge"))
    light.replace(light.part(keyed), frame(light, [row("a", 0)]))
    light.replace(light.part(keyed), frame(light, [row("a", 24 * 60)]))
    assert held(light) == {("a", 24 * 60): (1.0, 1)}


def test_a_commit_says_what_it_consumed(engine: Engine):
    write(engine, [row("a")], Consumed("job", 3))
    assert engine.consumed(GAUGE, "job") == 3
    assert engine.consumed(GAUGE, "another") == 0
    # Nothing to change is progress too …
    write(engine, [row("a")], Consumed("job", 4))
    assert engine.consumed(GAUGE, "job") == 4
    # … and so is a change to rows that are there, which goes through MERGE.
    write(engine, [row("a", value=2.0)], Consumed("job", 5))
    assert engine.consumed(GAUGE, "job") == 5


def test_progress_never_goes_back_and_rows_are_written_all_the_same(light: LightEngine):
    write(light, [row("a")], Consumed("job", 5))
    write(light, [row("a", value=2.0)], Consumed("job", 2))
    assert light.consumed(GAUGE, "job") == 5
    assert held(light) == {("a", 0): (2.0, 1)}


def test_an_append_is_done_once(engine: Engine):
    for _ in range(2):
        engine.append(GAUGE, frame(engine, [row("a")]), Consumed("job", 1))
    engine.append(GAUGE, frame(engine, [row("b")]), Consumed("job", 2))
    assert engine.to_arrow(engine.read(GAUGE)).num_rows == 2


def test_a_mark_commits_progress_without_rows(light: LightEngine):
    light.mark(GAUGE, Consumed("job", 2))
    light.mark(GAUGE, Consumed("job", 2))
    assert light.consumed(GAUGE, "job") == 2
    assert version(light) == 1
    assert held(light) == {}


def test_who_comes_second_must_read_again(engine: Engine, settings: Settings):
    write(engine, [row("a")])
    mine = engine.part(GAUGE)
    write(LightEngine(settings), [row("a"), row("b")])  # another process was faster
    with pytest.raises(BeatenError):
        engine.replace(mine, frame(engine, [row("a"), row("b")]))
    assert held(engine) == {("a", 0): (1.0, 0), ("b", 0): (1.0, 0)}
    assert write(engine, [row("a"), row("b")]).changed == 0


def test_a_table_made_meanwhile_is_a_race_too(light: LightEngine, settings: Settings):
    nothing = light.part(GAUGE)
    write(LightEngine(settings), [row("a")])
    with pytest.raises(BeatenError):
        light.replace(nothing, frame(light, [row("a")]))


@pytest.mark.parametrize("kind", ["append", "merge"])
def test_light_commits_on_the_version_it_looked_at(settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str):
    """The racer comes between the last look and the commit."""
    engine, racer = LightEngine(settings), LightEngine(settings)
    write(engine, [row("a")])
    method = f"_{kind}"
    real: Callable[..., None] = getattr(LightEngine, method)

    def raced(self: LightEngine, *given: Any) -> None:
        if self is engine:
            write(racer, [row("a"), row("b")])
        real(self, *given)

    monkeypatch.setattr(LightEngine, method, raced)
    mine = [row("a"), row("b")] if kind == "append" else [row("a", value=5.0)]
    with pytest.raises(BeatenError):
        write(engine, mine)
    assert held(racer) == {("a", 0): (1.0, 0), ("b", 0): (1.0, 0)}


@pytest.mark.usefixtures("spark")
def test_spark_leaves_no_transaction_behind_in_its_session(request: pytest.FixtureRequest, settings: Settings):
    engine = open_one(request, settings, "spark")
    write(engine, [row("a")])
    write(engine, [row("a", value=2.0)], Consumed("job", 9))
    assert engine.spark.conf.get("spark.databricks.delta.write.txnAppId", None) is None  # type: ignore[attr-defined]
    assert engine.spark.conf.get("spark.databricks.delta.write.txnVersion", None) is None  # type: ignore[attr-defined]


@pytest.mark.usefixtures("spark")
def test_engines_take_turns_on_one_lake(request: pytest.FixtureRequest, settings: Settings):
    light, spark = LightEngine(settings), open_one(request, settings, "spark")
    write(spark, [row("a"), row("b")], Consumed("job", 1))
    assert write(light, [row("a"), row("b")], Consumed("job", 1)).changed == 0
    assert write(light, [row("a", value=2.0), row("b")], Consumed("job", 2)).changed == 1
    assert write(spark, [row("a", value=2.0), row("b"), row("c")], Consumed("job", 3)).changed == 1
    assert held(light) == held(spark) == {("a", 0): (2.0, 1), ("b", 0): (1.0, 0), ("c", 0): (1.0, 0)}
    assert light.consumed(GAUGE, "job") == spark.consumed(GAUGE, "job") == 3


def test_reads_look_only_where_the_rows_can_be(engine: Engine, settings: Settings):
    light = LightEngine(settings)
    for batch, (minute, mine) in enumerate([(0, "A"), (60, "A"), (24 * 60, "A"), (24 * 60 + 30, "B")], start=1):
        write(light, [row(f"g{n}", minute, mine=mine, batch=batch) for n in range(10)], days=[], mines=[])
    reads: list[tuple[dict[str, Any], int, int]] = [
        ({}, 40, 40),
        ({"window": Window(T0, T0 + MINUTE)}, 10, 10),
        ({"days": ["2026-03-02"]}, 20, 20),
        ({"days": ["2026-03-02"], "mines": ["A"]}, 10, 10),
        ({"batches": (1, 3)}, 20, 20),
        ({"window": Window(T0 - 600 * MINUTE, T0)}, 0, 0),
    ]
    for filters, rows, looked_at in reads:
        before = engine.rows_read
        assert len(engine.to_arrow(engine.read(GAUGE, **filters))) == rows, filters
        assert engine.rows_read - before == looked_at, filters


def test_past_days_are_joined_into_few_files_and_stay_as_they_are(light: LightEngine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minefusion.pipelines.engines.engine.COMPACT_FROM", 3)
    for minute in (0, 1, 2, 24 * 60, 24 * 60 + 1, 24 * 60 + 2):
        write(light, [row("a", minute)], window=Window(T0 + minute * MINUTE, T0 + (minute + 1) * MINUTE))
    write(light, [row("a", 1, value=2.0)], Consumed("job", 4), window=Window(T0 + MINUTE, T0 + 2 * MINUTE))
    before = held(light)
    light.compact(GAUGE)
    folder = Path(light.uri(GAUGE))
    assert [len(list(folder.glob(f"day=2026-03-0{day}/*.parquet"))) >= 3 for day in (1, 2)] == [True, True]
    assert light._files_by_day(GAUGE) == {"2026-03-01": 1, "2026-03-02": 3}
    assert held(light) == before
    assert light.consumed(GAUGE, "job") == 4
    at_rest = version(light)
    light.compact(GAUGE)
    assert version(light) == at_rest


def test_a_lake_may_lie_under_any_name(tmp_path: Path):
    engine = LightEngine(load_settings(lake=tmp_path / "数据 湖"))
    write(engine, [row("a"), row("b")])
    write(engine, [row("a", value=2.0)])
    assert held(engine, days=["2026-03-01"]) == {("a", 0): (2.0, 1)}


def test_a_table_that_was_never_written_has_no_rows(engine: Engine):
    frame = engine.to_arrow(engine.read(GAUGE, window=Window(T0, T0 + MINUTE)))
    assert frame.num_rows == 0
    assert frame.column_names == list(GAUGE.names)


def test_grouped_functions_see_one_group_at_a_time(engine: Engine):
    rows = frame(engine, [row("a", 0, 1.0), row("a", 1, 4.0), row("b", 0, 2.0)])
    schema = pa.schema([("gauge", pa.string()), ("span", pa.float64()), ("rows", pa.int64())])

    def span(group: pa.Table) -> pa.Table:
        values = group["value"].to_pylist()
        told = {"gauge": group["gauge"][0].as_py(), "span": max(values) - min(values), "rows": len(values)}
        return pa.Table.from_pylist([told])

    found = engine.to_arrow(engine.grouped(rows, ["gauge"], span, schema)).sort_by("gauge").to_pylist()
    assert found == [{"gauge": "a", "span": 3.0, "rows": 2}, {"gauge": "b", "span": 0.0, "rows": 1}]
    assert engine.to_arrow(engine.grouped(rows.filter(nw.col("gauge") == "c"), ["gauge"], span, schema)).num_rows == 0


def test_epoch_and_cached_frames(engine: Engine):
    rows = engine.cached(engine.with_epoch(frame(engine, [row("a", 1)]), "at", "at_us"))
    assert engine.to_arrow(rows)["at_us"].to_pylist() == [round((T0 + MINUTE).timestamp() * 1e6)]
    engine.release()
    assert engine.to_arrow(rows).num_rows == 1

"""`minefusion bench hazard`: every index from silver to gold, beside a plain group-by of the same rows and engine.

One simulated hour of a mine with every feed goes through ingest and conform; then its silver rows are laid down again
for each hour of the span, so that making the data costs little and is no part of what is measured. The plain way reads
the readings of the span, groups them by point and minute into count, extremes and mean, and writes one Delta table.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.bench.ingest import OURS, Measured, Progress, Result, hardware
from minefusion.pipelines.jobs.bench.meter import Meter
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.catalog import table_path
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import Settings, load_settings
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

# At scale 1: a mine of a thousand points over thirty days.
HOURS, ROADWAYS, PEOPLE_PER_ROADWAY = 720, 200, 2
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The snapshot at the end of an hour is that at the beginning of the next.
LESS_THAN_AN_HOUR = 1 - 30 / 3600
# The jobs that compute the catalogue: indices of minutes, of hours and days, and what they come to together.
JOBS = {"fast": "hazard_index", "slow": "hazard_trend", "composite": "composite"}
# What is repeated hour by hour: silver's tables that have a time, and the ledger, which says when the mine had data.
REPEATED: tuple[Table, ...] = (
    EXCHANGE_FILE,
    *(each for each in vars(silver).values() if isinstance(each, Table) and each.time and each is not silver.REWORKED),
)
# Identities that no two hours may share.
_IDENTITIES = ("file_id", "event_id", "record_id")
Timings = dict[str, float]


def bench_hazard(
    *,
    scale: float = 1.0,
    engines: Sequence[str] = OURS,
    roadways: int = ROADWAYS,
    keep_in: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Seconds of the three jobs and of the plain way, at `scale` and at ten times the span; 1 is thirty days.

    The result is the document that `minefusion bench hazard --output json` prints.
    """
    say = progress or (lambda _share, _what: None)
    hours = max(1, round(HOURS * scale))
    results: list[Result] = []
    once: dict[str, tuple[Timings, int]] = {}
    about: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=keep_in) as folder:
        scratch = Path(folder)
        say(0.0, "one simulated hour")
        hour = one_hour(scratch, roadways)
        for number, times in enumerate((1, 10)):
            span, suffix = hours * times, "" if times == 1 else f"/{times}x"
            say(0.05 + 0.45 * number, f"{span} hours of silver")
            lake = scratch / f"{times}x"
            rows, points = repeated(hour, lake, span)
            about = about or {"rows": rows, "points": points, "hours": span, "scale": scale, "seed": 1}
            for way in engines:
                say(0.1 + 0.45 * number, f"{way}, {span} hours, plain group-by")
                plain, plain_used = _in_its_own_process(_plain, way, lake, span)
                say(0.15 + 0.45 * number, f"{way}, {span} hours, all indices")
                seconds, used = _in_its_own_process(_indices, way, lake, span)
                shutil.rmtree(lake / "gold")
                results.append(_row(f"plain_{way}/group_by{suffix}", plain_used, rows))
                for case, each in seconds.items():
                    results.append(_row(f"{way}/{case}{suffix}", Measured(each, 0.0, used.peak_mib), rows))
                results.append(
                    _row(f"{way}/all{suffix}", used, rows, sum(plain.values()), f"plain_{way}/group_by{suffix}")
                )
                if times == 1:
                    once[way] = (seconds, rows)
                else:
                    before, its_rows = once[way]
                    per_row = sum(before.values()) / its_rows * rows
                    results.append(_row(f"{way}/cost_10x", used, rows, per_row, f"{way}/all a row"))
            shutil.rmtree(lake)
    say(1.0, "done")
    return {"name": "hazard", "hardware": hardware(), "data": about, "results": results}


# ── the data ────────────────────────────────────────────────────────────────────────────────────────────────────────


def one_hour(scratch: Path, roadways: int) -> Settings:
    """A lake with one simulated hour of a mine that sends every feed, up to silver."""
    settings = load_settings(lake=scratch / "hour")
    landing = scratch / "landing"
    simulate_mine(
        "demo", seed=1, out=landing, truth=scratch / "truth", hours=LESS_THAN_AN_HOUR, start=FIRST, roadways=roadways,
        people=PEOPLE_PER_ROADWAY * roadways,
    )  # fmt: skip
    engine = open_engine(settings, "light")
    ingest(settings, landing, engine=engine)
    build(engine, selection="conform")
    shutil.rmtree(landing)
    return settings


def repeated(hour: Settings, lake: Path, hours: int) -> tuple[int, int]:
    """Lay the rows of the hour down for every hour of the span, a day at a time; rows of silver.reading, and points."""
    shutil.copytree(hour.lake, lake)
    source, target = open_engine(hour, "light"), open_engine(load_settings(lake=lake), "light")
    for table in REPEATED:
        assert table.time is not None
        rows = collected(source, source.read(table))
        rows = rows.filter(pl.col(table.time) >= FIRST, pl.col(table.time) < FIRST + HOUR)
        if rows.is_empty():
            continue
        for first in range(1, hours, 24):
            later = [_moved(rows, table, number) for number in range(first, min(first + 24, hours))]
            target.append(
                table, target.from_arrow(pl.concat(later).select(table.names).to_arrow().cast(table.arrow_schema()))
            )
    points = collected(target, target.read(silver.POINT)).height
    return collected(target, target.read(silver.READING).select("mine_code")).height, points


def _moved(rows: pl.DataFrame, table: Table, hours: int) -> pl.DataFrame:
    """The rows as they would be so many hours later."""
    assert table.time is not None
    instants = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    rows = rows.with_columns(
        *(pl.col(name) + hours * HOUR for name in instants),
        *(pl.format("{}-{}", name, pl.lit(hours)).alias(name) for name in _IDENTITIES if name in rows.columns),
    )
    return rows.with_columns(pl.col(table.time).dt.strftime("%Y-%m-%d").alias("day")) if table.partition else rows


# ── what is measured ────────────────────────────────────────────────────────────────────────────────────────────────


def _indices(engine: Engine, hours: int) -> Timings:
    """Seconds of each of the JOBS over the span."""
    seconds = {}
    for case, job in JOBS.items():
        started = time.monotonic()
        run_gold(engine, job, window=Window(FIRST, FIRST + hours * HOUR))
        seconds[case] = time.monotonic() - started
    return seconds


def _plain(engine: Engine, hours: int) -> Timings:
    """Seconds of reading the span's readings, grouping them by point and minute, and writing what comes out."""
    way = {"light": _plain_polars, "spark": _plain_spark}[engine.name]
    path, out = table_path(engine.settings.lake, silver.READING), engine.settings.lake / "plain"
    started = time.monotonic()
    way(path, out, FIRST + hours * HOUR)
    seconds = time.monotonic() - started
    shutil.rmtree(out)
    return {"group_by": seconds}


def _plain_polars(path: Path, out: Path, end: datetime) -> None:
    value, at = pl.col("value"), pl.col("observed_at")
    rows = pl.scan_delta(str(path)).filter(at >= FIRST, at < end)
    minutes = rows.group_by("mine_code", "point_id", at.dt.truncate("1m").alias("minute")).agg(
        pl.len().alias("samples"), value.min().alias("low"), value.max().alias("high"), value.mean().alias("mean")
    )
    minutes.collect(engine="streaming").write_delta(str(out))


def _plain_spark(path: Path, out: Path, end: datetime) -> None:
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    spark = SparkSession.getActiveSession()
    assert spark is not None
    at = F.col("observed_at")
    rows = spark.read.format("delta").load(str(path)).filter((at >= F.lit(FIRST)) & (at < F.lit(end)))
    minutes = rows.groupBy("mine_code", "point_id", F.date_trunc("minute", at).alias("minute")).agg(
        F.count("*").alias("samples"), F.min("value").alias("low"), F.max("value").alias("high"),
        F.avg("value").alias("mean"),
    )  # fmt: skip
    minutes.write.format("delta").save(str(out))


def _in_its_own_process(
    work: Callable[[Engine, int], Timings], way: str, lake: Path, hours: int
) -> tuple[Timings, Measured]:
    """Do the work once in a new process, whose engine has started before the clock does.

    Raises:
        MissingError: the process ended without an answer; what it printed says why.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_answer, args=(theirs, work, way, lake, hours))
    process.start()
    theirs.close()
    try:
        assert process.pid is not None
        ours.recv()  # its engine has started
        with Meter(process.pid) as used:
            ours.send("go")
            seconds: Timings = ours.recv()
    except EOFError:
        raise MissingError(
            f"expected {way} to finish {hours} hours in {lake.name}, its process ended; try a smaller --scale"
        ) from None
    finally:
        process.join()
    return seconds, Measured(sum(seconds.values()), used.cpu_s, used.peak_mib)


def _answer(channel: Connection, work: Callable[[Engine, int], Timings], way: str, lake: Path, hours: int) -> None:
    engine = open_engine(load_settings(lake=lake), way)
    collected(engine, engine.read(silver.POINT))
    channel.send("ready")
    channel.recv()
    channel.send(work(engine, hours))


def _row(case: str, run: Measured, rows: int, other_s: float | None = None, ratio_to: str | None = None) -> Result:
    return {
        "case": case,
        "seconds": round(run.seconds, 4),
        "rate": round(rows / run.seconds),
        "unit": "readings/s",
        "cpu_s": round(run.cpu_s, 2),
        "peak_mib": round(run.peak_mib),
        "ratio": round(other_s / run.seconds, 3) if other_s else None,
        "ratio_to": ratio_to,
    }

"""`minefusion bench stream`: how long gas over its limit waits for its row of gold.alarm while all else comes in.

A mine sends a value file a second. Now and then a point goes over its alarm limit. Methane is raised by the second of
three samples, so a wait is told twice: from the file that holds the sample which raises it, and from the file with the
first value over the limit, a second earlier. Both begin when the file is complete and end when the commit with the row
stands in the table's log. Nothing but the stream itself runs meanwhile: the log is read when the feed has ended.

`behind_most` is the longest that a file had waited for silver and the fused table when a cycle ended.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq

from minefusion.pipelines.jobs.bench.ingest import OURS, Progress, Result, hardware
from minefusion.pipelines.jobs.bench.landing import Shape, definitions_text, mine_code, points_of, snapshot_text
from minefusion.pipelines.jobs.bench.meter import Meter
from minefusion.schemas.catalog import table_path
from minefusion.schemas.errors import MissingError
from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H
from minefusion.schemas.gold import ALARM

# At scale 1.
POINTS, FEED_S = 5_000, 120
# The feed has run for so long when the first point goes over its limit, and then one does each so many seconds.
FIRST_S, APART_S = 12, 2
# It stays over for so many samples; those of `_HIGH`, where others are below `_LOW`.
OVER_SAMPLES = 5
_HIGH, _LOW = 1.20, 0.95
# Spark's cycle takes minutes; its feed is short, and the rows of its alarms are waited for so long.
SPARK_FEED_S, PATIENCE_S = 30, {"light": 120.0, "spark": 600.0, "plain_polars": 60.0}
WAYS = ("light", "spark")


@dataclass
class Fed:
    """What was sent: by point the moments at which the files with its first and its second high value were complete."""

    records: int = 0
    first: dict[str, float] = field(default_factory=dict)
    second: dict[str, float] = field(default_factory=dict)


def bench_stream(
    *, scale: float = 1.0, engines: Sequence[str] = OURS, keep_in: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Measure each engine beside a plain loop; `scale` 1 is 5,000 points at 1 Hz for two minutes.

    The result is the document that `minefusion bench stream --output json` prints.
    """
    say = progress or (lambda _share, _text: None)
    points, seconds = max(10, round(POINTS * scale)), max(20, round(FEED_S * min(1.0, scale)))
    results: list[Result] = []
    plain: dict[str, float] = {}
    ways = ("plain_polars", *engines)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=keep_in) as scratch:
        for number, way in enumerate(ways):
            say(number / len(ways), f"{way}, {points:,} points a second")
            feed_s = min(seconds, SPARK_FEED_S) if way == "spark" else seconds
            rows = _measured(way, Path(scratch) / way, points, feed_s, plain)
            if way == "plain_polars":
                plain = {row["case"].rpartition("/")[2]: row["seconds"] for row in rows}
            results += rows
    about = {"points": points, "hz": 1, "seconds": seconds, "scale": scale, "seed": 1}
    return {"name": "stream", "hardware": hardware(), "data": about, "results": results}


def _measured(way: str, folder: Path, points: int, feed_s: int, plain: dict[str, float]) -> list[Result]:
    landing, lake = folder / "landing", folder / "lake"
    landing.mkdir(parents=True)
    code, name, shape = mine_code(0), "基准1矿", Shape(1, 1, points)
    first = _mine_now()
    (landing / f"{code}_CDDY_{first:%Y%m%d%H%M%S}.txt").write_text(definitions_text(code, name, shape, first))
    with ExitStack() as stack:
        log = stack.enter_context((folder / "stream.log").open("w"))
        run = stack.enter_context(_process(way, lake, landing, log))
        stack.callback(run.terminate)
        cycles = _Lines(run, folder / "stream.log")
        cycles.wait(1, PATIENCE_S[way])
        with Meter(run.pid) as used:
            began = time.monotonic()
            fed = _feed(landing, code, name, shape, feed_s, np.random.default_rng(1))
            fed_s = time.monotonic() - began
            found = _wait_for_rows(way, lake, fed, PATIENCE_S[way])
        run.terminate()
        told = cycles.rest()
    took = [cycle["seconds"] for cycle in told if cycle["files"]]
    behind = max((cycle.get("behind_s", 0.0) for cycle in told), default=0.0)
    waits = {
        "alarm": [found[point] - at for point, at in fed.second.items()],
        "alarm_from_first_value": [found[point] - at for point, at in fed.first.items()],
        "cycle": took or [0.0],
    }
    rate = round(fed.records / fed_s)
    shutil.rmtree(folder)
    rows = [
        _row(f"{way}/{case}_p{share}", each, rate, used, plain.get(f"{case}_p{share}"))
        for case, times in waits.items()
        for share, each in ((50, float(np.percentile(times, 50))), (95, float(np.percentile(times, 95))))
    ]
    return rows + ([_row(f"{way}/behind_most", behind, rate, used, None)] if way != "plain_polars" else [])


def _row(case: str, seconds: float, rate: int, used: Meter, plain: float | None) -> Result:
    return {
        "case": case,
        "seconds": round(seconds, 3),
        "rate": rate,
        "unit": "records/s",
        "cpu_s": round(used.cpu_s, 2),
        "peak_mib": round(used.peak_mib),
        "ratio": round(plain / seconds, 3) if plain and seconds else None,
        "ratio_to": "plain_polars" if plain and seconds else None,
    }


def _process(way: str, lake: Path, landing: Path, log: Any) -> subprocess.Popen[str]:
    if way == "plain_polars":
        command = [sys.executable, "-c", _PLAIN, str(landing), str(table_path(lake, ALARM))]
    else:
        program = [sys.executable, "-m", "minefusion", "--engine", way, "--lake", str(lake), "--output", "json"]
        command = [*program, "stream", str(landing)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)


class _Lines:
    """The cycles that a stream tells."""

    def __init__(self, run: subprocess.Popen[str], log: Path) -> None:
        self.run, self.log = run, log

    def wait(self, files: int, patience_s: float) -> None:
        """Until so many files were taken: the process is warm, and knows the mine's points."""
        assert self.run.stdout is not None
        until = time.monotonic() + patience_s
        while files > 0:
            line = self.run.stdout.readline()
            if not line or time.monotonic() > until:
                told = self.log.read_text().strip().splitlines()
                raise MissingError(f"expected the stream to take the first file, got: {(told or ['no word'])[-1]}")
            files -= json.loads(line)["files"]

    def rest(self) -> list[dict[str, Any]]:
        told, _ = self.run.communicate(timeout=120)
        return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def _feed(landing: Path, code: str, name: str, shape: Shape, feed_s: int, rng: np.random.Generator) -> Fed:
    """Send a file a second; each event is a point of its own."""
    fed = Fed()
    ids = [point for point, _ in points_of(code, shape)]
    of_event = rng.permutation(shape.points)
    first = _mine_now() + timedelta(seconds=1)
    for second in range(feed_s):
        # Well inside its second, so that none is named by the one before or after.
        at = first + timedelta(seconds=second)
        time.sleep(max(0.0, (at - _mine_now()).total_seconds() + 0.3 - time.time() % 1))
        values = rng.uniform(0.05, _LOW, shape.points)
        over = _events_at(second, feed_s, shape.points)
        values[of_event[[event for event, _ in over]]] = _HIGH
        path = landing / f"{code}_CDSS_{at:%Y%m%d%H%M%S}.txt"
        part = path.with_suffix(".txt.part")
        part.write_text(snapshot_text(code, name, shape, at, values))
        part.rename(path)
        now = time.time()
        fed.records += shape.points
        for event, sample in over:
            if sample < 2:
                (fed.first, fed.second)[sample][ids[of_event[event]]] = now
    return fed


def _events_at(second: int, feed_s: int, points: int) -> list[tuple[int, int]]:
    """Which events have a high value in this second, and the how manieth it is. The last ones are told whole."""
    found = []
    for event in range(min(points, max(0, (feed_s - FIRST_S - OVER_SAMPLES) // APART_S + 1))):
        sample = second - FIRST_S - event * APART_S
        if 0 <= sample < OVER_SAMPLES:
            found.append((event, sample))
    return found


def _mine_now() -> datetime:
    """The mine's local time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None) + timedelta(hours=MINE_UTC_OFFSET_H)


def _wait_for_rows(way: str, lake: Path, fed: Fed, patience_s: float) -> dict[str, float]:
    """When the first row of each point's alarm was there, by the table's log.

    Raises:
        MissingError: an alarm is missing after all that time.
    """
    until = time.monotonic() + patience_s
    while True:
        found: dict[str, float] = {}
        for point, at in _committed(table_path(lake, ALARM)):
            found.setdefault(point, at)
        missing = fed.second.keys() - found.keys()
        if not missing:
            return found
        if time.monotonic() > until:
            raise MissingError(f"expected {len(fed.second)} alarms from {way}, {len(missing)} are missing")
        time.sleep(0.5)


def _committed(table: Path) -> Iterator[tuple[str, float]]:
    """Points of methane alarms with the moment of the commit that added the row, in order."""
    for commit in sorted((table / "_delta_log").glob("*.json")):
        at = commit.stat().st_mtime
        for line in commit.read_text().splitlines():
            added = json.loads(line).get("add")
            if added:
                rows = pq.read_table(table / unquote(added["path"]), columns=["kind", "point_id"], partitioning=None)
                yield from ((row["point_id"], at) for row in rows.to_pylist() if row["kind"] == "G-01")


# The least that can be done: split the newest files, compare with the limit, append what two samples in a row exceed.
_PLAIN = """
import json, pathlib, sys, time
import polars as pl
landing, table = pathlib.Path(sys.argv[1]), sys.argv[2]
seen, before = set(), set()
while True:
    new = sorted(path for path in landing.glob("*.txt") if path.name not in seen)
    for path in new:
        began = time.monotonic()
        seen.add(path.name)
        if "_CDSS_" in path.name:
            fields = pl.col("record").str.splitn(";", 7).struct.rename_fields(list("pnlvust"))
            rows = pl.DataFrame({"record": path.read_text().split("~")[1:]}).select(fields.alias("f")).unnest("f")
            rows = rows.with_columns(pl.col("v").cast(pl.Float64, strict=False))
            over = set(rows.filter(pl.col("v") >= 1.0)["p"])
            raised = sorted(over & before)
            if raised:
                out = pl.DataFrame({"kind": ["G-01"] * len(raised), "point_id": raised})
                out.write_delta(table, mode="append")
            before = over
        print(json.dumps({"files": 1, "seconds": time.monotonic() - began}), flush=True)
    time.sleep(0.05)
"""

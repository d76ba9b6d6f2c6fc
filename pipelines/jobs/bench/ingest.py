"""`minefusion bench ingest`: landing → bronze and landing → bronze + silver on both engines, beside two floors."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from minefusion.pipelines.jobs.bench.landing import FIRST, PERIOD, Shape, write_landing
from minefusion.pipelines.jobs.bench.meter import Meter
from minefusion.schemas.errors import InputError, MissingError

Progress = Callable[[float, str], None]
Result = dict[str, Any]

REPEATS = 3
CYCLES = 15
# At scale 1: ten mines of a thousand points send a thousand snapshots, ten million records of some 100 bytes.
MINES, SNAPSHOTS, POINTS = 10, 1_000, 1_000
SMALL = Shape(mines=10, snapshots=10_000, points=20)
# The records of so many small files lie in one of the few that they are compared with.
JOINED = 100
CYCLE = Shape(mines=1, snapshots=2, points=500)
LARGE_FILE_BYTES, RECORD_BYTES = 200e6, 100
OURS, FLOORS = ("light", "spark"), ("floor_spark", "floor_polars")
# What may be measured alone: many records, minute after minute, many files.
PARTS = ("records", "cycles", "files")


@dataclass(frozen=True)
class Measured:
    """One run: wall seconds of the work, CPU seconds of the process tree, most memory it held."""

    seconds: float
    cpu_s: float
    peak_mib: float


@dataclass
class Worker:
    """A warm process that does the work in one way."""

    way: str
    scratch: Path
    process: subprocess.Popen[str] = field(init=False)
    runs: int = 0

    def __enter__(self) -> Worker:
        command = [sys.executable, "-m", "minefusion.pipelines.jobs.bench.worker", self.way]
        log = (self.scratch / f"{self.way}.log").open("w")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def run(self, landing: Path, *, silver: bool, into: Path | None = None) -> Measured:
        """Do the work once, into an empty place unless `into` names one that is kept.

        Raises:
            MissingError: the process ended; its own last line says why.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.runs += 1
        out = into or self.scratch / f"{self.way}-{self.runs}"
        asked = {"landing": str(landing), "out": str(out), "silver": silver}
        with Meter(self.process.pid) as used:
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            told = (self.scratch / f"{self.way}.log").read_text().strip().splitlines()
            raise MissingError(
                f"expected {self.way} to finish {landing.name}, it ended: {told[-1] if told else 'no word'}"
            )
        if into is None:
            shutil.rmtree(out)
        return Measured(json.loads(answer)["seconds"], used.cpu_s, used.peak_mib)


def bench_ingest(
    *,
    scale: float = 1.0,
    engines: Sequence[str] = OURS,
    parts: Sequence[str] = PARTS,
    keep_in: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure the cases of these parts; `scale` 1 is ten million records, and the tenfold case a hundred million.

    The result is the document that `minefusion bench ingest --output json` prints.

    Raises:
        InputError: a part that is none.
    """
    if not parts or not set(parts) <= set(PARTS):
        raise InputError(f"expected parts of {', '.join(PARTS)}, got {', '.join(parts) or 'none'}")
    one = Shape(MINES, max(10, round(SNAPSHOTS * scale)), POINTS)
    results: list[Result] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=keep_in)))
        bench = _Bench(scratch, engines, progress or (lambda _share, _text: None))
        bench.say("warming up")
        warm = scratch / "warm"
        write_landing(warm, Shape(2, 20, POINTS))
        for way in [*engines, *FLOORS]:
            bench.workers[way] = stack.enter_context(Worker(way, scratch))
            for _ in range(2):
                bench.workers[way].run(warm, silver=True)
        if "records" in parts:
            results += _of_records(bench, one)
        if "cycles" in parts:
            results += [_cycles(bench, way) for way in engines]
        if "files" in parts:
            results += _of_files(bench, min(1.0, scale * 10))
        bench.say("done", is_over=True)
    about = {"records": one.records, "files": one.files, "mines": one.mines, "scale": scale, "seed": 1}
    return {"name": "ingest", "hardware": hardware(), "data": about, "results": results}


@dataclass
class _Bench:
    """Where the data is made, and a warm process for each way of working."""

    scratch: Path
    engines: Sequence[str]
    progress: Progress
    workers: dict[str, Worker] = field(default_factory=dict)
    steps: int = 0

    def say(self, text: str, *, is_over: bool = False) -> None:
        """Tell what comes now. How long it takes is not known before, so the share only grows towards the whole."""
        self.steps += 1
        self.progress(1.0 if is_over else 1 - 0.95**self.steps, text)


def _of_records(bench: _Bench, one: Shape) -> list[Result]:
    """Bronze, and bronze with silver, beside both floors; then ten times as many records."""
    landing = bench.scratch / "1x"
    bench.say(f"writing {one.records:,} records")
    write_landing(landing, one)
    results: list[Result] = []
    with_silver: dict[str, Measured] = {}
    for case, silver in (("bronze", False), ("bronze+silver", True)):
        runs: dict[str, list[Measured]] = {way: [] for way in bench.workers}
        for repeat in range(REPEATS):
            for way, worker in bench.workers.items():
                bench.say(f"{way} {case}, run {repeat + 1}")
                runs[way].append(worker.run(landing, silver=silver))
        with_silver = {way: _median(measured) for way, measured in runs.items()}
        results += _beside_floors(case, bench.engines, with_silver, one.records)
    shutil.rmtree(landing)
    ten = Shape(one.mines, 10 * one.snapshots, one.points)
    bench.say(f"writing {ten.records:,} records")
    write_landing(bench.scratch / "10x", ten)
    for way in bench.engines:
        bench.say(f"{way}, ten times the data")
        run = bench.workers[way].run(bench.scratch / "10x", silver=True)
        per_record = Measured(with_silver[way].seconds / one.records * ten.records, 0.0, 0.0)
        results.append(_row(f"{way}/10x", run, ten.records, per_record, "1x"))
    shutil.rmtree(bench.scratch / "10x")
    return results


def _of_files(bench: _Bench, scale: float) -> list[Result]:
    """The same records in few files, in a hundred times as many, and much in a single one; `scale` is at most 1."""
    small = Shape(SMALL.mines, max(10, round(SMALL.snapshots * scale / JOINED)) * JOINED, SMALL.points)
    few = Shape(SMALL.mines, small.snapshots // JOINED, SMALL.points * JOINED)
    large = Shape(1, 1, round(LARGE_FILE_BYTES * scale / RECORD_BYTES))
    results: list[Result] = []
    joined: dict[str, Measured] = {}
    for name, shape in (("few_files", few), ("small_files", small), ("one_file_200mb", large)):
        bench.say(f"writing {shape.files:,} files")
        folder = bench.scratch / name
        write_landing(folder, shape)
        floor = bench.workers["floor_polars"].run(folder, silver=False)
        for way in bench.engines:
            bench.say(f"{way}, {name}")
            run = bench.workers[way].run(folder, silver=False)
            results.append(_row(f"{way}/{name}", run, shape.records, floor, "floor_polars"))
            if name == "few_files":
                joined[way] = run
            elif name == "small_files":
                results.append(_row(f"{way}/small_files", run, shape.records, joined[way], f"{way}/few_files"))
        shutil.rmtree(folder)
    return results


def _beside_floors(case: str, engines: Sequence[str], middle: dict[str, Measured], records: int) -> list[Result]:
    rows = [_row(f"{floor}/{case}", middle[floor], records) for floor in FLOORS]
    for way in engines:
        rows += [_row(f"{way}/{case}", middle[way], records, middle[floor], floor) for floor in FLOORS]
    return rows


def _cycles(bench: _Bench, way: str) -> Result:
    """One minute of one mine, again and again into one lake: the first ones warm the process up."""
    bench.say(f"{way}, small cycles")
    lake = bench.scratch / f"{way}-cycles"
    runs = []
    for number in range(CYCLES):
        landing = bench.scratch / f"{way}-cycle-{number}"
        write_landing(landing, CYCLE, first=FIRST + number * CYCLE.snapshots * PERIOD, seed=number)
        runs.append(bench.workers[way].run(landing, silver=True, into=lake))
    return _row(f"{way}/cycle", _median(runs[CYCLES // 3 :]), CYCLE.records)


def _row(case: str, run: Measured, records: int, other: Measured | None = None, ratio_to: str | None = None) -> Result:
    return {
        "case": case,
        "seconds": round(run.seconds, 4),
        "rate": round(records / run.seconds),
        "unit": "records/s",
        "cpu_s": round(run.cpu_s, 2),
        "peak_mib": round(run.peak_mib),
        "ratio": round(other.seconds / run.seconds, 3) if other else None,
        "ratio_to": ratio_to,
    }


def _median(runs: Sequence[Measured]) -> Measured:
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2] if runs else Measured(0.0, 0.0, 0.0)


def hardware() -> dict[str, Any]:
    """The machine that the figures belong to."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "cpu": statistics.mode(models) if models else "unknown",
        "cores": os.cpu_count(),
        "memory_gib": round(memory_gib, 1),
        "python": sys.version.split()[0],
        "load": round(os.getloadavg()[0], 2),
    }

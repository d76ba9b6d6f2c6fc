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
from minefusion.schemas.errors import MissingError

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
    *, scale: float = 1.0, engines: Sequence[str] = OURS, keep_in: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Measure every case; `scale` 1 is ten million records, and the tenfold case a hundred million.

    The result is the document that `minefusion bench ingest --output json` prints.
    """
    say = progress or (lambda _share, _text: None)
    one = Shape(MINES, max(10, round(SNAPSHOTS * scale)), POINTS)
    ten = Shape(MINES, 10 * one.snapshots, POINTS)
    small = Shape(SMALL.mines, max(10, round(SMALL.snapshots * min(1.0, scale * 10) / JOINED)) * JOINED, SMALL.points)
    few = Shape(SMALL.mines, small.snapshots // JOINED, SMALL.points * JOINED)
    large = Shape(1, 1, round(LARGE_FILE_BYTES * min(1.0, scale * 10) / RECORD_BYTES))
    ways = [*engines, *FLOORS]
    results: list[Result] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=keep_in)))
        say(0.0, f"writing {one.records:,} records")
        landing = scratch / "1x"
        size = write_landing(landing, one)
        workers = {way: stack.enter_context(Worker(way, scratch)) for way in ways}
        say(0.05, "warming up")
        warm = scratch / "warm"
        write_landing(warm, Shape(2, 20, POINTS))
        for way in ways:
            for _ in range(2):
                workers[way].run(warm, silver=True)
        base: dict[str, Measured] = {}
        for case, silver, begin in (("bronze", False, 0.1), ("bronze+silver", True, 0.25)):
            runs: dict[str, list[Measured]] = {way: [] for way in ways}
            for repeat in range(REPEATS):
                for number, way in enumerate(ways):
                    say(
                        begin + 0.15 * (repeat * len(ways) + number) / (REPEATS * len(ways)),
                        f"{way} {case}, run {repeat + 1}",
                    )
                    runs[way].append(workers[way].run(landing, silver=silver))
            middle = {way: _median(measured) for way, measured in runs.items()}
            base |= {f"{way}/{case}": middle[way] for way in ways}
            results += _beside_floors(case, engines, middle, one.records)
        for way in engines:
            say(0.4, f"{way}, small cycles")
            results.append(_cycles(workers[way], scratch))
        say(0.45, f"writing {small.files:,} small files")
        of_files: dict[str, dict[str, Measured]] = {}
        for name, shape in (("few_files", few), ("small_files", small), ("one_file_200mb", large)):
            folder = scratch / name
            write_landing(folder, shape)
            floor = workers["floor_polars"].run(folder, silver=False)
            for way in engines:
                say(0.5, f"{way}, {name}")
                run = workers[way].run(folder, silver=False)
                of_files.setdefault(way, {})[name] = run
                results.append(_row(f"{way}/{name}", run, shape.records, floor, "floor_polars"))
                if name == "small_files":
                    beside = of_files[way]["few_files"]
                    results.append(_row(f"{way}/small_files", run, shape.records, beside, f"{way}/few_files"))
            shutil.rmtree(folder)
        say(0.55, f"writing {ten.records:,} records")
        write_landing(scratch / "10x", ten)
        for number, way in enumerate(engines):
            say(0.6 + 0.2 * number, f"{way}, ten times the data")
            run = workers[way].run(scratch / "10x", silver=True)
            before = base[f"{way}/bronze+silver"]
            per_record = Measured(before.seconds / one.records * ten.records, 0.0, 0.0)
            results.append(_row(f"{way}/10x", run, ten.records, per_record, "1x"))
        say(1.0, "done")
    about = {"records": one.records, "bytes": size, "files": one.files, "mines": one.mines, "scale": scale, "seed": 1}
    return {"name": "ingest", "hardware": hardware(), "data": about, "results": results}


def _beside_floors(case: str, engines: Sequence[str], middle: dict[str, Measured], records: int) -> list[Result]:
    rows = [_row(f"{floor}/{case}", middle[floor], records) for floor in FLOORS]
    for way in engines:
        rows += [_row(f"{way}/{case}", middle[way], records, middle[floor], floor) for floor in FLOORS]
    return rows


def _cycles(worker: Worker, scratch: Path) -> Result:
    """One minute of one mine, again and again into one lake: the first ones warm the process up."""
    lake = scratch / f"{worker.way}-cycles"
    runs = []
    for number in range(CYCLES):
        landing = scratch / f"{worker.way}-cycle-{number}"
        write_landing(landing, CYCLE, first=FIRST + number * CYCLE.snapshots * PERIOD, seed=number)
        runs.append(worker.run(landing, silver=True, into=lake))
    return _row(f"{worker.way}/cycle", _median(runs[CYCLES // 3 :]), CYCLE.records)


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

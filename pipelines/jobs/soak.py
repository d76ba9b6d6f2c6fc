"""Kill and rerun, many times: a lake that was cut off again and again must equal one that never was.

A simulated mine's files arrive slice by slice. A child process takes each slice in and builds everything from it, and
is killed with SIGKILL, its JVM with it, at a moment drawn from the seed; then the next child, on the other engine in
turn, has to finish what it left. An undisturbed lake takes the same slices. At the end of each mine every table of
both is compared whole.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.landing import listing
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import load_settings

Progress = Callable[[float, str], None]

ROADWAYS, PEOPLE, HOURS = 20, 20, 1.0
SLICES = 12
# How long a slice takes before one was timed, and the share of it that only starts the process.
FIRST_GUESS_S = {"light": 3.0, "spark": 40.0}
START_SHARE = {"light": 0.1, "spark": 0.3}
# A run that was let finish is given so many times its usual length; longer means that it hangs.
HANGS_AFTER = 20.0


@dataclass
class Soaked:
    """What was done. `kills` by engine; `after_the_end`: runs that were done before their moment came.

    `differences` by mine and table; empty means that every cut-off lake equals its undisturbed twin.
    """

    seed: int
    kills: dict[str, int]
    after_the_end: dict[str, int]
    mines: int = 0
    slices: int = 0
    rows_compared: int = 0
    seconds: float = 0.0
    differences: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.differences

    def as_document(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def soak(
    kills: int, *, seed: int = 1, engines: Sequence[str] = ("light", "spark"), progress: Progress | None = None
) -> Soaked:
    """Kill at least `kills` runs in their work and compare.

    Raises:
        MissingError: a run that nobody killed failed or hung; its last line is in the message.
    """
    started = time.monotonic()
    done = Soaked(seed, dict.fromkeys(engines, 0), dict.fromkeys(engines, 0))
    rng = np.random.default_rng(seed)
    usual_s = {engine: FIRST_GUESS_S[engine] for engine in engines}
    while sum(done.kills.values()) < kills:
        done.mines += 1
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            _one_mine(Path(folder), seed + done.mines - 1, kills, usual_s, rng, done, progress)
    done.seconds = round(time.monotonic() - started, 1)
    return done


def _one_mine(
    folder: Path,
    mine_seed: int,
    kills: int,
    usual_s: dict[str, float],
    rng: np.random.Generator,
    done: Soaked,
    progress: Progress | None,
) -> None:
    made, landing = folder / "made", folder / "landing"
    simulate_mine(
        "gas_event", hours=HOURS, seed=mine_seed, out=made, truth=folder / "truth", roadways=ROADWAYS, people=PEOPLE
    )
    landing.mkdir()
    for site in made.glob("*.site.yaml"):
        shutil.copy2(site, landing)
    files = [file.path for file in sorted(listing(made), key=lambda each: (each.stamp, each.name))]
    calm = load_settings(lake=folder / "undisturbed")
    for part in np.array_split(np.array(files, dtype=object), SLICES):
        for path in part:
            shutil.move(path, landing / path.name)
        done.slices += 1
        while _is_cut_off(folder / "killed", landing, kills, usual_s, rng, done):
            total = sum(done.kills.values())
            if progress:
                progress(min(1.0, total / kills), f"mine {done.mines}, slice {done.slices}, {total} kills")
        _take_in(calm.lake, landing, "light")
    for table, told in differences(folder / "killed", calm.lake).items():
        done.differences[f"mine {done.mines}: {table}"] = told
    done.rows_compared += _rows(calm.lake)


def _is_cut_off(
    lake: Path, landing: Path, kills: int, usual_s: dict[str, float], rng: np.random.Generator, done: Soaked
) -> bool:
    """Start a run and kill it at its moment, or let it finish where that comes first. True where it was killed."""
    engines = list(usual_s)
    number = sum(done.kills.values()) + sum(done.after_the_end.values())
    engine = engines[number % len(engines)]
    is_over = sum(done.kills.values()) >= kills
    moment_s = usual_s[engine] * (HANGS_AFTER if is_over else rng.uniform(START_SHARE[engine], 1.0))
    command = [sys.executable, "-m", "minefusion.pipelines.jobs.soak", str(lake), str(landing), engine]
    started = time.monotonic()
    run = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, told = run.communicate(timeout=moment_s)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        if is_over:
            raise MissingError(
                f"expected a run on {engine} to finish in {moment_s:.0f} s, it hung; see {landing}"
            ) from None
        done.kills[engine] += 1
        return True
    if run.returncode != 0:
        last = told.strip().splitlines()[-1] if told.strip() else f"exit code {run.returncode}"
        raise MissingError(f"expected a run on {engine} that nobody killed to finish, it ended: {last}")
    done.after_the_end[engine] += 1
    usual_s[engine] = time.monotonic() - started
    return False


def _take_in(lake: Path, landing: Path, engine_name: str) -> None:
    settings = load_settings(lake=lake)
    engine = open_engine(settings, engine_name)
    ingest(settings, landing, engine=engine)
    build(engine)


def _rows(lake: Path) -> int:
    from deltalake import DeltaTable

    return sum(DeltaTable(str(log.parent)).count() for log in lake.glob("*/*/_delta_log"))


if __name__ == "__main__":
    _take_in(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])

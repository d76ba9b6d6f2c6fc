"""The slower pace: silver, the indices and the fused table, round after round, in a process of its own.

A process, so that gas never waits for Python to be free, and so that one that runs out of memory takes no alarm with
it. Alarms are left to the stream itself: one writer of gold.alarm needs to wait for nobody.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import GRAPH, run_job, selected
from minefusion.pipelines.jobs.hazard import JOBS
from minefusion.pipelines.jobs.tally import Built
from minefusion.schemas import gold
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

ALARM_JOBS = tuple(job for job in GRAPH if job in JOBS and JOBS[job].table is gold.ALARM)
AFTER_ALARMS = tuple(job for job in selected(",".join(f"{job}+" for job in ALARM_JOBS)) if job not in ALARM_JOBS)
ROUND = tuple(job for job in GRAPH if job not in (*ALARM_JOBS, *AFTER_ALARMS))
# Files that nothing needs any more are removed so often.
SECONDS_BETWEEN_TRIMS = 3600.0
# The alarms go first where both want a core.
NICE = 10


@dataclass(frozen=True)
class Round:
    """What a round, or the part of it after the alarms, did, or why it failed."""

    jobs: tuple[str, ...]
    built: tuple[Built, ...] = ()
    failed: str = ""

    @property
    def changed(self) -> int:
        return sum(each.changed for each in self.built)


class Settling:
    """A process that runs a round when it is asked to. One that died is started anew with the next round."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self.is_running = False
        self._jobs: tuple[str, ...] = ()

    def begin(self, jobs: tuple[str, ...]) -> None:
        """Ask for these jobs; `finished` tells of their end."""
        if self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(self._settings, theirs), daemon=True)
            self._process.start()
            theirs.close()
        assert self._pipe is not None
        self._pipe.send(jobs)
        self._jobs, self.is_running = jobs, True

    def finished(self, wait_s: float = 0.0) -> Round | None:
        """The round that was asked for, once it is over; waits for it up to `wait_s`."""
        if not self.is_running or self._pipe is None or not self._pipe.poll(wait_s):
            return None
        self.is_running = False
        try:
            return self._pipe.recv()
        except EOFError:
            return Round(self._jobs, failed="the process of the slower pace ended; it may have run out of memory")

    def close(self, wait_s: float) -> None:
        """End the process; a round that runs is given `wait_s` to end by itself, and may be cut off: see 0003."""
        if self._process is None or self._pipe is None:
            return
        self._pipe.close()
        self._process.join(wait_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def settle(engine: Engine, jobs: tuple[str, ...]) -> list[Built]:
    """Run these jobs in graph order for what is new, and keep the files of every table few."""
    built = [each for job in jobs for each in run_job(engine, job)]
    for table in TABLES.values():
        if engine.exists(table):
            engine.compact(table, newest_day=True)
    return built


def _serve(settings: Settings, pipe: Connection) -> None:
    """Runs until the other end of the pipe is closed, or gone with its process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the stream, which gets them too, ends this one
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    engine = LightEngine(settings)
    trim_at = time.monotonic() + SECONDS_BETWEEN_TRIMS
    while True:
        try:
            jobs = pipe.recv()
        except EOFError:
            return
        try:
            done = Round(jobs, tuple(settle(engine, jobs)))
            if time.monotonic() >= trim_at:
                trim(engine)
                trim_at = time.monotonic() + SECONDS_BETWEEN_TRIMS
        except Exception as error:
            logger.debug("a round failed", exc_info=True)
            done = Round(jobs, failed=f"{type(error).__name__}: {error}")
        try:
            pipe.send(done)
        except BrokenPipeError:
            return


def trim(engine: Engine) -> None:
    """Remove what earlier versions of the tables needed."""
    for table in TABLES.values():
        if engine.exists(table):
            engine.trim(table)

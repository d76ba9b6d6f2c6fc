"""`minefusion stream`: look, take in, raise, settle; and again, until it is told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import GRAPH
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.ingest import Ingested, UnreadableError, ingest, register_sites
from minefusion.pipelines.jobs.landing import Landing
from minefusion.pipelines.jobs.new_files import INGEST
from minefusion.pipelines.jobs.stream.gas_watch import GasWatch
from minefusion.pipelines.jobs.stream.settling import AFTER_ALARMS, ALARM_JOBS, ROUND, Round, Settling, settle
from minefusion.pipelines.jobs.stream.watch import Watch
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

# Looks at the landing folder lie so far apart while nothing comes.
POLL_S = 0.1
# Rounds begin at most so often: the fused tables are about whole minutes.
SETTLE_EVERY_S = 10.0
# A round that runs when the stream is told to stop may end by itself for so long.
PATIENCE_S = 30.0
# After a fault outside, such as a folder that cannot be read, the next try waits so long.
MENDING_S = 1.0


@dataclass(frozen=True)
class Cycle:
    """One line of the stream.

    Attributes:
        files, records: what was taken in.
        changed: rows that changed in any table.
        seconds: how long the cycle took; of a round, from its beginning.
        lag_s: age of the oldest of the files when its alarms stood; 0 without files.
        behind_s: how long the oldest file has waited that silver and the fused table do not know yet; 0 when none.
    """

    files: int
    records: int
    changed: int
    seconds: float
    lag_s: float
    behind_s: float


def stream(
    settings: Settings,
    landing: Path,
    engine: Engine,
    *,
    is_stopped: Callable[[], bool],
    until_idle: bool = False,
    settle_every_s: float = SETTLE_EVERY_S,
) -> Iterator[Cycle]:
    """Keep every table up to date with the landing folder; yields each cycle that did something, and the first one.

    Args:
        is_stopped: asked between cycles; true ends the stream after what is begun.
        until_idle: end when everything that lies in the folder is in every table.
        settle_every_s: rounds of the slower pace begin at most so often.

    Raises:
        InputError: the folder is none.
    """
    if not landing.is_dir():
        raise InputError(f"expected a landing folder, got {landing}; give the folder that the exchange files come to")
    if isinstance(engine, LightEngine):
        yield from _Light(settings, landing, engine, until_idle, settle_every_s).cycles(is_stopped)
    else:
        yield from one_session(settings, landing, engine, is_stopped=is_stopped, until_idle=until_idle)


def one_session(
    settings: Settings, landing: Path, engine: Engine, *, is_stopped: Callable[[], bool], until_idle: bool = False
) -> Iterator[Cycle]:
    """`stream` with one pace: every job after the other in the engine's one session, as on Spark."""
    yield from _OneSession(settings, landing, engine, until_idle).cycles(is_stopped)


class _Stream:
    """What both engines do alike: look at the folder and take its files into bronze."""

    def __init__(self, settings: Settings, landing: Path, engine: Engine, until_idle: bool) -> None:
        self.settings = settings
        self.landing = landing
        self.engine = engine
        self.until_idle = until_idle
        self.watch = Watch(landing)

    def cycles(self, is_stopped: Callable[[], bool]) -> Iterator[Cycle]:
        is_first = True
        try:
            while not is_stopped():
                cycles = self._turn(is_first)
                yield from cycles
                is_first = False
                if not cycles:
                    if self.until_idle and self._is_idle():
                        return
                    time.sleep(POLL_S)
        finally:
            self._close()

    def _turn(self, is_first: bool) -> list[Cycle]:
        """What there was to do."""
        raise NotImplementedError

    def _is_idle(self) -> bool:
        raise NotImplementedError

    def _close(self) -> None:
        """Nothing is left open."""

    def _look(self) -> list[Landing]:
        try:
            files = self.watch.new_files()
            if self.watch.sites_changed:
                register_sites(self.settings, self.landing)
        except (InputError, OSError) as error:
            logger.warning("%s", error)
            time.sleep(MENDING_S)
            return []
        return files

    def _take(self, files: list[Landing]) -> Ingested:
        """Into bronze. What cannot be read is tried again with what is not complete, and stops nothing else."""
        try:
            done = ingest(self.settings, self.landing, files=files, engine=self.engine)
            is_whole = not done.files["waiting"]
        except UnreadableError as error:
            logger.warning("%s", error)
            done, is_whole = error.done, False
        except (MissingError, OSError) as error:
            logger.warning("%s", error)
            time.sleep(MENDING_S)
            done, is_whole = Ingested(), False
        if is_whole:
            self.watch.took(files)
        else:
            self.watch.wait_for(files)
        return done


class _Light(_Stream):
    """Two paces: files and methane here, the rest in a process beside."""

    def __init__(
        self, settings: Settings, landing: Path, engine: LightEngine, until_idle: bool, settle_every_s: float
    ) -> None:
        super().__init__(settings, landing, engine, until_idle)
        self.gas = GasWatch(engine)
        self.settling = Settling(settings)
        self.settle_every_s = settle_every_s
        self._round_began_at = float("-inf")
        self._settled_to = -1  # the ingest batch that the newest round began with
        self._waits_since: float | None = None  # since when the oldest file waits for a round to begin with it
        self._in_round_since: float | None = None  # and for the round that runs to end
        self.gas.begin()
        self.gas.look()

    def _turn(self, is_first: bool) -> list[Cycle]:
        began = time.monotonic()
        cycles = []
        files = self._look()
        done = self._take(files) if files else Ingested()
        if done.changed or is_first:
            self._waits_since = self._waits_since or began
            changed = done.changed + self._raise()
            cycles.append(self._cycle(began, changed, files, done))
        finished = self.settling.finished()
        if finished is not None:
            cycles.append(self._cycle(self._round_began_at, self._go_on_from(finished)))
        if not self.settling.is_running and time.monotonic() >= self._round_began_at + self.settle_every_s:
            self._begin_round()
        return cycles

    def _cycle(self, began: float, changed: int, files: Sequence[Landing] = (), done: Ingested | None = None) -> Cycle:
        now = time.monotonic()
        waits = [since for since in (self._waits_since, self._in_round_since) if since is not None]
        return Cycle(
            files=sum(done.files.values()) if done else 0,
            records=done.records["sent"] if done else 0,
            changed=changed,
            seconds=round(now - began, 3),
            lag_s=_age_s(files) if done and done.changed else 0.0,
            behind_s=round(now - min(waits), 3) if waits else 0.0,
        )

    def _raise(self) -> int:
        """Methane alarms from what came; where a batch run holds their table for long, the next look writes them."""
        try:
            return self.gas.look()
        except MissingError as error:
            logger.warning("%s", error)
            return 0

    def _go_on_from(self, finished: Round) -> int:
        """After a round come the alarms, then what rests on alarms; returns the rows that changed."""
        if finished.failed:
            self._failed(finished.failed)
        if finished.failed or finished.jobs == AFTER_ALARMS:
            self._in_round_since = None
            return finished.changed
        changed = finished.changed + self._alarms()
        self.settling.begin(AFTER_ALARMS)
        return changed

    def _failed(self, why: str) -> None:
        """A round that failed is tried again; methane alarms go on meanwhile."""
        if self.until_idle:
            raise MissingError(f"expected silver and gold to follow, a round failed: {why}; mend it, then stream again")
        logger.warning("silver and the fused table stand still: %s", why)
        self._settled_to, self._round_began_at = -1, time.monotonic()

    def _begin_round(self) -> None:
        newest = self.engine.consumed(EXCHANGE_FILE, INGEST)
        if newest == self._settled_to:
            self._waits_since = None
            return
        self._settled_to = newest
        self._round_began_at = time.monotonic()
        self._in_round_since, self._waits_since = self._waits_since, None
        self.settling.begin(ROUND)

    def _alarms(self) -> int:
        """The alarm jobs, which have the last word, after a round has brought silver and the indices on."""
        changed = self._raise()
        for job in ALARM_JOBS:
            built = run_gold(self.engine, self.gas.alarm_job() if job == "alarm" else job)
            changed += sum(each.changed for each in built)
        if self.gas.is_outdated():
            self.gas.begin()
            changed += self.gas.look()
        return changed

    def _is_idle(self) -> bool:
        return not self.settling.is_running and self._settled_to == self.engine.consumed(EXCHANGE_FILE, INGEST)

    def _close(self) -> None:
        finished = self.settling.finished(PATIENCE_S)
        if finished is not None and finished.jobs == ROUND and not finished.failed:
            self._alarms()
        self.settling.close(PATIENCE_S)


class _OneSession(_Stream):
    """Every job after the other, in the one session that stays warm."""

    _is_behind = True

    def _turn(self, is_first: bool) -> list[Cycle]:
        began = time.monotonic()
        files, done, changed = self._look(), Ingested(), 0
        if files:
            done = self._take(files)
        if done.changed or self._is_behind:
            self._is_behind = False
            changed = done.changed + sum(each.changed for each in settle(self.engine, tuple(GRAPH)))
        elif not is_first:
            return []
        lag_s = _age_s(files) if done.changed else 0.0
        seconds = round(time.monotonic() - began, 3)
        return [Cycle(sum(done.files.values()), done.records["sent"], changed, seconds, lag_s, 0.0)]

    def _is_idle(self) -> bool:
        return True


def _age_s(files: Sequence[Landing]) -> float:
    """How old the oldest of the files is."""
    return round(time.time() - min(file.modified.timestamp() for file in files), 3)

"""A simulated mine from end to end: what is true, what its systems make of it, and the files that they send."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.exchange.manifest import add_to_manifest
from minefusion.pipelines.exchange.write import file_name, render
from minefusion.pipelines.simulate import personnel_files, safety_files
from minefusion.pipelines.simulate.feeds import records
from minefusion.pipelines.simulate.personnel_files import PositioningSystem
from minefusion.pipelines.simulate.positioning import alarms
from minefusion.pipelines.simulate.run import Run, run_mine
from minefusion.pipelines.simulate.safety_files import SafetySystem
from minefusion.pipelines.simulate.scenario import load_scenario
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.texts import Clock
from minefusion.pipelines.simulate.truth import write_truth
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import Site, dump_site

# A morning shift begins: 08:00 at the mine.
START = datetime(2026, 3, 1, tzinfo=UTC)
# A hidden file of the landing folder, which the ingest passes over: what was asked for.
ARGUMENTS = ".simulation.json"
# Shares of the whole work, for progress.
_AIR, _SEEN = 0.25, 0.35

Progress = Callable[[float, str], None]


@dataclass
class Made:
    """What a simulation wrote: files and records by kind."""

    files: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Feed:
    """All records of one kind; `empty_at` are the seconds of the files that hold none."""

    kind: str
    records: pl.DataFrame
    header: Mapping[str, str | int] = field(default_factory=dict)
    empty_at: tuple[int, ...] = ()


def simulate_mine(
    scenario: str | Path,
    *,
    seed: int,
    out: Path,
    truth: Path,
    hours: float | None = None,
    progress: Progress | None = None,
    start: datetime = START,
    roadways: int | None = None,
    people: int | None = None,
    with_film: bool = False,
) -> Made:
    """Write the exchange files of a simulated mine to `out` and the truth about it to `truth`.

    Same arguments, same bytes; a file that is already there as it should be is left alone. `out` also gets the site
    file and a manifest of what was sent, which the ingest does not read.

    Args:
        scenario: name of a shipped scenario, or path of one's own.
        hours, roadways, people: length of the run, size of the mine and of each shift; the scenario's own where left
            out.
        start: first instant, UTC; whole seconds.
        with_film: a camera hangs over the belt road, and a clip from the middle of the run lies in `out`.

    Raises:
        InputError: no such scenario, sizes that do not go together, or files of something else in `out`.
    """
    began = time.monotonic()
    tell = progress or (lambda _share, _text: None)
    asked = load_scenario(scenario)
    hours = asked.hours if hours is None else hours
    roadways = asked.roadways if roadways is None else roadways
    people = asked.people if people is None else people
    seconds = float(int(hours * 3600))
    arguments = {
        "scenario": asked.name,
        "seed": seed,
        "hours": float(hours),
        "start": start.astimezone(UTC).replace(microsecond=0).isoformat(),
        "roadways": roadways,
        "people": people,
    }
    claim(out, arguments)
    run = run_mine(
        asked,
        seconds=seconds,
        seed=seed,
        start=start,
        roadways=roadways,
        people=people,
        progress=lambda share: tell(_AIR * share, "air"),
    )
    site, stations, fixes = run.layout.site, run.stations, run.fixes
    if with_film:
        from minefusion.pipelines.simulate.video.shift_film import film_shift, with_belt_camera

        site = with_belt_camera(site)
        tell(_SEEN, "film")
        film_shift(site, at=run.instant(seconds // 2), out=out, truth=truth)
    clock = Clock(run.start)
    safety = SafetySystem(site.mine_code, run.instruments, run.observed, run.monitored, clock, seconds)
    found = alarms(run.layout, run.crew, stations, fixes)
    personnel = PositioningSystem(site, run.crew, stations, fixes, found, clock, seconds)
    tell(_SEEN, "files")

    made = Made()
    manifest: dict[str, int] = {}
    share = asked.instruments.duplicates
    again = safety_files.repeated(safety, share, stream(seed, "network", "duplicates"))
    feeds = list(_feeds(run, safety, personnel, again))
    whole = sum(len(feed.records) for feed in feeds) or 1
    written = 0
    put(out / f"{site.mine_code}.site.yaml", dump_site(site).encode())
    for feed in feeds:
        for name, count in _write(feed, out, site, run.start):
            manifest[name] = count
            made.files[feed.kind] += 1
            made.records[feed.kind] += count
            written += count
            tell(_SEEN + (0.97 - _SEEN) * written / whole, feed.kind)
    add_to_manifest(out, manifest)
    write_truth(run, again, arguments, truth)
    tell(1.0, "done")
    made.seconds = time.monotonic() - began
    return made


def claim(out: Path, arguments: Mapping[str, object]) -> None:
    """Make sure that `out` holds nothing, or this same simulation."""
    out.mkdir(parents=True, exist_ok=True)
    mark = out / ARGUMENTS
    text = json.dumps(arguments, ensure_ascii=False) + "\n"
    if mark.is_file() and mark.read_text(encoding="utf-8") == text:
        return
    other = next((path.name for path in sorted(out.iterdir()) if not path.name.startswith(".")), None)
    if mark.is_file() or other is not None:
        held = "another simulation" if mark.is_file() else f"'{other}'"
        raise InputError(f"expected --out {out} empty, got {held} in it; empty it or give another folder")
    mark.write_text(text, encoding="utf-8")


def _feeds(
    run: Run, safety: SafetySystem, personnel: PositioningSystem, again: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> Iterator[_Feed]:
    """Every kind that the mine sends."""
    if "safety" in run.scenario.feeds:
        yield _Feed("CDDY", safety_files.cddy(safety), safety_files.SYSTEM)
        yield _Feed("FZDY", safety_files.fzdy(safety))
        yield _Feed("CDSS", safety_files.cdss(safety, again))
        yield _Feed("FZSS", safety_files.fzss(safety))
        yield _Feed("KGBH", safety_files.kgbh(safety))
        yield _Feed("TJSJ", safety_files.tjsj(safety))
        yield _Feed("YCBJ", safety_files.ycbj(safety))
    if "positioning" in run.scenario.feeds:
        yield from _positioning(personnel)
    for kind, frame, header in records(run.devices, run.layout, Clock(run.start), run.seconds, run.seed):
        yield _Feed(kind, frame, header)


def _positioning(personnel: PositioningSystem) -> Iterator[_Feed]:
    cap = personnel.site.underground_cap
    yield _Feed(
        "RYXX", personnel_files.ryxx(personnel), personnel_files.SYSTEM | {"approved_underground_count": cap or 0}
    )
    yield _Feed("RYQY", personnel_files.ryqy(personnel))
    yield _Feed("RYJZ", personnel_files.ryjz(personnel))
    yield _Feed("RYSS", personnel_files.ryss(personnel), empty_at=tuple(personnel_files.empty_snapshots(personnel)))
    yield _Feed("JZSS", personnel_files.jzss(personnel))
    for kind in ("RYCS", "RYCY", "RYXZ", "RYQJ"):
        yield _Feed(kind, personnel_files.alarm_records(personnel, kind))


def _write(feed: _Feed, out: Path, site: Site, start: datetime) -> Iterator[tuple[str, int]]:
    """Write the files of one kind; gives the name and the records of each."""
    sent = feed.records["sent_s"].to_numpy()
    columns = feed.records.drop("sent_s")
    seconds, first = np.unique(sent, return_index=True)
    last = np.append(first, len(sent))[1:]
    for second, begin, end in zip(seconds.tolist(), first.tolist(), last.tolist(), strict=True):
        yield _write_one(feed, out, site, start + timedelta(seconds=second), columns.slice(begin, end - begin))
    for second in feed.empty_at:
        yield _write_one(feed, out, site, start + timedelta(seconds=second), columns.clear())


def _write_one(feed: _Feed, out: Path, site: Site, at: datetime, records: pl.DataFrame) -> tuple[str, int]:
    name = file_name(feed.kind, site.mine_code, at)
    put(out / name, render(feed.kind, site.mine_code, site.name_zh, at, records, header=feed.header))
    return name, len(records)


def put(path: Path, content: bytes) -> None:
    """Write a file under its name when it is complete; one that already holds this content stays as it is."""
    if path.is_file() and path.read_bytes() == content:
        return
    part = path.with_name(path.name + ".tmp")
    part.write_bytes(content)
    part.rename(path)

"""Draw docs/indices/pictures: each index over the scenario that drives it, from a real run of that scenario.

`python -m minefusion.pictures [SCENARIO …]` simulates each scenario (all of them where none is named), takes it through
ingest and the jobs of its indices into a lake of its own, and draws what gold then holds. `make pictures` calls it.
With `--check` it draws nothing and compares the level that each index reaches with the one that its picture keeps.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.hazard.catalogue import COMPOSITE_IDS, INDICES, TREND_IDS
from minefusion.pipelines.hazard.pages import FOLDER, PICTURES, drawn_in, pages
from minefusion.pipelines.hazard.rows import Index
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.hazard import Job, index_job, run_gold
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.pipelines.simulate.plant import simulate_plant
from minefusion.pipelines.simulate.scenario import Scenario, load_scenario
from minefusion.schemas.docs import write
from minefusion.schemas.levels import NAMES, all_steps
from minefusion.schemas.settings import PROJECT, load_settings
from minefusion.schemas.window import Window
from minefusion.serving.index_picture import Window as DrawnWindow
from minefusion.serving.index_picture import index_picture, level_kept, worst_level
from minefusion.serving.reader import Reader

SEED = 5
# Nine o'clock at the mine: the morning shift is at work.
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
# Of a scenario that lasts no time of its own, a run of so many hours in a small mine.
SHIFT_H, ROADWAYS, PEOPLE = 4.0, 33, 40
# Scenarios of a plant are named so; a run of one lasts so long.
PLANT, PLANT_H = "plant:", 2.5
CHECK = "--check"


def curves(scenario: str) -> dict[Index, list[DrawnWindow]]:
    """Run one scenario; each index that it drives, at the place where that is worst. Empty where it has no value."""
    with tempfile.TemporaryDirectory() as scratch:
        reader, span = run(scenario, Path(scratch))
        return {index: _worst_place(reader, index, span) for index in INDICES if index.scenario == scenario}


def draw(scenario: str, folder: Path) -> list[Path]:
    """Run one scenario and draw the indices that it drives; the files written into `folder`."""
    drawn = curves(scenario)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, windows in drawn.items():
        if not any(window.value is not None or window.level for window in windows):
            print(f"{index.id}: {scenario} gives it no value; no picture", file=sys.stderr)
            continue
        path = folder / f"{index.id}.svg"
        title = f"{index.id} {index.name_zh} · {index.name_en} · {scenario.removeprefix(PLANT)}"
        path.write_text(index_picture(title, index.unit, windows, _steps(index)), encoding="utf-8")
        written.append(path)
    return written


def differing(scenario: str, folder: Path) -> list[str]:
    """Run one scenario; a line for each index that reaches another level than the one its picture in `folder` keeps."""
    lines = []
    for index, windows in curves(scenario).items():
        kept, level = level_kept(folder / f"{index.id}.svg"), worst_level(windows)
        if kept is None:
            lines.append(f"{index.id}: expected a picture, found none; run make pictures SCENARIOS={scenario}")
        elif kept != level:
            lines.append(f"{index.id}: expected level {kept} as in its picture, got {level} over {scenario}")
    return lines


def jobs_for(scenario: str) -> list[str | Job]:
    """The jobs that compute the indices which the scenario drives, and what those read, in order."""
    driven = {index.id for index in INDICES if index.scenario == scenario}
    if driven & {*COMPOSITE_IDS}:  # which read any of the others
        return ["hazard_index", "hazard_trend", "composite"]
    slow = driven & {*TREND_IDS}
    fast = driven - slow | ({"G-07"} if "G-08" in driven else set())  # which G-08 reads
    wanted = {"hazard_index": fast, "hazard_trend": slow}
    return [index_job(job, only) for job, only in wanted.items() if only]


def run(scenario: str, base: Path) -> tuple[Reader, Window]:
    """Simulate the scenario and compute its indices in a lake below `base`; what reads it, and the time it covers."""
    landing, truth = base / "landing", base / "truth"
    if scenario.startswith(PLANT):
        hours = PLANT_H
        simulate_plant(scenario.removeprefix(PLANT), hours=hours, seed=SEED, out=landing, truth=truth, start=START)
    else:
        asked = load_scenario(scenario)
        own = (asked.hours, asked.roadways) != (Scenario.hours, Scenario.roadways)
        hours = asked.hours if own else SHIFT_H
        roadways, people = (asked.roadways, asked.people) if own else (ROADWAYS, PEOPLE)
        simulate_mine(
            scenario, hours=hours, seed=SEED, out=landing, truth=truth, start=START, roadways=roadways, people=people
        )
    settings = load_settings(lake=base / "lake", engine="light")
    engine = open_engine(settings)
    ingest(settings, landing, engine=engine)
    run_job(engine, "conform")
    span = Window(START, START + timedelta(hours=hours))
    for job in jobs_for(scenario):
        run_gold(engine, job, window=span)
    return Reader(settings.lake), span


def _worst_place(reader: Reader, index: Index, span: Window) -> list[DrawnWindow]:
    """The index at the place where it is worst, longest."""
    rows = reader.sql(
        "SELECT area_id, entity, window_start, value, level FROM gold.hazard_index "
        "WHERE index_id = $id AND window_start >= $begin AND window_start < $end "
        "ORDER BY window_start, area_id, entity",
        id=index.id,
        begin=span.start,
        end=span.end,
    )
    places: dict[tuple[str, str], list[DrawnWindow]] = {}
    for row in rows:
        place = places.setdefault((row["area_id"], row["entity"]), [])
        place.append(DrawnWindow(row["window_start"], row["value"], row["level"]))
    return max(places.values(), key=_badness, default=[])


def _badness(windows: Sequence[DrawnWindow]) -> tuple[int, int, int]:
    """Highest level, how long it lasts, and how many windows have a value."""
    worst = worst_level(windows)
    return (
        worst,
        sum(window.level == worst for window in windows),
        sum(window.value is not None for window in windows),
    )


def _steps(index: Index) -> dict[str, float]:
    """Where its levels begin, where one set holds for all places and is about the value itself."""
    found = [each for each in all_steps() if each.index_id == index.id]
    if len(found) != 1 or found[0].scope or found[0].unit != index.unit:
        return {}
    return {name: value for name in NAMES if (value := getattr(found[0], name)) is not None}


def main(scenarios: Iterable[str], docs: Path = PROJECT / "docs", *, is_check: bool = False) -> int:
    """Draw, or check, what the scenarios drive; the exit status."""
    wanted = list(scenarios) or sorted({index.scenario for index in INDICES if index.scenario})
    folder = docs / FOLDER / PICTURES
    if is_check:
        lines = [line for scenario in wanted for line in differing(scenario, folder)]
        print("\n".join(lines) or f"as in the pictures: {', '.join(wanted)}")
        return 1 if lines else 0
    for scenario in wanted:
        for path in draw(scenario, folder):
            print(path.relative_to(docs), path.stat().st_size)
    write(docs, pages(drawn_in(docs)), (FOLDER,))
    return 0


if __name__ == "__main__":
    sys.exit(main([word for word in sys.argv[1:] if word != CHECK], is_check=CHECK in sys.argv[1:]))

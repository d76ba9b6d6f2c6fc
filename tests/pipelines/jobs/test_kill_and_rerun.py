"""SIGKILL while parsing, between ledger and records, inside a MERGE; run again; compare with an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from cut_off_run import BETWEEN, MERGING, PARSING
from small_mine import copied, exchange_files

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD
from minefusion.schemas.settings import load_settings
from minefusion.schemas.silver import READING

SEED = 20260301
SCRIPT = Path(__file__).with_name("cut_off_run.py")
# While parsing: seconds after it began. In Spark a worker has to start first.
LONGEST_S = {"light": 0.05, "spark": 1.5}
# Spark spends seconds on each table, however few the rows.
KINDS: dict[str, tuple[str, ...]] = {"light": (), "spark": ("CDDY", "CDSS", "TJSJ")}


def take(engine: Engine, landing: Path) -> None:
    ingest(engine.settings, landing, engine=engine)
    conform(engine)


def halves(shift: tuple[Path, Path], kinds: Sequence[str]) -> list[list[Path]]:
    """The shift's first and second half, with some files of the first come late: rows are there to be changed."""
    files = [file for file in exchange_files(shift[0]) if not kinds or file.name.split("_")[1] in kinds]
    files.sort(key=lambda path: path.name.split("_")[-1])
    middle = len(files) // 2
    late = files[middle - 20 : middle : 3]
    return [[file for file in files[:middle] if file not in late], [*late, *files[middle:]]]


@pytest.fixture(scope="module")
def undisturbed(
    shift: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[str]], list[LightEngine]]:
    """Light lakes of files of these kinds: after the first half, and after both."""

    @cache
    def lakes(kinds: tuple[str, ...]) -> list[LightEngine]:
        base = tmp_path_factory.mktemp("undisturbed")
        (base / "landing").mkdir()
        copied(shift[0].glob("*.site.yaml"), base / "landing")
        made = [LightEngine(load_settings(lake=base / name)) for name in ("half", "whole")]
        for number, half in enumerate(halves(shift, kinds)):
            copied(half, base / "landing")
            for engine in made[number:]:
                take(engine, base / "landing")
        return made

    return lakes


@pytest.mark.parametrize("name", ["light", "spark"])
@pytest.mark.parametrize("moment", [PARSING, BETWEEN, MERGING])
def test_killed_and_run_again_it_is_as_if_nothing_had_happened(
    request: pytest.FixtureRequest,
    engines: Callable[[str], LightEngine],
    shift: tuple[Path, Path],
    undisturbed: Callable[[Sequence[str]], list[LightEngine]],
    tmp_path: Path,
    moment: str,
    name: str,
):
    landing = tmp_path / "landing"
    landing.mkdir()
    copied(shift[0].glob("*.site.yaml"), landing)
    lake = engines("lake").settings.lake
    first, second = halves(shift, KINDS[name])
    copied(first, landing)
    if moment == MERGING:
        take(engines("lake"), landing)
        copied(second, landing)
    if name == "spark":
        request.getfixturevalue("spark")

    delay_s = random.Random(f"{SEED}{moment}").uniform(0, LONGEST_S[name])
    command = [sys.executable, str(SCRIPT), name, str(lake), str(landing), moment, str(delay_s)]
    killed = subprocess.run(command, start_new_session=True, timeout=180, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    progress = {table: engines("lake").consumed(table, "ingest") for table in (EXCHANGE_FILE, EXCHANGE_RECORD, READING)}
    assert list(progress.values()) == {PARSING: [0, 0, 0], BETWEEN: [1, 0, 0], MERGING: [2, 2, 1]}[moment]

    again: Engine = engines("lake")
    if name == "spark":
        from minefusion.pipelines.engines.spark import SparkEngine

        again = SparkEngine(load_settings(lake=lake))
    take(again, landing)
    assert differences(undisturbed(KINDS[name])[moment == MERGING].settings.lake, lake, ignoring=["landing"]) == {}

"""A stream makes the tables that a batch makes: as files come, after a kill, and handed from one to the other."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_mine import copied, exchange_files

from minefusion.pipelines.engines import engine as engines_protocol
from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.stream.cycle import Cycle, one_session, stream
from minefusion.schemas import bronze, gold
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    pass

# How files were cut into batches, which no two runs share.
BY_CUT = ("batch", "revision", "landing")
SLICES = 3


@pytest.fixture(scope="module")
def files(shift: tuple[Path, Path]) -> list[Path]:
    return sorted(exchange_files(shift[0]), key=lambda path: path.name.split("_")[-1])


@pytest.fixture
def slices(files: list[Path], shift: tuple[Path, Path], landing: Path) -> list[list[Path]]:
    """The shift's files in order of time, in some pieces; its site file lies there."""
    copied(shift[0].glob("*.site.yaml"), landing)
    size = -(-len(files) // SLICES)
    return [files[start : start + size] for start in range(0, len(files), size)]


@pytest.fixture(scope="module")
def batch(shift: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that a batch made of the whole shift."""
    return batch_of(shift[0], tmp_path_factory.mktemp("batch") / "lake")


def batch_of(landing: Path, lake: Path) -> Path:
    engine = LightEngine(load_settings(lake=lake))
    ingest(engine.settings, landing, engine=engine)
    build(engine)
    return lake


def streamed(settings: Settings, landing: Path) -> Iterator[Cycle]:
    engine = open_engine(settings, "light")
    return stream(settings, landing, engine, is_stopped=lambda: False, until_idle=True, settle_every_s=0.0)


def test_the_tables_are_those_of_a_batch_as_files_come(
    settings: Settings, slices: list[list[Path]], landing: Path, batch: Path
):
    total = sum(map(len, slices))
    cycles = []
    for cycle in streamed(settings, landing):
        cycles.append(cycle)
        if slices:
            copied(slices.pop(0), landing)
    assert sum(cycle.files for cycle in cycles) == total
    assert sum(cycle.records for cycle in cycles) > 0
    assert [cycle.behind_s for cycle in cycles][-1] == 0
    assert differences(settings.lake, batch, ignoring=BY_CUT) == {}
    assert {cycle.changed for cycle in streamed(settings, landing)} == {0}


def test_with_one_pace_the_tables_are_those_of_a_batch(
    light: LightEngine, slices: list[list[Path]], landing: Path, batch: Path
):
    """As Spark's stream runs; here on the engine that a test has time for."""
    for some in (slices[0], [file for later in slices[1:] for file in later]):
        copied(some, landing)
        cycles = list(one_session(light.settings, landing, light, until_idle=True, is_stopped=lambda: False))
        assert [cycle.files for cycle in cycles] == [len(some)]
    assert differences(light.settings.lake, batch, ignoring=BY_CUT) == {}


def command(settings: Settings, landing: Path, *more: str) -> list[str]:
    program = [sys.executable, "-m", "minefusion", "--engine", "light", "--output", "json"]
    return [*program, "--lake", str(settings.lake), "stream", str(landing), "--settle-every", "0", *more]


def test_killed_at_any_moment_and_run_again_the_tables_are_those_of_a_batch(
    settings: Settings, slices: list[list[Path]], landing: Path, batch: Path
):
    chance = random.Random(20260301)
    for number, some in enumerate(slices):
        copied(some, landing)
        run = subprocess.Popen(
            command(settings, landing), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert run.stdout is not None
        run.stdout.readline()  # it works: files are taken, the slower pace has begun
        time.sleep(chance.uniform(0.0, 2.5))
        # Its slower half dies with it, or is left alone to notice.
        os.kill(run.pid, signal.SIGKILL) if number % 2 else os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
    list(streamed(settings, landing))
    assert differences(settings.lake, batch, ignoring=BY_CUT) == {}


def test_it_stops_cleanly_and_tells_each_cycle_in_a_line(settings: Settings, slices: list[list[Path]], landing: Path):
    copied(slices[0], landing)
    run = subprocess.Popen(command(settings, landing), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    first = json.loads(run.stdout.readline())
    run.send_signal(signal.SIGTERM)
    told, errors = run.communicate(timeout=60)
    assert run.returncode == 0, errors
    assert first["files"] == len(slices[0])
    for line in told.splitlines():
        assert {"files", "records", "changed", "seconds", "lag_s"} <= json.loads(line).keys()


def test_a_batch_goes_on_from_a_stream_and_a_stream_from_a_batch(
    settings: Settings, slices: list[list[Path]], landing: Path, batch: Path
):
    for number, some in enumerate(slices):
        copied(some, landing)
        if number % 2:
            engine = open_engine(settings, "light")
            ingest(settings, landing, engine=engine)
            build(engine)
        else:
            list(streamed(settings, landing))
    assert differences(settings.lake, batch, ignoring=BY_CUT) == {}


@pytest.mark.usefixtures("spark")
def test_spark_goes_on_from_a_stream_and_the_stream_from_spark(
    settings: Settings, slices: list[list[Path]], landing: Path, tmp_path: Path
):
    """Spark takes files in; what it makes of silver and gold is compared elsewhere, and takes minutes."""
    first, second, third = (
        [file for file in some if file.name.split("_")[1] in ("CDDY", "CDSS")] for some in slices[:3]
    )
    copied(first, landing)
    list(streamed(settings, landing))
    copied(second, landing)
    spark = open_engine(settings, "spark")
    ingest(settings, landing, engine=spark)
    copied(third, landing)
    list(streamed(settings, landing))
    assert differences(settings.lake, batch_of(landing, tmp_path / "batch"), ignoring=BY_CUT) == {}


def test_a_folder_that_is_none_is_refused(settings: Settings, tmp_path: Path):
    with pytest.raises(InputError, match="expected a landing folder"):
        list(streamed(settings, tmp_path / "nowhere"))


def test_small_files_are_joined_on_the_day_that_runs_and_old_ones_go(
    light: LightEngine, files: list[Path], landing: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engines_protocol, "COMPACT_FROM", 4)
    monkeypatch.setattr(engines_protocol, "KEPT_HOURS", 0)
    table = bronze.EXCHANGE_RECORD
    for start in range(0, 48, 8):
        copied(files[start : start + 8], landing)
        ingest(light.settings, landing, engine=light)
    before = light.to_arrow(light.read(table)).sort_by([(name, "ascending") for name in table.key])
    light.compact(table, newest_day=True)
    light.trim(table)
    assert len(list(Path(light.uri(table)).rglob("day=*/*.parquet"))) < 4
    assert light.to_arrow(light.read(table)).sort_by([(name, "ascending") for name in table.key]) == before
    copied(files[48:56], landing)
    assert ingest(light.settings, landing, engine=light).changed == 8
    assert not light.exists(gold.ALARM)


def test_a_file_that_cannot_be_opened_stops_nothing_and_is_taken_when_it_can(
    settings: Settings, files: list[Path], landing: Path, monkeypatch: pytest.MonkeyPatch
):
    """As for one whose permissions are wrong; a test that runs as root has to pretend."""
    copied(files[:3], landing)
    closed, opened = landing / files[1].name, Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == closed and not mended:
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    mended: list[bool] = []
    taken: list[int] = []
    engine = open_engine(settings, "light")
    for cycle in one_session(settings, landing, engine, is_stopped=lambda: sum(taken) == 3):
        taken.append(cycle.files)
        mended.append(True)
    assert sum(taken) == 3

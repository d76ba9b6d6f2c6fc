"""Every record that was sent is accounted for; where one is not, the balance says no and names the file."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange import manifest
from minefusion.pipelines.exchange.manifest import add_to_manifest, read_manifest
from minefusion.pipelines.exchange.write import file_name, write_file
from minefusion.pipelines.jobs.balance import FATES, Balance, balance
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.catalog import table_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings
from minefusion.schemas.table import Table

MINE = "620000000001"
NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
RECORDS = 6


def snapshot(folder: Path, minute: int, records: int = RECORDS) -> Path:
    """One CDSS file."""
    at = NOON + timedelta(minutes=minute)
    same = {"value": "0.32", "unit": "%", "status": "0", "data_time": at}
    rows = [{"point_code": f"{MINE}01MN0001001A{number:02d}"} | same for number in range(1, records + 1)]
    write_file(folder, "CDSS", MINE, "示范煤矿", at, rows)
    return folder / file_name("CDSS", MINE, at)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Every fate: files that are whole, partly bad, too bad, twice there, unknown, and unfinished."""
    folder = tmp_path / "landing"
    folder.mkdir()
    whole = [snapshot(folder, minute) for minute in range(3)]
    partly, too_bad, unfinished = (snapshot(folder, minute) for minute in (3, 4, 5))
    partly.write_bytes(partly.read_bytes().replace(b"0.32", b"1,2", 1))  # 1 of 6
    too_bad.write_bytes(too_bad.read_bytes().replace(b"0.32", b"1,2", 3))  # 3 of 6
    unfinished.write_bytes(unfinished.read_bytes().removesuffix(b"||"))
    (folder / "again").mkdir()
    shutil.copy(whole[0], folder / "again")
    shutil.copy(whole[1], folder / f"{MINE}_XXXX_20260301130000.txt")
    shutil.copy(whole[1], folder / "notes.txt")
    (folder / "picture.jpg").write_bytes(bytes(range(256)))
    (folder / f"{MINE}_CDSS_20260301140000.txt").write_bytes(b"\x00\x01~\x02~||")
    return folder


@pytest.fixture
def taken(landing: Path, settings: Settings) -> Path:
    ingest(settings, landing)
    return landing


def of(done: Balance, kind: str) -> dict[str, int]:
    found = next(line for line in done.kinds if line.kind == kind)
    return {name: getattr(found, name) for name in ("files", "sent", *FATES)}


def delete(settings: Settings, table: Table, predicate: str) -> None:
    DeltaTable(str(table_path(settings.lake, table))).delete(predicate)


def test_every_fate_is_in_the_balance(taken: Path, settings: Settings):
    done = balance(settings)
    assert done.ok
    assert (done.faults, done.faulty, done.from_ledger) == ([], 0, 0)
    assert of(done, "CDSS") == {
        "files": 8,
        "sent": 7 * RECORDS,
        "stored": 3 * RECORDS + 5,
        "quarantined": 1,
        "rejected": RECORDS,
        "duplicate": RECORDS,
        "aside": 0,
        "waiting": RECORDS,
    }
    assert sum(line.files for line in done.kinds) == sum(path.is_file() for path in taken.rglob("*"))
    for line in done.kinds:
        assert line.ok
        assert line.sent == sum(getattr(line, fate) for fate in FATES)


@pytest.mark.parametrize(("table", "kept"), [(EXCHANGE_RECORD, "stored"), (QUARANTINE, "quarantined")])
def test_one_row_less_is_told(taken: Path, settings: Settings, table: Table, kept: str):
    before = of(balance(settings, taken), "CDSS")
    row = LightEngine(settings)
    held = row.to_arrow(row.read(table).select("file_id", "position")).to_pylist()[0]
    delete(settings, table, f"file_id = '{held['file_id']}' AND position = {held['position']}")
    done = balance(settings)
    assert not done.ok
    assert of(done, "CDSS") == before | {kept: before[kept] - 1}
    assert [(fault.sent - fault.accounted, fault.is_new) for fault in done.faults] == [(1, False)]


@pytest.mark.usefixtures("taken")
def test_a_row_more_is_told(settings: Settings):
    engine = LightEngine(settings)
    held = engine.to_arrow(engine.read(EXCHANGE_RECORD)).slice(0, 1)
    engine.append(EXCHANGE_RECORD, engine.from_arrow(held))
    done = balance(settings)
    assert not done.ok
    assert [fault.sent - fault.accounted for fault in done.faults] == [-1]


@pytest.mark.usefixtures("taken")
def test_rows_of_a_file_that_the_ledger_lost_are_told(settings: Settings):
    name = f"{MINE}_CDSS_20260301120000.txt"
    delete(settings, EXCHANGE_FILE, f"name = '{name}' AND folder = ''")
    done = balance(settings)
    assert not done.ok
    assert {(fault.sent, fault.accounted, fault.is_new) for fault in done.faults} == {
        (RECORDS, 0, True),  # the landed file, that nobody has read
        (0, RECORDS, False),  # its rows, that nobody has sent
    }


@pytest.mark.usefixtures("taken")
def test_faults_of_two_files_do_not_cancel(settings: Settings):
    """One row too few here and one too many there: the sum is right and the answer is no."""
    engine = LightEngine(settings)
    rows = engine.to_arrow(engine.read(EXCHANGE_RECORD))
    held = rows.slice(0, 1).to_pylist()[0]
    other = next(file_id for file_id in rows["file_id"].to_pylist() if file_id != held["file_id"])
    before = of(balance(settings), "CDSS")
    delete(settings, EXCHANGE_RECORD, f"file_id = '{held['file_id']}' AND position = {held['position']}")
    moved = engine.frame([held | {"file_id": other, "position": 99}], EXCHANGE_RECORD.arrow_schema())
    engine.append(EXCHANGE_RECORD, moved)
    done = balance(settings)
    assert of(done, "CDSS") == before
    assert not done.ok
    assert done.faulty == 2


def test_a_file_that_arrived_since_is_sent_and_nothing_else(taken: Path, settings: Settings):
    snapshot(taken, 9)
    done = balance(settings)
    assert not done.ok
    assert [(fault.kind, fault.sent, fault.accounted, fault.is_new) for fault in done.faults] == [("CDSS", 6, 0, True)]
    ingest(settings, taken)
    assert balance(settings).ok


def test_a_landing_folder_that_no_ingest_has_seen_counts_where_it_is_named(landing: Path, settings: Settings):
    assert balance(settings).ok  # nothing is known, nothing is missing
    done = balance(settings, landing)
    assert not done.ok
    assert of(done, "CDSS")["sent"] == 7 * RECORDS
    with pytest.raises(InputError, match="expected a landing folder"):
        balance(settings, landing / "none")


def test_of_a_file_that_left_the_folder_the_ledger_speaks(taken: Path, settings: Settings):
    for path in taken.glob("*_CDSS_*"):
        path.unlink()
    done = balance(settings)
    assert done.ok
    assert done.from_ledger == 7
    delete(settings, EXCHANGE_RECORD, "position = 1")
    assert not balance(settings).ok


def test_a_landing_folder_that_is_gone_altogether(taken: Path, settings: Settings):
    shutil.rmtree(taken)
    done = balance(settings)
    assert done.ok
    assert done.from_ledger == sum(line.files for line in done.kinds)


def test_a_file_that_was_copied_again_is_the_same_file(taken: Path, settings: Settings):
    path = next(taken.glob("*_CDSS_*"))
    os.utime(path, (1, 1))
    assert balance(settings).ok


def test_a_waiting_file_that_grew_is_the_one_that_waits(taken: Path, settings: Settings):
    path = taken / f"{MINE}_CDSS_20260301120500.txt"
    path.write_bytes(path.read_bytes() + b"||")
    done = balance(settings)
    assert done.ok
    assert of(done, "CDSS")["waiting"] == RECORDS


def test_the_writers_manifest_goes_before_the_bytes(tmp_path: Path, settings: Settings):
    """What the writer wrote and the file does not hold was lost on the way."""
    folder = tmp_path / "landing"
    folder.mkdir()
    path = snapshot(folder, 0)
    add_to_manifest(folder, {path.name: RECORDS + 1})
    ingest(settings, folder)
    done = balance(settings)
    assert [(fault.sent, fault.accounted) for fault in done.faults] == [(RECORDS + 1, RECORDS)]


def test_the_manifest_speaks_of_a_file_only_as_it_was_written(tmp_path: Path, settings: Settings):
    folder = tmp_path / "landing"
    folder.mkdir()
    path = snapshot(folder, 0)
    add_to_manifest(folder, {path.name: RECORDS})
    path.write_bytes(path.read_bytes().replace(b"~||", b"~" + path.read_bytes().split(b"~")[1] + b"~||"))
    ingest(settings, folder)
    assert of(balance(settings), "CDSS")["sent"] == RECORDS + 1


def test_a_manifest_grows_with_what_is_written(tmp_path: Path):
    first, second = snapshot(tmp_path, 0), snapshot(tmp_path, 1)
    add_to_manifest(tmp_path, {first.name: 6})
    add_to_manifest(tmp_path, {second.name: 5})
    add_to_manifest(tmp_path, {second.name: 6})
    assert read_manifest(tmp_path) == {(path.name, path.stat().st_size): 6 for path in (first, second)}
    assert [path.name for path in tmp_path.glob(".*")] == [manifest.NAME]

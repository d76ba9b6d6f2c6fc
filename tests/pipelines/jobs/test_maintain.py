"""Maintenance: exactly what is over its time goes, once and logged; nothing comes back or is worked out without it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import MINE, at, copied, definitions, exchange_files, point_code, rows_of, values

from minefusion.pipelines.engines import engine as protocol
from minefusion.pipelines.engines.engine import Consumed
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.build import build, run_job
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.due import Steps, Work, still_there
from minefusion.pipelines.jobs.export import export
from minefusion.pipelines.jobs.ingest import Ingested, ingest
from minefusion.pipelines.jobs.keeping import SOURCES, kept_from
from minefusion.pipelines.jobs.maintain import AT_REST, NOT_CONFORMED, REGISTRIES, RESTING, Maintenance, maintain
from minefusion.schemas import gold, silver
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, REMOVAL
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.errors import InputError
from minefusion.schemas.governance import cards
from minefusion.schemas.settings import load_settings
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

NOW = datetime(2027, 6, 1, 3, 30, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
A, B = point_code(1), point_code(2)
AGED = [TABLES[name] for name, card in cards().items() if card.keep_days is not None]


def keep(table: Table) -> timedelta:
    return timedelta(days=cards()[table.name].keep_days or 0)


def first_kept(table: Table, now: datetime = NOW) -> datetime:
    return (now - keep(table)).replace(hour=0, minute=0)


def row(table: Table, called: str, instant: datetime, /, **more: Any) -> dict[str, Any]:
    """A row of any table that tells of an instant; nothing is known but what is needed."""
    about: dict[str, Any] = {key: 0 if table.column(key).type in ("int", "long") else called for key in table.key}
    times = {column.name: instant for column in table.columns if column.type == "timestamp"}
    about |= times | {"mine_code": MINE, "day": f"{instant:%Y-%m-%d}", "batch": 1, "verdict": "accepted"} | more
    return {key: about.get(key) for key in table.names}


def put(engine: LightEngine, table: Table, *rows: dict[str, Any]) -> None:
    engine.append(table, engine.frame(rows, table.arrow_schema()))


def lives(engine: LightEngine, mine: str = MINE, *, now: datetime = NOW) -> None:
    """The mine sends: it is not at rest, and silver has used up what came."""
    put(engine, EXCHANGE_FILE, row(EXCHANGE_FILE, f"{mine} today", now, mine_code=mine, folder="", landing="/nowhere"))
    engine.mark(silver.READING, Consumed("ingest", 1))


def named(engine: LightEngine, table: Table) -> set[str]:
    """What its rows are called by."""
    return set(rows_of(engine, table)[table.key[0] if table.key[0] != "mine_code" else table.key[1]])


def told_of(engine: LightEngine, table: Table) -> set[datetime]:
    return set(rows_of(engine, table)[table.time or "began_at"])


# ── what goes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_how_long_a_table_is_kept_can_be_kept():
    """Rows are aged by their day; a registry's by its file."""
    assert {table.name for table in AGED if not table.partition} <= {table.name for table in REGISTRIES}
    assert {keep(silver.READING), keep(silver.READING_5MIN)} == {timedelta(days=92), timedelta(days=731)}


def test_of_every_table_exactly_what_is_over_goes_and_a_second_time_nothing(light: LightEngine, tmp_path: Path):
    """Just past its time, and just short of it."""
    for table in AGED:
        first, more = first_kept(table), {"landing": str(tmp_path), "folder": "", "name": "gone"}
        put(light, table, row(table, "past", first - TICK, **more), row(table, "short", first, **more))
    sent = first_kept(EXCHANGE_RECORD) - TICK
    put(light, EXCHANGE_FILE, row(EXCHANGE_FILE, "of the record", sent, landing="/nowhere", folder=""))
    lives(light)
    done = maintain(light, now=NOW)
    for table in AGED:
        assert told_of(light, table) - {sent, NOW} == {first_kept(table)}, table.name
    told = {each.name: (each.changed, each.kept_from) for each in done.tables if each.name in cards()}
    assert {name: of for name, of in told.items() if of[0]} == {
        table.name: (1, f"{first_kept(table):%Y-%m-%d}") for table in AGED
    }
    assert done.held == {}
    log = rows_of(light, REMOVAL, "table_name", "removal", "removed_day", "rows", "mines", "keep_days")
    assert sorted(log.iter_rows()) == sorted(
        (table.name, 1, f"{first_kept(table) - DAY:%Y-%m-%d}", 1, 1, keep(table).days) for table in AGED
    )
    again = maintain(light, now=NOW)
    assert (again.changed, [each.joined + each.freed for each in again.tables if each.joined + each.freed]) == (0, [])
    assert len(rows_of(light, REMOVAL)) == len(AGED)


def test_a_table_without_a_time_of_keeping_is_never_touched(light: LightEngine):
    put(light, silver.POINT, row(silver.POINT, "old", datetime(2001, 1, 1, tzinfo=UTC)))
    lives(light)
    assert maintain(light, now=NOW).changed == 0
    assert len(rows_of(light, silver.POINT)) == 1


def test_an_alarm_that_is_open_stays(light: LightEngine):
    long_ago = first_kept(gold.ALARM) - 9 * DAY
    put(light, gold.ALARM, row(gold.ALARM, "open", long_ago, cleared_at=None), row(gold.ALARM, "over", long_ago))
    lives(light)
    assert maintain(light, now=NOW).changed == 1
    assert named(light, gold.ALARM) == {"open"}


def test_a_mine_at_rest_keeps_what_it_last_sent_until_somebody_names_it(light: LightEngine):
    quiet, sends = "140000000001", "140000000002"
    old = first_kept(silver.READING) - DAY
    for mine in (quiet, sends):
        put(light, silver.READING, row(silver.READING, mine, old, mine_code=mine))
    lives(light, sends)
    last = NOW.replace(hour=0, minute=0) - AT_REST - TICK
    lives(light, quiet, now=last)
    future = NOW + 9 * DAY  # a wrong clock is no sign of life
    put(light, EXCHANGE_FILE, row(EXCHANGE_FILE, "ahead", future, mine_code=quiet, landing="/nowhere", folder=""))
    done = maintain(light, now=NOW)
    assert (done.changed, done.held) == (1, {quiet: RESTING})
    assert named(light, silver.READING) == {quiet}
    assert set(kept_from(light, SOURCES, [quiet, sends])) == {sends}
    named_mine = maintain(light, now=NOW, mines=[quiet])
    assert (named_mine.changed, named_mine.held) == (1, {})
    assert rows_of(light, REMOVAL, "table_name", "removal", "rows").rows() == [
        ("silver.reading", 1, 1), ("silver.reading", 2, 1)
    ]  # fmt: skip


def test_records_stay_until_silver_has_used_them_up(light: LightEngine):
    old = first_kept(EXCHANGE_RECORD) - DAY
    for number in (1, 2):
        put(light, EXCHANGE_FILE, row(EXCHANGE_FILE, f"f{number}", old, batch=number, landing="/nowhere", folder=""))
        put(light, EXCHANGE_RECORD, row(EXCHANGE_RECORD, f"f{number}", old, batch=number))
    lives(light)
    done = maintain(light, now=NOW)
    assert (done.changed, done.held) == (0, {MINE: NOT_CONFORMED})
    light.mark(silver.READING, Consumed(f"ingest/{MINE}", 2))
    assert maintain(light, now=NOW).changed == 2


def test_a_record_is_as_young_as_its_arrival(light: LightEngine):
    """A mine's clock that stands at the year 2000 takes no record from us before its time."""
    odd, lately = datetime(2000, 1, 1, tzinfo=UTC), NOW - DAY
    put(light, EXCHANGE_FILE, row(EXCHANGE_FILE, "odd", odd, ingested_at=lately, landing="/nowhere", folder=""))
    put(light, EXCHANGE_RECORD, row(EXCHANGE_RECORD, "odd", odd))
    lives(light)
    assert maintain(light, now=NOW).changed == 0
    assert maintain(light, now=lately + keep(EXCHANGE_RECORD) + DAY, mines=[MINE]).changed == 1
    assert named(light, EXCHANGE_FILE) == {"odd", f"{MINE} today"}


@pytest.mark.parametrize("table", REGISTRIES)
def test_a_file_is_known_as_long_as_it_lies_there(light: LightEngine, landing: Path, table: Table):
    old = first_kept(table) - DAY
    (landing / "sub").mkdir()
    (landing / "sub" / "there").touch()
    for name, place in (("there", landing), ("gone", landing), ("nobody knows", landing / "disk that is not mounted")):
        put(light, table, row(table, name, old, name=name, folder="sub", landing=str(place)))
    lives(light)
    assert maintain(light, now=NOW).changed == 1
    assert named(light, table) - {f"{MINE} today"} == {"there", "nobody knows"}


# ── what comes after ────────────────────────────────────────────────────────────────────────────────────────────────

LATER = 95 * 24 * 60.0  # [min]; readings of T0 are over by then, statistics are not


def take(engine: LightEngine, landing: Path, minute: float) -> Ingested:
    """Ingest by a clock of the mine's own time, since all that a file tells happened just before it came."""
    for file in exchange_files(landing):
        if file.stat().st_mtime > at(minute).timestamp():
            os.utime(file, (at(minute).timestamp(),) * 2)
    return ingest(engine.settings, landing, engine=engine, now=lambda: at(minute))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, some_indices: None) -> Path:  # noqa: ARG001
    """A lake of two stretches of a mine's life, far apart, from files to gold; its landing folder beside."""
    base = tmp_path_factory.mktemp("grown")
    landing = base / "landing"
    landing.mkdir()
    light = LightEngine(load_settings(lake=base / "lake"))
    for start in (0.0, LATER):
        definitions(landing, start, {"point_code": A}, {"point_code": B})
        for minute in range(12):
            values(landing, start + minute, {A: 1.4 if 2 < minute < 8 else 0.3, B: 0.2})
        take(light, landing, start + 13)
        build(light)
    return base


@pytest.fixture
def lived(grown: Path, tmp_path: Path) -> LightEngine:
    """A copy of it. The ledger names the landing folder where it was, and there it stays."""
    shutil.copytree(grown / "lake", tmp_path / "lake", dirs_exist_ok=True)
    return LightEngine(load_settings(lake=tmp_path / "lake"))


@pytest.fixture
def maintained(lived: LightEngine) -> LightEngine:
    done = kept(lived)
    assert {each.name for each in done.tables if each.changed} == {
        table.name for table in (EXCHANGE_RECORD, silver.READING)
    }
    return lived


def kept(engine: LightEngine) -> Maintenance:
    return maintain(engine, now=at(LATER + 20))


def test_after_it_no_job_brings_back_doubles_or_changes_anything(maintained: LightEngine, grown: Path, tmp_path: Path):
    before = shutil.copytree(maintained.settings.lake, tmp_path / "before")
    assert kept(maintained).changed == 0
    landing = grown / "landing"
    assert take(maintained, landing, LATER + 21).changed == 0
    assert sum(each.changed for each in build(maintained)) == 0
    assert differences(before, maintained.settings.lake) == {}
    # What was taken in before is still known, wherever it comes from.
    again = tmp_path / "again"
    again.mkdir()
    copied(exchange_files(landing), again)
    done = take(maintained, again, LATER + 22)
    assert {verdict: count for verdict, count in done.files.items() if count} == {"duplicate": 26}
    assert sum(each.changed for each in build(maintained)) == 0
    others = [table for table in TABLES.values() if table is not EXCHANGE_FILE]
    assert differences(before, maintained.settings.lake, tables=others) == {}


def test_the_balance_still_holds(maintained: LightEngine, grown: Path):
    done = balance(maintained.settings, grown / "landing")
    assert (done.ok, done.removed) == (True, 13)
    assert {kind.kind: kind.stored for kind in done.kinds}["CDSS"] == 2 * 12 * 2


def test_an_old_file_that_was_never_seen_is_told_to_be_too_old(maintained: LightEngine, landing: Path):
    """Its time would be worked out anew without what was there."""
    values(landing, 5.5, {A: 3.9})
    values(landing, LATER + 14, {A: 0.3})
    done = take(maintained, landing, LATER + 25)
    assert {verdict: count for verdict, count in done.files.items() if count} == {"accepted": 1, "rejected": 1}
    told = rows_of(maintained, EXCHANGE_FILE).filter(pl.col("reason") == "TOO_OLD")
    assert told.select("verdict", "records_sent", "records_rejected").rows() == [("rejected", 1, 1)]
    assert balance(maintained.settings, landing).ok
    run_job(maintained, "conform")
    assert rows_of(maintained, silver.READING)["observed_at"].min() == at(LATER)
    assert take(maintained, landing, LATER + 26).changed == 0


@pytest.mark.parametrize("job", ["conform", "hazard_index", "alarm", "data_quality"])
def test_what_is_partly_gone_is_not_worked_out_anew(maintained: LightEngine, tmp_path: Path, job: str):
    before = shutil.copytree(maintained.settings.lake, tmp_path / "before")
    with pytest.raises(
        InputError, match=r"expected --from at or after 2026-03-05T00:00:00\+00:00 for mine 620000000001"
    ):
        run_job(maintained, job, window=Window(at(0), at(60)))
    assert differences(before, maintained.settings.lake) == {}
    assert sum(each.changed for each in run_job(maintained, job, window=Window(at(LATER), at(LATER + 60)))) == 0


def test_an_export_of_what_is_gone_is_refused(maintained: LightEngine, tmp_path: Path):
    with pytest.raises(InputError, match="expected --from at or after"):
        export(maintained, MINE, Window(at(0), at(60)), tmp_path / "out")
    assert export(maintained, MINE, Window(at(LATER), at(LATER + 60)), tmp_path / "out").records["CDSS"] == 24


def test_due_gold_ends_where_its_sources_do(maintained: LightEngine):
    day = Window(at(0), at(LATER + 60))
    work = [Work(day, (MINE, "140000000001"), Steps(timedelta(minutes=1)))]
    since = datetime(2026, 3, 5, tzinfo=UTC)
    assert [(each.window, each.mines) for each in still_there(maintained, work, SOURCES)] == [
        (day, ("140000000001",)),
        (Window(since, day.end), (MINE,)),
    ]


def test_one_that_is_cut_off_is_done_again_and_logged_once(lived: LightEngine, monkeypatch: pytest.MonkeyPatch):
    class CutOffError(BaseException):
        pass

    real = LightEngine.remove

    def die(self: LightEngine, part: Any, *given: Any) -> None:
        if part.table is silver.READING and not survived:
            raise CutOffError
        real(self, part, *given)

    monkeypatch.setattr(LightEngine, "remove", die)
    survived: list[bool] = []
    with pytest.raises(CutOffError):
        kept(lived)
    survived.append(True)
    assert sum(each.changed for each in kept(lived).tables) == 24
    assert rows_of(lived, REMOVAL, "table_name", "removal", "rows").rows() == [
        ("bronze.exchange_record", 1, 26), ("silver.reading", 1, 24)
    ]  # fmt: skip


@pytest.fixture
def no_earlier_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the hours that they are kept for had passed."""
    monkeypatch.setattr(protocol, "KEPT_HOURS", 0)
    properties = protocol.TABLE_PROPERTIES | {"delta.logRetentionDuration": "interval 0 hours"}
    monkeypatch.setattr(protocol, "TABLE_PROPERTIES", properties)


@pytest.mark.usefixtures("no_earlier_versions")
def test_how_far_each_job_is_outlives_the_log(lived: LightEngine, grown: Path):
    """Only the newest version's checkpoint is left; on disk is what it names."""
    apps = ["ingest", "trend", "composite", "removal", f"kept_from/{MINE}"]
    there = [table for table in TABLES.values() if lived.exists(table)]
    kept(lived)
    before = {table.name: lived.consumed_by(table, apps) for table in there}
    assert before["silver.reading"] == {
        "ingest": 2, "trend": 0, "composite": 0, "removal": 1, f"kept_from/{MINE}": datetime(2026, 3, 4).toordinal()
    }  # fmt: skip
    assert before["gold.hazard_index"] | {"removal": 0} == before["gold.hazard_index"]
    orphan = Path(lived.uri(silver.READING)) / "day=2026-06-04" / "part-of-a-killed-writer.parquet"
    orphan.touch()
    kept(lived)
    assert not orphan.exists()
    anew = LightEngine(lived.settings)
    for table in there:
        folder = Path(anew.uri(table))
        logs = [path.name for path in (folder / "_delta_log").glob("*.json")]
        assert len(logs) <= 1, table.name
        assert len(list(folder.rglob("*.parquet"))) == len(anew.days(table)) + 1, table.name  # and the checkpoint
        assert anew.consumed_by(table, apps) == before[table.name]
    assert sum(each.changed for each in build(anew)) == 0
    assert take(anew, grown / "landing", LATER + 30).changed == 0


@pytest.mark.usefixtures("no_earlier_versions", "spark")
def test_spark_goes_on_after_it(lived: LightEngine):
    """It knows what has been used up, writes once, and light goes on from there."""
    from minefusion.pipelines.engines.spark import SparkEngine

    kept(lived)
    other, started = SparkEngine(lived.settings), len(rows_of(lived, EXCHANGE_RECORD))
    rows = [row(EXCHANGE_RECORD, "new", at(LATER + 15), batch=3, position=1)]
    for _ in range(2):
        other.append(EXCHANGE_RECORD, other.frame(rows, EXCHANGE_RECORD.arrow_schema()), Consumed("ingest", 3))
    assert len(rows_of(lived, EXCHANGE_RECORD)) == started + 1
    assert lived.consumed_by(EXCHANGE_RECORD, ["ingest", "removal"]) == {"ingest": 3, "removal": 1}
    assert set(kept_from(other, SOURCES, [MINE])) == {MINE}
    assert kept(lived).changed == 0

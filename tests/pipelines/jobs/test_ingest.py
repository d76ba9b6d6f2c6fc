"""Every file gets a verdict, every record a place, once: however the run is cut off, repeated or raced."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import MINE, at, definitions, point_code, rows_of, values

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs import ingest as module
from minefusion.pipelines.jobs import landing as landing_module
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import Ingested, ingest
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import load_settings

A, B = point_code(1), point_code(2)
LONG_AGO = (datetime.now(UTC) - timedelta(days=2)).timestamp()


def take(engine: LightEngine, landing: Path, **more: Any) -> Ingested:
    return ingest(engine.settings, landing, engine=engine, **more)


def verdicts(engine: LightEngine) -> dict[str, str]:
    return dict(rows_of(engine, EXCHANGE_FILE, "name", "verdict").iter_rows())


def counted(done: Ingested) -> dict[str, int]:
    return {verdict: count for verdict, count in done.files.items() if count}


def test_records_go_to_bronze_and_a_second_run_changes_nothing(light: LightEngine, landing: Path):
    values(landing, 0, {A: 0.1, B: 0.2})
    values(landing, 1, {A: 0.3, B: 0.4})
    done = take(light, landing)
    assert counted(done) == {"accepted": 2}
    assert done.records["sent"] == done.records["stored"] == 4
    assert done.changed == 2
    records = rows_of(light, EXCHANGE_RECORD)
    assert records["position"].to_list() == [1, 2, 1, 2]
    assert set(records["batch"]) == {1}
    assert set(records["sent_at"]) == {at(0), at(1)}

    before = light.consumed(EXCHANGE_FILE, "ingest")
    again = take(light, landing)
    assert (again.changed, counted(again), light.consumed(EXCHANGE_FILE, "ingest")) == (0, {}, before)


def test_bad_input_gets_a_verdict_that_a_person_understands(light: LightEngine, landing: Path):
    good = values(landing, 0, {point_code(n): 0.5 for n in range(1, 11)})
    text = good.read_bytes()

    def file(name: str, content: bytes, age_s: float = 3600) -> None:
        path = landing / name
        path.write_bytes(content)
        os.utime(path, (time.time() - age_s,) * 2)

    stamp = "20260301120{}00".format
    file(f"{MINE}_CDSS_{stamp(1)}.txt", text[:-200])  # truncated
    file(f"{MINE}_CDSS_{stamp(2)}.txt", text[:40] + text[40:-2].decode()[:30].encode()[:-1])  # inside a character
    file(f"620000000002_CDSS_{stamp(3)}.txt", text)  # wrong mine
    file(f"{MINE}_CDSS_{stamp(4)}.txt", text.replace(b"2026-03-01 12:00:00~", b"2096-03-01 12:00:00~"))  # future
    file(f"{MINE}_CDSS_{stamp(5)}.txt", text.replace(b"0.5", b"0.6").decode().encode("gb18030"))
    file(f"{MINE}_CDSS_{stamp(6)}.txt", b"\xef\xbb\xbf" + text.replace(b"0.5", b"0.7"))
    file(f"{MINE}_CDSS_{stamp(7)}.txt", text.replace(b"0.5", b"1,5", 1))  # one record of ten
    file(f"{MINE}_CDSS_{stamp(8)}.txt", text.replace(b"0.5", b"1,5"))  # all of them
    file(f"{MINE}_CDSS_{stamp(9)}.txt", b"")
    file(f"{MINE}_CDSS_20260301121000.txt", b"", age_s=10)
    file(f"{MINE}_CDSS_20260301121100.txt", bytes(range(256)))
    file(f"{MINE}_QQQQ_20260301121200.txt", text)
    file("notes.txt", "备注".encode())
    done = take(light, landing)
    assert done.files == {
        "accepted": 3, "partial": 1, "rejected": 7, "duplicate": 0, "stale": 0, "waiting": 1, "unknown": 2,
    }  # fmt: skip
    ledger = rows_of(light, EXCHANGE_FILE).filter(
        pl.col("verdict").is_in(["rejected", "partial", "unknown", "waiting"])
    )
    for column in ("reason", "reason_zh", "reason_en", "mend_zh", "mend_en"):
        assert ledger[column].str.len_chars().min() > 0, column
    assert rows_of(light, QUARANTINE, "code")["code"].to_list() == ["FIELD_TYPE"]
    fates = sum(rows_of(light, EXCHANGE_FILE)[f"records_{name}"].sum() for name in module.COUNTS if name != "sent")
    assert rows_of(light, EXCHANGE_FILE)["records_sent"].sum() == fates


def test_a_waiting_file_gets_its_verdict_when_it_is_complete(light: LightEngine, landing: Path):
    path = values(landing, 0, {A: 0.1})
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])
    assert counted(take(light, landing)) == {"waiting": 1}
    assert take(light, landing).changed == 0  # it still waits, and its row is there
    assert light.consumed(EXCHANGE_FILE, "ingest") == 0
    path.write_bytes(whole)
    assert counted(take(light, landing)) == {"accepted": 1}
    assert list(verdicts(light).values()) == ["accepted"]


def test_the_same_content_under_another_name_is_a_duplicate(light: LightEngine, landing: Path):
    path = values(landing, 0, {A: 0.1})
    take(light, landing)
    (landing / "resent").mkdir()
    (landing / "resent" / f"{MINE}_CDSS_20260307120000.txt").write_bytes(path.read_bytes())  # days later
    done = take(light, landing)
    assert counted(done) == {"duplicate": 1}
    assert (done.records["sent"], done.records["duplicate"], done.records["stored"]) == (1, 1, 0)
    assert rows_of(light, EXCHANGE_RECORD).height == 1


def test_an_older_file_is_stale_and_goes_to_the_history(light: LightEngine, landing: Path):
    values(landing, 24 * 60 * 3, {A: 0.1})
    take(light, landing)
    values(landing, 0, {A: 0.2})
    assert counted(take(light, landing)) == {"stale": 1}
    assert rows_of(light, EXCHANGE_RECORD).height == 2
    definitions(landing, 0, {"point_code": A})
    assert counted(take(light, landing)) == {"accepted": 1}  # the first of its kind


def test_a_file_that_is_copied_again_is_read_once_more_and_then_known(
    light: LightEngine, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    path = values(landing, 0, {A: 0.1})
    take(light, landing)
    os.utime(path)
    assert (counted(take(light, landing)), take(light, landing).changed) == ({"duplicate": 1}, 0)
    monkeypatch.setattr(LightEngine, "read_exchange", None)
    assert counted(take(light, landing)) == {}
    assert list(verdicts(light).values()) == ["accepted"]


def test_a_file_whose_name_and_header_disagree_about_the_day_is_known_again(
    light: LightEngine, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    path = values(landing, 0, {A: 0.1})
    odd = path.rename(landing / f"{MINE}_CDSS_20250101000000.txt")
    os.utime(odd, (LONG_AGO, LONG_AGO))
    take(light, landing)
    monkeypatch.setattr(LightEngine, "read_exchange", None)
    assert counted(take(light, landing)) == {}


def test_ten_thousand_small_files(light: LightEngine, landing: Path):
    rows = values(landing, 0, {A: 0.1}).read_text()
    for minute in range(1, 10_000):
        stamp = at(minute) + timedelta(hours=8)
        text = rows.replace("2026-03-01 12:00:00", f"{stamp:%Y-%m-%d %H:%M:%S}")
        (landing / f"{MINE}_CDSS_{stamp:%Y%m%d%H%M%S}.txt").write_text(text)
    done = take(light, landing)
    assert (done.files["accepted"], done.records["stored"]) == (10_000, 10_000)
    assert light.consumed(EXCHANGE_FILE, "ingest") == 3  # batches
    assert take(light, landing).changed == 0


def test_a_large_file_is_taken_in_pieces_with_the_same_result(
    engines: Callable[[str], LightEngine], landing: Path, monkeypatch: pytest.MonkeyPatch
):
    path = values(landing, 0, {point_code(n): n / 1000 for n in range(1, 800)})
    path.write_bytes(path.read_bytes().replace(b";0.5;", b";o;"))
    take(engines("whole"), landing)
    monkeypatch.setattr(landing_module, "LARGE_BYTES", 1000)
    monkeypatch.setattr(LightEngine, "read_exchange", None)
    done = take(engines("pieces"), landing)
    assert (done.files["partial"], done.records["stored"], done.records["quarantined"]) == (1, 798, 1)
    assert differences(engines("whole").settings.lake, engines("pieces").settings.lake) == {}


def test_a_provincial_file_may_hold_several_mines(light: LightEngine, landing: Path):
    folder = landing / "province"
    folder.mkdir()
    kind = "RYSS"
    rows = [
        {"mine_code": mine, "card_code": f"{mine}00{n}", "in_out_flag": 1}
        for n, mine in enumerate((MINE, "620000000002"))
    ]
    text = provincial_lines(rows)
    (folder / f"PROVINCE{kind}").write_text(text, encoding="utf-8")
    os.utime(folder / f"PROVINCE{kind}", (LONG_AGO, LONG_AGO))
    settings = load_settings(lake=light.settings.lake, provincial=("province",))
    engine = LightEngine(settings)
    done = take(engine, landing)
    assert done.files["accepted"] + done.files["partial"] == 1, rows_of(
        engine, EXCHANGE_FILE, "verdict", "reason_en"
    ).rows()
    assert sorted(rows_of(engine, EXCHANGE_RECORD, "mine_code")["mine_code"]) == [MINE, "620000000002"]


def provincial_lines(rows: list[dict[str, Any]]) -> str:
    from minefusion.schemas.exchange.grammar import kinds

    columns = kinds()["RYSS"].layout("prov").columns
    return "\n".join(";".join(str(row.get(name, "")) for name in columns) for row in rows)


def test_a_file_that_cannot_be_opened_is_named_and_stops_no_other(
    light: LightEngine, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = values(landing, 0, {A: 0.1})
    values(landing, 1, {A: 0.2})
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        if path == broken:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(InputError, match=rf"{broken.name}.*Permission denied"):
        take(light, landing)
    assert list(verdicts(light).values()) == ["accepted"]


def test_a_name_in_gb18030_is_read_and_stops_no_other(light: LightEngine, landing: Path):
    values(landing, 0, {A: 0.1})
    old = os.path.join(os.fsencode(landing), "报表.txt".encode("gb18030"))
    Path(os.fsdecode(old)).write_bytes(b"x")
    assert counted(take(light, landing)) == {"accepted": 1, "unknown": 1}
    assert verdicts(light)["报表.txt"] == "unknown"


def test_a_file_that_goes_away_meanwhile_is_no_fault(
    light: LightEngine, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    gone = values(landing, 0, {A: 0.1})
    values(landing, 1, {A: 0.2})
    real = module.batches

    def after_listing(*given: Any) -> Any:
        gone.unlink()
        return real(*given)

    monkeypatch.setattr(module, "batches", after_listing)
    assert counted(take(light, landing)) == {"accepted": 1}


def test_mine_and_family_choose_files(light: LightEngine, landing: Path):
    values(landing, 0, {A: 0.1})
    values(landing, 1, {A: 0.1}, mine="620000000002")
    write_file(
        landing,
        "RYQY",
        MINE,
        "示范煤矿",
        at(0),
        [{"area_code": f"{MINE}0001", "area_name": "井底", "area_type": "其他"}],
    )
    assert counted(take(light, landing, mines=["620000000002"])) == {"accepted": 1}
    assert counted(take(light, landing, family="positioning")) == {"accepted": 1}
    assert counted(take(light, landing)) == {"accepted": 1}
    with pytest.raises(InputError, match="safety_monitoring or positioning"):
        take(light, landing, family="weather")


def test_another_mines_wrong_site_file_stops_no_mine(light: LightEngine, landing: Path, shift: tuple[Path, Path]):
    values(landing, 0, {A: 0.1})
    site = next(shift[0].glob("*.site.yaml")).read_text(encoding="utf-8")
    (landing / "620000000002.site.yaml").write_text(site.replace("mine_code", "mine_cod", 1), encoding="utf-8")
    assert counted(take(light, landing, mines=[MINE])) == {"accepted": 1}
    values(landing, 1, {A: 0.1})
    values(landing, 1, {A: 0.1}, mine="620000000002")
    with pytest.raises(InputError, match=r"620000000002.site.yaml line \d+"):
        take(light, landing)
    # What could be taken in was; the mine with the wrong file waits for it to be mended.
    assert rows_of(light, EXCHANGE_FILE, "mine_code")["mine_code"].to_list() == [MINE, MINE]
    (landing / "620000000002.site.yaml").unlink()
    assert counted(take(light, landing)) == {"accepted": 1}


# ── cut off ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class CutOffError(BaseException):
    """Stands for a kill."""


def cut_off(monkeypatch: pytest.MonkeyPatch, table: str, *, before: bool) -> None:
    """Die before or after the commit of a table."""
    real = LightEngine.commit

    def commit(self: LightEngine, delta: Any, of: Any, *given: Any) -> None:
        if of.name == table and before:
            raise CutOffError
        real(self, delta, of, *given)
        if of.name == table:
            raise CutOffError

    monkeypatch.setattr(LightEngine, "commit", commit)


@pytest.fixture
def mixed(landing: Path) -> Path:
    """Good files and one with a bad record among ten."""
    values(landing, 0, {point_code(n): 0.5 for n in range(1, 11)})
    partly = values(landing, 1, {point_code(n): 0.5 for n in range(1, 11)})
    partly.write_bytes(partly.read_bytes().replace(b"0.5", b"1,5", 1))
    return landing


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("table", ["bronze.exchange_file", "bronze.quarantine", "bronze.exchange_record"])
def test_a_run_that_is_cut_off_is_finished_by_the_next(
    engines: Callable[[str], LightEngine], mixed: Path, table: str, before: bool
):
    take(engines("undisturbed"), mixed)
    with pytest.MonkeyPatch.context() as patched:
        cut_off(patched, table, before=before)
        with pytest.raises(CutOffError):
            take(engines("cut off"), mixed)
    take(engines("cut off"), mixed)
    assert differences(engines("undisturbed").settings.lake, engines("cut off").settings.lake) == {}
    assert take(engines("cut off"), mixed).changed == 0


def test_a_file_that_stood_still_long_enough_keeps_its_verdict_when_it_is_touched(
    engines: Callable[[str], LightEngine], landing: Path
):
    """Without an end mark at its end a file is read after ten minutes; touched meanwhile it would wait again."""
    path = values(landing, 0, {A: 0.5, B: 0.5})
    header, _, records = path.read_text().partition("~")
    path.write_text(f"{header}||~{records.removesuffix('||')}")
    os.utime(path, (LONG_AGO, LONG_AGO))
    engine = engines("lake")
    with pytest.MonkeyPatch.context() as patched:
        cut_off(patched, "bronze.exchange_file", before=False)
        with pytest.raises(CutOffError):
            take(engine, landing)
    os.utime(path)
    take(engine, landing)
    assert rows_of(engine, EXCHANGE_RECORD).height == 2


@pytest.mark.parametrize("removed", [False, True])
def test_what_was_changed_before_it_was_stored_is_rejected_and_balances(
    engines: Callable[[str], LightEngine], mixed: Path, removed: bool
):
    engine = engines("lake")
    first, partly = sorted(mixed.iterdir())
    with pytest.MonkeyPatch.context() as patched:
        cut_off(patched, "bronze.quarantine", before=False)  # quarantine is written, the records are not
        with pytest.raises(CutOffError):
            take(engine, mixed)
    if removed:
        partly.unlink()
    else:
        partly.write_bytes(partly.read_bytes().replace(b"0.5", b"0.6"))
    take(engine, mixed)
    changed = rows_of(engine, EXCHANGE_FILE).filter(pl.col("reason") == "FILE_CHANGED").to_dicts()
    assert [(row["name"], row["verdict"], row["records_rejected"], row["records_quarantined"]) for row in changed] == [
        (partly.name, "rejected", 9, 1)
    ]
    assert "放入" in changed[0]["mend_zh"]
    stored = rows_of(engine, EXCHANGE_RECORD).group_by("file_id").len()
    assert stored.height == (1 if removed else 2)  # the new content is a file of its own
    assert first.name in verdicts(engine)


# ── two at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_ingest_waits_for_the_first(light: LightEngine, landing: Path):
    values(landing, 0, {A: 0.1})
    seen = []

    def ingest_later() -> None:
        seen.append(take(LightEngine(light.settings), landing).changed)

    with exclusive(light.settings.lake, "ingest"):
        second = threading.Thread(target=ingest_later)
        second.start()
        second.join(0.5)
        assert seen == []
        with (
            pytest.raises(MissingError, match=f"process {os.getpid()} holds it"),
            exclusive(light.settings.lake, "ingest", wait_s=0.1),
        ):
            pass
    second.join()
    assert seen == [1]


def test_two_processes_at_once_leave_one_lake(engines: Callable[[str], LightEngine], shift: tuple[Path, Path]):
    engine = engines("raced")
    code = (
        "import sys; from pathlib import Path; from minefusion.schemas.settings import load_settings;"
        "from minefusion.pipelines.jobs.ingest import ingest;"
        "ingest(load_settings(lake=Path(sys.argv[1]), engine='light', batch_files=100), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(engine.settings.lake), str(shift[0])]
    racers = [subprocess.Popen(command) for _ in range(2)]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    alone = LightEngine(load_settings(lake=engines("alone").settings.lake, batch_files=100))
    take(alone, shift[0])
    assert differences(alone.settings.lake, engine.settings.lake) == {}


def test_writers_that_no_lock_keeps_apart_begin_anew(
    engines: Callable[[str], LightEngine], shift: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    """On two machines the lock is none; then the commit that comes second must find out."""
    monkeypatch.setattr(module, "exclusive", lambda *_: nullcontext())
    lake = engines("raced").settings.lake
    settings = load_settings(lake=lake, batch_files=50)
    racers = [threading.Thread(target=take, args=(LightEngine(settings), shift[0])) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    alone = LightEngine(load_settings(lake=engines("alone").settings.lake, batch_files=50))
    take(alone, shift[0])
    assert differences(alone.settings.lake, lake, ignoring=["batch"]) == {}


# ── cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cost_follows_what_is_new_and_not_the_history(engines: Callable[[str], LightEngine], landing: Path):
    read = {}
    for days in (1, 10):
        engine, folder = engines(f"{days}"), landing / f"{days}"
        folder.mkdir()
        for day in range(days):
            for minute in range(10):
                values(folder, (day - days) * 1440 + minute, {A: 0.1, B: 0.2})
            take(engine, folder)
        for file in folder.iterdir():
            file.unlink()
        values(folder, 0, {A: 0.3})
        before = engine.rows_read
        assert counted(take(engine, folder)) == {"accepted": 1}
        read[days] = engine.rows_read - before
    assert read[10] <= 1.2 * read[1]

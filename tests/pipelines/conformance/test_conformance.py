"""Each fault planted alone in a clean feed is told under its clause, with its file and record, and nothing else is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from minefusion.pipelines.conformance import Conformance
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.conformance import check_folder
from minefusion.pipelines.simulate import simulate_mine
from minefusion.pipelines.simulate.scenario import FEEDS, SHIPPED
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import kinds, reports
from minefusion.schemas.quality import quality_rules
from minefusion.schemas.settings import load_settings
from minefusion.schemas.table import Table

MINE = "620000000001"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve minutes of a mine whose feed has no fault."""
    base = tmp_path_factory.mktemp("clean")
    simulate_mine("clean", hours=0.2, seed=3, out=base / "landing", truth=base / "truth", roadways=20, people=8)
    return base / "landing"


@dataclass(frozen=True)
class Feed:
    """A copy of the clean feed in which a fault is planted."""

    folder: Path

    def path(self, kind: str, number: int) -> Path:
        """The file of a kind by its place in time."""
        return sorted(self.folder.glob(f"{MINE}_{kind}_*.txt"))[number]

    def of(self, kind: str, number: int) -> str:
        return self.path(kind, number).name

    def records(self, kind: str, number: int) -> list[list[str]]:
        body = self.path(kind, number).read_text("utf-8").removesuffix("||").removesuffix("~")
        return [record.split(";") for record in body.split("~")[1:]]

    def position(self, kind: str, number: int, code: str) -> int:
        """Place in the file of the first record with this in its first field."""
        return next(at for at, fields in enumerate(self.records(kind, number), 1) if code in fields[0])

    def change(self, kind: str, number: int, record: int, field: int, text: str) -> None:
        """Put a text in the place of one field."""
        path = self.path(kind, number)
        parts = path.read_text("utf-8").split("~")
        fields = parts[record].split(";")
        fields[field] = text
        parts[record] = ";".join(fields)
        path.write_text("~".join(parts), "utf-8")

    def header(self, kind: str, number: int, old: str, new: str) -> None:
        path = self.path(kind, number)
        head, rest = path.read_text("utf-8").split("~", 1)
        assert old in head
        path.write_text(f"{head.replace(old, new)}~{rest}", "utf-8")

    def drop(self, kind: str, number: int, record: int) -> None:
        path = self.path(kind, number)
        parts = path.read_text("utf-8").split("~")
        del parts[record]
        path.write_text("~".join(parts), "utf-8")

    def add(self, kind: str, number: int, record: str) -> None:
        path = self.path(kind, number)
        parts = path.read_text("utf-8").split("~")
        parts.insert(-1, record)
        path.write_text("~".join(parts), "utf-8")


@pytest.fixture
def feed(clean: Path, tmp_path: Path) -> Feed:
    return Feed(Path(shutil.copytree(clean, tmp_path / "feed")))


def checked(folder: Path) -> Conformance:
    return check_folder(load_settings(), folder)


def told(done: Conformance) -> dict[str, list[tuple[str, int | None]]]:
    """File and record of every example, by clause."""
    return {
        clause.rule.rule: [(example.file, example.record) for example in clause.examples]
        for clause in done.clauses
        if not clause.ok
    }


def later(feed: Feed, kind: str, number: int, record: int, field: int, seconds: float) -> None:
    """Set a time in a record back or forth."""
    at = datetime.fromisoformat(feed.records(kind, number)[record - 1][field]) + timedelta(seconds=seconds)
    feed.change(kind, number, record, field, f"{at:%Y-%m-%d %H:%M:%S}")


def test_a_clean_feed_has_no_fault_and_every_clause_looked_at_something(clean: Path):
    done = checked(clean)
    assert told(done) == {}
    assert done.ok
    assert done.mines == (MINE,)
    assert [clause.rule.rule for clause in done.clauses] == list(quality_rules())
    assert all(clause.checked for clause in done.clauses)


# ── the feed ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["CDDY", "CDSS", "FZDY", "FZSS", "TJSJ", "RYXX", "RYQY", "RYJZ", "RYSS", "JZSS"])
def test_a_kind_that_is_missing(feed: Feed, kind: str):
    for path in feed.folder.glob(f"{MINE}_{kind}_*.txt"):
        path.unlink()
    assert told(checked(feed.folder)) == {"CF-01": [(f"{MINE}_{kind}_*.txt", None)]}


def test_files_that_did_not_come(feed: Feed):
    after = feed.of("CDSS", 12)
    for path in [feed.path("CDSS", number) for number in range(8, 12)]:
        path.unlink()
    done = checked(feed.folder)
    assert told(done) == {"CF-02": [(after, None)]}
    example = next(clause for clause in done.clauses if not clause.ok).examples[0]
    assert "about 4 missing" in example.problem_en


def test_a_feed_that_stops_before_the_others(feed: Feed):
    last = feed.of("RYSS", 8)
    for path in sorted(feed.folder.glob(f"{MINE}_RYSS_*.txt"))[9:]:
        path.unlink()
    assert told(checked(feed.folder)) == {"CF-02": [(last, None)]}


def test_a_feed_that_comes_too_seldom(feed: Feed):
    for path in [path for n, path in enumerate(sorted(feed.folder.glob(f"{MINE}_CDSS_*.txt"))) if n % 6]:
        path.unlink()
    assert told(checked(feed.folder)) == {"CF-02": [(feed.of("CDSS", 1), None)]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.removesuffix("||")[: len(text) // 2].encode(),
        lambda _text: bytes(range(256)),
        lambda text: text.replace("2026-03-01", "1. März", 1).encode(),
    ],
    ids=["cut off", "not text", "no time in the header"],
)
def test_a_file_that_cannot_be_read(feed: Feed, spoil: Callable[[str], bytes]):
    path = feed.path("CDSS", 5)
    path.write_bytes(spoil(path.read_text("utf-8")))
    assert told(checked(feed.folder)) == {"CF-03": [(path.name, None)]}


def test_a_name_that_tells_nothing_and_a_kind_that_nobody_knows(feed: Feed):
    feed.path("FZSS", 4).rename(feed.folder / "values.txt")
    assert told(checked(feed.folder)) == {"CF-03": [("values.txt", None)]}
    (feed.folder / "values.txt").rename(feed.folder / f"{MINE}_ABCD_20260301080200.txt")
    assert told(checked(feed.folder)) == {"CF-03": [(f"{MINE}_ABCD_20260301080200.txt", None)]}


def test_a_record_with_a_field_too_few(feed: Feed):
    path = feed.path("CDSS", 5)
    parts = path.read_text("utf-8").split("~")
    parts[7] = parts[7].rpartition(";")[0]
    path.write_text("~".join(parts), "utf-8")
    assert told(checked(feed.folder)) == {"CF-03": [(path.name, 7)]}


@pytest.mark.parametrize(("kind", "x"), [("CDDY", 19), ("FZDY", 2), ("RYJZ", 2)])
@pytest.mark.parametrize("text", ["", "unknown"])
def test_coordinates_that_are_missing(feed: Feed, kind: str, x: int, text: str):
    feed.change(kind, 0, 3, x, text)
    assert told(checked(feed.folder)) == {"CF-04": [(feed.of(kind, 0), 3)]}


def test_coordinates_that_are_zero(feed: Feed):
    for column in (19, 20):
        feed.change("CDDY", 0, 3, column, "0.00")
    assert told(checked(feed.folder)) == {"CF-04": [(feed.of("CDDY", 0), 3)]}


@pytest.mark.parametrize("seconds", [120, 900, -600])
def test_a_point_whose_clock_is_wrong(feed: Feed, seconds: float):
    for number in range(len(list(feed.folder.glob(f"{MINE}_CDSS_*.txt")))):
        later(feed, "CDSS", number, 5, 6, seconds)
    assert told(checked(feed.folder)) == {"CF-05": [(feed.of("CDSS", 0), 5)]}


def test_a_header_whose_clock_is_wrong(feed: Feed):
    feed.header("CDSS", 10, "2026-03-01 08:05:00", "2026-03-01 08:25:00")
    assert told(checked(feed.folder)) == {"CF-05": [(feed.of("CDSS", 10), None)]}
    feed.header("CDSS", 10, "2026-03-01 08:25:00", "2999-03-01 08:25:00")
    assert told(checked(feed.folder)) == {"CF-05": [(feed.of("CDSS", 10), None)]}


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        ("CDSS", 5, "sick"),
        ("FZSS", 1, "7"),
        ("RYSS", 11, "休息"),
        ("RYQY", 0, "奇怪区域"),
        ("CDDY", 1, "99"),
        ("CDDY", 3, "0002"),
    ],
)
def test_a_code_that_is_not_in_its_table(feed: Feed, kind: str, field: int, text: str):
    record = feed.position("CDDY", 0, "MN0001") if kind == "CDDY" else 2
    feed.change(kind, 0, record, field, text)
    assert told(checked(feed.folder)) == {"CF-06": [(feed.of(kind, 0), record)]}


def test_a_file_that_is_written_in_another_way(feed: Feed):
    path = feed.path("FZSS", 3)
    path.write_text(path.read_text("utf-8").replace("~", "~\r\n"), "utf-8")
    assert told(checked(feed.folder)) == {"CF-07": [(path.name, None)]}


# ── its data ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dq_01_a_code_of_another_form(feed: Feed):
    code = feed.records("CDSS", 6)[3][0]
    feed.change("CDSS", 6, 4, 0, code[:-8] + "?")
    assert told(checked(feed.folder)) == {"DQ-01": [(feed.of("CDSS", 6), 4)]}


def test_dq_02_a_sensor_type_that_nobody_knows(feed: Feed):
    feed.change("CDDY", 0, 4, 3, "8888")
    assert told(checked(feed.folder)) == {"DQ-02": [(feed.of("CDDY", 0), 4)]}


@pytest.mark.parametrize("text", ["2026-02-30 08:00:00", "yesterday"])
def test_dq_03_a_time_that_cannot_be(feed: Feed, text: str):
    feed.change("CDSS", 6, 4, 6, text)
    assert told(checked(feed.folder)) == {"DQ-03": [(feed.of("CDSS", 6), 4)]}


def test_dq_03_a_time_ahead_of_the_arrival(feed: Feed):
    later(feed, "CDSS", 6, 4, 6, 900)
    assert told(checked(feed.folder)) == {"DQ-03": [(feed.of("CDSS", 6), 4)]}


@pytest.mark.parametrize(("kind", "field"), [("CDSS", 0), ("RYSS", 2), ("FZSS", 0)])
def test_dq_04_a_required_field_that_is_empty(feed: Feed, kind: str, field: int):
    feed.change(kind, 6, 4, field, "")
    assert told(checked(feed.folder)) == {"DQ-04": [(feed.of(kind, 6), 4)]}


def test_dq_05_a_point_that_misses_some_of_its_values(feed: Feed):
    for number in (5, 6):
        feed.drop("CDSS", number, 9)
    assert told(checked(feed.folder)) == {"DQ-05": [(feed.of("CDSS", 5), None)]}


def test_dq_05_a_point_that_is_defined_and_never_sends(feed: Feed):
    for number in range(len(list(feed.folder.glob(f"{MINE}_FZSS_*.txt")))):
        feed.drop("FZSS", number, 2)
    assert told(checked(feed.folder)) == {"DQ-05": [(feed.of("FZSS", 0), None)]}


def analog(feed: Feed, kind: str = "MN0043") -> int:
    return feed.position("CDSS", 7, kind)


def test_dq_06_a_value_that_cannot_be(feed: Feed):
    record = analog(feed)
    feed.change("CDSS", 7, record, 3, "250")
    assert told(checked(feed.folder)) == {"DQ-06": [(feed.of("CDSS", 7), record)]}


def test_dq_07_a_value_outside_its_instrument(feed: Feed):
    record = analog(feed, "MN0001")
    feed.change("CDSS", 7, record, 3, "4.60")
    assert told(checked(feed.folder)) == {"DQ-07": [(feed.of("CDSS", 7), record)]}


def test_dq_08_a_value_that_stands_still_for_a_day(tmp_path: Path):
    """One point that moves, one that does not, one that is zero: half-hourly values of a day and a bit."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    codes = [f"{MINE}01MN0001001A0{n}" for n in (1, 2, 3)]
    about = {"system_model": "K", "system_name": "S", "manufacturer": "M", "safety_mark_expiry": "2028-12-31"}
    defined = [
        {"point_code": code, "system_code": "01", "sensor_type_code": "0001", "value_kind": "MN", "unit": "%",
         "range_high": "4", "range_low": "0", "x": "1", "y": "2", "z": "3", "substation_code": f"{MINE}00001"}
        for code in codes
    ]  # fmt: skip
    substation = [{"substation_code": f"{MINE}00001", "x": "1", "y": "2", "z": "3"}]
    for hour in (0, 24):
        write_file(tmp_path, "CDDY", MINE, "矿", start + timedelta(hours=hour), defined, header=about)
        write_file(tmp_path, "FZDY", MINE, "矿", start + timedelta(hours=hour), substation)
    for minute in range(0, 25 * 60, 2):
        at = start + timedelta(minutes=minute)
        values = [f"{0.3 + 0.01 * (minute % 7):.2f}", "0.42", "0"]
        rows = [
            {"point_code": code, "value": value, "unit": "%", "status": "0", "data_time": at}
            for code, value in zip(codes, values, strict=True)
        ]
        write_file(tmp_path, "CDSS", MINE, "矿", at, rows)
        write_file(
            tmp_path, "FZSS", MINE, "矿", at, [{"substation_code": f"{MINE}00001", "run_state": "0", "data_time": at}]
        )
        if minute % 4 == 0:
            write_file(tmp_path, "TJSJ", MINE, "矿", at, [])
    last = sorted(tmp_path.glob("*_CDSS_*"))[-1].name
    assert told(checked(tmp_path)) == {"DQ-08": [(last, 2)]}


def test_dq_09_a_value_that_jumps_and_comes_back(feed: Feed):
    record = feed.position("CDSS", 7, "MN0003")
    feed.change("CDSS", 7, record, 3, "95.0")
    assert told(checked(feed.folder)) == {"DQ-09": [(feed.of("CDSS", 7), record)]}


@pytest.mark.parametrize(
    ("kind", "field", "old", "new"),
    [("CDSS", 0, "001A01", "001A77"), ("FZSS", 0, "00002", "00077"), ("RYSS", 0, "00002", "00077")],
)
def test_dq_10_a_code_that_no_file_defines(feed: Feed, kind: str, field: int, old: str, new: str):
    record = next(at for at, row in enumerate(feed.records(kind, 8), 1) if row[field].endswith(old))
    text = re.sub(f"{old}$", new, feed.records(kind, 8)[record - 1][field])
    feed.change(kind, 8, record, field, text)
    assert told(checked(feed.folder)) == {"DQ-10": [(feed.of(kind, 8), record)]}


def test_dq_11_an_alarm_bit_without_its_value_and_a_value_without_its_bit(feed: Feed):
    record = analog(feed, "MN0001")
    feed.change("CDSS", 9, record, 5, "1")
    assert told(checked(feed.folder)) == {"DQ-11": [(feed.of("CDSS", 9), record)]}
    feed.change("CDSS", 9, record, 5, "0")
    feed.change("CDSS", 9, record, 3, "1.60")
    assert told(checked(feed.folder)) == {"DQ-11": [(feed.of("CDSS", 9), record)]}


@pytest.mark.parametrize(("kind", "field", "unit"), [("CDDY", 5, "m/s"), ("CDDY", 5, "ppm"), ("CDSS", 4, "mg/m3")])
def test_dq_12_a_unit_of_another_type(feed: Feed, kind: str, field: int, unit: str):
    record = feed.position(kind, 0, "MN0043")
    feed.change(kind, 0, record, field, unit)
    assert told(checked(feed.folder)) == {"DQ-12": [(feed.of(kind, 0), record)]}


def test_dq_13_a_file_that_comes_late(feed: Feed):
    """It takes the name and header of when it came; its place in time is filled by it all the same."""
    path = feed.path("CDSS", 4)
    text = path.read_text("utf-8").replace("2026-03-01 08:02:00~", "2026-03-01 08:08:10~", 1)
    path.unlink()
    late = feed.folder / f"{MINE}_CDSS_20260301080810.txt"
    late.write_text(text, "utf-8")
    found = told(checked(feed.folder))
    assert set(found) == {"DQ-13"}
    assert {file for file, _ in found["DQ-13"]} == {late.name}
    assert [record for _, record in found["DQ-13"]] == list(range(1, 21))


def test_dq_13_a_record_of_ten_minutes_ago(feed: Feed):
    later(feed, "CDSS", 22, 5, 6, -600)
    assert told(checked(feed.folder)) == {"DQ-13": [(feed.of("CDSS", 22), 5)]}


def test_dq_14_the_same_key_twice(feed: Feed):
    again = ";".join(feed.records("CDSS", 6)[3])
    feed.add("CDSS", 6, again)
    assert told(checked(feed.folder)) == {"DQ-14": [(feed.of("CDSS", 6), 4)]}


def test_dq_14_another_file_says_otherwise_but_a_resent_record_is_none(feed: Feed):
    row = feed.records("CDSS", 6)[3]
    feed.add("CDSS", 7, ";".join(row))
    assert told(checked(feed.folder)) == {}
    added = len(feed.records("CDSS", 7))
    feed.change("CDSS", 7, added, 5, "2")
    assert told(checked(feed.folder)) == {"DQ-14": [(feed.of("CDSS", 7), added)]}


def test_dq_14_a_whole_file_again(feed: Feed):
    copy = feed.folder / f"{MINE}_CDSS_20260301080615.txt"
    shutil.copyfile(feed.path("CDSS", 6), copy)
    assert told(checked(feed.folder)) == {"DQ-14": [(copy.name, None)]}


def test_dq_15_a_table_that_nobody_answers_for(feed: Feed, monkeypatch: pytest.MonkeyPatch):
    orphan = Table(name="silver.orphan", doc="Nobody's.", zh="无主", key=("a",), columns=())
    monkeypatch.setitem(__import__("minefusion.schemas.catalog").schemas.catalog.TABLES, orphan.name, orphan)
    done = checked(feed.folder)
    assert told(done) == {"DQ-15": [("schemas/governance/tables.csv", None)]}
    (example,) = next(clause for clause in done.clauses if not clause.ok).examples
    assert example.problem_en == "silver.orphan lacks owner, level, domain"


# ── the other families ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty minutes of a mine that sends every family of files without fault."""
    base = tmp_path_factory.mktemp("families")
    feeds = "\n".join(f"  {name}:" for name in FEEDS)
    clean = (SHIPPED / "clean.yaml").read_text("utf-8")
    (base / "all.yaml").write_text(f"{clean}feeds:\n{feeds}\n", "utf-8")
    simulate_mine(
        base / "all.yaml", hours=0.7, seed=3, out=base / "landing", truth=base / "truth", roadways=24, people=8
    )
    return base / "landing"


def test_a_clean_feed_of_every_family_has_no_fault(families: Path):
    done = checked(families)
    assert {kinds()[path.name.split("_", 1)[1].rsplit("_", 1)[0]].family for path in families.glob("*_*_*.txt")} >= {
        "hydrology", "ground_pressure", "tailings", "equipment", "vehicles",
    }  # fmt: skip
    assert told(done) == {}


def test_faults_in_other_families_are_told_in_the_same_way(families: Path, tmp_path: Path):
    """One fault of five clauses at once, each in a family of its own."""
    feed = Feed(Path(shutil.copytree(families, tmp_path / "feed")))
    x = kinds()["JSLCDDY"].layout().columns.index("x")
    feed.change("JSLCDDY", 0, 1, x, "")
    feed.change("ZJSS", 2, 1, 0, feed.records("ZJSS", 2)[0][0][:-2] + "99")
    feed.change("GTXSS", 3, 1, kinds()["GTXSS"].layout().columns.index("beach_length"), "-1e9")
    feed.change("TFJK_SS", 4, 2, kinds()["TFJK_SS"].layout().columns.index("data_time"), "noon")
    gap = feed.of("KSWSS", 6)
    for number in (5, 4):
        feed.path("KSWSS", number).unlink()
    assert told(checked(feed.folder)) == {
        "CF-02": [(gap, None)],
        "CF-04": [(feed.of("JSLCDDY", 0), 1)],
        "DQ-03": [(feed.of("TFJK_SS", 4), 2)],
        "DQ-06": [(feed.of("GTXSS", 3), 1)],
        "DQ-10": [(feed.of("ZJSS", 2), 1)],
    }


# ── around it ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refused_file_is_told_by_its_records(feed: Feed):
    """More than a fifth of the records bad: the reader refuses the file; the clause still names each record."""
    kgbh = feed.path("FZDY", 0)
    for record in (1, 2, 3, 4):
        feed.change("FZDY", 0, record, 0, "")
    found = told(checked(feed.folder))
    assert found["DQ-04"] == [(kgbh.name, record) for record in (1, 2, 3, 4)]
    assert "CF-03" not in found


def test_large_files_read_in_pieces_give_the_same_answer(feed: Feed, monkeypatch: pytest.MonkeyPatch):
    feed.change("CDSS", 7, analog(feed), 3, "250")
    feed.change("FZSS", 6, 4, 0, "")
    whole = checked(feed.folder)
    monkeypatch.setattr("minefusion.pipelines.jobs.conformance.LARGE_BYTES", 0)
    assert checked(feed.folder) == whole
    assert set(told(whole)) == {"DQ-04", "DQ-06"}


def test_every_code_of_the_reader_has_a_clause_that_there_is():
    for report in reports().values():
        assert report.clause == "" or report.clause in quality_rules(), report.code


def test_each_violation_says_what_to_do(feed: Feed):
    feed.change("CDSS", 7, analog(feed), 3, "250")
    (clause,) = [clause for clause in checked(feed.folder).clauses if not clause.ok]
    (example,) = clause.examples
    assert example.entity is not None
    assert (example.mine_code, example.kind) == (MINE, "CDSS")
    assert all((example.problem_zh, example.problem_en, example.mend_zh, example.mend_en))
    assert clause.as_row()["violations"] == 1


def test_a_folder_without_exchange_files_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected exchange files in .*, got none"):
        checked(tmp_path)
    with pytest.raises(InputError, match="expected a folder of exchange files"):
        checked(tmp_path / "nowhere")


def test_rules_are_rows_with_a_source_and_say_what_to_do():
    for rule in quality_rules().values():
        assert rule.confidence in ("confirmed", "inferred", "convention")
        assert all((rule.source, rule.check_zh, rule.check_en, rule.mend_zh, rule.mend_en, rule.action))
    assert [rule for rule in quality_rules() if rule.startswith("DQ")] == [f"DQ-{n:02d}" for n in range(1, 16)]
    assert replace(quality_rules()["DQ-05"], limit=0.5).threshold == 0.5

"""Files as the writer makes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from exchange_files import MINE

from minefusion.pipelines.exchange.write import cleaned, file_name, render, write_file
from minefusion.schemas.errors import InputError

TIME = datetime(2025, 6, 1, tzinfo=UTC)  # 08:00 in the mine
ROW = {
    "point_code": "P1",
    "sensor_type_name": "甲烷",
    "location": "面",
    "value": 0.32,
    "unit": "%",
    "status": 0,
    "data_time": TIME,
}
CDSS = f"{MINE};示范煤矿;2025-06-01 08:00:00~P1;甲烷;面;0.32;%;0;2025-06-01 08:00:00~||"


def rendered(kind: str, records, **more) -> str:
    return render(kind, MINE, "示范煤矿", TIME, records, **more).decode()


@pytest.mark.parametrize(
    "records",
    [[ROW], {name: [value] for name, value in ROW.items()}, pl.DataFrame([ROW]), pa.Table.from_pylist([ROW])],
    ids=["rows", "columns", "polars", "arrow"],
)
def test_main_form(records):
    assert rendered("CDSS", records) == CDSS


def test_no_records():
    for nothing in ([], {}, pl.DataFrame(), pl.DataFrame(schema={"point_code": pl.String})):
        assert rendered("CDSS", nothing) == f"{MINE};示范煤矿;2025-06-01 08:00:00~||"


def test_columns_left_out_and_nulls_are_empty():
    assert rendered("CDSS", [{"point_code": "P1", "value": None}]).split("~")[1] == "P1;;;;;;"


def test_times_of_any_zone_are_written_in_mine_local_time():
    cet = TIME.astimezone(timezone(timedelta(hours=1)))
    for time in (TIME, cet, datetime(2025, 6, 1, 8)):
        assert rendered("CDSS", [ROW | {"data_time": time}]) == CDSS
        assert file_name("CDSS", MINE, time) == f"{MINE}_CDSS_20250601080000.txt"


def test_what_separates_becomes_a_blank():
    assert cleaned("a;b~c|d^e\nf\tg") == "a b c d e f g"
    text = rendered("CDSS", [ROW | {"location": "a;b~c|d^e\nf"}, ROW | {"location": "ok"}])
    assert text == CDSS.replace("面", "a b c d e f").replace(
        "~||", "~" + CDSS.split("~")[1].replace("面", "ok") + "~||"
    )
    assert render("CDSS", MINE, "矿;井", TIME, []).decode().startswith(f"{MINE};矿 井;")


def test_header_fields_by_column():
    more = {
        "system_model": "KJ90",
        "system_name": "系统",
        "manufacturer": "厂",
        "safety_mark_expiry": date(2027, 12, 31),
    }
    assert rendered("CDDY", [], header=more) == f"{MINE};示范煤矿;KJ90;系统;厂;2027-12-31;2025-06-01 08:00:00~||"


def test_a_dialect_only_when_asked_for():
    row = {"point_code": "P1", "value": 1.0, "change_time": TIME}
    assert rendered("KGBH", [row], dialect="i") == "2025-06-01 08:00:00;1;~P1;1.0;2025-06-01 08:00:00;~||"
    assert rendered("KGBH", [row]).startswith(f"{MINE};示范煤矿;")


def test_non_coal_separators():
    assert rendered("NCDSS", [{"point_code": "P1"}]) == f"{MINE};示范煤矿;2025-06-01 08:00:00^P1;;;;;;^]]]"


def test_provincial_lines_have_no_header():
    assert (
        rendered("AQFC", [{"mine_code": "52022100001", "location": 'a"b'}, {"mine_code": "2"}])
        == ";;;52022100001;;a b;;\n;;;2;;;;"
    )


def test_a_file_gets_its_name_when_it_is_complete(tmp_path: Path):
    assert write_file(tmp_path, "CDSS", MINE, "示范煤矿", TIME, [ROW, ROW]) == 2
    assert [path.name for path in tmp_path.iterdir()] == [f"{MINE}_CDSS_20250601080000.txt"]


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: rendered("XXXX", []), "XXXX"),
        (lambda: rendered("CDSS", [], dialect="i"), "'i'"),
        (lambda: rendered("CDSS", [{"valu": 1}]), "'valu'"),
        (lambda: rendered("CDSS", [], header={"maker": "x"}), "'maker'"),
    ],
)
def test_wrong_use_is_named(call, names: str):
    with pytest.raises(InputError, match=names):
        call()

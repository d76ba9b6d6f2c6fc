"""The measured table: instants run forward, values are numbers, and what is not so is told by column and row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from minefusion.pipelines.replay.mapping import Covariate, MappedPoint, Mapping, Time
from minefusion.pipelines.replay.table import INSTANT, period_s, read_table
from minefusion.schemas.errors import InputError

START = datetime(2026, 3, 1, tzinfo=UTC)
ELAPSED = Time("t", "s")


def mapping(time: Time = ELAPSED) -> Mapping:
    point = MappedPoint("gas", "gas", "0001", "%", "LW_CORNER_T0")
    return Mapping("140000000001", time, (point,), (Covariate("on", "on"),))


def csv(folder: Path, *rows: str, header: str = "t,gas,on") -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def seconds(table: pl.DataFrame) -> list[float]:
    return [(instant - START).total_seconds() for instant in table[INSTANT]]


def test_csv_and_parquet_give_the_same(tmp_path: Path):
    path = csv(tmp_path, "0,1.5,1", "30,,0", "60,NaN,1")
    table = read_table(path, mapping(), START)
    assert seconds(table) == [0, 30, 60]
    assert table["gas"].to_list() == [1.5, None, None]
    assert table["on"].to_list() == [1.0, 0.0, 1.0]
    pl.read_csv(path).write_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet", mapping(), START)[INSTANT].to_list() == table[INSTANT].to_list()


@pytest.mark.parametrize(
    ("unit", "elapsed", "expected"),
    [("ms", 90_000, 90), ("s", 90, 90), ("min", 1.5, 90), ("h", 0.025, 90), ("d", 0.25, 21_600)],
)
def test_a_time_elapsed_counts_from_the_start(tmp_path: Path, unit: str, elapsed: float, expected: float):
    """Not from the first row: the second part of a series goes on where the first one ended."""
    path = csv(tmp_path, f"{elapsed},1,0")
    assert seconds(read_table(path, mapping(Time("t", unit)), START)) == [expected]  # type: ignore[arg-type]


def test_clock_times_are_of_their_zone_or_start_where_told(tmp_path: Path):
    path = csv(tmp_path, "2026-03-01 00:00:00,1,0", "2026-03-01 00:00:30,1,0")
    warsaw = mapping(Time("t", timezone="Europe/Warsaw"))
    assert seconds(read_table(path, warsaw, None)) == [-3600, -3570]
    assert seconds(read_table(path, warsaw, START)) == [0, 30]
    assert seconds(read_table(path, mapping(Time("t")), None)) == [0, 30]


def test_an_offset_in_the_time_goes_before_the_zone(tmp_path: Path):
    path = csv(tmp_path, "2026-03-01T08:00:00+08:00,1,0")
    assert seconds(read_table(path, mapping(Time("t", timezone="Europe/Warsaw")), None)) == [0]


def test_the_hour_that_comes_twice_runs_forward(tmp_path: Path):
    """Warsaw, 25 October 2026: 02:30 comes at 00:30 and at 01:30 UTC."""
    path = csv(tmp_path, *(f"2026-10-25 {clock}:00,1,0" for clock in ("02:00", "02:30", "02:00", "02:30", "03:00")))
    table = read_table(path, mapping(Time("t", timezone="Europe/Warsaw")), None)
    assert table[INSTANT].dt.strftime("%H:%M").to_list() == ["00:00", "00:30", "01:00", "01:30", "02:00"]


def test_the_period_is_the_mappings_or_the_usual_step(tmp_path: Path):
    table = read_table(csv(tmp_path, "0,1,0", "30,1,0", "60,1,0", "300,1,0"), mapping(), START)
    assert period_s(mapping(), table) == 30
    assert period_s(mapping(Time("t", "s", 15.0)), table) == 15


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["0,1,0", "60,1,0", "30,1,0"], "expected 't' in .* to run forward, it runs backwards in row 3"),
        (["0,1,0", "0,1,0"], "moves on by less than a second in row 2"),
        (["0,1,0", ",1,0"], "expected a time in every row of 't' in .*, got none in row 2"),
        (["0,1,0", "30,n/a,0"], "expected numbers in 'gas' of .*, got 'n/a' in row 2"),
        (["0,1,0", "30,1,2"], "expected 0 or 1 in 'on' of .*, got 2 in row 2"),
        ([], "expected rows in .*, got none"),
    ],
)
def test_what_is_wrong_is_told_by_column_and_row(tmp_path: Path, rows: list[str], said: str):
    with pytest.raises(InputError, match=said):
        read_table(csv(tmp_path, *rows), mapping(), START)


def test_a_missing_column_is_named_beside_those_there_are(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected column 'on' in .*table.csv, got t, gas; mend the mapping"):
        read_table(csv(tmp_path, "0,1", header="t,gas"), mapping(), START)


def test_a_time_elapsed_needs_its_start(tmp_path: Path):
    with pytest.raises(InputError, match="expected --start, since 't' counts from a start"):
        read_table(csv(tmp_path, "0,1,0"), mapping(), None)


def test_clock_times_that_are_none_are_shown(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected ISO 8601 times in 't' of .*, got 'noon'"):
        read_table(csv(tmp_path, "noon,1,0"), mapping(Time("t")), None)
    with pytest.raises(InputError, match=r"expected clock times in 't' of .*, got Int64; say its unit"):
        read_table(csv(tmp_path, "0,1,0"), mapping(Time("t")), None)


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_a_missing_table_is_wrong_use(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="expected a measured table, found none"):
        read_table(tmp_path / name, mapping(), START)


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "table.xlsx").write_bytes(b"PK")
    (tmp_path / "table.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"expected a \.parquet or \.csv file"):
        read_table(tmp_path / "table.xlsx", mapping(), START)
    with pytest.raises(InputError, match=r"expected .*table\.parquet as parquet"):
        read_table(tmp_path / "table.parquet", mapping(), START)


def test_instants_keep_fractions_of_a_second(tmp_path: Path):
    table = read_table(csv(tmp_path, "0.25,1,0", "1.5,1,0"), mapping(), START)
    assert table[INSTANT].to_list() == [START + timedelta(seconds=0.25), START + timedelta(seconds=1.5)]

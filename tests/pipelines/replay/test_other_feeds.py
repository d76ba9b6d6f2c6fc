"""Columns that other feeds carry: which files they come in, under which codes, and what a wrong kind is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from minefusion.pipelines.replay.files import replay
from minefusion.pipelines.replay.mapping import MappedPoint, Mapping, Time, load_mapping, measure_of
from minefusion.pipelines.replay.site import point_codes
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import load_site

MINE = "140000000009"
AREA = f"{MINE}0001"
START = datetime(2026, 2, 28, 16, tzinfo=UTC)  # midnight in the mine
POND = MappedPoint("level", "库水位", "0029", "m", AREA, file="KSWSS")
OIL = MappedPoint("oil", "油温", "0026", "℃", AREA, file="TFJK_SS", device="M07")
AIR = MappedPoint("air", "气温", "0003", "℃", AREA)
MAPPING = Mapping(MINE, Time("t", "s", 300.0), (POND, OIL, AIR))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    table, out = tmp_path / "table.csv", tmp_path / "landing"
    table.write_text("t,level,oil,air\n0,338.48,41.5,12\n300,,41.7,12.5\n", encoding="utf-8")
    done = replay(table, MAPPING, out, start=START)
    assert done.records == {"KSWDY": 1, "TFJK_JC": 1, "CDDY": 1, "CDSS": 2, "KSWSS": 1, "TFJK_SS": 2}
    return out


def records(folder: Path, kind: str) -> list[list[str]]:
    """Fields of all records of a kind, file after file."""
    found = []
    for path in sorted(folder.glob(f"*_{kind}_*.txt")):
        _, *rows, _ = path.read_text(encoding="utf-8").split("~")
        found += [row.split(";") for row in rows]
    return found


def test_each_feed_has_files_of_its_own_and_a_missing_value_none(written: Path):
    assert records(written, "KSWSS") == [[f"{MINE}KSWS0001", "2026-03-01 00:00:00", "338.48"]]
    oil = records(written, "TFJK_SS")
    assert [row[0] for row in oil] == ["P02", "P02"]
    assert all("M07" in row and "0026" in row for row in oil)
    assert ["41.5" in row for row in oil] == [True, False]
    assert [row[3] for row in records(written, "CDSS")] == ["12.0", "12.5"]


def test_points_have_the_codes_that_silver_gives_them(written: Path):
    assert point_codes(MAPPING) == {
        "level": f"{MINE}KSWS0001",
        "oil": "TFJK/P02",
        "air": f"{MINE}01MN0003001A03",
    }
    site = load_site(written / f"{MINE}.site.yaml")
    assert [point.point_code for point in site.points] == list(point_codes(MAPPING).values())


def test_the_field_follows_from_kind_and_type():
    assert measure_of(POND).column == "value"
    assert measure_of(OIL).column == "point_value"
    assert measure_of(POND).table == "silver.tailings_reading"


def test_a_kind_that_does_not_carry_the_type_is_refused_with_those_that_do(tmp_path: Path):
    path = tmp_path / "map.yaml"
    path.write_text(
        f'mine_code: "{MINE}"\ntime: {{column: t, unit: s}}\npoints:\n'
        f'- {{column: level, name: pond, sensor_type: "0029", unit: m, place: "{AREA}", file: JYLSS}}\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"expected file of pond as a kind that carries reservoir water level .*KSWSS"):
        load_mapping(path)

"""What a replay writes: one definition file, one snapshot a row, a site file and a manifest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from minefusion.pipelines.exchange.manifest import read_manifest
from minefusion.pipelines.replay.files import Replayed, replay
from minefusion.pipelines.replay.mapping import Covariate, Limits, MappedPoint, Mapping, Time
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import load_site

MINE = "140000000001"
START = datetime(2026, 2, 28, 16, tzinfo=UTC)  # midnight in the mine
MAPPING = Mapping(
    MINE,
    Time("t", "s", 30.0),
    (
        MappedPoint("corner", "MM116", "0001", "%", "LW_CORNER_T0", Limits(0.9, 1.4, 0.8)),
        MappedPoint("face", "MM31", "0001", "%", "LW_FACE_T1"),
        MappedPoint("air", "AS038", "0002", "m/s", "LW_RETURN_T2"),
    ),
    (Covariate("works", "shearer"),),
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("t,corner,face,air,works\n0,1.3,0.46,2.4,1\n30,1.25,,2.2,0\n", encoding="utf-8")
    return path


@pytest.fixture
def written(table: Path, tmp_path: Path) -> Path:
    out = tmp_path / "landing"
    assert replay(table, MAPPING, out, start=START) == Replayed(3, {"CDDY": 4, "CDSS": 8}, 4, 30.0)
    return out


def fields(path: Path) -> list[list[str]]:
    header, *records, end = path.read_text(encoding="utf-8").split("~")
    assert header.split(";")[0] == MINE
    assert end == "||"
    return [record.split(";") for record in records]


def test_each_row_is_a_snapshot_in_mine_time(written: Path):
    assert [path.name for path in sorted(written.glob("*_CDSS_*"))] == [
        f"{MINE}_CDSS_20260301000000.txt",
        f"{MINE}_CDSS_20260301000030.txt",
    ]
    second = fields(written / f"{MINE}_CDSS_20260301000030.txt")
    assert [(row[0], row[3], row[4], row[5], row[6]) for row in second] == [
        (f"{MINE}01MN0001001A01", "1.25", "%", "0", "2026-03-01 00:00:30"),
        (f"{MINE}01MN0001001A02", "", "%", "0", "2026-03-01 00:00:30"),
        (f"{MINE}01MN0002001A03", "2.2", "m/s", "0", "2026-03-01 00:00:30"),
        (f"{MINE}01KG1004001D01", "0", "", "0", "2026-03-01 00:00:30"),
    ]


def test_definitions_carry_the_mappings_limits_else_the_laws(written: Path):
    defined = {row[0][-8:]: row for row in fields(written / f"{MINE}_CDDY_20260301000000.txt")}
    alarm, clear, cut, restore = 8, 9, 12, 13
    limits = {code: [row[at] for at in (alarm, clear, cut, restore)] for code, row in defined.items()}
    assert limits == {
        "01001A01": ["0.9", "0.8", "1.4", "0.8"],
        "01001A02": ["1.0", "1.0", "1.5", "1.0"],
        "02001A03": ["", "", "", ""],
        "04001D01": ["", "", "", ""],
    }
    assert defined["04001D01"][16:18] == ["开", "停"]
    assert all(len(row) == 24 for row in defined.values())


def test_site_and_manifest_lie_beside(written: Path):
    assert load_site(written / f"{MINE}.site.yaml").mine_code == MINE
    told = read_manifest(written)
    assert {(name, (written / name).stat().st_size) for name, _ in told} == set(told)
    assert sorted(told.values()) == [4, 4, 4]


def test_the_same_again_writes_the_same_bytes(written: Path, table: Path):
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    replay(table, MAPPING, written, start=START)
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


def test_rows_of_the_future_are_refused_before_anything_is_written(table: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"expected rows up to now.*got 2026-02-28T16:00:30\+00:00; move --start back"):
        replay(table, MAPPING, tmp_path / "landing", start=START, now=START - timedelta(minutes=5))
    assert not (tmp_path / "landing").exists()

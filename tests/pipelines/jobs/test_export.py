"""What is exported reads back equal: in national form, and, as the provincial family, into equal readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import MINE, T0, at, definitions, point_code, rows_of, values

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.export import export
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas import gold, silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import load_settings
from minefusion.schemas.site import SitePoint, dump_site, load_site
from minefusion.schemas.window import Window

# Where a row came from and how it was sent on is the export's own.
CARRIER = ("received_at", "sent_at", "file_id", "position")
A, B = point_code(1), point_code(2)


def take(engine: LightEngine, landing: Path) -> None:
    # Provincial lines have no end mark: they are complete when they have stood still.
    later = max(file.stat().st_mtime for file in landing.rglob("*") if file.is_file()) + 60
    ingest(engine.settings, landing, engine=engine, now=lambda: datetime.fromtimestamp(later, UTC))
    conform(engine)


def span(rows: pl.DataFrame, column: str) -> Window:
    return Window(rows[column].min(), rows[column].max() + timedelta(minutes=6))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[LightEngine, Path]:
    """An hour of a simulated mine in silver, and its site file."""
    base = tmp_path_factory.mktemp("hour")
    simulate_mine("gas_event", hours=1, seed=5, out=base / "landing", truth=base / "truth", roadways=20, people=4)
    engine = LightEngine(load_settings(lake=base / "lake"))
    take(engine, base / "landing")
    return engine, base / "landing" / f"{MINE}.site.yaml"


def test_the_same_hour_in_the_provincial_family_gives_equal_readings(
    simulated: tuple[LightEngine, Path], tmp_path: Path
):
    engine, site_file = simulated
    expected = rows_of(engine, silver.READING)
    folder = tmp_path / "landing"
    done = export(engine, MINE, span(expected, "observed_at"), folder / "prov",
                  ("AQMC", "AQKC", "AQFC", "AQSS", "AQLJ", "AQFZ"))  # fmt: skip
    assert done.records["AQSS"] + done.records["AQLJ"] == len(expected)
    assert not done.left_out
    # Provincial definitions have no coordinates: the site file says where the points are.
    site = load_site(site_file)
    placed = rows_of(engine, silver.POINT).drop_nulls("chainage_m")
    points = tuple(
        SitePoint(row["point_id"], row["edge_id"], row["chainage_m"], row["gas_class"])
        for row in placed.iter_rows(named=True)
    )
    (folder / site_file.name).write_text(dump_site(replace(site, points=points)), encoding="utf-8")
    other = LightEngine(load_settings(lake=tmp_path / "lake", provincial=("prov",)))
    take(other, folder)
    got = rows_of(other, silver.READING)
    assert got.drop(CARRIER).equals(expected.drop(CARRIER))
    reported = ["point_id", "window_start", "value_max", "reported_max", "reported_min", "reported_mean", "finding"]
    five = rows_of(other, silver.READING_5MIN, *reported)
    told = five.drop_nulls("reported_max")
    assert len(told) == done.records["AQFZ"]
    assert told.filter(pl.col("value_max") != pl.col("reported_max")).is_empty()
    assert set(five["finding"]) == {None}


def test_values_and_statistics_read_back_equal(simulated: tuple[LightEngine, Path], tmp_path: Path):
    engine, site_file = simulated
    expected, five = rows_of(engine, silver.READING), rows_of(engine, silver.READING_5MIN)
    out = tmp_path / "out"
    done = export(engine, MINE, span(expected, "observed_at"), out, ("CDSS", "TJSJ"))
    assert done.records["CDSS"] == len(expected)
    (out / site_file.name).write_bytes(site_file.read_bytes())
    for file in site_file.parent.glob("*_CDDY_*.txt"):
        (out / file.name).write_bytes(file.read_bytes())
    other = LightEngine(load_settings(lake=tmp_path / "lake"))
    take(other, out)
    assert rows_of(other, silver.READING).drop(CARRIER).equals(expected.drop(CARRIER))
    told = rows_of(other, silver.READING_5MIN).drop_nulls("reported_max")
    recomputed = five.filter(pl.col("readings") > 0)
    assert done.records["TJSJ"] == len(told) == len(recomputed)
    for ours, theirs in (("value_max", "reported_max"), ("value_min", "reported_min"), ("value_mean", "reported_mean")):
        assert told[theirs].to_list() == recomputed[ours].to_list()
    # Same tables, same bytes.
    before = {file.name: file.read_bytes() for file in out.glob("*_CDSS_*.txt")}
    export(engine, MINE, span(expected, "observed_at"), out, ("CDSS",))
    assert {file.name: file.read_bytes() for file in out.glob("*_CDSS_*.txt")} == before


def test_alarms_with_cause_and_measure(light: LightEngine, landing: Path, tmp_path: Path,
                                       engines: Callable[[str], LightEngine]):  # fmt: skip
    """B is over its limit and the mine reports it with its cause; A is over, and the mine says nothing."""
    definitions(landing, -1, {"point_code": A}, {"point_code": B})
    for minute in range(12):
        values(landing, minute, {A: 1.2 if 3 <= minute < 8 else 0.3, B: 1.4 if 3 <= minute < 8 else 0.3})
    report: dict[str, Any] = {"point_code": B, "abnormal_type": "001", "begin_time": at(3), "end_time": at(8),
                              "max_value": 1.4, "max_time": at(3), "cause": "放炮", "measure": "撤人"}  # fmt: skip
    write_file(landing, "YCBJ", MINE, "示范煤矿", at(9), [report | {"data_time": at(9)}])
    ingest(light.settings, landing, engine=light)
    build(light)
    alarms = rows_of(light, gold.ALARM).filter(pl.col("kind") == "G-01")
    assert set(alarms["point_id"]) == {A, B}
    done = export(light, MINE, Window(T0, at(60)), tmp_path / "out", ("YCBJ",))
    assert done.records == {"YCBJ": 2}
    other = engines("other")
    take(other, tmp_path / "out")
    ours, theirs = rows_of(other, silver.REPORTED_ABNORMALITY).to_dicts()
    assert (theirs["began_at"], theirs["ended_at"], theirs["max_value"]) == (at(3), at(8), 1.4)
    assert (theirs["point_id"], theirs["cause"], theirs["measure"]) == (B, "放炮", "撤人")
    alarm = alarms.filter(pl.col("point_id") == A).to_dicts()[0]
    assert (ours["point_id"], ours["abnormal_type"], ours["max_value"]) == (A, "001", 1.2)
    # An exchange file has whole seconds.
    assert abs(ours["began_at"] - alarm["raised_at"]) < timedelta(seconds=1)
    assert (ours["ended_at"] is None) == (alarm["cleared_at"] is None)


def test_what_cannot_be_exported_is_refused(light: LightEngine, tmp_path: Path):
    with pytest.raises(InputError, match="expected --kinds out of CDSS, TJSJ, YCBJ"):
        export(light, MINE, Window(T0, at(1)), tmp_path, ("RYSS",))
    with pytest.raises(InputError, match="expected a mine with data in the lake"):
        export(light, MINE, Window(T0, at(1)), tmp_path)

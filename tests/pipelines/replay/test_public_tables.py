"""Public tables of other feeds all the way to silver, and what stands in gold beside a plain loop over the same rows.

Each table lies in ../shared/data; what is missing is skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.replay.files import replay
from minefusion.pipelines.replay.mapping import load_mapping
from minefusion.schemas.settings import PROJECT, load_settings
from minefusion.serving.reader import Reader

DATA = PROJECT.parent / "shared" / "data"
EXAMPLES = PROJECT / "docs" / "examples"
START = datetime(2026, 3, 1, tzinfo=UTC)


def quarry() -> pl.DataFrame:
    """The last two hours before the station fell silent for four weeks, and the first two after."""
    table = pl.read_parquet(DATA / "eu_mine_air" / "station_d4_30s.parquet").unique("timestamp").sort("timestamp")
    gap = int((table["timestamp"].diff().fill_null(timedelta(0))).arg_max() or 0)
    return table[gap - 240 : gap + 240]


def pond() -> pl.DataFrame:
    return pl.read_parquet(DATA / "ca_tailings_dam" / "pond_station_5min.parquet")[:288]


def rain() -> pl.DataFrame:
    return pl.read_parquet(DATA / "ca_tailings_dam" / "rain_daily_2020.parquet")[150:210]


def hillslope() -> pl.DataFrame:
    table = pl.read_parquet(DATA / "landslide_usgs" / "usgs_mukilteo_rain_15min.parquet")
    table = table.filter(pl.col("station") == "waMVD116").unique("timestamp").sort("timestamp")
    return table.with_columns(rain_mm=(pl.col("rain_tips_x100in") * 0.254).round(3))[-400:]


def rig() -> pl.DataFrame:
    """Ten cycles of the rig, every tenth second."""
    table = pl.read_parquet(DATA / "hydraulic_rig_uci447" / "sensors_1hz.parquet").filter(pl.col("cycle") < 10)
    table = table.with_columns(elapsed_s=60 * pl.col("cycle") + pl.col("second")).filter(pl.col("second") % 10 == 0)
    return table.with_columns(pl.col("TS1", "TS2", "VS1").cast(pl.Float64).round(4))


# Mapping → the table, where it lies, whether its time counts from a start, and the silver table that holds it.
TABLES: dict[str, tuple[Callable[[], pl.DataFrame], str, bool, str]] = {
    "quarry_air": (quarry, "eu_mine_air", False, "silver.reading"),
    "tailings_pond": (pond, "ca_tailings_dam", False, "silver.tailings_reading"),
    "tailings_rain": (rain, "ca_tailings_dam", False, "silver.tailings_reading"),
    "hillslope_rain": (hillslope, "landslide_usgs", False, "silver.water_reading"),
    "hydraulic_rig": (rig, "hydraulic_rig_uci447", True, "silver.equipment_state"),
}
HERE = [name for name, (_, folder, _, _) in TABLES.items() if (DATA / folder).is_dir()]

pytestmark = pytest.mark.skipif(
    not HERE, reason="no public table is here: put the folders that docs/replay.md names into ../shared/data"
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """One lake with every table as a mine of its own."""
    base = tmp_path_factory.mktemp("tables")
    settings = load_settings(lake=base / "lake")
    for name in HERE:
        make, _, counts_from_start, _ = TABLES[name]
        path = base / f"{name}.parquet"
        make().write_parquet(path)
        mapping = load_mapping(EXAMPLES / f"{name}.mapping.yaml")
        replay(path, mapping, base / "landing", start=START if counts_from_start else None)
    engine = open_engine(settings, "light")
    ingest(settings, base / "landing", engine=engine)
    build(engine, selection="conform")
    build(engine, selection="hazard_index", mines=["140000000002"])
    return Reader(settings.lake)


@pytest.mark.parametrize("name", TABLES)
def test_silver_holds_every_value_of_the_table(reader: Reader, name: str):
    make, folder, counts_from_start, silver = TABLES[name]
    if name not in HERE:
        pytest.skip(f"{folder} is not in ../shared/data")
    mapping, table = load_mapping(EXAMPLES / f"{name}.mapping.yaml"), make()
    at = pl.col(mapping.time.column)
    instants = (pl.lit(START) + pl.duration(seconds=at)) if counts_from_start else at
    expected = set()
    for point in mapping.points:
        rows = table.select(instants.cast(pl.Datetime("us")).alias("at"), point.column).drop_nulls()
        expected |= {(row[0].replace(tzinfo=UTC, microsecond=0), round(row[1], 4)) for row in rows.iter_rows()}
    rows = reader.sql(
        f"select observed_at, value, quality from {silver} where mine_code = $mine", mine=mapping.mine_code
    )
    found = {(row["observed_at"], round(row["value"], 4)) for row in rows}
    assert found == expected
    assert len(rows) == sum(table[point.column].count() for point in mapping.points)
    assert {row["quality"] for row in rows} <= {"GOOD", "SUSPECT"}


@pytest.mark.skipif("quarry_air" not in HERE, reason="eu_mine_air is not in ../shared/data")
def test_heat_of_the_quarry_is_what_a_plain_loop_finds(reader: Reader):
    """WBGT of ten-minute means with Stull's wet bulb, in windows that are full on both sides."""
    rows = reader.sql(
        "select window_start, value, level, coverage from gold.hazard_index where index_id = 'H-01' "
        "and mine_code = '140000000002' and value is not null order by 1"
    )
    assert len(rows) >= 18
    table = quarry().with_columns(pl.col("timestamp").dt.truncate("10m").alias("window"))
    means = {
        row["window"]: (row["t"], row["rh"])
        for row in table.group_by("window")
        .agg(t=pl.col("temperature_c").mean(), rh=pl.col("humidity_pct").mean())
        .to_dicts()
    }
    for row in rows:
        if row["coverage"] < 0.99:
            continue
        t, rh = means[row["window_start"]]
        wet = (
            t * math.atan(0.151977 * math.sqrt(rh + 8.313659)) + math.atan(t + rh) - math.atan(rh - 1.676331)
            + 0.00391838 * rh**1.5 * math.atan(0.023101 * rh) - 4.686035
        )  # fmt: skip
        expected = 0.7 * wet + 0.3 * t
        assert row["value"] == pytest.approx(expected, abs=0.1)
        assert row["level"] == sum(row["value"] >= step for step in (24, 25, 26)) + (row["value"] >= 24)


@pytest.mark.skipif("quarry_air" not in HERE, reason="eu_mine_air is not in ../shared/data")
def test_nothing_is_said_of_the_weeks_in_which_the_station_was_silent(reader: Reader):
    table = quarry()
    steps = table["timestamp"].diff().fill_null(timedelta(0))
    gap = int(steps.arg_max() or 0)
    last, first = table["timestamp"][gap - 1], table["timestamp"][gap]
    assert first - last > timedelta(days=20)
    between = reader.sql(
        "select count(*) as n from gold.hazard_index where mine_code = '140000000002' and window_start > $low "
        "and window_start < $high",
        low=last + timedelta(hours=3),
        high=first - timedelta(hours=1),
    )
    assert [row["n"] for row in between] == [0]


def test_every_example_mapping_can_be_read():
    assert {path.name.removesuffix(".mapping.yaml") for path in Path(EXAMPLES).glob("*.mapping.yaml")} >= set(TABLES)

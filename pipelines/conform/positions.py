"""From personnel records to silver.position and silver.headcount."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import from_mine_local, utc_day
from minefusion.schemas.silver import HEADCOUNT, POSITION

LAYOUTS = (("RYSS", ""), ("RYSS", "b1"), ("RYSS", "b2"), ("RYSS", "prov"))
KINDS = ("RYSS",)
_NOTHING = nw.lit(None, dtype=nw.String)
# A station may see a card a little past the end of its roadway; farther than this is doubtful.
BEYOND_EDGE_M = 5.0


def to_positions(records: nw.LazyFrame, stations: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Snapshots of cards as rows of silver.position; `stations` is silver.station by time.

    The place is the station's roadway and chainage plus the signed distance (positive towards the roadway's second
    node); the area is what the file says (PC-27), else the station's.
    """
    kept = ("mine_code", "observed_at", "sent_at", "file_id", "position")
    wanted = {
        "card_code": ("card_code",),
        "flag": ("in_out_flag",),
        "area_code": ("area_code",),
        "station_code": ("station_code",),
        "distance": ("station_distance",),
        "entered_mine": ("enter_mine_time",),
        "entered_area": ("enter_area_time",),
        "entered_station": ("enter_station_time",),
        "work_state": ("work_state",),
        "leader": ("is_leader",),
    }
    rows = columns(records, layouts, wanted, kept)
    at = stations.select(
        "mine_code",
        "station_code",
        "edge_id",
        "edge_length_m",
        nw.col("chainage_m").alias("station_chainage_m"),
        nw.col("area_id").alias("station_area"),
        "holds_from",
        "holds_to",
    )
    # The provincial form sends the flag as a text; a word there says nothing of where the person is.
    flag = nw.when(nw.col("flag").str.contains(r"^[0-9]$")).then(nw.col("flag")).otherwise(_NOTHING)
    rows = in_force(rows, at, ["mine_code", "station_code"], "observed_at").with_columns(
        number("distance").alias("station_distance_m"), flag.cast(nw.Int32).alias("in_out_flag")
    )
    along = nw.col("station_chainage_m") + nw.col("station_distance_m").fill_null(0.0)
    inside = nw.min_horizontal(nw.max_horizontal(along, nw.lit(0.0)), nw.col("edge_length_m"))
    rows = rows.with_columns(
        nw.when(~along.is_null()).then(inside.round(2)).otherwise(nw.lit(None, dtype=nw.Float64)).alias("chainage_m"),
        ((along - inside).abs() > BEYOND_EDGE_M).fill_null(False).alias("_beyond"),
    )
    underground = nw.col("in_out_flag") == 1
    doubts = {
        "STATION_UNKNOWN": underground & nw.col("station_area").is_null(),
        "BEYOND_EDGE": underground & nw.col("_beyond"),
        "AREA_STATION_MISMATCH": underground & (nw.col("area_code") != nw.col("station_area")).fill_null(False),
    }
    codes = [nw.when(holds).then(nw.lit("," + code)) for code, holds in doubts.items()]
    reasons, doubtful = nw.concat_str(*codes, ignore_nulls=True), nw.lit(False)
    for holds in doubts.values():
        doubtful = doubtful | holds
    rows = rows.with_columns(
        nw.coalesce(nw.col("area_code"), nw.col("station_area"), nw.lit("unplaced")).alias("area_id"),
        from_mine_local(nw.col("entered_mine")).alias("entered_mine_at"),
        from_mine_local(nw.col("entered_area")).alias("entered_area_at"),
        from_mine_local(nw.col("entered_station")).alias("entered_station_at"),
        (nw.col("work_state") == "求救").fill_null(False).alias("is_calling"),
        (nw.col("leader") == "1").fill_null(False).alias("is_leader"),
        reasons.str.slice(1).alias("quality_reasons"),
        nw.when(doubtful).then(nw.lit("SUSPECT")).otherwise(nw.lit("GOOD")).alias("quality"),
        utc_day(nw.col("observed_at")).alias("day"),
    )
    return rows.select(*POSITION.names)


def latest_positions(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, POSITION.key)


def headcount(positions: nw.LazyFrame, snapshots: nw.LazyFrame, areas: nw.LazyFrame) -> nw.LazyFrame:
    """Distinct cards with flag 1 per area and snapshot, and for the mine as a whole.

    An area with nobody in it has a row with 0, so that an empty area is told from a snapshot that never came.

    Args:
        positions: silver.position of the snapshots, one row per card and snapshot.
        snapshots: mine_code, observed_at of every snapshot, also of one that lists nobody.
        areas: silver.area by time: an area has a row from the moment that it was there.
    """
    below = positions.filter(nw.col("in_out_flag") == 1).with_columns(
        nw.col("is_leader").cast(nw.Int32).alias("_leader")
    )
    key = ("mine_code", "area_id", "observed_at")
    people = {"people_count": nw.len(), "leaders_count": nw.col("_leader").sum()}
    counts = {name: value.cast(nw.Int32).alias(name) for name, value in people.items()}
    by_area = below.group_by(*key).agg(*counts.values())
    whole = below.with_columns(nw.col("mine_code").alias("area_id")).group_by(*key).agg(*counts.values())
    taken = snapshots.select("mine_code", "observed_at").unique()
    named = taken.join(areas.select("mine_code", "area_id", "holds_from", "holds_to"), on="mine_code", how="inner")
    named = named.filter(nw.col("observed_at") >= nw.col("holds_from"), nw.col("observed_at") < nw.col("holds_to"))
    grid = nw.concat(
        [
            named.select(*key),
            taken.with_columns(nw.col("mine_code").alias("area_id")).select(*key),
            by_area.select(*key),
        ],
        how="vertical",
    ).unique()
    found = nw.concat([by_area.select(*key, *counts), whole.select(*key, *counts)], how="vertical")
    rows = grid.join(found, on=list(key), how="left").with_columns(
        nw.col("people_count").fill_null(0),
        nw.col("leaders_count").fill_null(0),
        utc_day(nw.col("observed_at")).alias("day"),
    )
    return rows.select(*HEADCOUNT.names)

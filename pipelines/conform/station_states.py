"""From FZSS and JZSS records to silver.station_state."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.records import Layout, columns, keep_latest
from minefusion.pipelines.times import utc_day
from minefusion.schemas.silver import STATION_STATE

LAYOUTS = (("FZSS", ""), ("JZSS", ""))
KINDS = ("FZSS", "JZSS")


def to_states(records: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Run and supply state of substations (FZSS) and base stations (JZSS), one row per station and instant."""
    kept = ("mine_code", "observed_at", "sent_at", "file_id", "position")
    wanted = {"station_code": ("substation_code", "station_code"), "run": ("run_state",), "power": ("power_state",)}
    rows = columns(records, layouts, wanted, kept)
    is_substation = nw.col("source_kind") == "FZSS"
    return rows.with_columns(
        nw.col("run").cast(nw.Int32).alias("run_state"),
        nw.col("power").cast(nw.Int32).alias("power_state"),
        nw.when(is_substation).then(nw.lit("substation")).otherwise(nw.lit("base_station")).alias("station_kind"),
        utc_day(nw.col("observed_at")).alias("day"),
    ).select(*STATION_STATE.names)


def latest_states(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, STATION_STATE.key)

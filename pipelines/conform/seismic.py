"""From event files to silver.seismic_event: microseismic events (WZSJ) and acoustic ones (DYSS)."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.place import place_key
from minefusion.pipelines.conform.quality import graded
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import utc_day
from minefusion.schemas.sensors import sensor_type
from minefusion.schemas.silver import SEISMIC_EVENT

LAYOUTS = (("WZSJ", ""), ("DYSS", ""))
KINDS = ("WZSJ", "DYSS")
_KEPT = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position")
_NUMBERS = {
    "x": "x_text",
    "y": "y_text",
    "z": "z_text",
    "energy_j": "energy_text",
    "magnitude": "magnitude_text",
    "moment_nm": "moment_text",
    "location_error_m": "error_text",
    "peak_velocity_m_s": "peak_text",
}
_RANGES = {"energy_j": "9401", "magnitude": "9402"}


def to_events(records: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Events with `place_key`; their place is looked up by it and joined by `placed`.

    An acoustic event has no number of its own and no energy: it is known by its code, place and time.
    """
    wanted = {
        "event_id": ("event_id",),
        "code": ("point_code",),
        "time": ("data_time",),
        "location": ("area_name", "location"),
        "x_text": ("x",),
        "y_text": ("y",),
        "z_text": ("z",),
        "energy_text": ("energy",),
        "magnitude_text": ("magnitude",),
        "moment_text": ("moment",),
        "error_text": ("location_error",),
        "peak_text": ("peak_amplitude",),
        "stations_text": ("station_count",),
        "blast_text": ("is_blast",),
    }
    rows = columns(records, layouts, wanted, _KEPT)
    acoustic = nw.concat_str(nw.col("code"), nw.col("location").fill_null(""), nw.col("time"), separator="/")
    is_microseismic = nw.col("source_kind") == "WZSJ"
    return rows.with_columns(
        nw.coalesce(nw.col("event_id"), acoustic).alias("event_id"),
        nw.when(is_microseismic).then(nw.lit("microseismic")).otherwise(nw.lit("acoustic")).alias("event_kind"),
        place_key("x_text", "y_text", "z_text", "location"),
        *(number(text).alias(name) for name, text in _NUMBERS.items()),
        nw.col("stations_text").cast(nw.Float64).cast(nw.Int32).alias("station_count"),
        nw.when(~nw.col("blast_text").is_null()).then(nw.col("blast_text") == "1").alias("is_blast"),
        utc_day(nw.col("observed_at")).alias("day"),
    )


def placed(events: nw.LazyFrame, places: nw.LazyFrame) -> nw.LazyFrame:
    """silver.seismic_event; `places`: mine_code, place_key, area_id, edge_id."""
    outside = nw.lit(False)
    for name, code in _RANGES.items():
        plausible = sensor_type(code)
        assert plausible is not None
        value = nw.col(name)
        outside = outside | ((value < plausible.valid_min) | (value > plausible.valid_max)).fill_null(False)
    quality, reasons = graded({"OUT_OF_RANGE": outside}, {})
    rows = events.join(places, on=["mine_code", "place_key"], how="left")
    return rows.with_columns(quality.alias("quality"), reasons.alias("quality_reasons")).select(*SEISMIC_EVENT.names)


def latest_events(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, SEISMIC_EVENT.key)

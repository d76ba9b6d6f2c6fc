"""From files of manual measurements (RGJL) to silver.field_record."""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.conform.place import place_key
from minefusion.pipelines.conform.quality import graded
from minefusion.pipelines.conform.records import columns, keep_latest, number
from minefusion.pipelines.times import utc_day
from minefusion.schemas.sensors import all_sensor_types
from minefusion.schemas.silver import FIELD_RECORD
from minefusion.schemas.units import canonical_unit, unit_factor

KINDS = ("RGJL",)
_KEPT = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position")


def to_records(records: nw.LazyFrame) -> nw.LazyFrame:
    """Measurements with `place_key` and, as sent, quantity, value and unit."""
    wanted = {
        "record_id": ("record_id",),
        "kind": ("record_kind",),
        "quantity": ("quantity",),
        "value_text": ("value",),
        "sent_unit": ("unit",),
        "words": ("words",),
        "sample_id": ("sample_id",),
        "depth_text": ("depth",),
        "place": ("location",),
        "area_code": ("area_code",),
    }
    rows = columns(records, [("RGJL", "")], wanted, _KEPT).rename({"observed_at": "measured_at"})
    return rows.with_columns(
        number("value_text").alias("_sent"),
        number("depth_text").alias("depth_m"),
        nw.col("sent_unit").fill_null(""),
        place_key(None, None, None, "place", "area_code"),
        utc_day(nw.col("measured_at")).alias("day"),
    )


def conversion(quantity: str, sent_unit: str) -> tuple[str | None, float | None]:
    """Unit in silver and the factor that leads there: that of the sensor type of this quantity, else the sent one.

    Null factor where the units do not fit.
    """
    known = next((kind.unit for kind in all_sensor_types() if kind.quantity == quantity and kind.unit), None)
    sent = (canonical_unit(sent_unit) or sent_unit) if sent_unit else None
    if known is None or sent is None:
        return known or sent, 1.0
    return known, unit_factor(sent, known)


def converted(records: nw.LazyFrame, places: nw.LazyFrame, factors: nw.LazyFrame) -> nw.LazyFrame:
    """silver.field_record; `factors`: quantity, sent_unit, unit, factor."""
    rows = records.join(places, on=["mine_code", "place_key"], how="left")
    rows = rows.join(factors, on=["quantity", "sent_unit"], how="left")
    rows = rows.with_columns((nw.col("_sent") * nw.col("factor")).round(9).alias("value"))
    bad = {
        "NO_VALUE": nw.col("_sent").is_null() & nw.col("words").is_null(),
        "UNIT_UNKNOWN": ~nw.col("_sent").is_null() & nw.col("factor").is_null(),
    }
    quality, reasons = graded(bad, {})
    return rows.with_columns(quality.alias("quality"), reasons.alias("quality_reasons")).select(*FIELD_RECORD.names)


def latest_records(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, FIELD_RECORD.key)

"""From the value files of the feed families to their silver tables: hydrology, ground pressure, tailings, slope,
key equipment. Every family is one long table; what each value field measures is said by `measures.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from minefusion.pipelines.conform.codes import point_id
from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.quality import (
    CALIBRATION,
    NOT_POLLED,
    OVER_RANGE,
    SENSOR_FAULT,
    STATUS_UNREADABLE,
    SUBSTATION_FAULT,
    SUSPENDED,
    bits,
    graded,
    has_bit,
    status_flags,
)
from minefusion.pipelines.conform.records import columns, keep_latest, number
from minefusion.pipelines.times import utc_day
from minefusion.schemas.exchange.measures import Measure, equipment_kinds, measures
from minefusion.schemas.silver import EQUIPMENT_STATE
from minefusion.schemas.table import Table

KINDS_OF: dict[str, tuple[str, ...]] = {}
for _measure in measures():
    KINDS_OF[_measure.table] = tuple(dict.fromkeys((*KINDS_OF.get(_measure.table, ()), _measure.kind)))
KINDS = tuple(kind for of_table in KINDS_OF.values() for kind in of_table)
# Rain gauges of one writer say "not polled" while they play an alarm: the value is there all the same.
POLLED_ANYHOW = ("JSLCDSS",)
_KEPT = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position", "marks")
_FACTS = ("quantity", "unit", "unit_factor", "area_id", "edge_id", "valid_min", "valid_max")
# Words of a point's type or place → the part of the machine, the most telling first.
_PARTS = (
    ("A相", "phase_a"), ("B相", "phase_b"), ("C相", "phase_c"), ("轴承", "bearing"), ("绕组", "winding"),
    ("滚筒", "drum"), ("电机", "motor"), ("电动机", "motor"),
)  # fmt: skip


def to_readings(records: nw.LazyFrame, points: nw.LazyFrame, table: Table, kinds: Sequence[str]) -> nw.LazyFrame:
    """Records of the family's value files as rows of `table`, one per value field.

    Adds nothing and drops nothing: a field without a value is a row without a value.

    Args:
        points: silver.point by time with what the sensor type adds.
        kinds: the kinds of file that are there; each is a branch of its own in an engine's plan.
    """
    facts = points.select("mine_code", "point_id", "holds_from", "holds_to", *_FACTS, nw.col("location").alias("_at"))
    parts = [_sent(records, each) for each in measures() if each.table == table.name and each.kind in kinds]
    rows = in_force(nw.concat(parts, how="vertical"), facts, ["mine_code", "point_id"], "observed_at")
    of_point = nw.col("_quantity").is_null()
    factor = nw.when(of_point).then(nw.col("unit_factor")).otherwise(nw.col("_factor"))
    rows = rows.with_columns(
        *(
            nw.when(of_point).then(nw.col(name)).otherwise(nw.col(f"_{name}")).alias(name)
            for name in ("unit", "valid_min", "valid_max")
        ),
        nw.coalesce(nw.col("_quantity"), nw.col("quantity"), nw.lit("unknown")).alias("quantity"),
        factor.alias("_factor"),
        (number("value_text") * factor).round(6).alias("value"),
        bits().alias("_bits"),
    )
    quality, reasons = graded(*_conditions())
    rows = rows.with_columns(
        quality.alias("quality"),
        reasons.alias("quality_reasons"),
        nw.col("area_id").fill_null("unplaced"),
        utc_day(nw.col("observed_at")).alias("day"),
    )
    if table is EQUIPMENT_STATE:
        rows = rows.with_columns(_equipment_kind(), _part(), nw.col("device_text").alias("equipment_id"))
    return rows.select(*table.names)


def latest_readings(table: Table, rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, table.key)


def _sent(records: nw.LazyFrame, measure: Measure) -> nw.LazyFrame:
    """One value field of one kind, as text, with what it measures where that is fixed."""
    wanted = {
        "point_code": ("point_code", "device_code", "equip_no"),
        "value_text": (measure.column,),
        "status_text": ("status", "point_status"),
        "type_name": ("point_type_name",),
        # A point's own device; where the point is the device, none.
        "device_text": ("device_code",),
    }
    rows = columns(records, [(measure.kind, "")], wanted, _KEPT)
    usual = None if measure.is_of_point else measure.types[0]
    fixed: dict[str, tuple[Any, Any]] = {
        "_quantity": (usual.quantity if usual else None, nw.String),
        "_unit": (usual.unit if usual else None, nw.String),
        "_factor": (measure.factor if usual else None, nw.Float64),
        "_valid_min": (usual.valid_min if usual else None, nw.Float64),
        "_valid_max": (usual.valid_max if usual else None, nw.Float64),
    }
    return rows.with_columns(
        point_id((measure.kind,)).alias("point_id"),
        # QRXSS sends a state whose meaning is not known: it is no sum of bits.
        (nw.lit(None, dtype=nw.Int32) if measure.kind == "QRXSS" else status_flags()).alias("status_flags"),
        *(nw.lit(value, dtype=dtype).alias(name) for name, (value, dtype) in fixed.items()),
    )


def _conditions() -> tuple[dict[str, nw.Expr], dict[str, nw.Expr]]:
    """What makes a value BAD and what SUSPECT, as for silver.reading."""
    value = nw.col("value")
    outside = ((value < nw.col("valid_min")) | (value > nw.col("valid_max"))).fill_null(False)
    anyhow = nw.col("source_kind").is_in(list(POLLED_ANYHOW)) & ~value.is_null()
    bad = {
        "CALIBRATION": has_bit(CALIBRATION),
        "SUBSTATION_FAULT": has_bit(SUBSTATION_FAULT),
        "NOT_POLLED": has_bit(NOT_POLLED) & ~anyhow,
        "SUSPENDED": has_bit(SUSPENDED),
        "SENSOR_FAULT": has_bit(SENSOR_FAULT),
        "NO_VALUE": value.is_null(),
        "OUT_OF_RANGE": outside,
        "UNIT_UNKNOWN": nw.col("_factor").is_null(),
    }
    suspect = {
        "OVER_RANGE": has_bit(OVER_RANGE),
        "NOT_POLLED": has_bit(NOT_POLLED) & anyhow,
        "STATUS_UNKNOWN": (nw.col("status_flags") == STATUS_UNREADABLE).fill_null(False),
    }
    return bad, suspect


def _equipment_kind() -> nw.Expr:
    found = nw.lit("other")
    for prefix, kind in equipment_kinds().items():
        found = nw.when(nw.col("source_kind").str.starts_with(prefix)).then(nw.lit(kind)).otherwise(found)
    return found.alias("equipment_kind")


def _part() -> nw.Expr:
    """Part of the machine, by the words of the point's type and place."""
    words = nw.concat_str(nw.col("type_name").fill_null(""), nw.lit(" "), nw.col("_at").fill_null(""))
    found = nw.lit("")
    for word, part in reversed(_PARTS):
        found = nw.when(words.str.contains(word, literal=True)).then(nw.lit(part)).otherwise(found)
    return found.alias("part")

"""From bronze records to silver.reading: unit, quality and place of every sample."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.codes import national_type, point_id, value_kind
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
    provincial_flags,
    status_flags,
)
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import UTC_MICROSECONDS, floor_minutes, utc_day
from minefusion.schemas.silver import READING

# Layouts that carry values of points at an instant.
NATIONAL_LAYOUTS = (("CDSS", ""), ("NCDSS", ""), ("SSSJ", "i"), ("KGBH", ""), ("KGBH", "i"))
PROVINCIAL_LAYOUTS = (("AQSS", ""), ("AQLJ", ""), ("zdh_rtdata", ""))
LAYOUTS = (*NATIONAL_LAYOUTS, *PROVINCIAL_LAYOUTS)
KINDS = tuple(dict.fromkeys(kind for kind, _ in LAYOUTS))

# A sample is judged by what came before it in its own clock-aligned half hour and the one before, so a rerun of any
# part of the history judges it the same way, and nothing that comes later in time changes what was said.
SLOT_MINUTES = 30
# A point stands still when it does so for the two quarters of an hour before, with so many samples in each.
BLOCK_MINUTES, BLOCK_SAMPLES = 15, 3
# What a provincial switch sends that does not know its state.
FAULTY_SWITCH = 2.0
# Methane moves at most 2 % a second, temperature 5 K a second; faster is the instrument.
FASTEST_PER_S = {"ch4": 2.0, "temperature": 5.0}
# A point may stand still while its neighbour moves by less than this many of its own steps: they are not at one place.
STUCK_PEER_STEPS = 10.0
# Near an alarm limit a value that stands still is shown, not set aside: gas is never hidden.
STUCK_SPARED_FROM = 0.8

SAMPLE = (
    "mine_code",
    "point_id",
    "observed_at",
    "value",
    "status_flags",
    "received_at",
    "sent_at",
    "file_id",
    "position",
)
POINT_FACTS = (
    "sensor_type", "quantity", "unit", "area_id", "range_high", "range_low", "alarm", "unit_factor", "is_inverted",
    "valid_min", "valid_max", "is_analog",
)  # fmt: skip


def to_samples(records: nw.LazyFrame, points: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Records of value files as samples in silver's units; `points` carries POINT_FACTS, by time.

    Adds nothing and drops nothing: a record without a value is a sample without a value.
    """
    kept = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position", "marks")
    wanted = {"point_id": ("point_code",), "value_text": ("value",), "status_text": ("status",)}
    national = [layout for layout in layouts if layout not in PROVINCIAL_LAYOUTS]
    provincial = [layout for layout in layouts if layout in PROVINCIAL_LAYOUTS]
    parts = []
    if national or not provincial:
        sent = columns(records, national, wanted, kept)
        parts.append(sent.with_columns(status_flags().alias("status_flags")))
    if provincial:
        parts.append(_provincial(records, provincial, kept))
    samples = nw.concat(
        [part.select(*kept, "point_id", "value_text", "status_flags") for part in parts], how="vertical"
    )
    samples = samples.with_columns(number("value_text").alias("sent"))
    known = points.select("mine_code", "point_id", "holds_from", "holds_to", "unit_factor", "is_inverted")
    samples = in_force(samples, known, ["mine_code", "point_id"], "observed_at")
    turned = nw.when(nw.col("is_inverted").fill_null(False)).then(1.0 - nw.col("sent")).otherwise(nw.col("sent"))
    return samples.with_columns((turned * nw.col("unit_factor")).round(6).alias("value")).select(*SAMPLE)


def _provincial(records: nw.LazyFrame, layouts: Sequence[Layout], kept: Sequence[str]) -> nw.LazyFrame:
    """Records of provincial value files, with silver's point codes and status bits.

    A switch that sends 2 does not know its state: it has no value then.
    """
    wanted = {
        "point_code": ("sensor_code",),
        "type_text": ("sensor_type",),
        "value_text": ("value",),
        "state_text": ("sensor_state",),
        "substation_text": ("substation_state",),
    }
    rows = columns(records, layouts, wanted, kept)
    rows = rows.with_columns(point_id({kind for kind, _ in layouts}).alias("point_id"), provincial_flags())
    is_switch = value_kind(national_type(nw.col("type_text"))) == "KG"
    is_faulty = (is_switch & (number("value_text") == FAULTY_SWITCH)).fill_null(False)
    return rows.with_columns(
        nw.when(~is_faulty).then(nw.col("value_text")).alias("value_text"),
        nw.when(is_faulty & ((nw.col("status_flags").fill_null(0) // SENSOR_FAULT) % 2 == 0))
        .then(nw.col("status_flags").fill_null(0) + SENSOR_FAULT)
        .otherwise(nw.col("status_flags"))
        .cast(nw.Int32)
        .alias("status_flags"),
    )


def assess(samples: nw.LazyFrame, points: nw.LazyFrame) -> nw.LazyFrame:
    """silver.reading of whole half hours: the sample sent last per key, with quality, unit and place.

    `samples` holds every sample of the half hours that are wanted and of the one before them: new ones and those
    already in silver. `points` carries POINT_FACTS by time.
    """
    facts = points.select("mine_code", "point_id", "holds_from", "holds_to", *POINT_FACTS)
    rows = in_force(keep_latest(samples, READING.key), facts, ["mine_code", "point_id"], "observed_at")
    rows = rows.with_columns(
        floor_minutes(nw.col("observed_at"), SLOT_MINUTES).cast(UTC_MICROSECONDS).alias("_slot"),
        floor_minutes(nw.col("observed_at"), BLOCK_MINUTES).cast(UTC_MICROSECONDS).alias("_block"),
        _second_of_slot().alias("_second"),
        (nw.col("quantity") == "ch4").fill_null(False).alias("_is_gas"),
        bits().alias("_bits"),
    )
    calibrating = has_bit(CALIBRATION)
    at_end = (nw.col("value") >= nw.col("range_high")).fill_null(False)
    rows = rows.with_columns((nw.col("_is_gas") & ~calibrating & (has_bit(OVER_RANGE) | at_end)).alias("_saturated"))
    # Over range counts as at least the end of the range, also where no value came with it.
    floor = nw.max_horizontal(nw.col("value"), nw.col("range_high"))
    rows = rows.with_columns(nw.when(nw.col("_saturated")).then(floor).otherwise(nw.col("value")).alias("value"))
    rows = _with_step(_with_stuck(rows))

    value, saturated = nw.col("value"), nw.col("_saturated")
    outside = ((value < nw.col("valid_min")) | (value > nw.col("valid_max"))).fill_null(False)
    bad = {
        "CALIBRATION": calibrating,
        "SUBSTATION_FAULT": has_bit(SUBSTATION_FAULT) & ~saturated,
        "NOT_POLLED": has_bit(NOT_POLLED) & ~saturated,
        "SUSPENDED": has_bit(SUSPENDED) & ~saturated,
        "SENSOR_FAULT": has_bit(SENSOR_FAULT) & ~saturated,
        "NO_VALUE": value.is_null(),
        "OUT_OF_RANGE": outside & ~saturated,
        "STEP": nw.col("_too_fast") & ~saturated,
        "UNIT_UNKNOWN": nw.col("unit_factor").is_null(),
    }
    suspect = {
        "SATURATED": saturated,
        "OVER_RANGE": has_bit(OVER_RANGE) & ~saturated & ~calibrating,
        "STUCK": nw.col("_stuck"),
        "STATUS_UNKNOWN": (nw.col("status_flags") == STATUS_UNREADABLE).fill_null(False),
    }
    quality, reasons = graded(bad, suspect)
    return rows.with_columns(
        reasons.alias("quality_reasons"),
        quality.alias("quality"),
        nw.col("area_id").fill_null("unplaced"),
        utc_day(nw.col("observed_at")).alias("day"),
    ).select(*READING.names)


def is_usable(quality: nw.Expr, reasons: nw.Expr) -> nw.Expr:
    """Passed the sample gate. A saturated gas point is never excluded."""
    saturated = (quality != "BAD") & reasons.str.contains("SATURATED", literal=True)
    return (quality == "GOOD") | saturated


def _second_of_slot() -> nw.Expr:
    """Seconds since the sample's half hour began."""
    at = nw.col("observed_at")
    return (at.dt.minute() % SLOT_MINUTES).cast(nw.Float64) * 60 + at.dt.second()


def _with_step(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Mark samples that moved faster since the one before than the air can."""
    fastest = nw.lit(None, dtype=nw.Float64)
    for quantity, per_s in FASTEST_PER_S.items():
        fastest = nw.when(nw.col("quantity") == quantity).then(nw.lit(per_s)).otherwise(fastest)
    series, order = ["mine_code", "point_id", "_slot"], ["observed_at"]
    rows = rows.with_columns(
        nw.col("value").shift(1).over(*series, order_by=order).alias("_before"),
        nw.col("_second").shift(1).over(*series, order_by=order).alias("_second_before"),
    )
    elapsed = nw.max_horizontal(nw.col("_second") - nw.col("_second_before"), nw.lit(1.0))
    pace = (nw.col("value") - nw.col("_before")).abs() / elapsed
    return rows.with_columns((pace > fastest).fill_null(False).alias("_too_fast"))


def _with_stuck(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Mark samples of a point that stood still for the half hour before, while a neighbour clearly moved, and that
    have not moved since.

    The half hour is the two clock-aligned quarters before the sample's own. The naive test, range = 0, throws out
    healthy sensors that report in coarse steps; so the neighbour on the same air path must have moved by more than
    STUCK_PEER_STEPS of this sensor's own steps.
    """
    series = ["mine_code", "point_id", "area_id", "quantity"]
    analog = rows.filter(
        nw.col("is_analog").fill_null(False), ~nw.col("value").is_null(), nw.col("area_id") != "unplaced"
    )
    blocks = analog.group_by(*series, "_block").agg(
        nw.col("value").min().alias("_lowest"), nw.col("value").max().alias("_highest"), nw.len().alias("_samples")
    )
    blocks = blocks.filter(nw.col("_samples") >= BLOCK_SAMPLES)
    before = {
        name: nw.col(name).shift(1).over(*series, order_by=["_block"]) for name in ("_lowest", "_highest", "_block")
    }
    follows = before["_block"].dt.offset_by(f"{BLOCK_MINUTES}m") == nw.col("_block")
    blocks = blocks.with_columns(
        nw.min_horizontal(nw.col("_lowest"), before["_lowest"]).alias("_stood_at"),
        nw.max_horizontal(nw.col("_highest"), before["_highest"]).alias("_high"),
        follows.fill_null(False).alias("_follows"),
    ).filter(nw.col("_follows"))
    # The two judge the quarter that comes next.
    blocks = blocks.with_columns(
        (nw.col("_high") - nw.col("_stood_at")).alias("_range"),
        nw.col("_block").dt.offset_by(f"{BLOCK_MINUTES}m").cast(UTC_MICROSECONDS).alias("_block"),
    )
    tenths, whole = nw.col("_stood_at") * 10, nw.col("_stood_at")
    step = nw.when((whole - whole.round(0)).abs() > 1e-6).then(nw.lit(0.1)).otherwise(nw.lit(1.0))
    step = nw.when((tenths - tenths.round(0)).abs() > 1e-6).then(nw.lit(0.01)).otherwise(step)
    place = ["mine_code", "area_id", "quantity", "_block"]
    peers = blocks.group_by(*place).agg(nw.col("_range").max().alias("_peer_range"))
    still = (
        blocks.filter(nw.col("_range") == 0)
        .join(peers, on=place, how="inner")
        .filter(nw.col("_peer_range") > STUCK_PEER_STEPS * step)
        .select("mine_code", "point_id", "_block", "_stood_at")
    )
    quarter = ["mine_code", "point_id", "_block"]
    moved = rows.join(still, on=quarter, how="inner").filter(nw.col("value") != nw.col("_stood_at"))
    moved = moved.group_by(*quarter).agg(nw.col("observed_at").min().alias("_moved_at"))
    rows = rows.join(still.join(moved, on=quarter, how="left"), on=quarter, how="left")
    stands = nw.col("_moved_at").is_null() | (nw.col("observed_at") < nw.col("_moved_at"))
    near_limit = (nw.col("value") >= STUCK_SPARED_FROM * nw.col("alarm")).fill_null(False) & nw.col("_is_gas")
    return rows.with_columns((~nw.col("_stood_at").is_null() & stands & ~near_limit).alias("_stuck"))

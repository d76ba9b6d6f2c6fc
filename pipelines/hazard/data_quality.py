"""How complete, accurate and timely the data are, by dataset, entity and hour, with what was found.

Completeness counts what came against what the nominal period promises. Accuracy is the share that passed every check.
Timeliness is the share that was sent no later than the format's late-after time (PC-6); when a file reached us is left
out, so that a history loaded today is judged like one that came live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw

from minefusion.schemas.exchange.grammar import kinds
from minefusion.schemas.gold import DATA_QUALITY
from minefusion.schemas.quality import findings, quality_rule

READINGS, POSITIONS, FILES = "silver.reading", "silver.position", "bronze.exchange_file"
LOADED = ("accepted", "partial", "stale")
# Under this share of the expected values an hour is incomplete.
COMPLETE = quality_rule("DQ-05").threshold
UNKNOWN = "unknown"
# Files of these kinds come as often as the mine's points are sampled.
_WITH_POINTS = ("CDSS", "NCDSS", "SSSJ", "FZSS")
# Senders of these write once a minute or, as one does, every five minutes at the same minutes of the clock.
_SNAPSHOTS = ("RYSS", "NRYSS", "JZSS")
_HOUR_S = 3600

_OF_READINGS = (
    "CALIBRATION",
    "SATURATED",
    "OVER_RANGE",
    "STUCK",
    "STEP",
    "OUT_OF_RANGE",
    "NO_VALUE",
    "SENSOR_FAULT",
    "SUBSTATION_FAULT",
    "NOT_POLLED",
    "SUSPENDED",
    "STATUS_UNKNOWN",
    "UNIT_UNKNOWN",
)
_OF_POINTS = ("LIMIT_LOOSER_THAN_LAW", "LOCATION_UNMATCHED")
_OF_POSITIONS = ("STATION_UNKNOWN", "BEYOND_EDGE", "AREA_STATION_MISMATCH")
_OF_FILES = ("rejected", "partial", "duplicate", "stale", "waiting", "unknown")

_COLUMNS = tuple(name for name in DATA_QUALITY.names if name not in ("computed_at", "revision", "day"))


def data_quality(
    readings: nw.LazyFrame,
    reading_5min: nw.LazyFrame,
    points: nw.LazyFrame,
    positions: nw.LazyFrame,
    files: nw.LazyFrame,
) -> nw.LazyFrame:
    """Rows of gold.data_quality for the whole hours that the frames hold, without what the job adds.

    Args:
        readings: silver.reading.
        reading_5min: silver.reading_5min.
        points: silver.point, of which each is expected in every hour in which its mine sent anything.
        positions: silver.position.
        files: bronze.exchange_file, also files that were not loaded; one without a header time counts in the hour of
            its name's stamp.
    """
    files = files.with_columns(
        nw.coalesce(nw.col("header_time"), nw.col("stamp")).dt.truncate("1h").alias("hour"),
        nw.col("mine_code").fill_null(UNKNOWN),
        nw.coalesce(nw.col("kind"), nw.col("name_kind"), nw.lit(UNKNOWN)).alias("kind"),
    ).filter(~nw.col("hour").is_null())
    parts = [
        of_readings(readings, reading_5min, points, files),
        of_positions(positions, files),
        of_files(files, points),
    ]
    return nw.concat([part.select(*_COLUMNS) for part in parts], how="vertical")


def of_readings(
    readings: nw.LazyFrame, reading_5min: nw.LazyFrame, points: nw.LazyFrame, files: nw.LazyFrame
) -> nw.LazyFrame:
    """One row per point and hour."""
    key = ["mine_code", "point_id", "hour"]
    late_s = kinds()["CDSS"].late_s
    readings = readings.with_columns(
        _hour("observed_at"),
        _count_of(~nw.col("value").is_null()).alias("received"),
        _count_of(nw.col("quality") == "GOOD").alias("_good"),
        _count_of(nw.col("sent_at") > nw.col("observed_at").dt.offset_by(f"{late_s:.0f}s")).alias("LATE"),
        *(_count_of(nw.col("quality_reasons").str.contains(code, literal=True)).alias(code) for code in _OF_READINGS),
    )
    # A code is looked for in the joined reasons: none of them is part of another.
    sums = ("received", "_good", "LATE", *_OF_READINGS)
    counts = readings.group_by(*key).agg(nw.len().alias("_rows"), *(nw.col(name).sum() for name in sums))
    outside = reading_5min.filter(~nw.col("finding").is_null()).with_columns(_hour("window_start"))
    outside = outside.group_by(*key).agg(nw.len().alias("OUTSIDE_REPORTED"))
    sent = [frame.select("mine_code", "hour") for frame in (readings, files)]
    hours = nw.concat(sent, how="vertical").unique()
    known = points.select("mine_code", "point_id", "area_id", "period_s", "limit_note", "is_defined")
    rows = (
        known.join(hours, on="mine_code", how="inner")
        .join(counts, on=key, how="left")
        .join(outside, on=key, how="left")
    )
    rows = rows.with_columns(
        *(nw.col(name).fill_null(0) for name in ("_rows", *sums, "OUTSIDE_REPORTED")),
        nw.col("area_id").fill_null("unplaced"),
        (_HOUR_S / nw.col("period_s")).round(0).cast(nw.Int32).alias("expected"),
    )
    rows = rows.with_columns(
        _share(nw.col("received"), nw.col("expected")).alias("completeness"),
        _share(nw.col("_good"), nw.col("_rows")).alias("accuracy"),
        _share(nw.col("_rows") - nw.col("LATE"), nw.col("_rows")).alias("timeliness"),
        _count_of(nw.col("area_id") == "unplaced").alias("UNPLACED"),
        _count_of(~nw.col("is_defined").fill_null(True)).alias("UNDEFINED"),
        *(
            _count_of(nw.col("limit_note").fill_null("").str.contains(code, literal=True)).alias(code)
            for code in _OF_POINTS
        ),
        *_gaps(),
    )
    found = ("SILENT", "INCOMPLETE", "LATE", *_OF_READINGS, "OUTSIDE_REPORTED", "UNPLACED", "UNDEFINED", *_OF_POINTS)
    return _finished(rows, READINGS, nw.col("point_id"), found)


def of_positions(positions: nw.LazyFrame, files: nw.LazyFrame) -> nw.LazyFrame:
    """One row per mine and hour; gold holds no card. A snapshot that lists nobody came too: its file says so."""
    snapshots = files.filter(nw.col("kind").is_in(list(_SNAPSHOTS[:2])), nw.col("verdict").is_in(list(LOADED)))
    taken = nw.concat(
        [
            snapshots.select("mine_code", nw.col("header_time").alias("at")),
            positions.select("mine_code", nw.col("observed_at").alias("at")),
        ],
        how="vertical",
    ).unique()
    taken = taken.with_columns(_hour("at"), *_clock("at"))
    key = ["mine_code", "hour"]
    rows = taken.group_by(*key).agg(
        nw.len().alias("received"), nw.col("_residue").min().alias("_low"), nw.col("_residue").max().alias("_high")
    )
    late_s = kinds()["RYSS"].late_s
    fixes = positions.with_columns(
        _hour("observed_at"),
        _count_of(nw.col("quality") == "GOOD").alias("_good"),
        _count_of(nw.col("sent_at") > nw.col("observed_at").dt.offset_by(f"{late_s:.0f}s")).alias("LATE"),
        _count_of(nw.col("area_id") == "unplaced").alias("UNPLACED"),
        *(_count_of(nw.col("quality_reasons").str.contains(code, literal=True)).alias(code) for code in _OF_POSITIONS),
    )
    sums = ("_good", "LATE", "UNPLACED", *_OF_POSITIONS)
    fixes = fixes.group_by(*key).agg(nw.len().alias("_rows"), *(nw.col(name).sum() for name in sums))
    rows = rows.join(fixes, on=key, how="left").with_columns(
        *(nw.col(name).fill_null(0) for name in ("_rows", *sums)),
        (_HOUR_S / _snapshot_period_s()).cast(nw.Int32).alias("expected"),
    )
    rows = rows.with_columns(
        _share(nw.col("received"), nw.col("expected")).alias("completeness"),
        _share(nw.col("_good"), nw.col("_rows")).alias("accuracy"),
        _share(nw.col("_rows") - nw.col("LATE"), nw.col("_rows")).alias("timeliness"),
        nw.col("mine_code").alias("area_id"),
        *_gaps(),
    )
    return _finished(rows, POSITIONS, nw.col("mine_code"), ("SILENT", "INCOMPLETE", "LATE", "UNPLACED", *_OF_POSITIONS))


def of_files(files: nw.LazyFrame, points: nw.LazyFrame) -> nw.LazyFrame:
    """One row per mine, file kind and hour. Master data and events come when they come: nothing is expected of them."""
    key = ["mine_code", "kind", "hour"]
    loaded = nw.col("verdict").is_in(list(LOADED))
    period = nw.lit(None, dtype=nw.Float64)
    for name, kind in kinds().items():
        if kind.nature in ("snapshot", "aggregate") and kind.period_s and kind.period_s <= _HOUR_S:
            period = nw.when(nw.col("kind") == name).then(nw.lit(kind.period_s)).otherwise(period)
    late = nw.lit(False)
    for seconds, names in _late_kinds().items():
        deadline = nw.col("observed_to").dt.offset_by(f"{seconds:.0f}s")
        late = late | (nw.col("kind").is_in(names) & (nw.col("header_time") > deadline).fill_null(False))
    files = files.with_columns(
        _count_of(loaded).alias("_loaded"),
        _count_of(loaded & late).alias("LATE"),
        *(_count_of(nw.col("verdict") == verdict).alias(f"FILE_{verdict.upper()}") for verdict in _OF_FILES),
        nw.col("records_quarantined").fill_null(0).alias("RECORDS_QUARANTINED"),
        nw.col("records_rejected").fill_null(0).alias("RECORDS_REJECTED"),
        *(
            nw.col(name).fill_null(0)
            for name in ("records_sent", "records_stored", "records_duplicate", "records_waiting")
        ),
    )
    found = (*(f"FILE_{verdict.upper()}" for verdict in _OF_FILES), "RECORDS_QUARANTINED", "RECORDS_REJECTED")
    sums = ("_loaded", "LATE", *found, "records_sent", "records_stored", "records_duplicate", "records_waiting")
    counts = files.group_by(*key).agg(*(nw.col(name).sum() for name in sums))
    # Several files may hold one instant.
    instants = (
        files.filter(nw.col("_loaded") == 1).select(*key, "header_time").unique().with_columns(*_clock("header_time"))
    )
    instants = instants.group_by(*key).agg(
        nw.len().alias("received"), nw.col("_residue").min().alias("_low"), nw.col("_residue").max().alias("_high")
    )
    sampled = points.group_by("mine_code").agg(nw.col("period_s").min().alias("_point_period"))
    rows = counts.join(instants, on=key, how="left").join(sampled, on="mine_code", how="left")
    rows = rows.with_columns(nw.col("received").fill_null(0), period.alias("_period"))
    period = (
        nw.when(nw.col("kind").is_in(list(_WITH_POINTS))).then(nw.col("_point_period")).otherwise(nw.col("_period"))
    )
    period = nw.when(nw.col("kind").is_in(list(_SNAPSHOTS))).then(_snapshot_period_s()).otherwise(period)
    judged = nw.col("records_sent") - nw.col("records_duplicate") - nw.col("records_waiting")
    rows = rows.with_columns((_HOUR_S / period).round(0).cast(nw.Int32).alias("expected"))
    rows = rows.with_columns(
        _share(nw.col("received"), nw.col("expected")).alias("completeness"),
        _share(nw.col("records_stored"), judged).alias("accuracy"),
        nw.when(nw.col("kind").is_in([name for names in _late_kinds().values() for name in names]))
        .then(_share(nw.col("_loaded") - nw.col("LATE"), nw.col("_loaded")))
        .alias("timeliness"),
        nw.col("mine_code").alias("area_id"),
        *_gaps(),
    )
    return _finished(rows, FILES, nw.col("kind"), ("SILENT", "INCOMPLETE", "LATE", *found))


def _late_kinds() -> Mapping[float, Sequence[str]]:
    """File kinds by the time after which their data are late; master data are sent when they change."""
    found: dict[float, list[str]] = {}
    for name, kind in kinds().items():
        if kind.late_s and kind.nature in ("snapshot", "aggregate"):
            found.setdefault(kind.late_s, []).append(name)
    return found


def _clock(column: str) -> list[nw.Expr]:
    return [(nw.col(column).dt.minute() % 5).alias("_residue")]


def _snapshot_period_s() -> nw.Expr:
    """Five minutes where every snapshot of the hour comes at the same minutes of five, else one minute."""
    every_five = (nw.col("_low") == nw.col("_high")) & (nw.col("received") > 1)
    return nw.when(every_five.fill_null(False)).then(nw.lit(300.0)).otherwise(nw.lit(60.0))


def _hour(column: str) -> nw.Expr:
    return nw.col(column).dt.truncate("1h").alias("hour")


def _count_of(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(False).cast(nw.Int64)


def _share(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """Part of the whole, at most 1, to four digits; null where there is no whole."""
    share = part.cast(nw.Float64) / whole.cast(nw.Float64)
    return nw.when((whole > 0).fill_null(False)).then(nw.min_horizontal(share, nw.lit(1.0)).round(4))


def _gaps() -> list[nw.Expr]:
    """SILENT where all is missing, else INCOMPLETE with how many values are."""
    expected, received = nw.col("expected"), nw.col("received")
    missing = nw.when((received < COMPLETE * expected).fill_null(False)).then(expected - received).otherwise(nw.lit(0))
    silent = (expected > 0).fill_null(False) & (received == 0)
    return [
        nw.when(silent).then(expected).otherwise(nw.lit(0)).cast(nw.Int64).alias("SILENT"),
        nw.when(silent).then(nw.lit(0)).otherwise(missing).cast(nw.Int64).alias("INCOMPLETE"),
    ]


def _finished(rows: nw.LazyFrame, dataset: str, entity: nw.Expr, found: Sequence[str]) -> nw.LazyFrame:
    entries = []
    for code in found:
        told = findings()[code]
        count = nw.col(code).cast(nw.Int64).cast(nw.String)
        before = f', {{"code": "{code}", "rule": "{told.rule}", "count": '
        entry = (nw.lit(before), count, nw.lit(f', "zh": "{told.zh}", "en": "{told.en}"}}'))
        entries.append(nw.when(nw.col(code) > 0).then(nw.concat_str(*entry, ignore_nulls=True)))
    # Nulls are left out, so that each entry stands once in Spark's plan.
    listed = nw.concat_str(*entries, ignore_nulls=True).str.slice(2)
    return rows.with_columns(
        nw.lit(dataset).alias("dataset"),
        entity.alias("entity"),
        nw.concat_str(nw.lit("["), listed, nw.lit("]"), ignore_nulls=True).alias("findings"),
        nw.col("expected").cast(nw.Int32),
        nw.col("received").cast(nw.Int32),
    )

"""From vehicle files (SSSJ, SSWJ) to silver.vehicle_position, and from terminals (CZZD) to silver.vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from minefusion.pipelines.conform.place import place_key
from minefusion.pipelines.conform.quality import graded
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import utc_day
from minefusion.schemas.silver import VEHICLE_POSITION

Row = dict[str, Any]

LAYOUTS = (("SSSJ", ""), ("SSWJ", ""))
KINDS = ("SSSJ", "SSWJ")
_KEPT = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position")


def to_positions(records: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Positions with `place_key`; a person on foot has no vehicle and is known by the terminal or the card."""
    wanted = {
        "terminal_code": ("terminal_code",),
        "vehicle_code": ("vehicle_no",),
        "card_code": ("card_code", "person_card"),
        "longitude": ("longitude",),
        "latitude": ("latitude",),
        "altitude": ("altitude",),
        "area_text": ("area",),
        "terminal_text": ("terminal_state",),
        "person_text": ("person_state",),
        # SSWJ has one state: of the vehicle's terminal, or of the person on foot.
        "state_text": ("state",),
    }
    rows = columns(records, layouts, wanted, _KEPT)
    on_foot = nw.col("vehicle_code").is_null()
    terminal = nw.coalesce(nw.col("terminal_text"), nw.when(~on_foot).then(nw.col("state_text")))
    person = nw.coalesce(nw.col("person_text"), nw.when(on_foot).then(nw.col("state_text")))
    return rows.with_columns(
        nw.coalesce(nw.col("vehicle_code"), nw.col("terminal_code"), nw.col("card_code")).alias("carrier_code"),
        number("longitude").alias("longitude_deg"),
        number("latitude").alias("latitude_deg"),
        number("altitude").alias("altitude_m"),
        terminal.cast(nw.Int32).alias("terminal_state"),
        (person == "1").alias("is_online"),
        place_key(None, None, None, "area_text", "area_text"),
        utc_day(nw.col("observed_at")).alias("day"),
    )


def placed(positions: nw.LazyFrame, places: nw.LazyFrame) -> nw.LazyFrame:
    """silver.vehicle_position; `places`: mine_code, place_key, area_id."""
    nowhere = nw.col("longitude_deg").is_null() | nw.col("latitude_deg").is_null()
    quality, reasons = graded({}, {"NO_POSITION": nowhere})
    rows = positions.join(places, on=["mine_code", "place_key"], how="left")
    return rows.with_columns(quality.alias("quality"), reasons.alias("quality_reasons")).select(*VEHICLE_POSITION.names)


def latest_positions(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, VEHICLE_POSITION.key)


def vehicle_row(told: Row) -> Row:
    """silver.vehicle of one terminal."""
    own = told.get("own_flag")
    return {
        "mine_code": told["mine_code"],
        "terminal_code": told["terminal_code"],
        "vehicle_code": told.get("vehicle_no"),
        "is_own": own == "是" if own else None,
        "purpose": told.get("purpose"),
        "description": told.get("description"),
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }

"""What is known of a plant, as one long frame of facts: what its sensors, laboratory, cameras and people say.

A fact is about a variable of an area; a state is 1 or 0. It holds until another comes, one of a sensor at most
SENSOR_HOLDS_US.
"""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.minutes import MINUTE_US
from minefusion.pipelines.hazard.snapshots import with_validity

# Kinds of silver.field_record that carry facts, by who says so.
SENSOR, LABORATORY, CAMERA, OPERATOR = "plant_sensor", "plant_laboratory", "plant_camera", "plant_operator"
SOURCES = (SENSOR, LABORATORY, CAMERA, OPERATOR)
SENSOR_HOLDS_US = 10 * MINUTE_US
# A camera's value is how sure it is; from here on its state counts as true until somebody says otherwise.
CAMERA_SURE = 0.8
# Heads that the positioning system counts, beside what is told as PERSONS: the larger counts.
PERSONS, LOCATED = "persons", "persons_located"
FOREVER_US = 2**62
FACT = ("mine_code", "area_id", "variable", "observed_us", "value", "expires_us")


def plant_facts(records: nw.LazyFrame, headcount: nw.LazyFrame) -> nw.LazyFrame:
    """Facts from records and head counts.

    Args:
        records: silver.field_record with `observed_us` and `usable`.
        headcount: silver.headcount with `observed_us`.
    """
    told = records.filter(nw.col("kind").is_in(list(SOURCES)), nw.col("usable"), ~nw.col("value").is_null())
    kind, at = nw.col("kind"), nw.col("observed_us")
    sure = (nw.col("value") >= CAMERA_SURE).cast(nw.Float64)
    told = told.with_columns(
        nw.col("quantity").alias("variable"),
        nw.when(kind == CAMERA).then(sure).otherwise(nw.col("value")).alias("value"),
        nw.when(kind == SENSOR).then(at + SENSOR_HOLDS_US).otherwise(nw.lit(FOREVER_US)).alias("expires_us"),
    )
    heads = with_validity(headcount).with_columns(
        nw.lit(LOCATED).alias("variable"),
        nw.col("people_count").cast(nw.Float64).alias("value"),
        nw.col("held_until_us").alias("expires_us"),
    )
    both = [told.filter(~nw.col("area_id").is_null()).select(*FACT), heads.select(*FACT)]
    facts = nw.concat(both, how="vertical")
    # Two who say different things at one instant: the worse for a state, the larger for a number.
    key = FACT[:4]
    return facts.group_by(*key).agg(nw.col("value").max(), nw.col("expires_us").max())

"""Air and gas where it enters and leaves a working area, by minute: what emission, make and air supply are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.rounding import rounded

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Inputs

GASES = ("ch4", "co", "co2")
# The air is followed from the intake to the return for at most so long; a slower one is as good as still.
LONGEST_LAG_MIN = 30
_PATH = ["mine_code", "area_id"]


def air_quantity_m3_s(velocity_m_s: nw.Expr, section_m2: nw.Expr) -> nw.Expr:
    """Air that passes a station: a point's velocity over the roadway's section, whichever way it flows."""
    return velocity_m_s.abs() * section_m2


def transport_lag_min(length_m: nw.Expr, quantity_m3_s: nw.Expr, section_m2: nw.Expr) -> nw.Expr:
    """Whole minutes that the air needs over `length_m`, L ÷ u, at most LONGEST_LAG_MIN; 0 where the flow is unknown."""
    minutes = (length_m * section_m2 / quantity_m3_s / 60 + 0.5).floor()
    known = (quantity_m3_s > 0) & ~length_m.is_null() & ~section_m2.is_null()
    capped = nw.min_horizontal(minutes, nw.lit(float(LONGEST_LAG_MIN)))
    return nw.when(known.fill_null(False)).then(capped).otherwise(nw.lit(0.0)).cast(nw.Int64)


def path_minutes(inputs: Inputs) -> nw.LazyFrame:
    """One row per air path and minute of the window.

    Columns beside mine_code, area_id, window_start, minute_no, the path's own facts and the place's words:
        q_m3_s, q_coverage: air in the return edge.
        ch4_return, ch4_intake, co_return … : mean of the points on the edge [% or ppm]; the intake's is taken as long
            ago as the air needs from there. An intake edge that has no such sensor counts as 0, the safe side, and
            `has_ch4_intake` … is false; null where a sensor is there and silent.
        ch4_coverage … : the poorer of return and intake.
        lag_min: minutes from intake to return.
    """
    at_edge = inputs.edge_air
    flow = ["q_m3_s", "q_coverage"]
    returns = at_edge.select(
        "mine_code", nw.col("edge_id").alias("return_edge"), "minute_no", *flow,
        *(nw.col(gas).alias(f"{gas}_return") for gas in GASES),
        *(nw.col(f"{gas}_cover").alias(f"{gas}_return_cover") for gas in GASES),
    )  # fmt: skip
    intakes = at_edge.select(
        "mine_code", nw.col("edge_id").alias("intake_edge"), nw.col("minute_no").alias("intake_no"),
        *(nw.col(gas).alias(f"{gas}_intake") for gas in GASES),
        *(nw.col(f"{gas}_cover").alias(f"{gas}_intake_cover") for gas in GASES),
    )  # fmt: skip
    rows = _described_paths(inputs).join(minute_grid(inputs), how="cross")
    rows = rows.join(returns, on=["mine_code", "return_edge", "minute_no"], how="left")
    lag = transport_lag_min(nw.col("length_m"), nw.col("q_m3_s"), nw.col("return_section_m2"))
    rows = rows.with_columns(lag.alias("lag_min"))
    rows = rows.with_columns((nw.col("minute_no") - nw.col("lag_min")).alias("intake_no"))
    rows = rows.join(intakes, on=["mine_code", "intake_edge", "intake_no"], how="left").with_columns(
        nw.col("q_coverage").fill_null(0.0)
    )
    for gas in GASES:
        has = nw.col(f"has_{gas}_intake")
        cover = nw.when(has).then(nw.col(f"{gas}_intake_cover").fill_null(0.0)).otherwise(nw.lit(1.0))
        rows = rows.with_columns(
            nw.when(has).then(nw.col(f"{gas}_intake")).otherwise(nw.lit(0.0)).alias(f"{gas}_intake"),
            nw.min_horizontal(nw.col(f"{gas}_return_cover").fill_null(0.0), cover).alias(f"{gas}_coverage"),
        )
    return rows


def missing_in_path(gas: str) -> nw.Expr:
    """Code of what a path's minute lacks; it is read only where a result is null."""
    no_gas = nw.when(nw.col(f"{gas}_return").is_null()).then(nw.lit("NO_RETURN_GAS")).otherwise(nw.lit("NO_INTAKE_GAS"))
    return nw.when(nw.col("q_m3_s").is_null()).then(nw.lit("NO_AIR_QUANTITY")).otherwise(no_gas)


def edge_minutes(inputs: Inputs) -> nw.LazyFrame:
    """Air (q_m3_s) and mean gas of each roadway that has sensors, by minute; coverage is the best sensor's.

    A quantity is the point's velocity over the roadway's section; no correction factor of the station is known.
    """
    sections = inputs.edges.select("mine_code", "edge_id", "section_m2")
    rows = inputs.minutes.filter(
        nw.col("quantity").is_in([*GASES, "air_velocity", "air_quantity"]), ~nw.col("edge_id").is_null()
    )
    rows = rows.join(sections, on=["mine_code", "edge_id"], how="left")
    quantity, mean = nw.col("quantity"), nw.col("mean")
    by_velocity = nw.when(quantity == "air_velocity").then(air_quantity_m3_s(mean, nw.col("section_m2")))
    flow = nw.when(quantity == "air_quantity").then(mean.abs() / 60).otherwise(by_velocity)
    rows = rows.with_columns(
        flow.alias("_flow"),
        nw.when(~flow.is_null()).then(nw.col("coverage")).alias("_flow_cover"),
        *(nw.when(quantity == gas).then(mean).alias(gas) for gas in GASES),
        *(nw.when(quantity == gas).then(nw.col("coverage")).alias(f"{gas}_cover") for gas in GASES),
    )
    rows = rows.group_by("mine_code", "edge_id", "minute_no").agg(
        nw.col("_flow").mean().alias("q_m3_s"),
        nw.col("_flow_cover").max().alias("q_coverage"),
        *(nw.col(gas).mean().alias(gas) for gas in GASES),
        *(nw.col(f"{gas}_cover").max().alias(f"{gas}_cover") for gas in GASES),
    )
    return rows.with_columns(*(rounded(nw.col(name)).alias(name) for name in ("q_m3_s", *GASES)))


def _described_paths(inputs: Inputs) -> nw.LazyFrame:
    """Air paths with the air's way and sections, which gases the intake measures, and the place's words."""
    edges = inputs.edges.select("mine_code", "edge_id", "length_m", "section_m2", nw.col("area_id").alias("edge_area"))
    ends = {}
    for end in ("intake", "return"):
        ends[end] = edges.select(
            "mine_code",
            nw.col("edge_id").alias(f"{end}_edge"),
            nw.col("length_m").alias(f"{end}_length_m"),
            nw.col("section_m2").alias(f"{end}_section_m2"),
            nw.col("edge_area").alias(f"{end}_area"),
        )
    inside = edges.group_by("mine_code", "edge_area").agg(nw.col("length_m").sum().alias("inside_m"))
    inside = inside.rename({"edge_area": "area_id"})
    areas = inputs.areas.select(*_PATH, nw.col("kind").alias("area_kind"), "name_zh", "name_en")
    paths = inputs.air_paths.join(areas, on=_PATH, how="left").join(inside, on=_PATH, how="left")
    paths = paths.join(ends["intake"], on=["mine_code", "intake_edge"], how="left")
    paths = paths.join(ends["return"], on=["mine_code", "return_edge"], how="left")
    # Stations stand somewhere on their roadways: half of each, and all that lies in the area itself.
    half = {
        end: nw.when(nw.col(f"{end}_area") != nw.col("area_id"))
        .then(nw.col(f"{end}_length_m") / 2)
        .otherwise(nw.lit(0.0))
        for end in ends
    }
    paths = paths.with_columns(
        (nw.col("inside_m") + half["intake"].fill_null(0.0) + half["return"].fill_null(0.0)).alias("length_m"),
        nw.coalesce("name_zh", "area_id").alias("place_zh"),
        nw.coalesce("name_en", "area_id").alias("place_en"),
    )
    for gas in GASES:
        there = inputs.points.filter(nw.col("quantity") == gas, ~nw.col("edge_id").is_null())
        there = there.select(
            "mine_code", nw.col("edge_id").alias("intake_edge"), nw.lit(True).alias(f"has_{gas}_intake")
        ).unique()
        paths = paths.join(there, on=["mine_code", "intake_edge"], how="left").with_columns(
            nw.col(f"has_{gas}_intake").fill_null(False)
        )
    return paths.drop(
        "name_zh",
        "name_en",
        "intake_length_m",
        "intake_section_m2",
        "intake_area",
        "return_length_m",
        "return_area",
        "inside_m",
    )

"""Methane that may lie under the roof in a layer (G-12): the layering number of slow air."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.hours import no_point, placed, site_rows
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import first_minute, minute_grid
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.rounding import rounded

WINDOW_MIN = 10
# Gravity times how much lighter methane is than air, (9.81 · 0.446)^(1/3).
_BUOYANCY = (9.81 * 0.446) ** (1 / 3)

G_12 = Index(
    id="G-12",
    name_zh="瓦斯层状积聚数",
    name_en="methane layering number",
    unit="1",
    minutes=WINDOW_MIN,
    source="Bakke & Leach 1960 to 1962 in McPherson 1993; own lower steps",
    confidence="advisory",
    doc=(
        "Whether the air of a roadway is fast enough to mix the methane that comes out of its roof; ten-minute means. "
        "From 5 on a layer is unlikely in a level road; blue under 5, yellow under 2, orange under 1. For the roads "
        "whose roof emission and width the site file states."
    ),
    formula=r"N_L = \frac{u}{\left(g\,\frac{\Delta\rho}{\rho}\,\frac{V}{W}\right)^{1/3}} = \frac{u}{1.64\,(V/W)^{1/3}}",
    reads=("air in the road [m³/s]", "section [m²]", "roof emission [m³/s] and width [m] of the site file"),
    scenario="low_air",
    edges=("air that stands has the number 0", "the number is for level roads: on a slope more air is needed"),
)


def layering_number(velocity_m_s: nw.Expr, emission_m3_s: nw.Expr, width_m: nw.Expr) -> nw.Expr:
    """N_L = u/(g·(Δρ/ρ)·V/W)^(1/3), with Δρ/ρ = 0.446 of methane."""
    return velocity_m_s.abs() / (_BUOYANCY * (emission_m3_s / width_m) ** (1 / 3))


def g12(inputs: Inputs) -> nw.LazyFrame:
    """Layering number of the roads with a stated roof emission, by ten minutes."""
    fields = {"edge_id": pa.string(), "emission_m3_s": pa.float64(), "width_m": pa.float64()}
    roofs = inputs.frame(
        site_rows(inputs.sites, "roof_emissions", list(fields)), pa.schema({"mine_code": pa.string(), **fields})
    )
    edges = inputs.edges.select("mine_code", "edge_id", "area_id", "section_m2")
    roofs = roofs.join(edges, on=["mine_code", "edge_id"], how="left")
    window = (nw.col("minute_no") // WINDOW_MIN).cast(nw.Int64).alias("_window")
    air = inputs.edge_air.filter(nw.col("minute_no") >= first_minute(inputs.window)).with_columns(window)
    air = air.group_by("mine_code", "edge_id", "_window").agg(
        nw.col("q_m3_s").mean().alias("q"), (nw.col("q_coverage").fill_null(0.0).sum() / WINDOW_MIN).alias("coverage")
    )
    grid = minute_grid(inputs, step=WINDOW_MIN).with_columns(window)
    rows = roofs.join(grid, how="cross").join(air, on=["mine_code", "edge_id", "_window"], how="left")
    velocity = nw.col("q") / nw.col("section_m2")
    layers = layering_number(velocity, nw.col("emission_m3_s"), nw.col("width_m"))
    rows = rows.with_columns(
        rounded(layers).alias("_number"),
        velocity.alias("_velocity"),
        nw.col("edge_id").alias("entity"),
        no_point().alias("point_id"),
    )
    value = nw.col("_number")
    rows = judged(inputs, placed(inputs, rows, "巷道", "road"), G_12.id, ("", value))
    return index_rows(
        rows,
        G_12,
        value=value,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.lit("NO_AIR_QUANTITY"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "velocity_m_s": number(nw.col("_velocity"), 2),
            "emission_m3_s": number(nw.col("emission_m3_s"), 4),
            "width_m": number(nw.col("width_m"), 1),
        },
        finding_zh=nw.concat_str(nw.lit("层状积聚数 "), number(value)),
        finding_en=nw.concat_str(nw.lit("layering number "), number(value)),
    )

"""What an index says of a mine that lacks its input: a row per window, without a value, that names what is missing."""

from __future__ import annotations

from typing import Protocol

import narwhals as nw

from minefusion.pipelines.hazard.inputs import Frame
from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.hazard.rows import Index, index_rows
from minefusion.schemas.window import Window


class OfMines(Protocol):
    """What both cadences' inputs have."""

    @property
    def mines(self) -> nw.LazyFrame: ...
    @property
    def window(self) -> Window: ...
    @property
    def frame(self) -> Frame: ...


def rows_of_lacking(inputs: OfMines, index: Index, has: nw.LazyFrame, reason: str) -> nw.LazyFrame:
    """Rows of gold.hazard_index for each mine that has no row in `has`.

    Args:
        has: the things that the index judges, with mine_code.
        reason: a code of rows.REASONS that names the missing input.
    """
    mines = inputs.mines.select(
        "mine_code", nw.col("name_zh").alias("place_zh"), nw.col("mine_code").alias("place_en")
    ).join(has.select("mine_code").unique(), on="mine_code", how="anti")
    rows = mines.join(minute_grid(inputs, step=index.minutes), how="cross").with_columns(
        nw.col("mine_code").alias("area_id"),
        nw.col("mine_code").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )
    return index_rows(
        rows,
        index,
        value=nw.lit(None, dtype=nw.Float64),
        level=nw.lit(None, dtype=nw.Int32),
        coverage=nw.lit(0.0),
        reason=nw.lit(reason),
        finding_zh=nw.lit(""),
        finding_en=nw.lit(""),
        inputs={},
    )

"""The steps at which the levels of an index begin, joined to the rows that they judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Frame, Sites
from minefusion.pipelines.hazard.rows import BLUE, NORMAL, ORANGE, RED, YELLOW
from minefusion.schemas.levels import NAMES, steps_at, steps_of

_STEPS = pa.schema(
    {"mine_code": pa.string(), "_scope": pa.string()}
    | dict.fromkeys(NAMES, pa.float64())
    | {"limit_source": pa.string(), "limit_confidence": pa.string()}
)


class HasSites(Protocol):
    """What both cadences' inputs have."""

    @property
    def sites(self) -> Sites: ...
    @property
    def frame(self) -> Frame: ...


def steps(inputs: HasSites, frame: nw.LazyFrame, index_id: str, scope: nw.Expr | str = "") -> nw.LazyFrame:
    """The rows with columns blue, yellow, orange, red, limit_source and limit_confidence of one index.

    Args:
        frame: with mine_code.
        scope: the scope of each row; one that has no steps gives nulls.
    """
    rows = [
        {"mine_code": mine, "_scope": each.scope}
        | {name: getattr(each, name) for name in NAMES}
        | {"limit_source": each.source, "limit_confidence": each.confidence}
        for mine, site in inputs.sites.items()
        for each in steps_at(index_id, site)
    ]
    of_scope = nw.lit(scope) if isinstance(scope, str) else scope
    judged = frame.with_columns(of_scope.cast(nw.String).alias("_scope"))
    return judged.join(inputs.frame(rows, _STEPS), on=["mine_code", "_scope"], how="left").drop("_scope")


def judged(
    inputs: HasSites, frame: nw.LazyFrame, index_id: str, *values: tuple[nw.Expr | str, nw.Expr]
) -> nw.LazyFrame:
    """The rows with level, limit_source and limit_confidence: the worst of several values of one index.

    Source and confidence are those of the steps that give the level, of the first where none does. A value without
    steps, or null, gives no level; where all do, the level is null.

    Args:
        values: pairs of a scope, or of each row's scope, and the value that its steps judge.
    """
    columns: list[tuple[nw.Expr, nw.Expr, nw.Expr]] = []
    for number, (scope, value) in enumerate(values):
        frame = steps(inputs, frame, index_id, scope)
        level = level_by_steps(value, index_id, scope if isinstance(scope, str) else "")
        has_steps = ~nw.coalesce(*NAMES).is_null()
        names = [f"_{name}_{number}" for name in ("level", "source", "confidence")]
        frame = frame.with_columns(
            nw.when(has_steps).then(level).cast(nw.Int32).alias(names[0]),
            nw.col("limit_source").alias(names[1]),
            nw.col("limit_confidence").alias(names[2]),
        ).drop(*NAMES, "limit_source", "limit_confidence")
        columns.append((nw.col(names[0]), nw.col(names[1]), nw.col(names[2])))
    worst = columns[0][0] if len(columns) == 1 else nw.max_horizontal(*(level for level, _, _ in columns))
    source, confidence = columns[0][1:]
    for level, its_source, its_confidence in reversed(columns):
        gives = (level == worst).fill_null(False)
        source = nw.when(gives).then(its_source).otherwise(source)
        confidence = nw.when(gives).then(its_confidence).otherwise(confidence)
    frame = frame.with_columns(worst.alias("level"), source.alias("limit_source"), confidence.alias("limit_confidence"))
    return frame.drop(
        *(f"_{name}_{number}" for number in range(len(values)) for name in ("level", "source", "confidence"))
    )


def known_or_raised(level: nw.Expr, value: nw.Expr) -> nw.Expr:
    """The level, but none where the value is not known and what else is known is calm: that is not yet normal."""
    return nw.when(~value.is_null() | (level > NORMAL)).then(level)


def level_by_steps(value: nw.Expr, index_id: str, scope: str = "") -> nw.Expr:
    """Level of a value in a frame with the columns of `steps`; null where the value is null.

    Args:
        scope: whose comparison holds; all scopes of an index compare alike where left out.
    """
    listed = steps_of(index_id)
    comparison = next((each.comparison for each in listed if each.scope == scope), listed[0].comparison)
    return level_against(value, comparison, {name: nw.col(name) for name in NAMES})


def listed_level(value: nw.Expr, index_id: str, scope: str = "") -> nw.Expr:
    """Level of a value by the steps as they are listed, whatever a mine has set; null where the value is null."""
    listed = next(each for each in steps_of(index_id) if each.scope == scope)
    return level_against(value, listed.comparison, {name: getattr(listed, name) for name in NAMES})


def level_against(value: nw.Expr, comparison: str, steps: Mapping[str, nw.Expr | float | None]) -> nw.Expr:
    """Highest of the steps blue, yellow, orange and red that the value reaches; a step that is null is never reached.

    Null where the value is null.
    """
    level = nw.lit(NORMAL)
    for name, word in zip(NAMES, (BLUE, YELLOW, ORANGE, RED), strict=True):
        step = steps[name]
        if step is None:
            continue
        reached = {
            ">=": value >= step,
            ">": value > step,
            "<": value < step,
            "<=": value <= step,
        }[comparison]
        level = nw.when(reached.fill_null(False)).then(nw.lit(word)).otherwise(level)
    return nw.when(~value.is_null()).then(level)

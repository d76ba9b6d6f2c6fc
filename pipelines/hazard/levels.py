"""The steps at which the levels of an index begin, joined to the rows that they judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

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


def judge(inputs: HasSites, frame: nw.LazyFrame, index_id: str, values: Mapping[str, nw.Expr]) -> nw.LazyFrame:
    """The rows with `_level`, `_limit_source` and `_limit_confidence` of an index that looks at several things at once.

    Args:
        frame: with mine_code.
        values: scope of the index's steps → what is held against them. The highest level that one of them reaches
            decides; one that is null does not count, and where all are null there is no level.
    """
    listed = {each.scope: each for each in steps_of(index_id)}
    rows = []
    for mine, site in inputs.sites.items():
        own = {each.scope: each for each in steps_at(index_id, site)}
        row: dict[str, Any] = {"mine_code": mine}
        for number, scope in enumerate(values):
            row |= {f"_{name}_{number}": getattr(own[scope], name) for name in NAMES}
            row |= {f"_source_{number}": own[scope].source, f"_confidence_{number}": own[scope].confidence}
        rows.append(row)
    fields: dict[str, pa.DataType] = {"mine_code": pa.string()}
    for number in range(len(values)):
        fields |= {f"_{name}_{number}": pa.float64() for name in NAMES}
        fields |= {f"_source_{number}": pa.string(), f"_confidence_{number}": pa.string()}
    frame = frame.join(inputs.frame(rows, pa.schema(fields)), on="mine_code", how="left")
    frame = frame.with_columns(
        *(
            level_against(value, listed[scope].comparison, {name: nw.col(f"_{name}_{number}") for name in NAMES}).alias(
                f"_level_{number}"
            )
            for number, (scope, value) in enumerate(values.items())
        )
    )
    frame = frame.with_columns(
        nw.max_horizontal(*(f"_level_{number}" for number in range(len(values)))).alias("_level")
    )
    for told, column in (("_limit_source", "_source"), ("_limit_confidence", "_confidence")):
        said = nw.lit(None, dtype=nw.String)
        for number in reversed(range(len(values))):
            decides = (nw.col(f"_level_{number}") == nw.col("_level")).fill_null(False)
            said = nw.when(decides).then(nw.col(f"{column}_{number}")).otherwise(said)
        frame = frame.with_columns(said.alias(told))
    return frame.drop(*reached, *(name for name in fields if name != "mine_code"))

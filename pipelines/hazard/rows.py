"""How a result of any index becomes a row of gold.hazard_index: level, reason, inputs and a sentence in two languages.

An index declares itself as an `Index` and hands `index_rows` its value, its level and its findings; the rest is the
same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw

from minefusion.pipelines.rounding import NUDGE, rounded
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas.gold import HAZARD_INDEX

NORMAL, BLUE, YELLOW, ORANGE, RED = range(5)
LEVEL_ZH = ("正常", "蓝色", "黄色", "橙色", "红色")
LEVEL_EN = ("normal", "blue", "yellow", "orange", "red")

# A window that good data covers less than this has no value: not known is not zero.
MIN_COVERAGE = 0.75
# Confidences of a limit that must be checked before anybody takes it for the law.
UNCERTAIN = ("inferred", "convention", "advisory")

Confidence = Literal["confirmed", "inferred", "convention", "advisory"]

# Why a value or a level is missing: code → Chinese, English.
REASONS: dict[str, tuple[str, str]] = {
    "NO_DATA": ("无有效数据", "no usable data"),
    "LOW_COVERAGE": ("有效数据覆盖不足 75%", "usable data cover less than 75 % of the window"),
    "NO_LIMIT": ("该处没有适用的限值", "no limit holds for this place"),
    "TOO_FEW_SAMPLES": ("有效样本不足", "too few usable samples"),
    "RESTARTED": ("传感器恢复工作不足 30 分钟", "the sensor came back less than 30 minutes ago"),
    "NO_AIR_QUANTITY": ("回风侧没有有效风量", "no usable air quantity in the return"),
    "NO_RETURN_GAS": ("回风侧没有有效气体浓度", "no usable gas reading in the return"),
    "NO_INTAKE_GAS": ("进风侧没有有效气体浓度", "no usable gas reading in the intake"),
    "NO_SNAPSHOT": ("无有效的人员快照", "no fresh snapshot of the positioning system"),
    "NO_AMBIENT": ("缺少此前的背景值", "no earlier value to compare with"),
}


@dataclass(frozen=True)
class Index:
    """One hazard index.

    Attributes:
        minutes: length of its windows; a row is about [window_start, window_start + minutes).
        unit: unit of its value, where all its rows share one.
        source: where its formula and levels come from.
        confidence: how far its levels are to be trusted; a row may say otherwise.
        doc: what it means, for docs and reports.
        formula: in LaTeX, without the marks around it.
        reads: its inputs, each with its unit: "CO in the return [ppm]".
        scenario: shipped scenario that drives it to level 2 or more; '' where no feed can.
        edges: what happens at the edges of what it can say.
    """

    id: str
    name_zh: str
    name_en: str
    unit: str
    minutes: int
    source: str
    confidence: Confidence
    doc: str
    formula: str = ""
    reads: tuple[str, ...] = ()
    scenario: str = ""
    edges: tuple[str, ...] = ()


def index_rows(
    frame: nw.LazyFrame,
    index: Index,
    *,
    value: nw.Expr,
    level: nw.Expr,
    finding_zh: nw.Expr,
    finding_en: nw.Expr,
    inputs: Mapping[str, nw.Expr],
    coverage: nw.Expr | None = None,
    reason: nw.Expr | None = None,
    legal: nw.Expr | None = None,
    unit: nw.Expr | None = None,
    limit_source: nw.Expr | None = None,
    limit_confidence: nw.Expr | None = None,
    stands_from: int | None = None,
) -> nw.LazyFrame:
    """Rows of gold.hazard_index, but for the columns that the job adds.

    Args:
        frame: mine_code, area_id, entity, point_id (null for an area's own row), window_start, place_zh, place_en and
            whatever the expressions read.
        value: the index, null where it is not known.
        level: 0 to 4, null where it is not known. A level without a value is a level kept while no data come.
        finding_zh, finding_en: what was found, without the place and the level: "甲烷 1.20 %", "methane 1.20 %".
        inputs: name → text of a JSON value, see `number` and `quoted`.
        coverage: share of the window that good data cover, 1 where left out. Below MIN_COVERAGE value and level are
            null.
        reason: a code of REASONS where value or level is null for a cause of the index's own.
        legal: the law's alarm value is reached; never where left out.
        unit, limit_source, limit_confidence: where they differ from the index's own; null where they do not.
        stands_from: a level so high stands however poor the coverage (gas is never hidden).
    """
    frame = frame.with_columns(
        rounded(value).alias("value"),
        level.cast(nw.Int32).alias("level"),
        rounded(nw.lit(1.0) if coverage is None else coverage.fill_null(0.0)).alias("coverage"),
        (nw.lit(None, dtype=nw.String) if reason is None else reason).alias("null_reason"),
        (nw.lit(False) if legal is None else legal.fill_null(False)).alias("legal_exceeded"),
        _or_else(unit, index.unit).alias("unit"),
        _or_else(limit_source, index.source).alias("limit_source"),
        _or_else(limit_confidence, index.confidence).alias("limit_confidence"),
    )
    poor = nw.col("coverage") < MIN_COVERAGE
    if stands_from is not None:
        poor = poor & ~(nw.col("level") >= stands_from).fill_null(False)
    poor = poor & ~nw.col("value").is_null()
    frame = frame.with_columns(
        nw.when(~poor).then(nw.col("value")).alias("value"),
        nw.when(~poor).then(nw.col("level")).alias("level"),
        nw.when(~poor).then(nw.col("legal_exceeded")).otherwise(nw.lit(False)).alias("legal_exceeded"),
        nw.when(poor).then(nw.lit("LOW_COVERAGE")).otherwise(nw.col("null_reason")).alias("null_reason"),
    )
    missing = nw.col("value").is_null() | nw.col("level").is_null()
    why = nw.when(missing).then(nw.col("null_reason").fill_null("NO_DATA"))
    frame = frame.with_columns(why.alias("null_reason"), json_object(inputs).alias("inputs"))
    return frame.with_columns(
        _sentence(index, finding_zh, "zh").alias("sentence_zh"),
        _sentence(index, finding_en, "en").alias("sentence_en"),
        nw.lit(index.id).alias("index_id"),
        nw.col("window_start").dt.offset_by(f"{index.minutes}m").cast(UTC_MICROSECONDS).alias("window_end"),
    ).select(*COLUMNS)


def _or_else(text: nw.Expr | None, default: str) -> nw.Expr:
    return nw.lit(default) if text is None else text.fill_null(default)


# What an index gives; the job adds when the row was written, its revision and its partition.
COLUMNS = tuple(name for name in HAZARD_INDEX.names if name not in ("computed_at", "revision", "day"))


def _sentence(index: Index, finding: nw.Expr, language: Literal["zh", "en"]) -> nw.Expr:
    """Place, finding and level; or place, index and why there is no level."""
    zh = language == "zh"
    place, colon, semicolon, end = nw.col(f"place_{language}"), *(("：", "；", "。") if zh else (": ", "; ", "."))
    words, column = (LEVEL_ZH, 0) if zh else (LEVEL_EN, 1)
    word = named(nw.col("level"), dict(enumerate(words)))
    reasons = {code: texts[column] for code, texts in REASONS.items()}
    why = named(nw.col("null_reason"), reasons, default=reasons["NO_DATA"])
    uncertain = nw.col("limit_confidence").is_in(UNCERTAIN) & (nw.col("level") > NORMAL)
    label = nw.when(uncertain).then(nw.lit("（参考限值）" if zh else " (advisory limit)")).otherwise(nw.lit(""))
    found = nw.concat_str(place, nw.lit(colon), finding, nw.lit(semicolon), word, label, nw.lit(end))
    unknown = nw.lit(f"{index.name_zh}无法判定，" if zh else f"{index.name_en} not known, ")
    missing = nw.concat_str(place, nw.lit(colon), unknown, why, nw.lit(end))
    # A finding with a hole in it says nothing; then the reason does.
    return nw.coalesce(nw.when(~nw.col("level").is_null()).then(found), missing)


def named(code: nw.Expr, names: Mapping[Any, str], default: str = "") -> nw.Expr:
    """The name of a code. One look-up, where a chain of conditions would outgrow what Spark compiles."""
    return code.replace_strict(list(names), list(names.values()), default=nw.lit(default), return_dtype=nw.String)


def rising_level(
    value: nw.Expr,
    *,
    blue: nw.Expr | float | None = None,
    yellow: nw.Expr | float | None = None,
    orange: nw.Expr | float | None = None,
    red: nw.Expr | float | None = None,
    strictly: bool = False,
) -> nw.Expr:
    """Highest step that the value is at or over (`strictly`: over); a step that is null holds for nothing.

    Null where the value is null.
    """
    level = nw.lit(NORMAL)
    for step_level, step in ((BLUE, blue), (YELLOW, yellow), (ORANGE, orange), (RED, red)):
        if step is not None:
            reached = (value > step) if strictly else (value >= step)
            level = nw.when(reached.fill_null(False)).then(nw.lit(step_level)).otherwise(level)
    return nw.when(~value.is_null()).then(level)


def falling_level(
    value: nw.Expr,
    *,
    blue: nw.Expr | float | None = None,
    yellow: nw.Expr | float | None = None,
    orange: nw.Expr | float | None = None,
    red: nw.Expr | float | None = None,
) -> nw.Expr:
    """Highest step that the value is under; null where the value is null."""
    steps = {
        name: None if step is None else -step for name, step in zip(_STEPS, (blue, yellow, orange, red), strict=True)
    }
    return rising_level(-value, **steps, strictly=True)


_STEPS = ("blue", "yellow", "orange", "red")


def number(value: nw.Expr, decimals: int = 2) -> nw.Expr:
    """Text of a number with fixed decimals, the same on both engines; null stays null, infinity is not allowed."""
    return (value.cast(nw.Float64) + NUDGE).cast(nw.Decimal(20, decimals)).cast(nw.String)


def quoted(text: nw.Expr) -> nw.Expr:
    """JSON text of a string without quotes or backslashes in it, such as a code; null stays null."""
    return nw.concat_str(nw.lit('"'), text, nw.lit('"'))


def json_object(values: Mapping[str, nw.Expr]) -> nw.Expr:
    """JSON text of an object whose values are JSON texts already; a null text becomes null."""
    parts: list[nw.Expr] = []
    for name, text in values.items():
        parts += [nw.lit(f'{", " if parts else "{"}"{name}": '), text.fill_null("null")]
    return nw.concat_str(*parts, nw.lit("}")) if parts else nw.lit("{}")

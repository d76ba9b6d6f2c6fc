"""Rules of the packs that hold at a site as rows of gold.hazard_index: the rule is the index, the unit the area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.hazard.rows import COLUMNS, LEVEL_EN, LEVEL_ZH, NORMAL, ORANGE, RED, UNCERTAIN, YELLOW, number
from minefusion.pipelines.rounding import rounded
from minefusion.pipelines.rules.facts import plant_facts
from minefusion.pipelines.rules.states import rule_minutes
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas.rules import Applied, applied_rules
from minefusion.schemas.site import Site

# What cannot be judged is told of so often [min].
TOLD_EVERY = 60
_TESTS_ZH = {">": "> ", ">=": "≥ ", "<": "< ", "<=": "≤ "}
_LOWER = ("<", "<=", "falling")
_NUMERIC = (">", ">=", "<", "<=", "outside", "confirmed", "not_falling", "rising", "falling", "fluctuating", "frequent")
_KEY = ["mine_code", "area_id", "rule_id"]
_TEXT = dict.fromkeys(
    (*_KEY, "unit", "zh", "en", "do_zh", "do_en", "limit", "limit_source", "source_zh", "limit_confidence", "reason"),
    pa.string(),
)
_RULES = pa.schema(
    _TEXT | {"level_raised": pa.int32(), "is_numeric": pa.bool_(), "is_lower": pa.bool_(), "is_configured": pa.bool_()}
)


def site_rules(sites: Mapping[str, Site | None]) -> dict[str, list[Applied]]:
    """Mine → the rules of its packs; mines without a pack are left out."""
    found = {mine: applied_rules(site) for mine, site in sites.items() if site is not None}
    return {mine: rules for mine, rules in found.items() if rules}


def rule_findings(inputs: Inputs, records: nw.LazyFrame, applied: Mapping[str, Sequence[Applied]]) -> nw.LazyFrame:
    """Rows of gold.hazard_index, but for the columns that the job adds.

    A minute of a rule that is judged is a row. One that is not, since the plant has not said what it needs or since
    nothing is known of its variable, is told of every hour, with the reason: never as normal.

    Args:
        records: silver.field_record with `observed_us` and `usable`, as far back as states are known.
    """
    grid = minute_grid(inputs)
    facts = inputs.cached(plant_facts(records, inputs.headcount))
    minutes = rule_minutes(facts, applied, grid, grouped=inputs.grouped, frame=inputs.frame, cached=inputs.cached)
    rules = inputs.frame([_described(mine, each) for mine, some in applied.items() for each in some], _RULES)
    areas = inputs.areas.select(
        "mine_code", "area_id", nw.col("name_zh").alias("place_zh"), nw.col("name_en").alias("place_en")
    )
    rows = rules.join(grid, how="cross").join(minutes, on=[*_KEY, "minute_no"], how="left")
    rows = rows.join(areas, on=["mine_code", "area_id"], how="left").with_columns(
        nw.coalesce("place_zh", "area_id").alias("place_zh"), nw.coalesce("place_en", "area_id").alias("place_en")
    )
    flags = ("is_raised", "is_escalated", "is_not_proven", "is_known")
    rows = rows.with_columns(*((nw.col(name).fill_null(0) > 0).alias(name) for name in flags))
    told = nw.col("is_known") | nw.col("is_not_proven") | (nw.col("minute_no") % TOLD_EVERY == 0)
    return _as_rows(rows.filter(told))


def _described(mine: str, applied: Applied) -> dict[str, Any]:
    rule, threshold = applied.rule, applied.threshold
    limit = ""
    if threshold is not None and rule.test == "outside":
        limit = f"{threshold:g}–{rule.upper:g} {rule.value_unit}"
    elif threshold is not None and rule.test == "dwell":
        limit = f"≥ {threshold:g} {rule.value_unit}"
    elif threshold is not None:
        limit = f"{_TESTS_ZH.get(rule.test, '')}{threshold:g} {rule.value_unit}"
    return {
        "mine_code": mine,
        "area_id": applied.area_id,
        "rule_id": rule.rule_id,
        "unit": rule.value_unit or "bool",
        "zh": rule.zh,
        "en": rule.en,
        "do_zh": rule.do_zh,
        "do_en": rule.do_en,
        "limit": limit,
        "limit_source": applied.source,
        "source_zh": applied.source_zh,
        "limit_confidence": applied.confidence,
        "reason": None if applied.is_configured else "NOT_CONFIGURED",
        "level_raised": rule.level,
        "is_numeric": rule.test in _NUMERIC,
        "is_lower": rule.test in _LOWER,
        "is_configured": applied.is_configured,
    }


def _as_rows(rows: nw.LazyFrame) -> nw.LazyFrame:
    raised, unproven = nw.col("is_raised"), nw.col("is_not_proven")
    level = nw.when(raised | unproven).then(nw.col("level_raised")).otherwise(nw.lit(NORMAL))
    one_more = nw.when(level == YELLOW).then(nw.lit(ORANGE)).otherwise(nw.lit(RED))
    level = nw.when(nw.col("is_escalated")).then(one_more).otherwise(level)
    judged = (nw.col("is_known") | unproven) & nw.col("is_configured")
    value = nw.when(nw.col("is_lower")).then(nw.col("value_min")).otherwise(nw.col("value_max"))
    why = nw.when(unproven).then(nw.lit("NOT_PROVEN")).otherwise(nw.coalesce(nw.col("reason"), nw.lit("NO_DATA")))
    known = nw.col("is_known") & ~unproven & nw.col("is_configured")
    rows = rows.with_columns(
        nw.when(judged).then(level).cast(nw.Int32).alias("level"),
        rounded(nw.when(known).then(value)).alias("value"),
        nw.when(~known).then(why).alias("null_reason"),
        nw.col("rule_id").alias("index_id"),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.col("window_start").dt.offset_by("1m").cast(UTC_MICROSECONDS).alias("window_end"),
        nw.lit(False).alias("legal_exceeded"),
        nw.when(known).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("coverage"),
        nw.lit("{}").alias("inputs"),
    )
    return rows.with_columns(_sentence("zh").alias("sentence_zh"), _sentence("en").alias("sentence_en")).select(
        *COLUMNS
    )


def _sentence(language: str) -> nw.Expr:
    """Place, what is wrong with its value and limit, the level, what is to be done and where that is written."""
    zh = language == "zh"
    words = LEVEL_ZH if zh else LEVEL_EN
    colon, semicolon, comma, end = ("：", "；", "，", "。") if zh else (": ", "; ", ", ", ".")
    place, wrong, do = nw.col(f"place_{language}"), nw.col(language), nw.col(f"do_{language}")
    figure = nw.concat_str(number(nw.col("value")), nw.lit(" "), nw.col("unit"))
    limited = nw.concat_str(
        figure, nw.lit("（限值 " if zh else " (limit "), nw.col("limit"), nw.lit("）" if zh else ")")
    )
    told = nw.when(nw.col("limit") != "").then(limited).otherwise(figure)
    told = nw.when(nw.col("is_numeric")).then(nw.concat_str(nw.lit(comma), told)).otherwise(nw.lit("")).fill_null("")
    level = nw.lit(words[NORMAL])
    for step, word in enumerate(words):
        level = nw.when(nw.col("level") == step).then(nw.lit(word)).otherwise(level)
    uncertain = nw.col("limit_confidence").is_in(UNCERTAIN)
    label = nw.when(uncertain).then(nw.lit("（参考限值）" if zh else " (advisory limit)")).otherwise(nw.lit(""))
    late = nw.when(nw.col("is_escalated")).then(nw.lit("，逾期未处理" if zh else ", overdue")).otherwise(nw.lit(""))
    source = nw.concat_str(nw.lit("依据 " if zh else "by "), nw.col("source_zh" if zh else "limit_source"))
    found = nw.concat_str(
        place, nw.lit(colon), wrong, told, late, nw.lit(semicolon), level, label, nw.lit(semicolon), do,
        nw.lit(semicolon), source, nw.lit(end),
    )  # fmt: skip
    fine = nw.concat_str(
        place, nw.lit(f"{colon}未见「" if zh else ": not the case: "), wrong, nw.lit("」" if zh else ""), told,
        nw.lit(semicolon), nw.lit(words[NORMAL]), nw.lit(end),
    )  # fmt: skip
    unproven = nw.concat_str(
        place, nw.lit("：无数据，视为未确认（" if zh else ": no data, so not proven ("), wrong,
        nw.lit("）" if zh else ")"),
        nw.lit(semicolon), level, nw.lit(semicolon), do, nw.lit(semicolon), source, nw.lit(end),
    )  # fmt: skip
    unknown = nw.concat_str(
        place, nw.lit(colon), wrong,
        nw.when(nw.col("null_reason") == "NOT_CONFIGURED")
        .then(nw.lit("，未配置本厂数值，无法判定" if zh else ": not configured, the plant has set no value for it"))
        .otherwise(nw.lit("，无数据，无法判定" if zh else ": no data, not known")),
        nw.lit(end),
    )  # fmt: skip
    sentence = nw.when(nw.col("level") > NORMAL).then(found).otherwise(fine)
    sentence = nw.when(nw.col("level").is_null()).then(unknown).otherwise(sentence)
    return nw.when(nw.col("is_not_proven")).then(unproven).otherwise(sentence)

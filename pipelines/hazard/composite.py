"""What the indices come to together, by area and hour: X-01 … X-10 and gold.risk_tier.

The indices' rows are first brought down to one finding per area, hour and index, the worst; what follows is small and
is worked out hour by hour by `verdicts` and `evidence`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.composed import Composed
from minefusion.pipelines.hazard.evidence import (
    Weights,
    comparison_of,
    graded,
    likelihood_of,
    weights_by_comparison,
    weights_by_entropy,
    weights_together,
)
from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.hazard.rows import BLUE, LEVEL_EN, LEVEL_ZH, NORMAL, ORANGE, Index, index_rows
from minefusion.pipelines.hazard.verdicts import ENOUGH, Verdict, findings_of, groups, level_of
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas.gold import RISK_TIER
from minefusion.schemas.levels import steps_of
from minefusion.schemas.site import GradedRisk, Site

Row = dict[str, Any]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# An index over a day tells of the hours of the day after it.
LONG_MIN = 60
_OWN = "own start values and rules"


def _declared(number: int, zh: str, en: str, unit: str, formula: str, doc: str, **more: Any) -> Index:
    return Index(
        id=f"X-{number:02}",
        name_zh=zh,
        name_en=en,
        unit=unit,
        minutes=60,
        source=more.pop("source", _OWN),
        confidence=more.pop("confidence", "advisory"),
        doc=doc,
        formula=formula,
        reads=more.pop("reads", ("levels and values of all indices of the area",)),
        scenario=more.pop("scenario", "gas_event"),
        **more,
    )


X_01 = _declared(
    1,
    "归一化风险",
    "normalised risk",
    "1",
    r"u_i = \operatorname{clip}\left(\frac{x_i - \text{normal}_i}{\text{red}_i - \text{normal}_i},\,0,\,1\right)",
    "Largest normalised finding of the area: 0 normal, 0.25 blue, 0.5 yellow, 0.75 orange, 1 red, straight between the "
    "index's own steps. Findings below blue count as 0, so that many normals never make a risk.",
    edges=("under 60 % of the area's indices known: no value, never green",),
)
X_02 = _declared(
    2,
    "层次分析权重",
    "weights by pairwise comparison",
    "1",
    r"A w = \lambda_{\max} w,\quad CR = \frac{\lambda_{\max} - n}{(n - 1)\,RI}",
    "Consistency ratio of the mine's comparison of hazard groups; the weights stand in the inputs. Over 0.1 the "
    "comparison contradicts itself and is rejected; the start importance then holds.",
    source="Saaty's analytic hierarchy process",
    confidence="confirmed",
    reads=("importance of the hazard groups, pairwise comparisons of the site file",),
    edges=("one or two groups are always consistent", "no comparison in the site file: the start importance, ratio 0"),
    without_scenario="It says how far weights are to be trusted and is no hazard.",
)
X_03 = _declared(
    3,
    "熵权",
    "weights by entropy",
    "1",
    r"e_j = -\frac{1}{\ln m}\sum_i p_{ij}\ln p_{ij},\quad w_j = \frac{1 - e_j}{\sum_k (1 - e_k)}",
    "Weight of the group that told the area-days of the last month apart most; all weights stand in the inputs. Worked "
    "out once a month, with w ∝ √(w of the comparison · w of the entropy).",
    source="entropy weight method",
    confidence="confirmed",
    reads=("X-01 of the month before, highest of each area and day, by group",),
    scenario="rockburst",
    without_scenario="It is a weight and no hazard.",
    edges=("under 30 area-days: no weights", "a group that never varied weighs nothing"),
)
X_04 = _declared(
    4,
    "D-S 证据融合",
    "combined evidence",
    "1",
    r"m(A) = \frac{\sum_{B\cap C=A} m_1(B)\,m_2(C)}{1 - K}",
    "Belief that the area is abnormal, in the group of hazards where two or more indices give the most. Each index is "
    "a source that is trusted as far as good data cover it.",
    source="Dempster and Shafer; Murphy's average where sources conflict",
    edges=("conflict over 0.8: the sources are averaged and the conflict is told", "one index alone: no value"),
)
X_05 = _declared(
    5,
    "对数几率融合",
    "log-odds fusion",
    "1",
    r"\operatorname{logit} p = \operatorname{logit} p_0 + s\sum_i \ln LR_i",
    "Probability of trouble in the group of hazards where two or more indices give the most. Likelihood ratios by "
    "level are start values and were not calibrated on accidents; indices of a group rest on the same sensors, so half "
    "of each counts as new.",
    scenario="goaf_explosive",
    edges=("a ratio beyond 0.05 … 20 is not believed", "one index alone: no value"),
)
X_06 = _declared(
    6,
    "噪声或综合风险",
    "noisy-or of all findings",
    "1",
    r"R = 1 - \prod_i (1 - w_i u_i)",
    "All findings of the area together: never under its worst weighted one. A mean is not used: it hides a single red.",
    edges=("one share for each group of hazards, its largest", "weights: see X-02 and X-03, the heaviest counts 1"),
)
X_07 = _declared(
    7,
    "作业条件风险分级",
    "graded risk",
    "1",
    r"D = L \cdot E \cdot C",
    "Risks that the mine graded by hand, by LEC or by the six-by-six matrix. Beside it D with the likelihood that the "
    "hour's findings give, so that graded and measured risk share a scale.",
    source="LEC method and LS matrix of dual prevention",
    confidence="inferred",
    reads=("graded risks of the site file", "R of the area (X-06)"),
    scenario="overdue_danger",
    edges=(
        "a risk without an exposure is graded by the matrix, likelihood times consequence",
        "a mine that grades no risk has no row",
    ),
)
X_08 = _declared(
    8,
    "双重预防四色",
    "colour of dual prevention",
    "1",
    r"\text{colour} = \max(\text{graded}, \text{measured}) + [\text{major danger overdue}]",
    "The worse of graded colour (X-07) and measured colour (X-06); a major hidden danger that is open past its date "
    "raises blue and yellow by one.",
    reads=("graded risks of the site file", "hidden dangers of the field records", "X-06"),
    scenario="overdue_danger",
    edges=("closure on time, mean days open and repeats of the area stand in the inputs",),
)
X_09 = _declared(
    9,
    "跳级规则",
    "escalation",
    "1",
    r"\text{level} \ge 3 \text{ where any critical signal holds}",
    "Level that single critical signals set at least, whatever the score: any index at red, stop of the main fan "
    "(red), a rise by two levels within an hour.",
    source="published for tailings; own choice for the rest",
    edges=(
        "an index that was not known an hour ago has not risen",
        "a signal that no longer holds escalates no longer",
    ),
)
X_10 = _declared(
    10,
    "人员加权暴露",
    "exposure of people",
    "person",
    r"E = N_{area} \cdot R_{area}",
    "People in the area times its risk; ranks the areas of a mine for dispatch. It has no level of its own.",
    reads=("most people in the area in the hour", "R of the area (X-06)"),
    without_scenario="It ranks areas and has no levels.",
    edges=("no fresh head count: no value",),
)
DECLARED = (X_01, X_02, X_03, X_04, X_05, X_06, X_07, X_08, X_09, X_10)


# ── what is known of the mine beforehand ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Danger:
    """A hidden danger: days to its date, whether it is major, and when it was closed (null while open)."""

    area_id: str
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    is_major: bool

    def is_open(self, at: datetime) -> bool:
        return self.opened_at <= at and (self.closed_at is None or self.closed_at > at)


@dataclass(frozen=True)
class Background:
    """What holds for a mine besides the hour's findings.

    Attributes:
        comparison: weights of the groups by comparison, in the order of `groups()`.
        entropy: month YYYY-MM → weights by entropy and the area-days that they rest on; no weights under 30.
    """

    comparison: Weights
    entropy: Mapping[str, tuple[tuple[float, ...] | None, int]] = field(default_factory=dict)
    risks: Sequence[GradedRisk] = ()
    dangers: Sequence[Danger] = ()

    def weights(self, month: str) -> dict[str, float]:
        """Group → weight, the heaviest 1."""
        by_comparison = np.array(self.comparison.values)
        if self.comparison.ratio > _limit("X-02", "consistency"):
            by_comparison = np.array([group.importance for group in groups().values()])
            by_comparison = by_comparison / by_comparison.sum()
        by_entropy, _ = self.entropy.get(month, (None, 0))
        together = by_comparison if by_entropy is None else weights_together(by_comparison, np.array(by_entropy))
        shares = together / together.max()
        return {group.name: round(float(share), 6) for group, share in zip(groups().values(), shares, strict=True)}


def _limit(index_id: str, scope: str) -> float:
    return next(steps.red for steps in steps_of(index_id) if steps.scope == scope) or 0.0


def background(
    site: Site | None, normalised_days: Sequence[tuple[str, Mapping[str, float]]], dangers: Sequence[Danger]
) -> Background:
    """What holds for a mine.

    Args:
        normalised_days: (month that it counts for, group → highest share) of each area and day.
    """
    importance = {group.name: group.importance for group in groups().values()}
    own = {(each.group, each.than): each.ratio for each in site.group_comparisons} if site else {}
    tables: dict[str, list[list[float]]] = {}
    for month, shares in normalised_days:
        tables.setdefault(month, []).append([shares.get(name, 0.0) for name in importance])
    fewest = _limit("X-03", "rows")
    entropy = {
        month: (tuple(weights_by_entropy(np.array(table)).tolist()) if len(table) >= fewest else None, len(table))
        for month, table in tables.items()
    }
    return Background(
        weights_by_comparison(comparison_of(importance, own)),
        entropy,
        site.graded_risks if site else (),
        dangers,
    )


# ── findings by area and hour ───────────────────────────────────────────────────────────────────────────────────────

_KEY = ["mine_code", "area_id", "hour"]
_FACTS = ("index_id", "level", "value", "coverage", "legal", "sentence_zh", "sentence_en")


def hour_findings(composed: Composed, minutes_of: Mapping[str, int]) -> nw.LazyFrame:
    """One row per mine, area, hour and index, the worst of the hour; areas without any index have one row of nulls.

    Args:
        minutes_of: index id → length of its windows.
    """
    hour = nw.col("window_start").alias("hour")
    hours = minute_grid(composed, step=60).select(hour)
    # What rose is seen beside the hour before.
    and_before = minute_grid(composed, before=60, step=60).select(hour)
    # A mine that lacks an index's input has rows without any input: nothing is expected of it.
    told = composed.indices.filter(~(nw.col("level").is_null() & (nw.col("inputs") == "{}")))
    told = told.with_columns(
        nw.col("legal_exceeded").cast(nw.Int32).alias("legal"), nw.col("level").fill_null(-1).alias("_rank")
    )
    long = [index for index, minutes in minutes_of.items() if minutes > LONG_MIN]
    short = told.filter(~nw.col("index_id").is_in(long)).with_columns(
        nw.col("window_start").dt.truncate("1h").cast(UTC_MICROSECONDS).alias("hour")
    )
    parts = [short.filter(nw.col("hour") >= composed.window.start - HOUR, nw.col("hour") < composed.window.end)]
    if long:
        lasting = told.filter(nw.col("index_id").is_in(long)).join(and_before, how="cross")
        until = nw.col("window_end").dt.offset_by("24h").cast(UTC_MICROSECONDS)
        parts.append(lasting.filter(nw.col("hour") >= nw.col("window_end"), nw.col("hour") < until))
    kept = [*_KEY, *_FACTS, "_rank", "window_start", "entity"]
    rows = nw.concat([part.select(*kept) for part in parts], how="vertical")
    # Of windows that overlap, the newest; in an hour, the worst.
    worst = rows.unique([*_KEY, "index_id"], keep="last", order_by=["_rank", "legal", "window_start", "entity"])
    mine = nw.col("mine_code")
    places = nw.concat(
        [
            composed.areas.select(
                "mine_code", "area_id", nw.col("name_zh").alias("place_zh"), nw.col("name_en").alias("place_en")
            ),
            composed.mines.select(
                "mine_code", mine.alias("area_id"), nw.col("name_zh").alias("place_zh"), mine.alias("place_en")
            ),
        ],
        how="vertical",
    )
    grid = places.join(hours, how="cross")
    people = composed.headcount.with_columns(
        nw.col("observed_at").dt.truncate("1h").cast(UTC_MICROSECONDS).alias("hour")
    )
    most = people.group_by(*_KEY).agg(nw.col("people_count").max().alias("people"))
    found = grid.join(worst.select(*_KEY, *_FACTS), on=_KEY, how="left").join(most, on=_KEY, how="left")
    before = worst.select(
        "mine_code",
        "area_id",
        "index_id",
        nw.col("hour").dt.offset_by("1h").cast(UTC_MICROSECONDS).alias("hour"),
        nw.col("level").alias("earlier"),
    )
    return found.join(before, on=[*_KEY, "index_id"], how="left")


# ── one hour of one mine ────────────────────────────────────────────────────────────────────────────────────────────

_TEXT, _NUMBER = pa.string(), pa.float64()
SCHEMA = pa.schema(
    [pa.field(name, _TEXT) for name in ("mine_code", "area_id", "entity", "place_zh", "place_en", "index_id")]
    + [
        pa.field("window_start", pa.timestamp("us", tz="UTC")),
        pa.field("_value", _NUMBER),
        pa.field("_level", pa.int32()),
    ]
    + [pa.field(name, _TEXT) for name in ("_reason", "_by", "_zh", "_en")]
)
TIERS = pa.schema([each for each in RISK_TIER.arrow_schema() if each.name not in ("revision", "computed_at", "day")])


@dataclass(frozen=True)
class Place:
    """An area in an hour with its verdict."""

    area_id: str
    zh: str
    en: str
    people: int | None
    verdict: Verdict


def _places(table: pa.Table, backgrounds: Mapping[str, Background]) -> tuple[str, datetime, Background, list[Place]]:
    rows = table.to_pylist()
    mine, hour = rows[0]["mine_code"], rows[0]["hour"]
    ground = backgrounds[mine]
    weights = ground.weights(f"{hour:%Y-%m}")
    of_area: dict[str, list[Row]] = {}
    for row in rows:
        of_area.setdefault(row["area_id"], []).append(row)
    places = []
    for area, facts in sorted(of_area.items()):
        earlier = {row["index_id"]: row["earlier"] for row in facts if row["earlier"] is not None}
        verdict = Verdict(findings_of(facts), earlier, weights)
        places.append(Place(area, facts[0]["place_zh"], facts[0]["place_en"], facts[0]["people"], verdict))
    return mine, hour, ground, places


def _tiers(table: pa.Table, backgrounds: Mapping[str, Background]) -> pa.Table:
    mine, hour, _, places = _places(table, backgrounds)
    found = []
    for place in places:
        verdict = place.verdict
        tier, basis, decided_by = verdict.tier()
        zh, en = verdict.sentences(place.zh, place.en, place.people)
        found.append(
            {
                "mine_code": mine,
                "area_id": place.area_id,
                "window_start": hour,
                "window_end": hour + HOUR,
                "tier": tier,
                "basis": basis,
                "legal_level": verdict.legal_level,
                "combined_level": verdict.combined_level,
                "score": round(verdict.score, 6),
                "completeness": round(verdict.completeness, 6),
                "decided_by": ",".join(decided_by),
                "people_count": place.people,
                "sentence_zh": zh,
                "sentence_en": en,
            }
        )
    return pa.Table.from_pylist(found, schema=TIERS)


@dataclass(frozen=True)
class Said:
    """What one composite index says: value, level, what it rests on, and the finding in both languages."""

    index: Index
    value: float | None
    level: int | None
    by: Mapping[str, Any]
    zh: str
    en: str
    reason: str | None = None
    entity: str | None = None


def _composites(table: pa.Table, backgrounds: Mapping[str, Background]) -> pa.Table:
    mine, hour, ground, places = _places(table, backgrounds)
    exposures = sorted((-(place.people or 0) * place.verdict.score, place.area_id) for place in places)
    rank_of = {area: number for number, (_, area) in enumerate(exposures, 1)}
    said = [
        (place, each)
        for place in places
        for each in (
            *_of_findings(place.verdict),
            _of_people(place, rank_of[place.area_id]),
            *_of_dual_prevention(place, ground, hour),
        )
    ]
    said += [(place, each) for place in places if place.area_id == mine for each in _of_weights(ground, hour)]
    rows = [
        {
            "mine_code": mine,
            "area_id": place.area_id,
            "entity": each.entity or place.area_id,
            "place_zh": place.zh,
            "place_en": place.en,
            "index_id": each.index.id,
            "window_start": hour,
            "_value": each.value,
            "_level": each.level,
            "_reason": each.reason,
            "_by": json.dumps(each.by, ensure_ascii=False),
            "_zh": each.zh,
            "_en": each.en,
        }
        for place, each in said
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _of_findings(verdict: Verdict) -> Iterator[Said]:
    """X-01, X-04, X-05, X-06 and X-09 of one area; X-04 and X-05 need a group with two known indices."""
    shares = {name: round(share, 4) for name, share in verdict.by_group.items()}
    complete, score = verdict.completeness, verdict.score
    nothing = None if verdict.known else "NO_DATA"
    top = max(shares.values(), default=None)
    level = None if top is None else level_of("X-01", "", top)
    too_little = complete < ENOUGH and (level or NORMAL) < ORANGE
    yield Said(
        X_01,
        None if too_little else top,
        None if too_little else level,
        {"completeness": round(complete, 4)} | shares,
        f"最高归一化风险 {top or 0:.2f}",
        f"highest normalised risk {top or 0:.2f}",
        nothing or ("INSUFFICIENT_DATA" if too_little else None),
    )
    believed = verdict.belief()
    if believed:
        group, mass, conflict = believed
        yield Said(
            X_04,
            mass.abnormal,
            level_of("X-04", "", mass.abnormal),
            {"group": group, "normal": round(mass.normal, 4), "unknown": round(mass.unknown, 4)}
            | {"conflict": round(conflict, 4), "averaged": conflict > _limit("X-04", "conflict")},
            f"{_zh(group)}异常信度 {mass.abnormal:.2f}，冲突 {conflict:.2f}",
            f"belief in abnormal {group} {mass.abnormal:.2f}, conflict {conflict:.2f}",
        )
    likely = verdict.probability()
    if likely:
        group, chance = likely
        yield Said(
            X_05,
            chance,
            level_of("X-05", "", chance),
            {"group": group},
            f"{_zh(group)}异常概率 {chance:.2f}（未经事故标定）",
            f"probability of trouble with {group} {chance:.2f} (not calibrated on accidents)",
        )
    yield Said(
        X_06,
        score if verdict.known else None,
        verdict.combined_level if verdict.known else None,
        {"shares": shares, "weights": {name: round(verdict.weights.get(name, 1.0), 4) for name in shares}},
        f"综合风险 {score:.2f}",
        f"all findings together {score:.2f}",
        nothing,
    )
    critical, signals = verdict.critical
    sudden, risen = verdict.sudden
    level = max(critical, sudden)
    yield Said(
        X_09,
        float(level) if verdict.known else None,
        level if verdict.known else None,
        {"critical": signals, "sudden": risen},
        f"跳级信号 {'、'.join(signals or risen) or '无'}",
        f"signals that escalate: {', '.join(signals or risen) or 'none'}",
        nothing,
    )


def _of_people(place: Place, rank: int) -> Said:
    """X-10 of one area."""
    people, score = place.people, place.verdict.score
    return Said(
        X_10,
        None if people is None else people * score,
        None if people is None else NORMAL,
        {"people": people, "risk": round(score, 4), "rank": rank},
        f"{people} 人 × 风险 {score:.2f}，列第 {rank}",
        f"{people} people × risk {score:.2f}, rank {rank}",
        None if people is not None else "NO_SNAPSHOT",
    )


def _of_dual_prevention(place: Place, ground: Background, hour: datetime) -> Iterator[Said]:
    """X-07 of each graded risk of the area, and X-08 of the area, where the mine grades or tells hidden dangers."""
    score, measured = place.verdict.score, place.verdict.combined_level
    static = NORMAL
    for risk in ground.risks:
        if risk.area_id != place.area_id:
            continue
        if risk.exposure is None:
            scope, value, now = "LS", risk.likelihood * risk.consequence, None
        else:
            scope, value = "LEC", graded(risk.likelihood, risk.exposure, risk.consequence)
            now = round(graded(likelihood_of(score), risk.exposure, risk.consequence), 2)
        level = level_of("X-07", scope, value)
        static = max(static, level)
        yield Said(
            X_07,
            value,
            level,
            {"method": scope, "d_with_measured_likelihood": now},
            f"{risk.name_zh} {scope} 分值 {value:g}",
            f"{risk.name_en}: {scope} score {value:g}",
            entity=risk.risk_id,
        )
    if not (ground.risks or ground.dangers):
        return
    dangers = [each for each in ground.dangers if each.area_id == place.area_id and each.opened_at <= hour]
    overdue = [each for each in dangers if each.is_major and each.is_open(hour) and each.due_at < hour]
    closed = [each for each in dangers if not each.is_open(hour)]
    colour = max(static, measured)
    if overdue and BLUE <= colour < ORANGE:
        colour += 1
    on_time = [each for each in closed if each.closed_at is not None and each.closed_at <= each.due_at]
    days_open = [((each.closed_at if each in closed else None) or hour) - each.opened_at for each in dangers]
    yield Said(
        X_08,
        float(colour),
        colour,
        {
            "graded": static,
            "measured": measured,
            "major_overdue": len(overdue),
            "closed_on_time": round(len(on_time) / len(closed), 4) if closed else None,
            "mean_days_open": round(sum(each / DAY for each in days_open) / len(days_open), 2) if days_open else None,
            "repeats": max(len(dangers) - 1, 0),
        },
        f"固有 {LEVEL_ZH[static]}、动态 {LEVEL_ZH[measured]}，逾期重大隐患 {len(overdue)} 项",
        f"graded {LEVEL_EN[static]}, measured {LEVEL_EN[measured]}, major dangers overdue: {len(overdue)}",
    )


def _of_weights(ground: Background, hour: datetime) -> Iterator[Said]:
    """X-02 and X-03 of the mine."""
    names = [group.name for group in groups().values()]
    ratio = ground.comparison.ratio
    is_consistent = ratio <= _limit("X-02", "consistency")
    yield Said(
        X_02,
        ratio,
        NORMAL if is_consistent else None,
        dict(zip(names, (round(weight, 4) for weight in ground.comparison.values), strict=True)),
        f"判断矩阵一致性比率 {ratio:.3f}",
        f"consistency ratio of the comparison {ratio:.3f}",
        None if is_consistent else "WEIGHTS_REJECTED",
    )
    by_entropy, days = ground.entropy.get(f"{hour:%Y-%m}", (None, 0))
    weights = {} if by_entropy is None else {n: round(w, 4) for n, w in zip(names, by_entropy, strict=True)}
    top = None if by_entropy is None else max(by_entropy)
    yield Said(
        X_03,
        top,
        None if by_entropy is None else NORMAL,
        {"area_days": days} | weights,
        f"最大熵权 {top or 0:.3f}",
        f"largest entropy weight {top or 0:.3f}",
        None if by_entropy is not None else "TOO_FEW_SAMPLES",
    )


def _zh(group: str) -> str:
    return next(each.zh for each in groups().values() if each.name == group)


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def composites(composed: Composed, findings: nw.LazyFrame, backgrounds: Mapping[str, Background]) -> nw.LazyFrame:
    """Every X-row of gold.hazard_index of the window, but for the columns that the job adds."""
    judged = composed.grouped(findings, ["mine_code", "hour"], partial(_composites, backgrounds=backgrounds), SCHEMA)
    judged = composed.cached(judged.with_columns(nw.lit(None, dtype=nw.String).alias("point_id")))
    parts = [
        index_rows(
            judged.filter(nw.col("index_id") == index.id).drop("index_id"),
            index,
            value=nw.col("_value"),
            level=nw.col("_level"),
            finding_zh=nw.col("_zh"),
            finding_en=nw.col("_en"),
            inputs={"by": nw.col("_by")},
            reason=nw.col("_reason"),
        )
        for index in DECLARED
    ]
    return nw.concat(parts, how="vertical")


def risk_tiers(composed: Composed, findings: nw.LazyFrame, backgrounds: Mapping[str, Background]) -> nw.LazyFrame:
    """Rows of gold.risk_tier of the window, but for the columns that the job adds."""
    return composed.grouped(findings, ["mine_code", "hour"], partial(_tiers, backgrounds=backgrounds), TIERS)

"""Which rules hold, from when, minute by minute.

For each rule and place the facts of all its variables are one line of events, with what is known last carried forward;
between two events nothing changes, so that a state, how long it has lasted and when it is raised are exact. The start
of each minute is an event too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Frame, Grouped
from minefusion.pipelines.hazard.minutes import MINUTE_US
from minefusion.pipelines.rules.facts import FACT, LOCATED, PERSONS
from minefusion.pipelines.rules.trends import SCHEMA as TREND_SCHEMA
from minefusion.pipelines.rules.trends import TRENDS, trends_of
from minefusion.schemas.rules import Applied

# State of a unit that is true while one of its rules that trip the plant is raised.
TRIP_CONDITION = "trip_condition"
# "No falling trend": the slope over ten minutes is at least this [per minute].
LEAST_FALL = -0.1
MOST_CONDITIONS = 2
_PLACE = ["mine_code", "area_id", "rule_id"]
_ROLE = pa.schema(dict.fromkeys((*_PLACE, "variable", "role"), pa.string()))
_RULE = pa.schema(
    dict.fromkeys((*_PLACE, "test"), pa.string())
    | dict.fromkeys(("threshold", "upper", *(f"want{n}" for n in range(MOST_CONDITIONS))), pa.float64())
    | {"hold_us": pa.int64(), "escalate_us": pa.int64(), "has_after": pa.bool_(), "is_proof": pa.bool_()}
)
# What a minute of a rule at a place says.
MINUTE = (
    *_PLACE, "minute_no", "is_raised", "is_escalated", "is_not_proven", "is_known", "value_min", "value_max",
)  # fmt: skip


def rule_minutes(
    facts: nw.LazyFrame,
    applied: Mapping[str, Sequence[Applied]],
    ticks: nw.LazyFrame,
    *,
    grouped: Grouped,
    frame: Frame,
    cached: Callable[[nw.LazyFrame], nw.LazyFrame],
) -> nw.LazyFrame:
    """One row per configured rule, place and minute of `ticks`, with the columns of MINUTE.

    Args:
        facts: with the columns of FACT, from as far back as states are known.
        applied: mine → the rules that hold there.
        ticks: minute_no of every minute that is asked for.
    """
    some = {mine: [each for each in rules if each.is_configured] for mine, rules in applied.items()}
    facts = cached(nw.concat([facts.select(*FACT), _trends(facts, some, grouped, frame)], how="vertical"))
    plain = {mine: [each for each in rules if not _is_derived(each)] for mine, rules in some.items()}
    derived = {mine: [each for each in rules if _is_derived(each)] for mine, rules in some.items()}
    first = cached(_events(facts, plain, ticks, frame))
    if not any(derived.values()):
        return _by_minute(first)
    more = nw.concat([facts, cached(_states_as_facts(first, plain, frame))], how="vertical")
    second = cached(_events(more, derived, ticks, frame))
    return nw.concat([_by_minute(first), _by_minute(second)], how="vertical")


def _is_derived(applied: Applied) -> bool:
    """Whether a rule looks at the state of other rules."""
    rule = applied.rule
    return rule.test == "both" or any(name == TRIP_CONDITION for name, _ in rule.when)


def _trends(
    facts: nw.LazyFrame, applied: Mapping[str, Sequence[Applied]], grouped: Grouped, frame: Frame
) -> nw.LazyFrame:
    """Facts of how those variables move whose trends a rule looks at."""
    wanted = {
        (mine, each.area_id, each.rule.variable)
        for mine, rules in applied.items()
        for each in rules
        if each.rule.test in TRENDS
    }
    names = ("mine_code", "area_id", "variable")
    asked = frame(
        [dict(zip(names, each, strict=True)) for each in sorted(wanted)], pa.schema(dict.fromkeys(names, pa.string()))
    )
    series = facts.select(*FACT).join(asked, on=list(names), how="inner")
    return grouped(series, list(names), trends_of, TREND_SCHEMA).select(*FACT)


def _roles(mine: str, applied: Applied) -> list[dict[str, Any]]:
    """Which variables a rule looks at, and as what."""
    rule = applied.rule
    roles = [("main", rule.variable)]
    if rule.variable == PERSONS:
        roles.append(("also", LOCATED))
    if rule.test in TRENDS:
        roles.append(("trend", f"{rule.variable}:{rule.test}"))
    roles += [(f"when{number}", name) for number, (name, _) in enumerate(rule.when)]
    if rule.after:
        roles += [("then", rule.after[0]), ("first", rule.after[1])]
    return [
        {"mine_code": mine, "area_id": applied.area_id, "rule_id": rule.rule_id, "variable": name, "role": role}
        for role, name in roles
    ]


def _facts_of_rule(mine: str, applied: Applied) -> dict[str, Any]:
    rule = applied.rule
    hold_s = 60 * (applied.threshold or 0.0) if rule.test == "dwell" else applied.hold_s
    wants: dict[str, float | None] = {f"want{number}": None for number in range(MOST_CONDITIONS)}
    wants |= {f"want{number}": value for number, (_, value) in enumerate(rule.when)}
    return {
        "mine_code": mine,
        "area_id": applied.area_id,
        "rule_id": rule.rule_id,
        "test": rule.test,
        "threshold": applied.threshold,
        "upper": rule.upper,
        "hold_us": int(hold_s * 1_000_000),
        "escalate_us": None if rule.escalate_min is None else int(rule.escalate_min * MINUTE_US),
        "has_after": rule.after is not None,
        "is_proof": rule.is_proof,
        **wants,
    }


def _events(
    facts: nw.LazyFrame, applied: Mapping[str, Sequence[Applied]], ticks: nw.LazyFrame, frame: Frame
) -> nw.LazyFrame:
    """Every moment at which something changes or a minute begins, with what holds from then to the next.

    Columns beside the rule's: observed_us, next_us, known (main value, null where none is), holds, raised_us (when it
    is or would be raised; null where it does not hold), is_not_proven.
    """
    roles = frame([role for mine, rules in applied.items() for each in rules for role in _roles(mine, each)], _ROLE)
    rules = frame([_facts_of_rule(mine, each) for mine, some in applied.items() for each in some], _RULE)
    series = ["mine_code", "area_id", "variable"]
    before = nw.col("value").shift(1).over(*series, order_by="observed_us")
    told = facts.with_columns(before.alias("previous")).join(roles, on=series, how="inner")
    role, value, at = nw.col("role"), nw.col("value"), nw.col("observed_us")
    began = (value >= 0.5) & (nw.col("previous") < 0.5).fill_null(True)
    columns = {
        "main": nw.when(role == "main").then(value),
        "main_expires": nw.when(role == "main").then(nw.col("expires_us")),
        "previous_main": nw.when(role == "main").then(nw.col("previous").fill_null(-1e300)),
        "also": nw.when(role == "also").then(value),
        "also_expires": nw.when(role == "also").then(nw.col("expires_us")),
        "trend": nw.when(role == "trend").then(value),
        "trend_expires": nw.when(role == "trend").then(nw.col("expires_us")),
        "then_us": nw.when(role == "then", began).then(at),
        "first_us": nw.when(role == "first", began).then(at),
        **{f"when{n}": nw.when(role == f"when{n}").then(value) for n in range(MOST_CONDITIONS)},
    }
    told = told.select(*_PLACE, "observed_us", *(column.alias(name) for name, column in columns.items()))
    told = told.group_by(*_PLACE, "observed_us").agg(*(nw.col(name).max() for name in columns))
    starts = rules.select(*_PLACE).join(ticks.select("minute_no"), how="cross")
    starts = starts.select(*_PLACE, (nw.col("minute_no") * MINUTE_US).alias("observed_us"))
    events = nw.concat([told.select(*_PLACE, "observed_us"), starts], how="vertical").unique()
    events = events.join(told, on=[*_PLACE, "observed_us"], how="left")
    over = {"order_by": "observed_us"}
    events = events.with_columns(
        *(nw.col(name).fill_null(strategy="forward").over(*_PLACE, **over) for name in columns),
        nw.col("observed_us").shift(-1).over(*_PLACE, **over).alias("next_us"),
    )
    events = events.join(rules, on=_PLACE, how="left")
    now = nw.col("observed_us")
    main = nw.when(nw.col("main_expires") > now).then(nw.col("main"))
    also = nw.when(nw.col("also_expires") > now).then(nw.col("also"))
    trend = nw.when(nw.col("trend_expires") > now).then(nw.col("trend"))
    events = events.with_columns(nw.max_horizontal(main, also).alias("known"), trend.alias("trend"))
    allowed = nw.lit(True)
    for number in range(MOST_CONDITIONS):
        state, want = nw.col(f"when{number}").fill_null(0.0) >= 0.5, nw.col(f"want{number}")
        allowed = allowed & (want.is_null() | (state == (want >= 0.5)).fill_null(True))
    # What has to come has come after the other, or the other has not happened at all.
    in_order = nw.col("first_us").is_null() | (nw.col("then_us") > nw.col("first_us")).fill_null(False)
    allowed = allowed & ~(nw.col("has_after") & in_order)
    events = events.with_columns(
        (_is_true().fill_null(False) & allowed).alias("holds"),
        (nw.col("is_proof") & allowed & nw.col("known").is_null()).alias("is_not_proven"),
    )
    held_before = nw.col("holds").cast(nw.Int32).shift(1).over(*_PLACE, **over).fill_null(0)
    events = events.with_columns(
        nw.when(nw.col("holds"), held_before == 0).then(nw.col("observed_us")).alias("since_us")
    )
    events = events.with_columns(nw.col("since_us").fill_null(strategy="forward").over(*_PLACE, **over))
    return events.with_columns(
        nw.when(nw.col("holds")).then(nw.col("since_us") + nw.col("hold_us")).alias("raised_us")
    ).select(*_PLACE, "observed_us", "next_us", "known", "holds", "raised_us", "escalate_us", "is_not_proven")


def _is_true() -> nw.Expr:
    """Whether the main variable is as the rule's test says; null where it is not known."""
    test, value, trend = nw.col("test"), nw.col("known"), nw.col("trend")
    threshold, upper = nw.col("threshold"), nw.col("upper")
    tests = {
        ">": value > threshold,
        ">=": value >= threshold,
        "<": value < threshold,
        "<=": value <= threshold,
        "outside": (value < threshold) | (value > upper),
        "rising": trend > threshold,
        "falling": trend < -threshold,
        "not_falling": (value > threshold) & (trend >= LEAST_FALL),
        "fluctuating": trend > threshold,
        "frequent": trend > threshold,
        "confirmed": (value > threshold) & (nw.col("previous_main") > threshold),
        "dwell": value >= 0.5,
        "is": value >= 0.5,
        "is_not": value < 0.5,
        "both": value >= 0.5,
    }
    found = nw.lit(None, dtype=nw.Boolean)
    for name, holds in tests.items():
        found = nw.when(test == name).then(holds).otherwise(found)
    return found


def _is_raised() -> nw.Expr:
    """Whether a rule is raised at some moment between an event and the next."""
    begins = nw.max_horizontal(nw.col("raised_us"), nw.col("observed_us"))
    return (nw.col("holds") & (nw.col("next_us").is_null() | (begins < nw.col("next_us")))).fill_null(False)


def _by_minute(events: nw.LazyFrame) -> nw.LazyFrame:
    """What each minute says; one that is only told of by facts before the first tick is left to the caller."""
    ends = (nw.col("observed_us") // MINUTE_US + 1) * MINUTE_US
    until = nw.min_horizontal(nw.col("next_us"), ends)
    # The last event of all lasts to its minute's end.
    begins = nw.max_horizontal(nw.col("raised_us"), nw.col("observed_us"))
    raised = (nw.col("holds") & (begins < until)).fill_null(False)
    lasts = nw.col("raised_us") + nw.col("escalate_us") < until
    rows = events.with_columns(
        (nw.col("observed_us") // MINUTE_US).cast(nw.Int64).alias("minute_no"),
        raised.cast(nw.Int32).alias("is_raised"),
        (raised & lasts.fill_null(False)).cast(nw.Int32).alias("is_escalated"),
        nw.col("is_not_proven").cast(nw.Int32).alias("is_not_proven"),
        (~nw.col("known").is_null()).cast(nw.Int32).alias("is_known"),
    )
    flags = ("is_raised", "is_escalated", "is_not_proven", "is_known")
    return (
        rows.group_by(*_PLACE, "minute_no")
        .agg(
            *(nw.col(name).max() for name in flags),
            nw.col("known").min().alias("value_min"),
            nw.col("known").max().alias("value_max"),
        )
        .select(*MINUTE)
    )


def _states_as_facts(events: nw.LazyFrame, applied: Mapping[str, Sequence[Applied]], frame: Frame) -> nw.LazyFrame:
    """The state of each rule as a fact named for it, and TRIP_CONDITION where a rule that trips the plant is raised."""
    trips = {
        (mine, each.area_id, each.rule.rule_id)
        for mine, rules in applied.items()
        for each in rules
        if each.rule.action == "trip"
    }
    marks = frame(
        [dict(zip(_PLACE, each, strict=True)) | {"is_trip": 1} for each in sorted(trips)],
        pa.schema(dict.fromkeys(_PLACE, pa.string()) | {"is_trip": pa.int32()}),
    )
    states = events.with_columns(
        nw.max_horizontal(nw.col("observed_us"), nw.col("raised_us").fill_null(0)).alias("_at"),
        _is_raised().cast(nw.Float64).alias("value"),
        nw.lit(2**62).alias("expires_us"),
    )
    raised = nw.col("value") > 0
    states = states.with_columns(
        nw.when(raised).then(nw.col("_at")).otherwise(nw.col("observed_us")).alias("observed_us")
    )
    own = states.group_by(*_PLACE, "observed_us").agg(nw.col("value").max(), nw.col("expires_us").max())
    # How many rules that trip the plant are raised: what each adds or takes away, summed up over time.
    change = nw.col("value") - nw.col("value").shift(1).over(*_PLACE, order_by="observed_us").fill_null(0.0)
    area = ["mine_code", "area_id"]
    tripping = own.with_columns(change.alias("_change")).join(marks, on=_PLACE, how="inner")
    tripping = tripping.group_by(*area, "observed_us").agg(nw.col("_change").sum(), nw.col("expires_us").max())
    many = nw.col("_change").cum_sum().over(*area, order_by="observed_us")
    tripping = tripping.with_columns(
        (many > 0.5).cast(nw.Float64).alias("value"), nw.lit(TRIP_CONDITION).alias("variable")
    )
    own = own.with_columns(nw.col("rule_id").alias("variable"))
    return nw.concat([own.select(*FACT), tripping.select(*FACT)], how="vertical")

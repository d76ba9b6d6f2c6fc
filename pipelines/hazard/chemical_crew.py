"""People who dispose of an abnormal condition at a chemical plant (P-06)."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import MINUTE_US, minute_grid, minute_no
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.pipelines.rules.facts import LOCATED, PERSONS, plant_facts

P_06 = Index(
    id="P-06",
    name_zh="化工异常处置人数",
    name_en="people at an abnormal chemical unit",
    unit="person",
    minutes=1,
    source="Guideline on abnormal conditions in chemical plants (2024), clauses 4.2.1 and 4.2.3, appendices 2 and 4",
    confidence="confirmed",
    doc=(
        "People in a process unit while an abnormal condition there is disposed of, the larger of what is told and "
        "what the positioning system counts, against the number that the job allows: two scouts before the place is "
        "assessed, two at a neutraliser's leak, six at a change of a clay bed or filter, else two as a rule and never "
        "more than six. Level 0 while nothing is disposed of."
    ),
    formula=r"N = \max(N_{\mathrm{told}}, N_{\mathrm{located}}) \le N_{\mathrm{job}}",
    reads=("people in the unit [person]", "states of the unit: disposal under way, job [-]"),
    scenario="plant:abnormal",
    edges=(
        "No process unit in the site file: null with that reason.",
        "Nobody told of and no fresh head count: null, not 0.",
        "States are those of the last two hours; a job that goes on is told again.",
    ),
)
# State of the unit → scope of the index's steps. The first that is true decides.
JOBS = {"situation_unclear": "scouting", "leak_job": "leak_job", "bed_or_filter_change": "bed_or_filter_change"}
UNDER_WAY, ASSESSED = "disposal_under_way", "assessed"
_VARIABLES = (PERSONS, LOCATED, *JOBS, UNDER_WAY, ASSESSED)
_UNITS = pa.schema({"mine_code": pa.string(), "area_id": pa.string()})


def p06(inputs: Inputs) -> nw.LazyFrame:
    """People at abnormal units, by unit and minute; a mine without process units says so."""
    listed = sorted(
        {(mine, each.area_id) for mine, site in inputs.sites.items() if site for each in site.process_units}
    )
    units = inputs.frame([dict(zip(_UNITS.names, each, strict=True)) for each in listed], _UNITS)
    rows = _states(inputs, units)
    areas = inputs.areas.select(
        "mine_code", "area_id", nw.col("name_zh").alias("place_zh"), nw.col("name_en").alias("place_en")
    )
    rows = rows.join(areas, on=["mine_code", "area_id"], how="left").with_columns(
        nw.coalesce("place_zh", "area_id").alias("place_zh"),
        nw.coalesce("place_en", "area_id").alias("place_en"),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )
    people = nw.max_horizontal(nw.col(PERSONS), nw.col(LOCATED))
    rows = rows.with_columns(people.alias("_people"))
    # Where nothing is disposed of no number holds: a scope that has no steps.
    scope = nw.when(nw.col(UNDER_WAY).fill_null(0.0) >= 0.5).then(nw.lit("unit")).otherwise(nw.lit("none"))
    for state, name in reversed(JOBS.items()):
        is_on = nw.col(state).fill_null(0.0) >= 0.5
        if name == "scouting":
            is_on = is_on & (nw.col(ASSESSED).fill_null(0.0) < 0.5)
        scope = nw.when(is_on).then(nw.lit(name)).otherwise(scope)
    rows = rows.with_columns(scope.alias("_job"))
    rows = judged(inputs, rows, P_06.id, (nw.col("_job"), nw.col("_people")))
    value, idle = nw.col("_people"), nw.col("_job") == "none"
    level = nw.when(idle & ~value.is_null()).then(nw.lit(0)).otherwise(nw.col("level"))
    job_zh = {"none": "无异常处置", "unit": "异常处置", "scouting": "评估前侦查", "leak_job": "堵漏",
              "bed_or_filter_change": "更换白土床或过滤器"}  # fmt: skip
    job_en = {"none": "nothing is disposed of", "unit": "disposal", "scouting": "scouting before the assessment",
              "leak_job": "leak job", "bed_or_filter_change": "change of bed or filter"}  # fmt: skip
    return index_rows(
        rows,
        P_06,
        value=value,
        level=level,
        legal=level >= 4,
        reason=nw.lit("NO_SNAPSHOT"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "told": number(nw.col(PERSONS), 0),
            "located": number(nw.col(LOCATED), 0),
            "job": quoted(nw.col("_job")),
        },
        finding_zh=nw.concat_str(_worded(job_zh), nw.lit(" "), number(value, 0), nw.lit(" 人")),
        finding_en=nw.concat_str(_worded(job_en), nw.lit(", "), number(value, 0), nw.lit(" people")),
    )


def _worded(words: dict[str, str]) -> nw.Expr:
    return nw.col("_job").replace_strict(list(words), list(words.values()), default=nw.lit(""), return_dtype=nw.String)


def _states(inputs: Inputs, units: nw.LazyFrame) -> nw.LazyFrame:
    """What is known of each unit at each minute's end; a head count that is stale is none."""
    key = ["mine_code", "area_id"]
    facts = plant_facts(inputs.feeds.records, inputs.headcount).filter(nw.col("variable").is_in(list(_VARIABLES)))
    facts = facts.join(units, on=key, how="inner").with_columns(minute_no(nw.col("observed_us")).alias("minute_no"))
    newest = facts.group_by(*key, "variable", "minute_no").agg(nw.col("observed_us").max())
    facts = facts.join(newest, on=[*key, "variable", "minute_no", "observed_us"], how="inner")
    told = facts.with_columns(
        *(nw.when(nw.col("variable") == name).then(nw.col("value")).alias(name) for name in _VARIABLES),
        nw.when(nw.col("variable") == LOCATED).then(nw.col("expires_us")).alias("_until"),
    )
    told = told.group_by(*key, "minute_no").agg(*(nw.col(name).max() for name in (*_VARIABLES, "_until")))
    grid = minute_grid(inputs)
    first = units.join(grid, how="cross").select(*key, "minute_no")
    rows = nw.concat([first, told.select(*key, "minute_no")], how="vertical").unique()
    rows = rows.join(told, on=[*key, "minute_no"], how="left").with_columns(
        *(
            nw.col(name).fill_null(strategy="forward").over(*key, order_by="minute_no")
            for name in (*_VARIABLES, "_until")
        )
    )
    fresh = (nw.col("_until") >= (nw.col("minute_no") + 1) * MINUTE_US).fill_null(False)
    rows = rows.with_columns(nw.when(fresh).then(nw.col(LOCATED)).alias(LOCATED))
    return rows.join(grid, on="minute_no", how="inner")

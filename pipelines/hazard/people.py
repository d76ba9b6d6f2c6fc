"""People underground: too many (P-01), too long (P-02), where nobody may be (P-03), in a crowd (P-04), alone (P-05).

All are judged minute by minute on the newest snapshot of the positioning system while it holds; without one nothing is
known, and that is said. A person is where the base station's area says (PC-27). Rows are about areas or the mine: gold
holds no card and no name.
"""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.minutes import first_minute, minute_grid, window_minutes
from minefusion.pipelines.hazard.rows import NORMAL, ORANGE, RED, YELLOW, Index, index_rows, number, quoted
from minefusion.pipelines.hazard.snapshots import LOOKBACK_MINUTES, held_counts, located, newest_snapshots
from minefusion.schemas.limits import limit

_NO_TEXT = nw.lit(None, dtype=nw.String)

# ── P-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Under a national cap visits of leaders to a face are not counted.
_FACES = ("longwall_face", "heading")
P_01 = Index(
    id="P-01",
    name_zh="超员",
    name_en="overcrowding",
    unit="person",
    minutes=1,
    source="Provisional rule on people underground in one shift, 2018; the mine's approved numbers",
    confidence="inferred",
    doc=(
        "People in an area, and in the whole mine, against the cap that holds: the strictest of the site's, "
        "the positioning system's and the national one. Orange over the cap, red over 1.2 of it (a major "
        "accident hazard); yellow at the cap and blue from 0.9 of it are advisory. Under a national cap "
        "leaders at faces and headings are not counted. Which shift produces is not known here, so a face has"
        " its production cap all day."
    ),
    formula=r"s = \frac{N - N_{leaders}}{N_{cap}}",
    reads=(
        "people of each area and of the mine [person]",
        "caps: site file, positioning system, national rule [person]",
    ),
    scenario="over_crowding",
    edges=(
        "no fresh snapshot of the positioning system: null, never 0",
        "a cap of 0 says that nobody may be there: P-03 judges that",
        "leaders are left out at faces and headings under a national cap alone",
    ),
)


def p01(inputs: Inputs) -> nw.LazyFrame:
    """Overcrowding by area and minute, and for the mine as a whole, where a cap is set.

    A cap of 0 says that nobody may be there: that is P-03's matter.
    """
    areas = inputs.areas.filter(nw.col("cap") > 0).select(
        "mine_code",
        "area_id",
        "cap",
        "cap_source",
        "cap_confidence",
        "kind",
        nw.col("name_zh").alias("place_zh"),
        nw.col("name_en").alias("place_en"),
    )
    mines = inputs.mines.filter(~nw.col("underground_cap").is_null()).select(
        "mine_code",
        nw.col("mine_code").alias("area_id"),
        nw.col("underground_cap").alias("cap"),
        nw.lit("site").alias("cap_source"),
        nw.lit("mine").alias("cap_confidence"),
        _NO_TEXT.alias("kind"),
        *_mine_place(),
    )
    places = nw.concat([areas, mines], how="vertical")
    rows = held_counts(places.select("mine_code", "area_id").join(_grid(inputs), how="cross"), inputs.headcount)
    rows = located(inputs, _in_window(rows, inputs), ~nw.col("snapshot_us").is_null())
    rows = rows.join(places, on=["mine_code", "area_id"], how="left")
    visiting = nw.col("cap_source").str.starts_with("PER-") & nw.col("kind").is_in(list(_FACES)).fill_null(False)
    leaders = nw.when(visiting).then(nw.col("leaders_count")).otherwise(nw.lit(0))
    rows = rows.with_columns(
        (nw.col("people_count") - leaders).cast(nw.Float64).alias("_people"),
        nw.col("cap").cast(nw.Float64).alias("_cap"),
    )
    people, cap = nw.col("_people"), nw.col("_cap")
    share = people / cap
    rows = judged(inputs, rows, P_01.id, ("share_of_cap", share), ("over_cap", share))
    # Over the cap the cap's own source speaks, where the mine has set no step of its own.
    of_cap = (people > cap).fill_null(False) & (nw.col("limit_confidence") != "mine")
    return index_rows(
        _own(rows),
        P_01,
        value=people,
        level=nw.col("level"),
        legal=people > cap,
        reason=nw.lit("NO_SNAPSHOT"),
        inputs={
            "people": number(nw.col("people_count"), 0),
            "leaders": number(nw.col("leaders_count"), 0),
            "counted": number(people, 0),
            "cap": number(cap, 0),
            "over": number(nw.when(people > cap).then(people - cap).otherwise(nw.lit(0.0)), 0),
            "rule": quoted(nw.col("cap_source")),
        },
        limit_source=nw.when(of_cap).then(nw.col("cap_source")).otherwise(nw.col("limit_source")),
        limit_confidence=nw.when(of_cap).then(nw.col("cap_confidence")).otherwise(nw.col("limit_confidence")),
        finding_zh=nw.concat_str(number(people, 0), nw.lit(" 人，核定 "), number(cap, 0), nw.lit(" 人")),
        finding_en=nw.concat_str(number(people, 0), nw.lit(" people, cap "), number(cap, 0)),
    )


# ── P-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# A mine that declares no shifts is taken to work eight hours.
USUAL_SHIFT_H = 8.0
WARNING_H, ALARM_H = limit("PER-020").alarm or 12.0, limit("PER-021").alarm or 14.0
P_02 = Index(
    id="P-02",
    name_zh="超时",
    name_en="overtime",
    unit="h",
    minutes=1,
    source="The mine's approved hours; else 12 h warning (own choice) and 14 h alarm (practice seen)",
    confidence="convention",
    doc=(
        "Longest time that anybody has been underground. Red at the mine's own hours, or at 14 h where it "
        "sets none; orange at 12 h where that comes first; yellow two hours over the planned shift "
        "(advisory). No law sets these hours."
    ),
    formula=r"t_{max} = \max_i (t - t_{entry,i})",
    reads=("entry of each person [-]", "approved hours and shifts of the site file [h]"),
    scenario="overtime",
    edges=(
        "no fresh snapshot: null; nobody underground: 0",
        "a person whose entry is not known is counted apart and not timed",
        "approved hours under the notice: no notice, red at once",
    ),
)


def p02(inputs: Inputs) -> nw.LazyFrame:
    """Overtime by mine and minute."""
    mines = steps(inputs, inputs.mines, P_02.id, "over_shift").select(
        "mine_code",
        "approved_hours",
        *_mine_place(),
        nw.coalesce(nw.col("approved_hours"), nw.lit(ALARM_H)).alias("_red"),
        (nw.col("shift_hours").fill_null(USUAL_SHIFT_H) + nw.col("yellow")).alias("_yellow"),
    )
    snapshot = ["mine_code", "snapshot_us"]
    hours = ((nw.col("observed_us") - nw.col("entered_mine_us")) / 3_600_000_000).round(4)
    stays = inputs.positions.filter(nw.col("in_out_flag") == 1).select(
        "mine_code",
        "area_id",
        nw.col("observed_us").alias("snapshot_us"),
        hours.alias("_hours"),
        nw.col("entered_mine_us").is_null().cast(nw.Int32).alias("_unknown"),
    )
    stays = stays.join(mines.select("mine_code", "_red"), on="mine_code", how="left")
    stays = stays.with_columns(
        (nw.col("_hours") >= nw.col("_red")).fill_null(False).cast(nw.Int32).alias("_over"),
        (nw.col("_hours") >= WARNING_H).fill_null(False).cast(nw.Int32).alias("_warned"),
    )
    longest = stays.group_by(*snapshot).agg(
        *(nw.col(name).max() for name in ("_hours",)),
        *(nw.col(name).sum() for name in ("_over", "_warned", "_unknown")),
    )
    named = inputs.areas.select("mine_code", "area_id", "name_zh", "name_en")
    there = stays.join(longest.select(*snapshot, "_hours"), on=[*snapshot, "_hours"], how="inner").join(
        named, on=["mine_code", "area_id"], how="left"
    )
    there = there.group_by(*snapshot).agg(nw.col("name_zh").min().alias("_zh"), nw.col("name_en").min().alias("_en"))
    rows = (
        newest_snapshots(inputs)
        .join(longest, on=snapshot, how="left")
        .join(there, on=snapshot, how="left")
        .join(mines, on="mine_code", how="left")
    )
    # Nobody underground is nobody for too long.
    hours = nw.when(~nw.col("snapshot_us").is_null()).then(nw.col("_hours").fill_null(0.0))
    rows = rows.with_columns(hours.alias("_value"), nw.col("mine_code").alias("area_id"))
    value, red, yellow = nw.col("_value"), nw.col("_red"), nw.col("_yellow")
    level = nw.when((value >= yellow) & (yellow < red)).then(nw.lit(YELLOW)).otherwise(nw.lit(NORMAL))
    level = nw.when((value >= WARNING_H) & (red > WARNING_H)).then(nw.lit(ORANGE)).otherwise(level)
    level = nw.when(value >= red).then(nw.lit(RED)).otherwise(level)
    own = ~nw.col("approved_hours").is_null() & (value >= red)
    where_zh = (
        nw.when(value > 0, ~nw.col("_zh").is_null())
        .then(nw.concat_str(nw.lit("（位于"), nw.col("_zh"), nw.lit("）")))
        .otherwise(nw.lit(""))
    )
    where_en = (
        nw.when(value > 0, ~nw.col("_en").is_null())
        .then(nw.concat_str(nw.lit(" (in "), nw.col("_en"), nw.lit(")")))
        .otherwise(nw.lit(""))
    )
    return index_rows(
        _own(rows),
        P_02,
        value=value,
        level=nw.when(~value.is_null()).then(level),
        reason=nw.lit("NO_SNAPSHOT"),
        inputs={
            "longest_h": number(value),
            "alarm_h": number(red),
            "warning_h": number(nw.when(red > WARNING_H).then(nw.lit(WARNING_H))),
            "notice_h": number(yellow),
            "people_over_alarm": number(nw.col("_over").fill_null(0), 0),
            "people_over_12_h": number(nw.col("_warned").fill_null(0), 0),
            "entry_not_known": number(nw.col("_unknown").fill_null(0), 0),
        },
        limit_source=nw.when(own).then(nw.lit("the mine's approved hours")).otherwise(nw.lit(P_02.source)),
        limit_confidence=nw.when(own).then(nw.lit("mine")).otherwise(nw.lit(P_02.confidence)),
        finding_zh=nw.concat_str(
            nw.lit("入井时间最长 "),
            number(value, 1),
            nw.lit(" h"),
            where_zh,
            nw.lit("，报警 "),
            number(red, 1),
            nw.lit(" h"),
        ),
        finding_en=nw.concat_str(
            nw.lit("longest time underground "),
            number(value, 1),
            nw.lit(" h"),
            where_en,
            nw.lit(", alarm at "),
            number(red, 1),
            nw.lit(" h"),
        ),
    )


# ── P-03 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
P_03 = Index(
    id="P-03",
    name_zh="进入限制区域",
    name_en="people where nobody may be",
    unit="person",
    minutes=1,
    source="AQ 1119 functions (restricted areas); Coal Mine Safety Regulation (withdraw at the power-cut value)",
    confidence="inferred",
    doc=(
        "People seen by two snapshots running in an area where nobody may be: red in a goaf and where methane"
        " is at or over the power-cut value, orange in another restricted area."
    ),
    formula=r"N = |\{i : a_i(t_k) = a_i(t_{k-1}) = a,\ a\ \text{barred}\}|",
    reads=("people by area, two snapshots running [person]", "restricted areas of the site file", "CH4 [%]"),
    scenario="restricted_entry",
    edges=(
        "one snapshot alone does not count: a station at a junction may see past it",
        "gas is judged as by G-01, and bars an area while its point is silent over the alarm limit",
        "no fresh snapshot: null, never 0",
    ),
    without_steps="Anybody is one too many: the kind of the place gives the level, as told above.",
)


def p03(inputs: Inputs) -> nw.LazyFrame:
    """People in restricted areas, and where gas has reached the power-cut value, by area and minute."""
    gas = _gas(inputs, "cut").with_columns(nw.col("_reached").alias("_gas_over"))
    watched = (
        inputs.points.filter(nw.col("quantity") == "ch4", ~nw.col("cut").is_null())
        .select("mine_code", "area_id")
        .unique()
    )
    watched = watched.with_columns(nw.lit(True).alias("_has_cut"))
    areas = _areas(inputs).join(watched, on=["mine_code", "area_id"], how="left")
    is_goaf = (nw.col("kind") == "goaf").fill_null(False)
    barred = nw.col("is_restricted").fill_null(False) | is_goaf
    areas = areas.with_columns(is_goaf.alias("_is_goaf"), barred.alias("_is_barred")).filter(
        nw.col("_is_barred") | nw.col("_has_cut").fill_null(False)
    )
    rows = _with_crowd(areas, inputs).join(gas, on=["mine_code", "area_id", "minute_no"], how="left")
    over = (nw.col("_gas_over") == 1).fill_null(False)
    inside = nw.when(over | nw.col("_is_barred")).then(nw.col("settled")).otherwise(nw.lit(0))
    rows = rows.with_columns(
        nw.when(~nw.col("snapshot_us").is_null()).then(inside).cast(nw.Float64).alias("_value"), over.alias("_over")
    )
    value = nw.col("_value")
    level = (
        nw.when(value > 0)
        .then(nw.when(nw.col("_is_goaf") | nw.col("_over")).then(nw.lit(RED)).otherwise(nw.lit(ORANGE)))
        .otherwise(nw.lit(NORMAL))
    )
    why = (
        nw.when(nw.col("_over"))
        .then(nw.lit("gas_over_cut"))
        .otherwise(nw.when(nw.col("_is_goaf")).then(nw.lit("goaf")).otherwise(nw.lit("restricted")))
    )
    why_zh = nw.when(nw.col("_over")).then(nw.lit("，瓦斯达到断电值")).otherwise(nw.lit("，限制区域"))
    why_en = (
        nw.when(nw.col("_over"))
        .then(nw.lit(", with methane at or over the power-cut value"))
        .otherwise(nw.lit(", restricted area"))
    )
    why_zh, why_en = (
        nw.when(nw.col("_over") | nw.col("_is_barred")).then(text).otherwise(nw.lit("")) for text in (why_zh, why_en)
    )
    return index_rows(
        _own(rows),
        P_03,
        value=value,
        level=nw.when(~value.is_null()).then(level),
        reason=nw.lit("NO_SNAPSHOT"),
        inputs={"people": number(nw.col("settled"), 0), "why": quoted(nw.when(value > 0).then(why))},
        finding_zh=nw.concat_str(nw.lit("不应有人处 "), number(value, 0), nw.lit(" 人"), why_zh),
        finding_en=nw.concat_str(nw.lit("people where nobody may be: "), number(value, 0), why_en),
    )


# ── P-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
P_04 = Index(
    id="P-04",
    name_zh="人员聚集",
    name_en="gathering",
    unit="person",
    minutes=1,
    source="Guidance 42 of 2024, item 12 (control of gatherings); distances and sizes are own choice",
    confidence="advisory",
    doc=(
        "People of the area's largest gathering: five or more, each within 15 m of another along the roadway,"
        " for five minutes, outside muster points, not walking or riding. Yellow from five people, orange "
        "from ten, red where methane in the area is at or over its alarm limit."
    ),
    formula=(
        r"N = \max_c |C_c|, \quad C_c = \text{DBSCAN}(d_{road} \le 15\ \mathrm{m},\ n \ge 5),\ "
        r"t \ge 5\ \mathrm{min}"
    ),
    reads=("places of people along the roadways [m]", "muster points of the site file", "CH4 [%]"),
    scenario="gathering",
    edges=(
        "people who walk or ride together are no gathering",
        "muster points are left out",
        "stations without distances: everybody at a station stands at one spot",
    ),
)


def p04(inputs: Inputs) -> nw.LazyFrame:
    """Gatherings by area and minute."""
    gas = _gas(inputs, "alarm").with_columns(nw.col("_reached").alias("_gas_over"))
    rows = _with_crowd(_areas(inputs), inputs).join(gas, on=["mine_code", "area_id", "minute_no"], how="left")
    over = (nw.col("_gas_over") == 1).fill_null(False)
    gathered = nw.when(~nw.col("snapshot_us").is_null()).then(nw.col("gathered")).cast(nw.Float64)
    rows = rows.with_columns(gathered.alias("_value"), over.alias("_over"))
    value = nw.col("_value")
    rows = judged(inputs, rows, P_04.id, ("", value))
    danger = nw.col("_over") & (value > 0)
    level = nw.when(danger).then(nw.lit(RED)).otherwise(nw.col("level"))
    return index_rows(
        _own(rows),
        P_04,
        value=value,
        level=nw.when(~value.is_null()).then(level),
        reason=nw.lit("NO_SNAPSHOT"),
        inputs={
            "people": number(value, 0),
            "gas_over_alarm": nw.when(nw.col("_over")).then(nw.lit("true")).otherwise(nw.lit("false")),
        },
        finding_zh=nw.concat_str(
            nw.lit("聚集 "),
            number(value, 0),
            nw.lit(" 人"),
            nw.when(danger).then(nw.lit("，且瓦斯达到报警值")).otherwise(nw.lit("")),
        ),
        finding_en=nw.concat_str(
            number(value, 0),
            nw.lit(" people gathered"),
            nw.when(danger).then(nw.lit(", with methane at or over the alarm limit")).otherwise(nw.lit("")),
        ),
    )


# ── P-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
P_05 = Index(
    id="P-05",
    name_zh="单人作业与静止",
    name_en="alone, still or lost",
    unit="person",
    minutes=1,
    source="Own definition: 50 m and 15 min alone, 10 min without movement, 5 min without a fix",
    confidence="advisory",
    doc=(
        "People alone for more than 15 min where two must work (yellow), without movement for more than ten "
        "minutes or last seen here, underground, more than five minutes ago (orange). Standing still at a "
        "muster point does not count, nor is anybody lost in a shaft; a card is looked for during one hour. "
        "Without distances from stations nobody stands still."
    ),
    formula=r"t_{alone},\ t_{still},\ t_{unseen} > T",
    reads=("places of people along the roadways [m]", "areas where two must work (site file)"),
    scenario="lone_worker",
    edges=(
        "a fix out of line with the others does not make somebody move",
        "shafts and the surface are not covered: nobody is lost there",
        "no fresh snapshot: null, never 0",
    ),
)


def p05(inputs: Inputs) -> nw.LazyFrame:
    """People alone, still or lost by area and minute."""
    rows = _with_crowd(_areas(inputs), inputs)
    concerned = nw.when(~nw.col("snapshot_us").is_null()).then(nw.col("concerned")).cast(nw.Float64)
    rows = rows.with_columns(concerned.alias("_value"))
    value, alone, still, lost = (nw.col(name) for name in ("_value", "alone", "still", "lost"))
    level = (
        nw.when((still > 0) | (lost > 0))
        .then(nw.lit(ORANGE))
        .otherwise(nw.when(alone > 0).then(nw.lit(YELLOW)).otherwise(nw.lit(NORMAL)))
    )

    def told(*words: tuple[nw.Expr, str, str]) -> nw.Expr:
        parts = [
            nw.when(count > 0).then(nw.concat_str(nw.lit(before), number(count, 0), nw.lit(after)))
            for count, before, after in words
        ]
        return nw.concat_str(*parts, ignore_nulls=True)

    zh = told((alone, "、单人作业 ", " 人"), (still, "、静止 ", " 人"), (lost, "、失联 ", " 人")).str.slice(1)
    en = told((alone, ", ", " alone"), (still, ", ", " not moving"), (lost, ", ", " without a fix")).str.slice(2)
    return index_rows(
        _own(rows),
        P_05,
        value=value,
        level=nw.when(~value.is_null()).then(level),
        reason=nw.lit("NO_SNAPSHOT"),
        inputs={"alone": number(alone, 0), "still": number(still, 0), "lost": number(lost, 0)},
        finding_zh=nw.when(value > 0).then(zh).otherwise(nw.lit("无人单独、静止或失联")),
        finding_en=nw.when(value > 0).then(en).otherwise(nw.lit("nobody alone, still or lost")),
    )


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _grid(inputs: Inputs) -> nw.LazyFrame:
    return minute_grid(inputs, before=LOOKBACK_MINUTES)


def _in_window(rows: nw.LazyFrame, inputs: Inputs) -> nw.LazyFrame:
    return rows.filter(nw.col("minute_no") >= first_minute(inputs.window))


def _areas(inputs: Inputs) -> nw.LazyFrame:
    return inputs.areas.select(
        "mine_code",
        "area_id",
        "kind",
        "is_restricted",
        nw.col("name_zh").alias("place_zh"),
        nw.col("name_en").alias("place_en"),
    )


def _with_crowd(areas: nw.LazyFrame, inputs: Inputs) -> nw.LazyFrame:
    """Areas by minute with the counts of `crowd`; 0 where a snapshot holds and nobody is told of."""
    rows = areas.join(newest_snapshots(inputs), on="mine_code", how="inner")
    counts = ("settled", "gathered", "alone", "still", "lost", "concerned")
    rows = rows.join(inputs.crowd, on=["mine_code", "area_id", "snapshot_us"], how="left")
    return rows.with_columns(*(nw.col(name).fill_null(0) for name in counts))


def _gas(inputs: Inputs, step: str) -> nw.LazyFrame:
    """Whether methane in an area has reached its alarm or power-cut limit, by minute: as G-01 judges it, by two of the
    last three samples, and kept while a point that was over its alarm limit is silent."""
    limits = inputs.points.filter(nw.col("quantity") == "ch4").select("mine_code", "point_id", "alarm", "cut")
    rows = window_minutes(inputs, "ch4").join(limits, on=["mine_code", "point_id"], how="left")
    was_over = (nw.col("last_value") >= nw.col("alarm")) & (nw.col("last_high") >= nw.col("alarm"))
    reached = (
        nw.when(~nw.col("value_max").is_null())
        .then(nw.col("high"))
        .otherwise(nw.when(was_over).then(nw.col("last_high")))
    )
    rows = rows.with_columns(
        (reached >= nw.col(step)).fill_null(False).cast(nw.Int32).alias("_reached"),
        nw.col("area_id").fill_null("unplaced"),
    )
    return rows.group_by("mine_code", "area_id", "minute_no").agg(nw.col("_reached").max())


def _mine_place() -> list[nw.Expr]:
    return [
        nw.concat_str(nw.col("name_zh"), nw.lit("全矿")).alias("place_zh"),
        nw.concat_str(nw.lit("Mine "), nw.col("mine_code"), nw.lit(" as a whole")).alias("place_en"),
    ]


def _own(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Rows about an area itself."""
    return rows.with_columns(nw.col("area_id").alias("entity"), _NO_TEXT.alias("point_id"))

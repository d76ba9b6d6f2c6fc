"""The air network as a whole: main fans (V-04), balance and leaks (V-05), recirculation (V-06), junctions (V-07)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.flow_balance import ROAD, SUSPECT, balance_of_mine, passed_roads
from minefusion.pipelines.hazard.hours import site_rows
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import first_minute, minute_grid, window_minutes
from minefusion.pipelines.hazard.rows import ORANGE, Index, index_rows, number, quoted
from minefusion.pipelines.hazard.states import lasting_states
from minefusion.pipelines.rounding import rounded

WINDOW_MIN = 10
PA_PER_KPA = 1000.0
# Return and intake must differ by so much methane [%] before a share of it tells anything.
LEAST_TRACER_PCT = 0.1
_FAN = ["mine_code", "fan_id"]
_TEXT, _NUMBER = pa.string(), pa.float64()

# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────────────


def deviation_pct(pressure_pa: nw.Expr, of_curve_pa: nw.Expr) -> nw.Expr:
    """ε = 100·(h − h_fan(Q))/h_fan(Q) [%]: how far a fan works from its curve."""
    return 100 * (pressure_pa - of_curve_pa) / of_curve_pa


def surge_margin_pct(quantity_m3_s: nw.Expr, surge_m3_s: nw.Expr) -> nw.Expr:
    """100·(Q − Q_surge)/Q [%]; null where no air moves."""
    return 100 * (quantity_m3_s - surge_m3_s) / nw.when(quantity_m3_s > 0).then(quantity_m3_s)


def fan_efficiency(pressure_pa: nw.Expr, quantity_m3_s: nw.Expr, shaft_kw: nw.Expr) -> nw.Expr:
    """h·Q/P_shaft; null without power."""
    return pressure_pa * quantity_m3_s / (1000 * nw.when(shaft_kw > 0).then(shaft_kw))


def leakage(fan_m3_s: nw.Expr, return_m3_s: nw.Expr) -> nw.Expr:
    """(Q_fan − Q_return)/Q_fan: share of the fan's air that comes in from outside; null where the fan moves none."""
    return (fan_m3_s - return_m3_s) / nw.when(fan_m3_s > 0).then(fan_m3_s)


def recirculated_share(inlet_pct: nw.Expr, intake_pct: nw.Expr, return_pct: nw.Expr) -> nw.Expr:
    """F = (C_inlet − C_intake)/(C_return − C_intake); null where these differ by under 0.1 % methane."""
    apart = return_pct - intake_pct
    return (inlet_pct - intake_pct) / nw.when(apart.abs() >= LEAST_TRACER_PCT).then(apart)


def needed_at_fan_m3_s(rated_m3_s: nw.Expr, lowest_m_s: nw.Expr, section_m2: nw.Expr) -> nw.Expr:
    """Air that must reach a local fan: what it takes and what must be left to flow past it, Q_fan + v_min·S [m³/s]."""
    return rated_m3_s + lowest_m_s * section_m2


# ── what all of them read ───────────────────────────────────────────────────────────────────────────────────────────


def _window() -> nw.Expr:
    return (nw.col("minute_no") // WINDOW_MIN).cast(nw.Int64).alias("_window")


def _edges_by_ten(inputs: Inputs) -> nw.LazyFrame:
    """Air (q_m3_s), methane and coverage of each measured roadway by ten minutes."""
    rows = inputs.edge_air.filter(nw.col("minute_no") >= first_minute(inputs.window)).with_columns(_window())
    return rows.group_by("mine_code", "edge_id", "_window").agg(
        nw.col("q_m3_s").mean().alias("q"),
        nw.col("ch4").mean().alias("ch4"),
        (nw.col("q_coverage").fill_null(0.0).sum() / WINDOW_MIN).alias("q_cover"),
        (nw.col("ch4_cover").fill_null(0.0).sum() / WINDOW_MIN).alias("ch4_cover"),
    )


def _ten(inputs: Inputs) -> nw.LazyFrame:
    return minute_grid(inputs, step=WINDOW_MIN).with_columns(_window())


def _site_frame(inputs: Inputs, section: str, fields: Mapping[str, pa.DataType]) -> nw.LazyFrame:
    return inputs.frame(site_rows(inputs.sites, section, list(fields)), pa.schema({"mine_code": _TEXT, **fields}))


def _fans(inputs: Inputs) -> nw.LazyFrame:
    """The main fans with the words for them: area_id, entity, point_id, place_zh, place_en."""
    fields = {"fan_id": _TEXT, "area_id": _TEXT, "edge_id": _TEXT, "return_edge": _TEXT, "surge_m3_s": _NUMBER}
    return _in_words(
        inputs, _site_frame(inputs, "main_fans", fields | {"has_hoisting": pa.bool_()}), "主要通风机", "main fan"
    )


def _in_words(inputs: Inputs, fans: nw.LazyFrame, zh: str, en: str) -> nw.LazyFrame:
    names = inputs.areas.select("mine_code", "area_id", "name_zh", "name_en")
    fans = fans.join(names, on=["mine_code", "area_id"], how="left")
    return fans.with_columns(
        nw.col("fan_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.concat_str(nw.coalesce("name_zh", "area_id"), nw.lit(f" {zh} "), nw.col("fan_id")).alias("place_zh"),
        nw.concat_str(nw.coalesce("name_en", "area_id"), nw.lit(f", {en} "), nw.col("fan_id")).alias("place_en"),
    ).drop("name_zh", "name_en")


# ── V-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
V_04 = Index(
    id="V-04",
    name_zh="主要通风机工况",
    name_en="main fan's operating point",
    unit="%",
    minutes=1,
    source="own steps; a stop of the main fan is red at once",
    confidence="advisory",
    doc=(
        "How far a main fan's pressure lies from its curve at the air that it moves: yellow over 5 %, orange over "
        "10 %, either way; orange too where less than 10 % of the air is left before the fan surges. A fan that has "
        "stopped is red at once; where two stand at one place, one that runs is enough."
    ),
    formula=(
        r"\varepsilon = \frac{h - h_{fan}(Q)}{h_{fan}(Q)}, \quad m = \frac{Q - Q_{surge}}{Q}, \quad "
        r"\eta = \frac{h\,Q}{P_{shaft}}"
    ),
    reads=("pressure at the fan [Pa or kPa]", "air in the fan drift [m³/s]", "main fan running", "active power [kW]"),
    scenario="fan_surge",
    edges=(
        "no curve in the site file, or air beyond its ends: only the state and the surge margin are judged, and the "
        "value is the seconds that the fan has stood",
        "the curve is drawn straight between its points",
    ),
)


def v04(inputs: Inputs) -> nw.LazyFrame:
    """Operating point and state of each main fan, by minute."""
    fans = _fans(inputs)
    rows = fans.join(minute_grid(inputs), how="cross")
    air = inputs.edge_air.select("mine_code", "edge_id", "minute_no", "q_m3_s", "q_coverage")
    rows = rows.join(air, on=["mine_code", "edge_id", "minute_no"], how="left")
    rows = rows.join(_pressure(inputs), on=["mine_code", "edge_id", "minute_no"], how="left")
    rows = rows.join(_stopped(inputs), on=[*_FAN, "minute_no"], how="left")
    rows = rows.join(_power(inputs), on=[*_FAN, "minute_no"], how="left")
    rows = rows.join(_on_curve(inputs, rows), on=[*_FAN, "minute_no"], how="left")
    pressure, quantity, stood = nw.col("pressure"), nw.col("q_m3_s"), nw.col("stood_s")
    runs = (stood == 0).fill_null(True)
    rows = rows.with_columns(
        nw.when(runs).then(rounded(deviation_pct(pressure, nw.col("of_curve")))).alias("_deviation"),
        nw.when(runs).then(rounded(surge_margin_pct(quantity, nw.col("surge_m3_s")))).alias("_margin"),
    )
    deviation, margin = nw.col("_deviation"), nw.col("_margin")
    rows = judged(inputs, rows, V_04.id, ("stopped", stood), ("deviation", deviation.abs()), ("surge", margin))
    known = (
        nw.when(~deviation.is_null())
        .then(nw.min_horizontal("q_coverage", "pressure_cover"))
        .otherwise(nw.col("state_cover"))
    )
    told_zh = nw.when(~runs).then(nw.concat_str(nw.lit("停止运转 "), number(stood, 0), nw.lit(" s")))
    told_en = nw.when(~runs).then(nw.concat_str(nw.lit("has stood for "), number(stood, 0), nw.lit(" s")))
    return index_rows(
        rows,
        V_04,
        value=nw.coalesce(deviation, stood),
        level=nw.col("level"),
        coverage=known,
        reason=nw.when(pressure.is_null()).then(nw.lit("NO_FAN_PRESSURE")).otherwise(nw.lit("NO_AIR_QUANTITY")),
        unit=nw.when(deviation.is_null()).then(nw.lit("s")),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "pressure_pa": number(pressure, 0),
            "q_m3_s": number(quantity, 2),
            "curve_pa": number(nw.col("of_curve"), 0),
            "surge_margin_pct": number(margin, 1),
            "efficiency": number(fan_efficiency(pressure, quantity, nw.col("power_kw")), 2),
            "stood_s": number(stood, 0),
        },
        finding_zh=nw.coalesce(told_zh, _point_of_work("风压偏离特性曲线 ", "，距喘振 "), nw.lit("运转")),
        finding_en=nw.coalesce(
            told_en, _point_of_work("pressure off its curve by ", ", air left before it surges "), nw.lit("runs")
        ),
        stands_from=ORANGE,
    )


def _point_of_work(deviation: str, margin: str) -> nw.Expr:
    left = nw.concat_str(nw.lit(margin), number(nw.col("_margin"), 0), nw.lit(" %")).fill_null("")
    return nw.concat_str(nw.lit(deviation), number(nw.col("_deviation"), 1), nw.lit(" %"), left)


def _pressure(inputs: Inputs) -> nw.LazyFrame:
    """Pressure [Pa] of each roadway that has such a sensor, by minute, whichever its sign."""
    rows = window_minutes(inputs, "air_pressure", "negative_pressure").filter(~nw.col("mean").is_null())
    pascal = (
        nw.when(nw.col("quantity") == "negative_pressure").then(PA_PER_KPA * nw.col("mean")).otherwise(nw.col("mean"))
    )
    return rows.group_by("mine_code", "edge_id", "minute_no").agg(
        pascal.abs().mean().alias("pressure"), nw.col("coverage").max().alias("pressure_cover")
    )


def _stopped(inputs: Inputs) -> nw.LazyFrame:
    """Seconds that all fans of each place have stood, by minute; nothing for a fan without a switch."""
    places = _site_frame(inputs, "main_fans", {"fan_id": _TEXT, "area_id": _TEXT})
    switches = inputs.points.filter(nw.col("quantity") == "main_fan").select(
        "mine_code", "area_id", "point_id", "period_s"
    )
    kind = nw.lit("main_fan").alias("kind")
    members = places.join(switches, on=["mine_code", "area_id"], how="inner").select(
        "mine_code", kind, nw.col("fan_id").alias("entity"), "point_id", "period_s"
    )
    readings = inputs.readings.filter(
        nw.col("usable"), nw.col("quantity") == "main_fan", ~nw.col("value").is_null()
    ).select("mine_code", kind, "point_id", "observed_us", (nw.col("value") == 0).cast(nw.Int64).alias("holds"))
    lasting = lasting_states(inputs, members, readings)
    stood = nw.when(nw.col("coverage") > 0).then(nw.col("lasted_s")).alias("stood_s")
    return lasting.select(
        "mine_code", nw.col("entity").alias("fan_id"), "minute_no", stood, nw.col("coverage").alias("state_cover")
    )


def _power(inputs: Inputs) -> nw.LazyFrame:
    """Power [kW] of each fan that the equipment files know under its name, by minute."""
    rows = inputs.feeds.equipment.filter(nw.col("quantity") == "active_power", nw.col("usable"))
    minute = (nw.col("observed_us") // 60_000_000).cast(nw.Int64).alias("minute_no")
    rows = rows.with_columns(minute)
    return rows.group_by("mine_code", nw.col("equipment_id").alias("fan_id"), "minute_no").agg(
        nw.col("value").mean().alias("power_kw")
    )


def _on_curve(inputs: Inputs, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Pressure [Pa] of each fan's curve at the air that it moves, by minute."""
    parts = []
    for mine, site in inputs.sites.items():
        curves: dict[str, list[tuple[float, float]]] = {}
        for point in site.fan_curve if site else ():
            curves.setdefault(point.fan_id, []).append((point.quantity_m3_s, point.pressure_pa))
        for fan_id, points in curves.items():
            points.sort()
            for (q0, h0), (q1, h1) in pairwise(points):
                parts.append({"mine_code": mine, "fan_id": fan_id, "q0": q0, "h0": h0, "q1": q1, "h1": h1})
    schema = pa.schema({"mine_code": _TEXT, "fan_id": _TEXT} | dict.fromkeys(("q0", "h0", "q1", "h1"), _NUMBER))
    q = nw.col("q_m3_s")
    on = rows.select(*_FAN, "minute_no", "q_m3_s").join(inputs.frame(parts, schema), on=_FAN, how="inner")
    on = on.filter(q >= nw.col("q0"), q <= nw.col("q1"), nw.col("q1") > nw.col("q0"))
    at = nw.col("h0") + (nw.col("h1") - nw.col("h0")) * (q - nw.col("q0")) / (nw.col("q1") - nw.col("q0"))
    return on.with_columns(at.alias("_at")).group_by(*_FAN, "minute_no").agg(nw.col("_at").max().alias("of_curve"))


# ── V-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
V_05 = Index(
    id="V-05",
    name_zh="有效风量率与外部漏风率",
    name_en="effective air and outside leakage",
    unit="1",
    minutes=WINDOW_MIN,
    source="values in use for Chinese coal mines; recalled, not read again",
    confidence="inferred",
    doc=(
        "Air that is put to use over air that comes in, for the mine: yellow under 0.85. And for each main fan the "
        "share of its air that comes in from outside: yellow over 0.05, over 0.15 where the shaft hoists."
    ),
    formula=r"\eta = \frac{\sum Q_{use}}{\sum Q_{intake}}, \quad L = \frac{Q_{fan} - Q_{return}}{Q_{fan}}",
    reads=("air in the roadways that the site file names [m³/s]",),
    scenario="air_leak",
    edges=("a road of the balance without a usable quantity: no value, NO_AIR_QUANTITY",),
)


def v05(inputs: Inputs) -> nw.LazyFrame:
    """Effective air rate of each mine and leakage of each main fan, by ten minutes."""
    air = inputs.cached(_edges_by_ten(inputs))
    roads = _site_frame(inputs, "air_roads", {"edge_id": _TEXT, "role": _TEXT})
    fans = _fans(inputs).filter(~nw.col("return_edge").is_null())
    rows = nw.concat([_effective(inputs, roads, air), _leaking(inputs, fans, air)], how="vertical")
    value = nw.col("_value")
    effective = nw.col("_of") == "effective"
    pairs = [(scope, nw.when(nw.col("_of") == scope).then(value)) for scope in _BALANCE]
    rows = judged(inputs, rows, V_05.id, *pairs)
    share = number(100 * value, 1)
    return index_rows(
        rows,
        V_05,
        value=value,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.lit("NO_AIR_QUANTITY"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "of": quoted(nw.col("_of")), "part_m3_s": number(nw.col("_part"), 2),
            "whole_m3_s": number(nw.col("_whole"), 2),
        },
        finding_zh=nw.concat_str(
            nw.when(effective).then(nw.lit("有效风量率 ")).otherwise(nw.lit("外部漏风率 ")), share, nw.lit(" %")
        ),
        finding_en=nw.concat_str(
            nw.when(effective).then(nw.lit("air put to use ")).otherwise(nw.lit("air from outside ")), share,
            nw.lit(" %"),
        ),
    )  # fmt: skip


_BALANCE = ("effective", "leakage", "leakage_hoisting")
_BALANCED = (
    "mine_code", "area_id", "entity", "point_id", "place_zh", "place_en", "window_start", "_of", "_value", "_part",
    "_whole", "coverage",
)  # fmt: skip


def _effective(inputs: Inputs, roads: nw.LazyFrame, air: nw.LazyFrame) -> nw.LazyFrame:
    rows = roads.join(_ten(inputs), how="cross").join(air, on=["mine_code", "edge_id", "_window"], how="left")
    q, is_use = nw.col("q"), nw.col("role") == "use"
    sums = rows.group_by("mine_code", "_window", "window_start").agg(
        nw.when(is_use).then(q).sum().alias("_part"),
        nw.when(~is_use).then(q).sum().alias("_whole"),
        q.is_null().cast(nw.Int64).sum().alias("_silent"),
        is_use.cast(nw.Int64).sum().alias("_uses"),
        nw.col("q_cover").fill_null(0.0).min().alias("coverage"),
    )
    names = inputs.mines.select("mine_code", nw.col("name_zh").alias("place_zh"), nw.col("mine_code").alias("place_en"))
    whole, part = nw.col("_whole"), nw.col("_part")
    all_known = (nw.col("_silent") == 0) & (nw.col("_uses") > 0) & (whole > 0)
    return (
        sums.join(names, on="mine_code", how="left")
        .with_columns(
            nw.when(all_known).then(rounded(part / nw.when(whole > 0).then(whole))).alias("_value"),
            nw.lit("effective").alias("_of"),
            nw.col("mine_code").alias("area_id"),
            nw.col("mine_code").alias("entity"),
            nw.lit(None, dtype=nw.String).alias("point_id"),
        )
        .select(*_BALANCED)
    )


def _leaking(inputs: Inputs, fans: nw.LazyFrame, air: nw.LazyFrame) -> nw.LazyFrame:
    at_return = air.select(
        "mine_code", nw.col("edge_id").alias("return_edge"), "_window", nw.col("q").alias("_back"),
        nw.col("q_cover").alias("_back_cover"),
    )  # fmt: skip
    rows = fans.join(_ten(inputs), how="cross").join(air, on=["mine_code", "edge_id", "_window"], how="left")
    rows = rows.join(at_return, on=["mine_code", "return_edge", "_window"], how="left")
    hoisting = nw.when(nw.col("has_hoisting")).then(nw.lit("leakage_hoisting")).otherwise(nw.lit("leakage"))
    return rows.with_columns(
        rounded(leakage(nw.col("q"), nw.col("_back"))).alias("_value"),
        hoisting.alias("_of"),
        (nw.col("q") - nw.col("_back")).alias("_part"),
        nw.col("q").alias("_whole"),
        nw.min_horizontal(nw.col("q_cover").fill_null(0.0), nw.col("_back_cover").fill_null(0.0)).alias("coverage"),
    ).select(*_BALANCED)


# ── V-06 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
V_06 = Index(
    id="V-06",
    name_zh="循环风",
    name_en="recirculation",
    unit="1",
    minutes=WINDOW_MIN,
    source="tracer method and quantity test of ventilation practice; own steps",
    confidence="advisory",
    doc=(
        "Share of a local fan's air that has been in the heading before, by its methane: yellow over 0.05, orange over "
        "0.10. Orange too where less air comes to the fan than it takes and must be left to flow past it."
    ),
    formula=(r"F = \frac{C_{inlet} - C_{intake}}{C_{return} - C_{intake}}, \quad Q_{road} \ge Q_{fan} + v_{min}\,S"),
    reads=("CH4 at the fan's inlet, in its intake and in the return [%]", "air before the fan [m³/s]"),
    scenario="recirculation",
    edges=(
        "return and intake differ by under 0.1 % methane: no value, NO_TRACER; the quantity test still gives a level",
        "a negative share is error of the sensors and counts as told",
    ),
)


def v06(inputs: Inputs) -> nw.LazyFrame:
    """Recirculation at each local fan, by ten minutes."""
    text = dict.fromkeys(("fan_id", "area_id", "inlet_edge", "intake_edge", "return_edge"), _TEXT)
    fans = _site_frame(inputs, "local_fans", text | dict.fromkeys(("rated_m3_s", "lowest_m_s"), _NUMBER))
    fans = _in_words(inputs, fans, "局部通风机", "local fan")
    sections = inputs.edges.select("mine_code", nw.col("edge_id").alias("inlet_edge"), "section_m2")
    rows = fans.join(sections, on=["mine_code", "inlet_edge"], how="left").join(_ten(inputs), how="cross")
    air = inputs.cached(_edges_by_ten(inputs))
    for end in ("inlet", "intake", "return"):
        there = air.select(
            "mine_code", "_window", nw.col("edge_id").alias(f"{end}_edge"), nw.col("ch4").alias(f"{end}_pct"),
            nw.col("q").alias(f"{end}_q"), nw.col("ch4_cover").alias(f"{end}_cover"),
        )  # fmt: skip
        rows = rows.join(there, on=["mine_code", "_window", f"{end}_edge"], how="left")
    gas = [nw.col(f"{end}_pct") for end in ("inlet", "intake", "return")]
    needed = needed_at_fan_m3_s(nw.col("rated_m3_s"), nw.col("lowest_m_s"), nw.col("section_m2"))
    rows = rows.with_columns(
        rounded(recirculated_share(*gas)).alias("_share"),
        needed.alias("_needed"),
        rounded(nw.col("inlet_q") / nw.when(needed > 0).then(needed)).alias("_supply"),
        nw.min_horizontal(*(nw.col(f"{end}_cover").fill_null(0.0) for end in ("inlet", "intake", "return"))).alias(
            "_cover"
        ),
    )
    rows = judged(inputs, rows, V_06.id, ("", nw.col("_share")), ("quantity", nw.col("_supply")))
    no_tracer = ~gas[2].is_null() & ~gas[1].is_null() & ~gas[0].is_null()
    missing = nw.when(no_tracer).then(nw.lit("NO_TRACER")).otherwise(nw.lit("NO_METHANE"))
    return index_rows(
        rows,
        V_06,
        value=nw.col("_share"),
        level=nw.col("level"),
        coverage=nw.col("_cover"),
        reason=missing,
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            **{f"{end}_pct": number(nw.col(f"{end}_pct"), 3) for end in ("inlet", "intake", "return")},
            "at_fan_m3_s": number(nw.col("inlet_q"), 2),
            "needed_m3_s": number(nw.col("_needed"), 2),
        },
        finding_zh=_recirculated("循环风 ", "循环风无法以甲烷判定", "，风机前风量 ", "，应不低于 "),
        finding_en=_recirculated(
            "recirculated ", "recirculation cannot be told by methane", ", air at the fan ", ", needed at least "
        ),
        stands_from=ORANGE,
    )


def _recirculated(share: str, unknown: str, quantity: str, needed: str) -> nw.Expr:
    told = nw.concat_str(nw.lit(share), number(100 * nw.col("_share"), 1), nw.lit(" %")).fill_null(unknown)
    amounts = (number(nw.col("inlet_q"), 1), number(nw.col("_needed"), 1))
    air = nw.concat_str(nw.lit(quantity), amounts[0], nw.lit(" m³/s"), nw.lit(needed), amounts[1], nw.lit(" m³/s"))
    return nw.concat_str(told, air.fill_null(""))


# ── V-07 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
V_07 = Index(
    id="V-07",
    name_zh="风网平衡残差",
    name_en="balance of the air network",
    unit="%",
    minutes=WINDOW_MIN,
    source="own steps; weighted least squares with a test of the residuals",
    confidence="advisory",
    doc=(
        "What does not add up: at a junction, air in against air out; round a loop, the roads' pressure against the "
        "fan's; over the whole network, the reading that fits least into the balance of all, where it is off by more "
        "than three times its error. Yellow over 10 %, orange over 20 %: a sensor errs, or a door stands open."
    ),
    formula=(
        r"r_n = \frac{|\sum Q_{in} - \sum Q_{out}|}{\sum Q_{in}}, \quad "
        r"r_l = \frac{|\sum R\,|Q|\,Q - h_{fan} - h_{nat}|}{h_{fan}}"
    ),
    reads=("air of the roadways, with its direction [m³/s]", "pressure of the main fan [Pa]"),
    scenario="recirculation",
    edges=(
        "junctions with a road that is not measured have no row; the whole network is balanced all the same",
        "a reading that nothing checks cannot be suspected",
        "air that runs backwards counts with its sign",
        "blind headings are left out: what they carry back, their ducts have taken before",
    ),
)


def v07(inputs: Inputs) -> nw.LazyFrame:
    """Residuals of junctions, loops and the whole network, by ten minutes."""
    flows, roads = inputs.cached(_signed_flows(inputs)), inputs.cached(_roads(inputs))
    rows = nw.concat(
        [_at_junctions(inputs, roads, flows), _round_loops(inputs, flows), _over_all(inputs, roads, flows)],
        how="vertical",
    )
    rows = inputs.cached(rows)
    names = inputs.mines.select("mine_code", "name_zh")
    zh = {"node": " 节点 ", "loop": " 回路 ", "mine": " 全网 "}
    en = {"node": ", junction ", "loop": ", loop ", "mine": ", whole network "}
    kind = nw.col("kind")
    said = [
        nw.coalesce(*(nw.when(kind == name).then(nw.lit(word)) for name, word in words.items())) for words in (zh, en)
    ]
    rows = rows.join(names, on="mine_code", how="left").with_columns(
        nw.concat_str(nw.coalesce("name_zh", "mine_code"), said[0], nw.col("entity")).alias("place_zh"),
        nw.concat_str(nw.col("mine_code"), said[1], nw.col("entity")).alias("place_en"),
        nw.col("mine_code").alias("area_id"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )
    value = nw.col("_value")
    rows = judged(inputs, rows, V_07.id, ("", value))
    suspect_zh = nw.concat_str(nw.lit("，可疑测点所在巷道 "), nw.col("suspect")).fill_null("")
    suspect_en = nw.concat_str(nw.lit(", the reading of road "), nw.col("suspect"), nw.lit(" fits least")).fill_null("")
    return index_rows(
        rows,
        V_07,
        value=value,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.lit("NO_AIR_QUANTITY"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={"in": number(nw.col("_in"), 2), "out": number(nw.col("_out"), 2), "suspect": quoted(nw.col("suspect"))},
        finding_zh=nw.concat_str(nw.lit("不平衡 "), number(value, 1), nw.lit(" %"), suspect_zh),
        finding_en=nw.concat_str(nw.lit("out of balance by "), number(value, 1), nw.lit(" %"), suspect_en),
    )


# Areas whose roads lead to the surface.
OPEN_KINDS = ("shaft", "surface")
_RESIDUAL = ("mine_code", "kind", "entity", "window_start", "_value", "_in", "_out", "suspect", "coverage")


def _signed_flows(inputs: Inputs) -> nw.LazyFrame:
    """Air of each measured roadway by ten minutes [m³/s], positive from its first node to its second."""
    sections = inputs.edges.select("mine_code", "edge_id", "section_m2")
    rows = window_minutes(inputs, "air_velocity", "air_quantity").filter(~nw.col("edge_id").is_null())
    rows = rows.join(sections, on=["mine_code", "edge_id"], how="left").with_columns(_window())
    mean = nw.col("mean")
    flow = nw.when(nw.col("quantity") == "air_velocity").then(mean * nw.col("section_m2")).otherwise(mean / 60)
    return (
        rows.with_columns(flow.alias("_flow"))
        .group_by("mine_code", "edge_id", "_window")
        .agg(rounded(nw.col("_flow").mean()).alias("q"), nw.col("coverage").mean().alias("cover"))
    )


def _roads(inputs: Inputs) -> nw.LazyFrame:
    """The roadways that air passes through."""
    kinds = inputs.areas.select("mine_code", "area_id", "kind")
    edges = inputs.edges.join(kinds, on=["mine_code", "area_id"], how="left")
    is_open = nw.col("kind").is_in(list(OPEN_KINDS)).fill_null(False).alias("is_open")
    edges = edges.select("mine_code", "edge_id", "from_node", "to_node", is_open)
    return inputs.grouped(edges, ["mine_code"], passed_roads, ROAD)


def _at_junctions(inputs: Inputs, roads: nw.LazyFrame, flows: nw.LazyFrame) -> nw.LazyFrame:
    """Junctions, all of whose roads are measured somewhere."""
    measured = flows.select("mine_code", "edge_id", nw.lit(1).alias("_has")).unique()
    ends = [
        roads.select("mine_code", "edge_id", nw.col(end).alias("entity"), nw.lit(sign).alias("_sign"))
        for end, sign in (("to_node", 1.0), ("from_node", -1.0))
    ]  # fmt: skip
    roads = nw.concat(ends, how="vertical").join(measured, on=["mine_code", "edge_id"], how="left")
    whole = roads.group_by("mine_code", "entity").agg(
        nw.len().cast(nw.Int64).alias("_roads"), nw.col("_has").fill_null(0).sum().alias("_measured")
    )
    whole = whole.filter(nw.col("_roads") > 1, nw.col("_roads") == nw.col("_measured"))
    roads = roads.join(whole.select("mine_code", "entity"), on=["mine_code", "entity"], how="inner")
    rows = roads.join(_ten(inputs), how="cross").join(flows, on=["mine_code", "edge_id", "_window"], how="left")
    into = nw.col("_sign") * nw.col("q")
    sums = (
        rows.with_columns(into.alias("_into"))
        .group_by("mine_code", "entity", "window_start")
        .agg(
            nw.when(nw.col("_into") > 0).then(nw.col("_into")).otherwise(nw.lit(0.0)).sum().alias("_in"),
            nw.when(nw.col("_into") < 0).then(-nw.col("_into")).otherwise(nw.lit(0.0)).sum().alias("_out"),
            nw.col("q").is_null().cast(nw.Int64).sum().alias("_silent"),
            nw.col("cover").fill_null(0.0).min().alias("coverage"),
        )
    )
    most = nw.max_horizontal("_in", "_out")
    residual = (
        100
        * (nw.col("_in") - nw.col("_out")).abs()
        / nw.when(most > 0).then(nw.when(nw.col("_in") > 0).then(nw.col("_in")).otherwise(most))
    )
    return sums.with_columns(
        nw.lit("node").alias("kind"),
        nw.when(nw.col("_silent") == 0).then(rounded(residual)).alias("_value"),
        nw.lit(None, dtype=nw.String).alias("suspect"),
    ).select(*_RESIDUAL)


def _round_loops(inputs: Inputs, flows: nw.LazyFrame) -> nw.LazyFrame:
    """Loops of the site file: pressure that the roads take against what the fan and warm air give."""
    roads = _site_frame(
        inputs, "loop_roads",
        {"loop_id": _TEXT, "edge_id": _TEXT, "resistance_ns2_m8": _NUMBER, "is_along": pa.bool_()},
    )  # fmt: skip
    loops = _site_frame(inputs, "air_loops", {"loop_id": _TEXT, "fan_id": _TEXT, "natural_pa": _NUMBER})
    drifts = _site_frame(inputs, "main_fans", {"fan_id": _TEXT, "edge_id": _TEXT})
    rows = roads.join(_ten(inputs), how="cross").join(flows, on=["mine_code", "edge_id", "_window"], how="left")
    q = nw.when(nw.col("is_along")).then(nw.col("q")).otherwise(-nw.col("q"))
    sums = rows.with_columns((nw.col("resistance_ns2_m8") * q.abs() * q).alias("_drop"))
    sums = sums.group_by("mine_code", "loop_id", "_window", "window_start").agg(
        nw.col("_drop").sum().alias("_out"),
        nw.col("q").is_null().cast(nw.Int64).sum().alias("_silent"),
        nw.col("cover").fill_null(0.0).min().alias("coverage"),
    )
    pressure = _pressure(inputs).with_columns(_window())
    pressure = pressure.group_by("mine_code", "edge_id", "_window").agg(nw.col("pressure").mean().alias("_fan"))
    sums = sums.join(loops, on=["mine_code", "loop_id"], how="left").join(drifts, on=_FAN, how="left")
    sums = sums.join(pressure, on=["mine_code", "edge_id", "_window"], how="left")
    given = nw.col("_fan") + nw.col("natural_pa")
    residual = 100 * (nw.col("_out") - given).abs() / nw.when(nw.col("_fan") > 0).then(nw.col("_fan"))
    return sums.with_columns(
        nw.lit("loop").alias("kind"),
        nw.col("loop_id").alias("entity"),
        given.alias("_in"),
        nw.when(nw.col("_silent") == 0).then(rounded(residual)).alias("_value"),
        nw.lit(None, dtype=nw.String).alias("suspect"),
    ).select(*_RESIDUAL)


def _over_all(inputs: Inputs, roads: nw.LazyFrame, flows: nw.LazyFrame) -> nw.LazyFrame:
    """The whole network of each mine, balanced by least squares; none where no reading checks another."""
    readings = roads.join(flows, on=["mine_code", "edge_id"], how="left")
    found = inputs.grouped(readings, ["mine_code"], balance_of_mine, SUSPECT)
    rows = found.join(_ten(inputs), on="_window", how="inner")
    return rows.with_columns(
        nw.lit("mine").alias("kind"),
        nw.col("mine_code").alias("entity"),
        nw.col("off_pct").alias("_value"),
        nw.col("measured").alias("_in"),
        nw.col("balanced").alias("_out"),
        nw.lit(1.0).alias("coverage"),
    ).select(*_RESIDUAL)

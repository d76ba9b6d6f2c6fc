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
    "INSUFFICIENT_DATA": ("已知指标不足 60%", "under 60 % of the indices are known"),
    "WEIGHTS_REJECTED": ("判断矩阵一致性不合格", "the comparison contradicts itself"),
    "NO_AMBIENT": ("缺少此前的背景值", "no earlier value to compare with"),
    "NO_METHANE": ("无有效甲烷浓度", "no usable methane reading or gas sample"),
    "NO_OXYGEN": ("无有效氧气浓度", "no usable oxygen reading or gas sample"),
    "NO_CARBON_DIOXIDE": ("无有效二氧化碳浓度", "no usable carbon-dioxide reading or gas sample"),
    "NO_CARBON_MONOXIDE": ("无有效一氧化碳浓度", "no usable carbon-monoxide reading or gas sample"),
    "NO_HYDROCARBONS": ("无氢气、乙烯等指标气体数据", "no reading or sample of hydrogen and ethylene"),
    "IMPOSSIBLE_ANALYSIS": ("气体分析结果不可能，已剔除", "the gas analysis is impossible and rejected"),
    "DEFICIENCY_TOO_SMALL": ("氧耗小于 0.3 %，比值无意义", "oxygen deficiency under 0.3 %: a ratio would be noise"),
    "NOT_DEFINED": ("计算式分母不为正，比值无意义", "the ratio's denominator is not above zero"),
    "OXYGEN_TOO_LOW": ("氧气不高于 0.1 %，比值无意义", "0.1 % of oxygen or less: a ratio would be noise"),
    "CO2_TOO_SMALL": ("二氧化碳增量过小，比值无意义", "too little carbon dioxide for a ratio"),
    "INERT_GAS": ("该处正在注惰性气体，比值无意义", "inert gas is injected there: a ratio would be wrong"),
    "AFTER_BLAST": ("放炮后 30 分钟内不判定", "not judged within 30 minutes of a blast"),
    "NO_SEALED_AREA": ("未登记封闭区或无其气样", "no sealed area with a gas analysis is known"),
    "NO_SEALED_FIRE": ("未登记封闭火区", "the site file names no sealed fire"),
    "NO_HISTORY": ("历史数据不足", "too little history"),
    "NO_DRILL_CUTTINGS": ("无钻屑指标记录", "no record of drill cuttings"),
    "NO_BROKEN_COAL": ("放炮记录无落煤量", "the blast record does not say how much coal was broken"),
    "NO_ROOF_EMISSION": ("未登记巷道顶板瓦斯涌出量", "the site file states no methane from the roof of a road"),
    "NO_GOAF_VOID": ("未登记采空区空隙体积", "the site file states no void of a goaf"),
    "NO_BLAST": ("无放炮记录", "no blast record"),
    "NO_BAROMETER": ("无大气压力数据", "no barometer"),
    "NO_FIRE_POINT": ("无一氧化碳与温度测点", "neither carbon monoxide nor temperature is measured"),
    "NO_DOOR_OR_FAN": ("无风门、风速与局部通风机测点", "no door, fan or air velocity is watched"),
    "NO_POSITIONING": ("无人员定位数据，或无适用的区域", "no positioning data, or no area that it holds for"),
    "NO_AIR_PATH": ("未登记通风路径", "the site file names no air path"),
    "NO_MAIN_FAN": ("未登记主要通风机", "the site file names no main fan"),
    "NO_FAN_PRESSURE": ("无主扇负压数据", "no usable pressure at the main fan"),
    "NO_AIR_BALANCE": ("未登记进、用、回风巷道", "the site file names no roads of the air balance"),
    "NO_LOCAL_FAN": ("未登记局部通风机", "the site file names no local fan"),
    "NO_TRACER": ("回风与进风甲烷差小于 0.1 %，无法判定循环风", "return and intake differ by under 0.1 % methane"),
    "NO_MEASURED_NODE": ("无各分支风量俱全的节点", "no junction with the air of all its roads measured"),
    "NO_TOXIC_GAS": ("无有毒气体测点", "no point of toxic gas"),
    "NO_HUMIDITY": ("无有效湿度", "no usable humidity"),
    "NO_TEMPERATURE": ("无有效温度", "no usable temperature"),
    "NO_CLIMATE_POINTS": ("无温度、湿度、风速齐全的区域", "no area has temperature, humidity and air velocity"),
    "NO_RULED_TEMPERATURE": ("采掘工作面与硐室无温度测点", "no face, heading or chamber has a temperature point"),
    "NO_AIR_VELOCITY": ("无有效风速", "no usable air velocity"),
    "NO_SEISMIC_EVENTS": ("无微震事件数据", "no microseismic events are sent"),
    "TOO_FEW_EVENTS": ("有效事件不足", "too few events"),
    "TOO_SHORT_A_TIME": ("事件跨度不足 24 小时", "the events span less than 24 hours"),
    "NO_SEISMIC_MOMENT": ("带地震矩的事件不足", "too few events with a seismic moment"),
    "NO_CUTTINGS_NORM": ("未登记正常钻屑量", "the site file states no normal cuttings for this area"),
    "NO_ROCK_STRESS": ("无钻屑与钻孔应力数据", "neither drill cuttings nor borehole stress are sent"),
    "NO_SUPPORT_PRESSURE": ("无支架阻力数据", "no support resistance is sent"),
    "NO_SUPPORT_RATING": ("未登记支架额定与安全阀压力", "the site file states no rating of the supports"),
    "FACE_STOPPED": ("工作面停采超过 8 小时", "the face has stood for more than 8 hours"),
    "NO_ROOF_POINT": ("无顶板离层与变形数据", "no roof separation or convergence is sent"),
    "NO_ROCK_FACTORS": ("未登记冲击地压影响因素", "the site file scores no rockburst factor"),
    "NO_AQUIFER_GRID": ("未登记含水层网格", "the site file holds no aquifer grid"),
    "NO_ROAD_STRENGTH": ("未登记隔水层强度或巷道宽度", "no strength of the floor or width of the road is stated"),
    "NO_INFLOW": ("无涌水量与排水数据", "no inflow or pumped water is sent"),
    "NO_WELL": ("无观测孔水位数据", "no water level of an observation well is sent"),
    "NO_RAIN_GAUGE": ("无降雨数据", "no rainfall is sent"),
    "NO_WATER_SAMPLE": ("无水化学样品", "no water sample"),
    "NO_WATER_SOURCES": ("未登记水源水化学样品", "the site file names no samples of known water sources"),
    "NO_DISPLACEMENT": ("无位移数据", "no displacement is sent"),
    "NOT_ACCELERATING": ("位移未加速，无破坏时间", "it does not accelerate: there is no time of failure"),
    "NO_CONSTANT_STAGE": ("无等速变形阶段速率", "the velocity of the constant stage is not known"),
    "NO_PIEZOMETER": ("无浸润线数据", "no phreatic line is sent"),
    "NO_CONTROL_LINE": ("未登记控制浸润线埋深或坝高", "the site file states no control depth and no dam"),
    "CLOGGED_TUBE": ("测压管 30 d 不随库水位变化，疑似堵塞", "the tube has not followed the pond for 30 days: clogged"),
    "DRIFTED": ("与人工测量相差过大，疑似漂移", "it differs from the manual measurement: drifted"),
    "NO_DAM": ("未登记尾矿坝参数", "the site file names no tailings dam"),
    "NO_POND_LEVEL": ("无库水位与干滩数据", "no pond level or beach length is sent"),
    "NO_TAILINGS_ITEM": ("尾矿库无可汇总的监测项", "no item of the tailings pond has a level"),
    "NO_INSAR": ("无 InSAR 记录", "no InSAR record"),
    "NO_VIBRATION": ("无振动数据", "no vibration is sent"),
    "NO_MACHINE_CLASS": ("未登记设备振动分组", "the site file states no vibration group of this machine"),
    "SLOW_MACHINE": ("转速低于 600 r/min，应采用位移判据", "under 600 r/min: displacement criteria hold instead"),
    "NOT_RUNNING": ("设备未运行", "the machine does not run"),
    "NO_BEARING_TEMPERATURE": ("无轴承与绕组温度数据", "no bearing or winding temperature is sent"),
    "NO_CURRENT": ("无电机电流数据", "no motor current is sent"),
    "NO_PHASES": ("缺少三相电流", "not all three phases are measured"),
    "NO_BELT_SPEED": ("无带速与滚筒速度数据", "belt and drum speed are not both sent"),
    "NO_PROCESS_UNIT": ("未登记化工装置单元", "the site file names no process unit"),
    "NOT_CONFIGURED": ("未配置本厂数值", "the plant has set no value for it"),
    "NOT_PROVEN": ("无数据，视为未确认", "no data, so not proven"),
    "NO_MACHINE": ("无设备状态数据", "no machine sends its condition"),
    "NO_AQUICLUDE": ("无有效隔水层", "no aquiclude is left"),
    "STARTING": ("设备启动中，暂不判定", "the machine is starting, not judged yet"),
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
        scenario: shipped scenario of a mine, or `plant:` and one of a plant, that drives it to level 2 or more.
        edges: what happens at the edges of what it can say.
        without_steps: why no row of schemas/levels says where its levels begin; '' where one does.
        without_scenario: why no scenario drives it to level 2; '' where one does.
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
    without_steps: str = ""
    without_scenario: str = ""


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
    missing = nw.concat_str(place, nw.lit(colon), nw.lit(unknown_words(index, language)), why, nw.lit(end))
    # A finding with a hole in it says nothing; then the reason does.
    return nw.coalesce(nw.when(~nw.col("level").is_null()).then(found), missing)


def unknown_words(index: Index, language: Literal["zh", "en"]) -> str:
    """What stands before the reason where an index is not known."""
    return f"{index.name_zh}无法判定，" if language == "zh" else f"{index.name_en} not known, "


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
) -> nw.Expr:
    """Highest step that the value is at or over; a step that is null holds for nothing.

    Null where the value is null.
    """
    level = nw.lit(NORMAL)
    for step_level, step in ((BLUE, blue), (YELLOW, yellow), (ORANGE, orange), (RED, red)):
        if step is not None:
            level = nw.when((value >= step).fill_null(False)).then(nw.lit(step_level)).otherwise(level)
    return nw.when(~value.is_null()).then(level)


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

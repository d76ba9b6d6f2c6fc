"""Heat at the place of work: wet-bulb globe (H-01), effective temperature (H-02) and the dry-bulb rule (H-03)."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.gas_analyses import described
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import minute_grid, window_minutes
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.pipelines.rounding import rounded

WINDOW_MIN = 10
# Work whose weight no site file states counts as heavy, all the time: the safe side.
USUAL_WORK = "III-100"
_AREA = ["mine_code", "area_id"]


def wet_bulb_c(temperature_c: nw.Expr, humidity_pct: nw.Expr) -> nw.Expr:
    """Wet-bulb temperature [℃] from air temperature [℃] and relative humidity [%] at sea level (Stull 2011).

    Good to 1 K from 5 to 99 % and −20 to 50 ℃; null outside.
    """
    t, rh = temperature_c, humidity_pct
    found = (
        t * arctan(0.151977 * (rh + 8.313659).sqrt())
        + arctan(t + rh)
        - arctan(rh - 1.676331)
        + 0.00391838 * rh * rh.sqrt() * arctan(0.023101 * rh)
        - 4.686035
    )
    return nw.when((rh >= 5) & (rh <= 99) & (t >= -20) & (t <= 50)).then(found)


# Minimax polynomial of arctan on [0, 1] in odd powers (Abramowitz & Stegun 4.4.49, error under 2e-8).
_ARCTAN = (
    0.0028662257, -0.0161657367, 0.0429096138, -0.0752896400, 0.1065626393, -0.1420889944, 0.1999355085, -0.3333314528,
)  # fmt: skip
_HALF_PI = 1.5707963267948966


def arctan(x: nw.Expr) -> nw.Expr:
    """arctan [rad]: an expression on either engine, which Narwhals has none for."""
    size = x.abs()
    is_large = size > 1
    z = nw.when(is_large).then(1 / nw.max_horizontal(size, nw.lit(1.0))).otherwise(size)
    square = z * z
    series = nw.lit(_ARCTAN[0])
    for factor in _ARCTAN[1:]:
        series = series * square + factor
    angle = z + z * square * series
    angle = nw.when(is_large).then(_HALF_PI - angle).otherwise(angle)
    return nw.when(x < 0).then(-angle).otherwise(angle)


def wet_bulb_globe_c(natural_wet_bulb_c: nw.Expr, globe_c: nw.Expr) -> nw.Expr:
    """WBGT = 0.7·T_nwb + 0.3·T_g [℃], underground and indoors (GBZ 2.2, ISO 7243)."""
    return 0.7 * natural_wet_bulb_c + 0.3 * globe_c


def effective_temperature_c(temperature_c: nw.Expr, humidity_pct: nw.Expr, velocity_m_s: nw.Expr) -> nw.Expr:
    """ET = 37 − (37 − T)/[0.68 − 0.0014·RH + 1/(1.76 + 1.4·v^0.75)] − 0.29·T·(1 − 0.01·RH) [℃] (Missenard)."""
    t, rh = temperature_c, humidity_pct
    v = velocity_m_s.abs()
    cooling = 0.68 - 0.0014 * rh + 1 / (1.76 + 1.4 * (v.sqrt() * v.sqrt().sqrt()))
    return 37 - (37 - t) / cooling - 0.29 * t * (1 - 0.01 * rh)


H_01 = Index(
    id="H-01",
    name_zh="湿球黑球温度",
    name_en="wet-bulb globe temperature",
    unit="℃",
    minutes=WINDOW_MIN,
    source="GBZ 2.2: limits by weight of work and share of time, recalled; steps ahead of them own",
    confidence="inferred",
    doc=(
        "Heat that a worker has to bear, from temperature and humidity of an area, ten-minute means. Red at the limit "
        "of the work done there (heavy work all the time: 26 ℃, where the site file says nothing), orange from 1 K, "
        "yellow from 2 K below it."
    ),
    formula=r"WBGT = 0.7\,T_{nwb} + 0.3\,T_g, \quad T_g \approx T",
    reads=("temperature [℃]", "humidity [%RH]"),
    scenario="hot_face",
    edges=(
        "no globe thermometer: air temperature stands for it, under 1 K off where little radiates",
        "wet bulb after Stull 2011, from 5 to 99 % humidity; over 99 % it is the air's own temperature",
    ),
)
H_02 = Index(
    id="H-02",
    name_zh="有效温度",
    name_en="effective temperature",
    unit="℃",
    minutes=WINDOW_MIN,
    source="Missenard's formula, recalled; own steps",
    confidence="advisory",
    doc=(
        "Temperature of still, wet air that feels alike, from temperature, humidity and velocity of an area, ten-minute"
        " means: yellow from 28, orange from 30, red from 32 ℃."
    ),
    formula=(r"ET = 37 - \frac{37 - T}{0.68 - 0.0014\,RH + \frac{1}{1.76 + 1.4\,v^{0.75}}} - 0.29\,T\,(1 - 0.01\,RH)"),
    reads=("temperature [℃]", "humidity [%RH]", "air velocity [m/s]"),
    scenario="hot_face",
    edges=("velocity counts whichever way the air flows",),
)
H_03 = Index(
    id="H-03",
    name_zh="作业地点气温",
    name_en="dry-bulb rule",
    unit="℃",
    minutes=WINDOW_MIN,
    source="Coal Mine Safety Regulation: temperatures of faces and machine chambers",
    confidence="confirmed",
    doc=(
        "Highest temperature of a face, a heading or a machine chamber, ten-minute means. Over 26 ℃ (chamber 30 ℃) "
        "hours are to be shortened: orange; from 30 ℃ (chamber 34 ℃) work is to stop: red."
    ),
    formula=r"T > 26\,(30)\ ℃ \Rightarrow \text{shorten}, \quad T \ge 30\,(34)\ ℃ \Rightarrow \text{stop}",
    reads=("temperature [℃]",),
    scenario="hot_face",
    edges=("at 26 ℃ (chamber 30 ℃) exactly nothing is to be done", "other places have no such rule"),
)
# Kinds of area that have a dry-bulb rule.
RULED = ("longwall_face", "heading", "chamber")


def climate(inputs: Inputs, *quantities: str) -> nw.LazyFrame:
    """Mean of each quantity by area and ten minutes, for areas that have a sensor of each, with coverage."""
    points = inputs.points.filter(nw.col("quantity").is_in(list(quantities)))
    equipped = points.group_by(*_AREA).agg(nw.col("quantity").n_unique().alias("_kinds"))
    areas = described(inputs, equipped.filter(nw.col("_kinds") == len(quantities)).select(*_AREA))
    rows = window_minutes(inputs, *quantities)
    window = (nw.col("minute_no") // WINDOW_MIN).cast(nw.Int64).alias("_window")
    mean, quantity = nw.col("mean"), nw.col("quantity")
    # The hottest point of an area counts, of the others the mean.
    by_minute = rows.with_columns(window).group_by(*_AREA, "_window", "minute_no").agg(
        *(
            (nw.when(quantity == name).then(mean).max() if name == "temperature" else
             nw.when(quantity == name).then(mean).mean()).alias(name)
            for name in quantities
        ),
        *(nw.when(quantity == name).then(nw.col("coverage")).max().alias(f"_{name}") for name in quantities),
    )  # fmt: skip
    together = by_minute.group_by(*_AREA, "_window").agg(
        *(rounded(nw.col(name).mean()).alias(name) for name in quantities),
        least(*(nw.col(f"_{name}").fill_null(0.0) for name in quantities)).mean().alias("coverage"),
    )
    grid = minute_grid(inputs, step=WINDOW_MIN).with_columns(window)
    rows = areas.join(grid, how="cross").join(together, on=[*_AREA, "_window"], how="left")
    return rows.with_columns(
        nw.col("coverage").fill_null(0.0),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )


def least(first: nw.Expr, *others: nw.Expr) -> nw.Expr:
    """The least of one or more; Spark's own wants two."""
    return nw.min_horizontal(first, *others) if others else first


def _missing(*quantities: str) -> nw.Expr:
    reasons = {"temperature": "NO_TEMPERATURE", "humidity": "NO_HUMIDITY", "air_velocity": "NO_AIR_VELOCITY"}
    code = nw.lit(None, dtype=nw.String)
    for name in quantities:
        code = nw.when(nw.col(name).is_null()).then(nw.lit(reasons[name])).otherwise(code)
    return code


def h01(inputs: Inputs) -> nw.LazyFrame:
    """Wet-bulb globe temperature by area and ten minutes."""
    work = [
        {"mine_code": mine, "area_id": each.area_id, "_work": f"{each.workload}-{each.exposure_pct}"}
        for mine, site in inputs.sites.items()
        for each in (site.heat_works if site else ())
    ]
    schema = pa.schema([("mine_code", pa.string()), ("area_id", pa.string()), ("_work", pa.string())])
    rows = climate(inputs, "temperature", "humidity").join(inputs.frame(work, schema), on=_AREA, how="left")
    temperature, humidity = nw.col("temperature"), nw.col("humidity")
    wet = nw.when(humidity > 99).then(temperature).otherwise(wet_bulb_c(temperature, humidity))
    rows = rows.with_columns(wet.alias("_wet"), nw.col("_work").fill_null(USUAL_WORK))
    rows = rows.with_columns(rounded(wet_bulb_globe_c(nw.col("_wet"), temperature)).alias("_wbgt"))
    wbgt = nw.col("_wbgt")
    rows = judged(inputs, rows, H_01.id, (nw.col("_work"), wbgt))
    return _rows(
        rows, H_01, wbgt, _missing("temperature", "humidity"),
        {
            "temperature_c": number(temperature, 1), "humidity_pct": number(humidity, 1),
            "wet_bulb_c": number(nw.col("_wet"), 1), "work": quoted(nw.col("_work")),
        },
        ("湿球黑球温度 ", "wet-bulb globe "),
    )  # fmt: skip


def h02(inputs: Inputs) -> nw.LazyFrame:
    """Effective temperature by area and ten minutes."""
    rows = climate(inputs, "temperature", "humidity", "air_velocity")
    temperature, humidity, velocity = nw.col("temperature"), nw.col("humidity"), nw.col("air_velocity")
    rows = rows.with_columns(rounded(effective_temperature_c(temperature, humidity, velocity)).alias("_et"))
    rows = judged(inputs, rows, H_02.id, ("", nw.col("_et")))
    return _rows(
        rows, H_02, nw.col("_et"), _missing("temperature", "humidity", "air_velocity"),
        {
            "temperature_c": number(temperature, 1), "humidity_pct": number(humidity, 1),
            "velocity_m_s": number(velocity, 2),
        },
        ("有效温度 ", "effective temperature "),
    )  # fmt: skip


def h03(inputs: Inputs) -> nw.LazyFrame:
    """Temperature of faces, headings and chambers against the rule, by ten minutes."""
    rows = climate(inputs, "temperature").filter(nw.col("area_kind").is_in(list(RULED)))
    temperature, kind = nw.col("temperature"), nw.col("area_kind")
    rule = nw.when(kind == "chamber").then(nw.lit("chamber")).otherwise(nw.lit("face"))
    rows = rows.with_columns(rule.alias("_rule"))
    of_kind = {name: nw.when(nw.col("_rule") == name).then(temperature) for name in ("face", "chamber")}
    steps = [(f"{name}{end}", value) for name, value in of_kind.items() for end in ("", "_stop")]
    rows = judged(inputs, rows, H_03.id, *steps)
    return _rows(
        rows, H_03, temperature, _missing("temperature"), {"rule": quoted(nw.col("_rule"))},
        ("气温 ", "air temperature "), legal=nw.col("level") > 0,
    )  # fmt: skip


def _rows(
    rows: nw.LazyFrame,
    index: Index,
    value: nw.Expr,
    reason: nw.Expr,
    inputs: dict[str, nw.Expr],
    words: tuple[str, str],
    legal: nw.Expr | None = None,
) -> nw.LazyFrame:
    zh, en = words
    amount = number(value, 1)
    return index_rows(
        rows,
        index,
        value=value,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=reason,
        legal=legal,
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs=inputs,
        finding_zh=nw.concat_str(nw.lit(zh), amount, nw.lit(" ℃")),
        finding_en=nw.concat_str(nw.lit(en), amount, nw.lit(" ℃")),
    )

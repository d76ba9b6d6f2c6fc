"""Microseismic events of an area: energy and frequency (R-01), b-value (R-02), chance of a large one (R-03), strain
release (R-04) and energy index (R-05).

Each row tells of the 24 hours (R-02, R-03: of the last 200 events) that end with its hour.
"""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import placed
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import NORMAL, ORANGE, Index, index_rows, number
from minefusion.pipelines.hazard.seismic_activity import LEAST_B_EVENTS, LEAST_B_HOURS, LEAST_MOMENTS

# The apparent volume grows fast from so many times its usual daily growth: our own start value.
VOLUME_GROWTH = 2.0

# ── R-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

R_01 = Index(
    id="R-01",
    name_zh="微震日能量与频次",
    name_en="microseismic daily energy and frequency",
    unit="J",
    minutes=60,
    source="start values of energy, to be replaced by the site's own; deviation: Energies 2021, 14, 1186",
    confidence="advisory",
    doc=(
        "Energy of the events of the last 24 hours in an area. Judged by the strongest event, by how far the day's "
        "energy stands above the mean of the 30 days before (per metre of advance where it is told), and by abnormal "
        "quiet: under 0.3 of the usual number on three days in a row, a notice, a caution while the face advances."
    ),
    formula=r"\Sigma E=\sum_{24\,h}E_i,\quad D_E=\frac{\Sigma E-\bar E_{30}}{\bar E_{30}},\quad"
    r" z=\frac{\lg\Sigma E-\mathrm{med}}{1.4826\,\mathrm{MAD}}",
    reads=(
        "energy of microseismic events [J]",
        "uptime of the network (field record) [%]",
        "face advance (field record) [m]",
        "blasts (field record)",
    ),
    edges=(
        "blasts, told by the system or within a minute of a blast record of the area, are left out",
        "a day with the network up for less than 75 % has no value, one above is scaled up; orange and red stand",
        "no advance told: quiet is a notice, no caution",
        "fewer than 7 earlier days: no deviation",
    ),
    scenario="rockburst",
)


def r01(history: History) -> nw.LazyFrame:
    """Energy and frequency by area and hour."""
    rows = history.seismicity
    quiet, advance = nw.col("quiet_ratio"), nw.col("advance_m")
    advances = (advance > 0).fill_null(False)
    rows = judged(
        history,
        rows,
        "R-01",
        ("strongest_event", nw.col("strongest_j")),
        ("deviation", nw.col("energy_deviation")),
        ("quiet_advancing", nw.when(advances).then(quiet)),
        ("quiet", nw.when(advance.is_null()).then(quiet)),
    )
    energy, strongest = nw.col("energy_j"), nw.col("strongest_j")
    return index_rows(
        placed(history, rows),
        R_01,
        value=energy,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        inputs={
            "events": number(nw.col("events"), 1),
            "strongest_j": number(strongest, 0),
            "energy_deviation": number(nw.col("energy_deviation"), 3),
            "event_deviation": number(nw.col("event_deviation"), 3),
            "energy_z": number(nw.col("energy_z"), 2),
            "per_metre_of_advance": _true_false("per_metre"),
            "quiet_ratio": number(quiet, 3),
            "advance_m": number(advance, 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        stands_from=ORANGE,
        finding_zh=nw.concat_str(
            nw.lit("24 h 微震 "), number(nw.col("events"), 0), nw.lit(" 次，总能量 "), number(energy, 0),
            nw.lit(" J，最大 "), number(strongest, 0), nw.lit(" J"),
        ),
        finding_en=nw.concat_str(
            number(nw.col("events"), 0), nw.lit(" microseismic events in 24 h, "), number(energy, 0),
            nw.lit(" J in all, "), number(strongest, 0), nw.lit(" J the strongest"),
        ),
    )  # fmt: skip


#

R_02 = Index(
    id="R-02",
    name_zh="b值",
    name_en="b-value",
    unit="ratio",
    minutes=60,
    source="Tinti and Mulargia 1987, Shi and Bolt 1982; start values of the drop",
    confidence="advisory",
    doc=(
        "Slope of frequency over magnitude of the area's last 200 complete events, exact for rounded magnitudes. It "
        "falls where large events grow more frequent. Yellow where it lies more than 2 standard errors under that of "
        "the events before (or the site's own), orange at 3 while the day's energy rises. It never alarms alone."
    ),
    formula=r"b=\frac{\ln\left(1+\Delta m/(\bar m-m_c)\right)}{\Delta m\,\ln 10},\quad"
    r"\sigma_b=2.30\,b^2\sqrt{\frac{\sum(m_i-\bar m)^2}{n(n-1)}}",
    reads=("magnitude of microseismic events, or their energy [J]",),
    edges=(
        "completeness by maximum curvature + 0.2; smaller events are left out",
        "magnitudes rounded to 0.1 and the estimate for binned values: without it b is far too high",
        "fewer than 50 complete events: null",
        "the events span under 24 h: the drop is not judged",
        "without a magnitude it is taken from the energy",
    ),
    scenario="rockburst",
)


def r02(history: History) -> nw.LazyFrame:
    """b-value by area and hour."""
    drop, b = nw.col("b_drop_sigma"), nw.col("b")
    usable = nw.when(nw.col("b_hours") >= LEAST_B_HOURS).then(drop)
    rises = (nw.col("energy_rises") == 1).fill_null(False)
    rows = judged(
        history, history.seismicity, "R-02",
        ("drop", usable), ("drop_with_rising_energy", nw.when(rises).then(usable)),
    )  # fmt: skip
    few = nw.col("b_events").fill_null(0) < LEAST_B_EVENTS
    short = (nw.col("b_hours") < LEAST_B_HOURS).fill_null(False)
    reason = (
        nw.when(few)
        .then(nw.lit("TOO_FEW_EVENTS"))
        .otherwise(nw.when(short).then(nw.lit("TOO_SHORT_A_TIME")).otherwise(nw.lit("NO_HISTORY")))
    )
    against_zh = nw.concat_str(nw.lit("，参照值 "), number(nw.col("b_reference")))
    against_en = nw.concat_str(nw.lit(", before "), number(nw.col("b_reference")))
    return index_rows(
        placed(history, rows),
        R_02,
        value=b,
        level=nw.col("level"),
        reason=reason,
        inputs={
            "sigma": number(nw.col("b_sigma"), 3),
            "events": number(nw.col("b_events"), 0),
            "complete_from": number(nw.col("complete_from"), 2),
            "reference": number(nw.col("b_reference"), 3),
            "drop_in_sigma": number(drop, 2),
            "span_h": number(nw.col("b_hours"), 1),
            "energy_rises": _true_false("energy_rises"),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("b 值 "), number(b), nw.lit(" ± "), number(nw.col("b_sigma")), against_zh),
        finding_en=nw.concat_str(nw.lit("b-value "), number(b), nw.lit(" ± "), number(nw.col("b_sigma")), against_en),
    )


R_03 = Index(
    id="R-03",
    name_zh="大能量事件概率",
    name_en="chance of a large event",
    unit="ratio",
    minutes=60,
    source="Gutenberg–Richter extrapolation; own start values",
    confidence="advisory",
    doc=(
        "Probability of an event of 1 MJ (or of the site's own magnitude) within the next day, extrapolated from rate "
        "and b-value of the last 200 events, with the band that the error of b gives."
    ),
    formula=r"P=1-\exp\left(-\lambda_{m_c}\,T\,10^{-b(m-m_c)}\right)",
    reads=("magnitude of microseismic events, or their energy [J]",),
    edges=("fewer than 50 complete events: null", "the band b ± σ is told beside the value"),
    scenario="rockburst",
)


def r03(history: History) -> nw.LazyFrame:
    """Chance of a large event by area and hour."""
    chance = nw.col("large_chance")
    rows = judged(history, history.seismicity, "R-03", ("", chance))
    band = [number(100 * nw.col(f"large_chance_{side}"), 1) for side in ("low", "high")]
    return index_rows(
        placed(history, rows),
        R_03,
        value=chance,
        level=nw.col("level"),
        reason=nw.lit("TOO_FEW_EVENTS"),
        inputs={
            "low": number(nw.col("large_chance_low"), 4),
            "high": number(nw.col("large_chance_high"), 4),
            "magnitude": number(nw.col("large_magnitude"), 2),
            "days": number(nw.col("ahead_days"), 1),
            "b": number(nw.col("b"), 3),
            "events": number(nw.col("b_events"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("今后 "), number(nw.col("ahead_days"), 0), nw.lit(" d 内发生大能量事件的概率 "),
            number(100 * chance, 1), nw.lit(" %（"), band[0], nw.lit("～"), band[1], nw.lit(" %）"),
        ),
        finding_en=nw.concat_str(
            nw.lit("chance of a large event within "), number(nw.col("ahead_days"), 0), nw.lit(" d "),
            number(100 * chance, 1), nw.lit(" % ("), band[0], nw.lit(" to "), band[1], nw.lit(" %)"),
        ),
    )  # fmt: skip


# ── R-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

R_04 = Index(
    id="R-04",
    name_zh="微震应变能释放",
    name_en="Benioff strain release",
    unit="ratio",
    minutes=60,
    source="Advances in Civil Engineering 2020, 1048624, for the stress equivalent; own start values of the ratio",
    confidence="advisory",
    doc=(
        "Strain that events released in the last 24 hours (sum of the roots of their energies) against the mean day of "
        "the 30 days before: over 1 it accelerates, near 0 it is quiet. Beside it the total stress equivalent, where "
        "the site states the area, and a power-law fit of the last seven days."
    ),
    formula=r"\varepsilon=\sum\sqrt{E_i},\quad \sigma_{eq}=\frac{\sum\sqrt{E_i}}{S\,T},\quad"
    r" \varepsilon(t)=A+B(t_c-t)^m,\quad r=\varepsilon_{24}/\bar\varepsilon_{30}",
    reads=("energy of microseismic events [J]", "area of the seismic zone (site file) [m2]"),
    edges=(
        "fewer than 7 days before: null",
        "no area in the site file: no stress equivalent, the ratio does not need it",
        "fewer than 20 events in seven days: no fit",
    ),
    scenario="rockburst",
)


def r04(history: History) -> nw.LazyFrame:
    """Strain release by area and hour."""
    ratio = nw.col("strain_ratio")
    rows = judged(history, history.seismicity, "R-04", ("", ratio))
    return index_rows(
        placed(history, rows),
        R_04,
        value=ratio,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.lit("NO_HISTORY"),
        inputs={
            "strain_24h": number(nw.col("strain"), 1),
            "stress_equivalent": number(nw.col("stress_equivalent"), 6),
            "days_to_critical": number(nw.col("days_to_failure"), 2),
            "exponent": number(nw.col("exponent"), 1),
            "fit_r2": number(nw.col("release_r2"), 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("24 h 应变释放为此前日均的 "), number(ratio), nw.lit(" 倍")),
        finding_en=nw.concat_str(
            nw.lit("strain release of 24 h is "), number(ratio), nw.lit(" of the mean day before")
        ),
    )


# ── R-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

R_05 = Index(
    id="R-05",
    name_zh="能量指数与视体积",
    name_en="energy index and apparent volume",
    unit="ratio",
    minutes=60,
    source="van Aswegen and Butler 1993, Mendecki 1997; own start values",
    confidence="advisory",
    doc=(
        "Energy of the last day's events against the usual one for their moment, fitted on the site's own month. Over "
        "1 and rising, stress builds up (yellow); a fall of the index while the apparent volume grows fast tells of "
        "instability (orange). A back-analysis of 14 events found it to miss and to alarm falsely often: it is "
        "one finding among others, never a verdict."
    ),
    formula=r"EI=\frac{E}{10^{c+d\lg M_0}},\quad \sigma_a=\frac{\mu E}{M_0},\quad V_a=\frac{M_0^2}{2\mu E}",
    reads=("energy of microseismic events [J]", "seismic moment [N·m]", "shear modulus (site file) [Pa]"),
    edges=(
        "fewer than 30 events with a moment in 30 days: null",
        "no event in the last 24 h: null",
        "the shear modulus scales stress and volume, not the index",
    ),
    scenario="rockburst",
)


def r05(history: History) -> nw.LazyFrame:
    """Energy index by area and hour."""
    index, before, ratio = nw.col("energy_index"), nw.col("energy_index_before"), nw.col("energy_index_ratio")
    growth = nw.col("volume_growth")
    rises = (index > before).fill_null(False)
    falls = nw.when((growth >= VOLUME_GROWTH).fill_null(False)).then(ratio)
    rows = judged(history, history.seismicity, "R-05", ("", nw.when(rises).then(index)), ("fall", falls))
    rows = rows.with_columns(nw.when(~index.is_null()).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    few = nw.col("moments").fill_null(0) < LEAST_MOMENTS
    return index_rows(
        placed(history, rows),
        R_05,
        value=index,
        level=nw.col("level"),
        reason=nw.when(few).then(nw.lit("NO_SEISMIC_MOMENT")).otherwise(nw.lit("TOO_FEW_EVENTS")),
        inputs={
            "before": number(before, 3),
            "apparent_stress_pa": number(nw.col("stress_pa"), 0),
            "cumulative_apparent_volume_m3": number(nw.col("volume_m3"), 0),
            "volume_growth": number(growth, 2),
            "events_with_moment": number(nw.col("moments"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("能量指数 "), number(index), _before("，此前 ", before)),
        finding_en=nw.concat_str(nw.lit("energy index "), number(index), _before(", before ", before)),
    )


def _before(word: str, value: nw.Expr) -> nw.Expr:
    return nw.concat_str(nw.lit(word), number(value)).fill_null("")


def _true_false(name: str) -> nw.Expr:
    """JSON text of a 0 or 1."""
    return nw.when((nw.col(name) == 1).fill_null(False)).then(nw.lit("true")).otherwise(nw.lit("false"))

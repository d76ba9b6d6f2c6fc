"""The report's drawings as inline SVG: gas curves, hazard timeline, head counts, states of fans and doors.

Drawn by ourselves because the page must be static, small, bilingual inside the drawing and free of requests: the usual
libraries draw pictures in one language or need their script beside the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import numpy as np

from minefusion.serving.report import levels
from minefusion.serving.report.curve import Floats, gaps, kept_extremes, spans, steps, stretches
from minefusion.serving.report.facts import Facts, Point, Row
from minefusion.serving.report.markup import Text, escaped, number, quantity, same, svg_text

WIDTH = 1080.0
LEFT, RIGHT = 54.0, 14.0
TIMELINE_LEFT, TIMELINE_RIGHT = 176.0, 184.0
TITLE = 24.0  # height of a lane's title
LANE, LOW_LANE, STATE, ROW, AXIS = 92.0, 44.0, 28.0, 26.0, 22.0
# Height of a timeline bar: the level reads without its colour.
BAR = {1: 8.0, 2: 12.0, 3: 16.0, 4: 20.0}
# Less room than this, and a letter, a label, two lines of names or a few words do not fit.
ROOM_LETTER, ROOM_LABEL, ROOM_LINE, ROOM_WORDS = 13.0, 34.0, 14.0, 140.0
# A head count is a snapshot a minute; so long may one stand for what follows.
LONGEST_COUNT_S = 180.0
# Forecasts come each minute; farther apart than this, one is missing.
LONGEST_FORECAST_S = 180.0

QUANTITY = {
    "ch4": Text("甲烷", "methane"),
    "co": Text("一氧化碳", "carbon monoxide"),
    "o2": Text("氧气", "oxygen"),
    "co2": Text("二氧化碳", "carbon dioxide"),
    "air_velocity": Text("风速", "air velocity"),
    "main_fan": Text("主要通风机", "main fan"),
    "aux_fan": Text("局部通风机", "local fan"),
    "air_door": Text("风门", "air door"),
    "duct_state": Text("风筒", "air duct"),
    "power_cutoff": Text("断电器", "power cut-off"),
    "feed_detector": Text("馈电", "feed"),
}
# What 1 and 0 mean for each kind of switch.
STATES = {
    "main_fan": (Text("运行", "running"), Text("停", "stopped")),
    "aux_fan": (Text("运行", "running"), Text("停", "stopped")),
    "air_door": (Text("开", "open"), Text("关", "shut")),
    "duct_state": (Text("有风", "with air"), Text("无风", "without air")),
    "power_cutoff": (Text("复电", "power on"), Text("断电", "power cut")),
    "feed_detector": (Text("有电", "live"), Text("无电", "dead")),
}


@dataclass(frozen=True)
class TimeAxis:
    """Seconds since the shift's start → x."""

    seconds: float
    left: float = LEFT
    right: float = WIDTH - RIGHT

    def x(self, at_s: float) -> float:
        return self.left + (self.right - self.left) * min(max(at_s / self.seconds, 0.0), 1.0)

    def width(self, start_s: float, end_s: float) -> float:
        return self.x(end_s) - self.x(start_s)

    @property
    def seconds_a_pixel(self) -> float:
        return self.seconds / (self.right - self.left)


@dataclass(frozen=True)
class ValueAxis:
    """Value → y, from `low` at the bottom to `high` at `top`."""

    low: float
    high: float
    top: float
    height: float = LANE

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - (value - self.low) / (self.high - self.low))

    def ticks(self, values: Sequence[float]) -> str:
        """Numbers left of the lane; the outermost stay inside its height."""
        bottom = self.top + self.height
        return "".join(
            svg_text(f"{value:g}", LEFT - 6, min(max(self.y(value) + 4, self.top + 9), bottom), "axis", "end")
            for value in values
        )


@dataclass(frozen=True)
class Stay:
    """A span of one level in one area: seconds from the shift's start."""

    start_s: float
    end_s: float
    level: int | None


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def timeline_figure(facts: Facts, areas: Sequence[str], label: str) -> str:
    """Levels by area: the higher the bar the worse, hatched where data is insufficient."""
    axis = TimeAxis(facts.seconds, TIMELINE_LEFT, WIDTH - TIMELINE_RIGHT)
    parts = [hours(facts, axis, 0, len(areas) * ROW)]
    for index, area_id in enumerate(areas):
        bottom = (index + 1) * ROW - 3
        held = stays(facts, area_id)
        worst = worst_of(held)
        tone = "x" if worst is None else str(worst)
        told = levels.WORDS[worst]
        if worst != levels.NORMAL:
            told += same(f" {number(minutes_at(held, worst))} min")
        x = axis.right + 8
        parts.append(svg_text(_short(facts.area(area_id).name), TIMELINE_LEFT - 10, bottom - 5, "lane", "end"))
        parts += [bar(axis, stay, bottom) for stay in held]
        parts.append(f'<use href="#lv{tone}" x="{x:.1f}" y="{bottom - 16:.1f}" width="13" height="13"/>')
        parts.append(svg_text(told, x + 18, bottom - 5, f"ink-{tone}"))
        parts.append(line(0, bottom + 3, WIDTH, bottom + 3, "grid"))
    return drawing(len(areas) * ROW + AXIS, parts, label)


def gas_figure(facts: Facts, area_id: str, points: Sequence[Point], label: str) -> tuple[str, int]:
    """Gas lanes of one area, with its switches and head count on one time axis; and how many samples are hidden."""
    axis = TimeAxis(facts.seconds)
    parts: list[str] = []
    y, hidden = 0.0, 0
    for point in points:
        lane, not_drawn = _gas_lane(facts, axis, point, y)
        parts.append(lane)
        hidden += not_drawn
        y += TITLE + LANE
    for point in facts.switches:
        if point.row["area_id"] == area_id:
            parts.append(_state_lane(facts, axis, point, y))
            y += STATE
    people = _counts(facts, area_id)
    if people:
        name = Text("区域人数", "people in the area")
        parts.append(_count_lane(facts, axis, name, people, facts.area(area_id).cap, y))
        y += TITLE + LOW_LANE
    return drawing(y + AXIS, [hours(facts, axis, TITLE, y), *parts], label), hidden


def people_figure(facts: Facts, areas: Sequence[str], label: str) -> str:
    """Head count of the whole mine, then of each of `areas`."""
    axis = TimeAxis(facts.seconds)
    whole = Text("井下总人数", "people underground")
    parts = [_count_lane(facts, axis, whole, facts.underground, facts.underground_cap, 0.0)]
    for index, area_id in enumerate(areas, start=1):
        area, top = facts.area(area_id), index * (TITLE + LOW_LANE)
        parts.append(_count_lane(facts, axis, area.name, _counts(facts, area_id), area.cap, top))
    height = (len(areas) + 1) * (TITLE + LOW_LANE)
    return drawing(height + AXIS, [hours(facts, axis, TITLE, height), *parts], label)


def switches_figure(facts: Facts, label: str) -> str:
    """Every switch that changed, as bars on one time axis."""
    axis = TimeAxis(facts.seconds)
    parts = [_state_lane(facts, axis, point, index * STATE) for index, point in enumerate(facts.switches)]
    height = len(facts.switches) * STATE + 6
    return drawing(height + AXIS, [hours(facts, axis, 4, height), *parts], label)


# ── levels over time ────────────────────────────────────────────────────────────────────────────────────────────────


def stays(facts: Facts, area_id: str) -> list[Stay]:
    """The area's levels as spans; a minute without a row is a minute without sufficient data, not a normal one."""
    known = {row["minute"]: row["level"] for row in facts.minutes.get(area_id, [])}
    minutes = int(facts.seconds // 60)
    by_minute = [known.get(facts.window.start + timedelta(minutes=index)) for index in range(minutes)]
    found, start = [], 0
    for level, run in groupby(by_minute):
        end = start + len(list(run))
        found.append(Stay(60.0 * start, 60.0 * end, level))
        start = end
    return found


def worst_of(held: Sequence[Stay]) -> int | None:
    """The worst level reached; None only where data was insufficient throughout."""
    return max((stay.level for stay in held if stay.level is not None), default=None)


def minutes_at(held: Sequence[Stay], level: int | None) -> float:
    return sum(stay.end_s - stay.start_s for stay in held if stay.level == level) / 60


def alarm_span(facts: Facts, alarm: Row) -> tuple[float, float]:
    """Seconds from the shift's start at which an alarm began and ended, cut to the shift."""
    start, cleared = max(facts.since_start_s(alarm["raised_at"]), 0.0), alarm["cleared_at"]
    return start, min(facts.since_start_s(cleared), facts.seconds) if cleared else facts.seconds


# ── lanes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _gas_lane(facts: Facts, axis: TimeAxis, point: Point, top: float) -> tuple[str, int]:
    """One point's curve with its limits, gaps and quality; and how many samples are not drawn one by one."""
    row, samples, unit = point.row, point.samples, point.row["unit"]
    at_s, value = samples.at_s[samples.usable], samples.value[samples.usable]
    scale = _gas_axis(row, value, top + TITLE)
    is_low = _counts_downwards(row)
    title = same(f"{point.place} · ") + QUANTITY.get(row["quantity"], same(row["quantity"])) + same(f" {unit or ''}")
    parts = [
        rect(axis.left, scale.top, axis.right - axis.left, LANE, "plot"),
        svg_text(title, axis.left, top + 15, "lane"),
        svg_text(point.point_id, axis.right, top + 15, "axis", "end"),
        *_alarm_bands(facts, axis, point.point_id, scale.top),
        *_quality_bands(axis, point, scale.top),
        *_forecast_bands(axis, scale, point),
        scale.ticks((scale.low, (scale.low + scale.high) / 2, scale.high)),
        *_gap_marks(axis, point, scale.top + LANE),
    ]
    drawn = 0
    for stretch in stretches(at_s, point.longest_s):
        keep = kept_extremes(at_s[stretch], value[stretch], axis.seconds_a_pixel)
        parts.append(_curve(axis, scale, at_s[stretch][keep], value[stretch][keep]))
        drawn += len(keep)
    parts += _limit_lines(axis, scale, row, value)
    for start, end in spans(at_s, samples.having("SATURATED")[samples.usable], point.longest_s, point.period_s):
        told = Text("超量程", "over range") + same(f" ≥ {quantity(row['range_high'], unit)}")
        parts.append(rect(axis.x(start), scale.top, axis.width(start, end), 5, "saturated"))
        parts.append(_beside(told, axis, axis.x(start), scale.top + 18, "quality-name"))
    if len(value):
        worst = int(value.argmin() if is_low else value.argmax())
        if not samples.having("SATURATED")[samples.usable][worst]:  # over range, the true value is not known
            parts.append(_peak(facts, axis, scale, float(at_s[worst]), float(value[worst]), unit))
    extent = f'data-low="{scale.low:g}" data-high="{scale.high:g}"'
    lane = f'<g class="gas-lane" data-point="{escaped(point.point_id)}" {extent}>'
    return f"{lane}{''.join(parts)}</g>", len(at_s) - drawn


def _counts_downwards(row: Row) -> bool:
    """Of oxygen the low values are the bad ones."""
    return row["alarm"] is None and row["low_alarm"] is not None


def _limits(row: Row) -> list[tuple[float, Text, int]]:
    """(value, name, level it stands for) of each limit that holds at the point; equal ones are one line."""
    alarm, cut, low = row["alarm"], row["cut"], row["low_alarm"]
    if alarm is not None and alarm == cut:
        return [(alarm, Text("报警、断电", "alarm, cut-off"), 4)]
    named = [(alarm, Text("报警", "alarm"), 3), (cut, Text("断电", "cut-off"), 4), (low, Text("下限", "low"), 3)]
    return [(value, name, level) for value, name, level in named if value is not None]


def _gas_axis(row: Row, values: Floats, top: float) -> ValueAxis:
    """From zero to beyond the highest limit and the peak; where only a low limit counts (oxygen), around the values."""
    peak = float(values.max()) if len(values) else 0.0
    if _counts_downwards(row):
        low = min(row["low_alarm"], float(values.min()) if len(values) else row["low_alarm"])
        return ValueAxis(math.floor(low - 1), math.ceil(max(peak, low) + 1), top)
    highest = max((limit for limit, _, _ in _limits(row)), default=0.0)
    return ValueAxis(0.0, _nice_ceiling(max(1.08 * peak, 1.25 * highest)), top)


def _nice_ceiling(value: float) -> float:
    """The next 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 or 10 times a power of ten, at or above `value`."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * unit >= value - 1e-9)


def _limit_lines(axis: TimeAxis, scale: ValueAxis, row: Row, value: Floats) -> list[str]:
    """Limits as dashed lines: grey until something reaches them, then in the colour of what that means."""
    is_low = _counts_downwards(row)
    lines = sorted(_limits(row), key=lambda each: -each[0])
    parts, above = [], scale.top
    for limit, name, level in lines:
        y = scale.y(limit)
        reached = len(value) > 0 and (value.min() <= limit if is_low else value.max() >= limit)
        told = name + same(f" {quantity(limit, row['unit'])}")
        parts.append(_limit_line(axis, y, y - above > ROOM_LINE, told, level if reached else None))
        above = y
    return parts


def _limit_line(axis: TimeAxis, y: float, is_free_above: bool, told: Text, level: int | None) -> str:
    """A dashed line named above it, or beneath where there is no room; `level` where it is reached."""
    dashed = line(axis.left, y, axis.right, y, "limit" if level is None else f"limit over-{level}")
    name_y = y - 3.5 if is_free_above else y + 12
    return dashed + svg_text(told, axis.left + 4, name_y, "limit-name" if level is None else f"limit-name ink-{level}")


def _forecast_bands(axis: TimeAxis, scale: ValueAxis, point: Point) -> Iterator[str]:
    """The interval that was forecast, as a shade behind the curve; broken where no forecast was made."""
    if point.forecast is None:
        return
    at_s, low, high = point.forecast.at_s, point.forecast.low, point.forecast.high
    for stretch in stretches(at_s, LONGEST_FORECAST_S):
        x = [f"{axis.x(s):.1f}" for s in at_s[stretch].tolist()]
        edges = (
            [f"{scale.y(min(max(v, scale.low), scale.high)):.2f}" for v in edge[stretch].tolist()]
            for edge in (low, high)
        )
        lower, upper = ([f"{a},{b}" for a, b in zip(x, y, strict=True)] for y in edges)
        yield f'<polygon class="forecast" points="{" ".join([*upper, *reversed(lower)])}"/>'


def _curve(axis: TimeAxis, scale: ValueAxis, at_s: Floats, value: Floats) -> str:
    """A line through samples that follow each other without a gap; a lone sample is a dot."""
    corners = [f"{axis.x(s):.1f},{scale.y(v):.2f}" for s, v in zip(at_s.tolist(), value.tolist(), strict=True)]
    if len(corners) == 1:
        x, _, y = corners[0].partition(",")
        return f'<circle class="dot" cx="{x}" cy="{y}" r="1.2"/>'
    return f'<polyline class="series" points="{" ".join(corners)}"/>'


def _alarm_bands(facts: Facts, axis: TimeAxis, point_id: str, top: float) -> list[str]:
    """A wash behind the curve for as long as the point's alarm stood."""
    bands = []
    for alarm in reversed(facts.alarms):  # the worst on top
        if alarm["point_id"] == point_id:
            start, end = alarm_span(facts, alarm)
            bands.append(rect(axis.x(start), top, max(axis.width(start, end), 1.5), LANE, f"wash-{alarm['level']}"))
    return bands


def _quality_bands(axis: TimeAxis, point: Point, top: float) -> list[str]:
    """Calibration and doubtful data, hatched: they are told and raise no level."""
    samples = point.samples
    calibrating = samples.having("CALIBRATION")
    doubtful = ~samples.usable & ~calibrating & ~np.isnan(samples.value)
    bands = []
    for holds, name in ((calibrating, Text("标校", "calibration")), (doubtful, Text("存疑", "doubtful"))):
        for start, end in spans(samples.at_s, holds, point.longest_s, point.period_s):
            width = axis.width(start, end)
            bands.append(rect(axis.x(start), top, max(width, 1.5), LANE, "doubt"))
            if width >= ROOM_LABEL:
                bands.append(svg_text(name, axis.x(start) + 3, top + LANE - 14, "quality-name"))
    return bands


def _gap_marks(axis: TimeAxis, point: Point, bottom: float) -> list[str]:
    """A bracket where no value came, with its length."""
    marks = []
    came = ~np.isnan(point.samples.value)
    for start, end in gaps(point.samples.at_s[came], axis.seconds, point.longest_s):
        x1, x2, y = axis.x(start), axis.x(end), bottom - 4
        bracket = f"M{x1:.1f} {y - 3:.1f}v6M{x1:.1f} {y:.1f}H{x2:.1f}M{x2:.1f} {y - 3:.1f}v6"
        marks.append(f'<path class="gap" d="{bracket}"/>')
        if x2 - x1 >= ROOM_LABEL:
            minutes = number((end - start) / 60)
            told = Text(f"缺 {minutes} min", f"gap {minutes} min")
            marks.append(svg_text(told, (x1 + x2) / 2, y - 5, "quality-name", "middle"))
    return marks


def _peak(facts: Facts, axis: TimeAxis, scale: ValueAxis, at_s: float, value: float, unit: str | None) -> str:
    """A ring on the worst sample, with its stored value and time."""
    x, y = axis.x(at_s), scale.y(value)
    when = facts.local(facts.window.start) + timedelta(seconds=at_s)
    ring = f'<circle class="peak" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'
    label_y = y - 7 if y - 2 * ROOM_LINE > scale.top else y + 16
    return ring + _beside(same(f"{quantity(value, unit)} · {when:%H:%M:%S}"), axis, x + 5, label_y, "peak-name")


def _beside(text: Text, axis: TimeAxis, x: float, y: float, cls: str) -> str:
    """A label to the right of `x`, or to its left where the drawing ends."""
    if x > axis.right - ROOM_WORDS:
        return svg_text(text, x - 9, y, cls, "end")
    return svg_text(text, x + 3, y, cls)


def _state_lane(facts: Facts, axis: TimeAxis, point: Point, top: float) -> str:
    """A switch as a bar: filled while its state is 1, a thin line while 0, nothing where no sample says."""
    row, samples = point.row, point.samples
    held = steps(samples.at_s[samples.usable], samples.value[samples.usable], facts.seconds, point.longest_s)
    on_min = sum(end - start for start, end, state in held if state) / 60
    name = same(f"{point.place} · ") + QUANTITY.get(row["quantity"], same(row["quantity"]))
    parts = [
        svg_text(name, axis.left, top + 12, "lane"),
        svg_text(STATES[row["quantity"]][0] + same(f" {number(on_min)} min"), axis.right, top + 12, "axis", "end"),
    ]
    for start, end, state in held:
        x, width = axis.x(start), max(axis.width(start, end), 1.0)
        parts.append(rect(x, top + 18, width, 7, "on") if state else rect(x, top + 24, width, 1, "off"))
    return "".join(parts)


def _counts(facts: Facts, area_id: str) -> list[tuple[float, int]]:
    """(seconds, persons) of each minute in which the area's head count is known."""
    minutes = facts.minutes.get(area_id, [])
    return [(facts.since_start_s(m["minute"]), m["people_count"]) for m in minutes if m["people_count"] is not None]


def _count_lane(
    facts: Facts, axis: TimeAxis, name: Text, counts: Sequence[tuple[float, int]], cap: int | None, top: float
) -> str:
    """Persons over time as steps, with the cap."""
    at_s, count = np.array([at for at, _ in counts]), np.array([float(persons) for _, persons in counts])
    most = float(count.max()) if len(count) else 0.0
    scale = ValueAxis(0.0, _nice_ceiling(max(1.1 * most, 1.15 * (cap or 0), 1.0)), top + TITLE, LOW_LANE)
    held = steps(at_s, count, facts.seconds, LONGEST_COUNT_S)
    is_over = cap is not None and most > cap
    parts = [
        rect(axis.left, scale.top, axis.right - axis.left, LOW_LANE, "plot"),
        svg_text(name, axis.left, top + 15, "lane"),
        scale.ticks((0.0, scale.high)),
    ]
    if cap is not None:
        over = [(start, end) for start, end, persons in held if persons > cap]
        parts += [rect(axis.x(a), scale.top, max(axis.width(a, b), 1.0), LOW_LANE, "wash-3") for a, b in over]
        told = Text(f"核定 {number(cap)}", f"cap {number(cap)}")
        y = scale.y(cap)
        parts.append(_limit_line(axis, y, y - scale.top > ROOM_LINE, told, 3 if is_over else None))
    parts.append(_step_line(axis, scale, held))
    if len(count):
        when = facts.local(facts.window.start) + timedelta(seconds=float(at_s[count.argmax()]))
        told = Text(f"最多 {number(most)} 人 · {when:%H:%M}", f"most {number(most)} · {when:%H:%M}")
        parts.append(svg_text(told, axis.right, top + 15, "peak-name" if is_over else "axis", "end"))
    return "".join(parts)


def _step_line(axis: TimeAxis, scale: ValueAxis, held: Iterable[tuple[float, float, float]]) -> str:
    """A stepped line that stops where nothing is known."""
    drawn, last_end = "", None
    for start, end, value in held:
        y = f"{scale.y(value):.1f}"
        drawn += f"V{y}" if start == last_end else f"M{axis.x(start):.1f} {y}"
        drawn += f"H{axis.x(end):.1f}"
        last_end = end
    return f'<path class="steps" d="{drawn}"/>' if drawn else ""


def bar(axis: TimeAxis, stay: Stay, bottom: float) -> str:
    """A span of one level, standing on `bottom`."""
    x, width = axis.x(stay.start_s), axis.width(stay.start_s, stay.end_s)
    if stay.level is None:
        return rect(x, bottom - 14, width, 14, "unknown")
    if stay.level == levels.NORMAL:
        return rect(x, bottom - 2, width, 2, "calm")
    height = BAR[stay.level]
    drawn = rect(x, bottom - height, max(width, 1.5), height, f"bar s{stay.level}")
    if width >= ROOM_LETTER and height >= 12:
        drawn += svg_text(
            levels.LETTERS[stay.level], x + width / 2, bottom - height / 2 + 4, f"letter on-{stay.level}", "middle"
        )
    return drawn


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawing(height: float, parts: Iterable[str], label: str) -> str:
    """One SVG; `label` is the id of the heading that names it."""
    box = f'viewBox="0 0 {WIDTH:.0f} {height:.0f}"'
    return f'<svg class="chart" {box} role="img" aria-labelledby="{label}">{"".join(parts)}</svg>'


def rect(x: float, y: float, width: float, height: float, cls: str) -> str:
    """A rectangle of that class."""
    return f'<rect class="{cls}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> str:
    """A straight line of that class."""
    return f'<path class="{cls}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def hours(facts: Facts, axis: TimeAxis, top: float, bottom: float) -> str:
    """Hour lines from `top` to `bottom`, with the mine's clock beneath; of a long span every second hour or fewer."""
    start, end = facts.local(facts.window.start), facts.local(facts.window.end)
    step = timedelta(hours=max(1, math.ceil(axis.seconds / 3600 / 12)))
    tick = start.replace(minute=0, second=0, microsecond=0)
    parts = []
    while tick <= end:
        if tick >= start:
            x = axis.x((tick - start).total_seconds())
            anchor = "start" if x < axis.left + 18 else "end" if x > axis.right - 18 else "middle"
            parts += [line(x, top, x, bottom, "grid"), svg_text(f"{tick:%H:%M}", x, bottom + 15, "axis", anchor)]
        tick += step
    return "".join(parts)


def _short(name: Text) -> Text:
    """A name that fits the gutter; the table beneath the drawing has it whole."""
    return Text(_cut(name.zh, 12), _cut(name.en, 26))


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"

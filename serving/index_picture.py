"""One hazard index over time as a small SVG that stands by itself: its curve, its levels, and where they begin."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from minefusion.serving.report.markup import escaped

WIDTH, HEIGHT = 720.0, 240.0
LEFT, RIGHT, TOP, FOOT = 64.0, 12.0, 34.0, 44.0
STRIP = 10.0  # height of the strip of levels under the curve
# A curve is drawn through so many points at most; each stands for the highest and the lowest of its span.
MOST_POINTS = 360
# So few windows are drawn as steps, each as long as it lasts.
FEW = 100
_COLOURS = {0: "#8D969E", 1: "#2E6DC2", 2: "#F2C718", 3: "#EC7A08", 4: "#C4161C", None: "#D3D7DB"}
_STEP_COLOURS = {"blue": "#1B4684", "yellow": "#6B5400", "orange": "#874000", "red": "#8E0E12"}
_FONT = "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"
_TICKS_H = (0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0, 72.0, 120.0, 168.0)


@dataclass(frozen=True)
class Window:
    """One window of the index at one place."""

    start: datetime
    value: float | None
    level: int | None


def index_picture(title: str, unit: str, windows: Sequence[Window], steps: Mapping[str, float]) -> str:
    """The picture. Its `data-level` is the highest level that it shows.

    Args:
        windows: in order of time, at least one.
        steps: name of a level → the value at which it begins, for those that are drawn.
    """
    usual = windows[1].start - windows[0].start if len(windows) > 1 else timedelta(hours=1)
    begin, end = windows[0].start, windows[-1].start + usual
    span_s = max((end - begin).total_seconds(), 1.0)
    shown = [window.value for window in windows if window.value is not None]
    low, high = _span([*shown, *(step for step in steps.values() if _is_near(step, shown))])
    bottom = HEIGHT - FOOT

    def x(at: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - begin).total_seconds() / span_s

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * (value - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" font-family="{_FONT}" '
        f'font-size="12" role="img" data-level="{worst_level(windows)}">',
        f"<title>{escaped(title)}</title>",
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#F5F6F7"/>',
        f'<text x="{LEFT:.0f}" y="20" font-size="13" font-weight="700" fill="#14191E">{escaped(title)}</text>',
        *_value_axis(low, high, y, unit),
        *_time_axis(begin, span_s, x, bottom),
    ]
    for name, step in steps.items():
        if low <= step <= high:
            parts.append(
                f'<path d="M{LEFT:.1f} {y(step):.1f}H{WIDTH - RIGHT:.1f}" stroke="{_STEP_COLOURS[name]}" '
                'stroke-dasharray="6 4" fill="none"/>'
            )
    parts += _curve(windows, usual, x, y)
    parts += _strip(windows, usual, x, bottom)
    return "".join([*parts, "</svg>\n"])


def worst_level(windows: Sequence[Window]) -> int:
    """The highest level of all windows; 0 where none has one."""
    return max((window.level or 0 for window in windows), default=0)


def level_kept(picture: Path) -> int | None:
    """The highest level that a picture shows; None where there is no such picture."""
    found = re.search(r'data-level="(\d)"', picture.read_text(encoding="utf-8")) if picture.is_file() else None
    return int(found[1]) if found else None


def _is_near(step: float, shown: Sequence[float]) -> bool:
    """A step far outside what the index reached would press the curve flat."""
    if not shown:
        return True
    reach = max(max(shown) - min(shown), abs(max(shown, key=abs)), 1e-9)
    return min(shown) - reach <= step <= max(shown) + reach


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = 0.06 * (high - low) or max(abs(high) * 0.1, 0.5)
    return low - pad if low < 0 or low > 0.5 * high else min(low, 0.0), high + pad


def _curve(
    windows: Sequence[Window], usual: timedelta, x: Callable[[datetime], float], y: Callable[[float], float]
) -> list[str]:
    """The line through the values, in steps where the windows are few, broken where there is no value."""
    lasts = usual if len(windows) <= FEW else timedelta(0)
    path, is_begun = "", False
    for window in _thinned(windows):
        if window.value is None:
            is_begun = False
            continue
        path += f"{'L' if is_begun else 'M'}{x(window.start):.1f} {y(window.value):.1f}"
        path += f"H{x(window.start + lasts):.1f}" if lasts else "" if is_begun else "h.1"
        is_begun = True
    return [f'<path d="{path}" fill="none" stroke="#14191E" stroke-width="1.5" stroke-linecap="round"/>']


def _thinned(windows: Sequence[Window]) -> list[Window]:
    """At most MOST_POINTS windows: of each run of windows the lowest and the highest, in their order."""
    per = -(-2 * len(windows) // MOST_POINTS)
    if per <= 2:
        return list(windows)
    kept: list[Window] = []
    for at in range(0, len(windows), per):
        run = [(window.value, at + n) for n, window in enumerate(windows[at : at + per]) if window.value is not None]
        ends = {min(run)[1], max(run)[1]} if run else {at}
        kept += [windows[end] for end in sorted(ends)]
    return kept


def _strip(windows: Sequence[Window], usual: timedelta, x: Callable[[datetime], float], bottom: float) -> list[str]:
    """Runs of one level as a strip under the curve."""
    parts, run = [], [windows[0]]
    for window in [*windows[1:], None]:
        if window is not None and window.level == run[0].level:
            run.append(window)
            continue
        left, right = x(run[0].start), min(x(run[-1].start + usual), WIDTH - RIGHT)
        parts.append(
            f'<rect x="{left:.1f}" y="{bottom + 4:.1f}" width="{max(right - left, 0.8):.1f}" height="{STRIP:.0f}" '
            f'fill="{_COLOURS[run[0].level]}"/>'
        )
        if window is not None:
            run = [window]
    return parts


def _value_axis(low: float, high: float, y: Callable[[float], float], unit: str) -> list[str]:
    parts = []
    for tick in _ticks(low, high):
        parts.append(f'<path d="M{LEFT:.0f} {y(tick):.1f}H{WIDTH - RIGHT:.0f}" stroke="#D9DEE2" fill="none"/>')
        parts.append(f'<text x="{LEFT - 6:.0f}" y="{y(tick) + 4:.1f}" text-anchor="end" fill="#535D67">{tick:g}</text>')
    shown = "" if unit == "1" else escaped(unit)
    return [*parts, f'<text x="{WIDTH - RIGHT:.0f}" y="20" text-anchor="end" fill="#535D67">{shown}</text>']


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values."""
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)
    first = -int(-low // step) if low >= 0 else int(low // step)
    return [round(n * step, 10) for n in range(first, int(high // step) + 1) if low <= n * step <= high]


def _time_axis(begin: datetime, span_s: float, x: Callable[[datetime], float], bottom: float) -> list[str]:
    """Hours, or days, since the first window."""
    every = next((tick for tick in _TICKS_H if span_s / 3600 / tick <= 9), _TICKS_H[-1])
    parts = []
    for number in range(int(span_s / 3600 / every) + 1):
        hours = number * every
        told = f"{hours / 24:g} d" if every >= 24 else f"{hours:g} h"
        at = x(begin + timedelta(hours=hours))
        parts.append(f'<text x="{at:.1f}" y="{bottom + 32:.0f}" text-anchor="middle" fill="#535D67">{told}</text>')
    return parts

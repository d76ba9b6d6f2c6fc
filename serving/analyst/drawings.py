"""The analysts' drawings as inline SVG beside the report's: a matrix of cells over time, and bars against a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from minefusion.serving.analyst.mine_clock import MineClock
from minefusion.serving.report import levels
from minefusion.serving.report.charts import WIDTH, drawing, line, rect
from minefusion.serving.report.markup import Text, escaped, svg_text

LEFT, RIGHT, ROW, AXIS = 196.0, 8.0, 22.0, 20.0
# A letter in a cell needs so much room.
LETTER_ROOM = 12.0
BAR_ROW, BAR_LEFT, BAR_RIGHT = 26.0, 220.0, 150.0


Place = Callable[[datetime], float]  # instant → x


@dataclass(frozen=True)
class Cell:
    """One cell: `tone` is a class of the style sheet, `letter` stands in it, `told` is read on it, `link` opens it."""

    start: datetime
    end: datetime
    tone: str
    letter: Text | None = None
    told: str = ""
    link: str | None = None
    is_picked: bool = False


@dataclass(frozen=True)
class Lane:
    """A row of cells. `is_inner`: one of the rows that an open row shows."""

    name: Text
    cells: Sequence[Cell]
    is_inner: bool = False
    link: str | None = None


@dataclass(frozen=True)
class Bar:
    """A value, what it is held against, and what is written behind it."""

    name: Text
    value: float | None
    beside: float | None
    told: str


def level_cell(level: int | None, start: datetime, end: datetime, told: str, **more: object) -> Cell:
    """A cell of a risk level: letter and colour; hatched without data, empty where normal."""
    if level is None:
        return Cell(start, end, "unknown", None, told, **more)  # type: ignore[arg-type]
    tone = "none" if level == levels.NORMAL else f"s{level}"
    return Cell(start, end, tone, levels.LETTERS.get(level), told, **more)  # type: ignore[arg-type]


def matrix(lanes: Sequence[Lane], begin: datetime, end: datetime, clock: MineClock, label: str) -> str:
    """Lanes over one axis of time."""
    span_s = (end - begin).total_seconds()

    def x(at: datetime) -> float:
        share = min(max((at - begin).total_seconds() / span_s, 0.0), 1.0)
        return LEFT + (WIDTH - LEFT - RIGHT) * share

    parts = [*_ticks(begin, end, clock, x, len(lanes) * ROW)]
    for place, lane in enumerate(lanes):
        top = AXIS + place * ROW
        name = svg_text(
            _short(lane.name), 24.0 if lane.is_inner else 8.0, top + 15, "axis" if lane.is_inner else "lane"
        )
        parts.append(_linked(name, lane.link, ""))
        parts += [_cell(cell, x, top) for cell in lane.cells]
        parts.append(line(0, top + ROW, WIDTH, top + ROW, "grid"))
    return drawing(AXIS + len(lanes) * ROW + 4, parts, label)


def bars(rows: Sequence[Bar], label: str) -> str:
    """Bars on one scale from zero, each with a thin one beneath of what it is held against."""
    top_value = max((each for row in rows for each in (row.value, row.beside) if each is not None), default=1.0)
    scale = (WIDTH - BAR_LEFT - BAR_RIGHT) / (top_value or 1.0)
    parts = []
    for place, row in enumerate(rows):
        top = 4 + place * BAR_ROW
        parts.append(svg_text(_short(row.name), BAR_LEFT - 8, top + 15, "lane", "end"))
        if row.value is not None:
            parts.append(rect(BAR_LEFT, top + 3, max(row.value * scale, 1.0), 10, "on"))
        if row.beside is not None:
            parts.append(rect(BAR_LEFT, top + 15, max(row.beside * scale, 1.0), 4, "calm"))
        parts.append(svg_text(row.told, WIDTH - BAR_RIGHT + 8, top + 15, "axis"))
    return drawing(len(rows) * BAR_ROW + 8, parts, label)


def share_tone(share: float | None) -> str:
    """A grey that darkens with what is missing; hatched where nothing is known."""
    if share is None:
        return "unknown"
    return next(
        tone for least, tone in ((0.99, "lack-0"), (0.95, "lack-1"), (0.8, "lack-2"), (0.0, "lack-3")) if share >= least
    )


def count_tone(count: int | None, cap: int | None) -> str:
    """A grey that darkens with the share of the cap; outlined over it."""
    if count is None:
        return "unknown"
    if cap is not None and count > cap:
        return "over"
    if count == 0:
        return "none"
    share = count / cap if cap else 0.3
    return "lack-1" if share <= 1 / 3 else "lack-2" if share <= 2 / 3 else "lack-3"


def _cell(cell: Cell, x: Place, top: float) -> str:
    left, right = x(cell.start), x(cell.end)
    width = max(right - left, 1.0)
    tone = f"{cell.tone} picked" if cell.is_picked else cell.tone
    drawn = f"<title>{escaped(cell.told)}</title>" + rect(
        left + 0.5, top + 1.5, max(width - 1, 0.8), ROW - 3, f"cell {tone}"
    )
    if cell.letter is not None and width >= LETTER_ROOM:
        on = f"letter on-{cell.tone[1]}" if cell.tone.startswith("s") else "letter"
        drawn += svg_text(cell.letter, left + width / 2, top + 15, on, "middle")
    return _linked(drawn, cell.link, cell.told)


def _linked(drawn: str, link: str | None, told: str) -> str:
    if link is None:
        return f"<g>{drawn}</g>"
    return f'<a href="{escaped(link)}" aria-label="{escaped(told)}">{drawn}</a>'


def _ticks(begin: datetime, end: datetime, clock: MineClock, x: Place, height: float) -> Iterable[str]:
    """Lines of time at whole steps of the mine's clock."""
    hours = (end - begin) / timedelta(hours=1)
    step_h = next((each for each in (0.25, 0.5, 1, 2, 4, 8, 24, 48, 168, 744) if hours / each <= 12), 2000)
    step = timedelta(hours=step_h)
    midnight = clock.local(begin).replace(hour=0, minute=0, second=0, microsecond=0)
    tick = midnight + step * -((midnight - begin) // step)
    while tick <= end:
        at = x(tick)
        shown = f"{tick:%m-%d}" if step_h >= 24 else f"{tick:%H:%M}"
        anchor = "end" if at > WIDTH - 30 else "middle"
        yield line(at, AXIS, at, AXIS + height, "grid")
        yield svg_text(shown, at, 13, "axis", anchor)
        tick += step


def _short(name: Text) -> Text:
    return Text(_cut(name.zh, 14), _cut(name.en, 28))


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def merged(cells: Sequence[Cell]) -> list[Cell]:
    """Cells of one tone that follow each other as one, where they carry neither letter nor link."""
    found: list[Cell] = []
    for cell in cells:
        last = found[-1] if found else None
        is_plain = cell.link is None and cell.letter is None
        if last and is_plain and last.letter is None and last.tone == cell.tone and last.end == cell.start:
            found[-1] = Cell(last.start, cell.end, cell.tone, None, last.told)
        else:
            found.append(cell)
    return found

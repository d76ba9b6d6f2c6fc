"""Text in two languages and its way into HTML and SVG: everything that comes from data passes `escaped` once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from minefusion.serving.text import Text, same

# Characters that draw nothing and could only mislead: controls, and marks that turn the reading direction.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def escaped(words: object) -> str:
    """Data as inert text, for element content and for quoted attributes alike."""
    return html.escape(_UNSEEN.sub("", str(words)), quote=True)


def both(text: Text | str) -> str:
    """A text as HTML: one span a language, of which the page shows one. Words that are the same stand once."""
    if isinstance(text, str):
        return escaped(text)
    if text.zh == text.en:
        return escaped(text.zh)
    return (
        f'<span class="zh" lang="zh-CN">{escaped(text.zh)}</span><span class="en" lang="en">{escaped(text.en)}</span>'
    )


def svg_text(text: Text | str, x: float, y: float, cls: str = "", anchor: str = "start") -> str:
    """A text in a drawing."""
    words = same(text) if isinstance(text, str) else text
    shared = f'x="{x:.1f}" y="{y:.1f}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
    if words.zh == words.en:
        return f'<text class="{cls}" {shared}>{escaped(words.zh)}</text>'
    return (
        f'<text class="zh {cls}" lang="zh-CN" {shared}>{escaped(words.zh)}</text>'
        f'<text class="en {cls}" lang="en" {shared}>{escaped(words.en)}</text>'
    )


def columns(*names: str) -> list[Text]:
    """Names of columns, each given as `中文|English`."""
    return [Text(*name.split("|")) for name in names]


def table(head: Sequence[Text], rows: Iterable[Sequence[str]], numeric: Sequence[int] = (), cls: str = "") -> str:
    """A table of cells that are markup already; columns in `numeric` are set flush right."""

    def mark(index: int) -> str:
        return ' class="num"' if index in numeric else ""

    top = "".join(f'<th scope="col"{mark(i)}>{both(name)}</th>' for i, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{mark(i)}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table class="{cls}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


# Decimals by unit: a limit and the value beside it have the same.
_DECIMALS = {
    "%": 2, "m/s": 2, "℃": 1, "ppm": 0, "person": 0, "s": 0, "h": 1, "L/min": 1, "m3/min": 1, "%/min": 3, "1": 2,
}  # fmt: skip
_SHOWN_UNIT = {"℃": "°C", "m3/min": "m³/min", "person": "", "1": ""}


def number(value: float | None, decimals: int = 0) -> str:
    """A number with a true minus and thin spaces; null is a dash, never zero."""
    if value is None or value != value:
        return "—"
    return f"{value:,.{decimals}f}".replace(",", "\u2009").replace("-", "−")


def quantity(value: float | None, unit: str | None) -> str:
    """A value with its unit."""
    shown = _SHOWN_UNIT.get(unit or "", unit or "")
    told = number(value, _DECIMALS.get(unit or "", 2))
    return f"{told} {shown}" if shown and told != "—" else told


def share(part: float | None) -> str:
    """A share as per cent, rounded down so that what is not whole never reads 100 %."""
    return "—" if part is None or part != part else f"{int(part * 1000) / 10:.1f} %"


def lasting(minutes: float) -> Text:
    """A duration: minutes and seconds under an hour, else hours and minutes."""
    if minutes < 60:
        clock = f"{int(minutes):02d}:{round(minutes % 1 * 60) % 60:02d}"
        return Text(f"{clock}", f"{clock}")
    hours, rest = divmod(round(minutes), 60)
    return same(f"{hours} h {rest:02d} min")

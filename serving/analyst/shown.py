"""What a pane is drawn from, and the addresses of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import polars as pl

from minefusion.serving.analyst.view import Asked, Source
from minefusion.serving.report.markup import Text, both


@dataclass(frozen=True)
class Shown:
    """A question to a view with its answer: what its pane is drawn from. `link`: the page's address that asks it."""

    source: Source
    asked: Asked
    frame: pl.DataFrame
    link: str


def with_pick(link: str, **more: Any) -> str:
    """The same address with something picked; null takes a pick away."""
    parts = urlsplit(link)
    params = dict(parse_qsl(parts.query)) | {name: it for name, it in more.items() if it is not None}
    for name, it in more.items():
        if it is None:
            params.pop(name, None)
    return f"{parts.path}?{urlencode(params)}"


def note(words: str) -> str:
    """A line of prose, given as `中文|English`."""
    return f'<p class="note">{both(Text(*words.split("|")))}</p>'

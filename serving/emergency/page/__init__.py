"""The pages of the rescue commander and of the shift hand-over: server-rendered shells without data, open to anybody.

What they show comes from the API, to whoever is logged in. They ask no other address: mines have no internet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from minefusion.serving.alarms.classes import CHANNELS
from minefusion.serving.emergency.kinds import kinds
from minefusion.serving.report.markup import both, escaped
from minefusion.serving.text import Text

HERE = Path(__file__).parent
ADDRESSES = ("emergency", "handover")
# Files that the pages load, by the name in their address.
ASSETS = {
    **{name: HERE / name for name in ("page.css", "shown.js", "emergency.js", "handover.js")},
    "tokens.css": HERE.parents[1] / "tokens.css",
}
# `{{中文|English}}` in a shell stands for the words in both languages, of which the page shows one.
_WORDS = re.compile(r"\{\{([^|{}]+)\|([^{}]+)\}\}")
_ALWAYS_ASK = {"Cache-Control": "no-cache"}
# Nothing comes from elsewhere; the empty icon stands in the page itself.
_POLICY = (
    "default-src 'self'; img-src data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def serve(app: FastAPI) -> None:
    """Serve the pages at /emergency and /handover."""
    for address in ADDRESSES:
        app.add_api_route(f"/{address}", partial(_page, address), include_in_schema=False)

    @app.get("/emergency/files/{name}", include_in_schema=False)
    def asset(name: str) -> Response:
        if name not in ASSETS:
            raise HTTPException(404, "not there")
        return FileResponse(ASSETS[name], headers=_ALWAYS_ASK)


@cache
def shell(address: str) -> str:
    """A page without data."""
    page = (HERE / f"{address}.html").read_text("utf-8")
    page = page.replace("<!-- kinds -->", _options(kinds()))
    page = page.replace("<!-- channels -->", _options(CHANNELS))
    return _WORDS.sub(lambda words: both(Text(words[1], words[2])), page)


def _page(address: str) -> Response:
    return HTMLResponse(shell(address), headers=_ALWAYS_ASK | {"Content-Security-Policy": _POLICY})


def _options(choices: Mapping[str, Text]) -> str:
    """An option holds no markup, so it names both languages."""
    return "".join(
        f'<option value="{escaped(name)}">{escaped(text.zh)} · {escaped(text.en)}</option>'
        for name, text in choices.items()
    )

"""The console's files over HTTP: they hold no data, so they need no login."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).parent
ADDRESS = "/console"
# Where the files lie: the page's own, and what `make setup` brings by npm (fonts, ECharts, uPlot).
FOLDERS = {f"{ADDRESS}/vendor": HERE / "vendor", ADDRESS: HERE / "page"}
# Colours and type are those of the report.
TOKENS = HERE.parent / "tokens.css"

# The page may run and show only what comes from this service; pictures and clips it holds in memory besides.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Pages(StaticFiles):
    """Files of one folder; a browser asks each time whether its copy is the newest."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response


def serve(app: FastAPI) -> None:
    """Serve the console at /console; / leads there."""

    @app.get(f"{ADDRESS}/tokens.css", include_in_schema=False)
    def tokens() -> Response:
        return FileResponse(TOKENS, headers={"Cache-Control": "no-cache"})

    for address, folder in FOLDERS.items():
        app.mount(address, Pages(directory=folder, html=True, check_dir=False), name=address)

    @app.get("/", include_in_schema=False)
    def to_console() -> Response:
        return RedirectResponse(f"{ADDRESS}/")

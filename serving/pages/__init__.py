"""What all pages share, under one address: the login of a browser's tab, markup from
data, and the links from each page to the others.

Open without a login, as the pages' other files are: nothing here holds data.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, Response

HERE = Path(__file__).parent
FILES = ("html.js", "links.js", "session.js")


def serve(app: FastAPI) -> None:
    """Serve the shared modules at /pages."""

    @app.get("/pages/{name}", include_in_schema=False)
    def shared(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404, "not there")
        return FileResponse(HERE / name, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

"""The analysts' page: static files, open without a login; all data comes through the API."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

from minefusion.serving.api.problems import not_there

router = APIRouter(prefix="/analyse", include_in_schema=False)

_FILES = {
    "analyse.js": ("analyst/static/analyse.js", "text/javascript"),
    "saving.js": ("analyst/static/saving.js", "text/javascript"),
    "sql.js": ("analyst/static/sql.js", "text/javascript"),
    "words.js": ("analyst/static/words.js", "text/javascript"),
    "analyse.css": ("analyst/static/analyse.css", "text/css"),
    "icon.svg": ("analyst/static/icon.svg", "image/svg+xml"),
    "report.css": ("report/report.css", "text/css"),
    "tokens.css": ("tokens.css", "text/css"),
}


@router.get("/static/{name}")
def static(name: str) -> Response:
    if name not in _FILES:
        raise not_there("此文件", "file of the page")
    path, media_type = _FILES[name]
    return Response(_text(path), media_type=f"{media_type}; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("")
@router.get("/{path:path}")
def page(path: str = "") -> Response:  # noqa: ARG001 - what is shown is read from the address by the page itself
    return Response(_text("analyst/static/analyse.html"), media_type="text/html; charset=utf-8")


def _text(path: str) -> str:
    return files("minefusion.serving").joinpath(*path.split("/")).read_text("utf-8")

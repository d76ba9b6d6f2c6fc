"""Pictures and clips of what was seen on video, out of the lake's own folder of evidence and from nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from minefusion.schemas import gold, silver
from minefusion.serving.api.problems import not_there
from minefusion.serving.api.service import API, Caller, Serving, mines_asked

router = APIRouter(prefix=API, tags=["video"])

FOLDER = "evidence"
# What a browser shows and never runs: kind → ending → media type.
_MEDIA = {"snapshot": {".jpg": "image/jpeg", ".png": "image/png"}, "clip": {".mp4": "video/mp4"}}
_URI = {"snapshot": "snapshot_uri", "clip": "clip_uri"}


@router.get("/evidence/{event_id}/{kind}", summary="事件的图片或录像 · Picture or clip of an event on video")
def evidence(
    service: Serving,
    user: Caller,
    event_id: str,
    kind: Literal["snapshot", "clip"],
    mine: Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32)],
) -> Response:
    """Of events in `unsafe-behaviours` and `behaviours`; what a sender names that lies elsewhere is not fetched."""
    mines_asked(user, mine)
    for table in (gold.UNSAFE_BEHAVIOUR, silver.VIDEO_EVENT):
        rows = service.reader.sql(
            f"SELECT {_URI[kind]} AS uri FROM {table.name} WHERE mine_code = $mine AND event_id = $event LIMIT 1",
            mine=mine,
            event=event_id,
        )
        for row in rows:
            path = _inside(service.reader.lake, row["uri"])
            if path is not None and (media := _MEDIA[kind].get(path.suffix.lower())):
                return FileResponse(path, media_type=media, headers={"Cache-Control": "private, max-age=3600"})
    raise not_there("此证据", "evidence")


def _inside(lake: Path, uri: str | None) -> Path | None:
    """The file that the address names, where it lies in the folder of evidence; null where it does not."""
    folder = (lake / FOLDER).resolve()
    try:
        path = (lake / uri).resolve() if uri else folder
    except (OSError, ValueError):  # an address that cannot be one of a file
        return None
    return path if path.is_relative_to(folder) and path.is_file() else None

"""Analysts' views: each an endpoint that answers as JSON, as a pane of a page, or as a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from minefusion.serving.accounts.roles import may
from minefusion.serving.accounts.users import User
from minefusion.serving.analyst.exports import MEDIA, as_file
from minefusion.serving.analyst.hazards import STEPS_MIN
from minefusion.serving.analyst.mine_clock import clock_of, site_of
from minefusion.serving.analyst.panes import pane
from minefusion.serving.analyst.view import Asked, Source, View
from minefusion.serving.analyst.views import GROUPS, VIEWS
from minefusion.serving.api.alarms import alarms_between
from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked, write_down_look

PATH = f"{API}/analysis"
PAGE = "/analyse"
MOST_ROWS = 100_000
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_PYTHON: dict[str, Any] = {"string": str, "double": float, "int": int, "long": int, "boolean": bool}
Format = Literal["json", "html", "csv", "parquet", "xlsx"]


def router() -> APIRouter:
    """An endpoint for each view, and one that names them."""
    made = APIRouter(prefix=PATH, tags=["analysis"])
    made.add_api_route("", catalogue, methods=["GET"], summary="分析视图目录 · The views")
    for view in VIEWS.values():
        made.add_api_route(
            f"/{view.path}",
            _endpoint(view),
            methods=["GET"],
            name=view.path,
            summary=f"{view.text.zh} · {view.text.en}",
            description=view.about.en,
            responses={200: {"content": {kind: {} for kind in ("text/html", *MEDIA.values())}}},
        )
    return made


def catalogue(user: Caller) -> Response:
    """The views that the caller's role may see, in their groups, with what each may be asked and its columns."""
    rows = [
        {
            "path": view.path,
            "group": view.group,
            "group_zh": GROUPS[view.group].zh,
            "group_en": GROUPS[view.group].en,
            "zh": view.text.zh,
            "en": view.text.en,
            "about_zh": view.about.zh,
            "about_en": view.about.en,
            "narrows": [
                {"name": name, "type": _column(view, name).type, "zh": _column(view, name).zh} for name in view.narrows
            ],
            "takes": list(view.takes),
            "usual_h": view.usual / timedelta(hours=1),
            "longest_h": view.longest / timedelta(hours=1),
            "columns": [
                {"name": each.name, "type": each.type, "unit": each.unit, "zh": each.zh, "doc": each.doc}
                for each in view.columns
            ],
        }
        for view in VIEWS.values()
        if may(user.role, "GET", f"{PATH}/{view.path}")
    ]
    return Json({"rows": rows, "steps_min": STEPS_MIN})


def source_for(service: Service, user: User, mine: str) -> Source:
    """The lake as one user may see one mine of it."""
    site = site_of(service.reader.lake, mine)
    return Source(
        reader=service.reader,
        mine=mine,
        clock=clock_of(site),
        person_key=service.person_key,
        sees_names=user.sees_names,
        index_names=service.index_names,
        alarms=lambda begin, end: alarms_between(service, frozenset({mine}), begin, end),
        approved_hours=site.approved_hours if site else None,
    )


def _endpoint(view: View) -> Any:
    params = _params(view)

    def answer(
        service: Serving,
        user: Caller,
        query: Annotated[params, Query()],  # type: ignore[valid-type]
    ) -> Response:
        return _answer(service, user, view, query)

    answer.__annotations__["query"] = Annotated[params, Query()]
    return answer


def _answer(service: Service, user: User, view: View, query: Any) -> Response:
    mines_asked(user, query.mine)
    if view.is_of_persons:
        write_down_look(service, user, view.path.replace("/", "."), frozenset({query.mine}))
    begin, end = span_of(service, query.begin, query.end, view.usual, view.longest)
    step = getattr(query, "step_min", None)
    asked = Asked(
        query.mine,
        begin,
        end,
        {name: it for name in view.narrows if (it := getattr(query, name)) is not None},
        getattr(query, "level_min", None) or 0,
        bool(getattr(query, "legal_only", None)),
        timedelta(minutes=step) if step else None,
        query.pick,
        query.pick_index,
        query.at.astimezone(UTC) if query.at and query.at > EARLIEST else None,
    )
    source = source_for(service, user, query.mine)
    frame = view.answer(source, asked)
    if len(frame) > MOST_ROWS:
        raise ProblemError(
            413,
            f"结果 {len(frame)} 行，超过 {MOST_ROWS} 行：请缩短时段或增加条件",
            f"expected {MOST_ROWS} rows at most, got {len(frame)}: shorten the span, or fix a column",
        )
    link = link_to(view, asked)
    if query.format == "json":
        return Json(
            {"rows": frame.to_dicts(), "from": begin, "to": end, "link": link, "clock": source.clock.utc_offset_h}
        )
    if query.format == "html":
        return Response(pane(view, source, asked, frame, link), media_type="text/html; charset=utf-8")
    return file_of(frame, query.format, view, source, asked)


def file_of(frame: pl.DataFrame, kind: str, view: View, source: Source, asked: Asked) -> Response:
    """The rows as a file to be kept."""
    local = source.clock.local
    about = [
        f"{view.text.zh} · {view.text.en}",
        view.about.zh,
        view.about.en,
        f"{source.mine} {local(asked.begin).isoformat()} – {local(asked.end).isoformat()}",
        link_to(view, asked),
    ]
    stem = (
        f"{view.path.replace('/', '-')}_{source.mine}_{local(asked.begin):%Y%m%dT%H%M}_{local(asked.end):%Y%m%dT%H%M}"
    )
    safe = "".join(each if each.isalnum() or each in "-_" else "-" for each in stem)
    headers = {"Content-Disposition": f'attachment; filename="{safe.encode("ascii", "replace").decode()}.{kind}"'}
    return Response(as_file(frame, kind, view.columns, about, source.clock), media_type=MEDIA[kind], headers=headers)


def link_to(view: View, asked: Asked) -> str:
    """The page's address that opens this view with this question again."""
    params: dict[str, Any] = {"mine": asked.mine, "from": asked.begin.isoformat(), "to": asked.end.isoformat()}
    params |= {name: str(it).lower() if isinstance(it, bool) else it for name, it in asked.only.items()}
    params |= {"level_min": asked.level_min} if asked.level_min else {}
    params |= {"legal_only": "true"} if asked.is_legal_only else {}
    params |= {"step_min": int(asked.step / timedelta(minutes=1))} if asked.step else {}
    params |= {name: it for name in ("pick", "pick_index") if (it := getattr(asked, name)) is not None}
    params |= {"at": asked.at.isoformat()} if asked.at else {}
    return f"{PAGE}/{view.path}?{urlencode(params)}"


def span_of(
    service: Service, begin: datetime | None, end: datetime | None, usual: timedelta, longest: timedelta
) -> tuple[datetime, datetime]:
    """The span that a question means, in UTC; it goes no farther than now."""
    now = service.room.clock()
    end = min(end, now) if end else now.replace(microsecond=0)
    if end < EARLIEST or (begin is not None and begin < EARLIEST):
        raise ProblemError(422, f"时段不早于 {EARLIEST.year} 年", f"expected a span after {EARLIEST.year}")
    begin = end - usual if begin is None else begin
    if not timedelta(0) < end - begin <= longest:
        hours = longest / timedelta(hours=1)
        raise ProblemError(
            422,
            f"时段须大于 0、不超过 {hours:g} 小时，且不在将来",
            f"expected from before to and before now, {hours:g} hours at most, got {begin.isoformat()} to "
            f"{end.isoformat()}",
        )
    return begin.astimezone(UTC), end.astimezone(UTC)


def _column(view: View, name: str) -> Any:
    return next(each for each in view.columns if each.name == name)


def _params(view: View) -> type[BaseModel]:
    """What may be asked of a view."""
    hours = view.usual / timedelta(hours=1)
    fields: dict[str, Any] = {
        "mine": (str, Field(..., max_length=32, description="煤矿编码 · Mine.")),
        "begin": (
            AwareDatetime | None,
            Field(None, alias="from", description=f"without it {hours:g} h before the end"),
        ),
        "end": (AwareDatetime | None, Field(None, alias="to", description="not included; without it, or later: now")),
        "format": (Format, Field("json", description="json, html (a pane of the page), csv, parquet or xlsx")),
    }
    for name in ("pick", "pick_index"):
        fields[name] = (str | None, Field(None, max_length=128, description="页面另示 · What the page shows beside."))
    fields["at"] = (AwareDatetime | None, Field(None, description="页面另示的时刻 · Its instant."))
    for name in view.narrows:
        column = _column(view, name)
        kind = _PYTHON[column.type]
        limits: dict[str, Any] = {"ge": -(2**31), "le": 2**31 - 1} if kind is int else {}
        fields[name] = (kind | None, Field(None, description=f"{column.zh} · {column.doc}", **limits))
    if "level_min" in view.takes:
        fields["level_min"] = (int | None, Field(None, ge=0, le=4, description="等级 ≥ · Level at least."))
    if "is_legal_only" in view.takes:
        fields["legal_only"] = (bool | None, Field(None, description="只看超法定限值 · Only over the legal limit."))
    if "step" in view.takes:
        fields["step_min"] = (Literal[*STEPS_MIN] | None, Field(None, description="时间格 · Cell of time [min]."))
    return create_model(f"Ask_{view.path.replace('/', '_')}", __config__=ConfigDict(extra="forbid"), **fields)

"""An analyst's own SQL: tables with their columns, saved questions, and the answer as JSON or file."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from minefusion.schemas.facts import rows
from minefusion.schemas.table import Column
from minefusion.serving.accounts.users import User
from minefusion.serving.analyst.exports import MEDIA, as_file
from minefusion.serving.analyst.mine_clock import MineClock
from minefusion.serving.analyst.query import LONGEST, MOST_ROWS, MOST_S, ask, tables, visible
from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving
from minefusion.serving.journal.tables import JOURNAL

router = APIRouter(prefix=f"{API}/sql", tags=["sql"])

# Each question has a process of its own with memory to match; more at once would take the machine from the alarms.
AT_ONCE = 2
_running = threading.BoundedSemaphore(AT_ONCE)
SAVED, DROPPED = "query.saved", "query.dropped"

Name = Annotated[str, Field(min_length=1, max_length=80)]
Sql = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Question(BaseModel):
    """`utc_offset_h`: the clock on which instants stand in CSV and XLSX."""

    model_config = ConfigDict(extra="forbid")
    query: Sql
    format: Literal["json", "csv", "parquet", "xlsx"] = "json"
    utc_offset_h: Annotated[float, Field(ge=-14, le=14)] = 8.0


class Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Name
    query: Sql


@dataclass(frozen=True)
class Example:
    name_zh: str
    name_en: str
    query: str


@router.post(
    "",
    summary="只读 SQL · Read-only SQL over your mines",
    responses={200: {"content": {each: {} for each in MEDIA.values()}}},
)
def run(service: Serving, user: Caller, body: Question) -> Response:
    """One reading statement over tables named `layer.table`; `is_cut` where there are more rows than the limit."""
    if not _running.acquire(blocking=False):
        raise ProblemError(
            429, "正在运行的查询已满，请稍后再试", f"{AT_ONCE} questions run already; again soon", {"Retry-After": "5"}
        )
    try:
        answer = ask(service.reader.lake, service.reader.root, body.query, user.mines)
    finally:
        _running.release()
    frame = answer.frame
    if body.format == "json":
        told = {"columns": frame.columns, "rows": [list(row) for row in frame.iter_rows()], "is_cut": answer.is_cut}
        return Json(told | {"limits": {"rows": MOST_ROWS, "seconds": MOST_S}})
    columns = [Column(name, "string", str(kind), "") for name, kind in frame.schema.items()]
    cut = [f"只含前 {MOST_ROWS} 行 · the first {MOST_ROWS} rows only"] if answer.is_cut else []
    about = ["SQL", body.query, *cut]
    content = as_file(frame, body.format, columns, about, MineClock(body.utc_offset_h))
    headers = {
        "Content-Disposition": f'attachment; filename="query.{body.format}"',
        "X-Is-Cut": str(answer.is_cut).lower(),
    }
    return Response(content, media_type=MEDIA[body.format], headers=headers)


@router.get("/tables", summary="可查的表 · Tables that may be asked, with their columns")
def described(_: Caller) -> Response:
    told = [
        {
            "name": table.name,
            "zh": table.zh,
            "doc": table.doc,
            "columns": [
                {"name": each.name, "type": each.type, "unit": each.unit, "zh": each.zh, "doc": each.doc}
                for each in visible(table)
            ],
        }
        for table in tables()
    ]
    return Json({"rows": told, "limits": {"rows": MOST_ROWS, "seconds": MOST_S, "characters": LONGEST}})


@router.get("/saved", summary="已存查询 · Saved questions")
def saved(service: Serving, user: Caller) -> Response:
    """Those that come with the platform, and those that users saved."""
    told = [vars(each) | {"by": None} for each in _examples()]
    told += [
        {"name_zh": name, "name_en": name, "query": it["query"], "by": it["by"]}
        for name, it in _kept(service).items()
        if _may_see(service, user, it["by"])
    ]
    return Json({"rows": told})


@router.post("/saved", status_code=201, summary="保存查询 · Save a question")
def save(service: Serving, user: Caller, body: Saved) -> Response:
    """Under a name; one's own of that name is replaced, another's is not."""
    _mine(service, user, body.name)
    service.room.note(SAVED, body.name, "", user.login, {"query": body.query})
    return Json({"name": body.name, "query": body.query, "by": user.login}, 201)


@router.delete("/saved/{name}", status_code=204, summary="删除已存查询 · Drop a saved question")
def drop(service: Serving, user: Caller, name: Annotated[str, Path(max_length=80)]) -> Response:
    if name not in _kept(service):
        raise not_there("此查询", "saved question")
    _mine(service, user, name)
    service.room.note(DROPPED, name, "", user.login, {})
    return Response(status_code=204)


@cache
def _examples() -> tuple[Example, ...]:
    return tuple(Example(**row) for row in rows("queries", "minefusion.serving.analyst"))  # type: ignore[arg-type]


def _kept(service: Service) -> dict[str, dict[str, Any]]:
    """What users saved, by name, as the journal tells it."""
    query = select(JOURNAL).where(JOURNAL.c.what.in_([SAVED, DROPPED])).order_by(JOURNAL.c.seq)
    found: dict[str, dict[str, Any]] = {}
    with service.room.database.reading() as connection:
        for row in connection.execute(query):
            found.pop(row.subject, None)
            if row.what == SAVED:
                found[row.subject] = {"query": json.loads(row.facts)["note"]["query"], "by": row.by}
    return found


def _may_see(service: Service, user: User, by: str) -> bool:
    """What a question says may tell of a mine: seen by those who see all mines of whoever saved it."""
    author = service.users.get(by)
    return author is not None and (not user.mines or (bool(author.mines) and author.mines <= user.mines))


def _mine(service: Service, user: User, name: str) -> None:
    kept = _kept(service).get(name)
    if kept is not None and kept["by"] != user.login:
        raise ProblemError(409, "此名称已被他人使用，请换一个", "expected a name that nobody else uses; take another")

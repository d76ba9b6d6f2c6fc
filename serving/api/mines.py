"""Mines, what is served of them and how fresh it is, the catalogue of tables, and cards of models."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from minefusion.schemas import silver
from minefusion.schemas.catalog import TABLES, site_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.governance import interfaces
from minefusion.schemas.site import load_site
from minefusion.serving.alarms.changes import plain
from minefusion.serving.alarms.raising import FLOOD_SPAN
from minefusion.serving.api.answers import Json, known_already, tag_of
from minefusion.serving.api.listings import LISTINGS
from minefusion.serving.api.service import API, Caller, Service, Serving

router = APIRouter(prefix=API, tags=["mines"])
open_router = APIRouter(tags=["health"])


@open_router.get("/health", summary="服务状态 · Whether the service is in order; needs no login")
def health(service: Serving) -> Response:
    """200 where all is in order; 503 where the lake cannot be followed."""
    told = {"ok": service.fault is None, "now": service.room.clock(), "journal": service.room.head.seq}
    return Json(told, status_code=200 if service.fault is None else 503)


@router.get("/status", summary="数据新旧、报警洪峰、日志头 · How fresh the data are, floods, the head of the journal")
def status(service: Serving, user: Caller) -> Response:
    now = service.room.clock()
    told: dict[str, Any] = {}
    for name, newest in service.freshness.newest(service.reader, now).items():
        for mine, last in newest.items():
            if user.sees(mine):
                told.setdefault(mine, {})[name] = last
    desks = {
        code: {"flood_since": desk.flood_since, "shown_in_10_min": sum(now - at < FLOOD_SPAN for at in desk.shown)}
        for code, desk in service.room.board.desks.items()
        if user.sees(code)
    }
    return Json(
        {
            "now": now,
            "fault": service.fault,
            "journal": {"seq": service.room.head.seq, "hash": service.room.head.hash},
            "tables": service.versions,
            "newest": told,
            "desks": desks,
        }
    )


@router.get("/mines", summary="煤矿 · Mines")
def mines(request: Request, service: Serving, user: Caller) -> Response:
    """The mines that the tables name, with name, shifts and cap where their site file tells them."""
    tag = tag_of("mines", user.mines, service.reader.version(silver.AREA), service.reader.version(silver.POINT))
    if (same := known_already(request, tag)) is not None:
        return same
    codes = service.reader.sql(
        "SELECT mine_code FROM silver.area UNION SELECT mine_code FROM silver.point ORDER BY mine_code"
    )
    rows = [_mine(service, row["mine_code"]) for row in codes if user.sees(row["mine_code"])]
    return Json({"rows": rows}, headers={"ETag": tag})


@router.get("/catalog", summary="数据目录 · Tables with level, owner and columns")
def catalog(_: Caller) -> Response:
    paths = {each.table.name: f"{API}/{each.path}" for each in LISTINGS}
    rows = [
        {
            "name": table.name,
            "zh": table.zh,
            "doc": table.doc,
            "level": table.level,
            "owner": table.owner,
            "domain": table.domain,
            "path": paths.get(table.name),
            "columns": [
                {"name": each.name, "type": each.type, "unit": each.unit, "zh": each.zh, "doc": each.doc}
                for each in table.columns
            ],
        }
        for table in TABLES.values()
    ]
    return Json({"rows": rows, "interfaces": plain(interfaces())})


@router.get("/models", summary="模型卡 · Cards of the registered models")
def models(service: Serving, _: Caller) -> Response:
    return Json({"rows": list(service.model_cards())})


def _mine(service: Service, mine_code: str) -> dict[str, Any]:
    told: dict[str, Any] = {"mine_code": mine_code, "name_zh": mine_code, "name_en": mine_code}
    path = site_path(service.reader.lake, mine_code)
    try:
        site = load_site(path) if path.is_file() else None
    except InputError as error:
        return told | {"fault": str(error)}
    if site is None:
        return told
    return told | {
        "name_zh": site.name_zh,
        "name_en": site.name_en,
        "utc_offset_h": site.utc_offset_h,
        "underground_cap": site.underground_cap,
        "shifts": plain(site.shifts),
        "door_pairs": plain(site.door_pairs),
        "exits": plain(site.exits),
        "refuge_chambers": plain(site.refuge_chambers),
    }

"""Lists of rows of the lake's tables: each endpoint is a declaration, and one function answers them all.

A list is narrowed by mine, span of time and the columns it names, comes in the order of its key in pages, and says
nothing that the table does not hold. Columns that tell how a row came, and those that name persons, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from minefusion.schemas import gold, reference, silver
from minefusion.schemas.governance import maskings
from minefusion.schemas.table import Column, Table
from minefusion.serving.accounts.users import User
from minefusion.serving.api.answers import cursor_at, cursor_to, known_already, no_cursor, tag_of
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked, write_down_look
from minefusion.serving.lookback import day_of
from minefusion.serving.text import Text

MOST_ROWS = 1000
# Without a begin a list of what happened goes back so far.
USUAL_SPAN = timedelta(days=1)
# How a row came to be: of use to those who mend the pipeline, and in `minefusion sql`.
_PLUMBING = {"day", "file_id", "sent_at", "position", "received_at", "computed_at"}
_PYTHON: dict[str, Any] = {
    "string": str, "double": float, "int": int, "long": int, "boolean": bool, "timestamp": datetime,
}  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """One endpoint over one table.

    Attributes:
        equals: columns that a question may fix.
        least: columns that it may give a floor.
        key: what tells rows apart where the table's own key names persons.
        is_of_persons: each look at it is written down.
    """

    path: str
    table: Table
    text: Text
    equals: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    is_of_persons: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        personal = {column for table, column in maskings() if table == self.table.name}
        return tuple(each for each in self.table.columns if each.name not in _PLUMBING | personal)

    @property
    def has_mine(self) -> bool:
        return "mine_code" in self.table.names

    @property
    def order(self) -> tuple[str, ...]:
        """The time first, where rows have one, then the key."""
        key = self.key or self.table.key
        names = (self.table.time, *key) if self.table.time else key
        return tuple(dict.fromkeys(each for each in names if each))


LISTINGS = (
    Listing("areas", silver.AREA, Text("区域", "areas"), ("area_id", "kind")),
    Listing("stations", silver.STATION, Text("定位基站", "base stations"), ("area_id",)),
    Listing("cameras", silver.CAMERA, Text("摄像机", "cameras"), ("area_id", "camera_code", "is_online")),
    Listing("roadway-nodes", reference.ROADWAY_NODE, Text("巷道节点", "nodes of the roadway graph")),
    Listing("roadway-edges", reference.ROADWAY_EDGE, Text("巷道", "roadways"), ("area_id", "edge_id")),
    Listing("equipment", silver.EQUIPMENT, Text("设备", "machines"), ("area_id", "equipment_kind")),
    Listing("limits", reference.LIMIT, Text("限值", "limits, each with its source"), ("quantity", "location_code")),
    Listing(
        "points",
        silver.POINT,
        Text("测点及限值", "measuring points with the limits that hold"),
        ("point_id", "area_id", "quantity", "sensor_type", "value_kind", "feed"),
    ),
    Listing(
        "readings",
        silver.READING,
        Text("读数", "readings as they stand in silver; for curves see /series"),
        ("point_id", "area_id", "quantity", "quality"),
    ),
    Listing(
        "indices",
        gold.HAZARD_INDEX,
        Text("灾害指标", "hazard indices"),
        ("index_id", "area_id", "point_id", "entity", "legal_exceeded"),
        ("level",),
    ),
    Listing("area-minutes", gold.AREA_MINUTE, Text("区域分钟", "the fused table"), ("area_id",), ("level",)),
    Listing("risk-tiers", gold.RISK_TIER, Text("区域风险等级", "risk tier by area and hour"), ("area_id",), ("tier",)),
    Listing("headcount", silver.HEADCOUNT, Text("人数，无姓名", "head counts, no names"), ("area_id",)),
    Listing(
        "episodes",
        gold.ALARM,
        Text("报警过程（数据侧）", "alarm episodes as gold has them; what people did is in /alarms"),
        ("kind", "area_id", "point_id", "entity", "legal_exceeded"),
        ("level",),
    ),
    Listing(
        "alarm-causes", gold.ALARM_CAUSE, Text("瓦斯报警可能原因", "likely causes of methane alarms"),
        ("alarm_id", "point_id", "area_id", "cause"),
    ),
    Listing(
        "abnormalities", silver.REPORTED_ABNORMALITY, Text("上报异常", "what the mine's own systems report"),
        ("kind", "abnormal_type", "area_id", "point_id"),
        key=("file_id", "position"),
    ),
    Listing(
        "behaviours", silver.VIDEO_EVENT, Text("视频事件及证据", "video events with their evidence"),
        ("camera_code", "event_type", "area_id", "state"),
    ),
    Listing(
        "unsafe-behaviours", gold.UNSAFE_BEHAVIOUR,
        Text("视频不安全行为及证据", "unsafe behaviours found on video with their evidence"),
        ("camera_code", "behaviour", "event_type", "area_id"),
    ),
    Listing(
        "escape-routes", gold.ESCAPE_ROUTE, Text("避灾路线（受限）", "ways out (restricted, audited)"),
        ("person_hash", "area_id", "answer"),
        is_of_persons=True,
    ),
    Listing(
        "forecasts", gold.METHANE_FORECAST, Text("瓦斯预测及区间", "methane forecasts with their interval"),
        ("point_id", "area_id", "horizon_min", "is_warning"),
    ),
    Listing("seismic-hazard", gold.SEISMIC_HAZARD, Text("下一班强微震概率", "chance of a bump in the coming shift")),
    Listing(
        "model-health", gold.MODEL_HEALTH, Text("模型健康", "whether forecasts keep their promise"),
        ("model", "entity", "horizon_min", "is_degraded"),
    ),
    Listing("quality", gold.DATA_QUALITY, Text("数据质量", "data quality"), ("dataset", "entity", "area_id")),
    Listing(
        "sensor-health", gold.SENSOR_HEALTH, Text("传感器健康", "sensor health"), ("point_id", "area_id", "verdict")
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question to a list, checked."""

    mines: frozenset[str]
    equals: dict[str, Any] = field(default_factory=dict)
    least: dict[str, Any] = field(default_factory=dict)
    begin: datetime | None = None
    end: datetime | None = None
    after: tuple[Any, ...] = ()
    limit: int = 100


def rows_of(service: Service, listing: Listing, asked: Asked) -> list[dict[str, Any]]:
    """The rows of one page with the columns of its order, and one more where there is another page."""
    given: dict[str, Any] = {}

    def value(it: Any) -> str:
        given[f"v{len(given)}"] = it
        return f"$v{len(given) - 1}"

    wheres = []
    if listing.has_mine and asked.mines:
        wheres.append(f"mine_code IN ({', '.join(value(each) for each in sorted(asked.mines))})")
    wheres += [f"{name} = {value(it)}" for name, it in asked.equals.items()]
    wheres += [f"{name} >= {value(it)}" for name, it in asked.least.items()]
    time = listing.table.time
    if time:
        day = "day" in listing.table.names
        if asked.begin is not None:
            wheres.append(f"{time} >= {value(asked.begin)}")
            wheres += [f"day >= {value(day_of(asked.begin))}"] if day else []
        if asked.end is not None:
            wheres.append(f"{time} < {value(asked.end)}")
            wheres += [f"day <= {value(day_of(asked.end))}"] if day else []
    if asked.after:
        wheres.append(_behind(listing.order, [value(each) for each in asked.after]))
    order = ", ".join(listing.order)
    names = dict.fromkeys((*(each.name for each in listing.columns), *listing.order))
    columns = ", ".join(f'"{each}"' for each in names)
    query = f"SELECT {columns} FROM {listing.table.name}"
    query += f" WHERE {' AND '.join(wheres)}" if wheres else ""
    return list(service.reader.sql(f"{query} ORDER BY {order} LIMIT {asked.limit + 1}", **given))


def _behind(names: Sequence[str], values: Sequence[str]) -> str:
    """Rows that follow, in the order of `names`, on the row that has `values` there."""
    steps = [
        " AND ".join([*(f"{names[before]} = {values[before]}" for before in range(at)), f"{names[at]} > {values[at]}"])
        for at in range(len(names))
    ]
    return f"({' OR '.join(f'({each})' for each in steps)})"


def router() -> APIRouter:
    """An endpoint for each listing."""
    made = APIRouter(prefix=API, tags=["tables"])
    for listing in LISTINGS:
        made.add_api_route(
            f"/{listing.path}",
            _endpoint(listing),
            methods=["GET"],
            name=listing.path,
            summary=f"{listing.text.zh} · {listing.text.en}",
            description=listing.table.doc,
            responses={200: {"model": _page(listing)}, 304: {"description": "Not modified since the given ETag."}},
        )
    return made


def _endpoint(listing: Listing) -> Any:
    params = _params(listing)

    def answer(
        request: Request,
        service: Serving,
        user: Caller,
        query: Annotated[params, Query()],  # type: ignore[valid-type]
    ) -> Response:
        return _answer(request, service, user, listing, query)

    answer.__annotations__["query"] = Annotated[params, Query()]
    return answer


def _answer(request: Request, service: Service, user: User, listing: Listing, query: Any) -> Response:
    begin, end = getattr(query, "begin", None), getattr(query, "end", None)
    if listing.table.time and begin is None:
        begin = (end or service.room.clock()) - USUAL_SPAN
        begin = begin.replace(second=0, microsecond=0)
    after = cursor_at(query.cursor, len(listing.order)) if query.cursor else []
    asked = Asked(
        mines_asked(user, getattr(query, "mine", None)),
        {each: it for each in listing.equals if (it := getattr(query, each)) is not None},
        {each: it for each in listing.least if (it := getattr(query, f"{each}_min")) is not None},
        begin,
        end,
        tuple(_typed(listing, name, it) for name, it in zip(listing.order, after, strict=False)),
        query.limit,
    )
    if listing.is_of_persons:
        write_down_look(service, user, listing.path, asked.mines)
    tag = tag_of(listing.path, service.reader.version(listing.table), asked)
    if (same := known_already(request, tag)) is not None:
        return same

    def page_of() -> dict[str, Any]:
        rows = rows_of(service, listing, asked)
        page = rows[: asked.limit]
        further = cursor_to([page[-1][name] for name in listing.order]) if len(rows) > asked.limit else None
        shown = [each.name for each in listing.columns]
        told: dict[str, Any] = {"rows": [{name: row[name] for name in shown} for row in page], "next": further}
        return told | ({"from": begin, "to": end} if listing.table.time else {})

    return service.answers.answer(tag, page_of)


def _typed(listing: Listing, name: str, value: Any) -> Any:
    """A value of a cursor as its column has it."""
    kind = _PYTHON[listing.table.column(name).type]
    try:
        return datetime.fromisoformat(value) if kind is datetime else kind(value)
    except (TypeError, ValueError):
        raise no_cursor() from None


def _params(listing: Listing) -> type[BaseModel]:
    """What may be asked of a list."""
    fields: dict[str, Any] = {}
    if listing.has_mine:
        fields["mine"] = (str | None, Field(None, description="煤矿编码 · Mine; without it all that you may see."))
    for name in listing.equals:
        column = listing.table.column(name)
        kind = _PYTHON[column.type]
        limits: dict[str, Any] = {"ge": -(2**31), "le": 2**31 - 1} if kind is int else {}
        fields[name] = (kind | None, Field(None, description=f"{column.zh} · {column.doc}", **limits))
    for name in listing.least:
        column = listing.table.column(name)
        fields[f"{name}_min"] = (int | None, Field(None, ge=0, le=4, description=f"{column.zh} ≥ · At least."))
    if listing.table.time:
        told = f"{listing.table.column(listing.table.time).zh} · {listing.table.time}"
        fields["begin"] = (
            AwareDatetime | None, Field(None, alias="from", description=f"{told} ≥; without it a day before the end."),
        )  # fmt: skip
        fields["end"] = (AwareDatetime | None, Field(None, alias="to", description=f"{told} <; without it all."))
    fields["limit"] = (int, Field(100, ge=1, le=MOST_ROWS, description="每页行数 · Rows of a page."))
    fields["cursor"] = (str | None, Field(None, max_length=2000, description="上一页的 next · `next` of a page."))
    return create_model(f"Ask_{listing.path}", __config__=ConfigDict(extra="forbid"), **fields)


def _page(listing: Listing) -> type[BaseModel]:
    """What a page of a list holds, for the description."""
    row = create_model(
        f"Row_{listing.path}",
        **{
            each.name: (
                _PYTHON[each.type] | None,
                Field(None, description=f"{each.zh} · {each.doc}" + (f" [{each.unit}]" if each.unit else "")),
            )
            for each in listing.columns
        },
    )  # type: ignore[call-overload]
    next_one: Any = (str | None, Field(None, description="Cursor of the next page; null on the last."))
    fields: dict[str, Any] = {"rows": (list[row], ...), "next": next_one}  # type: ignore[valid-type]
    if listing.table.time:
        fields |= {
            "begin": (datetime | None, Field(None, alias="from")),
            "end": (datetime | None, Field(None, alias="to")),
        }
    return create_model(f"Page_{listing.path}", **fields)

"""Events of video analysis come in over HTTP (PC-90): once by their number, however often they are sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Serving, mines_asked
from minefusion.serving.video_events.landing import land
from minefusion.serving.video_events.sent import SentEvent, keep

router = APIRouter(prefix=API, tags=["video"])

# A sender's clock may be ahead of ours by so much (PC-87, DQ-03).
AHEAD = timedelta(seconds=300)
MOST_AT_ONCE = 500

Word = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z_.:/-]+$")]
Address = Annotated[str, Field(max_length=500)]


class Box(BaseModel):
    """A box in shares of the picture."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    name: Annotated[str, Field(alias="class", max_length=64)]
    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]
    w: Annotated[float, Field(ge=0, le=1)]
    h: Annotated[float, Field(ge=0, le=1)]


class EventOf(BaseModel):
    """`mine_code`: without it the first twelve signs of `event_id`. `level`: 1 red … 4 blue. `state`: 0 new,
    1 confirmed, 2 false alarm, 3 closed."""

    model_config = ConfigDict(extra="forbid")
    event_id: Word
    mine_code: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    camera_code: Annotated[str, Field(pattern=r"^\d{20}$")]
    event_type: Annotated[str, Field(pattern=r"^V[1-9]\d\d$")]
    begin_time: AwareDatetime
    end_time: AwareDatetime | None = None
    report_time: AwareDatetime | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    object_count: Annotated[int, Field(ge=0, le=100_000)] | None = None
    boxes: Annotated[list[Box], Field(max_length=500)] = []
    level: Annotated[int, Field(ge=1, le=4)] | None = None
    area_code: Word | None = None
    snapshot_uri: Address | None = None
    clip_uri: Address | None = None
    model_version: Annotated[str, Field(max_length=128)] | None = None
    state: Annotated[int, Field(ge=0, le=3)] = 0
    remark: Annotated[str, Field(max_length=500)] | None = None


class EventsOf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    events: Annotated[list[EventOf], Field(min_length=1, max_length=MOST_AT_ONCE)]


@router.post("/ai-events", summary="智能分析事件（按 event_id 幂等）· Events of video analysis, idempotent by event_id")
def ai_events(service: Serving, user: Caller, body: EventsOf) -> Response:
    """All of them or none. `kept` says of each whether it was `new`, `changed` (told otherwise than before, such as
    with its end) or `known`; `landed` whether all that is new lies in the landing folder, for the next ingest."""
    now = service.room.clock()
    events = [_event(each) for each in body.events]
    for each in events:
        mines_asked(user, each.mine_code)
        if each.begin_time > now + AHEAD or (each.end_time is not None and each.end_time < each.begin_time):
            raise ProblemError(
                422,
                f"事件 {each.event_id} 的时间不合理",
                f"expected {each.event_id} to begin before now and to end after its begin",
            )
    kept: dict[str, str] = {}
    landed = True
    with service.room.database.writing() as connection:
        for each in events:
            how, seq = keep(connection, each, user.login, now)
            kept[each.event_id] = how
            # The file first: a kill in between makes the sender send again, and the message is the same one.
            if how != "known" and service.landing is not None:
                landed &= land(service.landing, each, seq, now, service.message_secret)
    told: dict[str, Any] = {"kept": kept, "landed": landed and service.landing is not None}
    return Json(told)


def _event(given: EventOf) -> SentEvent:
    told = given.model_dump(by_alias=True)
    mine = told.pop("mine_code") or given.event_id[:12]
    return SentEvent(mine_code=mine, **told | {"boxes": tuple(told["boxes"])})

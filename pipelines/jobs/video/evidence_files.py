"""Where the evidence of an event lies in the lake, and how its pictures look."""

from __future__ import annotations

from datetime import UTC, datetime

from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.pipelines.jobs.video.video_rows import Looked
from minefusion.pipelines.video.evidence import Picture, with_blurred_heads, with_boxes
from minefusion.schemas.settings import VideoSettings


def evidence_name(event: Event, identity: str, kind: str) -> str:
    """Path inside the lake; `kind` is jpg or mp4."""
    return f"evidence/{datetime.fromtimestamp(event.began_at, UTC):%Y-%m-%d}/{identity}.{kind}"


def with_heads_as_set(picture: Picture, look: Looked, settings: VideoSettings) -> Picture:
    """The picture with heads blurred, unless the settings say otherwise."""
    if settings.evidence_heads == "shown":
        return picture
    bodies = [tuple(box) for box in look.found.of("person").boxes.tolist()]
    heads = [tuple(box) for box in look.found.of("helmet", "bare_head").boxes.tolist()]
    return with_blurred_heads(picture, bodies, heads)


def annotated(picture: Picture, look: Looked, event: Event, settings: VideoSettings) -> Picture:
    """The picture with heads as set, a red box around whom it is about and white ones around others."""
    about = [person.box for person in look.people if str(person.track) == event.subject]
    about = about or (list(event.boxes) if look.at == event.raised_at else [])
    others = [person.box for person in look.people if person.box not in about]
    return with_boxes(with_heads_as_set(picture, look, settings), about, others)

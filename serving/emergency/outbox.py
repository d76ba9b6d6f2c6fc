"""The messages that a plan prepares, with place, people and time filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from minefusion.serving.emergency.events import Draft
from minefusion.serving.emergency.kinds import kinds
from minefusion.serving.emergency.plan_book import Plan
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.numbering import MINE_CLOCK
from minefusion.serving.text import Text


def drafts(plan: Plan, emergency: Emergency, place: Text, people: int | None, now: datetime) -> tuple[Draft, ...]:
    """The plan's messages for this emergency.

    Args:
        people: how many are in the area; null: not known, and said so.
    """
    what, time = kinds()[emergency.kind], f"{now.astimezone(MINE_CLOCK):%H:%M}"
    zh = {"place": place.zh, "what": what.zh, "people": "人数不明" if people is None else str(people), "time": time}
    en = {"place": place.en, "what": what.en, "people": "unknown" if people is None else str(people), "time": time}
    drill = Text("【演练】", "[DRILL] ") if emergency.is_drill else Text("", "")
    return tuple(
        Draft(each.channel, each.to_zh, each.to_en, drill.zh + _filled(each.zh, zh), drill.en + _filled(each.en, en))
        for each in plan.messages
    )


def _filled(words: str, given: Mapping[str, str]) -> str:
    """Only these names are filled in: what else stands in braces stays as it is."""
    for name, value in given.items():
        words = words.replace(f"{{{name}}}", value)
    return words

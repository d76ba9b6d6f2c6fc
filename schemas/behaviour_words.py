"""A behaviour's conditions in words, Chinese and English, for its page and for whoever has to agree to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minefusion.schemas.behaviours import Condition
from minefusion.schemas.site_cameras import ZONE_KINDS
from minefusion.schemas.video_classes import video_classes

Words = tuple[str, str]
_RUNNING: Words = ("，且设备运行（状态未知按运行计）", ", and its machine runs (an unknown state counts as running)")
_LINES: dict[str, Words] = {"forbidden": ("警戒线", "a warning line"), "belt": ("皮带线", "the line of a belt")}


def in_words(condition: Condition) -> Words:
    """What the condition asks for."""
    inner = getattr(condition, condition.kind)
    if condition.kind in ("all_of", "any_of"):
        parts = [in_words(part) for part in condition.parts]
        zh, en = ("；且", "; and ") if condition.kind == "all_of" else ("；或", "; or ")
        return zh.join(part[0] for part in parts), en.join(part[1] for part in parts)
    if condition.lasting or condition.confirmed:
        of = in_words(inner.when)
        if condition.lasting:
            share = f"{inner.share:.0%}"
            return (
                f"{of[0]}；持续 {inner.seconds:g} 秒（其中 {share} 的画面）",
                f"{of[1]}; for {inner.seconds:g} s (in {share} of the pictures)",
            )
        return (
            f"{of[0]}；最近 {inner.of} 帧中至少 {inner.pictures} 帧",
            f"{of[1]}; in {inner.pictures} of the last {inner.of} pictures",
        )
    return _LEAVES[condition.kind](inner)


def _zone(kind: str | None) -> Words:
    return ZONE_KINDS.get(kind or "", ("区域", "zone"))


def _in_zone(asked: Any) -> Words:
    zone, more = _zone(asked.kind), _RUNNING if asked.machine == "running" else ("", "")
    return f"双脚在{zone[0]}内{more[0]}", f"the feet stand in a {zone[1]}{more[1]}"


def _crosses(asked: Any) -> Words:
    line, more = _LINES[asked.kind], _RUNNING if asked.machine == "running" else ("", "")
    return f"双脚越过{line[0]}{more[0]}", f"the feet pass {line[1]}{more[1]}"


def _wears(asked: Any) -> Words:
    ours, other = video_classes()[asked.label], video_classes()[asked.rather_than]
    sure = f"{asked.at_least:.0%}"
    return (
        f"识别为“{ours.zh}”（置信度不低于 {sure}，且高于“{other.zh}”）",
        f"{ours.en} is seen, by {sure} at least and more surely than {other.en}",
    )


def _moves(asked: Any) -> Words:
    zone = _zone(asked.kind)
    zh, en = {
        "any": ("移动", "moving"),
        "along": (f"沿{zone[0]}方向移动", f"moving along the way of the {zone[1]}"),
        "against": (f"逆{zone[0]}方向移动", f"moving against the way of the {zone[1]}"),
    }[asked.way]
    if asked.at_least_m_s is not None:
        zh, en = f"{zh}，不低于 {asked.at_least_m_s:g} 米/秒", f"{en} at {asked.at_least_m_s:g} m/s or more"
    if asked.at_most_m_s is not None:
        zh, en = f"{zh}，不高于 {asked.at_most_m_s:g} 米/秒", f"{en} at {asked.at_most_m_s:g} m/s or less"
    return zh, en


def _people(asked: Any) -> Words:
    if asked.over_cap:
        return "区域内人数超过核定人数", "more people in the zone than its cap"
    if asked.at_least == asked.at_most:
        return f"区域内恰有 {asked.at_most} 人", f"exactly {asked.at_most} in the zone"
    if asked.at_most == 0:
        return "区域内无人", "nobody in the zone"
    return (
        f"区域内 {asked.at_least or 0} 至 {asked.at_most} 人",
        f"{asked.at_least or 0} to {asked.at_most} in the zone",
    )


_LEAVES: dict[str, Callable[[Any], Words]] = {
    "in_view": lambda asked: (
        f"人体高度不低于画面的 {asked.height_at_least:.0%}，且未被画面边缘截断",
        f"the body is at least {asked.height_at_least:.0%} of the picture high and not cut off by its edge",
    ),
    "wears": _wears,
    "in_zone": _in_zone,
    "crosses": _crosses,
    "moves": _moves,
    "lies": lambda asked: (
        f"身体躺卧（不低于 {asked.at_least:.0%}）", f"the body lies, by {asked.at_least:.0%} at least",
    ),
    "stays": lambda asked: (
        f"{asked.seconds:g} 秒内移动不超过 {asked.within_m:g} 米",
        f"within {asked.within_m:g} m of one place for {asked.seconds:g} s",
    ),
    "people": _people,
    "count_differs": lambda asked: (
        f"视频与定位人数相差超过 {asked.share:.0%}（向上取整），且不少于 {asked.at_least} 人",
        f"people on video and by positioning differ by over {asked.share:.0%}, rounded up, at least {asked.at_least}",
    ),
}  # fmt: skip

"""What a person's way out is in words, in Chinese and English: where to, how long, and why not the shortest way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minefusion.pipelines.routes.conditions import Cause
from minefusion.pipelines.routes.escape import Way
from minefusion.schemas.site import Site

# So many roadways that lie in the way are named; the rest is counted.
NAMED = 3


@dataclass(frozen=True)
class Told:
    """A way with everything that its sentence is made of.

    Attributes:
        place: names of where the person is, Chinese and English.
        areas: areas that the way leads through, in order.
        causes: roadways on the shortest way in quiet times that are bad now, each with why.
        minutes: how long a self-rescuer lasts.
        doubt: 'roadway' where only the area is known, 'chainage' where only the roadway is; else null.
        unseen_min: minutes since the person was seen last, for one who is not in the newest snapshot.
    """

    way: Way
    place: tuple[str, str]
    areas: Sequence[str]
    causes: Mapping[str, Cause]
    minutes: float
    doubt: str | None = None
    unseen_min: int | None = None


_DOUBT = {
    "roadway": ("（仅知所在区域，按其中最不利的巷道计）", " (only the area is known: told for its worst roadway)"),
    "chainage": (
        "（巷道内位置不明，按最不利的一端计）",
        " (the place on the roadway is not known: told for its worse end)",
    ),
}


def sentences(told: Told, site: Site | None) -> tuple[str, str]:
    """The sentence in Chinese and in English."""
    way, (zh, en) = told.way, told.place
    doubt_zh, doubt_en = _DOUBT[told.doubt] if told.doubt else ("", "")
    if way.kind == "unplaced":
        if told.unseen_min is not None:
            return (
                f"位置不明：最后见于{zh}，已 {told.unseen_min} 分钟未见该卡；无法给出路线，请先联系或搜寻。",
                f"Place not known: last seen in {en}, no fix for {told.unseen_min} min; "
                "no route can be told, call or search first.",
            )
        return (
            f"位置不明：定位系统只给出{zh}，该处不在巷道网络中；无法给出路线。",
            f"Place not known: the positioning system gives only {en}, which is not on the roadway graph; "
            "no route can be told.",
        )
    if way.kind == "none":
        return _cut_off(told, site)
    assert way.goal is not None
    assert way.walk_s is not None
    assert way.worn_s is not None
    assert way.length_m is not None
    walk, worn, length = way.walk_s / 60, way.worn_s / 60, way.length_m
    through_zh = "、".join(_area(site, area, "zh") for area in told.areas)
    through_en = ", ".join(_area(site, area, "en") for area in told.areas)
    parts_zh = [f"自{zh}经{through_zh}至{way.goal.name_zh}，{length:.0f} m，{walk:.1f} 分钟"]
    parts_en = [f"From {en} through {through_en} to {way.goal.name_en}, {length:.0f} m, {walk:.1f} min"]
    if way.kind == "refuge":
        parts_zh.insert(0, "无法撤至出口，就近避险")
        parts_en.insert(0, "No exit can be reached: take refuge")
    if way.worn_s == 0:
        parts_zh.append("沿途空气良好")
        parts_en.append("good air all the way")
    else:
        left = told.minutes - worn
        parts_zh.append(f"须佩戴自救器 {worn:.1f} 分钟，尚余 {left:.1f} 分钟")
        parts_en.append(f"self-rescuer on for {worn:.1f} min, {left:.1f} min left")
    if way.air == "ahead_of_smoke":
        parts_zh.append("须赶在烟流之前，立即出发")
        parts_en.append("leave at once, ahead of the smoke")
    if told.causes:
        parts_zh.append(f"不走最短路线或须戴自救器的原因：{_named(told.causes, site, 'zh')}")
        parts_en.append(f"because on the shortest way: {_named(told.causes, site, 'en')}")
    else:
        parts_zh.append("为最短路线")
        parts_en.append("the shortest way")
    return "；".join(parts_zh) + doubt_zh + "。", "; ".join(parts_en) + doubt_en + "."


def _cut_off(told: Told, site: Site | None) -> tuple[str, str]:
    way, (zh, en) = told.way, told.place
    doubt_zh, doubt_en = _DOUBT[told.doubt] if told.doubt else ("", "")
    if way.goal is None:
        return (
            f"{zh}：无可行路线，且未登记可达的出口或避难硐室{doubt_zh}。",
            f"{en}: no route, and no exit or refuge chamber is known that roadways lead to{doubt_en}.",
        )
    why_zh = _named(told.causes, site, "zh") or "其余路线不通"
    why_en = _named(told.causes, site, "en") or "the other ways are closed"
    if not way.blocked_by:
        why_zh += f"；自救器 {told.minutes:g} 分钟不足以通过"
        why_en += f"; a self-rescuer of {told.minutes:g} min does not last through it"
    nearest_zh = "最近出口" if way.goal.is_exit else "最近避难处"
    nearest_en = "nearest exit" if way.goal.is_exit else "nearest refuge"
    return (
        f"{zh}：无可行路线；{nearest_zh} {way.goal.name_zh}（{way.length_m:.0f} m），受阻于{why_zh}{doubt_zh}。",
        f"{en}: no route; {nearest_en} {way.goal.name_en} ({way.length_m:.0f} m), blocked by {why_en}{doubt_en}.",
    )


def _named(causes: Mapping[str, Cause], site: Site | None, language: str) -> str:
    """The first few roadways with their areas and causes."""
    areas = {edge.edge_id: edge.area_id for edge in site.edges} if site else {}
    named = []
    for edge, cause in list(causes.items())[:NAMED]:
        place = _area(site, areas.get(edge, edge), language)
        named.append(f"{place} {edge}（{cause.zh}）" if language == "zh" else f"{place} {edge} ({cause.en})")
    more = len(causes) - NAMED
    joined = ("、" if language == "zh" else ", ").join(named)
    return joined + ("" if more <= 0 else f" 等 {len(causes)} 条巷道" if language == "zh" else f" and {more} more")


def _area(site: Site | None, area_id: str, language: str) -> str:
    found = next((area for area in site.areas if area.area_id == area_id), None) if site else None
    if found is None:
        return area_id
    return found.name_zh if language == "zh" else found.name_en

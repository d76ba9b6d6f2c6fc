"""silver.camera_minute → gold.camera_health: which cameras could be relied on, hour by hour."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.lock import exclusive, lock_of
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.tally import Built, Tally
from minefusion.pipelines.jobs.video.clip_events import views_of
from minefusion.pipelines.video.camera_health import FAULTS
from minefusion.schemas import gold, silver
from minefusion.schemas.gold import CAMERA_VERDICTS
from minefusion.schemas.site_cameras import View
from minefusion.schemas.window import Window

Row = dict[str, Any]

HOUR = timedelta(hours=1)
# Without a span the hours of so many days before the newest minute are looked at: clips may come late.
LOOKED_BACK = timedelta(days=2)
# From this share of its watched minutes on a bad picture is a fault.
FAULT_SHARE = 0.1


def run_camera_health(
    engine: Engine, *, window: Window | None = None, mines: Sequence[str] | None = None
) -> list[Built]:
    """Bring gold.camera_health up to date, of the last days or of the hours that the window touches."""
    light, tally, began = engine.in_process, Tally(), time.perf_counter()
    tally.tables[gold.CAMERA_HEALTH.name] = Built(gold.CAMERA_HEALTH.name)
    span = window.aligned(HOUR) if window else _newest(light)
    if span is None:
        return list(tally.tables.values())
    rows = collected(light, light.read(silver.CAMERA_MINUTE, window=span, mines=mines)).to_dicts()
    views = views_of(light, sorted({row["mine_code"] for row in rows}))
    health = camera_hours(rows, views)

    def write() -> None:
        with exclusive(engine.settings.lake, lock_of(gold.CAMERA_HEALTH)):
            part = light.part(gold.CAMERA_HEALTH, window=span, mines=mines)
            written = light.replace(part, light.frame(health, gold.CAMERA_HEALTH.arrow_schema()))
        tally.add(gold.CAMERA_HEALTH, written, time.perf_counter() - began)

    until_unbeaten(light, write)
    return list(tally.tables.values())


def camera_hours(minutes: Iterable[Row], views: Mapping[tuple[str, str], View]) -> list[Row]:
    """A row for every known camera of a mine and every hour in which one of its cameras was looked at.

    Args:
        minutes: rows of silver.camera_minute.
        views: cameras by mine and code; one that only minutes name is told too.
    """
    by_camera: dict[tuple[str, str, datetime], list[Row]] = {}
    hours: dict[str, set[datetime]] = {}
    areas = {key: view.area_id or "unplaced" for key, view in views.items()}
    for row in minutes:
        hour = row["minute"].replace(minute=0, second=0, microsecond=0)
        by_camera.setdefault((row["mine_code"], row["camera_code"], hour), []).append(row)
        hours.setdefault(row["mine_code"], set()).add(hour)
        areas.setdefault((row["mine_code"], row["camera_code"]), row["area_id"])
    return [
        _hour(mine, code, area, hour, by_camera.get((mine, code, hour), []), views.get((mine, code)))
        for (mine, code), area in sorted(areas.items())
        for hour in sorted(hours.get(mine, ()))
    ]


def _hour(mine: str, code: str, area: str, hour: datetime, rows: Sequence[Row], view: View | None) -> Row:
    watched = {row["minute"] for row in rows if row["pictures"]}
    wrong: Counter[str] = Counter()
    bad: set[datetime] = set()
    for minute in {row["minute"] for row in rows}:
        codes = {fault["code"] for row in rows if row["minute"] == minute for fault in json.loads(row["faults"])}
        wrong.update(codes)
        bad |= {minute} if codes else set()
    verdict = "ok" if rows else "unwatched"
    if bad:
        verdict = "fault" if len(bad) >= FAULT_SHARE * len(watched | bad) else "watch"
    faults = [
        {"code": each, "zh": FAULTS[each][2], "en": FAULTS[each][3], "minutes": count}
        for each, count in sorted(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    en, zh = CAMERA_VERDICTS[verdict]
    name_zh, name_en = (view.name_zh or code, view.name_en or code) if view else (code, code)
    told_zh = "，".join(f"{each['zh']}{each['minutes']}分钟" for each in faults)
    told_en = ", ".join(f"{each['en']} for {each['minutes']} min" for each in faults)
    return {
        "mine_code": mine,
        "camera_code": code,
        "hour": hour,
        "area_id": area,
        "verdict": verdict,
        "minutes_watched": len(watched),
        "minutes_bad": len(bad),
        "faults": json.dumps(faults, ensure_ascii=False),
        "delay_s": max((row["delay_s"] for row in rows if row["delay_s"] is not None), default=None),
        "dropped": sum(row["dropped"] or 0 for row in rows),
        "sentence_zh": f"{name_zh}：{zh}" + (f"：{told_zh}" if told_zh else "") + "。",
        "sentence_en": f"{name_en}: {en}" + (f": {told_en}" if told_en else "") + ".",
        "revision": 0,
        "computed_at": datetime.now(UTC),
        "day": f"{hour.astimezone(UTC):%Y-%m-%d}",
    }


def _newest(light: Engine) -> Window | None:
    """The hours up to the newest minute of any camera; None where none was looked at."""
    days = light.days(silver.CAMERA_MINUTE)
    if not days:
        return None
    rows = collected(light, light.read(silver.CAMERA_MINUTE, days=days[-1:]).select("minute"))
    newest = rows["minute"].max()
    assert isinstance(newest, datetime)
    return Window(newest - LOOKED_BACK, newest + timedelta(minutes=1)).aligned(HOUR)

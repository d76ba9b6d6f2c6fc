"""Which cameras could be relied on: worked by hand, and through the job."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from small_mine import MINE, rows_of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.video.camera_hours import camera_hours
from minefusion.schemas import gold, silver
from minefusion.schemas.site_cameras import View

CODES = tuple(f"6200000041132000000{number}" for number in range(1, 4))
HOUR = datetime(2026, 3, 1, 4, tzinfo=UTC)


def minute(
    number: int, code: str = CODES[0], *, faults: tuple[str, ...] = (), pictures: int = 300, **more: Any
) -> dict[str, Any]:
    at = HOUR + timedelta(minutes=number)
    told = [{"code": each, "zh": each, "en": each} for each in faults]
    return {
        "mine_code": MINE, "camera_code": code, "minute": at, "clip_id": "live", "pictures": pictures, "dropped": 2,
        "people_max": 1, "delay_s": 0.3, "faults": json.dumps(told), "area_id": f"{MINE}0001", "model_version": "m",
        "day": f"{at:%Y-%m-%d}",
    } | more  # fmt: skip


VIEWS = {(MINE, code): View(code, MINE, f"{n}号", f"number {n}", f"{MINE}0001") for n, code in enumerate(CODES, 1)}


def test_each_known_camera_has_a_verdict_for_each_hour():
    rows = [minute(n) for n in range(60)]
    rows += [minute(n, CODES[1], faults=("dark",) if n < 6 else ()) for n in range(60)]
    found = {row["camera_code"]: row for row in camera_hours(rows, VIEWS)}
    assert {code: row["verdict"] for code, row in found.items()} == {
        CODES[0]: "ok", CODES[1]: "fault", CODES[2]: "unwatched",
    }  # fmt: skip
    dark = found[CODES[1]]
    assert (dark["minutes_watched"], dark["minutes_bad"], dark["dropped"], dark["delay_s"]) == (60, 6, 120, 0.3)
    assert dark["sentence_zh"] == "2号：画面不可用时间达一成以上：画面过暗6分钟。"
    assert dark["sentence_en"].endswith("picture too dark for 6 min.")


def test_a_few_bad_minutes_are_to_be_watched():
    rows = [minute(n, faults=("blurred", "moved") if n == 7 else ()) for n in range(60)]
    (row,) = (row for row in camera_hours(rows, VIEWS) if row["camera_code"] == CODES[0])
    assert (row["verdict"], row["minutes_bad"]) == ("watch", 1)
    assert [fault["code"] for fault in json.loads(row["faults"])] == ["blurred", "moved"]


def test_a_lost_stream_has_bad_minutes_and_no_pictures():
    rows = [minute(n, faults=("lost",) if n >= 30 else (), pictures=0 if n >= 30 else 300) for n in range(60)]
    (row,) = (row for row in camera_hours(rows, VIEWS) if row["camera_code"] == CODES[0])
    assert (row["verdict"], row["minutes_watched"], row["minutes_bad"]) == ("fault", 30, 30)


def test_the_job_writes_the_hours_once_and_again_when_a_clip_comes_late(light: LightEngine):
    assert [built.changed for built in run_job(light, "camera_health")] == [0]
    light.append(silver.CAMERA_MINUTE, light.frame([minute(n) for n in range(3)], silver.CAMERA_MINUTE.arrow_schema()))
    assert [built.changed for built in run_job(light, "camera_health")] == [1]
    assert [built.changed for built in run_job(light, "camera_health")] == [0]
    late = [minute(5, faults=("dark",), clip_id="late")]
    light.append(silver.CAMERA_MINUTE, light.frame(late, silver.CAMERA_MINUTE.arrow_schema()))
    assert [built.changed for built in run_job(light, "camera_health")] == [1]
    (row,) = rows_of(light, gold.CAMERA_HEALTH).to_dicts()
    assert (row["hour"], row["minutes_watched"], row["revision"]) == (HOUR, 4, 1)

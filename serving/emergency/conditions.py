"""What the gas and the air do in an emergency: now, and by forecast; likely causes; and what stands open there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from minefusion.serving.alarms.records import Alarm
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.lookback import back_from
from minefusion.serving.reader import Reader, Row

# Minutes of the fused table that still tell of now; older ones are told with their age and greyed.
STALE = timedelta(minutes=3)
LOOK_BACK = timedelta(hours=1)
FORECAST_FRESH = timedelta(minutes=10)
EVACUATION = "P-07"

_AREAS = """
SELECT area_id, minute, ch4_pct_max, ch4_pct_trend_per_h, co_ppm_max, o2_pct_min, air_velocity_m_s, temperature_c,
  people_count, level, why_zh, why_en
FROM (
  SELECT *, row_number() OVER (PARTITION BY area_id ORDER BY minute DESC) AS newest FROM gold.area_minute
  WHERE mine_code = $mine AND day >= $first AND minute > $begin AND minute <= $at
) WHERE newest = 1 ORDER BY level DESC NULLS LAST, area_id
"""
_FORECASTS = """
SELECT point_id, area_id, issued_at, horizon_min, target_at, base_pct, q50_pct, low_pct, high_pct, limit_pct,
  reach_chance, is_warning, is_out_of_range, null_reason, sentence_zh, sentence_en
FROM (
  SELECT *, rank() OVER (PARTITION BY point_id ORDER BY issued_at DESC) AS newest FROM gold.methane_forecast
  WHERE mine_code = $mine AND day >= $first AND issued_at > $begin AND issued_at <= $at
) WHERE newest = 1 ORDER BY point_id, horizon_min
"""
_CAUSES = """
SELECT alarm_id, rank, cause, score, sentence_zh, sentence_en FROM gold.alarm_cause
WHERE mine_code = $mine AND area_id = $area AND raised_at > $begin AND raised_at <= $at AND day >= $first
ORDER BY raised_at DESC, rank LIMIT 6
"""
_EVACUATION = """
SELECT area_id, window_start, value, level, sentence_zh, sentence_en
FROM (
  SELECT *, row_number() OVER (PARTITION BY area_id ORDER BY window_start DESC) AS newest FROM gold.hazard_index
  WHERE mine_code = $mine AND index_id = $index AND day >= $first AND window_start > $begin AND window_start <= $at
) WHERE newest = 1 ORDER BY area_id
"""


def conditions_of(reader: Reader, emergency: Emergency, alarms: Iterable[Alarm], at: datetime) -> dict[str, Any]:
    """Gas and air of all areas, the struck one first, forecasts, causes, evacuation, and alarms that stand there.

    Args:
        alarms: those of the mine that are active.
    """
    mine, area = emergency.mine_code, emergency.area_id
    areas = [
        row | {"is_stale": at - row["minute"] > STALE + timedelta(minutes=1)}
        for row in reader.sql(_AREAS, mine=mine, **back_from(at, LOOK_BACK))
    ]
    causes = reader.sql(_CAUSES, mine=mine, area=area, **back_from(at, timedelta(hours=12)))
    standing = sorted(
        (each for each in alarms if each.mine_code == mine), key=lambda each: (-each.level, each.alarm_id)
    )
    return {
        "areas": sorted(areas, key=lambda row: row["area_id"] != area),
        "forecasts": list(reader.sql(_FORECASTS, mine=mine, **back_from(at, FORECAST_FRESH))),
        "causes": list(causes),
        "evacuation": list(reader.sql(_EVACUATION, mine=mine, index=EVACUATION, **back_from(at, LOOK_BACK))),
        "alarms": [_alarm(each) for each in standing],
    }


def people_in(reader: Reader, mine: str, area: str, at: datetime) -> int | None:
    """How many are in the area by the newest minute of the fused table; null where none is fresh."""
    rows = reader.sql(_AREAS, mine=mine, **back_from(at, LOOK_BACK))
    row = next((each for each in rows if each["area_id"] == area), None)
    return row["people_count"] if row and at - row["minute"] <= STALE + timedelta(minutes=1) else None


def _alarm(alarm: Alarm) -> Row:
    return {
        "alarm_id": alarm.alarm_id,
        "area_id": alarm.area_id,
        "level": alarm.level,
        "raised_at": alarm.raised_at,
        "is_advisory": alarm.alarm_class.is_advisory,
        "sentence_zh": alarm.lead.sentence_zh,
        "sentence_en": alarm.lead.sentence_en,
    }

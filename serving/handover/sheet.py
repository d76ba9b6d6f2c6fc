"""What is handed over: what stands open, what is held, which sensors and models cannot be relied on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from minefusion.serving.alarms.changes import plain
from minefusion.serving.alarms.classes import priority_of
from minefusion.serving.alarms.disposing import missing
from minefusion.serving.alarms.records import Alarm, Board, Disposition
from minefusion.serving.journal.head import Head
from minefusion.serving.lookback import back_from
from minefusion.serving.reader import Reader, Row

# Health is told by the hour, some time after it; what is older than a day tells nothing of this shift.
HEALTH_BACK = timedelta(days=1)
COUNT_BACK = timedelta(minutes=15)

_SENSORS = """
SELECT point_id, area_id, quantity, hour, verdict, leading_check, sentence_zh, sentence_en
FROM (
  SELECT *, row_number() OVER (PARTITION BY point_id ORDER BY hour DESC) AS newest FROM gold.sensor_health
  WHERE mine_code = $mine AND day >= $first AND hour > $begin AND hour <= $at
) WHERE newest = 1 AND verdict IN ('fault', 'watch') ORDER BY verdict, point_id
"""
_MODELS = """
SELECT model, model_version, entity, horizon_min, hour, faults, sentence_zh, sentence_en
FROM (
  SELECT *, row_number() OVER (PARTITION BY model, entity, horizon_min ORDER BY hour DESC) AS newest
  FROM gold.model_health WHERE mine_code = $mine AND day >= $first AND hour > $begin AND hour <= $at
) WHERE newest = 1 AND is_degraded ORDER BY model, entity, horizon_min
"""
_COUNT = """
SELECT people_count, observed_at FROM silver.headcount
WHERE mine_code = $mine AND area_id = $mine AND day >= $first AND observed_at > $begin AND observed_at <= $at
ORDER BY observed_at DESC LIMIT 1
"""


def sheet_of(reader: Reader, board: Board, mine: str, begin: datetime, now: datetime, head: Head) -> dict[str, Any]:
    """The sheet of a mine's shift from `begin` to `now`, as JSON holds it; `journal`: the head it was made on."""
    alarms = [each for each in board.alarms.values() if each.mine_code == mine]
    still = sorted(
        (each for each in alarms if board.is_open(each)), key=lambda each: (-each.level, each.raised_at, each.alarm_id)
    )
    dispositions = sorted(
        (each for each in board.dispositions.values() if each.mine_code == mine and each.state != "closed"),
        key=lambda each: (each.opened_at, each.disposition_id),
    )
    emergencies = [each for each in board.emergencies.values() if each.mine_code == mine and each.is_open]
    holds = [each for each in board.holds.values() if each.mine_code == mine and each.lifted_at is None]
    count = next(iter(reader.sql(_COUNT, mine=mine, **back_from(now, COUNT_BACK))), None)
    sheet: dict[str, Any] = {
        "mine_code": mine,
        "from": begin,
        "to": now,
        "journal": {"seq": head.seq, "hash": head.hash},
        "underground": count,
        "raised": sum(each.shown_at >= begin and not each.alarm_class.is_advisory for each in alarms),
        "emergencies": [
            {"emergency_id": each.emergency_id, "kind": each.kind, "area_id": each.area_id, "severity": each.severity,
             "declared_at": each.declared_at, "is_drill": each.is_drill, "words": each.words}
            for each in emergencies
        ],
        "alarms": [_alarm(board, each) for each in still if not each.alarm_class.is_advisory],
        "advisories": [_alarm(board, each) for each in still if each.alarm_class.is_advisory],
        "dispositions": [_disposition(board, each) for each in dispositions],
        "holds": [
            {"tag": each.tag, "kind": each.kind, "reason": each.reason, "by": each.by, "since": each.since,
             "until": each.until}
            for each in sorted(holds, key=lambda each: each.tag)
        ],
        "sensors": list(reader.sql(_SENSORS, mine=mine, **back_from(now, HEALTH_BACK))),
        "models": list(reader.sql(_MODELS, mine=mine, **back_from(now, HEALTH_BACK))),
    }  # fmt: skip
    told: dict[str, Any] = plain(sheet)
    return told


def _alarm(board: Board, alarm: Alarm) -> Row:
    text = alarm.alarm_class.text
    return {
        "alarm_id": alarm.alarm_id,
        "class_zh": text.zh,
        "class_en": text.en,
        "is_regulator": alarm.alarm_class.is_regulator,
        "priority": priority_of(alarm.level),
        "area_id": alarm.area_id,
        "state": board.state_of(alarm),
        "raised_at": alarm.raised_at,
        "acked_by": alarm.acked_by,
        "disposition_id": alarm.disposition_id,
        "sentence_zh": alarm.lead.sentence_zh,
        "sentence_en": alarm.lead.sentence_en,
    }


def _disposition(board: Board, disposition: Disposition) -> Row:
    lacks = missing(disposition, board)
    return {
        "disposition_id": disposition.disposition_id,
        "area_id": disposition.area_id,
        "state": disposition.state,
        "opened_at": disposition.opened_at,
        "handlers": sorted(disposition.handlers),
        "overdue": disposition.overdue,
        "missing_zh": [each.zh for each in lacks],
        "missing_en": [each.en for each in lacks],
        "open_actions": [
            {"number": each.number, "text": each.text, "assigned_to": each.assigned_to}
            for each in disposition.actions
            if each.done_at is None
        ],
    }

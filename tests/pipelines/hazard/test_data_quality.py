"""Completeness, accuracy and timeliness by hour, worked by hand, and every kind of finding."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from literal_mine import MINE_CODE, T0, at, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.data_quality import data_quality
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.gold import DATA_QUALITY
from minefusion.schemas.quality import findings
from minefusion.schemas.silver import POINT, POSITION, READING, READING_5MIN

Row = dict[str, Any]


def judged(light: LightEngine, **frames: list[Row]) -> dict[tuple[str, str, datetime], Row]:
    """Rows by dataset, entity and hour, with their findings as code → count."""
    tables = {
        "readings": READING,
        "reading_5min": READING_5MIN,
        "points": POINT,
        "positions": POSITION,
        "files": EXCHANGE_FILE,
    }
    made = [
        light.frame([{"mine_code": MINE_CODE, **row} for row in frames.get(name, [])], table.arrow_schema())
        for name, table in tables.items()
    ]
    rows = light.to_arrow(data_quality(*made)).to_pylist()
    assert len({(row["mine_code"], row["dataset"], row["entity"], row["hour"]) for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == set(DATA_QUALITY.names) - {"computed_at", "revision", "day"}
        told = json.loads(row["findings"])
        for entry in told:
            rule = findings()[entry["code"]]
            assert (entry["rule"], entry["zh"], entry["en"]) == (rule.rule, rule.zh, rule.en)
        row["findings"] = {entry["code"]: entry["count"] for entry in told}
    return {(row["dataset"], row["entity"], row["hour"]): row for row in rows}


def reading(
    minute: float, point_id: str = "G1", value: float | None = 0.3, reasons: str = "", delay_s: float = 1.0, **more: Any
) -> Row:
    quality = "GOOD" if not reasons else "SUSPECT" if reasons in ("STUCK", "SATURATED") else "BAD"
    return {
        "point_id": point_id,
        "observed_at": at(minute),
        "value": value,
        "quality": quality,
        "quality_reasons": reasons,
        "sent_at": at(minute) + timedelta(seconds=delay_s),
        **more,
    }


def file(
    minute: float,
    kind: str | None,
    verdict: str = "accepted",
    *,
    sent: int = 10,
    stored: int | None = None,
    behind_s: float = 0,
    **more: Any,
) -> Row:
    loaded = verdict in ("accepted", "partial", "stale")
    return {
        "file_id": f"{kind}{minute}{verdict}",
        "kind": kind,
        "verdict": verdict,
        "header_time": at(minute),
        "observed_to": at(minute) - timedelta(seconds=behind_s),
        "records_sent": sent,
        "records_stored": (sent if loaded else 0) if stored is None else stored,
        **more,
    }


POINTS = [point("G1", "ch4")]
EVERY_30_S = [n / 2 for n in range(120)]
READINGS, FILES = "silver.reading", "bronze.exchange_file"


def test_a_full_hour(light: LightEngine):
    row = judged(light, points=POINTS, readings=[reading(minute) for minute in EVERY_30_S])[READINGS, "G1", T0]
    assert (row["expected"], row["received"]) == (120, 120)
    assert (row["completeness"], row["accuracy"], row["timeliness"]) == (1.0, 1.0, 1.0)
    assert (row["area_id"], row["findings"]) == ("F1", {})


@pytest.mark.parametrize(
    ("missing", "completeness", "found"),
    [(1, 0.9917, {}), (2, 0.9833, {"INCOMPLETE": 2}), (30, 0.75, {"INCOMPLETE": 30})],
)
def test_completeness_counts_what_came(light: LightEngine, missing: int, completeness: float, found: dict):
    row = judged(light, points=POINTS, readings=[reading(minute) for minute in EVERY_30_S[missing:]])[
        READINGS, "G1", T0
    ]
    assert (row["completeness"], row["findings"]) == (completeness, found)


def test_a_record_without_a_value_did_not_come_and_extra_changes_count_no_more(light: LightEngine):
    rows = [reading(minute, value=None, reasons="NO_VALUE") for minute in EVERY_30_S[:12]] + [
        reading(minute) for minute in EVERY_30_S[12:]
    ]
    row = judged(light, points=POINTS, readings=rows)[READINGS, "G1", T0]
    assert (row["received"], row["completeness"], row["accuracy"], row["findings"]) == (
        108,
        0.9,
        0.9,
        {"INCOMPLETE": 12, "NO_VALUE": 12},
    )
    twice = [reading(minute) for minute in EVERY_30_S] + [reading(minute + 0.1) for minute in EVERY_30_S]
    assert judged(light, points=POINTS, readings=twice)[READINGS, "G1", T0]["completeness"] == 1.0


def test_a_silent_point_has_a_row_of_its_own(light: LightEngine):
    rows = judged(light, points=[*POINTS, point("G2", "ch4")], readings=[reading(minute) for minute in EVERY_30_S])
    row = rows[READINGS, "G2", T0]
    assert (row["expected"], row["received"], row["completeness"], row["accuracy"]) == (120, 0, 0.0, None)
    assert row["findings"] == {"SILENT": 120}


def test_what_was_found_in_the_samples(light: LightEngine):
    reasons = ["CALIBRATION"] * 4 + ["STUCK"] * 3 + ["SATURATED"] * 2 + ["OUT_OF_RANGE,STEP"]
    rows = [reading(minute, reasons=reasons[n] if n < len(reasons) else "") for n, minute in enumerate(EVERY_30_S)]
    row = judged(light, points=POINTS, readings=rows)[READINGS, "G1", T0]
    assert row["findings"] == {"CALIBRATION": 4, "STUCK": 3, "SATURATED": 2, "OUT_OF_RANGE": 1, "STEP": 1}
    assert row["accuracy"] == pytest.approx(110 / 120, abs=1e-4)


def test_late_is_later_than_the_format_allows(light: LightEngine):
    # 120 s is still in time.
    rows = [reading(minute, delay_s=120 if n < 60 else 121) for n, minute in enumerate(EVERY_30_S)]
    row = judged(light, points=POINTS, readings=rows)[READINGS, "G1", T0]
    assert (row["timeliness"], row["findings"]) == (0.5, {"LATE": 60})


def test_what_is_wrong_with_the_point_itself(light: LightEngine):
    odd = point("G1", "ch4", "unplaced", is_defined=False, limit_note="LIMIT_LOOSER_THAN_LAW")
    five = [
        {"point_id": "G1", "window_start": at(5 * n), "finding": "OUTSIDE_REPORTED" if n < 2 else None}
        for n in range(12)
    ]
    row = judged(light, points=[odd], readings=[reading(minute) for minute in EVERY_30_S], reading_5min=five)[
        READINGS, "G1", T0
    ]
    assert row["findings"] == {"OUTSIDE_REPORTED": 2, "UNPLACED": 1, "UNDEFINED": 1, "LIMIT_LOOSER_THAN_LAW": 1}


def test_hours_are_apart(light: LightEngine):
    rows = judged(light, points=POINTS, readings=[reading(minute) for minute in (0, 59.5, 60)])
    assert [rows[READINGS, "G1", hour]["received"] for hour in (T0, at(60))] == [2, 1]


def fix(minute: float, card: str, reasons: str = "", area_id: str = "F1") -> Row:
    quality = "SUSPECT" if reasons else "GOOD"
    times = {"observed_at": at(minute), "sent_at": at(minute)}
    return {"card_code": card, "area_id": area_id, "quality": quality, "quality_reasons": reasons, **times}


def test_snapshots_of_positions(light: LightEngine):
    fixes = [fix(minute, card) for minute in range(60) for card in ("1", "2")]
    fixes += [fix(0, "3", "STATION_UNKNOWN", "unplaced"), fix(0, "4", "BEYOND_EDGE")]
    rows = judged(light, positions=fixes)
    row = rows["silver.position", MINE_CODE, T0]
    assert (row["expected"], row["received"], row["completeness"], row["area_id"]) == (60, 60, 1.0, MINE_CODE)
    assert row["accuracy"] == pytest.approx(120 / 122, abs=1e-4)
    assert row["findings"] == {"UNPLACED": 1, "STATION_UNKNOWN": 1, "BEYOND_EDGE": 1}


def test_a_snapshot_of_nobody_came_too_and_five_minutes_are_a_habit(light: LightEngine):
    files = [file(minute, "RYSS", sent=0) for minute in range(2, 60, 5)]
    rows = judged(light, files=files)
    assert rows["silver.position", MINE_CODE, T0]["completeness"] == 1.0
    row = rows[FILES, "RYSS", T0]
    assert (row["expected"], row["received"], row["completeness"], row["accuracy"], row["timeliness"]) == (
        12,
        12,
        1.0,
        None,
        1.0,
    )


def test_files_by_kind(light: LightEngine):
    files = [file(minute, "CDSS") for minute in EVERY_30_S]
    files += [file(0, "CDSS", "rejected", records_rejected=10), file(0.5, "CDSS", "duplicate", records_duplicate=10)]
    files += [file(5 * n, "TJSJ", behind_s=901 if n == 0 else 900) for n in range(12)]
    files += [
        file(1, "YCBJ", sent=1),
        file(2, None, "unknown", name_kind="XXXX"),
        file(3, "CDDY", "partial", sent=100, stored=90, records_quarantined=10),
    ]
    rows = judged(light, points=POINTS, files=files)
    values = rows[FILES, "CDSS", T0]
    assert (values["expected"], values["received"], values["completeness"], values["timeliness"]) == (
        120,
        120,
        1.0,
        1.0,
    )
    assert values["accuracy"] == pytest.approx(1200 / 1210, abs=1e-4)  # what came again is not judged again
    assert values["findings"] == {"FILE_REJECTED": 1, "FILE_DUPLICATE": 1, "RECORDS_REJECTED": 10}
    assert rows[FILES, "TJSJ", T0]["timeliness"] == pytest.approx(11 / 12, abs=1e-4)
    assert rows[FILES, "TJSJ", T0]["findings"] == {"LATE": 1}
    assert (rows[FILES, "YCBJ", T0]["expected"], rows[FILES, "YCBJ", T0]["completeness"]) == (None, None)
    assert rows[FILES, "XXXX", T0]["findings"] == {"FILE_UNKNOWN": 1}
    assert (rows[FILES, "CDDY", T0]["accuracy"], rows[FILES, "CDDY", T0]["timeliness"]) == (0.9, None)
    assert rows[FILES, "CDDY", T0]["findings"] == {"FILE_PARTIAL": 1, "RECORDS_QUARANTINED": 10}


def test_a_file_without_a_header_counts_in_the_hour_of_its_name(light: LightEngine):
    lost = file(0, None, "rejected", records_rejected=0) | {"header_time": None, "stamp": at(61), "name_kind": "CDSS"}
    row = judged(light, points=POINTS, files=[lost])[FILES, "CDSS", at(60)]
    assert row["findings"] == {"FILE_REJECTED": 1, "SILENT": 120}


def test_no_card_leaves_the_restricted_tables(light: LightEngine):
    rows = judged(light, positions=[fix(0, "14000000000100017")])
    assert "14000000000100017" not in str(rows)

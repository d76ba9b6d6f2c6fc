"""How results become rows: coverage, reasons, sentences, and texts of numbers that both engines write alike."""

from __future__ import annotations

import json
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from literal_mine import T0, answers, of

from minefusion.pipelines.hazard.rows import (
    COLUMNS,
    Index,
    index_rows,
    json_object,
    number,
    quoted,
    rising_level,
)
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.gold import HAZARD_INDEX

TRIAL = Index("X-01", "试验指标", "trial index", "%", 10, "a book", "advisory", "For tests.")


def row_of(value: float | None, coverage: float = 1.0, **more: Any) -> dict[str, Any]:
    frame = nw.from_native(
        pl.DataFrame(
            {
                "mine_code": ["M"], "area_id": ["A"], "entity": ["P"], "point_id": ["P"], "window_start": [T0],
                "place_zh": ["甲处"], "place_en": ["Place A"], "v": [value],
            },
            schema_overrides={"v": pl.Float64},
        ).lazy()
    )  # fmt: skip
    v = nw.col("v")
    rows = index_rows(
        frame,
        TRIAL,
        value=v,
        level=more.pop("level", rising_level(v, blue=1.0, yellow=2.0, orange=3.0, red=4.0)),
        coverage=nw.lit(coverage),
        finding_zh=nw.concat_str(nw.lit("值 "), number(v)),
        finding_en=nw.concat_str(nw.lit("value "), number(v)),
        inputs={"v": number(v, 1)},
        **more,
    )
    return rows.collect().to_arrow().to_pylist()[0]


def test_a_row_says_what_it_found():
    row = row_of(3.456)
    assert (row["value"], row["level"], row["unit"], row["coverage"], row["null_reason"]) == (3.456, 3, "%", 1.0, None)
    assert row["sentence_zh"] == "甲处：值 3.46；橙色（参考限值）。"
    assert row["sentence_en"] == "Place A: value 3.46; orange (advisory limit)."
    assert (row["window_end"] - row["window_start"]).total_seconds() == 600
    assert json.loads(row["inputs"]) == {"v": 3.5}


def test_columns_are_those_of_the_table_but_the_jobs_own():
    assert set(row_of(1.0)) == set(COLUMNS)
    assert set(HAZARD_INDEX.names) - set(COLUMNS) == {"computed_at", "revision", "day"}


def test_no_label_at_level_0_and_none_for_a_confirmed_limit():
    assert row_of(0.5)["sentence_en"] == "Place A: value 0.50; normal."
    assert row_of(2.0, limit_confidence=nw.lit("confirmed"))["sentence_en"] == "Place A: value 2.00; yellow."
    assert row_of(2.0, limit_confidence=nw.lit("mine"))["sentence_en"] == "Place A: value 2.00; yellow."


def test_no_value_is_null_with_a_reason_and_never_zero():
    row = row_of(None)
    assert (row["value"], row["level"], row["null_reason"], row["legal_exceeded"]) == (None, None, "NO_DATA", False)
    assert row["sentence_zh"] == "甲处：试验指标无法判定，无有效数据。"
    assert row["sentence_en"] == "Place A: trial index not known, no usable data."
    assert json.loads(row["inputs"]) == {"v": None}
    assert row_of(None, reason=nw.lit("NO_LIMIT"))["sentence_en"].endswith("no limit holds for this place.")


@pytest.mark.parametrize(("coverage", "value"), [(0.76, 2.0), (0.75, 2.0), (0.74, None)])
def test_under_three_quarters_of_coverage_there_is_no_value(coverage: float, value: float | None):
    row = row_of(2.0, coverage, legal=nw.lit(True))
    assert (row["value"], row["null_reason"]) == (value, None if value else "LOW_COVERAGE")
    assert row["legal_exceeded"] == (value is not None)


@pytest.mark.parametrize(("value", "level"), [(0.9, None), (1.0, 1), (4.0, 4)])
def test_a_level_may_stand_however_poor_the_coverage(value: float, level: int | None):
    assert row_of(value, 0.1, stands_from=1)["level"] == level


def test_a_level_kept_without_a_value_is_told():
    row = row_of(None, coverage=0.0, level=nw.lit(3), stands_from=1)
    assert (row["value"], row["level"], row["null_reason"]) == (None, 3, "NO_DATA")


@pytest.mark.parametrize(
    ("value", "level"), [(0.99, 0), (1.0, 1), (1.99, 1), (2.0, 2), (3.0, 3), (4.0, 4), (None, None)]
)
def test_rising_levels_begin_at_their_step(value: float | None, level: int | None):
    assert answers(x=rising_level(of(value), blue=1.0, yellow=2.0, orange=3.0, red=4.0))["x"] == level


def test_a_step_may_be_missing():
    assert answers(x=rising_level(of(9.0), red=of(None)), y=rising_level(of(9.0), yellow=2.0)) == {"x": 0, "y": 2}


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.0, 2, "1.00"), (0.125, 2, "0.13"), (1.005, 2, "1.01"), (0.1 + 0.2, 2, "0.30"), (-0.004, 2, "0.00"),
        (-1.5, 1, "-1.5"), (123456.789, 2, "123456.79"), (7.5, 0, "8"), (1e-7, 3, "0.000"), (None, 2, None),
    ],
)  # fmt: skip
def test_numbers_as_text(value: float | None, decimals: int, text: str | None):
    assert answers(x=number(of(value), decimals))["x"] == text


def test_json_text():
    text = answers(x=json_object({"a": number(of(1.5), 1), "b": quoted(nw.lit("NO_DATA")), "c": number(of(None))}))["x"]
    assert json.loads(text) == {"a": 1.5, "b": "NO_DATA", "c": None}


def test_rounding_takes_the_same_side_at_a_half():
    assert answers(x=rounded(of(0.5848425)), y=rounded(of(0.8 * 0.75)), z=rounded(of(0.1) + of(0.2))) == {
        "x": 0.584843, "y": 0.6, "z": 0.3,
    }  # fmt: skip

"""Simulated shifts with one true cause: a forecast names it, or says that it is unclear."""

from __future__ import annotations

from minefusion.pipelines.jobs.evaluate.forecast_driver import RIGHT, evaluate_forecast_driver


def test_the_true_cause_is_named_in_four_of_five():
    found = evaluate_forecast_driver(seeds=[21])
    assert {row["shift"] for row in found["shifts"]} == set(RIGHT)
    assert all(row["warnings"] >= 4 for row in found["shifts"])
    assert found["share"] >= 0.8
    assert found["right"] + found["wrong"] + sum(row["unclear"] for row in found["shifts"]) == found["warnings"]

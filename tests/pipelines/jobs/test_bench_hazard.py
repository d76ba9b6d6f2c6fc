"""What `bench hazard` says, and that the hours it lays down are judged like the one that was simulated."""

from __future__ import annotations

from pathlib import Path

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.jobs.bench.hazard import FIRST, HOUR, bench_hazard, one_hour, repeated
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window
from minefusion.serving.reader import Reader

KEYS = {"case", "seconds", "rate", "unit", "cpu_s", "peak_mib", "ratio", "ratio_to"}
SMALL = 20  # roadways: the smallest mine there is


def test_all_indices_beside_the_plain_way_at_one_and_ten_times_the_data(tmp_path: Path):
    found = bench_hazard(scale=0.001, engines=("light",), roadways=SMALL, keep_in=tmp_path)
    assert {"name", "hardware", "data", "results"} <= set(found)
    assert (found["name"], found["data"]["hours"]) == ("hazard", 1)
    assert all(set(row) == KEYS for row in found["results"])
    rows = {row["case"]: row for row in found["results"]}
    for suffix in ("", "/10x"):
        assert {f"light/{case}{suffix}" for case in ("fast", "slow", "composite", "all")} <= set(rows)
        assert rows[f"light/all{suffix}"]["ratio_to"] == f"plain_light/group_by{suffix}"
    assert rows["light/cost_10x"]["ratio"] > 0
    assert not list(tmp_path.iterdir())


def test_every_hour_of_the_data_has_the_same_rows_of_gold(tmp_path: Path):
    hour = one_hour(tmp_path, SMALL)
    lake = tmp_path / "lake"
    rows, _ = repeated(hour, lake, 3)
    keys = Reader(lake).sql("select count(*) as n from (select distinct point_id, observed_at from silver.reading)")
    assert [row["n"] for row in keys] == [rows]
    engine = open_engine(load_settings(lake=lake), "light")
    run_gold(engine, "hazard_index", window=Window(FIRST, FIRST + 3 * HOUR))
    counted = Reader(lake).sql(
        "select date_part('hour', window_start) as hour, index_id, count(*) as n, count(value) as known "
        "from gold.hazard_index group by 1, 2"
    )
    hours = {n: {row["index_id"]: row["n"] for row in counted if row["hour"] == n} for n in (0, 1, 2)}
    assert len(hours[0]) >= 30
    assert hours[1] == hours[2]

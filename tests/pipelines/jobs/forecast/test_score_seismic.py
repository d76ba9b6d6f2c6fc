"""Seismic events to gold.seismic_hazard: one row per shift, by what came before it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_mine import MINE, T0, rows_of

from minefusion.models.seismic_hazard.features import FEATURES
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.forecast.score_seismic import LEAST_SHIFTS, SHIFT
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.gold import SEISMIC_HAZARD
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

pytest.importorskip("mlflow", reason="the registry needs MLflow: run make setup")
DAYS = 30
START = T0.replace(hour=0)


def day_of_events(folder: Path, day: int, energy_j: float) -> None:
    """A file of one day's events, sent at its end: some weak ones and one of this energy."""
    weak = np.random.default_rng(day).uniform(0, 24, 5).tolist()
    begin = START + timedelta(days=day)
    rows = [
        {
            "event_id": f"{day}-{n}",
            "event_time": begin + timedelta(hours=float(hour)),
            "energy": energy,
            "is_blast": "0",
        }
        for n, (hour, energy) in enumerate([*((hour, 300.0) for hour in weak), (9.5, energy_j)])
    ]
    rows.append(rows[0] | {"event_id": f"{day}-blast", "energy": 1e6, "is_blast": "1"})
    write_file(folder, "WZSJ", MINE, "示范煤矿", begin + timedelta(hours=23.99), rows)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    """A month of events, quiet at first and loud in the end, scored by the shipped model."""
    base = tmp_path_factory.mktemp("seismic")
    (base / "landing").mkdir()
    for day in range(DAYS):
        day_of_events(base / "landing", day, 500.0 if day < 25 else 4e4)
    engine = LightEngine(load_settings(lake=base / "lake", home=str(base / "home")))
    ingest(engine.settings, base / "landing", engine=engine)
    run_job(engine, "conform")
    assert run_job(engine, "score_seismic")[0].changed > 3 * (DAYS - 1)
    return engine


def test_a_row_a_shift_with_its_reasons(engine: LightEngine):
    rows = rows_of(engine, SEISMIC_HAZARD)
    steps = rows["shift_start"].diff().drop_nulls().unique().to_list()
    assert steps == [SHIFT]
    said = rows.filter(pl.col("chance").is_not_null())
    assert rows.filter(pl.col("chance").is_null())["null_reason"].unique().to_list() == ["NO_HISTORY"]
    assert said["shifts_known"].min() == LEAST_SHIFTS
    assert set(said["model"]) == {"seismic_hazard_reduced"}
    assert {each["feature"] for text in said["drivers"] for each in json.loads(text)} <= set(FEATURES)
    assert rows.select(pl.col("sentence_zh", "sentence_en").is_null().any()).row(0) == (False, False)


def test_strong_bumps_raise_the_chance_and_blasts_do_not(engine: LightEngine):
    rows = rows_of(engine, SEISMIC_HAZARD)
    quiet = rows.filter(pl.col("shift_start") == START + timedelta(days=24, hours=16))
    loud = rows.filter(pl.col("shift_start") == START + timedelta(days=28, hours=16))
    assert quiet["usual_chance"].item() == 0  # each day had a blast of a megajoule
    assert loud["chance"].item() > 2 * quiet["chance"].item()


def test_a_second_run_and_a_backfill_change_nothing(engine: LightEngine):
    assert run_job(engine, "score_seismic")[0].changed == 0
    span = Window(START + timedelta(days=24), START + timedelta(days=27))
    assert run_job(engine, "score_seismic", window=span)[0].changed == 0

"""Training of the methane forecast: what it may learn from, what it is judged on, and what it keeps of the champion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_mine import MINE, T0, at, definitions, point_code

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, Readings
from minefusion.models.methane_forecast.predict import load
from minefusion.models.training_run import DataUsed, read_run
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.forecast.train_methane import (
    NothingToLearnError,
    Source,
    from_lake,
    from_newest,
    losses_of,
    sane,
    train_methane,
)
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.window import Window

CONFIG = ForecastConfig(experts=("persistence", "neighbours"), fewest_rows=240, refit_steps=480)
COUNT = 1200


def readings(*names: str, seed: int = 1) -> Readings:
    """A wave with unrest that persistence does not see coming."""
    random = np.random.default_rng(seed)
    wave = 0.5 + 0.3 * np.sin(np.arange(COUNT) / 40)
    own = [np.round(wave + random.normal(0, 0.01, COUNT), 2) for _ in names]
    return Readings(30.0 * np.arange(COUNT), np.column_stack(own), names, np.ones(len(names)))


def source(*groups: Readings) -> Source:
    return Source(groups, DataUsed("invented", "0", "1", COUNT, "a"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    return train_methane(source(readings("m/a", "m/b"), readings("m/c", seed=2)), folder, config=CONFIG)


def test_a_training_is_judged_beside_persistence(trained):
    run, losses = trained
    assert set(run.losses) == {f"{minutes} min" for minutes in HORIZONS_MIN} == set(run.doing_without)
    assert run.losses["30 min"] < run.doing_without["30 min"]
    assert run.metrics["pinball_to_persistence 30 min"] < 1
    assert run.parameters["points"] == ["m/a", "m/b", "m/c"]
    back = read_run(run.folder)
    assert (back.losses, back.data, back.code) == (run.losses, run.data, run.code)
    assert "held out" in run.card
    again = losses(run.files)  # of the model that was then trained on everything
    assert set(again) == set(run.losses)


def test_what_the_champion_knows_of_other_points_is_kept(trained, tmp_path: Path):
    champion, _ = trained
    run, _ = train_methane(source(readings("m/b", seed=3)), tmp_path / "run", champion=champion.files, config=CONFIG)
    made = load(run.files)
    assert set(made.points) == {"m/a", "m/b", "m/c"}
    assert made.points["m/a"].until_s == load(champion.files).points["m/a"].until_s
    # Where a model cannot speak, doing without stands in for it.
    stranger = source(readings("m/z", seed=4))
    alike = train_methane(stranger, tmp_path / "stranger", config=CONFIG)[0].doing_without
    assert losses_of(made, stranger) == pytest.approx(alike)


def test_what_makes_no_sense_is_left_out():
    whole = readings("m/still", "m/sparse", "m/percent", "m/sound")
    values = whole.ch4_pct.copy()
    values[:, 0] = 0.3
    values[: COUNT - 200, 1] = np.nan
    values[:, 2] = 20 + 60 * values[:, 3]
    kept = sane(source(replace(whole, ch4_pct=values)), CONFIG)
    assert [each.names for each in kept.groups] == [("m/sound",)]
    with pytest.raises(NothingToLearnError, match=r"m/still: it stands still at 0\.3 %"):
        sane(source(replace(whole, ch4_pct=values[:, :1], names=("m/still",), limits_pct=np.ones(1))), CONFIG)
    with pytest.raises(NothingToLearnError, match="under 8 h of readings"):
        sane(source(readings("m/a").until(700)), CONFIG)


def test_silver_is_a_source(light: LightEngine, landing: Path):
    code = point_code(1)
    definitions(landing, -1, {"point_code": code})
    rows = [
        {"point_code": code, "value": round(0.4 + 0.1 * np.sin(n), 2), "status": 0, "data_time": at(n), "unit": "%"}
        for n in range(30)
    ]
    write_file(landing, "CDSS", MINE, "示范煤矿", at(29), rows)
    ingest(light.settings, landing, engine=light)
    run_job(light, "conform")
    found = from_lake(light, Window(at(0), at(30)))
    (group,) = found.groups
    assert group.names == (f"{MINE}/{code}",)
    assert group.limits_pct.tolist() == [1.0]
    assert np.isfinite(group.ch4_pct[::2]).all()
    assert found.data.tables["silver.reading"] >= 0
    assert found.data.sha256 == from_lake(light, Window(at(0), at(30))).data.sha256
    assert from_newest(light, weeks=1).groups[0].names == group.names
    with pytest.raises(NothingToLearnError, match="--series"):
        from_lake(light, Window(T0, at(30)), mines=[])

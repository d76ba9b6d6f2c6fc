"""Each notebook's code runs from top to bottom on a lake, and is committed without outputs."""

from __future__ import annotations

import ast
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas import gold
from minefusion.schemas.settings import Settings, load_settings
from minefusion.serving.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = ROOT.parent / "shared" / "data" / "pl_longwall_methane" / "methane_30s.parquet"


@pytest.fixture(scope="module")
def gassy(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake of a small mine in which gas goes over the limit."""
    folder = tmp_path_factory.mktemp("gassy")
    simulate_mine("gas_event", hours=1, seed=1, out=folder / "landing", truth=folder / "truth", roadways=20, people=20)
    settings = load_settings(lake=folder / "lake")
    ingest(settings, folder / "landing")
    build(LightEngine(settings))
    return settings


@pytest.fixture(scope="module")
def warned(gassy: Settings) -> Settings:
    """The same lake with an hour of forecasts at the point that alarmed first, and what was found of them."""
    engine = LightEngine(gassy)
    rows = Reader(gassy.lake).sql("select * from gold.alarm where kind = 'G-01' order by raised_at limit 1")
    alarm = next(iter(rows))
    about = {name: alarm[name] for name in ("mine_code", "point_id", "area_id")}
    start = alarm["raised_at"].replace(second=0, microsecond=0) - timedelta(minutes=30)
    forecasts, health = [], []
    for horizon in (3, 10, 30, 60):
        for minute in range(30):
            at = start + timedelta(minutes=minute)
            values = dict.fromkeys(gold.QUANTILES, 0.8) | {"base_pct": 0.8, "low_pct": 0.7, "high_pct": 1.1}
            told = {"issued_at": at, "target_at": at + timedelta(minutes=horizon), "horizon_min": horizon}
            chance = {
                "reach_chance": minute / 40 if horizon < 60 else None,
                "limit_pct": 1.0,
                "is_warning": minute > 20,
            }
            forecasts.append(about | values | told | chance | {"day": f"{at:%Y-%m-%d}", "model_version": "1"})
        hour = {"mine_code": alarm["mine_code"], "entity": alarm["point_id"], "horizon_min": horizon, "hour": start}
        health.append(hour | {"is_degraded": False, "faults": "", "day": f"{start:%Y-%m-%d}"})
    for table, some in ((gold.METHANE_FORECAST, forecasts), (gold.MODEL_HEALTH, health)):
        full = [dict.fromkeys(table.names) | row for row in some]
        engine.append(table, engine.frame(full, table.arrow_schema()))
    return gassy


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """The public series, else one like it: steps of 0.1 %, a long stop of the works, and a level that drifts."""
    if PUBLIC.is_file():
        return PUBLIC
    count, random = 6_000, np.random.default_rng(1)
    works = (np.arange(count) // 480 % 2 == 0) & ~((np.arange(count) > 2_500) & (np.arange(count) < 4_500))
    level = np.linspace(0.4, 1.4, count) + 0.3 * np.convolve(works, np.exp(-np.arange(120) / 40) / 40)[:count]
    wander = np.cumsum(random.normal(0, 0.01, count)) * works
    table = {"elapsed_s": np.arange(count) * 30, "PD": works.astype(int)}
    table |= {"MM116": np.round(level + 0.1 * wander, 1), "MM31": np.round((level + 0.1 * wander) / 2, 2)}
    path = tmp_path / "series.parquet"
    pl.DataFrame(table).write_parquet(path)
    return path


def run(name: str, **constants: Path) -> dict[str, Any]:
    """Run the notebook's code from top to bottom, with other values for some of its constants."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    told: dict[str, Any] = {}
    for cell in cells:
        assert cell["outputs"] == []
        tree = ast.parse("".join(cell["source"]))
        for node in tree.body:
            if isinstance(node, ast.Assign) and (target := ast.unparse(node.targets[0])) in constants:
                node.value = ast.Constant(str(constants[target]))
        exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), told)
    return told


def test_every_notebook_has_a_test():
    assert NOTEBOOKS == [
        "explore_a_shift", "gas_event_investigation", "read_a_warning", "why_persistence_is_hard",
    ]  # fmt: skip


def test_a_shift_is_explored(gassy: Settings):
    told = run("explore_a_shift", LAKE=gassy.lake)
    assert told["alarms"].filter(pl.col("kind") == "G-01").height >= 1
    assert told["worst"]["level"][0] == 4
    assert told["minutes"].height >= 60


def test_a_gas_event_is_investigated_from_a_to_z(gassy: Settings):
    told = run("gas_event_investigation", LAKE=gassy.lake)
    event = told["event"]
    assert event["alarm_id"] in told["breaches"]["alarm_id"].to_list()
    assert told["peak"]["value"] >= told["limit"]["alarm"]
    assert told["first_over"] <= told["peak"]["observed_at"]
    assert 0 < told["rise_min"] <= 60
    assert told["there"]["level"][0] == 4
    assert told["switches"].height >= 1, "a door was opened"
    assert (told["precursors"]["lead_min"] >= 0).any()
    assert told["quality"].height == 1
    assert told["limit"]["location"] in told["summary"]


def test_a_warning_is_read_to_its_end(warned: Settings):
    told = run("read_a_warning", LAKE=warned.lake)
    assert told["fan"]["horizon_min"].to_list() == [3, 10, 30, 60]
    assert told["came"].height > 0
    assert 0 < told["lead_min"] <= 60
    assert told["alarms"].height >= 1
    assert told["health"].height == 4


def test_persistence_is_shown_to_be_hard(series: Path):
    told = run("why_persistence_is_hard", SERIES=series)
    compared = told["compared"]
    assert compared.height == 8
    # What the page says: in pieces, the mean of the value is worse than that of the change.
    assert compared["cells_of_change"].mean() < compared["cells_of_value"].mean()
    if series == PUBLIC:
        assert (compared["persistence"] < compared["least_squares"]).sum() == 7
        assert (compared["cells_of_change"] < compared["cells_of_value"]).sum() == 7
    unchanged = told["unchanged"]
    assert (unchanged["3 min"] > unchanged["60 min"]).all()

"""Each notebook's code runs from top to bottom on a lake, and is committed without outputs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def gassy(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake of a small mine in which gas goes over the limit."""
    folder = tmp_path_factory.mktemp("gassy")
    simulate_mine("gas_event", hours=1, seed=1, out=folder / "landing", truth=folder / "truth", roadways=20, people=20)
    settings = load_settings(lake=folder / "lake")
    ingest(settings, folder / "landing")
    build(LightEngine(settings))
    return settings


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path: Path, gassy: Settings):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    told = {}
    for cell in cells:
        assert cell["outputs"] == []
        tree = ast.parse("".join(cell["source"]))
        for node in tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAKE":
                node.value = ast.Constant(str(gassy.lake))
        exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), told)
    assert told["alarms"].filter(told["pl"].col("kind") == "G-01").height >= 1
    assert told["worst"]["level"][0] == 4
    assert told["minutes"].height >= 60

"""The literal mine of the hazard indices, and an engine to put it on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.settings import load_settings

sys.path.append(str(Path(__file__).parents[1] / "hazard"))


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    return LightEngine(load_settings(lake=tmp_path_factory.mktemp("routes")))

"""Inputs of the hazard indices from literal rows (`literal_mine`), on the light engine."""

from __future__ import annotations

import pytest
from literal_mine import Make, make_inputs

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.settings import load_settings


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    return LightEngine(load_settings(lake=tmp_path_factory.mktemp("light")))


@pytest.fixture
def make(light: LightEngine) -> Make:
    """`make(points=…, readings=…, minutes=(0, 10), …)` → Inputs on the light engine."""
    return lambda **parts: make_inputs(light, **parts)

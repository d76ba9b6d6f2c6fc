"""A simulated shift, cut short, and lakes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.settings import Settings, load_settings


@pytest.fixture(scope="session")
def shift(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Landing folder and truth of half a simulated hour: 20 roadways, 12 people, a gas event."""
    base = tmp_path_factory.mktemp("shift")
    simulate_mine("gas_event", hours=0.5, seed=5, out=base / "landing", truth=base / "truth", roadways=20, people=12)
    return base / "landing", base / "truth"


@pytest.fixture
def light(settings: Settings) -> LightEngine:
    return LightEngine(settings)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def engines(tmp_path: Path) -> Callable[[str], LightEngine]:
    """A light engine over a lake of its own, by name."""
    made: dict[str, LightEngine] = {}

    def engine(name: str) -> LightEngine:
        if name not in made:
            made[name] = LightEngine(load_settings(lake=tmp_path / name))
        return made[name]

    return engine

"""A simulated shift, cut short, and lakes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs import hazard, trends
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.settings import Settings, load_settings


@pytest.fixture(scope="session")
def shift(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Landing folder and truth of half a simulated hour: 20 roadways, 12 people, a gas event."""
    base = tmp_path_factory.mktemp("shift")
    simulate_mine("gas_event", hours=0.5, seed=5, out=base / "landing", truth=base / "truth", roadways=20, people=12)
    return base / "landing", base / "truth"


# Some of each cadence and input. That the cut of time does not show in any index, and that both engines agree on each,
# say the tests of the catalogue and those named `…_on_spark`.
SOME = ("G-01", "G-02", "G-07", "F-09", "F-10", "V-01", "V-02", "V-08", "T-01", "P-01", "P-02", "P-04", "P-05")
SOME_TRENDS = ("G-08", "F-02", "W-03", "R-01")


@pytest.fixture(scope="module")
def some_indices() -> Iterator[None]:
    """Fewer indices, for tests of what runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, wanted in ((hazard, "CATALOGUE", SOME), (trends, "TRENDS", SOME_TRENDS)):
            patch.setattr(module, name, [each for each in getattr(module, name) if each[0].id in wanted])
        yield


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

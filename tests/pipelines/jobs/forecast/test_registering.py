"""From a training to the champion: better everywhere, or the challenger that says why."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from minefusion.models.registry import open_registry, shipped
from minefusion.models.training_run import DataUsed, TrainingRun, read_run
from minefusion.pipelines.jobs.forecast import champions
from minefusion.pipelines.jobs.forecast.champions import champions_of, register_shipped
from minefusion.pipelines.jobs.forecast.registering import log_only, register
from minefusion.schemas.settings import Settings, load_settings

pytest.importorskip("mlflow", reason="the registry needs MLflow: run make setup")
NAME = "seismic_hazard_reduced"


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("empty")
    open_registry(load_settings(home=str(home)))
    return home


@pytest.fixture
def home(empty_home: Path, tmp_path: Path) -> Settings:
    shutil.copytree(empty_home, tmp_path / "home", dirs_exist_ok=True)
    return load_settings(home=str(tmp_path / "home"))


@pytest.fixture
def none_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(champions, "shipped", dict)


def run(folder: Path, brier: float, data: str) -> TrainingRun:
    """As the shipped training, with another loss and other data."""
    of = shipped()[NAME]
    shutil.copytree(of, folder)
    told = vars(read_run(folder)) | {"losses": {"brier": brier}, "data": DataUsed("invented", "0", "9", 10, data)}
    made = TrainingRun(**told)
    made.write()
    return made


def scored(brier: float):
    def losses(folder: Path) -> Mapping[str, float]:
        assert (folder / "model.json").is_file()
        return {"brier": brier}

    return losses


def test_what_is_shipped_becomes_champion_once(home: Settings):
    registry = register_shipped(home)
    assert {NAME, "seismic_hazard"} <= {version.model for version in registry.versions()}
    assert all(version.aliases == ("champion",) for version in registry.versions())
    assert [version.number for version in register_shipped(home).versions(NAME)] == [1]
    assert champions_of(home, NAME).files("1").files


@pytest.mark.usefixtures("none_shipped")
def test_better_is_promoted_worse_is_refused(home: Settings, tmp_path: Path):
    first = register(home, run(tmp_path / "a", 0.040, "a"), scored(9.9))
    assert (first["promoted"], first["alias"], first["version"]) == (True, "champion", 1)
    worse = register(home, run(tmp_path / "b", 0.041, "b"), scored(0.040))
    assert (worse["promoted"], worse["alias"]) == (False, "challenger")
    assert worse["why"].startswith("not better in 1 scores; the worst: brier, 0.041 against 0.04 of champion")
    assert worse["baselines"]["champion 1"] == {"brier": 0.040}
    useless = register(home, run(tmp_path / "c", 0.06, "c"), scored(0.07))
    assert "constant rate" in useless["why"]
    better = register(home, run(tmp_path / "d", 0.039, "d"), scored(0.040))
    assert (better["promoted"], better["version"]) == (True, 4)
    assert set(better) >= {"run_id", "model", "version", "alias", "metrics", "baselines", "promoted", "why"}
    registry = open_registry(home)
    assert registry.version(NAME).number == 4
    assert registry.version(NAME, 2).why == worse["why"]


@pytest.mark.usefixtures("none_shipped")
def test_the_same_data_judges_nothing(home: Settings, tmp_path: Path):
    register(home, run(tmp_path / "a", 0.040, "a"), scored(9.9))
    again = register(home, run(tmp_path / "b", 0.030, "a"), scored(0.040))
    assert not again["promoted"]
    assert "very same data" in again["why"]


def test_a_training_from_elsewhere_is_logged_and_not_judged(home: Settings, tmp_path: Path):
    version = log_only(home, run(tmp_path / "a", 0.030, "a"))
    assert (version.number, version.aliases) == (2, ("challenger",))
    assert open_registry(home).version(NAME).number == 1

"""The registry: what is logged comes back, aliases move, and nothing in it is a pickle."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from minefusion.models.promotion import judge
from minefusion.models.registry import CHALLENGER, Registry, open_registry
from minefusion.models.seismic_hazard import package
from minefusion.models.seismic_hazard.features import REDUCED
from minefusion.models.seismic_hazard.predict import Model, predict
from minefusion.models.seismic_hazard.shifts import Shifts
from minefusion.models.training_run import DataUsed, TrainingRun, code_version, fingerprint, read_run
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import load_settings

pytest.importorskip("mlflow", reason="the registry needs MLflow: run make setup")
T0 = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "seismic_hazard_reduced"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's database, made once: MLflow takes seconds for its tables."""
    home = tmp_path_factory.mktemp("store")
    open_registry(load_settings(home=str(home)))
    return home / "mlflow.db"


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path) -> Registry:
    (tmp_path / "home").mkdir(exist_ok=True)
    shutil.copy(empty_store, tmp_path / "home" / "mlflow.db")
    return open_registry(load_settings(home=str(tmp_path / "home")))


def model(constant: float = 0.0) -> Model:
    return Model(REDUCED, np.zeros(9), np.ones(9), np.r_[constant, np.full(9, 0.1)], np.array([0.0, 1.0]))


def run(folder: Path, constant: float = 0.0, brier: float = 0.04) -> TrainingRun:
    made = TrainingRun(
        model=NAME,
        folder=folder,
        parameters={"config": {"ridge": 10.0}, "features": "rate"},
        metrics={"auc": 0.66},
        losses={"brier": brier},
        doing_without={"brier": 0.05},
        simplest="constant rate",
        data=DataUsed("invented", "0", "9", 10, fingerprint({"a": np.arange(10)}), {"silver.seismic_event": 3}),
        code=code_version("seismic_hazard"),
    )
    package.write(model(constant), made.files)
    (folder / "card.md").write_text("# card")
    (folder / "plots").mkdir(exist_ok=True)
    (folder / "plots" / "reliability.html").write_text("<p>")
    made.write()
    return made


def test_what_is_logged_comes_back(registry: Registry, tmp_path: Path):
    made = run(tmp_path / "run")
    version = registry.log(made)
    assert (version.model, version.number, version.aliases) == (NAME, 1, (CHALLENGER,))
    assert version.metrics == {"auc": 0.66}
    assert version.trained_on == made.data
    assert version.promoted_at is None
    files = registry.folder(version, tmp_path / "cache")
    assert package.read(files).weights.tolist() == model().weights.tolist()
    kept = {path.name for path in files.parents[3].rglob("*")}
    assert {"MLmodel", "card.md", "reliability.html", "model.json"} <= kept
    assert not [name for name in kept if name.endswith((".pkl", ".pickle", ".joblib"))]
    stored = registry._client.get_run(version.run_id).data
    assert stored.params == {"config.ridge": "10.0", "features": "rate"}
    assert stored.metrics["loss/brier"] == 0.04
    assert stored.metrics["loss_constant rate/brier"] == 0.05
    assert stored.tags["minefusion.code"] == made.code
    assert json.loads(stored.tags["minefusion.data"])["tables"] == {"silver.seismic_event": 3}


def test_mlflow_makes_the_same_call(registry: Registry, tmp_path: Path):
    import mlflow.pyfunc
    import pandas as pd

    version = registry.log(run(tmp_path / "run"))
    root = registry.folder(version, tmp_path).parents[1]
    opened = mlflow.pyfunc.load_model(str(root))
    random = np.random.default_rng(0)
    columns = {name: random.poisson(3, 40).astype(float) for name in package.INPUTS}
    said = opened.predict(pd.DataFrame(columns))["chance"].to_numpy()
    assert np.array_equal(said, predict(model(), Shifts(**columns)))
    assert [each.name for each in opened.metadata.signature.inputs] == list(package.INPUTS)


def test_a_champion_reigns_from_its_promotion(registry: Registry, tmp_path: Path):
    first, second = registry.log(run(tmp_path / "a")), registry.log(run(tmp_path / "b", 1.0))
    registry.promote(first, "first", at=T0)
    promoted = registry.promote(second, "better", at=T0 + timedelta(days=7))
    assert (promoted.aliases, promoted.why) == (("champion",), "better")
    assert registry.reigns(NAME) == [(T0, 1), (T0 + timedelta(days=7), 2)]
    assert [each.number for each in registry.versions(NAME)] == [2, 1]
    assert registry.find(NAME, CHALLENGER) is None


def test_an_alias_moved_by_hand_is_put_on_record(registry: Registry, tmp_path: Path):
    first, second = registry.log(run(tmp_path / "a")), registry.log(run(tmp_path / "b"))
    registry.promote(second, "better", at=T0)
    registry._client.set_registered_model_alias(NAME, "champion", str(first.number))
    found = registry.champion(NAME, now=T0 + timedelta(hours=1))
    assert found is not None
    assert found.number == 1
    assert registry.reigns(NAME) == [(T0, 2), (T0 + timedelta(hours=1), 1)]


def test_a_refused_version_stays_challenger_and_says_why(registry: Registry, tmp_path: Path):
    registry.promote(registry.log(run(tmp_path / "a")), "first")
    refused = registry.refuse(registry.log(run(tmp_path / "b")), "worse")
    assert (refused.aliases, refused.why) == ((CHALLENGER,), "worse")
    assert registry.version(NAME).number == 1


def test_what_is_not_there_is_told(registry: Registry, tmp_path: Path):
    assert registry.find("methane_forecast") is None
    assert registry.champion("methane_forecast") is None
    assert registry.versions() == []
    with pytest.raises(InputError, match="expected a version of methane_forecast"):
        registry.version("methane_forecast", 3)
    version = registry.log(run(tmp_path / "a"))
    shutil.rmtree(registry.folder(version, tmp_path))
    with pytest.raises(MissingError, match="expected the files of seismic_hazard_reduced 1"):
        registry.folder(version, tmp_path)


def test_a_store_that_does_not_answer_is_told(tmp_path: Path):
    settings = load_settings(home=str(tmp_path), mlflow_uri=f"sqlite:///{tmp_path}/folder/is/none.db")
    (tmp_path / "folder").write_text("a file, not a folder")
    with pytest.raises(MissingError, match="mend mlflow_uri"):
        open_registry(settings)


def test_a_run_is_a_folder_that_can_be_carried(tmp_path: Path):
    made = run(tmp_path / "run")
    moved = Path(shutil.move(made.folder, tmp_path / "elsewhere"))
    assert read_run(moved) == replace(made, folder=moved)
    assert read_run(moved).card == "# card"
    shutil.rmtree(moved / "model")
    with pytest.raises(InputError, match="model's files"):
        read_run(moved)
    with pytest.raises(InputError, match=r"expected a training's run\.json"):
        read_run(tmp_path)


def test_fingerprints_tell_values_and_names_apart():
    values = np.arange(6.0)
    same = fingerprint({"a": values, "b": np.array(["x", "y"])})
    assert same == fingerprint({"b": np.array(["x", "y"]), "a": values.astype(int)})
    assert same != fingerprint({"a": values + 1e-9, "b": np.array(["x", "y"])})
    assert same != fingerprint({"a": values.reshape(2, 3), "b": np.array(["x", "y"])})


BETTER = {"MM116 3 min": 0.010, "MM116 60 min": 0.030}
PERSISTENCE = {"MM116 3 min": 0.013, "MM116 60 min": 0.036}


def test_promotion_needs_to_win_everywhere():
    assert judge(BETTER, None, PERSISTENCE, named="persistence").is_promoted
    assert judge(BETTER, {"MM116 3 min": 0.011, "MM116 60 min": 0.031}, PERSISTENCE, named="persistence").is_promoted
    close = judge(BETTER, {"MM116 3 min": 0.011, "MM116 60 min": 0.029}, PERSISTENCE, named="persistence")
    assert not close.is_promoted
    assert close.why_en == "not better in 1 scores; the worst: MM116 60 min, 0.03 against 0.029 of champion"
    assert "MM116 60 min" in close.why_zh
    assert not judge(BETTER, BETTER, PERSISTENCE, named="persistence").is_promoted  # a tie is no win
    assert not judge(PERSISTENCE, None, BETTER, named="persistence").is_promoted


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="score all on the same rows"):
        judge(BETTER, None, {"MM116 3 min": 1.0}, named="persistence")
    assert not judge({"a": float("nan")}, None, {"a": 1.0}, named="persistence").is_promoted

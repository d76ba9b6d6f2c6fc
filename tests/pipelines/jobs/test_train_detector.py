"""A detector trained for real on a few rendered pictures: in pieces, exported, judged, registered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from minefusion.models.registry import open_registry
from minefusion.models.training_run import read_run
from minefusion.models.unsafe_behaviour.agpl.train import Recipe, load_ultralytics, with_device
from minefusion.models.unsafe_behaviour.dataset import load_dataset
from minefusion.models.unsafe_behaviour.package import FILE, load
from minefusion.pipelines.jobs.forecast.registering import register
from minefusion.pipelines.jobs.video.detectors import detector_of
from minefusion.pipelines.jobs.video.train_detector import champion_losses, folder_of_data, train_detector
from minefusion.pipelines.simulate.video import LAYOUTS, render_pictures
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import load_settings

RECIPE = Recipe(epochs=2, image_px=64, batch=4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed, (split, layouts) in enumerate(LAYOUTS.items()):
        render_pictures(layouts, count=4, seed=seed, out=folder, split=split)
    return folder / "data.yaml"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network; ultralytics brings its plan, so that no download is needed."""
    pytest.importorskip("ultralytics", reason="training needs the extra vision-train")
    folder = tmp_path_factory.mktemp("weights")
    path = folder / "untrained.pt"
    load_ultralytics(folder)("yolo26n.yaml").save(str(path))
    return path


def test_training_in_pieces_to_a_registered_model(data: Path, weights: Path, tmp_path: Path):
    out = tmp_path / "training"
    given = {"command": "minefusion train unsafe_behaviour …", "licence": "none"}
    first = train_detector([data], weights, out, RECIPE, budget_s=0.1, **given)
    assert (first.trained.is_done, first.trained.epochs_done, first.run) == (False, 1, None)
    assert {finding.code for finding in first.findings} >= {"FEW_BOXES"}
    with pytest.raises(InputError, match=r"expected to go on with the training in .* but its recipe differ"):
        train_detector([data], weights, out, Recipe(epochs=3, image_px=64, batch=4), **given)
    done = train_detector([data], weights, out, RECIPE, **given)
    assert done.trained.is_done
    assert done.run is not None
    run = read_run(done.run.folder)
    assert run.metrics.keys() >= {"map50", "map50_95", "violations_map50"}
    assert run.losses.keys() == {"map50", "violations_map50"}
    assert [path.name for path in run.plots] == ["confusion.png", "precision_recall.png"]
    for word in ("AGPL-3.0", "untrained.pt", "2 epochs at 64 px", "split `test`", "minefusion train unsafe_behaviour"):
        assert word in run.card
    # Registered as a challenger: an untrained network beats nobody, and says so.
    settings = load_settings(lake=tmp_path / "lake", home=tmp_path / "home")
    answer = register(
        settings, run, lambda champion: champion_losses(champion, load_dataset(out / "data" / "data.yaml"))
    )
    assert answer["promoted"] is False
    assert "champion" in answer["why"]
    registry = open_registry(settings)
    assert registry.version("unsafe_behaviour", "challenger").number == answer["version"]
    # The shipped model stays the champion and is what jobs open.
    assert detector_of(settings).classes[:2] == ("person", "helmet")
    picture = next((data.parent / "images" / "test").iterdir()).read_bytes()
    (told,) = load(run.folder / "model")({"picture": [picture]})["detections"]
    assert isinstance(json.loads(told), list)
    assert (run.folder / "model" / FILE).stat().st_size < 12e6


def test_other_pictures_begin_another_training(data: Path, tmp_path: Path):
    shutil.copytree(data.parent, tmp_path / "pictures")
    copy = tmp_path / "pictures" / "data.yaml"
    assert folder_of_data(tmp_path, [copy]) == folder_of_data(tmp_path, [data]), "wherever they lie"
    label = next((tmp_path / "pictures" / "labels" / "train").iterdir())
    label.write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    assert folder_of_data(tmp_path, [copy]) != folder_of_data(tmp_path, [data])


def test_what_is_missing_is_told(data: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a checkpoint to begin with, got .*none\.pt"):
        train_detector([data], tmp_path / "none.pt", tmp_path / "out", RECIPE)
    with pytest.raises(MissingError, match="expected a CUDA GPU for --device cuda"):
        with_device(RECIPE, "cuda")

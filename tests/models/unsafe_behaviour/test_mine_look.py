"""Pictures made to look as if taken underground, and that a training set holds them beside the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from test_dataset import data as data  # a fixture
from test_dataset import picture

from minefusion.models.unsafe_behaviour.dataset import join, label_file, load_dataset
from minefusion.models.unsafe_behaviour.evaluate import load_picture
from minefusion.models.unsafe_behaviour.mine_look import LIGHT, underground


def test_it_is_darker_and_still_the_same_picture():
    bright = np.full((90, 160, 3), 40, dtype=np.uint8)
    bright[30:60, 60:100] = (230, 200, 40)
    for seed in range(10):
        made = underground(bright, np.random.default_rng(seed)).astype(float)
        assert made.shape == bright.shape
        assert made.mean() < bright.mean() * (LIGHT[1] * 1.3 + 0.9), "unless a lamp blinds it, darker"
        inside, outside = made[30:60, 60:100].mean(), np.delete(made, slice(30, 60), axis=0).mean()
        assert inside > outside, "what was bright is brighter than what was not"


def test_the_same_dice_make_the_same_picture():
    bright = np.full((30, 40, 3), 120, dtype=np.uint8)
    first, second = (underground(bright, np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()


def test_a_share_of_the_training_pictures_is_joined_twice(data: Path, tmp_path: Path):
    root = data.parent
    for n in range(20):
        label_file(picture(root / "images" / "train" / f"more{n}.jpg", 200)).write_text("2 0.5 0.5 0.4 0.4\n")
    joined = join([load_dataset(data)], tmp_path / "one", underground_share=0.5, seed=1)
    twice = [path for path in joined.pictures["train"] if path.stem.endswith("_underground")]
    assert 5 <= len(twice) <= 17
    assert not [path for path in joined.pictures["test"] if "underground" in path.stem]
    for path in twice:
        other = path.with_name(path.name.replace("_underground", ""))
        assert label_file(path).read_text() == label_file(other).read_text()
    bright = [path for path in twice if "more" in path.name]
    assert np.mean([load_picture(path).mean() for path in bright]) < 150

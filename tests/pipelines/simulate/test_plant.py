"""The simulated chemical plant: the same bytes for the same seed, its sizes, its truth."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from minefusion.pipelines.simulate.plant import PLANT, plant_site, simulate_plant
from minefusion.schemas.errors import InputError
from minefusion.schemas.rules import applied_rules
from minefusion.schemas.site import load_site


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate_plant("abnormal", hours=2, seed=seed, out=tmp_path / name, truth=tmp_path / f"{name}-truth")
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a-truth") == files(tmp_path / "b-truth")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_a_file_a_minute_a_site_file_and_the_truth(tmp_path: Path):
    made = simulate_plant("abnormal", hours=2, seed=3, out=tmp_path / "out", truth=tmp_path / "truth")
    assert made.files == {"RGJL": 120}
    assert len(list((tmp_path / "out").glob("*_RGJL_*.txt"))) == 120
    assert load_site(tmp_path / "out" / f"{PLANT}.site.yaml") == plant_site()
    with (tmp_path / "truth" / "findings.csv").open(encoding="utf-8") as file:
        found = {row["index_id"] for row in csv.DictReader(file)}
    assert found == {
        "HP-006", "HP-017", "HP-029", "HP-030", "HP-012", "HP-013", "AN-010", "AN-011", "GEN-022", "GEN-023", "P-06",
        "AN-015", "HP-040",
    }  # fmt: skip


def test_nothing_happens_in_a_normal_plant(tmp_path: Path):
    simulate_plant("normal", hours=0.2, seed=3, out=tmp_path / "out", truth=tmp_path / "truth")
    assert len((tmp_path / "truth" / "findings.csv").read_text().splitlines()) == 1


def test_the_plant_sets_some_values_and_leaves_others_open():
    rules = {(each.rule.rule_id, each.is_configured) for each in applied_rules(plant_site())}
    assert ("HP-040", True) in rules
    assert ("HP-041", False) in rules


def test_what_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="expected a scenario of normal, abnormal, got 'fire'"):
        simulate_plant("fire", hours=2, seed=1, out=tmp_path / "a", truth=tmp_path / "t")
    with pytest.raises(InputError, match="expected two hours or more"):
        simulate_plant("abnormal", hours=1, seed=1, out=tmp_path / "b", truth=tmp_path / "t")

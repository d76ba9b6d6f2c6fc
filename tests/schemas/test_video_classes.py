"""Names of other data sets come to our classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.video_classes import load_mapping, mapped, our_label, video_classes


def test_the_usual_names_need_no_mapping():
    names = ("Hardhat", "NO-Hardhat", "NO-Safety Vest", "Person", "Safety Vest", "Safety Cone", "tie")
    assert mapped(names, None) == ("helmet", "bare_head", "no_vest", "person", "vest", "cone", None)


def test_no_name_stands_for_two_classes():
    for label, each in video_classes().items():
        assert [our_label(alias) for alias in each.aliases] == [label] * len(each.aliases)


def test_a_mapping_is_complete_and_names_our_classes(tmp_path: Path):
    path = tmp_path / "map.yaml"
    path.write_text("hat: helmet\ndog: null\n", encoding="utf-8")
    assert mapped(("dog", "hat"), load_mapping(path)) == (None, "helmet")
    with pytest.raises(InputError, match="got none for 'cat'"):
        mapped(("cat",), load_mapping(path))
    with pytest.raises(InputError, match="or null in the mapping, got 'hat'"):
        mapped(("a",), {"a": "hat"})
    path.write_text("- helmet\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected lines 'their class: our class or null'"):
        load_mapping(path)

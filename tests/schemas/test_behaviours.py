"""The declared behaviours are read whole, and a mistake in them is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.schemas.behaviour_words import in_words
from minefusion.schemas.behaviours import all_behaviours, conditions, load_behaviours
from minefusion.schemas.errors import InputError

RULE = """behaviours:
- code: inside
  event_type: V201
  level: 3
  zh: 进入
  en: inside
  of: person
  when: {in_zone: {kind: forbidden}}
  source: test
  confidence: convention
"""


def read(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "behaviours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_declared_behaviour_can_be_read_by_a_safety_officer():
    found = {each.code: each for each in all_behaviours()}
    assert {"no_helmet", "no_vest", "zone_intrusion", "line_crossing", "belt_riding", "gathering", "lying"} <= set(
        found
    )
    for each in found.values():
        assert each.zh
        assert each.en
        assert each.source
        assert each.event_type.startswith("V")
        assert each.event_type[1:].isdigit()


def test_no_behaviour_rests_on_one_picture_but_for_a_crossing():
    """A ghost of one picture raises nothing: all ask for time or repetition, a crossing for places on both sides."""
    for each in all_behaviours():
        kinds = {condition.kind for condition in conditions(each.when)}
        assert kinds & {"lasting", "confirmed", "crosses", "stays"}, each.code


def test_every_behaviour_can_be_said_in_words():
    words = {each.code: in_words(each.when) for each in all_behaviours()}
    assert words["person_on_belt"] == (
        "双脚在皮带区内，且设备运行（状态未知按运行计）；持续 0.6 秒（其中 70% 的画面）",
        "the feet stand in a belt zone, and its machine runs (an unknown state counts as running); for 0.6 s (in 70% "
        "of the pictures)",
    )
    assert len(set(words.values())) == len(words)


def test_a_file_of_ones_own_is_read(tmp_path: Path):
    (only,) = load_behaviours(read(tmp_path, RULE))
    assert (only.code, only.when.kind, only.ends_after_s) == ("inside", "in_zone", 2.0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("level: 3", "level: 5", "line 2: expected level 1 to 4 in inside, got 5"),
        ("of: person", "of: zone", "expected 'zone' in inside if and only if"),
        ("{in_zone: {kind: forbidden}}", "{people: {at_most: 0}}", "expected one of all_of, any_of"),
        ("{in_zone: {kind: forbidden}}", "{}", "expected exactly one condition here in inside, got none"),
        ("{in_zone: {kind: forbidden}}", "{moves: {way: along}}", "expected the 'kind' of zone"),
        ("{in_zone: {kind: forbidden}}", "{in_zone: {kind: pool}}", "line 8: expected"),
        (
            "{in_zone: {kind: forbidden}}",
            "{lasting: {seconds: 0, share: 0.5, when: {lies: {at_least: 0.5}}}}",
            "expected seconds above 0",
        ),
        (
            "{in_zone: {kind: forbidden}}",
            "{confirmed: {pictures: 5, of: 3, when: {lies: {at_least: 0.5}}}}",
            "expected 1 ≤ pictures ≤ of",
        ),
        (RULE, RULE + RULE.removeprefix("behaviours:\n"), "line 11: expected every behaviour once, got 'inside' again"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, told: str):
    with pytest.raises(InputError, match=told.replace("(", r"\(").replace("[", r"\[")):
        load_behaviours(read(tmp_path, RULE.replace(old, new)))

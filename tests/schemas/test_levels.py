"""Levels as rows, and what a mine may do with them in its site file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.levels import NAMES, all_steps, steps_at
from minefusion.schemas.site import Site, SiteLevel, dump_site, load_site

MINE = "620000000001"


def saved(folder: Path, **own: object) -> Path:
    """A site file with nothing but one set of own levels."""
    level = SiteLevel(source="mine rules", **own)  # type: ignore[arg-type]
    site = Site(
        mine_code=MINE, name_zh="矿", name_en="Mine", severe_hazard=True, areas=(), nodes=(), edges=(), levels=(level,)
    )
    path = folder / f"{MINE}.site.yaml"
    path.write_text(dump_site(site), encoding="utf-8")
    return path


def test_each_index_and_scope_stands_once_and_its_steps_follow_each_other():
    seen = [(each.index_id, each.scope) for each in all_steps()]
    assert len(set(seen)) == len(seen)
    for each in all_steps():
        values = [value for name in NAMES if (value := getattr(each, name)) is not None]
        assert values == sorted(values, reverse=each.comparison in ("<", "<=")), (each.index_id, each.scope)


@pytest.mark.parametrize(
    "own",
    [
        {"index_id": "S-01", "blue": 2.0, "yellow": 9.0},  # a start value: either way
        {"index_id": "G-09", "scope": "k1_dry", "red": 0.8},  # measured on site
        {"index_id": "V-02", "scope": "minutes_outside", "red": 5.0},  # law, tightened
        {"index_id": "V-01", "blue": 1.3, "yellow": 1.2, "orange": 1.1, "red": 0.9},
        {"index_id": "T-04", "yellow": 20.5, "orange": 20.0, "red": 19.0},
        {"index_id": "S-07", "scope": "freeboard_3", "orange": 1.1, "red": 0.7},  # a step more
        {"index_id": "E-03", "scope": "winding", "red": 130.0},  # none is listed
    ],
)
def test_a_mine_may_set_start_values_and_tighten_the_law(tmp_path: Path, own: dict):
    site = load_site(saved(tmp_path, **own))
    (steps,) = (each for each in steps_at(own["index_id"], site) if each.scope == own.get("scope", ""))
    assert {name: getattr(steps, name) for name in NAMES} == {name: own.get(name) for name in NAMES}
    assert (steps.source, steps.confidence) == ("mine rules", "mine")


@pytest.mark.parametrize(
    ("own", "complaint"),
    [
        ({"index_id": "V-02", "scope": "minutes_outside", "red": 15.0}, "V-02 'minutes_outside' at 10 min at most"),
        ({"index_id": "T-04", "yellow": 19.0, "orange": 18.5, "red": 18.0}, "expected yellow of T-04 at 20 % at least"),
        ({"index_id": "V-01", "orange": 1.0, "red": 0.9}, "expected blue of V-01 at 1.1 1 at least"),
        ({"index_id": "G-01", "scope": "share_of_alarm", "blue": 0.9, "yellow": 0.95}, "tighten it and not relax"),
        ({"index_id": "G-04", "orange": 3.0, "red": 4.0}, "expected no own levels of G-04"),
        ({"index_id": "P-05", "scope": "alone", "yellow": 5.0}, "expected no own levels of P-05 'alone'"),
        ({"index_id": "S-01", "blue": 5.0, "yellow": 2.0}, "that rise from blue to red"),
        ({"index_id": "S-01"}, "that rise from blue to red"),
        ({"index_id": "S-01", "scope": "fast", "red": 5.0}, "index and scope that are listed"),
        ({"index_id": "Q-01", "red": 5.0}, "none: no such index has levels"),
    ],
)  # fmt: skip
def test_what_a_mine_may_not_do_is_refused_with_the_law(tmp_path: Path, own: dict, complaint: str):
    path = saved(tmp_path, **own)
    with pytest.raises(InputError, match=f"{re.escape(str(path))} line \\d+: .*{re.escape(complaint)}") as refused:
        load_site(path)
    assert "\n" not in str(refused.value)

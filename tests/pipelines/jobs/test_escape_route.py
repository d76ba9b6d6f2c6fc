"""gold.escape_route of a simulated shift, and the secret that its hashes are made with."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.person_key import person_key
from minefusion.schemas import gold, silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings, load_settings


def test_everybody_underground_is_told_a_way(settings: Settings, shift: tuple[Path, Path]):
    engine = LightEngine(settings)
    ingest(settings, shift[0], engine=engine)
    build(engine, selection="conform,hazard_index,escape_route")
    rows = engine.to_arrow(engine.read(gold.ESCAPE_ROUTE)).to_pylist()
    fixes = engine.to_arrow(engine.read(silver.POSITION)).to_pylist()
    minutes = sorted({row["minute"] for row in rows})
    assert len(minutes) >= 3
    for minute in minutes:
        below = {f["card_code"] for f in fixes if f["in_out_flag"] == 1 and f["observed_at"] == minute}
        assert len([row for row in rows if row["minute"] == minute]) >= len(below)
    ways = [row for row in rows if row["answer"] == "exit"]
    assert ways
    assert all(json.loads(row["roadways"]) and row["walk_min"] > 0 for row in ways if row["length_m"] > 0)
    assert all(row["sentence_zh"] and row["sentence_en"] for row in rows)
    told = json.dumps([{**row, "minute": "", "computed_at": ""} for row in rows], default=str)
    assert not any(fix["card_code"] in told for fix in fixes)
    assert sum(each.changed for each in build(engine, selection="escape_route")) == 0


@pytest.fixture
def keyless(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of somebody who has chosen no key."""
    monkeypatch.delenv("MINEFUSION_PERSON_KEY")
    return load_settings(lake=lake)


def test_the_key_is_made_once_and_kept_from_others(keyless: Settings):
    first = person_key(keyless)
    assert len(first) == 64
    assert person_key(keyless) == first
    path = keyless.home / "person.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in keyless.home.iterdir()] == ["person.key"]


def test_a_key_that_is_set_comes_first(lake: Path):
    assert person_key(load_settings(lake=lake, person_key="0123456789abcdef")) == b"0123456789abcdef"
    with pytest.raises(InputError, match="expected person_key"):
        load_settings(lake=lake, person_key="short")


def test_a_key_that_was_cut_short_is_refused(keyless: Settings):
    keyless.home.mkdir(parents=True, exist_ok=True)
    (keyless.home / "person.key").write_text("abc")
    with pytest.raises(InputError, match=r"expected a key of 16 or more characters in .*person.key, got 3"):
        person_key(keyless)

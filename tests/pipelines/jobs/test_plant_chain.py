"""From a plant's records to its alarms: every event found, nothing else, and a second run changes nothing."""

from __future__ import annotations

from pathlib import Path

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.findings import compare, read_truth
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate.plant import PLANT, simulate_plant
from minefusion.schemas import gold
from minefusion.schemas.settings import Settings


def test_a_plant_from_records_to_alarms(settings: Settings, tmp_path: Path):
    simulate_plant("abnormal", hours=2.5, seed=4, out=tmp_path / "landing", truth=tmp_path / "truth")
    engine = LightEngine(settings)
    taken = ingest(settings, tmp_path / "landing", engine=engine)
    assert taken.changed
    build(engine, selection="conform,hazard_index,alarm")
    alarms = engine.to_arrow(engine.read(gold.ALARM)).to_pylist()
    windows = engine.to_arrow(engine.read(gold.HAZARD_INDEX)).to_pylist()
    noticed = [
        row | {"kind": row["index_id"], "raised_at": row["window_start"], "cleared_at": row["window_end"]}
        for row in windows
        if row["level"]
    ]
    found = compare(read_truth(tmp_path / "truth"), alarms, noticed, PLANT)
    assert [answer.truth.index_id for answer in found.missed] == []
    assert [alarm["kind"] for alarm in found.false] == []
    # What the plant has not set is told of, every hour, and is never normal.
    open_rules = [row for row in windows if row["null_reason"] == "NOT_CONFIGURED"]
    assert {row["level"] for row in open_rules} == {None}
    assert {row["index_id"] for row in open_rules} >= {"HP-041", "AN-005"}
    assert sum(each.changed for each in build(engine, selection="conform,hazard_index,alarm")) == 0

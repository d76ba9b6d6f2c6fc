"""The whole build over one simulated shift, on both engines, compared row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_mine import MINE, at, copied, values

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.bronze import EXCHANGE_RECORD
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.settings import load_settings
from minefusion.schemas.silver import READING


@pytest.fixture
def landing_with_faults(shift: tuple[Path, Path], landing: Path) -> Path:
    """The shift's files, and one that has a broken record."""
    copied(shift[0].iterdir(), landing)
    broken = values(landing, -225.2, {f"{MINE}01MN0001001A{n:02d}": 0.5 for n in range(10)})
    broken.write_bytes(broken.read_bytes().replace(b"0.5", b"1,5", 1))
    return landing


@pytest.mark.usefixtures("spark", "some_indices")
def test_both_engines_make_the_same_tables(
    engines: Callable[[str], LightEngine], landing_with_faults: Path, tmp_path: Path
):
    from minefusion.pipelines.engines.spark import SparkEngine

    light, other = engines("light"), SparkEngine(load_settings(lake=tmp_path / "spark"))
    for engine in (light, other):
        ingest(engine.settings, landing_with_faults, engine=engine)
        build(engine)
    for table in (EXCHANGE_RECORD, READING, HAZARD_INDEX):
        assert light.to_arrow(light.read(table)).num_rows > 100, table.name
    assert differences(light.settings.lake, other.settings.lake) == {}
    # Each finds nothing left to do in the other's lake.
    for engine in (LightEngine(other.settings), SparkEngine(light.settings)):
        assert ingest(engine.settings, landing_with_faults, engine=engine).changed == 0
        assert sum(built.changed for built in build(engine)) == 0


def test_the_comparison_sees_one_changed_value(engines: Callable[[str], LightEngine], landing: Path):
    from deltalake import DeltaTable

    for name in ("one", "other"):
        values(landing, 0, {f"{MINE}01MN0001001A01": 0.5, f"{MINE}01MN0001002A01": 0.6})
        ingest(engines(name).settings, landing, engine=engines(name))
        build(engines(name), selection="conform")
    lakes = [engines(name).settings.lake for name in ("one", "other")]
    assert differences(*lakes) == {}
    table = DeltaTable(engines("other").uri(READING))
    table.update(
        updates={
            "value": "value + 1e-12",
            "received_at": f"arrow_cast('{at(9).isoformat()}', 'Timestamp(Microsecond, Some(\"UTC\"))')",
        }
    )
    assert differences(*lakes) == {}  # the last digits of a sum, and when a row was written
    table.update(updates={"value": "value + 1e-6"}, predicate="point_id LIKE '%002A01'")
    told = differences(*lakes)
    assert list(told) == ["silver.reading"]
    assert told["silver.reading"][0].startswith("value differs in 1 rows")
    table.delete("point_id LIKE '%001A01'")
    assert "1 rows only in the first" in differences(*lakes)["silver.reading"][0]

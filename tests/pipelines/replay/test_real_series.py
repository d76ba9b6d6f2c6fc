"""A measured series all the way: replay, ingest, build, and the alarms that a plain loop over the table finds too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.replay.files import replay
from minefusion.pipelines.replay.mapping import load_mapping
from minefusion.schemas.settings import PROJECT, load_settings
from minefusion.serving.reader import Reader

SERIES = PROJECT.parent / "shared" / "data" / "pl_longwall_methane" / "methane_30s.parquet"
MAPPING = PROJECT / "docs" / "examples" / "longwall_methane.mapping.yaml"
START = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT = RESTORE = 1.0
POINT = "14000000000101MN0001001A01"

pytestmark = pytest.mark.skipif(
    not SERIES.is_file(),
    reason=f"the measured series is not here: put {SERIES.name} into ../shared/data/pl_longwall_methane",
)


@dataclass(frozen=True)
class Episode:
    start: datetime
    end: datetime | None
    peak: float


def episodes_of(values: list[float], at: list[datetime]) -> list[Episode]:
    """By the plain rule: opens at the sample that makes two of the last three reach the limit, being one of them;
    closes at the second sample in a row under the restore value (30-second samples, a minute)."""
    found: list[Episode] = []
    opened: datetime | None = None
    peak = 0.0
    under = 0
    for index, value in enumerate(values):
        if opened is None:
            if value >= LIMIT and sum(v >= LIMIT for v in values[max(0, index - 2) : index + 1]) >= 2:
                opened, peak, under = at[index], value, 0
        else:
            peak = max(peak, value)
            under = under + 1 if value < RESTORE else 0
            if under == 2:
                found.append(Episode(opened, at[index], peak))
                opened = None
    if opened is not None:
        found.append(Episode(opened, None, peak))
    return found


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    base = tmp_path_factory.mktemp("series")
    settings = load_settings(lake=base / "lake")
    replay(SERIES, load_mapping(MAPPING), base / "landing", start=START)
    engine = open_engine(settings, "light")
    ingest(settings, base / "landing", engine=engine)
    build(engine, selection="conform,hazard_index,alarm")
    return Reader(settings.lake)


def test_alarms_are_the_episodes_that_a_plain_loop_finds(reader: Reader):
    table = pl.read_parquet(SERIES)
    at = [START + timedelta(seconds=elapsed) for elapsed in table["elapsed_s"]]
    expected = episodes_of(table["MM116"].to_list(), at)
    assert len(expected) == 140
    alarms = reader.sql(
        "select raised_at, cleared_at, peak_value from gold.alarm where kind = 'G-01' and point_id = $point order by 1",
        point=POINT,
    )
    assert [Episode(row["raised_at"], row["cleared_at"], row["peak_value"]) for row in alarms] == expected


def test_healthy_readings_stay_good(reader: Reader):
    """Values in coarse steps stand still for half hours: that is no fault."""
    shares = reader.sql(
        "select avg(case when quality = 'GOOD' then 1.0 else 0.0 end) as good from silver.reading group by point_id"
    )
    assert min(row["good"] for row in shares) >= 0.99

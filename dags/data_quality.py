"""Measure completeness, accuracy and timeliness of each point, hour by hour.

**When** each hour, for the hour that ended and the one before it, whose late data is in by now. **Reads** silver and
the ledger. **Writes** `gold.data_quality`.

**To compute past hours again** backfill:
`infra/airflow/up.py backfill create --dag-id data_quality --from-date … --to-date …`.

**If a mine is red** the last line of its log says what is wrong and what to do.
"""

from airflow.sdk import CronDataIntervalTimetable, dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import EVERY_HOUR, WINDOW_AND_HOUR_BEFORE
from wiring import common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=CronDataIntervalTimetable(EVERY_HOUR, timezone="UTC"),
    **common(__doc__, owner="data", tags=["gold", "quality"]),
)
def data_quality():
    @task.bash(**each_mine("data_quality"))
    def measure(mine: str) -> str:
        """Measure the mine's feeds over the hours."""
        return f"minefusion run data_quality --mine {mine} {engine('data_quality')}{WINDOW_AND_HOUR_BEFORE}"

    measure.expand(mine=mines()) >> [publish(gold.DATA_QUALITY), every_mine_is_through()]


data_quality()

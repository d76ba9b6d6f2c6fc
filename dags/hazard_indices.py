"""Compute the hazard indices of gas, air, temperature and people whenever cleaned data lands.

**When** `silver.reading` or `silver.position` moved. **Reads** silver. **Writes** `gold.hazard_index`.

The job finds by itself what is new, so one run after many events catches up with all of them.

**To compute a span again** start a run by hand and fill in *from* and *to*; then do the same in
`area_minute_and_alarms`. A whole day, through all tables in order, is the DAG `rebuild_day`.

**If a mine is red** the last line of its log says what is wrong and what to do. The other mines' indices are complete.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold, silver
from minefusion.schemas.schedule import SPAN
from wiring import SPAN_PARAMS, asset, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=asset(silver.READING) | asset(silver.POSITION),
    params=SPAN_PARAMS,
    **common(__doc__, owner="ventilation", tags=["gold", "hazard"]),
)
def hazard_indices():
    @task.bash(**each_mine("hazard_index", with_span=True))
    def hazard_index(mine: str) -> str:
        """Bring the mine's hazard indices up to date with silver."""
        return f"minefusion run hazard_index --mine {mine} {engine('hazard_index')}{SPAN}"

    hazard_index.expand(mine=mines()) >> [publish(gold.HAZARD_INDEX), every_mine_is_through()]


hazard_indices()

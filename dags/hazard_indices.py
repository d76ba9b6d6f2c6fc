"""Compute the hazard indices of minutes, of every family, and the rules of plants, whenever cleaned data lands.

**When** readings, positions or another feed moved in silver. **Reads** silver. **Writes** `gold.hazard_index`.

The job finds by itself what is new, so one run after many events catches up with all of them.

**To compute a span again** start a run by hand and fill in *from* and *to*; then do the same in
`area_minute_and_alarms`, `escape_routes` and `risk_by_hour`. A whole day, through all tables in order, is the DAG
`rebuild_day`.

**If a mine is red** the last line of its log says what is wrong and what to do. The other mines' indices are complete.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold, silver
from minefusion.schemas.schedule import OTHER_FEEDS, SPAN
from wiring import SPAN_PARAMS, any_of, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=any_of(silver.READING, silver.POSITION, *OTHER_FEEDS),
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

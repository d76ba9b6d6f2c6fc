"""Say of each sensor and hour whether it could be believed: stuck, drifting, jumped, swapped, noisy, gaps, calibration.

**When** ten minutes after each hour, for the hours that have passed. **Reads** silver. **Writes** `gold.sensor_health`.

The job finds by itself what is new and what came late, so a run after a standstill catches up with all of it.

**To compute a span again** start a run by hand and fill in *from* and *to*.

**If a mine is red** the last line of its log says what is wrong and what to do.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import AFTER_EACH_HOUR, SPAN
from wiring import SPAN_PARAMS, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(schedule=AFTER_EACH_HOUR, params=SPAN_PARAMS, **common(__doc__, owner="ventilation", tags=["gold", "quality"]))
def sensor_health():
    @task.bash(**each_mine("sensor_health", with_span=True))
    def judge(mine: str) -> str:
        """Judge the mine's sensors over the hours that have passed."""
        return f"minefusion run sensor_health --mine {mine} {engine('sensor_health')}{SPAN}"

    judge.expand(mine=mines()) >> [publish(gold.SENSOR_HEALTH), every_mine_is_through()]


sensor_health()

"""Raise and clear alarms, and fuse gas, air, people and machines by area and minute.

**When** `gold.hazard_index` moved. **Reads** silver and `gold.hazard_index`. **Writes** `gold.alarm`,
`gold.area_minute`.

Alarms go first. The two do not wait for each other: where one fails, the other is still complete. These alarms advise
and record; the certified interlock underground acts on its own.

**To compute a span again** start a run by hand and fill in *from* and *to*, after the same in `hazard_indices`.

**If a mine is red** the last line of its log says what is wrong and what to do.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import SPAN
from wiring import SPAN_PARAMS, asset, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=asset(gold.HAZARD_INDEX),
    params=SPAN_PARAMS,
    **common(__doc__, owner="dispatch", tags=["gold", "alarm"]),
)
def area_minute_and_alarms():
    @task.bash(priority_weight=10, **each_mine("alarm", with_span=True))
    def alarm(mine: str) -> str:
        """Bring the mine's alarm episodes up to date."""
        return f"minefusion run alarm --mine {mine} {engine('alarm')}{SPAN}"

    @task.bash(**each_mine("area_minute", with_span=True))
    def area_minute(mine: str) -> str:
        """Bring the mine's fused table up to date."""
        return f"minefusion run area_minute --mine {mine} {engine('area_minute')}{SPAN}"

    there = mines()
    done = [alarm.expand(mine=there), area_minute.expand(mine=there)]
    done >> publish(gold.ALARM, gold.AREA_MINUTE)
    done >> every_mine_is_through()


area_minute_and_alarms()

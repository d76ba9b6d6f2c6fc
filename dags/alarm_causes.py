"""Say what likely caused each gas alarm, with its evidence, or that it is unclear.

**When** both `gold.alarm` and `gold.sensor_health` moved: whether the sensor itself is to blame shows when its hour is
judged. **Reads** both, silver and the roadway graph. **Writes** `gold.alarm_cause`.

**To compute a span again** start a run by hand and fill in *from* and *to*, after the same in `sensor_health` and
`area_minute_and_alarms`.

**If a mine is red** the last line of its log says what is wrong and what to do. The alarms themselves are not touched.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import SPAN
from wiring import SPAN_PARAMS, asset, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=asset(gold.ALARM) & asset(gold.SENSOR_HEALTH),
    params=SPAN_PARAMS,
    **common(__doc__, owner="ventilation", tags=["gold", "alarm"]),
)
def alarm_causes():
    @task.bash(**each_mine("alarm_cause", with_span=True))
    def alarm_cause(mine: str) -> str:
        """Bring the causes of the mine's gas alarms up to date."""
        return f"minefusion run alarm_cause --mine {mine} {engine('alarm_cause')}{SPAN}"

    alarm_cause.expand(mine=mines()) >> [publish(gold.ALARM_CAUSE), every_mine_is_through()]


alarm_causes()

"""Compute what takes hours to show: slow indices and their alarms, the composite indices, the risk tier of each area.

**When** ten minutes after each hour, for the hours that have passed. **Reads** silver and `gold.hazard_index`.
**Writes** `gold.hazard_index` (its slow and composite indices), `gold.alarm`, `gold.risk_tier`.

The jobs find by themselves what is new and what came late, so a run after a standstill catches up with all of it.

**To compute a span again** start a run by hand and fill in *from* and *to*, after the same in `hazard_indices`.

**If a mine is red** the last line of its log says what is wrong and what to do. The other mines' hours are complete.
"""

from airflow.sdk import dag, task, task_group

from minefusion.schemas import gold
from minefusion.schemas.schedule import AFTER_EACH_HOUR, SPAN
from wiring import SPAN_PARAMS, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=AFTER_EACH_HOUR,
    params=SPAN_PARAMS,
    **common(__doc__, owner="ventilation", tags=["gold", "hazard", "alarm"]),
)
def risk_by_hour():
    @task.bash(**each_mine("hazard_trend", with_span=True))
    def hazard_trend(mine: str) -> str:
        """Bring the mine's slow indices up to date."""
        return f"minefusion run hazard_trend --mine {mine} {engine('hazard_trend')}{SPAN}"

    @task.bash(priority_weight=10, **each_mine("trend_alarm", with_span=True))
    def trend_alarm(mine: str) -> str:
        """Bring the alarms of the mine's slow indices up to date."""
        return f"minefusion run trend_alarm --mine {mine} {engine('trend_alarm')}{SPAN}"

    @task.bash(**each_mine("composite", with_span=True))
    def composite(mine: str) -> str:
        """Bring the mine's composite indices up to date."""
        return f"minefusion run composite --mine {mine} {engine('composite')}{SPAN}"

    @task.bash(**each_mine("risk_tier", with_span=True))
    def risk_tier(mine: str) -> str:
        """Bring the risk tiers of the mine's areas up to date."""
        return f"minefusion run risk_tier --mine {mine} {engine('risk_tier')}{SPAN}"

    @task_group
    def one_mine(mine: str):
        # By keyword, since the task's label reads them.
        slow = hazard_trend(mine=mine)
        slow >> [trend_alarm(mine=mine), composed := composite(mine=mine)]
        composed >> risk_tier(mine=mine)

    done = one_mine.expand(mine=mines())
    done >> publish(gold.HAZARD_INDEX, gold.ALARM, gold.RISK_TIER)
    done >> every_mine_is_through()


risk_by_hour()

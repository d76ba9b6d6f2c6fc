"""Say how likely a strong bump of the rock is in the shift that begins.

**When** ten minutes after each shift begins (00:00, 08:00 and 16:00 mine time). **Reads** `silver.seismic_event`.
**Writes** `gold.seismic_hazard`.

The model is the registry's champion: `minefusion models`. A mine without seismic events gets no row.

**To compute a span again** start a run by hand and fill in *from* and *to*.

**If a mine is red** the last line of its log says what is wrong and what to do.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import AFTER_EACH_SHIFT, MINE_TIMEZONE, SPAN
from wiring import SPAN_PARAMS, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=CronTriggerTimetable(AFTER_EACH_SHIFT, timezone=MINE_TIMEZONE),
    params=SPAN_PARAMS,
    **common(__doc__, owner="dispatch", tags=["gold", "models"]),
)
def shift_forecasts():
    @task.bash(**each_mine("score_seismic", with_span=True))
    def score_seismic(mine: str) -> str:
        """Bring the mine's seismic forecasts up to date with silver."""
        return f"minefusion run score_seismic --mine {mine} {engine('score_seismic')}{SPAN}"

    score_seismic.expand(mine=mines()) >> [publish(gold.SEISMIC_HAZARD), every_mine_is_through()]


shift_forecasts()

"""Forecast methane at every methane point, minute by minute.

**When** cleaned readings landed. **Reads** `silver.reading`. **Writes** `gold.methane_forecast`.

The model is the registry's champion: `minefusion models`. Moving the alias changes the next run and no earlier row. The
job finds by itself what is new, so one run after many events catches up with all of them.

**To compute a span again** start a run by hand and fill in *from* and *to*. A minute that was forecast before keeps the
version that forecast it.

**If a mine is red** the last line of its log says what is wrong: most often that there is no champion yet. Limits,
alarms and indices do not wait for a forecast.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold, silver
from minefusion.schemas.schedule import SPAN
from wiring import SPAN_PARAMS, any_of, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=any_of(silver.READING),
    params=SPAN_PARAMS,
    **common(__doc__, owner="ventilation", tags=["gold", "models"]),
)
def forecasts():
    @task.bash(**each_mine("score_methane", with_span=True))
    def score_methane(mine: str) -> str:
        """Bring the mine's methane forecasts up to date with silver."""
        return f"minefusion run score_methane --mine {mine} {engine('score_methane')}{SPAN}"

    score_methane.expand(mine=mines()) >> [publish(gold.METHANE_FORECAST), every_mine_is_through()]


forecasts()

"""Compare each forecast with the reading that came, and say which model does not keep its promise.

**When** ten minutes after each hour. **Reads** `gold.methane_forecast` and `silver.reading`. **Writes**
`gold.model_health`.

A forecast is degraded where over the last day its error is larger than that of doing without it, its interval holds too
few readings, its inputs lie outside what it was trained on, or it could mostly not forecast:
`minefusion sql "select entity, horizon_min, faults, sentence_en from gold.model_health where is_degraded"`.

**To compute a span again** start a run by hand and fill in *from* and *to*.

**If a mine is red** the last line of its log says what is wrong. A degraded model does not turn the run red: it is an
answer, and the console shows it.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import AFTER_EACH_HOUR, SPAN
from wiring import SPAN_PARAMS, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=CronTriggerTimetable(AFTER_EACH_HOUR, timezone="UTC"),
    params=SPAN_PARAMS,
    **common(__doc__, owner="data", tags=["gold", "models"]),
)
def watch_models():
    @task.bash(**each_mine("monitor_models", with_span=True))
    def monitor_models(mine: str) -> str:
        """Bring the health of the mine's forecasts up to date."""
        return f"minefusion run monitor_models --mine {mine} {engine('monitor_models')}{SPAN}"

    monitor_models.expand(mine=mines()) >> [publish(gold.MODEL_HEALTH), every_mine_is_through()]


watch_models()

"""Train the methane forecast anew on the last weeks, and promote it where it is better.

**When** each week, in the night to Monday, and whenever started by hand. **Reads** `silver.reading`. **Writes** the
model registry: `minefusion models`.

Data that does not make sense is left out first, point by point. The new version is judged on the newest quarter of the
span, and becomes champion only where it beats the champion and persistence at every horizon. Otherwise it stays
challenger and says why, and the run is shown as skipped.

**If it is red** the last line of its log says what is wrong. The champion goes on forecasting as before.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas.schedule import DAY_TIMEOUT, EVERY_WEEK, MINE_TIMEZONE
from wiring import common


@dag(
    schedule=CronTriggerTimetable(EVERY_WEEK, timezone=MINE_TIMEZONE),
    **common(__doc__, owner="data", tags=["models"], dagrun_timeout=4 * DAY_TIMEOUT),
)
def train_models():
    @task.bash(execution_timeout=DAY_TIMEOUT)
    def train_methane_forecast() -> str:
        """Train, judge, and promote or not."""
        return "minefusion train methane_forecast --skip-refused --engine light"

    train_methane_forecast()


train_models()

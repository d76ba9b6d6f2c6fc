"""Say of each camera and hour whether it could be relied on: dark, blurred, blocked, frozen, moved, lost.

**When** ten minutes after each hour. **Reads** `silver.camera_minute`, the cameras of site files and registries.
**Writes** `gold.camera_health`: `minefusion sql "select camera_code, hour, sentence_zh from gold.camera_health where
verdict = 'fault'"`. A camera that nobody looked at while others were is `unwatched`.

The job looks back over two days, so a clip that comes late still counts in its own hour.

**If it is red** the last line of its log says what is wrong and what to do.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import AFTER_EACH_HOUR, SPAN, SPAN_ENVIRONMENT
from wiring import SPAN_PARAMS, asset, common


@dag(
    schedule=CronTriggerTimetable(AFTER_EACH_HOUR, timezone="UTC"),
    params=SPAN_PARAMS,
    **common(__doc__, owner="dispatch", tags=["gold", "video"]),
)
def camera_health():
    @task.bash(env=SPAN_ENVIRONMENT, append_env=True, outlets=[asset(gold.CAMERA_HEALTH)])
    def judge_cameras() -> str:
        """Bring the cameras' hours up to date."""
        return f"minefusion run camera_health --engine light{SPAN}"

    judge_cameras()


camera_health()

"""Train the video detector anew on the mine's own labelled pictures, and promote it where it is better.

**When** each week, in the night to Monday, where the setting `video.training_data` names a data set (a YOLO data.yaml)
and `video.training_weights` a checkpoint; else the run is empty. **Reads** the data set. **Writes** the model
registry: `minefusion models`.

Training stops after some hours and goes on from its checkpoint the week after; when it is through, the new version is
judged on the data set's test split and becomes champion only where it beats the champion.

**If it is red** the last line of its log says what is wrong: most often ultralytics is not installed (the extra
`vision-train`) or the data set lacks a split. The champion goes on detecting as before.
"""

import shlex

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas.schedule import DAY_TIMEOUT, EVERY_WEEK, MINE_TIMEZONE
from wiring import SETTINGS, common

TRAINING_MIN = 300


@dag(
    schedule=CronTriggerTimetable(EVERY_WEEK, timezone=MINE_TIMEZONE),
    **common(__doc__, owner="data", tags=["models", "video"], dagrun_timeout=4 * DAY_TIMEOUT),
)
def train_detector():
    @task
    def data_sets() -> list[str]:
        """The data set of the settings, or none."""
        return [SETTINGS.video.training_data] if SETTINGS.video.training_data else []

    @task.bash(execution_timeout=DAY_TIMEOUT)
    def train_on(data: str) -> str:
        """Train, judge, and promote or not."""
        weights, out = shlex.quote(SETTINGS.video.training_weights), shlex.quote(str(SETTINGS.home / "detector"))
        return (
            f"minefusion train unsafe_behaviour --data {shlex.quote(data)} --weights {weights} --out {out} "
            f"--minutes {TRAINING_MIN} --skip-refused"
        )

    train_on.expand(data=data_sets())


train_detector()

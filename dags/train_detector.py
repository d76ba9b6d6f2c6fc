"""Train the video detector anew on the mine's own labelled pictures, and promote it where it is better.

**When** each week, in the night to Monday, where the setting `video.training_data` names a data set (a YOLO data.yaml)
and `video.training_weights` a checkpoint; else the run is empty. **Reads** the data set. **Writes** the model
registry: `minefusion models`.

Training stops after some hours and goes on from its checkpoint the week after; where pictures or labels changed, it
begins anew. When it is through, the new version is judged on the data set's test split and becomes champion only where
it beats the champion. Last, the champion is judged on that split, whatever came of the training: its log says how well
it finds each class.

**If it is red** the last line of its log says what is wrong: most often ultralytics is not installed (the extra
`vision-train`) or the data set lacks a split. The champion goes on detecting as before.
"""

import shlex

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

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
            f"--by-data --minutes {TRAINING_MIN} --skip-refused"
        )

    @task.bash(trigger_rule=TriggerRule.ALL_DONE)
    def evaluate_champion(data: str) -> str:
        """Precision, recall and mAP of what detects now."""
        plots = shlex.quote(str(SETTINGS.home / "detector" / "plots"))
        return f"minefusion evaluate unsafe_behaviour --data {shlex.quote(data)} --model champion --plots {plots}"

    data = data_sets()
    train_on.expand(data=data) >> evaluate_champion.expand(data=data)


train_detector()

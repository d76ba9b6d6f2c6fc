"""Look at each new clip for unsafe behaviour: who is without a helmet, where nobody may be, on a running belt.

**When** something landed that the other ingest DAGs left: clips among it. **Reads** `bronze.video_clip`, the clips
where they lie, and what silver knows of machines and people. **Writes** `silver.detection`, `silver.track`,
`silver.camera_minute`, `gold.unsafe_behaviour`, and the evidence, heads blurred, in the lake's folder `evidence`.

Each camera is a task, so that one with a bad clip leaves the others alone; `judge_others` takes the cameras that no
site file names. A clip is looked at once; where nothing is due the task is skipped.

**If a camera is red** the last line of its log names the clip and what to do; after that the next run takes it up. A
clip that is no longer where it landed is told in the log and waits:
`minefusion sql "select name, landing, folder from bronze.video_clip where camera_code = '…'"`.
"""

from __future__ import annotations

from airflow.sdk import TriggerRule, dag, task

from minefusion.schemas import bronze
from minefusion.schemas.schedule import SKIP_UNCHANGED, VIDEO, cameras_of
from wiring import SETTINGS, asset, common, publish_new


@dag(schedule=[asset(bronze.VIDEO_CLIP)], **common(__doc__, owner="dispatch", tags=["gold", "video"]))
def unsafe_behaviour():
    @task
    def cameras() -> list[str]:
        """The cameras that site files name now."""
        return cameras_of(SETTINGS)

    @task.bash(map_index_template="{{ task.op_kwargs['camera'] }}")
    def judge(camera: str) -> str:
        """Look at the camera's new clips. Skipped: there are none."""
        return f"minefusion run unsafe_behaviour --camera {camera} --engine light{SKIP_UNCHANGED}"

    @task.bash(trigger_rule=TriggerRule.ALL_DONE)
    def judge_others() -> str:
        """Look at what is left: clips of cameras that no site file names. Skipped: there are none."""
        return f"minefusion run unsafe_behaviour --engine light{SKIP_UNCHANGED}"

    news = judge.expand(camera=cameras())
    others = judge_others()
    news >> others
    publish_new(news, *VIDEO)
    [news, others] >> every_camera_is_through()


@task.bash(trigger_rule=TriggerRule.NONE_FAILED, retries=0)
def every_camera_is_through() -> str:
    """Red where a camera failed: the others went on, and the run must not hide it."""
    return "true"


unsafe_behaviour()

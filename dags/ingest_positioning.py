"""Take in what the personnel-positioning systems sent: cards, base stations, areas, who is where.

**When** each minute. **Reads** the landing folder. **Writes** `bronze.*`, `silver.position` and the tables beside it.

Each mine goes its own way: `ingest` gives each of its new files a verdict, `conform` brings silver up to date. A mine
with nothing new is skipped; a mine that fails leaves the others alone and turns the run red.

**If `ingest` is red** the last line of its log names the file and what to do; the next run, a minute later, tries again
by itself. Identity numbers, phones and addresses never reach a table, quarantine included.
"""

from airflow.sdk import TriggerRule, dag, task, task_group

from minefusion.schemas import silver
from minefusion.schemas.schedule import EVERY_MINUTE, SKIP_UNCHANGED
from wiring import LANDING, common, each_mine, engine, every_mine_is_through, mines, publish_new


@dag(schedule=EVERY_MINUTE, **common(__doc__, owner="dispatch", tags=["bronze", "silver"]))
def ingest_positioning():
    @task.bash(**each_mine("ingest"))
    def ingest(mine: str) -> str:
        """Give each new file of the mine a verdict and store its records. Skipped: nothing arrived."""
        return f"minefusion ingest {LANDING} --family positioning --mine {mine} {engine('ingest')}{SKIP_UNCHANGED}"

    @task.bash(trigger_rule=TriggerRule.NONE_FAILED, **each_mine("conform"))
    def conform(mine: str) -> str:
        """Bring the mine's silver up to date with bronze. Skipped: it already is."""
        return f"minefusion run conform --mine {mine} {engine('conform')}{SKIP_UNCHANGED}"

    @task_group
    def one_mine(mine: str):
        # By keyword, since the task's label reads them.
        taken_in = ingest(mine=mine)
        conformed = conform(mine=mine)
        taken_in >> conformed
        return conformed

    news = one_mine.expand(mine=mines())
    publish_new(news, silver.POSITION)
    news >> every_mine_is_through()


ingest_positioning()

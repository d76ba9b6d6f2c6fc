"""Take in what the safety-monitoring systems sent: methane, carbon monoxide, air, switches, abnormalities.

**When** each minute. **Reads** the landing folder. **Writes** `bronze.*`, `silver.reading` and the tables beside it.

Each mine goes its own way: `ingest` gives each of its new files a verdict, `conform` brings silver up to date. A mine
with nothing new is skipped; a mine that fails leaves the others alone and turns the run red. Files of other families,
of no mine and of no known kind are taken in by `ingest_other_feeds`.

**If `ingest` is red** the last line of its log names the file and what to do: most often a site file with a mistake.
A bad exchange file never fails the task; it is rejected or put into quarantine, and the ledger says why:
`minefusion sql "select name, verdict, reason_en, mend_en from bronze.exchange_file where verdict <> 'accepted'"`.
The next run, a minute later, tries again by itself.
"""

from airflow.sdk import TriggerRule, dag, task, task_group

from minefusion.schemas import silver
from minefusion.schemas.schedule import EVERY_MINUTE, SKIP_UNCHANGED
from wiring import LANDING, common, each_mine, engine, every_mine_is_through, mines, publish_new


@dag(schedule=EVERY_MINUTE, **common(__doc__, owner="dispatch", tags=["bronze", "silver"]))
def ingest_safety_monitoring():
    @task.bash(**each_mine("ingest"))
    def ingest(mine: str) -> str:
        """Give each new file of the mine a verdict and store its records. Skipped: nothing arrived."""
        return (
            f"minefusion ingest {LANDING} --family safety_monitoring --mine {mine} {engine('ingest')}{SKIP_UNCHANGED}"
        )

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
    publish_new(news, silver.READING)
    news >> every_mine_is_through()


ingest_safety_monitoring()

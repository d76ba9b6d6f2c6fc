"""Keep the lake in shape: remove what is past its time of keeping, join small files, write checkpoints, free the disk.

**When** each night at 02:30 by the mines' clock. **Reads** every table. **Writes** `bronze.removal`, the log of what
was removed; of every table that has a time of keeping (`keep_days` in its page), rows that are older: readings and
positions after 92 days, statistics, indices and alarms after two years.

What stays in spite of its age, and why, stands in the task's log: rows of a mine that has sent nothing for a week,
records that silver has not used up, ledger rows of files that still lie in the landing folder. Nothing that was removed
is worked out or taken in again.

**If `maintain` is red** the last line of its log says what is wrong: most often another job held a table for long. It
may be run again at any time; it takes up where it stopped.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from minefusion.schemas.schedule import EVERY_NIGHT, MAINTAIN_TIMEOUT, MINE_TIMEZONE
from wiring import common, engine


@dag(
    schedule=CronTriggerTimetable(EVERY_NIGHT, timezone=MINE_TIMEZONE),
    **common(__doc__, owner="data", tags=["bronze", "silver", "gold"], dagrun_timeout=2 * MAINTAIN_TIMEOUT),
)
def maintain_lake():
    @task.bash(execution_timeout=MAINTAIN_TIMEOUT)
    def maintain() -> str:
        """Maintain every table, each under the lock of the job that writes it."""
        return f"minefusion run maintain {engine('maintain')}"

    maintain()


maintain_lake()

"""Compute a whole day again, from bronze through silver to gold, every job in order.

**When** each night for the UTC day that ended, and for any past day by backfill. **Reads** bronze. **Writes** silver
and gold.

The other DAGs take in late data as it comes; a night's run should therefore change only the quality of late hours. Use
it by hand after a site file, a limit or a rule was changed:
`infra/airflow/up.py backfill create --dag-id rebuild_day --from-date 2026-11-10 --to-date 2026-11-10
--reprocess-behavior completed`.
The same inputs give the same rows; `revision` rises only where an input changed.

**If a mine is red** the last line of its log says what is wrong and what to do. The other mines' day is complete.
"""

from airflow.sdk import CronDataIntervalTimetable, dag, task

from minefusion.schemas.schedule import DAY_TIMEOUT, EVERY_DAY, WINDOW
from wiring import common, each_mine, engine, every_mine_is_through, mines


@dag(
    schedule=CronDataIntervalTimetable(EVERY_DAY, timezone="UTC"),
    **common(__doc__, owner="data", tags=["silver", "gold"], dagrun_timeout=4 * DAY_TIMEOUT),
)
def rebuild_day():
    @task.bash(execution_timeout=DAY_TIMEOUT, **each_mine("build"))
    def build(mine: str) -> str:
        """Compute the mine's day through all tables."""
        return f"minefusion build --mine {mine} {engine('build')}{WINDOW}"

    build.expand(mine=mines()) >> every_mine_is_through()


rebuild_day()

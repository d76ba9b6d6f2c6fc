"""Write each mine's shift report: one HTML page, Chinese and English.

**When** ten minutes after each shift ends (00:00, 08:00 and 16:00 mine time). **Reads** gold. **Writes**
`reports/<mine>-<end of shift, UTC>.html` in minefusion's home folder.

**For a past day** backfill:
`infra/airflow/up.py backfill create --dag-id shift_report --from-date … --to-date …`.

**If a mine is red** the last line of its log says what is wrong: often there is no data of that shift.
"""

from airflow.sdk import CronDataIntervalTimetable, dag, task

from minefusion.schemas.schedule import AFTER_EACH_SHIFT, MINE_TIMEZONE, SHIFT_END
from wiring import REPORTS, common, each_mine, every_mine_is_through, mines


@dag(
    schedule=CronDataIntervalTimetable(AFTER_EACH_SHIFT, timezone=MINE_TIMEZONE),
    **common(__doc__, owner="dispatch", tags=["gold", "report"]),
)
def shift_report():
    @task.bash(**each_mine("report"))
    def report(mine: str) -> str:
        """Write the mine's report of the shift."""
        page = f"{REPORTS}/{mine}-{SHIFT_END}.html"
        return f"mkdir -p {REPORTS} && minefusion report shift --mine {mine} --to {SHIFT_END} --out {page}"

    report.expand(mine=mines()) >> every_mine_is_through()


shift_report()

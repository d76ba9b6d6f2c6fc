"""Write the files for the regulator: values, five-minute statistics, alarms with cause and measure.

**When** ten minutes after each hour, for the hour that ended; paused until somebody switches it on, since data leaves
the platform by it. **Reads** silver and gold. **Writes** `exports/<mine>/` in minefusion's home folder. Sending them
on, and removing what was sent, is for the mine's own transfer (SFTP or the like).

**For past hours** backfill:
`infra/airflow/up.py backfill create --dag-id regulator_files --from-date … --to-date …`. Same tables, same
bytes.

**If a mine is red** the last line of its log says what is wrong: often nothing of that mine is in the lake yet.
"""

from airflow.sdk import CronDataIntervalTimetable, dag, task

from minefusion.schemas.schedule import AFTER_EACH_HOUR, HOUR_THAT_ENDED
from wiring import EXPORTS, common, each_mine, engine, every_mine_is_through, mines


@dag(
    schedule=CronDataIntervalTimetable(AFTER_EACH_HOUR, timezone="UTC"),
    is_paused_upon_creation=True,
    **common(__doc__, owner="data", tags=["silver", "gold", "export"]),
)
def regulator_files():
    @task.bash(**each_mine("export"))
    def export(mine: str) -> str:
        """Write the mine's hour as exchange files."""
        return f"minefusion export --mine {mine}{HOUR_THAT_ENDED} --out {EXPORTS}/{mine} {engine('export')}"

    export.expand(mine=mines()) >> every_mine_is_through()


regulator_files()

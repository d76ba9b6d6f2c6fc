"""Take in every other feed: water, ground pressure, tailings, slopes, equipment, vehicles, manual records, video events
and clips, messages, provincial files; and whatever belongs to no known mine or kind.

**When** each minute. **Reads** the landing folder. **Writes** `bronze.*`, `bronze.video_clip`, all of `silver.*`.

`take_in` gives each file a verdict that the other ingest DAGs leave, so that none lies there unseen; `conform` brings
silver up to date, each mine by itself. Where nothing is new all of it is skipped.

**If `take_in` is red** the last line of its log names the file and what to do: most often a mine's site file with a
mistake. That mine's files wait; everybody else's are in. A bad exchange file never fails the task; the ledger says why:
`minefusion sql "select name, verdict, reason_en, mend_en from bronze.exchange_file where verdict <> 'accepted'"`.
The next run, a minute later, tries again by itself.
"""

from airflow.sdk import TriggerRule, dag, task

from minefusion.schemas import bronze, silver
from minefusion.schemas.schedule import EVERY_MINUTE, OTHER_FEEDS, SKIP_UNCHANGED
from wiring import LANDING, asset, common, each_mine, engine, every_mine_is_through, mines, publish_new


@dag(schedule=EVERY_MINUTE, **common(__doc__, owner="data", tags=["bronze", "silver"]))
def ingest_other_feeds():
    @task.bash(outlets=[asset(bronze.VIDEO_CLIP)])
    def take_in() -> str:
        """Give each file that is left a verdict and store its records. Skipped: nothing arrived."""
        return f"minefusion ingest {LANDING} {engine('ingest')}{SKIP_UNCHANGED}"

    @task.bash(trigger_rule=TriggerRule.ALL_DONE, **each_mine("conform"))
    def conform(mine: str) -> str:
        """Bring the mine's silver up to date with bronze. Skipped: it already is."""
        return f"minefusion run conform --mine {mine} {engine('conform')}{SKIP_UNCHANGED}"

    taken_in = take_in()
    news = conform.expand(mine=mines())
    taken_in >> news
    # Provincial files and messages tell of readings and positions, too.
    publish_new(news, silver.READING, silver.POSITION, *OTHER_FEEDS)
    [taken_in, news] >> every_mine_is_through()


ingest_other_feeds()

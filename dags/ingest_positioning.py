"""Take in what the personnel-positioning systems sent: cards, base stations, areas, who is where.

**When** each minute. **Reads** the landing folder. **Writes** `bronze.*`, `silver.position` and the tables beside it.

Each mine goes its own way: `ingest` gives each of its new files a verdict, `conform` brings silver up to date. A mine
with nothing new is skipped; a mine that fails leaves the others alone and turns the run red.

**If `ingest` is red** the last line of its log names the file and what to do; the next run, a minute later, tries again
by itself. Identity numbers, phones and addresses never reach a table, quarantine included.
"""

from airflow.sdk import dag

from minefusion.schemas import silver
from minefusion.schemas.schedule import EVERY_MINUTE
from wiring import common, take_in_each_mine


@dag(schedule=EVERY_MINUTE, **common(__doc__, owner="dispatch", tags=["bronze", "silver"]))
def ingest_positioning():
    take_in_each_mine("positioning", silver.POSITION)


ingest_positioning()

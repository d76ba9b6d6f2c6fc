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

from airflow.sdk import dag

from minefusion.schemas import silver
from minefusion.schemas.schedule import EVERY_MINUTE
from wiring import common, take_in_each_mine


@dag(schedule=EVERY_MINUTE, **common(__doc__, owner="dispatch", tags=["bronze", "silver"]))
def ingest_safety_monitoring():
    take_in_each_mine("safety_monitoring", silver.READING)


ingest_safety_monitoring()

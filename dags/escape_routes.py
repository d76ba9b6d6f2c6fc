"""Find everybody's way out underground, as the air and the fire indices are now.

**When** `gold.hazard_index` moved. **Reads** silver, the roadway graph of the site file and the fire indices of
`gold.hazard_index`. **Writes** `gold.escape_route`: cards stand there as a keyed hash, never as they are.

The ways advise; the people's own training and the dispatcher come first. A person without a way is told of with the
reason.

**To compute a span again** start a run by hand and fill in *from* and *to*, after the same in `hazard_indices`.

**If a mine is red** the last line of its log says what is wrong and what to do. The other mines' ways are complete.
"""

from airflow.sdk import dag, task

from minefusion.schemas import gold
from minefusion.schemas.schedule import SPAN
from wiring import SPAN_PARAMS, asset, common, each_mine, engine, every_mine_is_through, mines, publish


@dag(
    schedule=asset(gold.HAZARD_INDEX),
    params=SPAN_PARAMS,
    **common(__doc__, owner="dispatch", tags=["gold", "people"]),
)
def escape_routes():
    @task.bash(priority_weight=5, **each_mine("escape_route", with_span=True))
    def escape_route(mine: str) -> str:
        """Bring the mine's ways out up to date."""
        return f"minefusion run escape_route --mine {mine} {engine('escape_route')}{SPAN}"

    escape_route.expand(mine=mines()) >> [publish(gold.ESCAPE_ROUTE), every_mine_is_through()]


escape_routes()

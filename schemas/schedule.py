"""When the jobs run, on which engine and for which mines: plain data and names, read by the DAGs.

Nothing here knows Airflow, so a page or a test can say when a job runs without loading it.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from minefusion.schemas import gold, silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.mine_codes import mine_of_name
from minefusion.schemas.settings import EngineChoice, Settings
from minefusion.schemas.site import load_site

# Clock of the mines' shifts. Days and hours of tables are UTC, like their partitions.
MINE_TIMEZONE = "Asia/Shanghai"
# What tells of a whole hour or shift waits so long for data that comes late [min].
SETTLE_MIN = 10

EVERY_MINUTE = "* * * * *"
EVERY_HOUR = "0 * * * *"
AFTER_EACH_HOUR = f"{SETTLE_MIN} * * * *"
EVERY_DAY = "0 0 * * *"
# In the night to Monday, by the mines' clock.
EVERY_WEEK = "0 3 * * 1"
# When a mine's own office sleeps, by the mines' clock.
EVERY_NIGHT = "30 2 * * *"
AFTER_EACH_SHIFT = f"{SETTLE_MIN} 0,8,16 * * *"

# The first day that a backfill may name.
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)

# Two JVMs never share a small machine: each task that may start Spark takes the one slot of this pool.
SPARK_POOL = "spark"
SPARK_SLOTS = 1

# Values every task starts from. A command that a person must mend something for fails again at once, so retries are
# few and soon; they are there for what passes by itself, such as a restart of the scheduler.
DEFAULT_ARGS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "execution_timeout": timedelta(minutes=30),
}
RUN_TIMEOUT = timedelta(hours=2)
# A day of a large mine is computed anew in one task.
DAY_TIMEOUT = timedelta(hours=6)
# The first night after a long time removes many days.
MAINTAIN_TIMEOUT = timedelta(hours=3)

# Exit code by which a command says "nothing new"; Airflow shows the task as skipped.
UNCHANGED = 99
# A second try does not skip: the first may have written everything and died before it could say so, and then those who
# wait for the news would wait for ever.
SKIP_UNCHANGED = "{% if ti.try_number == 1 %} --skip-unchanged{% endif %}"

# The run's period, where it has one; a run started by an asset has none.
WINDOW = (
    "{% if dag_run.data_interval_start %}"
    " --from {{ dag_run.data_interval_start.isoformat() }} --to {{ dag_run.data_interval_end.isoformat() }}"
    "{% endif %}"
)
# The same from an hour earlier: each hour is computed when it ends and once more when its late data is in.
WINDOW_AND_HOUR_BEFORE = WINDOW.replace(
    "dag_run.data_interval_start.isoformat()",
    "(dag_run.data_interval_start - macros.timedelta(hours=1)).isoformat()",
)
# The whole hour that ended last, as options; a run by hand has no period and takes it from its own moment.
_HOUR_ENDED = (
    "((dag_run.data_interval_end or dag_run.run_after)"
    f" - macros.timedelta(minutes={SETTLE_MIN})).replace(minute=0, second=0, microsecond=0)"
)
HOUR_THAT_ENDED = (
    f" --from {{{{ ({_HOUR_ENDED} - macros.timedelta(hours=1)).isoformat() }}}}"
    f" --to {{{{ ({_HOUR_ENDED}).isoformat() }}}}"
)
# The end of the shift that a report is about.
SHIFT_END = (
    "{% if dag_run.data_interval_end %}"
    f"{{{{ (dag_run.data_interval_end - macros.timedelta(minutes={SETTLE_MIN})).isoformat() }}}}"
    "{% else %}{{ dag_run.run_after.isoformat() }}{% endif %}"
)
# The span a person types into the form of a manual run. It reaches the shell as variables, never as part of the line.
SPAN_OPTIONS = {"SPAN_FROM": "--from", "SPAN_TO": "--to"}
SPAN = "".join(f'${{{name}:+ {option} "${name}"}}' for name, option in SPAN_OPTIONS.items())
SPAN_ENVIRONMENT = {"SPAN_FROM": "{{ params['from'] or '' }}", "SPAN_TO": "{{ params['to'] or '' }}"}

# What the feeds beside safety monitoring and positioning come to in silver.
OTHER_FEEDS = (
    silver.WATER_READING, silver.SUPPORT_PRESSURE, silver.SEISMIC_EVENT, silver.TAILINGS_READING, silver.SLOPE_READING,
    silver.EQUIPMENT_STATE, silver.VEHICLE_POSITION, silver.FIELD_RECORD, silver.VIDEO_EVENT,
)  # fmt: skip

# What the DAG that looks at video moves.
VIDEO = (silver.DETECTION, silver.TRACK, silver.CAMERA_MINUTE, gold.UNSAFE_BEHAVIOUR)

# Jobs that keep the books, or ask a model, rather than compute hazards; they follow the ingest's engine.
_WITH_INGEST = {
    "ingest", "conform", "data_quality", "sensor_health", "export", "maintain",
    "score_methane", "score_seismic", "monitor_models",
}  # fmt: skip
_SITE_FILE = ".site.yaml"
_MINE_IN_NAME = re.compile(r"(\d{6}[0-9A-Z]{4,14})_")


def engine_of(job: str, settings: Settings) -> EngineChoice:
    """The engine that a scheduled job runs on."""
    return settings.airflow.ingest_engine if job in _WITH_INGEST else settings.airflow.hazard_engine


def mines_of(settings: Settings) -> list[str]:
    """The mines to work on, sorted: those of the settings, else every one that has shown itself.

    A mine shows itself by a site file, in the lake or still in the landing folder, or by a file in the landing folder
    that carries its code: a mine without a site file is worked on too, since its gas is no less dangerous. A provincial
    file carries the code of the older register; one that names no mine is of a mine that the settings name.
    """
    if settings.airflow.mines:
        return sorted(set(settings.airflow.mines))
    landing, aliases = settings.airflow.landing, settings.mine_aliases
    sites = site_path(settings.lake, "any").parent
    found = {name.removesuffix(_SITE_FILE) for name in _names(sites) if name.endswith(_SITE_FILE)}
    found |= set(aliases.values())
    for folder, folders, names in os.walk(landing):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(folder).relative_to(landing)
        if inside == Path():
            found |= {name.removesuffix(_SITE_FILE) for name in names if name.endswith(_SITE_FILE)}
        if any(inside.is_relative_to(name) for name in settings.provincial):
            found |= {mine for name in names if (mine := mine_of_name(name, aliases))}
        else:
            found |= {match[1] for name in names if (match := _MINE_IN_NAME.match(name))}
    return sorted(found)


def cameras_of(settings: Settings) -> list[str]:
    """The cameras that site files in the lake or the landing folder name, sorted; a file with a mistake names none."""
    places = (site_path(settings.lake, "any").parent, settings.airflow.landing)
    found: set[str] = set()
    for path in (folder / name for folder in places for name in _names(folder) if name.endswith(_SITE_FILE)):
        with suppress(InputError):  # the ingest tells what is wrong with it
            found |= {camera.camera_code for camera in load_site(path).cameras}
    return sorted(found)


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []

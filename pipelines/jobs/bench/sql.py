"""`minefusion bench sql`: how soon a cold command answers, beside a bare delta-rs script on the same table."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from deltalake import DeltaTable

from minefusion.pipelines.jobs.bench.ingest import Progress, hardware
from minefusion.schemas.catalog import table_uri
from minefusion.schemas.errors import InputError
from minefusion.schemas.gold import AREA_MINUTE
from minefusion.schemas.settings import Settings

REPEATS = 20
COLUMNS = "area_id, minute, ch4_pct_max, people_count, level"


def bench_sql(settings: Settings, *, progress: Progress | None = None) -> dict[str, Any]:
    """Cold processes in turns, ours and the plain one; seconds are the 95th percentile.

    Raises:
        InputError: the lake holds no area_minute.
    """
    table = table_uri(settings.tables_root, AREA_MINUTE)
    if not DeltaTable.is_deltatable(table):
        raise InputError(
            f"expected {AREA_MINUTE.name} in {settings.tables_root}, found none; run minefusion demo and name its lake"
        )
    plain = (
        "import sys; from deltalake import DeltaTable, QueryBuilder;"
        "query = QueryBuilder().register('t', DeltaTable(sys.argv[1]));"
        f"print(query.execute('select {COLUMNS} from t order by minute limit 5').read_all())"
    )
    question = f"select {COLUMNS} from {AREA_MINUTE.name} order by minute limit 5"
    # A lake in an object store is none that --lake can name: the process finds it by the same settings.
    lake = [] if settings.tables else ["--lake", str(settings.lake)]
    ways = {
        "sql/cold": [sys.executable, "-m", "minefusion", *lake, "sql", question],
        "plain_delta_rs": [sys.executable, "-c", plain, table],
    }
    seconds: dict[str, list[float]] = {case: [] for case in ways}
    for number in range(REPEATS):
        for case, command in ways.items():
            started = time.monotonic()
            subprocess.run(command, check=True, capture_output=True)
            seconds[case].append(time.monotonic() - started)
        if progress:
            progress((number + 1) / REPEATS, f"{number + 1} of {REPEATS}")
    p95 = {case: sorted(times)[int(0.95 * (REPEATS - 1))] for case, times in seconds.items()}
    results = [
        {
            "case": case,
            "seconds": round(each, 4),
            "rate": round(1 / each, 2),
            "unit": "queries/s",
            "cpu_s": None,
            "peak_mib": None,
            "ratio": round(p95["plain_delta_rs"] / each, 3) if case == "sql/cold" else None,
            "ratio_to": "plain_delta_rs" if case == "sql/cold" else None,
        }
        for case, each in p95.items()
    ]
    return {
        "name": "sql",
        "hardware": hardware(),
        "data": {"processes": REPEATS, "table": AREA_MINUTE.name},
        "results": results,
    }

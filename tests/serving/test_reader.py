"""SQL over the lake: what may be asked, what comes back, and what is said where a query is wrong."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import gold
from minefusion.schemas.catalog import table_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings
from minefusion.schemas.table import Table
from minefusion.serving.reader import Reader

MINE = "620000000001"
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def write(settings: Settings, table: Table, *rows: dict[str, Any]) -> None:
    engine = LightEngine(settings)
    whole = [dict.fromkeys(table.names) | {"mine_code": MINE, "day": "2026-03-01"} | row for row in rows]
    engine.append(table, engine.frame(whole, table.arrow_schema()))


@pytest.fixture
def reader(settings: Settings) -> Reader:
    """Two areas, three minutes."""
    write(
        settings,
        gold.AREA_MINUTE,
        *(
            {"area_id": area, "minute": MIDNIGHT + timedelta(minutes=minute), "level": level, "ch4_pct_max": level / 4}
            for minute, levels in enumerate([(0, 1), (2, 3), (4, None)])
            for area, level in zip(("face", "heading"), levels, strict=True)
            if level is not None
        ),
    )
    return Reader(settings.lake)


def rows(reader: Reader, query: str, **parameters: Any) -> list[dict[str, Any]]:
    return list(reader.sql(query, **parameters))


def test_rows_come_with_names_types_and_offset(reader: Reader):
    found = rows(reader, "select area_id, minute, level, why_en from gold.area_minute where level = 4")
    assert found == [{"area_id": "face", "minute": MIDNIGHT + timedelta(minutes=2), "level": 4, "why_en": None}]
    assert found[0]["minute"].isoformat() == "2026-03-01T00:02:00+00:00"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select max(level) as worst from gold.area_minute", [{"worst": 4}]),
        ("SELECT Max(Level) AS worst FROM Gold.Area_Minute;", [{"worst": 4}]),
        ("with m as (select * from gold.area_minute) select count(*) as n from m where minute < '2026-03-01T00:01:00Z'",
         [{"n": 2}]),
        ('select count(*) as n from "gold"."area_minute" as a join gold . area_minute as b using (minute)', [{"n": 9}]),
        ("select gold.area_minute.level as n from gold.area_minute order by n limit 1", [{"n": 0}]),
        ("-- from gold.nothing\nselect 'gold.nothing; drop' as n /* insert */", [{"n": "gold.nothing; drop"}]),
        ("select cast(1.5 as decimal(4, 2)) as n", [{"n": 1.5}]),
        ("select to_timestamp('2026-03-01') as n", [{"n": MIDNIGHT}]),
    ],
)  # fmt: skip
def test_what_may_be_asked(reader: Reader, query: str, expected: list[dict[str, Any]]):
    assert rows(reader, query) == expected


def test_a_declared_table_that_was_never_written_has_no_rows_and_all_columns(reader: Reader):
    assert rows(reader, "select count(*) as n from gold.alarm") == [{"n": 0}]
    assert reader.sql("select * from gold.alarm").names == gold.ALARM.names


def test_parameters_are_values_and_never_sql(reader: Reader):
    query = "select count(*) as n from gold.area_minute where area_id = $area and minute >= $since and level < $level"
    in_beijing = (MIDNIGHT + timedelta(minutes=1)).astimezone(timezone(timedelta(hours=8)))
    assert rows(reader, query, area="face", since=in_beijing, level=4) == [{"n": 1}]
    assert rows(reader, query, area="face' or 'a' = 'a", since=MIDNIGHT, level=9) == [{"n": 0}]
    with pytest.raises(InputError, match=r"a value for \$level, got none; there are: area, since"):
        reader.sql(query, area="face", since=MIDNIGHT)


@pytest.mark.parametrize(
    "query",
    [
        "drop table gold.area_minute",
        "insert into gold.area_minute select * from gold.area_minute",
        "with a as (select 1) insert into gold.area_minute select * from a",
        "explain analyze insert into gold.area_minute select * from gold.area_minute",
        "copy (select 1) to '{folder}/stolen.csv'",
        "create external table t stored as csv location '{folder}'",
        "select 1 as a into gold.kept",
        "delete from gold.area_minute",
        "update gold.area_minute set level = 0",
        "set datafusion.execution.batch_size = 1",
        "",
    ],
)
def test_nothing_can_be_written(reader: Reader, query: str, tmp_path: Path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="only read"):
        reader.sql(query.format(folder=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select levl from gold.area_minute", "got 'levl'; gold.area_minute has: mine_code, area_id, minute"),
        ("select a.levl from gold.area_minute a", "got 'a.levl'; gold.area_minute has: mine_code, area_id, minute"),
        ("select 1 from gold.area_minutes", "got 'gold.area_minutes'; there are: gold.alarm, gold.alarm_cause"),
        ("select 1 from area_minute", "got 'area_minute'; did you mean gold.area_minute?"),
        ("select 1 from elsewhere", "got 'elsewhere'; there are: bronze.exchange_file"),
        ("select 1; select 2", "a single SQL statement"),
        ("select level level from from gold.area_minute", "mend the query"),
        ("select nonsense(level) from gold.area_minute", "Invalid function 'nonsense'"),
        ("select a.level, b.level from gold.area_minute a join gold.area_minute b using (minute)", "'level' twice"),
        ("select interval '1 day' as span", "interval in 'span'"),
    ],
)
def test_a_wrong_query_is_told_in_one_line(reader: Reader, query: str, said: str):
    with pytest.raises(InputError) as refused:
        reader.sql(query)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_lake_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a lake in .*nowhere, found no table"):
        Reader(tmp_path / "nowhere").sql("select 1 from gold.alarm")


def test_only_the_named_tables_are_opened(reader: Reader, settings: Settings):
    """A broken table elsewhere in the lake disturbs no query that does not name it."""
    log = table_path(settings.lake, gold.HAZARD_INDEX) / "_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("no log")
    assert rows(reader, "select count(*) as n from gold.area_minute") == [{"n": 5}]


def test_a_cold_query_loads_no_engine(reader: Reader):
    """The command must answer within half a second: it must not load what takes as long by itself."""
    code = (
        "import sys; from pathlib import Path; from minefusion.serving.reader import Reader;"
        f"list(Reader(Path({str(reader.lake)!r})).sql('select * from gold.area_minute'));"
        "heavy = {'polars', 'pyarrow', 'narwhals', 'pandas', 'numpy', 'pyspark'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

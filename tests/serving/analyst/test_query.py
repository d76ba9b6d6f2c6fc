"""An analyst's SQL answers, and nothing hostile gets through: no file, no other mine, no person."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from random_mine import MINE
from two_mines import OTHER, Site

from minefusion.schemas.errors import InputError
from minefusion.serving.analyst.query import RESTRICTED, ask, tables, visible
from minefusion.serving.analyst.query_process import answer
from minefusion.serving.api import sql

SECRET = "root:x:0:0"


def run(desk: Site, query: str, role: str = "analyst", **more: Any) -> Any:
    return desk.call(role, "POST", "/api/v1/sql", json={"query": query, **more})


def test_it_answers_what_the_reader_answers(desk: Site):
    query = (
        "SELECT index_id, level, count(*) AS windows FROM gold.hazard_index WHERE mine_code = '620000000001' "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    told = run(desk, query).json()
    assert told["columns"] == ["index_id", "level", "windows"]
    assert told["rows"] == [list(row.values()) for row in desk.service.reader.sql(query)]
    assert told["is_cut"] is False
    parquet = run(desk, query, format="parquet")
    assert pl.read_parquet(io.BytesIO(parquet.content)).rows() == [tuple(row) for row in told["rows"]]


def asked(lake: Path, query: str) -> Any:
    """What the process does, without its limits."""
    question = {"lake": str(lake), "root": "", "mines": [MINE], "most_rows": 10, "most_bytes": 100_000}
    return answer(question | {"query": query})


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DISTINCT mine_code FROM silver.reading",
        "SELECT DISTINCT mine_code FROM silver.reading WHERE true OR mine_code <> ''",
        f"SELECT mine_code FROM silver.point WHERE mine_code = '{OTHER}' UNION SELECT mine_code FROM silver.area",
        'SELECT DISTINCT "mine_code" FROM "silver"."reading" -- WHERE',
        "WITH silver AS (SELECT * FROM silver.reading) SELECT DISTINCT mine_code FROM silver",
    ],
)
def test_only_the_users_mines_are_there_whatever_is_asked(random_lake: Path, query: str):
    rows, is_cut = asked(random_lake, query)
    assert rows.to_pydict() == {"mine_code": [MINE]}
    assert not is_cut


def test_a_user_sees_the_mines_that_stand_with_the_user(desk: Site):
    query = "SELECT DISTINCT mine_code FROM silver.reading ORDER BY 1"
    assert run(desk, query).json()["rows"] == [[MINE]]
    assert run(desk, query, "admin@all").json()["rows"] == [[MINE], [OTHER]]


HOSTILE = (
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM 'file:///etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM delta_scan('/etc')",
    "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
    "COPY (SELECT 1) TO '{out}'",
    "SELECT 1; COPY (SELECT 1) TO '{out}'",
    "/* harmless */ COPY (SELECT 1) TO '{out}'",
    "WITH a AS (SELECT 1) INSERT INTO gold.alarm SELECT * FROM gold.alarm",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
    "DELETE FROM gold.alarm",
    "UPDATE gold.alarm SET level = 0",
    "DROP TABLE gold.alarm",
    "SELECT * INTO gold.mine FROM gold.alarm",
    "SET datafusion.execution.batch_size = 1",
    "SELECT * FROM information_schema.tables",
    "SHOW TABLES",
    "SELECT * FROM silver.person",
    'SELECT * FROM "silver" . "position"',
    "SELECT card_code FROM silver.position",
    "SELECT raw FROM bronze.exchange_record",
    "SELECT entity_id FROM silver.reported_abnormality",
    "SELECT person_hash FROM gold.escape_route",
    "SELECT load_extension('x')",
    "SELECT $mine",
    "",
    ";",
    "\x00",
    "SELECT",
)


@pytest.mark.parametrize("query", HOSTILE)
def test_what_is_hostile_is_refused_in_one_line(random_lake: Path, tmp_path: Path, query: str):
    out = tmp_path / "stolen.csv"
    before = sorted(each for each in random_lake.rglob("*") if each.is_file())
    with pytest.raises(InputError) as told:
        asked(random_lake, query.replace("{out}", str(out)))
    assert "\n" not in str(told.value)
    assert SECRET not in str(told.value)
    assert not out.exists()
    assert sorted(each for each in random_lake.rglob("*") if each.is_file()) == before


def test_a_refusal_reaches_the_caller(desk: Site):
    told = run(desk, "DROP TABLE gold.alarm")
    assert told.status_code == 400
    assert told.json()["detail"].startswith("expected a query that begins with select")


def test_the_process_itself_can_write_no_file(tmp_path: Path):
    """Whatever a statement came up with that the checks do not know."""
    script = (
        "from minefusion.serving.analyst.query_process import confine\n"
        "confine(4 * 2**30, 30)\n"
        "with open('x', 'wb') as file: file.write(b'x')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 0
    assert (tmp_path / "x").stat().st_size == 0


def test_a_question_without_end_is_ended(random_lake: Path):
    endless = (
        "SELECT count(*) FROM silver.reading a, silver.reading b, silver.reading c WHERE a.value + b.value > c.value"
    )
    with pytest.raises(InputError, match="within 2 s"):
        ask(random_lake, "", endless, [MINE], most_s=2.0)


def test_a_question_too_large_is_ended(random_lake: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minefusion.serving.analyst.query.MOST_MEMORY", 2**30)
    with pytest.raises(InputError, match="1 GiB"):
        ask(random_lake, "", "SELECT repeat('x', 2000000000) AS x", [MINE])


def test_rows_beyond_the_limit_are_left_out_and_that_is_said(random_lake: Path):
    told = ask(random_lake, "", "SELECT * FROM generate_series(1, 100000000)", [MINE], most_rows=10)
    assert told.frame["value"].to_list() == list(range(1, 11))
    assert told.is_cut
    whole = ask(random_lake, "", "SELECT * FROM generate_series(1, 10)", [MINE], most_rows=10)
    assert not whole.is_cut


def test_values_of_any_kind_come_through(random_lake: Path):
    query = "SELECT [1, 2] AS a, CAST(1.5 AS DECIMAL(5, 2)) AS b, DATE '2026-03-01' AS c, NULL AS d, true AS e"
    (row,) = ask(random_lake, "", query, [MINE]).frame.rows()
    assert row[0] == "[1, 2]"
    assert row[1:2] == (1.5,)
    assert row[3:] == (None, True)


def test_no_table_of_persons_is_described(desk: Site):
    told = desk.get("analyst", "/sql/tables")["rows"]
    assert {each["name"] for each in told} == {each.name for each in tables()}
    assert not RESTRICTED & {each["name"] for each in told}
    columns = {column["name"] for each in told for column in each["columns"]}
    assert not columns & {"card_code", "person_hash", "carrier_code", "raw"}
    assert all(visible(each) for each in tables())


def test_a_saved_question_is_there_again_until_dropped(desk: Site):
    kept = desk.call("analyst", "POST", "/api/v1/sql/saved", json={"name": "我的", "query": "SELECT 1 AS one"})
    assert kept.status_code == 201
    named = {each["name_zh"]: each for each in desk.get("analyst", "/sql/saved")["rows"]}
    assert named["我的"] == {"name_zh": "我的", "name_en": "我的", "query": "SELECT 1 AS one", "by": "analyst"}
    assert sum(each["by"] is None for each in named.values()) >= 4
    taken = desk.call("engineer", "POST", "/api/v1/sql/saved", json={"name": "我的", "query": "SELECT 2"})
    assert taken.status_code == 409
    assert desk.call("engineer", "DELETE", "/api/v1/sql/saved/我的").status_code == 409
    assert desk.call("analyst", "DELETE", "/api/v1/sql/saved/我的").status_code == 204
    assert "我的" not in str(desk.get("analyst", "/sql/saved"))


def test_the_questions_that_come_with_it_run(desk: Site, random_lake: Path):
    for each in desk.get("analyst", "/sql/saved")["rows"]:
        assert asked(random_lake, each["query"])


def test_more_at_once_than_there_is_room_for_are_sent_away(desk: Site):
    taken = [sql._running.acquire(blocking=False) for _ in range(sql.AT_ONCE)]
    try:
        assert all(taken)
        assert run(desk, "SELECT 1 AS one").status_code == 429
    finally:
        for _ in taken:
            sql._running.release()

"""The verbs over a small simulated feed: keys, exit codes, one document, and that a second run changes nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from minefusion.cli import app, call
from minefusion.cli import build as cli_build
from minefusion.pipelines.jobs import maintain as maintenance
from minefusion.pipelines.jobs.build import GRAPH
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.bronze import EXCHANGE_RECORD
from minefusion.schemas.catalog import table_path
from minefusion.schemas.schedule import UNCHANGED

Run = Callable[..., tuple[int, Any]]

# contracts: what callers may rely on.
VERDICTS = {"accepted", "partial", "rejected", "duplicate", "stale", "waiting", "unknown"}
RECORDS = {"sent", "stored", "quarantined", "rejected", "duplicate", "aside", "waiting"}
BALANCE = {"kind", "files", "ok", *RECORDS}
MINE = "620000000001"


@pytest.fixture(scope="session")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve minutes of a small mine."""
    base = tmp_path_factory.mktemp("feed")
    simulate_mine("gas_event", hours=0.2, seed=3, out=base / "landing", truth=base / "truth", roadways=20, people=10)
    return base / "landing"


@pytest.fixture(scope="session")
def built(feed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the feed in it, from ingest to gold."""
    lake = tmp_path_factory.mktemp("built") / "lake"
    for line in (["ingest", str(feed)], ["build"]):
        command = [sys.executable, "-m", "minefusion", *line, "--lake", str(lake), "--quiet"]
        subprocess.run(command, check=True, capture_output=True)
    return lake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command line with --output json; gives its exit code and the one document on stdout."""

    def one(*arguments: str | Path) -> tuple[int, Any]:
        vars(call.call).update(vars(call.Call()))
        call.settings.cache_clear()
        code = app.run([*map(str, arguments), "--output", "json", "--quiet"])
        return code, json.loads(capsys.readouterr().out)

    return one


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)


def copied(lake: Path, folder: Path) -> Path:
    return Path(shutil.copytree(lake, folder / "copy"))


def test_ingest(run: Run, feed: Path, lake: Path):
    code, done = run("ingest", feed, "--lake", lake)
    assert code == 0
    assert set(done) == {"files", "records", "clips", "links", "changed", "seconds"}
    assert set(done["files"]) == VERDICTS
    assert set(done["records"]) == RECORDS
    assert done["changed"] > 0
    assert done["files"]["accepted"] > 50
    assert done["records"]["sent"] == sum(done["records"][fate] for fate in RECORDS - {"sent"})


def test_the_second_ingest_and_build_change_nothing(run: Run, feed: Path, built: Path):
    code, again = run("ingest", feed, "--lake", built)
    assert (code, again["changed"], again["records"]["sent"]) == (0, 0, 0)
    assert run("ingest", feed, "--lake", built, "--skip-unchanged")[0] == UNCHANGED
    code, again = run("build", "--lake", built)
    assert (code, again["changed"]) == (0, 0)
    assert run("run", "conform", "--lake", built, "--skip-unchanged")[0] == UNCHANGED


def test_ingest_takes_the_family_and_mines_it_is_told(run: Run, feed: Path, lake: Path):
    code, safety = run("ingest", feed, "--lake", lake, "--family", "safety_monitoring", "--mine", MINE)
    assert (code, safety["changed"] > 0) == (0, True)
    code, other = run("ingest", feed, "--lake", lake, "--mine", "999999999999", "--skip-unchanged")
    assert (code, other["changed"]) == (UNCHANGED, 0)
    code, rest = run("ingest", feed, "--lake", lake)
    assert rest["records"]["sent"] > 0
    assert rest["files"]["duplicate"] == 0


def test_build_and_run(run: Run, built: Path, tmp_path: Path):
    lake = copied(built, tmp_path)
    code, done = run("build", "--select", "hazard_index+", "--lake", lake)
    assert code == 0
    assert set(done) >= {"tables", "changed"}
    assert [set(table) for table in done["tables"]] == [{"name", "changed", "rows", "seconds"}] * len(done["tables"])
    assert {table["name"] for table in done["tables"]} >= {"gold.hazard_index", "gold.alarm", "gold.area_minute"}
    span = ("--from", "2026-03-01T00:02:00+00:00", "--to", "2026-03-01T08:06+08:00")
    code, job = run("run", "hazard_index", *span, "--mine", MINE, "--lake", lake)
    assert (code, job["changed"]) == (0, 0)
    assert [table["name"] for table in job["tables"]] == ["gold.hazard_index"]
    assert job["tables"][0]["rows"] > 0


def test_the_help_names_every_job(capsys: pytest.CaptureFixture[str]):
    assert ", ".join(GRAPH) == cli_build.JOBS
    for verb in ("run", "build"):
        assert app.run([verb, "--help"]) == 0
        told = capsys.readouterr().out
        assert [job for job in GRAPH if job not in told] == []


def test_maintain_keeps_what_a_mine_at_rest_sent(run: Run, built: Path, tmp_path: Path, monkeypatch):
    lake = copied(built, tmp_path)
    a_hundred_days_later = datetime(2026, 6, 9, tzinfo=UTC)
    monkeypatch.setattr(maintenance, "maintain", partial(maintenance.maintain, now=a_hundred_days_later))
    code, done = run("run", "maintain", "--lake", lake)
    assert code == 0
    assert set(done) == {"tables", "changed", "held"}
    assert set(done["tables"][0]) == {"name", "changed", "rows", "kept_from", "joined", "freed", "seconds"}
    assert (done["changed"], done["held"]) == (0, [{"mine_code": MINE, "why": "at_rest"}])
    code, done = run("run", "maintain", "--mine", MINE, "--lake", lake)
    gone = {table["name"] for table in done["tables"] if table["changed"]}
    assert gone >= {"silver.reading", "silver.position"}
    assert not gone & {"silver.reading_5min", "gold.alarm", "silver.point"}
    assert run("run", "maintain", "--mine", MINE, "--lake", lake, "--skip-unchanged")[0] == UNCHANGED
    assert run("balance", "--lake", lake)[1]["ok"]
    code, told = run("run", "hazard_index", "--from", "2026-03-01T00:00Z", "--to", "2026-03-01T01:00Z", "--lake", lake)
    assert code == 2
    assert "expected --from at or after" in told["error"]


def test_balance_is_in_order_and_not_with_one_row_less(run: Run, built: Path, tmp_path: Path):
    code, done = run("balance", "--lake", built)
    assert (code, done["ok"]) == (0, True)
    assert all(set(kind) == BALANCE for kind in done["kinds"])
    assert {"CDDY", "CDSS", "RYSS"} <= {kind["kind"] for kind in done["kinds"]}
    lake = copied(built, tmp_path)
    first = "kind = 'CDSS' AND position = 1 AND observed_at < '2026-03-01T00:00:30Z'"
    DeltaTable(str(table_path(lake, EXCHANGE_RECORD))).delete(first)
    code, done = run("balance", "--lake", lake)
    assert (code, done["ok"]) == (1, False)
    assert [kind["kind"] for kind in done["kinds"] if not kind["ok"]] == ["CDSS"]


def test_conform_answers_clause_by_clause(run: Run, feed: Path, tmp_path: Path):
    """The ordinary feed has points without coordinates, and nothing else that is not in order."""
    code, done = run("conform", feed, "--out", tmp_path / "conform.html")
    assert (code, done["ok"]) == (1, False)
    keys = {"clause", "title_zh", "title_en", "ok", "checked", "violations", "examples"}
    assert all(keys <= set(clause) for clause in done["clauses"])
    assert [clause["clause"] for clause in done["clauses"] if not clause["ok"]] == ["CF-04"]
    example = next(clause for clause in done["clauses"] if not clause["ok"])["examples"][0]
    assert example["file"].startswith(f"{MINE}_CDDY_")
    assert example["record"] > 0
    assert "CF-04" in (tmp_path / "conform.html").read_text("utf-8")
    code, told = run("conform", tmp_path / "nowhere")
    assert code == 2
    assert "expected a folder of exchange files" in told["error"]


def test_sql_gives_rows(run: Run, built: Path):
    query = "select area_id, minute, level from gold.area_minute order by minute limit 3"
    code, rows = run("sql", query, "--lake", built)
    assert (code, len(rows)) == (0, 3)
    assert all(set(row) == {"area_id", "minute", "level"} for row in rows)
    assert all(datetime.fromisoformat(row["minute"]).utcoffset() is not None for row in rows)


def test_sql_prints_a_table_or_csv(built: Path, capsys: pytest.CaptureFixture[str]):
    query = "select name_zh, area_id, cap from silver.area order by area_id limit 2"
    assert app.run(["sql", query, "--lake", str(built), "--output", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [list(row) for row in rows] == [["name_zh", "area_id", "cap"]] * 2
    call.call.output = "text"
    assert app.run(["sql", query, "--output", "table"]) == 0
    head, line, first, _, count = capsys.readouterr().out.splitlines()
    assert head.split() == ["name_zh", "area_id", "cap"]
    assert set(line) == {"─", " "}
    assert rows[0]["name_zh"] in first
    assert count == "2 行"


def test_replay(run: Run, tmp_path: Path):
    table = tmp_path / "table.csv"
    table.write_text("t,gas\n0,0.4\n30,0.5\n", encoding="utf-8")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        'mine_code: "140000000001"\n'
        "time: {column: t, unit: s}\n"
        'points: [{column: gas, name: T0, sensor_type: "0001", unit: "%", place: LW_CORNER_T0}]\n',
        encoding="utf-8",
    )
    what = ("replay", table, "--mapping", mapping, "--out", tmp_path / "out")
    code, done = run(*what, "--start", "2026-03-01T08:00:00+08:00")
    assert code == 0
    assert (done["files"], done["records"], done["points"]) == (3, 3, 1)
    assert (tmp_path / "out" / "140000000001_CDSS_20260301080000.txt").is_file()
    code, told = run(*what)
    assert code == 2
    assert "expected --start" in told["error"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["ingest", "nowhere"], "expected a landing folder, got nowhere"),
        (["ingest", ".", "--family", "weather"], "expected --family safety_monitoring or positioning, got 'weather'"),
        (["balance", "nowhere"], "expected a landing folder, got nowhere"),
        (["build", "--select", "gas"], "expected a job or table to select, got 'gas'"),
        (["build", "--from", "2026-03-01"], "expected --from and --to together, got --from alone; add --to"),
        (["run", "conform", "--to", "yesterday", "--from", "2026-03-01"], "expected --to as ISO 8601"),
        (["run", "conform", "--from", "2026-03-02", "--to", "2026-03-01"], "expected a window --from before --to"),
        (["run", "weather"], "expected a job, got 'weather'; there are: conform"),
        (["run", "maintain", "--from", "2026-03-01", "--to", "2026-03-02"], "expected no --from and --to for maintain"),
        (["sql", "select 1 from gold.weather"], "expected a table of gold, got 'gold.weather'"),
        (["sql"], "Missing argument 'QUERY'"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_wrong_use_is_one_line(line: Sequence[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert app.run([*line, "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_a_cold_query_loads_no_engine(built: Path):
    """The whole command: what it loads decides how soon it answers."""
    code = (
        "import sys; from minefusion.cli import app;"
        f"code = app.run(['sql', 'select count(*) as n from gold.area_minute', '--lake', {str(built)!r}]);"
        "heavy = {'polars', 'pyarrow', 'narwhals', 'pandas', 'numpy', 'pyspark', 'airflow'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_bench_sql_measures_ours_beside_the_plain_tool(built: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr("minefusion.pipelines.jobs.bench.sql.REPEATS", 2)
    assert app.run(["bench", "sql", "--lake", str(built), "--output", "json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"name", "hardware", "data", "results"}
    keys = {"case", "seconds", "rate", "unit", "peak_mib", "ratio", "ratio_to"}
    assert [row["case"] for row in found["results"]] == ["sql/cold", "plain_delta_rs"]
    assert all(keys <= set(row) and row["seconds"] > 0 for row in found["results"])
    assert found["results"][0]["ratio_to"] == "plain_delta_rs"


def test_export_tells_files_and_records(run: Run, built: Path, tmp_path: Path):
    span = ["--from", "2026-03-01T00:00Z", "--to", "2026-03-01T00:10Z"]
    code, done = run("export", "--mine", MINE, *span, "--out", tmp_path, "--lake", built, "--kinds", "CDSS,TJSJ")
    assert code == 0
    assert done["records"] == sum(done["kinds"].values()) > 0
    assert done["files"] == len(list(tmp_path.glob("*.txt")))

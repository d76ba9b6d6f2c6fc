"""`minefusion demo`: it finds what is true; a second run moves nothing; a miss or a false finding is not in order.

Two simulated hours instead of eight: the same road in a quarter of the time. `report shift` is tried on its lake.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from minefusion import jvm
from minefusion.cli import app, call, demo
from minefusion.schemas.catalog import table_path
from minefusion.schemas.gold import ALARM

HOURS = 2.0
END = "2026-03-01T02:00:00Z"
MINE = "620000000001"


@dataclass(frozen=True)
class Done:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


def command(*line: str) -> Done:
    """Run one quiet command line as a call of its own."""
    vars(call.call).update(vars(call.Call()))
    call.settings.cache_clear()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "HOURS", HOURS)
        code = app.run([*line, "--quiet"])
    return Done(code, out.getvalue(), err.getvalue())


def run_demo(folder: Path, *options: str) -> Done:
    return command("demo", "--dir", str(folder), "--output", "json", *options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> Done:
    """The first demo in the folder."""
    return run_demo(folder)


def test_it_finds_what_is_true_and_nothing_else(first: Done):
    told = first.document
    sure = [row for row in told["findings"] if row["is_sure"]]
    assert first.code == 0
    assert {"G-01", "V-08", "P-01"} <= {row["index_id"] for row in sure}
    assert all(row["matched"] for row in sure)
    # The supply of air is judged over ten minutes, the rest within three.
    assert all(row["delay_s"] <= (1200 if row["index_id"] == "V-01" else 180) for row in sure)
    assert (told["false"], told["missed"], told["balance_ok"]) == ([], 0, True)
    assert told["changed"] > 0
    report = Path(told["report"]).read_text(encoding="utf-8")
    assert "G-01" in report
    # The clip of the belt road's camera: somebody on the running belt, somebody bare-headed, somebody harmless.
    seen = told["behaviours"]
    assert (seen["events"], seen["found"], seen["false"]) == (2, 2, 0)
    assert all(row["sentence_zh"] in report for row in seen["told"])


def test_run_again_nothing_moves(first: Done, folder: Path):
    again = run_demo(folder)
    assert again.code == 0
    assert again.document["changed"] == 0
    for unmoved in ("versions", "findings", "behaviours"):
        assert again.document[unmoved] == first.document[unmoved]


def test_a_miss_and_a_false_finding_are_not_in_order(first: Done, folder: Path, tmp_path: Path):
    """Gold is changed behind the jobs' back: what is printed comes from gold alone."""
    shutil.copytree(folder / "1", tmp_path / "1")
    lake = tmp_path / "1" / Path(first.document["lake"]).name
    DeltaTable(str(table_path(lake, ALARM))).update(updates={"entity": "'elsewhere'"}, predicate="kind = 'G-01'")
    told = run_demo(tmp_path)
    gas = [row for row in told.document["findings"] if row["index_id"] == "G-01" and row["is_sure"]]
    assert told.code == 1
    assert told.document["missed"] == len(gas) > 0
    assert {row["entity"] for row in told.document["false"]} == {"elsewhere"}


def test_a_shift_without_events_reports_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On Spark without Java, which makes it the light engine, and one line says so."""
    monkeypatch.setattr(jvm, "java_command", lambda: None)
    told = run_demo(tmp_path, "--scenario", "normal", "--seed", "3", "--engine", "spark")
    assert told.code == 0
    assert told.document["findings"] == told.document["false"] == []
    assert told.document["engine"] == "light"
    assert "Java" in told.err
    assert told.err.count("\n") == 1


def test_the_report_of_a_shift_has_its_keys(first: Done, tmp_path: Path):
    out = tmp_path / "reports" / "shift.html"
    line = ["report", "shift", "--mine", MINE, "--to", END, "--out", str(out), "--output", "json"]
    told = command(*line, "--lake", first.document["lake"])
    assert told.code == 0
    assert told.document["file"] == str(out)
    assert told.document["alarms"] >= len({row["entity"] for row in first.document["findings"] if row["matched"]})
    assert told.document["balance_ok"] is True
    assert "甲烷超限" in out.read_text(encoding="utf-8"), "indices have their names"


@pytest.mark.parametrize(
    ("mine", "end", "said"),
    [
        (MINE, "2026-04-01T08:00:00Z", f"expected data of mine {MINE} in gold"),
        ("620000000099", END, "expected data of mine 620000000099 in gold"),
        (MINE, "yesterday", "expected --to as ISO 8601"),
    ],
)
def test_nothing_to_report_is_one_line_and_no_file(first: Done, tmp_path: Path, mine: str, end: str, said: str):
    out = tmp_path / "shift.html"
    line = ["report", "shift", "--mine", mine, "--to", end, "--out", str(out)]
    told = command(*line, "--lake", first.document["lake"])
    assert told.code == 2
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1
    assert not out.exists()

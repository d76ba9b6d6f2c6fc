"""`train`, `models` and `evaluate` of models: the keys that callers rely on, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from minefusion.cli import app, call

pytest.importorskip("mlflow", reason="the registry needs MLflow: run make setup")
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """One command line with --output json: its exit code and the one document on stdout."""

    def one(*arguments: str | Path) -> tuple[int, Any]:
        vars(call.call).update(vars(call.Call()))
        call.settings.cache_clear()
        code = app.run([*map(str, arguments), "--output", "json", "--quiet"])
        return code, json.loads(capsys.readouterr().out)

    return one


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mine whose strong bumps come on working shifts of active weeks, as the public series has its columns."""
    count, random = 900, np.random.default_rng(5)
    working = np.arange(count) % 21 < 17
    active = np.repeat(random.random(count // 60) < 0.5, 60)
    weak = random.poisson(0.3 + 1.5 * active * working)
    strong = (random.random(count) < 0.03 + 0.35 * active * working).astype(int)
    table = pl.DataFrame(
        {"shift": np.where(working, "W", "N"), "gpuls": random.poisson(30 + 300 * working), "nbumps": weak + strong}
        | {"nbumps4": strong, **{name: np.zeros(count, dtype=int) for name in ("nbumps5", "nbumps6", "nbumps7")}}
        | {"nbumps89": np.zeros(count, dtype=int), "energy": weak * 500 + strong * 20_000}
        | {"class": np.append(strong[1:], 0)}
    )
    path = tmp_path_factory.mktemp("series") / "shifts.parquet"
    table.write_parquet(path)
    return path


def test_a_model_is_trained_listed_and_promoted(run: Run, series: Path):
    code, trained = run("train", "seismic_hazard", "--series", series)
    assert set(trained) >= {"run_id", "model", "version", "alias", "metrics", "baselines", "promoted", "why"}
    assert (trained["model"], trained["version"]) == ("seismic_hazard", 2)  # the first is the shipped one
    assert code == (0 if trained["promoted"] else 1)
    code, listed = run("models")
    assert code == 0
    assert all(set(row) >= {"name", "version", "alias", "metrics", "trained_on", "promoted_at"} for row in listed)
    ours = [row for row in listed if row["name"] == "seismic_hazard"]
    assert [row["version"] for row in ours] == [2, 1]
    aliases = ["champion", None] if trained["promoted"] else ["challenger", "champion"]
    assert [row["alias"] for row in ours] == aliases
    code, listed = run("models", "--promote", "seismic_hazard@1", "--why", "tried")
    first = next(row for row in listed if (row["name"], row["version"]) == ("seismic_hazard", 1))
    assert (code, first["alias"], first["why"]) == (0, "champion", "tried")
    code, told = run("models", "--promote", "seismic_hazard")
    assert code == 2
    assert "NAME@VERSION" in told["error"]


def test_a_training_is_left_in_a_folder_and_logged_later(run: Run, series: Path, tmp_path: Path):
    code, told = run("train", "seismic_hazard", "--series", series, "--reduced", "--out", tmp_path / "run")
    assert (code, told["model"]) == (0, "seismic_hazard_reduced")
    assert (tmp_path / "run" / "card.md").is_file()
    code, logged = run("train", "log", tmp_path / "run")
    assert (code, logged["version"], logged["alias"]) == (0, 2, "challenger")
    code, told = run("train", "log", tmp_path)
    assert code == 2
    assert "run.json" in told["error"]


def test_the_seismic_evaluation_has_its_keys(run: Run, series: Path, tmp_path: Path):
    table = pl.read_parquet(series)
    table[:600].write_parquet(tmp_path / "a.parquet")
    table[600:].write_csv(tmp_path / "b.csv")
    line = ("evaluate", "seismic_hazard", "--train", tmp_path / "a.parquet", "--test", tmp_path / "b.csv")
    code, found = run(*line)
    assert code == 0
    assert set(found) >= {
        "n", "positives", "auc", "ap", "brier", "auc_ci95", "alarms_per_100_at_recall", "baselines",
    }  # fmt: skip
    assert (found["n"], set(found["alarms_per_100_at_recall"])) == (300, {"0.5", "0.7"})
    assert run(*line, "--reduced")[1]["model"] == "seismic_hazard_reduced"
    code, told = run("evaluate", "seismic_hazard", "--train", tmp_path / "none.parquet", "--test", tmp_path / "b.csv")
    assert code == 2
    assert "none.parquet" in told["error"]

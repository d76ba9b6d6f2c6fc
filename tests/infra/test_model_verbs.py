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


@pytest.fixture(scope="module")
def methane(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two files that follow on each other, and their mapping; the second begins its clock anew."""
    folder, random = tmp_path_factory.mktemp("methane"), np.random.default_rng(3)
    wave = 0.6 + 0.3 * np.sin(np.arange(1100) / 50) + random.normal(0, 0.03, 1100)
    table = pl.DataFrame({"t": 30 * np.arange(1100), "M1": np.round(wave, 1), "cut": (np.arange(1100) // 60) % 2})
    table[:900].write_parquet(folder / "a.parquet")
    table[900:].with_columns(pl.col("t") - 900 * 30).write_parquet(folder / "b.parquet")
    (folder / "mapping.yaml").write_text(
        'mine_code: "140000000001"\ntime: {column: t, unit: s, period_s: 30}\npoints:\n'
        '- {column: M1, name: M1, sensor_type: "0001", unit: "%", place: LW_CORNER_T0, limits: {alarm: 0.8}}\n'
        "covariates:\n- {column: cut, name: shearer_running, kind: state}\n",
        encoding="utf-8",
    )
    return folder / "a.parquet", folder / "b.parquet", folder / "mapping.yaml"


def test_a_methane_model_is_evaluated_with_its_baselines_and_pictures(run: Run, methane, tmp_path: Path):
    train, test, mapping = methane
    code, found = run(
        "evaluate", "methane_forecast", "--train", train, "--test", test, "--mapping", mapping,
        "--model", "methane_forecast@champion", "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert code == 0
    assert set(found) >= {"model", "rows_train", "rows_test", "forecast", "onset", "plots"}
    assert (found["rows_train"], found["rows_test"]) == (900, 200)
    row, onset = found["forecast"][0], found["onset"][0]
    asked = "series horizon_min n mae rmse r2 pinball crps coverage_80 coverage_80_active width_80 mae_ci95 baselines"
    assert set(row) >= set(asked.split())
    assert set(row["baselines"]) >= {"persistence", "lightgbm", "rolling_lightgbm", "neural"}
    assert set(onset) >= {"series", "limit", "within_min", "n", "positives", "auc", "ap", "baselines"}
    pictures = [Path(path) for path in found["plots"]]
    assert {path.stem for path in pictures} >= {"reliability", "examples", "warnings"}
    assert all(path.stat().st_size > 5_000 for path in pictures)


def test_a_series_too_short_to_train_on_is_refused_in_one_line(methane, capsys: pytest.CaptureFixture[str]):
    train, test, mapping = methane
    vars(call.call).update(vars(call.Call()))
    call.settings.cache_clear()
    code = app.run(
        ["evaluate", "methane_forecast", "--train", str(train), "--test", str(test), "--mapping", str(mapping)]
    )
    assert code == 2
    assert "expected a series of 2880 half minutes or more to train on, got 900" in capsys.readouterr().err


def test_scoring_rounds_are_measured_beside_the_plain_tools(run: Run):
    code, found = run("bench", "forecast", "--scale", "0.02")
    assert code == 0
    cases = {row["case"]: row for row in found["results"]}
    assert set(cases) == {"forecast/round", "forecast/network", "plain_torch", "plain_lightgbm", "train/cpu"}
    assert cases["forecast/round"]["ratio_to"] == "plain_lightgbm"
    assert cases["forecast/network"]["ratio_to"] == "plain_torch"
    assert all(row["seconds"] > 0 and row["rate"] > 0 for row in cases.values())
    assert found["data"]["points"] == 100

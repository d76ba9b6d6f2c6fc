"""Readings to gold.methane_forecast: exactly once, the same however the work is cut, by the champion of then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_mine import MINE, T0, at, copied, definitions, point_code, rows_of

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, Readings
from minefusion.models.methane_forecast.predict import save
from minefusion.models.methane_forecast.train import train
from minefusion.models.registry import CHAMPION, Registry, open_registry
from minefusion.models.training_run import DataUsed, TrainingRun
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.build import MODEL_JOBS as names_of_jobs
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.forecast import champions as champions_module
from minefusion.pipelines.jobs.forecast.jobs import MODEL_JOBS, run_model_job
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.gold import METHANE_FORECAST, MODEL_HEALTH
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

pytest.importorskip("mlflow", reason="the registry needs MLflow: run make setup")
POINTS = [point_code(1), point_code(2)]
# A mine beside it, with one point.
OTHER = "620000000002"
OTHER_POINT = POINTS[0].replace(MINE, OTHER)
HOURS = 2
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def gas(minute: float) -> dict[str, float]:
    """A slow wave, with some unrest, at two points."""
    wave = 0.4 + 0.2 * np.sin(minute / 30) + 0.02 * ((minute * 7) % 5 - 2)
    return {POINTS[0]: round(float(wave), 2), POINTS[1]: round(float(wave) / 2, 2)}


def gas_beside(minute: float) -> dict[str, float]:
    return {OTHER_POINT: gas(minute)[POINTS[1]]}


def ten_minutes(folder: Path, first: int, of: Callable[[float], dict[str, float]] = gas, mine: str = MINE) -> None:
    """A file of ten minutes, sent with the last of them."""
    rows = [
        {"point_code": code, "value": value, "status": 0, "data_time": at(minute), "unit": "%"}
        for minute in range(first, first + 10)
        for code, value in of(minute).items()
    ]
    write_file(folder, "CDSS", mine, "示范煤矿", at(first + 9), rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours of a file each ten minutes."""
    folder = tmp_path_factory.mktemp("minutes")
    definitions(folder, -1, *({"point_code": code} for code in POINTS))
    definitions(folder, -1, {"point_code": OTHER_POINT}, mine=OTHER)
    for first in range(0, 60 * HOURS, 10):
        ten_minutes(folder, first)
        ten_minutes(folder, first, gas_beside, OTHER)
    return folder


def forecaster_run(folder: Path, seed: int) -> TrainingRun:
    """A forecaster of the points, trained on a few hours of the same wave with unrest of its own."""
    random = np.random.default_rng(seed)
    wave = 0.4 + 0.25 * np.sin(np.arange(1400) / 60)
    steps = np.round(wave + random.normal(0, 0.02 * seed, 1400), 2).clip(0.05)
    readings = Readings(
        times_s=1.6e9 // 30 * 30 + 30.0 * np.arange(1400),
        ch4_pct=np.column_stack([steps, steps / 2, steps / 2]),
        names=(*(f"{MINE}/{code}" for code in POINTS), f"{OTHER}/{OTHER_POINT}"),
        limits_pct=np.ones(3),
    )
    made, _ = train(readings, ForecastConfig(experts=("persistence",), fewest_rows=300))
    run = TrainingRun(
        "methane_forecast",
        folder,
        {},
        {},
        {"a": 1.0},
        {"a": 2.0},
        "persistence",
        DataUsed("x", "", "", 1, str(seed)),
        "1",
    )
    save(made, run.files)
    run.write()
    return run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose registry holds two versions of the forecaster; the first is the champion."""
    home = tmp_path_factory.mktemp("home")
    registry = open_registry(load_settings(home=str(home)))
    first = registry.log(forecaster_run(home / "one", 1))
    registry.log(forecaster_run(home / "two", 3))
    registry.promote(first, "first", at=NOW)
    return home


@pytest.fixture(scope="module", autouse=True)
def none_shipped() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(champions_module, "shipped", dict)
        yield


@pytest.fixture
def engine_in(tmp_path: Path, store: Path) -> Callable[[str], LightEngine]:
    """An engine over a lake and with a registry of its own, by name."""

    def made(name: str) -> LightEngine:
        home = tmp_path / f"home-{name}"
        if not home.exists():
            shutil.copytree(store, home)
        return LightEngine(load_settings(lake=tmp_path / name, home=str(home)))

    return made


def registry_of(engine: LightEngine) -> Registry:
    return open_registry(engine.settings)


def take(engine: LightEngine, landing: Path) -> None:
    ingest(engine.settings, landing, engine=engine)
    run_job(engine, "conform")


def score(engine: LightEngine, **asked: object) -> int:
    return sum(built.changed for built in run_model_job(engine, "score_methane", now=NOW, **asked))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scored_lake(store: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose readings are all scored, made once."""
    lake = tmp_path_factory.mktemp("scored")
    engine = LightEngine(load_settings(lake=lake, home=str(store)))
    take(engine, files)
    assert score(engine) == 3 * 60 * HOURS * len(HORIZONS_MIN)
    return lake


@pytest.fixture
def scored(engine_in: Callable[[str], LightEngine], scored_lake: Path) -> LightEngine:
    """An engine over a copy of it."""
    engine = engine_in("whole")
    shutil.copytree(scored_lake, engine.settings.lake, dirs_exist_ok=True)
    return engine


def test_every_point_minute_and_horizon_has_a_row(scored: LightEngine):
    rows = rows_of(scored, METHANE_FORECAST)
    assert set(rows["point_id"]) == {*POINTS, OTHER_POINT}
    assert set(rows["horizon_min"]) == set(HORIZONS_MIN)
    assert set(rows["model_version"]) == {"1"}
    last = rows.filter(pl.col("issued_at") == at(60 * HOURS - 1), pl.col("point_id") == POINTS[0])
    assert last["base_pct"].to_list() == [gas(60 * HOURS - 1)[POINTS[0]]] * 4
    assert last["target_at"].to_list() == [at(60 * HOURS - 1 + ahead) for ahead in HORIZONS_MIN]
    assert last["reach_chance"].is_null().to_list() == [False, False, False, True]
    assert last["limit_pct"].to_list() == [1.0] * 4
    quantiles = rows.select(pl.selectors.starts_with("q")).to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert rows.select(pl.col("sentence_zh", "sentence_en").is_null().any()).row(0) == (False, False)
    assert "80 % interval" in last["sentence_en"][0]


def test_a_second_run_changes_nothing(scored: LightEngine):
    assert score(scored) == 0
    assert score(scored, window=Window(at(30), at(90))) == 0


def test_minute_by_minute_is_as_at_once(scored: LightEngine, engine_in, files: Path, tmp_path: Path):
    """Also with files that come late: the rows that they move are those of one run over all."""
    pieces = engine_in("pieces")
    (tmp_path / "landing").mkdir()
    everything = sorted(files.iterdir(), key=lambda path: path.name.split("_")[-1])
    late = everything[8:12]
    early = [path for path in everything if path not in late]
    for some in (early[:6], early[6:15], [*late, *early[15:]]):
        copied(some, tmp_path / "landing")
        take(pieces, tmp_path / "landing")
        score(pieces)
    assert (
        differences(scored.settings.lake, pieces.settings.lake, tables=[METHANE_FORECAST], ignoring=("revision",)) == {}
    )


def test_what_comes_later_changes_no_forecast_before(scored: LightEngine, engine_in, files: Path, tmp_path: Path):
    other = engine_in("other")
    landing = tmp_path / "landing"
    shutil.copytree(files, landing)
    for first in range(60, 60 * HOURS, 10):
        ten_minutes(landing, first, lambda _: dict.fromkeys(POINTS, 3.9))
    take(other, landing)
    score(other)
    before = [rows_of(engine, METHANE_FORECAST).filter(pl.col("issued_at") < at(60)) for engine in (scored, other)]
    assert before[0].drop("computed_at").equals(before[1].drop("computed_at"))


def test_moving_the_champion_changes_the_next_run_and_no_row_before(scored: LightEngine, files: Path, tmp_path: Path):
    before = rows_of(scored, METHANE_FORECAST)
    registry_of(scored)._client.set_registered_model_alias("methane_forecast", CHAMPION, "2")
    assert score(scored) == 0
    landing = tmp_path / "landing"
    shutil.copytree(files, landing)
    ten_minutes(landing, 60 * HOURS)
    take(scored, landing)
    assert score(scored) == 10 * 2 * len(HORIZONS_MIN)
    rows = rows_of(scored, METHANE_FORECAST)
    assert set(rows.filter(pl.col("issued_at") >= at(60 * HOURS))["model_version"]) == {"2"}
    assert rows.filter(pl.col("issued_at") < at(60 * HOURS)).equals(before)
    # A backfill of the past asks the version of then.
    assert score(scored, window=Window(T0, at(60 * HOURS + 10))) == 0


def test_rows_that_are_lost_come_back_from_the_champion_of_then(scored: LightEngine):
    """What no row remembers, the registry's record does."""
    from deltalake import DeltaTable

    registry = registry_of(scored)
    registry.promote(registry.version("methane_forecast", 2), "better", at=NOW + timedelta(days=1))
    key = ["point_id", "issued_at", "horizon_min"]
    kept = rows_of(scored, METHANE_FORECAST)
    DeltaTable(scored.uri(METHANE_FORECAST)).delete()
    # All of the data lies before the registry began: today's champion is asked.
    assert score(scored, window=Window(T0, at(60 * HOURS))) == len(kept)
    assert set(rows_of(scored, METHANE_FORECAST)["model_version"]) == {"2"}
    registry._client.set_registered_model_tag(
        "methane_forecast",
        "minefusion.champion_history",
        f'[{{"version": 1, "from": "{T0.isoformat()}"}}, {{"version": 2, "from": "{at(70).isoformat()}"}}]',
    )
    DeltaTable(scored.uri(METHANE_FORECAST)).delete()
    score(scored, window=Window(T0, at(60 * HOURS)))
    again = rows_of(scored, METHANE_FORECAST)
    first, later = (again.filter(pl.col("issued_at") < at(70)), again.filter(pl.col("issued_at") >= at(70)))
    assert (set(first["model_version"]), set(later["model_version"])) == ({"1"}, {"2"})
    was = kept.filter(pl.col("issued_at") < at(70)).drop("computed_at", "revision")
    assert first.drop("computed_at", "revision").sort(key).equals(was.sort(key))


def test_killed_before_it_could_say_so_and_run_again(
    engine_in: Callable[[str], LightEngine], scored: LightEngine, files: Path, monkeypatch: pytest.MonkeyPatch
):
    """The rows are written and the mark is not: the next run finds them there."""
    engine = engine_in("killed")
    take(engine, files)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(engine, "mark", die)
        with pytest.raises(Killed):
            score(engine)
    assert len(rows_of(engine, METHANE_FORECAST)) == len(rows_of(scored, METHANE_FORECAST))
    assert score(engine) == 0
    assert differences(scored.settings.lake, engine.settings.lake, tables=[METHANE_FORECAST]) == {}


def test_a_drifted_feed_degrades_its_forecasts(
    engine_in: Callable[[str], LightEngine], scored: LightEngine, files: Path, tmp_path: Path
):
    drifted = engine_in("drifted")
    landing = tmp_path / "landing"
    shutil.copytree(files, landing)
    for first in range(0, 60 * HOURS, 10):  # the second point now reads far above what was ever learned of it
        ten_minutes(landing, first, lambda minute: {POINTS[0]: gas(minute)[POINTS[0]], POINTS[1]: 3.5})
    take(drifted, landing)
    score(drifted)
    for engine in (scored, drifted):
        assert run_model_job(engine, "monitor_models", now=NOW)[0].changed > 0
        assert run_model_job(engine, "monitor_models", now=NOW)[0].changed == 0
    last = pl.col("hour") == at(60 * (HOURS - 1))
    health = rows_of(drifted, MODEL_HEALTH).filter(last, pl.col("entity") == POINTS[1])
    assert len(health) == len(HORIZONS_MIN)
    assert health["is_degraded"].all()
    assert all("DRIFT" in faults for faults in health["faults"])
    assert "degraded" in health["sentence_en"][0]
    sound = rows_of(scored, MODEL_HEALTH).filter(last, pl.col("entity") == POINTS[1])
    assert not any("DRIFT" in faults for faults in sound["faults"])


def test_a_silent_point_has_no_forecast_and_says_so(engine_in, files: Path, tmp_path: Path):
    engine = engine_in("silent")
    landing = tmp_path / "landing"
    shutil.copytree(files, landing)
    for first in range(60, 60 * HOURS, 10):
        ten_minutes(landing, first, lambda minute: {POINTS[0]: gas(minute)[POINTS[0]]})
    take(engine, landing)
    score(engine)
    rows = rows_of(engine, METHANE_FORECAST).filter(pl.col("issued_at") == at(100))
    silent = rows.filter(pl.col("point_id") == POINTS[1])
    assert silent["null_reason"].to_list() == ["NO_DATA"] * 4
    assert silent["q50_pct"].is_null().all()
    assert silent["driver"].is_null().all()
    assert rows.filter(pl.col("point_id") == POINTS[0])["null_reason"].is_null().all()


def test_without_a_champion_the_line_says_what_to_do(files: Path, tmp_path: Path):
    from minefusion.schemas.errors import InputError

    engine = LightEngine(load_settings(lake=tmp_path / "lake", home=str(tmp_path / "empty")))
    take(engine, files)
    with pytest.raises(InputError, match="minefusion train methane_forecast"):
        score(engine)


@pytest.mark.usefixtures("spark")
def test_spark_over_several_mines_gives_the_same(scored: LightEngine, engine_in: Callable[[str], LightEngine]):
    from minefusion.pipelines.engines.spark import SparkEngine

    copy = engine_in("spark").settings
    shutil.copytree(scored.settings.lake, copy.lake, dirs_exist_ok=True)
    shutil.rmtree(copy.lake / "gold" / "methane_forecast")
    assert score(SparkEngine(copy)) == rows_of(scored, METHANE_FORECAST).height  # type: ignore[arg-type]
    assert differences(scored.settings.lake, copy.lake, tables=[METHANE_FORECAST]) == {}
    assert score(LightEngine(copy)) == 0


def test_the_jobs_have_the_names_that_run_knows():
    assert set(MODEL_JOBS) <= set(names_of_jobs)

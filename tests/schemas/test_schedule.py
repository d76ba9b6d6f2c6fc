"""Which mines the scheduled jobs work on, and by which engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.schemas.schedule import engine_of, mines_of
from minefusion.schemas.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return load_settings(
        lake=tmp_path / "lake",
        airflow_landing=tmp_path / "landing",
        provincial=["prov"],
        mine_aliases={"0012": "520203000012"},
    )


def test_a_mine_shows_itself_by_a_site_file_or_by_what_it_sends(settings: Settings):
    landing = settings.airflow.landing
    (settings.lake / "sites").mkdir(parents=True)
    (settings.lake / "sites" / "140000000001.site.yaml").touch()
    (landing / "140000000002.site.yaml").touch()
    (landing / "today").mkdir()
    (landing / "today" / "140000000003_CDSS_20260301000000.txt").touch()
    (landing / "readme.txt").touch()
    (landing / ".part").mkdir()
    (landing / ".part" / "140000000009_CDSS_20260301000000.txt").touch()
    found = ["140000000001", "140000000002", "140000000003", "520203000012"]
    assert mines_of(settings) == found


def test_a_provincial_file_shows_its_mine_by_the_national_code(settings: Settings):
    (settings.airflow.landing / "prov" / "more").mkdir(parents=True)
    (settings.airflow.landing / "prov" / "62000000001_20260301040000_AQSS").touch()
    (settings.airflow.landing / "prov" / "more" / "62000000002_20260301040000_AQSS").touch()
    assert mines_of(settings) == ["520203000012", "620000000001", "620000000002"]


def test_mines_of_the_settings_are_the_only_ones(tmp_path: Path):
    settings = load_settings(lake=tmp_path, airflow_landing=tmp_path, airflow_mines=["140000000007"])
    (tmp_path / "140000000002.site.yaml").touch()
    assert mines_of(settings) == ["140000000007"]


def test_what_keeps_the_books_runs_on_the_ingests_engine(tmp_path: Path):
    settings = load_settings(lake=tmp_path, airflow_ingest_engine="light", airflow_hazard_engine="spark")
    assert {engine_of(job, settings) for job in ("ingest", "conform", "sensor_health", "export")} == {"light"}
    assert {engine_of(job, settings) for job in ("hazard_index", "alarm", "build")} == {"spark"}

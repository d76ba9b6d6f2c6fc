"""Settings: who wins, what is refused, and that a refusal names place, key and way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.schemas import settings as module
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import PROJECT, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder and project, and an environment without ours."""
    for name in [name for name in module.os.environ if name.startswith("MINEFUSION_")]:
        monkeypatch.delenv(name)
    here, project = tmp_path / "here", tmp_path / "project"
    here.mkdir()
    project.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(module, "PROJECT", project)
    return here


def write(folder: Path, text: str) -> Path:
    path = folder / "minefusion.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_stay_inside_the_project():
    settings = load_settings()
    assert settings.lake == PROJECT / ".minefusion" / "lake"
    assert settings.mlflow_uri == f"sqlite:///{PROJECT}/.minefusion/mlflow.db"
    assert (settings.engine, settings.lang, settings.watermark_min) == ("auto", "zh", 10)
    assert (settings.batch_bytes, settings.batch_files) == (134_217_728, 4096)
    assert settings.spark.master.startswith("local[")


def test_the_lake_and_the_stores_follow_home():
    settings = load_settings(home="/srv/mine")
    assert settings.lake == Path("/srv/mine/lake")
    assert settings.airflow.landing == Path("/srv/mine/landing")
    assert settings.mlflow_uri == "sqlite:////srv/mine/mlflow.db"


def test_file_under_environment_under_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch):
    write(folder, 'lang = "en"\nengine = "spark"\nbatch_files = 7\n[spark]\nmaster = "local[1]"\n')
    assert load_settings().lang == "en"
    assert load_settings().spark.master == "local[1]"
    monkeypatch.setenv("MINEFUSION_ENGINE", "light")
    monkeypatch.setenv("MINEFUSION_BATCH_FILES", "8")
    monkeypatch.setenv("MINEFUSION_SPARK_MASTER", "local[2]")
    settings = load_settings(engine="auto", lang=None)
    assert (settings.engine, settings.lang, settings.batch_files) == ("auto", "en", 8)
    assert settings.spark.master == "local[2]"


def test_the_current_folder_goes_before_the_project(folder: Path):
    write(folder.parent / "project", "watermark_min = 1\n")
    assert load_settings().watermark_min == 1
    write(folder, "watermark_min = 2\n")
    assert load_settings().watermark_min == 2


def test_a_path_is_relative_to_where_it_is_written(folder: Path):
    write(folder.parent / "project", 'lake = "data/lake"\n')
    assert load_settings().lake == folder.parent / "project" / "data" / "lake"
    assert load_settings(lake="mine/../other").lake == folder / "other"


def test_lists_and_mappings_from_file_and_environment(folder: Path, monkeypatch: pytest.MonkeyPatch):
    write(folder, 'provincial = ["gz", "sx"]\n[mine_aliases]\n"520203/0012" = "520203000012"\n')
    assert load_settings().provincial == ("gz", "sx")
    assert load_settings().mine_aliases == {"520203/0012": "520203000012"}
    monkeypatch.setenv("MINEFUSION_PROVINCIAL", "hb, hn")
    monkeypatch.setenv("MINEFUSION_MINE_ALIASES", "1/2=520203000012")
    assert load_settings().provincial == ("hb", "hn")
    assert load_settings().mine_aliases == {"1/2": "520203000012"}


def test_an_unknown_key_is_named_with_its_file_and_the_known_ones(folder: Path):
    path = write(folder, "[spark]\nmemory = '2g'\n")
    with pytest.raises(InputError, match="spark_memory") as refused:
        load_settings()
    assert str(path) in str(refused.value)
    assert "spark_driver_memory" in str(refused.value)


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINEFUSION_LAEK", "/x")
    with pytest.raises(InputError, match=r"MINEFUSION_LAEK.*'laek'.*lake"):
        load_settings()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("engine", "duckdb", "auto or light or spark"),
        ("lang", "de", "zh or en"),
        ("batch_bytes", 0, "a whole number from 1"),
        ("batch_files", True, "a whole number"),
        ("watermark_min", "-1", "a whole number from 0"),
        ("serve_port", 65_536, "from 1 to 65535"),
        ("spark_driver_memory", "2 GB", "2g or 1500m"),
        ("spark_master", "mesos://x", "a cluster's address"),
        ("mine_aliases", {"1/2": "12345"}, "a 12-digit mine code"),
        ("mine_aliases", "nonsense", "a 12-digit mine code"),
        ("provincial", [1], "a list of texts"),
        ("lake", "", "a path"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_one_line(key: str, value: object, expected: str):
    with pytest.raises(InputError, match=expected) as refused:
        load_settings(**{key: value})
    assert key in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_broken_file_is_named(folder: Path):
    path = write(folder, "lake = \n")
    with pytest.raises(InputError, match="expected TOML") as refused:
        load_settings()
    assert str(path) in str(refused.value)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        load_settings().lang = "en"  # type: ignore[misc]

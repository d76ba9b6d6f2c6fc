"""The set-up: what the lock holds, what is done once, and what is said where something may not be done."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from minefusion import jvm
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "infra" / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGETS = ["help", "setup", "demo", "up", "test", "check", "bench", "soak", "docs", "pictures", "lock", "clean"]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"infra_{name}", ROOT / "infra" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", LOCK, re.MULTILINE):
        found.setdefault(name, []).append(version)
    return found


def test_the_lock_is_exact_hashed_and_names_no_address():
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert all(re.match(r"[a-z0-9.-]+==\S+", entry) for entry in entries)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK
    assert not re.search(r"^-", LOCK, re.MULTILINE)


def test_the_lock_holds_what_pyproject_asks_for():
    extras = PROJECT["optional-dependencies"].values()
    for text in [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]:
        wanted = Requirement(text)
        versions = locked()[wanted.name.lower()]
        assert all(wanted.specifier.contains(version) for version in versions), text


def test_one_opencv_is_installed_the_one_that_needs_no_screen():
    assert "opencv-python-headless" in locked()
    assert "opencv-python" not in locked()


def test_jar_and_wheel_of_delta_are_of_one_version():
    assert locked()["delta-spark"] == [jvm.DELTA_PACKAGE.rpartition(":")[2]]
    assert all(name.endswith(f"-{locked()['delta-spark'][0]}.jar") for name in jvm.DELTA_JARS)


def test_an_installed_environment_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bootstrap = script("bootstrap")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(bootstrap, "works", lambda _python: True)
    installs: list[str] = []
    monkeypatch.setattr(bootstrap, "install", lambda _extras: installs.append("install"))
    monkeypatch.setattr(bootstrap, "bring_console", lambda: None)
    bootstrap.main()
    bootstrap.main()
    assert installs == ["install"]
    monkeypatch.setattr(bootstrap, "fingerprint", lambda _extras: "another lock")
    bootstrap.main()
    assert installs == ["install", "install"]


def test_the_consoles_files_are_brought_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    bootstrap = script("bootstrap")
    monkeypatch.setattr(bootstrap, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(bootstrap, "NPM", tmp_path / "npm")
    monkeypatch.setattr(bootstrap, "npm_command", lambda: None)
    bootstrap.bring_console()
    assert "the console's page will not open: npm could not bring its files" in capsys.readouterr().out
    calls = tmp_path / "calls"
    brings = "; ".join(
        f"mkdir -p 'node_modules/{Path(each).parent}'; touch 'node_modules/{each.replace('*', 'x')}'"
        for each in bootstrap.PAGE_FILES
    )
    npm = ["bash", "-c", f'echo "$@" >> {calls}; {brings}', "npm"]
    monkeypatch.setattr(bootstrap, "npm_command", lambda: npm)
    bootstrap.bring_console()
    bootstrap.bring_console()
    assert calls.read_text().splitlines() == ["ci --ignore-scripts --no-audit --no-fund --loglevel=error"]
    assert (tmp_path / "vendor" / "echarts" / "echarts.esm.min.mjs").is_file()
    assert (tmp_path / "vendor" / "noto-sans-sc" / "files" / "x-wght-normal.woff2").is_file()


def test_an_image_with_more_extras_is_another_environment():
    bootstrap = script("bootstrap")
    some, more = bootstrap.fingerprint(["serving", "spark"]), bootstrap.fingerprint(["models", "serving", "spark"])
    assert len({bootstrap.fingerprint([]), some, more}) == 3
    assert some == bootstrap.fingerprint(["spark", "serving"])


def test_a_full_disk_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bootstrap = script("bootstrap")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "none")
    monkeypatch.setattr(bootstrap, "NEEDED_GB", 10**9)
    with pytest.raises(SystemExit, match=r"GB free on the disk of .* found"):
        bootstrap.make_environment()


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bootstrap = script("bootstrap")

    def fail(*_arguments: object) -> None:
        raise subprocess.CalledProcessError(1, ["ensurepip"])

    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "none")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "venv")
    monkeypatch.setattr(bootstrap.venv.EnvBuilder, "create", fail)
    with pytest.raises(SystemExit, match=rf"apt-get install python3\.{sys.version_info.minor}-venv"):
        bootstrap.make_environment()


def test_pip_takes_over_where_uv_fails(monkeypatch: pytest.MonkeyPatch):
    bootstrap = script("bootstrap")
    calls: list[list[str]] = []

    def call(command: list[str], _environment: dict[str, str] | None = None) -> bool:
        calls.append(command)
        return command[0] != "uv"

    monkeypatch.setattr(bootstrap, "uv_command", lambda: "uv")
    monkeypatch.setattr(bootstrap, "uv_environment", dict)
    monkeypatch.setattr(bootstrap, "call", call)
    bootstrap.install()
    assert [command[0] for command in calls] == ["uv", str(bootstrap.PYTHON), str(bootstrap.PYTHON)]
    assert "--require-hashes" in calls[1]
    assert "--no-deps" in calls[1]  # else pip asks for the OpenCV that the lock leaves out


def test_some_extras_come_in_the_versions_of_the_lock_or_not_at_all(monkeypatch: pytest.MonkeyPatch):
    bootstrap = script("bootstrap")
    calls: list[list[str]] = []
    works = True

    def call(command: list[str], _environment: dict[str, str] | None = None) -> bool:
        calls.append(command)
        return works

    monkeypatch.setattr(bootstrap, "uv_command", lambda: "uv")
    monkeypatch.setattr(bootstrap, "uv_environment", dict)
    monkeypatch.setattr(bootstrap, "call", call)
    bootstrap.install(["serving"])
    packages, ours = calls
    assert packages[packages.index("--constraint") + 1] == str(bootstrap.LOCK)
    assert "--extra=serving" in packages
    assert str(ROOT) in ours
    works = False
    with pytest.raises(SystemExit, match="expected uv to install these extras"):
        bootstrap.install(["serving"])
    assert {command[0] for command in calls} == {"uv"}


def test_no_java_and_no_right_to_install_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys):
    outside = script("outside")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(outside, "java_command", lambda: None)
    monkeypatch.setattr(outside, "may_install", lambda: None)
    assert outside.ensure_java() is False
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "openjdk-17-jre-headless" in said
    assert "light engine" in said


def test_a_wrong_java_home_is_named_and_nothing_is_installed(monkeypatch: pytest.MonkeyPatch, capsys):
    outside = script("outside")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    monkeypatch.setattr(outside, "install_debian", lambda package: pytest.fail(f"asked for {package}"))
    assert outside.ensure_java() is False
    assert "JAVA_HOME=/nowhere" in capsys.readouterr().out


def test_jars_that_cannot_be_resolved_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    outside = script("outside")
    monkeypatch.setenv("MINEFUSION_SPARK_JARS", str(tmp_path))
    failed = subprocess.CompletedProcess([], 1, "", "noise\nServer access error: repo unreachable\n")
    monkeypatch.setattr(outside.subprocess, "run", lambda *_a, **_k: failed)
    outside.ensure_jars(has_java=True)
    asked, said = capsys.readouterr().out.splitlines()
    assert "resolving io.delta:delta-spark" in asked
    assert "Server access error" in said
    assert "make setup again" in said
    assert list(tmp_path.iterdir()) == []


def test_jars_that_are_there_are_not_resolved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    outside = script("outside")
    monkeypatch.setenv("MINEFUSION_SPARK_JARS", str(tmp_path))
    monkeypatch.setattr(outside, "wrong_jars", lambda _folder: [])
    outside.ensure_jars(has_java=True)
    assert capsys.readouterr().out == ""


def test_a_package_that_could_not_be_had_is_not_asked_for_again_at_once(tmp_path: Path, monkeypatch):
    outside = script("outside")
    asked: list[list[str]] = []
    monkeypatch.setattr(outside, "PROJECT", tmp_path)
    monkeypatch.setattr(outside, "may_install", lambda: ["apt-get"])
    monkeypatch.setattr(outside, "run", lambda command: asked.append(command) is not None)
    assert not outside.install_debian("chromium")
    assert [command[1] for command in asked] == ["install", "update"]
    assert not outside.install_debian("chromium")
    assert len(asked) == 2
    yesterday = time.time() - 86_400
    os.utime(tmp_path / ".cache" / "tried-chromium", (yesterday, yesterday))
    outside.install_debian("chromium")
    assert len(asked) == 4


def test_make_help_lists_the_targets():
    done = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\w+)", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(TARGETS)


def test_a_python_too_old_is_said_in_one_line(tmp_path: Path):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["make", "-C", str(ROOT), "setup"],
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "setup: expected Python 3.11, 3.12 or 3.13, found Python 3.9.2; install python3.11" in done.stderr


def test_shipped_models_are_registered_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    outside = script("outside")
    asked = []
    settings = load_settings(home=str(tmp_path))
    monkeypatch.setattr(outside, "load_settings", lambda: settings)
    monkeypatch.setattr(outside, "register_shipped", asked.append)
    outside.ensure_models()
    outside.ensure_models()
    assert asked == [settings]
    monkeypatch.setattr(outside, "shipped", dict)  # other models come with another version of the package
    outside.ensure_models()
    assert len(asked) == 2


def test_without_mlflow_the_set_up_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    outside = script("outside")

    def refuse(_settings: object) -> None:
        raise MissingError("expected MLflow for models, found none; run make setup")

    monkeypatch.setattr(outside, "load_settings", lambda: load_settings(home=str(tmp_path)))
    monkeypatch.setattr(outside, "register_shipped", refuse)
    outside.ensure_models()
    assert "expected MLflow" in capsys.readouterr().out
    assert not (tmp_path / "models-registered").exists()

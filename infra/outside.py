"""Second half of `make setup`: what pip cannot bring — Java, Delta's jars, and what the tests need: Chromium
for pages, brokers for the bridges.

Runs under `.venv`. Each part is left alone where it is there. A part that may not be installed here is named in one
sentence and the set-up goes on: the light engine needs none of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from minefusion.jvm import (
    CONNECTOR_JARS,
    CONNECTOR_PACKAGE,
    DELTA_JARS,
    DELTA_PACKAGE,
    KAFKA_PACKAGE,
    OLDEST_JAVA,
    hadoop_version,
    java_command,
    java_version,
    wrong_jars,
    wrong_kafka_jars,
)
from minefusion.models.registry import shipped
from minefusion.models.training_run import FILE as RUN
from minefusion.pipelines.jobs.forecast.champions import register_shipped
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import PROJECT, load_settings

JAVA_PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
CHROMIUM_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A package that could not be had is not asked for again at every `make`.
HOURS_BETWEEN_TRIES = 12


def main() -> None:
    has_java = ensure_java()
    ensure_jars(has_java)
    ensure_models()
    if "--for-object-store" in sys.argv[1:]:
        ensure_s3_jars(has_java)
    if {"--for-kafka-on-spark", "--for-tests"} & set(sys.argv[1:]):
        ensure_connector(has_java)
    if "--for-tests" in sys.argv[1:]:
        ensure_chromium()
        ensure_brokers(has_java)


def ensure_java() -> bool:
    """Java for Spark, from Debian where it is missing and may be installed."""
    if has_java():
        return True
    home = os.environ.get("JAVA_HOME")
    if home:
        say(f"JAVA_HOME={home} holds no Java {OLDEST_JAVA} or later: correct or unset it, then run make setup again")
        return False
    for package in JAVA_PACKAGES:
        if install_debian(package) and has_java():
            return True
    say(
        f"Spark needs Java {OLDEST_JAVA} or later and it could not be installed here: install {JAVA_PACKAGES[0]}, "
        "then run make setup again; until then the light engine does everything"
    )
    return False


def ensure_models() -> None:
    """The shipped models as champions of the registry, so that the first run finds them; needs no network.

    MLflow takes seconds to open its store, so what was registered once is noted and not looked at again.
    """
    settings = load_settings()
    known = "\n".join(f"{name} {(folder / RUN).stat().st_size}" for name, folder in sorted(shipped().items()))
    note = settings.home / "models-registered"
    told = f"{settings.mlflow_uri}\n{known}\n"
    if note.is_file() and note.read_text(encoding="utf-8") == told:
        return
    try:
        register_shipped(settings)
    except MissingError as error:
        say(f"{error}; until then models are registered when they are first asked for")
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    note.write_text(told, encoding="utf-8")


def has_java() -> bool:
    command = java_command()
    return command is not None and (java_version(command) or 0) >= OLDEST_JAVA


def ensure_jars(has_java: bool) -> None:
    """Delta's jars, resolved once by Spark's own resolver and kept, so that later starts need no network."""
    folder = load_settings().spark.jars
    if not wrong_jars(folder) or not has_java:
        return
    folder.mkdir(parents=True, exist_ok=True)
    told = resolve(DELTA_PACKAGE, folder, DELTA_JARS)
    missing = wrong_jars(folder)
    if missing:
        say(
            f"Spark could not bring {', '.join(missing)} ({told or 'not the expected file'}): "
            "reach Maven Central once and run make setup again; until then the light engine does everything"
        )


def ensure_s3_jars(has_java: bool) -> None:
    """What Spark needs to reach an object store: half a gigabyte, so only where it is asked for."""
    folder = load_settings().spark.jars
    if not has_java or any("hadoop-aws" in jar.name for jar in folder.glob("*.jar")):
        return
    package = f"org.apache.hadoop:hadoop-aws:{hadoop_version()}"
    told = resolve(package, folder)
    if not any("hadoop-aws" in jar.name for jar in folder.glob("*.jar")):
        say(
            f"Spark could not bring {package} ({told or 'no such file'}): reach Maven Central once and run this again; "
            "until then the light engine alone reads and writes an object store"
        )


def ensure_connector(has_java: bool) -> None:
    """Spark's own Kafka connector: a bridge on Spark needs it, nothing else does."""
    folder = load_settings().spark.jars
    tried = PROJECT / ".cache" / "tried-kafka-on-spark"
    if not has_java or not wrong_jars(folder, CONNECTOR_JARS) or was_tried(tried):
        return
    folder.mkdir(parents=True, exist_ok=True)
    told = resolve(CONNECTOR_PACKAGE, folder, CONNECTOR_JARS)
    missing = wrong_jars(folder, CONNECTOR_JARS)
    if missing:
        note_try(tried)
        say(
            f"Spark could not bring {', '.join(missing)} ({told or 'not the expected file'}): reach Maven Central once "
            "and run this again; until then `minefusion bridge kafka` runs on the light engine alone"
        )


def resolve(package: str, into: Path, names: Iterable[str] | None = None) -> str:
    """Let Spark's resolver bring a package's jars, all or these; returns what it said where it failed."""
    say(f"resolving {package}")
    with tempfile.TemporaryDirectory(dir=into) as ivy:
        session = (
            "from pyspark.sql import SparkSession;"
            "SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')"
            f".config('spark.jars.packages', '{package}').config('spark.jars.ivy', {ivy!r}).getOrCreate().stop()"
        )
        done = subprocess.run([sys.executable, "-c", session], capture_output=True, text=True, check=False)
        for jar in sorted((Path(ivy) / "jars").glob("*.jar")):
            if names is None or jar.name in names:
                os.replace(jar, into / jar.name)
    return "; ".join([line for line in done.stderr.splitlines() if "rror" in line or "not found" in line][:3])


def ensure_brokers(has_java: bool) -> None:
    """An MQTT and a Kafka broker for the tests of the bridges; they skip, and say so, without one."""
    if not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()) and not install_debian("mosquitto"):
        say("the MQTT tests will skip: they need mosquitto and it could not be installed here; install mosquitto")
    folder = load_settings().spark.jars / "kafka"
    tried = PROJECT / ".cache" / "tried-kafka"
    if not wrong_kafka_jars(folder) or not has_java or was_tried(tried):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    told = resolve(KAFKA_PACKAGE, folder)
    if wrong_kafka_jars(folder):
        note_try(tried)
        say(
            f"the Kafka tests will skip: Spark could not bring {KAFKA_PACKAGE} ({told or 'not the expected files'}); "
            "reach Maven Central once and run make setup-tests again"
        )


def ensure_chromium() -> None:
    """A browser for the tests of pages; they skip, and say so, without one."""
    if not any(map(shutil.which, CHROMIUM_COMMANDS)) and not install_debian("chromium"):
        say("the page tests will skip: they need a Chromium and it could not be installed here; install chromium")


def install_debian(package: str) -> bool:
    """Install a Debian package where this user may: as root, or by sudo that asks for no password."""
    tried = PROJECT / ".cache" / f"tried-{package}"
    if was_tried(tried):
        return False
    apt = may_install()
    if apt is None:
        return False
    say(f"installing {package}")
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", package]
    if run(install) or (run([*apt, "update", "-qq"]) and run(install)):
        return True
    note_try(tried)
    return False


def was_tried(tried: Path) -> bool:
    """Whether this failed so lately that it is not tried again."""
    return tried.is_file() and time.time() - tried.stat().st_mtime < HOURS_BETWEEN_TRIES * 3600


def note_try(tried: Path) -> None:
    tried.parent.mkdir(exist_ok=True)
    tried.touch()


def may_install() -> list[str] | None:
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    return ["sudo", "-n", "apt-get"] if shutil.which("sudo") and run(["sudo", "-n", "true"]) else None


def run(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


if __name__ == "__main__":
    main()

"""Is this set-up in order? Each part is tried the way the platform uses it; a broken one is named with its mend."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from minefusion import jvm
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import PROJECT, Settings

if TYPE_CHECKING:
    from minefusion.pipelines.engines.engine import Engine

# Chinese and English.
Words = tuple[str, str]

CORE_PACKAGES = ("narwhals", "polars", "deltalake", "pyarrow", "numpy", "pint", "networkx", "typer")
# Extras: a machine may do without, and the part that needs one says so.
EXTRA_PACKAGES = ("pyspark", "delta-spark", "apache-airflow", "mlflow")
OLDEST_PYTHON = (3, 11)
# A clock before this release, or generations after it, is wrong.
PLAUSIBLE_YEARS = range(2026, 2100)
MOST_SKEW_S = 5.0


class Fault(Exception):
    """A part that is not in order: what was found, and what to do about it."""

    def __init__(self, detail: Words, mend: Words) -> None:
        super().__init__(detail[1])
        self.detail = detail
        self.mend = mend


@dataclass(frozen=True)
class Check:
    """One part's finding; `mend` is empty where the part is in order."""

    name: str
    ok: bool
    detail: Words
    mend: Words = ("", "")


def examine(settings: Settings, *, quick: bool = False) -> Iterator[Check]:
    """Check every part, one after the other; `quick` leaves out the start of Spark."""
    for name, look in PARTS.items():
        if quick and name == "spark":
            continue
        try:
            yield Check(name, True, look(settings))
        except Fault as fault:
            yield Check(name, False, fault.detail, fault.mend)
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            yield Check(name, False, (told, told), ("见左；修好后再运行", "see the detail; mend it and run again"))


def python(_settings: Settings) -> Words:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise Fault(
            (f"Python {version}，需要 {oldest} 或更新", f"Python {version}, needs {oldest} or later"),
            (
                f"安装 python{oldest}，删除 .venv，再运行 make setup",
                f"install python{oldest}, delete .venv, run make setup",
            ),
        )
    return _both(f"{version}, {sys.prefix}")


def packages(_settings: Settings) -> Words:
    """The main packages are there in the locked versions."""
    locked = _locked_versions(PROJECT / "infra" / "requirements.lock")
    found = {name: _version(name) for name in (*CORE_PACKAGES, *EXTRA_PACKAGES)}
    there = {name: version for name, version in found.items() if version or name in CORE_PACKAGES}
    wrong = [
        f"{name} {version or '—'} ≠ {' / '.join(locked.get(name, ['?']))}"
        for name, version in there.items()
        if version is None or version not in locked.get(name, [version])
    ]
    if wrong:
        listed = ", ".join(wrong)
        raise Fault((f"软件包与锁定版本不符：{listed}", f"not as locked: {listed}"), RUN_SETUP)
    return (f"{len(there)} 个主要软件包与锁定版本一致", f"{len(there)} main packages as locked")


def java(_settings: Settings) -> Words:
    command = jvm.java_command()
    mend = (
        "安装 openjdk-17-jre-headless，并使 JAVA_HOME 或 PATH 指向它；没有 Java 时用 --engine light",
        "install openjdk-17-jre-headless, with JAVA_HOME or PATH leading to it; without Java use --engine light",
    )
    if command is None:
        home = os.environ.get("JAVA_HOME")
        where = f"JAVA_HOME={home}" if home else "PATH"
        raise Fault((f"没有找到 Java（{where}）", f"no Java found ({where})"), mend)
    version = jvm.java_version(command)
    if version is None or version < jvm.OLDEST_JAVA:
        found = version or "?"
        raise Fault(
            (
                f"{command} 版本 {found}，需要 {jvm.OLDEST_JAVA}+",
                f"{command} is Java {found}, needs {jvm.OLDEST_JAVA}+",
            ),
            mend,
        )
    return _both(f"{version}, {command}")


def jar(settings: Settings) -> Words:
    wrong = jvm.wrong_jars(settings.spark.jars)
    if wrong:
        listed = ", ".join(wrong)
        raise Fault(
            (f"{settings.spark.jars} 缺少或损坏：{listed}", f"missing or damaged in {settings.spark.jars}: {listed}"),
            RUN_SETUP,
        )
    return _both(f"{len(jvm.DELTA_JARS)} jars, {settings.spark.jars}")


def spark(settings: Settings) -> Words:
    """A session starts, and a Delta table is written and read back."""
    for name, part in (("java", java), ("jar", jar)):
        try:
            part(settings)
        except Fault as fault:
            zh, en = fault.detail
            raise Fault((f"无法启动，因为 {name}：{zh}", f"cannot start because of {name}: {en}"), fault.mend) from None
    if _version("pyspark") is None or _version("delta-spark") is None:
        raise Fault(("没有安装 PySpark", "PySpark is not installed"), RUN_SETUP)
    from minefusion.pipelines.engines.spark import SparkEngine

    started = time.monotonic()
    with _probe_lake(settings) as probe:
        _write_and_read(SparkEngine(probe))
    seconds = time.monotonic() - started
    return (f"启动、写、读用时 {seconds:.1f} 秒", f"started, wrote and read in {seconds:.1f} s")


def lake(settings: Settings) -> Words:
    """A Delta table is written into the lake's folder and read back, without a JVM; an object store answers."""
    from minefusion.pipelines.engines.light import LightEngine
    from minefusion.schemas.bronze import EXCHANGE_FILE

    try:
        with _probe_lake(settings) as probe:
            _write_and_read(LightEngine(probe))
        if settings.tables:
            LightEngine(settings).exists(EXCHANGE_FILE)
    except MissingError as error:
        raise Fault(
            (f"{settings.tables} 无应答：{error}", f"{settings.tables} does not answer: {error}"),
            ("检查 AWS_… 环境变量与该存储", "look at the AWS_… variables and at that store"),
        ) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise Fault(
            (f"{settings.lake} 不可写：{why}", f"{settings.lake} cannot be written: {why}"),
            (
                "给出可写的目录：--lake 或 MINEFUSION_LAKE",
                "name a folder that can be written: --lake or MINEFUSION_LAKE",
            ),
        ) from None
    return _both(settings.tables_root)


def airflow(settings: Settings) -> Words:
    """Airflow is there, and every DAG file parses in it."""
    version = _version("apache-airflow")
    if version is None:
        raise Fault(("没有安装 Airflow", "Airflow is not installed"), RUN_SETUP)
    if not settings.airflow.dags.is_dir():
        raise Fault(
            (f"没有 DAG 目录 {settings.airflow.dags}", f"no DAG folder {settings.airflow.dags}"),
            ("从项目目录运行，或设置 airflow.dags", "run in the project's folder, or set airflow.dags"),
        )
    parse = (
        "import sys; from pathlib import Path; from airflow.dag_processing.dagbag import BundleDagBag\n"
        "bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]))\n"
        "for path, error in bag.import_errors.items(): print('BROKEN', path, str(error).strip().splitlines()[-1])\n"
        "print('DAGS', len(bag.dags))"
    )
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        done = subprocess.run(
            [sys.executable, "-c", parse, str(settings.airflow.dags)],
            capture_output=True, text=True, timeout=120, check=False, env=environment,
        )  # fmt: skip
    *broken, last = [line for line in done.stdout.splitlines() if line.startswith(("DAGS", "BROKEN"))] or [""]
    if not last.startswith("DAGS"):
        raise Fault(_both(f"Airflow {version}: {_last_line(done.stderr)}"), RUN_SETUP)
    if broken:
        listed = "; ".join(line.removeprefix("BROKEN ") for line in broken)
        where = settings.airflow.dags
        raise Fault(_both(f"{where}: {listed}"), ("修好这个 DAG 文件", "mend that DAG file"))
    return (f"{version}，{last[5:]} 个 DAG 可解析", f"{version}, {last[5:]} DAGs parse")


def mlflow(settings: Settings) -> Words:
    """MLflow is there, and its tracking store answers and can be written."""
    version = _version("mlflow")
    if version is None:
        raise Fault(("没有安装 MLflow", "MLflow is not installed"), RUN_SETUP)
    uri = settings.mlflow_uri
    try:
        if uri.startswith("sqlite:///"):
            _lock_sqlite(Path(uri.removeprefix("sqlite:///")))
        elif uri.startswith(("http://", "https://")):
            urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5).close()
        else:
            with _probe_folder(Path(uri.removeprefix("file://"))):
                pass
    except (OSError, sqlite3.Error) as error:
        raise Fault(
            (f"{version}，存储 {uri} 不可用：{error}", f"{version}, its store {uri} cannot be used: {error}"),
            ("改正 mlflow_uri，或修复该存储", "correct mlflow_uri, or mend that store"),
        ) from None
    return _both(f"{version}, {uri}")


def gpu(_settings: Settings) -> Words:
    """Which GPU there is. None is in order: everything runs on the CPU."""
    command = shutil.which("nvidia-smi")
    if command:
        query = [command, "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return _both(", ".join(done.stdout.split("\n")).strip(", "))
    return ("没有 GPU，使用 CPU", "none found, CPU is used")


def disk(settings: Settings) -> Words:
    folder = _nearest(settings.lake)
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < settings.disk_min_gb:
        raise Fault(
            (
                f"{folder} 剩余 {free_gb:.1f} GB，少于 {settings.disk_min_gb} GB",
                f"{free_gb:.1f} GB free at {folder}, under {settings.disk_min_gb}",
            ),
            ("清理磁盘，或用 --lake 换到更大的盘", "free some space, or move the lake by --lake"),
        )
    return (f"{folder} 剩余 {free_gb:.0f} GB", f"{free_gb:.0f} GB free at {folder}")


def clock(settings: Settings) -> Words:
    """The clock is plausible, and agrees with the one that stamps the lake's files."""
    now = datetime.now(UTC)
    mend = ("用 NTP 校准本机和存储的时钟", "set the clocks of this machine and of the storage by NTP")
    if now.year not in PLAUSIBLE_YEARS:
        raise Fault((f"系统时间为 {now:%Y-%m-%d}，不可信", f"the clock says {now:%Y-%m-%d}, which cannot be"), mend)
    skew_s = _stamp_of_fresh_file(_nearest(settings.lake)) - time.time()
    if abs(skew_s) > MOST_SKEW_S:
        raise Fault((f"存储时钟与本机相差 {skew_s:+.0f} 秒", f"the storage's clock is off by {skew_s:+.0f} s"), mend)
    return _both(f"{now:%Y-%m-%d %H:%M} UTC, {skew_s:+.1f} s")


def ports(settings: Settings) -> Words:
    """The ports of Airflow and of the API are free, or held by this very installation."""
    told: list[Words] = []
    taken = []
    for port, key in ((settings.airflow.port, "airflow_port"), (settings.serve_port, "serve_port")):
        if _is_free(port):
            told.append((f"{port} 空闲", f"{port} free"))
            continue
        holder = _holder(port)
        if holder is not None and holder.is_ours(settings):
            told.append((f"{port} 由本平台占用，pid {holder.pid}", f"{port} ours, pid {holder.pid}"))
            if dead := _dead_parts(port) if key == "airflow_port" else "":
                raise Fault(
                    (f"端口 {port} 上的 Airflow 有部件停止：{dead}", f"Airflow on port {port} runs without: {dead}"),
                    ("停止它，再运行 make up", "stop it and run make up again"),
                )
        else:
            taken.append((port, key, holder))
    if taken:
        port, key, holder = taken[0]
        who = f"pid {holder.pid}: {holder.command[:120]}" if holder else "?"
        raise Fault(
            (f"端口 {port} 已被占用（{who}）", f"port {port} is taken ({who})"),
            (f"结束该进程，或改用另一端口：{key}", f"end that process, or choose another port: {key}"),
        )
    return ("；".join(zh for zh, _ in told), ", ".join(en for _, en in told))


PARTS: Mapping[str, Callable[[Settings], Words]] = {
    part.__name__: part for part in (python, packages, java, jar, spark, lake, airflow, mlflow, gpu, disk, clock, ports)
}
RUN_SETUP = ("运行 make setup", "run make setup")


def _both(text: str) -> Words:
    return (text, text)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _locked_versions(lock: Path) -> dict[str, list[str]]:
    """Versions by package; a package may have one for each of several Pythons. Empty where there is no lock."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([a-z0-9.-]+)==([^\s;]+)", lock.read_text() if lock.is_file() else "", re.MULTILINE
    ):
        versions.setdefault(name, []).append(version)
    return versions


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def _nearest(folder: Path) -> Path:
    """`folder`, or the nearest folder above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _stamp_of_fresh_file(folder: Path) -> float:
    """When the storage says that a file made now was made; of another storage where this one is not writable."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as fresh:
            return os.stat(fresh.name).st_mtime
    except OSError:
        with tempfile.NamedTemporaryFile() as fresh:
            return os.stat(fresh.name).st_mtime


@contextmanager
def _probe_folder(folder: Path) -> Iterator[Path]:
    """A passing folder inside `folder`, which is made where it is not there and left as it was."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as probe:
            yield Path(probe)
    finally:
        for place in made:
            place.rmdir()


@contextmanager
def _probe_lake(settings: Settings) -> Iterator[Settings]:
    with _probe_folder(settings.lake) as probe:
        yield replace(settings, lake=probe, tables="")


def _write_and_read(engine: Engine) -> None:
    """Append one row of a small table and find it again."""
    from minefusion.schemas.reference import ROADWAY_NODE

    row = {"mine_code": "620000000001", "node_id": "N001", "x": 1.0, "y": 2.0, "z": -3.0}
    engine.append(ROADWAY_NODE, engine.frame([row], ROADWAY_NODE.arrow_schema()))
    found = engine.to_arrow(engine.read(ROADWAY_NODE)).to_pylist()
    if found != [row]:
        raise Fault(
            (f"写入一行，读回 {found}", f"wrote one row, read back {found}"),
            ("检查存储；不要在它上面建数据湖", "check the storage; keep no lake on it"),
        )


def _lock_sqlite(path: Path) -> None:
    """Take and give back the write lock of a SQLite store; where there is none yet, its folder must be writable."""
    if not path.is_file():
        with _probe_folder(path.parent):
            return
    store = sqlite3.connect(path, timeout=5)
    try:
        store.execute("BEGIN IMMEDIATE")
        store.execute("ROLLBACK")
    finally:
        store.close()


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port."""

    pid: int
    command: str
    environment: str

    def is_ours(self, settings: Settings) -> bool:
        return (
            f"AIRFLOW_HOME={settings.airflow.home}" in self.environment
            or f"{sys.prefix}/bin/minefusion" in self.command
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> Holder | None:
    """Who listens on `port`, as far as /proc tells this user."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = Path(table).read_text().splitlines()[1:] if Path(table).is_file() else []
        for fields in map(str.split, lines):
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(handle) in sockets for handle in (process / "fd").iterdir()):
                command, environment = ((process / part).read_bytes() for part in ("cmdline", "environ"))
                return Holder(int(process.name), _spaced(command), _spaced(environment))
        except OSError:  # gone meanwhile, or another user's
            continue
    return None


def _dead_parts(port: int) -> str:
    """Parts of the running Airflow that do not beat: nothing restarts them. Empty where it does not say."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=1) as answer:
            parts = json.load(answer)
    except (OSError, ValueError):
        return ""
    return ", ".join(name for name, told in parts.items() if told.get("status") == "unhealthy")


def _spaced(raw: bytes) -> str:
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()

"""`make up`: a real Airflow with minefusion's DAGs on this machine, ready to use, until Ctrl-C.

With words behind it, it is Airflow's own command line with the same settings:
`.venv/bin/python infra/airflow/up.py backfill create --dag-id rebuild_day …`.

Settings of Airflow are given by the environment, each with its reason; nothing is edited by hand. All that Airflow
keeps (database, logs, generated keys, the password) lies in its home folder, readable by this user alone.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from minefusion import jvm
from minefusion.notice import Failure, tell
from minefusion.schemas.errors import MissingError
from minefusion.schemas.schedule import SPARK_POOL, SPARK_SLOTS
from minefusion.schemas.settings import Settings, load_settings

USER = "admin"
WORKER_LOG_PORT, TRIGGER_LOG_PORT = 8793, 8794
# A first start makes the database: half a minute on a quiet machine, more on a busy one.
START_S = 300.0
STOP_S = 60.0
WATCH_S = 30.0


def main(words: Sequence[str] = ()) -> int:
    settings = load_settings()
    if words:
        surroundings = os.environ | environment(settings)
        os.execvpe(airflow_command(), ["airflow", *words], surroundings)
    refuse_where_impossible(settings)
    for folder in (settings.airflow.home, settings.airflow.landing):
        folder.mkdir(parents=True, exist_ok=True)
    settings.airflow.home.chmod(0o700)
    password = write_password(settings.airflow.home)
    surroundings = os.environ | environment(settings)
    if settings.airflow.hazard_engine == "spark" and jvm.java_command() is None:
        surroundings["MINEFUSION_AIRFLOW_HAZARD_ENGINE"] = "light"
        say("没有 Java：灾害作业改用 light 引擎", "no Java: the hazard jobs run on the light engine")
    log = settings.airflow.home / "standalone.log"
    say(f"正在启动，日志 {log}", f"starting; its log is {log}")
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    hear_interrupts()
    running = start(surroundings, log)
    try:
        api = Api(f"http://127.0.0.1:{settings.airflow.port}", running)
        api.wait(START_S)
        api.log_in(password or read_password(settings.airflow.home))
        api.set_pool(SPARK_POOL, SPARK_SLOTS)
        welcome(settings, password)
        watch(api, running, settings)
    except KeyboardInterrupt:
        say("正在停止", "stopping")
    finally:
        stop(running)
    return 0


def refuse_where_impossible(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.airflow.port))
        except OSError:
            leave(
                f"expected port {settings.airflow.port} free, it is taken; `minefusion doctor` says by whom; "
                "end that process or set MINEFUSION_AIRFLOW_PORT"
            )
    airflow_command()


def airflow_command() -> str:
    command = Path(sys.prefix) / "bin" / "airflow"
    if not command.is_file():
        leave(f"expected Airflow in {sys.prefix}, found none; run make setup")
    return str(command)


def environment(settings: Settings, *, paused: bool = False) -> dict[str, str]:
    """Airflow's settings. `paused`: DAGs wait for a person, as a test wants it."""
    airflow = settings.airflow
    base = f"http://127.0.0.1:{airflow.port}"
    return {
        # Children are started by their bare names, "airflow" and, in the tasks, "minefusion".
        "PATH": f"{sys.prefix}/bin{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(airflow.home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(airflow.dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(paused),
        # Workers are started up front, 38 MB each.
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(airflow.home)),
        # Reachable from this machine only: whoever reaches it can start jobs.
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(airflow.port),
        "AIRFLOW__API__BASE_URL": base,
        # The scheduler is up before the API answers: a task must wait for it and not fail.
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "10",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        # After a crash the tasks of the dead scheduler are taken up within a minute.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port(WORKER_LOG_PORT)),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port(TRIGGER_LOG_PORT)),
    }


def free_port(wanted: int = 0) -> int:
    """`wanted` where it is free, else one that is: two Airflows on one machine must not share their log ports."""
    with socket.socket() as probe:
        try:
            probe.bind(("", wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def password_file(home: Path) -> Path:
    return home / "passwords.json"


def write_password(home: Path) -> str | None:
    """Choose a password where there is none yet; returns it, to be shown once, or None where it is kept."""
    path = password_file(home)
    if path.is_file():
        return None
    password = secrets.token_urlsafe(12)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump({USER: password}, handle)
    return password


def read_password(home: Path) -> str:
    return str(json.loads(password_file(home).read_text())[USER])


def start(surroundings: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start Airflow in a session of its own, so that Ctrl-C reaches it once and in order."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [airflow_command(), "standalone"],
            env=dict(surroundings),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )


def hear_interrupts() -> None:
    """A child of a shell's background job ignores SIGINT, and SIGINT is the one signal that stops Airflow whole."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def stop(running: subprocess.Popen[bytes]) -> None:
    """End Airflow by SIGINT (SIGTERM would leave its parts behind), then what is left of its session."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave it half stopped
    if running.poll() is None:
        running.send_signal(signal.SIGINT)
    try:
        running.wait(STOP_S)
    except subprocess.TimeoutExpired:
        say("仍在运行，强制结束", "still running, ending it by force")
    for pid in in_session(running.pid):
        os.kill(pid, signal.SIGKILL)


def in_session(session: int) -> Iterator[int]:
    """Processes of a session. Jobs run in sessions of their own: they end by themselves, as after a crash."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # gone meanwhile
            continue
        if int(of) == session and state != "Z":
            yield int(entry.name)


class Api:
    """Airflow's REST API. A write that meets a task's open write on SQLite answers 500: it is tried again."""

    def __init__(self, base: str, running: subprocess.Popen[bytes] | None = None) -> None:
        self.base = base
        self.running = running
        self._token: str | None = None

    def wait(self, seconds: float) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.running is not None and self.running.poll() is not None:
                leave(f"expected Airflow to start, it ended with code {self.running.returncode}; its log says why")
            try:
                self.ask("GET", "/api/v2/version", tries=1)
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        leave(f"expected Airflow to answer within {seconds:.0f} s, it did not; its log says why")

    def log_in(self, password: str) -> None:
        told = self.ask("POST", "/auth/token", {"username": USER, "password": password})
        self._token = told["access_token"]

    def set_pool(self, name: str, slots: int) -> None:
        """Make the pool where it is not there."""
        try:
            self.ask("GET", f"/api/v2/pools/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            self.ask("POST", "/api/v2/pools", {"name": name, "slots": slots})

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, tries: int = 5) -> Any:
        """One request; returns the JSON of the answer."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body is not None else None
        for left in range(tries - 1, -1, -1):
            request = urllib.request.Request(self.base + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code < 500 or left == 0:
                    raise
            time.sleep(1.0)
        raise AssertionError("unreachable")


def welcome(settings: Settings, password: str | None) -> None:
    url = f"http://127.0.0.1:{settings.airflow.port}"
    kept = password_file(settings.airflow.home)
    shown = password or f"({kept})"
    say(f"已就绪：{url}  用户 {USER}  密码 {shown}", f"ready: {url}  user {USER}  password {shown}")
    if password:
        say(f"密码只显示这一次，保存在 {kept}", f"the password is shown this once; it is kept in {kept}")
    say(
        f"把交换文件放入 {settings.airflow.landing}，一分钟内读入；Ctrl-C 停止",
        f"put exchange files into {settings.airflow.landing}, they are read within a minute; Ctrl-C stops",
    )


def watch(api: Api, running: subprocess.Popen[bytes], settings: Settings) -> None:
    """Until Airflow ends; says when one of its parts is dead, since nothing restarts it, to whom the settings name,
    too: a dead scheduler runs no task that could."""
    dead: set[str] = set()
    while True:
        try:
            code = running.wait(WATCH_S)
        except subprocess.TimeoutExpired:
            now = unhealthy(api)
            for part in sorted(now - dead):
                say(f"{part} 不正常：Ctrl-C 后重新 make up", f"{part} is not healthy: Ctrl-C and make up again")
                tell_of(f"Airflow / {part}", "the part is dead, and nothing restarts it", settings)
            dead = now
        else:
            tell_of("Airflow", f"it ended by itself with code {code}", settings)
            leave(f"expected Airflow to run until Ctrl-C, it ended with code {code}; its log says why")


def tell_of(where: str, why: str, settings: Settings) -> None:
    """Give notice, where the settings say to whom."""
    if settings.notice.is_on:
        try:
            tell(settings, Failure(where, why=why, command="make up", log=str(settings.airflow.home)))
        except MissingError as error:
            print(f"airflow: {error}", file=sys.stderr)


def unhealthy(api: Api) -> set[str]:
    try:
        parts = api.ask("GET", "/api/v2/monitor/health", tries=1)
    except (urllib.error.URLError, OSError):
        return {"api-server"}
    return {name for name, told in parts.items() if told.get("status") == "unhealthy"}


def say(zh: str, en: str) -> None:
    print(f"airflow: {zh if load_settings().lang == 'zh' else en}", flush=True)


def leave(why: str) -> NoReturn:
    print(f"airflow: {why}", file=sys.stderr)
    raise SystemExit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

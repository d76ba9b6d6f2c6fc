"""The pieces that the DAGs are wired from: options that all share, the list of mines, joins over mines, and what a
failed task says."""

from __future__ import annotations

import logging
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook, SubprocessResult
from airflow.sdk import Asset, AssetAny, Param, TriggerRule, task, task_group
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from minefusion.schemas.catalog import asset_uri
from minefusion.schemas.schedule import (
    DEFAULT_ARGS,
    FIRST_DAY,
    RUN_TIMEOUT,
    SKIP_UNCHANGED,
    SPAN,
    SPAN_ENVIRONMENT,
    SPAN_OPTIONS,
    SPARK_POOL,
    UNCHANGED,
    engine_of,
    mines_of,
)
from minefusion.schemas.settings import load_settings
from minefusion.schemas.table import Table

logger = logging.getLogger(__name__)

SETTINGS = load_settings()
LANDING = shlex.quote(str(SETTINGS.airflow.landing))
REPORTS = shlex.quote(str(SETTINGS.home / "reports"))
EXPORTS = shlex.quote(str(SETTINGS.home / "exports"))

# Both ways of a notice may have to wait for a server.
NOTICE_TIMEOUT_S = 60.0

SPAN_PARAMS = {
    name: Param(None, type=["null", "string"], format="date-time", title=title, description=told)
    for name, title, told in (
        ("from", "起 · from", "留空：只算新数据。Empty: whatever is new."),
        ("to", "止（不含） · to, not included", "与“起”一起填。Give both or neither."),
    )
}


class CommandHook(SubprocessHook):
    """Runs a command; where it fails, its own last line becomes the task's error.

    A minefusion command leaves with one line that says what was expected, in which file, and what to do.
    """

    def run_command(self, *args: Any, **kwargs: Any) -> SubprocessResult:
        result = super().run_command(*args, **kwargs)
        if result.exit_code not in (0, UNCHANGED):
            raise AirflowException(result.output or f"the command left with exit code {result.exit_code} and no word")
        return result


def use_command_hook(context: Mapping[str, Any]) -> None:
    """Before a task runs: give it the hook that keeps the command's last line."""
    context["task"].subprocess_hook = CommandHook()


def say_what_to_do(context: Mapping[str, Any]) -> None:
    """After the last try: what failed, in which file, and the line that does the same by hand; to the log, and to whom
    the settings name."""
    failed, why, command = context["ti"], str(context.get("exception") or ""), by_hand(context["task"])
    logger.error("%s failed: %s", failed.task_id, why)
    if command:
        logger.error("to do: mend what the line above names; try it by hand: %s", command)
    logger.error("then clear this task in Airflow; nothing is lost or doubled, the job takes up where it stopped")
    tell(
        f"{failed.dag_id} / {failed.task_id}",
        mine=(getattr(context["task"], "op_kwargs", None) or {}).get("mine", ""),
        run=failed.run_id,
        why=why,
        command=command,
        log=getattr(failed, "log_url", ""),
    )


def say_it_took_too_long(context: Mapping[str, Any]) -> None:
    """A run that failed: where tasks did, each has told of itself; where its time was over, nobody has."""
    if context.get("reason") == "timed_out":
        dag = context["dag"]
        tell(
            dag.dag_id,
            run=str(context.get("run_id", "")),
            why=f"expected the run to end within {dag.dagrun_timeout}, it did not",
            command=f"airflow dags trigger {dag.dag_id}",
        )


def by_hand(task: Any) -> str:
    """The task's command with the span that a person typed; '' where it is none."""
    env = {name: shlex.quote(value) for name, value in (getattr(task, "env", None) or {}).items() if value}
    span = "".join(f" {option} {env[name]}" for name, option in SPAN_OPTIONS.items() if name in env)
    return (getattr(task, "bash_command", None) or "").replace(SPAN, span)


def tell(where: str, **known: str) -> None:
    """Give a failure to `minefusion notice`, where the settings say whom to tell. A notice that fails fails no task."""
    if not SETTINGS.notice.is_on:
        return
    options = [word for name, value in known.items() if value for word in (f"--{name}", value)]
    try:
        done = subprocess.run(
            ["minefusion", "notice", *options, "--", where],
            capture_output=True, text=True, timeout=NOTICE_TIMEOUT_S, check=False,
        )  # fmt: skip
        logger.info("notice: %s", (done.stdout or done.stderr).strip())
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.error("notice: %s", error)


def common(doc: str | None, *, owner: str, tags: list[str], **more: Any) -> dict[str, Any]:
    """Options that every DAG has."""
    shared = {
        "doc_md": doc,
        "tags": ["minefusion", *tags],
        "start_date": FIRST_DAY,
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": RUN_TIMEOUT,
        "on_failure_callback": say_it_took_too_long,
        "default_args": {
            **DEFAULT_ARGS,
            "owner": owner,
            "pre_execute": use_command_hook,
            "on_failure_callback": say_what_to_do,
        },
    }
    return shared | more


def asset(table: Table) -> Asset:
    """The table as an asset: DAGs meet only here."""
    return Asset(name=table.name, uri=asset_uri(table), group=table.layer)


def any_of(*tables: Table) -> AssetAny:
    """Any of these tables moved."""
    return AssetAny(*map(asset, tables))


def engine(job: str) -> str:
    """The option that names the job's engine."""
    return f"--engine {engine_of(job, SETTINGS)}"


def each_mine(job: str, *, with_span: bool = False) -> dict[str, Any]:
    """Options of a task that is mapped over mines: shown by its mine, and in Spark's pool where it may start a JVM."""
    options: dict[str, Any] = {"map_index_template": "{{ task.op_kwargs['mine'] }}"}
    if engine_of(job, SETTINGS) != "light":
        options["pool"] = SPARK_POOL
    if with_span:
        options |= {"env": SPAN_ENVIRONMENT, "append_env": True}
    return options


@task
def mines() -> list[str]:
    """The mines there are now: site files, and codes in the names of landed files."""
    return mines_of(SETTINGS)


def publish(*tables: Table) -> Any:
    """Say that the tables moved, once every mine is done and at least one is through."""

    @task.bash(
        task_id="publish",
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        outlets=[asset(table) for table in tables],
        doc_md="Tell the DAGs behind that these tables moved, where at least one mine is through.",
    )
    def done() -> str:
        return "true"

    return done()


def publish_new(news: Any, *tables: Table) -> Any:
    """Say that the tables moved, once every mine is done and where one had news; else be skipped and stay quiet."""

    @task(
        task_id="publish",
        trigger_rule=TriggerRule.ALL_DONE,
        outlets=[asset(table) for table in tables],
        doc_md="Tell the DAGs behind that these tables moved, where at least one mine had news.",
    )
    def done(news: Any) -> None:
        if not list(news or ()):  # none at all where there is no mine yet
            raise AirflowSkipException("nothing new in any mine")

    return done(news)


def take_in_each_mine(family: str, *tables: Table) -> None:
    """Ingest a family of files and conform it, each mine by itself; say that `tables` moved where one had news."""

    @task.bash(**each_mine("ingest"))
    def ingest(mine: str) -> str:
        """Give each new file of the mine a verdict and store its records. Skipped: nothing arrived."""
        return f"minefusion ingest {LANDING} --family {family} --mine {mine} {engine('ingest')}{SKIP_UNCHANGED}"

    @task.bash(trigger_rule=TriggerRule.NONE_FAILED, **each_mine("conform"))
    def conform(mine: str) -> str:
        """Bring the mine's silver up to date with bronze. Skipped: it already is."""
        return f"minefusion run conform --mine {mine} {engine('conform')}{SKIP_UNCHANGED}"

    @task_group
    def one_mine(mine: str) -> Any:
        # By keyword, since the task's label reads them.
        taken_in = ingest(mine=mine)
        conformed = conform(mine=mine)
        taken_in >> conformed
        return conformed

    news = one_mine.expand(mine=mines())
    publish_new(news, *tables)
    news >> every_mine_is_through()


@task.bash(trigger_rule=TriggerRule.NONE_FAILED, retries=0)
def every_mine_is_through() -> str:
    """Red where a mine failed: the others went on, and the run must not hide it."""
    return "true"

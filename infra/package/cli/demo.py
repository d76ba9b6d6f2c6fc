"""`minefusion demo`: one simulated shift from exchange files to its report, and what was found beside what is true."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from minefusion.cli import demo_service
from minefusion.cli.balance import as_table as balance_text
from minefusion.cli.call import emit, settings, warn, words
from minefusion.cli.progress import Progress
from minefusion.cli.report import write_report
from minefusion.cli.table import as_text
from minefusion.schemas.errors import MissingError, NotInOrderError
from minefusion.schemas.settings import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minefusion.pipelines.engines.engine import Engine
    from minefusion.pipelines.jobs.balance import Balance
    from minefusion.pipelines.jobs.findings import Answer, Comparison
    from minefusion.pipelines.jobs.tally import Built
    from minefusion.serving.reader import Reader, Row

HOURS = 8.0
START = datetime(2026, 3, 1, tzinfo=UTC)  # 08:00 at the mine
SCENARIO = "demo"
RED = 4
# What an alarm means shows after some minutes.
INTO_ALARM = timedelta(minutes=11)


def command(
    seed: Annotated[int, typer.Option(help="随机种子，决定矿井与真值 · Another seed, another mine and truth")] = 1,
    scenario: Annotated[
        str, typer.Option(help="场景名；normal 无事件 · Name of the scenario; normal: no event")
    ] = SCENARIO,
    folder: Annotated[Path, typer.Option("--dir", help="写到这个目录 · Folder for all of it")] = PROJECT / ".demo",
    serve: Annotated[
        bool,
        typer.Option(
            "--serve/--no-serve", help="最后启动调度服务并留在后台 · Leave the service running over it in the end"
        ),
    ] = False,
) -> None:
    """模拟一个班，读入、计算、与真值对照并写报告 · Simulate a shift, build it, compare with the truth, report."""
    from minefusion.models.unsafe_behaviour.detector import is_there
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.balance import balance
    from minefusion.pipelines.jobs.build import build, run_job
    from minefusion.pipelines.jobs.findings import compare, read_truth
    from minefusion.pipelines.jobs.ingest import ingest
    from minefusion.pipelines.simulate import simulate_mine
    from minefusion.serving.reader import Reader

    started = time.monotonic()
    name = _engine_here()
    base = folder.absolute()
    folder = base / (str(seed) if scenario == SCENARIO else f"{scenario}-{seed}")
    landing, truth = folder / "landing", folder / "truth"
    has_film = scenario == SCENARIO and is_there("tunnel")
    here = replace(settings(), lake=folder / f"lake-{name}", tables="", engine=name)
    # What the rendered clip shows, the detector that learned from rendered roadways knows best.
    here = replace(here, video=replace(here.video, detector="tunnel"))
    with Progress("simulate", total=HOURS * 60, unit="min") as progress:
        simulate_mine(
            scenario, hours=HOURS, seed=seed, out=landing, truth=truth, start=START, with_film=has_film,
            progress=progress,
        )  # fmt: skip
    before = table_versions(here.lake)
    engine = open_engine(here)
    with Progress("ingest") as progress:
        taken = ingest(here, landing, engine=engine, progress=progress)
    with Progress(f"build on {name}") as progress:
        built = build(engine, progress=progress)
    with Progress("forecast") as progress:
        built += _forecast(engine, progress)
    if has_film:
        with Progress("look at the video") as progress:
            for job in ("unsafe_behaviour", "camera_health"):
                built += run_job(engine.in_process, job, progress=progress)
    with Progress("balance and report") as progress:
        records = balance(here, progress=progress)
        mine = next(landing.glob("*.site.yaml")).name.removesuffix(".site.yaml")
        end = START + timedelta(hours=HOURS)
        report = folder / f"shift-{name}.html"
        write_report(here, mine, end, records, report)
    reader = Reader(here.lake)
    alarms = reader.sql("SELECT * FROM gold.alarm WHERE mine_code = $mine", mine=mine)
    windows = reader.sql(
        "SELECT index_id AS kind, area_id, entity, level, window_start AS raised_at, window_end AS cleared_at"
        " FROM gold.hazard_index WHERE mine_code = $mine AND level >= 1",
        mine=mine,
    )
    seen = _behaviours(reader, mine, truth) if has_film else None
    names = {row["area_id"]: row for row in reader.sql("SELECT area_id, name_zh, name_en FROM silver.area")}
    compared = compare(read_truth(truth), alarms, windows, mine)
    after = table_versions(here.lake)
    changed = taken.changed + sum(table.changed for table in built)
    result: dict[str, Any] = {
        "engine": name,
        "scenario": scenario,
        "seed": seed,
        "findings": [_answer(answer) for answer in compared.answers],
        "false": [_alarm(alarm) for alarm in compared.false],
        "missed": len(compared.missed),
        "behaviours": seen,
        "balance_ok": records.ok,
        "changed": changed,
        "versions": after,
        "lake": str(here.lake),
        "landing": str(landing),
        "truth": str(truth),
        "report": str(report),
        "seconds": round(time.monotonic() - started, 1),
    }
    if serve:
        result["service"] = demo_service.start(base, here.lake, _worth_a_look(alarms), here.serve_port)
    lines = [*_found(compared, names), *_seen(seen), *_balanced(records), *_moved(changed, before, after)]
    lines.append(words("报告", "report") + f"  {report}\n" + words("数据湖", "lake") + f"  {here.lake}")
    lines.append(words(f"用时 {result['seconds']} 秒", f"{result['seconds']} s in all"))
    if serve:
        lines.append(_served(result["service"]))
    emit(result, "\n".join(lines))
    if not compared.ok or not records.ok:
        missed, false = len(compared.missed), len(compared.false)
        raise NotInOrderError(
            words(
                f"漏报 {missed} 项，误报 {false} 项，记录平衡{'成立' if records.ok else '不成立'}",
                f"{missed} missed, {false} false, the record balance {'holds' if records.ok else 'does not hold'}",
            )
        )


def _forecast(engine: Engine, progress: Progress) -> list[Built]:
    """Methane ahead by the champion; without a registry the demo goes on without, and says so."""
    from minefusion.pipelines.jobs.forecast.jobs import run_model_job

    try:
        return run_model_job(engine, "score_methane", progress=progress)
    except MissingError as error:
        warn(words(f"不做预测：{error}", f"no forecasts: {error}"))
        return []


def _worth_a_look(alarms: Iterable[Row]) -> datetime:
    """The instant at which the service begins: some minutes into the first red alarm, else the middle of the shift."""
    reds = [alarm["raised_at"] for alarm in alarms if alarm["level"] == RED]
    return min(reds) + INTO_ALARM if reds else START + timedelta(hours=HOURS / 2)


def _served(service: dict[str, Any]) -> str:
    """Where the console is and how to log in."""
    return words(
        f"调度台  {service['url']}\n登录    {service['login']}，一次性密码 {service['one_time_password']}"
        f"（登录后须修改）\n        在后台运行；再次运行即替换，结束：kill {service['pid']}",
        f"console  {service['url']}\nlogin    {service['login']}, one-time password {service['one_time_password']} "
        f"(to be changed then)\n         in the background; another run replaces it, kill {service['pid']} ends it",
    )


def _engine_here() -> Literal["light", "spark"]:
    """The engine asked for, else light; where Spark cannot start here, light too, and that is said."""
    from minefusion.jvm import OLDEST_JAVA, java_command, java_version, wrong_jars

    if settings().engine != "spark":
        return "light"
    java = java_command()
    if java is None or (java_version(java) or 0) < OLDEST_JAVA or wrong_jars(settings().spark.jars):
        warn(
            words(
                f"Spark 需要 Java {OLDEST_JAVA}+ 与 Delta 的 jar，此处没有；改用 light（安装：make setup）",
                f"expected Java {OLDEST_JAVA}+ and Delta's jars, found none; light runs instead (make setup)",
            )
        )
        return "light"
    return "spark"


def table_versions(lake: Path) -> dict[str, int]:
    """Delta version of every table that the lake holds."""
    from deltalake import DeltaTable

    from minefusion.schemas.catalog import TABLES, table_path

    paths = {name: table_path(lake, table) for name, table in TABLES.items()}
    return {name: DeltaTable(str(path)).version() for name, path in paths.items() if (path / "_delta_log").is_dir()}


def _answer(answer: Answer) -> dict[str, Any]:
    truth = answer.truth
    return {
        "finding_id": truth.finding_id,
        "event_id": truth.event_id,
        "index_id": truth.index_id,
        "area_id": truth.area_id,
        "entity": truth.entity,
        "begin": truth.begin,
        "end": truth.end,
        "is_sure": truth.is_sure,
        "matched": answer.found is not None,
        "raised_at": answer.found["raised_at"] if answer.found else None,
        "delay_s": answer.delay_s,
    }


def _alarm(alarm: Any) -> dict[str, Any]:
    return {name: alarm[name] for name in ("kind", "area_id", "entity", "level", "raised_at", "cleared_at")}


def _found(compared: Comparison, names: dict[str, Any]) -> list[str]:
    """The truth with what was found of it, then what was found beside."""
    place = words("name_zh", "name_en")

    def at(area_id: str) -> str:
        return names[area_id][place] if area_id in names else area_id

    lines = [words("真值 ↔ 发现（只看 gold；矿井当地时间）", "truth ↔ found (gold only; the mine's own clock)")]
    if compared.answers:
        head = words(
            "事件 指标 地点 真起点 真终点 报警 延迟秒 结论", "event index place began ended alarm delay_s verdict"
        )
        columns: list[list[Any]] = [[] for _ in head.split()]
        for answer in compared.answers:
            truth, found = answer.truth, answer.found
            if found is None and not truth.is_sure and not truth.entity:
                continue  # something that might have followed from an event, and did not
            where = at(truth.area_id) + (f" {truth.entity}" if truth.entity not in ("", truth.area_id) else "")
            verdict = words("✓ 找到", "✓ found") if found else words("✗ 漏报", "✗ missed")
            if found is None and not truth.is_sure:
                verdict = words("○ 在仪器误差内", "○ within sensor error")
            row = (
                truth.event_id or "·", truth.index_id, where, _clock(truth.begin), _clock(truth.end),
                _clock(found["raised_at"]) if found else "—", answer.delay_s, verdict,
            )  # fmt: skip
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        lines.append(as_text(head.split(), columns))
    else:
        lines.append(words("这个班没有事件", "nothing happened in this shift"))
    for alarm in compared.false:
        told = words("✗ 误报", "✗ false")
        lines.append(f"{told} {alarm['kind']} {at(alarm['area_id'])} {alarm['entity']} {_clock(alarm['raised_at'])}")
    if not compared.false:
        lines.append(words("误报：无", "false findings: none"))
    return lines


def _behaviours(reader: Reader, mine: str, truth: Path) -> dict[str, Any]:
    """Unsafe behaviours on the camera's clip beside those that are true of it."""
    from minefusion.models.unsafe_behaviour.event_scores import Alarm, score
    from minefusion.pipelines.jobs.evaluate.behaviour_events import true_events
    from minefusion.pipelines.simulate.video.shift_film import EVENTS

    rows = reader.sql(
        "SELECT c.name AS clip, c.began_at, b.behaviour, b.raised_at, b.sentence_zh, b.sentence_en"
        " FROM gold.unsafe_behaviour AS b JOIN bronze.video_clip AS c ON b.clip_id = c.clip_id"
        " WHERE b.mine_code = $mine ORDER BY b.raised_at",
        mine=mine,
    )
    clips = reader.sql("SELECT name, duration_s FROM bronze.video_clip WHERE verdict = 'accepted'")
    alarms = [
        Alarm(row["clip"], row["behaviour"], (row["raised_at"] - row["began_at"]).total_seconds()) for row in rows
    ]
    watched_s = sum(clip["duration_s"] for clip in clips)
    found = score(alarms, true_events(truth / EVENTS, [clip["name"] for clip in clips]), watched_s)
    told = [{name: row[name] for name in ("behaviour", "raised_at", "sentence_zh", "sentence_en")} for row in rows]
    return {name: found[name] for name in ("events", "found", "alarms", "false", "delay_s")} | {"told": told}


def _seen(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    head = words(
        f"录像：真实不安全行为 {found['events']} 起，找到 {found['found']} 起，误报 {found['false']} 起",
        f"video: {found['found']} of {found['events']} unsafe behaviours found, {found['false']} false",
    )
    return ["", head, *(f"  {row[words('sentence_zh', 'sentence_en')]}" for row in found["told"])]


def _clock(instant: datetime | None) -> str:
    """On the mine's own clock, as the report has it."""
    from minefusion.pipelines.times import MINE_UTC_OFFSET_H

    return f"{instant + timedelta(hours=MINE_UTC_OFFSET_H):%H:%M:%S}" if instant else "…"


def _balanced(records: Balance) -> list[str]:
    verdict = words("成立", "holds") if records.ok else words("不成立", "does not hold")
    return ["", words(f"记录平衡：{verdict}", f"record balance: {verdict}"), balance_text(records), ""]


def _moved(changed: int, before: dict[str, int], after: dict[str, int]) -> list[str]:
    moved = [name for name, version in after.items() if before.get(name) != version]
    if not changed and not moved:
        return [
            words(
                f"再次运行，没有改动：{len(after)} 张表的 Delta 版本都未变",
                f"run again, nothing changed: all {len(after)} tables keep their Delta version",
            )
        ]
    return [
        words(f"改动 {changed} 行，{len(moved)} 张表有新版本", f"{changed} rows changed, {len(moved)} tables moved")
    ]

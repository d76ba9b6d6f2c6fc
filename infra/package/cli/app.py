"""The one typer app. A verb is a row here and a module of its own, imported only when that verb is called."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from minefusion import __version__
from minefusion.cli.call import OUTPUTS, as_json, call, settings, warn
from minefusion.schemas.errors import InputError, MinefusionError, MissingError

# Beyond the codes that mean something to a caller (0 to 3): a fault of ours, and Ctrl-C.
FAULT, INTERRUPTED = 70, 130


@dataclass(frozen=True)
class Verb:
    """One verb: what it does, in both languages, and one example. Its module's `command` is a function or a Typer."""

    zh: str
    en: str
    example: str
    has_csv: bool = False


VERBS = {
    "doctor": Verb(
        "检查环境，指出坏的部分和修法", "Check the set-up; name the broken part and its mend", "doctor --quick"
    ),
    "demo": Verb("一条命令看完整班次", "One simulated shift, end to end", "demo --engine light --seed 7"),
    "simulate": Verb(
        "模拟一座矿，写出交换文件和真值",
        "Simulate a mine: exchange files and their truth",
        "simulate mine --scenario gas_event --hours 8 --seed 1 --out landing --truth truth",
    ),
    "ingest": Verb("把交换文件读入 bronze", "Read exchange files into bronze", "ingest landing"),
    "conform": Verb(
        "逐条核对交换文件是否符合规范",
        "Check exchange files against the specification",
        "conform landing --out conform.html",
    ),
    "balance": Verb("核对每类文件：发出 = 入库 + 隔离 + …", "Check that every record sent is accounted for", "balance"),
    "build": Verb("按依赖顺序更新数据表", "Bring tables up to date in graph order", "build --select hazard_index+"),
    "run": Verb("运行一个作业", "Run one job", "run hazard_index --from 2026-03-01T00:00Z --to 2026-03-02T00:00Z"),
    "stream": Verb(
        "持续读入并更新所有数据表", "Keep every table up to date as files come", "stream landing --output json"
    ),
    "watch": Verb(
        "实时监视摄像机，发现不安全行为", "Watch live cameras for unsafe behaviour", "watch --cameras cameras.yaml"
    ),
    "bridge": Verb(
        "把 MQTT、Kafka、OPC UA 写成交换文件",
        "MQTT, Kafka or OPC UA as exchange files",
        "bridge mqtt --config gateway.yaml",
    ),
    "sql": Verb(
        "用 SQL 查询数据表",
        "Query the tables",
        'sql "select area_id, level from gold.area_minute limit 5"',
        has_csv=True,
    ),
    "replay": Verb(
        "把实测表格重放为交换文件",
        "Write a measured table as exchange files",
        "replay gas.parquet --mapping map.yaml --start 2026-03-01T00:00Z --out landing",
    ),
    "export": Verb(
        "把 silver 和 gold 写成上报文件",
        "Write silver and gold as exchange files for the regulator",
        "export --mine 620000000001 --from 2026-03-01T00:00Z --to 2026-03-01T01:00Z --out upload",
    ),
    "serve": Verb("启动调度服务和数据接口", "Serve alarms, dispositions and tables over HTTP", "serve --port 8600"),
    "journal": Verb(
        "核对操作日志", "Check the journal of alarms and users", "journal verify --against shift.html --output json"
    ),
    "report": Verb(
        "写班次报告（一个 HTML 文件）",
        "Write a shift report, one HTML page",
        "report shift --mine 620000000001 --to 2026-03-01T16:00Z --out shift.html",
    ),
    "train": Verb(
        "训练模型，登记，优者晋升",
        "Train a model, log it, promote it where it is better",
        "train seismic_hazard --series shifts.parquet",
    ),
    "models": Verb("登记的模型与其版本", "The registered models and their versions", "models --output json"),
    "evaluate": Verb(
        "与模拟矿的真值相比：查全率、查准率",
        "What gold says beside what is true of simulated mines: recall, precision",
        "evaluate sensor_health --seeds 101-108",
    ),
    "notice": Verb(
        "按设置用邮件或 webhook 通知失败",
        "Tell of a failure by mail or webhook, as the settings say",
        'notice "a trial" --why "nothing failed"',
    ),
    "bench": Verb("测速", "Measure speed", "bench ingest --scale 0.1"),
    "soak": Verb("反复杀死并重跑，核对数据表", "Kill and rerun many times; compare the tables", "soak --kills 20"),
}

GLOBAL_VALUES = {"--lake": "lake", "--output": "output", "--engine": "engine", "--lang": "lang"}
GLOBAL_FLAGS = {"--debug": "debug", "--quiet": "quiet"}
GLOBAL_HELP = "Global options, before or after the verb: --lake --output --engine --lang --debug --quiet"


def main() -> NoReturn:
    """Run the command line that this process was started with, and exit with its code."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Errors leave as one line, with the trace only under --debug."""
    name = None
    try:
        rest = take_global_options(arguments)
        name = next((word for word in rest if not word.startswith("-")), None)
        if name is not None and name not in VERBS:
            raise InputError(f"expected a verb, got '{name}'; there are: {', '.join(VERBS)}")
        if call.output == "csv" and (name is None or not VERBS[name].has_csv):
            raise InputError("expected --output text or json, got 'csv'; only sql prints CSV")
        _log_to_stderr()
        if name is not None and "--help" not in rest:
            settings()  # a wrong setting is told before any work
        command = typer.main.get_command(_app(name))
        with command.make_context("minefusion", rest or ["--help"]) as context:
            command.invoke(context)
        return 0
    except typer.Exit as left:
        return left.exit_code
    except MinefusionError as error:
        return _refused(str(error), error.exit_code)
    except TyperException as error:
        told = error.format_message().rstrip(".")
        return _refused(f"{told}; see: minefusion {name or ''} --help", InputError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _refused("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return 0
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        return _refused(f"expected to read or write{where}, got: {error.strerror or error}", MissingError.exit_code)
    except Exception as error:
        return _refused(f"a fault in minefusion: {_first_line(error)}; see where with --debug", FAULT)


def take_global_options(arguments: Sequence[str]) -> list[str]:
    """Take the global options out of the command line, wherever they stand, into `call`; returns the rest."""
    rest: list[str] = []
    remaining = iter(arguments)
    for word in remaining:
        name, has_value, value = word.partition("=")
        if word == "--":
            return [*rest, word, *remaining]
        if word in GLOBAL_FLAGS:
            setattr(call, GLOBAL_FLAGS[word], True)
        elif name in GLOBAL_VALUES:
            given = value if has_value else next(remaining, None)
            if not given:
                raise InputError(f"expected a value after {name}, got none; see: minefusion --help")
            setattr(call, GLOBAL_VALUES[name], given)
        else:
            rest.append(word)
    if call.output == "table":
        call.output = "text"
    if call.output not in OUTPUTS:
        raise InputError(f"expected --output {' or '.join(OUTPUTS)}, got '{call.output}'")
    return rest


def _app(called: str | None) -> typer.Typer:
    """The app with the called verb's own module; of the others only their line in the help."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
    app.callback()(_root)
    for name, verb in VERBS.items():
        text, short = f"{verb.zh}。\n\n{verb.en}.", f"{verb.zh} · {verb.en}"
        epilog = _epilog(verb.example)
        command: Any = importlib.import_module(f"minefusion.cli.{name}").command if name == called else _not_called
        if isinstance(command, typer.Typer):
            for part in command.registered_commands:
                if GLOBAL_HELP not in (own := part.epilog or verb.example):  # the module outlives this app
                    part.epilog = _epilog(own)
            app.add_typer(command, name=name, help=text, short_help=short, epilog=epilog)
        else:
            app.command(name, help=text, short_help=short, epilog=epilog)(command)
    return app


def _epilog(example: str) -> str:
    return f"minefusion {example}\n\n{GLOBAL_HELP}"


def _not_called() -> None:
    """Stands in the help for a verb whose module is not loaded."""


def _say_version(asked: bool) -> None:
    if asked:
        print(f"minefusion {__version__}")
        raise typer.Exit


def _root(
    _lake: Annotated[
        str | None, typer.Option("--lake", help="数据湖目录 · Folder of the tables", metavar="DIR")
    ] = None,
    _output: Annotated[str, typer.Option("--output", help="text, json; sql: csv", metavar="FORM")] = "text",
    _engine: Annotated[str | None, typer.Option("--engine", help="auto, light, spark", metavar="NAME")] = None,
    _lang: Annotated[str | None, typer.Option("--lang", help="zh, en", metavar="LANG")] = None,
    _debug: Annotated[bool, typer.Option("--debug", help="完整追踪和日志 · Full trace and logs")] = False,
    _quiet: Annotated[bool, typer.Option("--quiet", help="不显示进度 · No progress")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="版本 · Version", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """minefusion：汇集煤矿数据，服务安全 · fuses a mine's data into safety.

    Global options stand before or after the verb.
    """


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def _refused(line: str, code: int) -> int:
    """Leave with one line on stderr; with --output json also as the one document, unless one was printed."""
    if call.debug:
        traceback.print_exc()
    warn(f"minefusion: {' '.join(line.split())}")
    if call.output == "json" and not call.has_emitted:
        print(as_json({"error": line, "exit_code": code}))
    return code


def _log_to_stderr() -> None:
    """Our own logs: everything under --debug, facts in a log file or a task's log, only warnings on a terminal."""
    level = logging.WARNING if call.quiet or sys.stderr.isatty() else logging.INFO
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    ours = logging.getLogger("minefusion")
    ours.handlers = [handler]
    ours.propagate = False
    ours.setLevel(logging.DEBUG if call.debug else level)

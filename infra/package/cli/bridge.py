"""`minefusion bridge`: live feeds into the landing folder."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minefusion.cli.call import as_json, call, settings, words
from minefusion.schemas.errors import NotInOrderError

if TYPE_CHECKING:
    from minefusion.pipelines.bridges.spool import Balance

command = typer.Typer(no_args_is_help=True)

Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="桥的配置（YAML）· The bridge's configuration")]
Idle = Annotated[
    float | None, typer.Option(min=0.1, help="这么多秒没有消息就结束 · End after so many seconds without a message")
]


@command.callback()
def _protocols() -> None:
    """Which protocol to listen to."""


@command.command(epilog="bridge mqtt --config gateway.yaml")
def mqtt(config: Config, idle: Idle = None) -> None:
    """MQTT 5 消息写成交换文件 · Messages of an MQTT broker as exchange files."""
    _run("mqtt", config, idle)


@command.command(epilog="bridge kafka --config gateway.yaml")
def kafka(config: Config, idle: Idle = None) -> None:
    """Kafka 消息写成交换文件 · Messages of a Kafka cluster as exchange files."""
    _run("kafka", config, idle)


@command.command(epilog="bridge opcua --config gateway.yaml")
def opcua(config: Config, idle: Idle = None) -> None:
    """OPC UA 变量写成交换文件 · Variables of an OPC UA server as exchange files."""
    _run("opcua", config, idle)


def _run(protocol: str, path: Path, idle_s: float | None) -> None:
    from minefusion.pipelines.bridges.bridge import run_bridge, source_of, spool_of
    from minefusion.pipelines.bridges.config import load_bridge

    config = load_bridge(path, protocol, settings().home)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    spool = spool_of(config)
    try:
        balances = run_bridge(source_of(config), spool, config.folder, is_stopped=stopped.is_set, idle_s=idle_s)
        for balance in balances:
            call.has_emitted = True
            if call.output == "json":
                print(as_json(asdict(balance) | {"ok": balance.ok}), flush=True)
            else:
                print(_in_words(balance), flush=True)
        if not spool.balance().ok:
            raise NotInOrderError(f"expected every message accounted for, got {spool.balance()}")
    finally:
        spool.close()


def _in_words(balance: Balance) -> str:
    now = asdict(balance)
    return words(
        "收到 {received}，写出 {written}，重复 {duplicate}，拒收 {refused}，等待 {waiting}；"
        "{files} 个文件，{records} 条记录；缺号 {gaps}",
        "received {received}, written {written}, duplicate {duplicate}, refused {refused}, waiting {waiting}; "
        "{files} files, {records} records; {gaps} numbers missing",
    ).format(**now)

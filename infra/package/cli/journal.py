"""`minefusion journal verify`: whether the journal is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.schemas.errors import InputError, NotInOrderError

command = typer.Typer(no_args_is_help=True)


@command.callback()
def _what() -> None:
    """What to do with the journal."""


@command.command()
def verify(
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="班报 HTML，核对其中的日志头；可多次 · Shift reports whose head it must hold; repeatable",
        ),
    ] = None,
) -> None:
    """核对日志的哈希链，重放并与现状比较 · Follow the chain of hashes, replay it, compare with what is shown."""
    from minefusion.serving.journal.database import open_database
    from minefusion.serving.journal.head import journal_head
    from minefusion.serving.journal.verify import anchors_in
    from minefusion.serving.journal.verify import verify as verified

    anchors = [anchor for report in against or () for anchor in anchors_in(report)]
    if journal_head(settings().database) is None:
        raise InputError("expected a journal, found none: no service has run here yet; start one by `minefusion serve`")
    database = open_database(settings().database)
    try:
        found = verified(database, anchors)
    finally:
        database.close()
    head = f"#{found.head.seq} {found.head.hash[:16]}…"
    text = words(
        f"日志完好：{found.entries} 行，头 {head}，核对班报 {found.anchors} 处",
        f"the journal is whole: {found.entries} lines, head {head}, {found.anchors} heads of reports held",
    )
    emit(asdict(found), text if found.ok else "")
    if not found.ok:
        raise NotInOrderError(
            words(f"日志不完好：第 {found.first_bad} 行。{found.why}", f"line {found.first_bad}: {found.why}")
        )

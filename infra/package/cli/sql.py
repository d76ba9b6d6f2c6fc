"""`minefusion sql`: ask the tables."""

from __future__ import annotations

from typing import Annotated

import typer

from minefusion.cli.call import call, emit, settings, words
from minefusion.cli.table import as_text


def command(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="一条 SELECT，表名如 gold.alarm；silver.person、silver.position 等含个人信息，仅限有权者 · "
            "One SELECT over layer.table; silver.person, silver.position and their like are restricted",
        ),
    ],
) -> None:
    """用 SQL 查询 bronze、silver、gold、reference 各表，只读 · Ask the tables; it only reads."""
    from minefusion.serving.reader import Reader

    rows = Reader(settings().lake, settings().tables).sql(query)
    text = ""
    if call.output == "text":
        count = words(f"{len(rows)} 行", f"{len(rows)} row{'' if len(rows) == 1 else 's'}")
        text = f"{as_text(rows.names, rows.columns)}\n{count}"
    emit(list(rows), text, rows.names)

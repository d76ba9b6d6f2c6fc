"""`minefusion balance`: is every record that was sent accounted for?"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.cli.table import as_text
from minefusion.schemas.errors import NotInOrderError

if TYPE_CHECKING:
    from minefusion.pipelines.jobs.balance import Balance


def command(
    landing: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="另加的交换文件目录；已读过的目录不必写 · A folder no ingest has read yet"
        ),
    ] = None,
) -> None:
    """按文件核对：发出 = 入库 + 隔离 + 拒收 + 重复 + 搁置 + 等待 · Check each file's records."""
    from minefusion.pipelines.jobs.balance import balance

    with Progress("balance") as progress:
        done = balance(settings(), landing, progress=progress)
    emit(
        {
            "ok": done.ok,
            "kinds": [asdict(kind) for kind in done.kinds],
            "faults": [asdict(fault) for fault in done.faults],
            "faulty": done.faulty,
            "from_ledger": done.from_ledger,
            "removed": done.removed,
            "seconds": round(done.seconds, 3),
        },
        as_table(done),
    )
    if not done.ok:
        worst = done.faults[0].name
        raise NotInOrderError(
            words(f"{done.faulty} 个文件对不上，如 {worst}", f"{done.faulty} files do not balance, such as {worst}")
        )


def as_table(done: Balance) -> str:
    """The kinds with their counts, and what is wrong with which file."""
    from minefusion.pipelines.jobs.balance import KindBalance

    keys = [field.name for field in fields(KindBalance)]
    names = words("类型 文件 发出 入库 隔离 拒收 重复 搁置 等待 平衡", " ".join(keys)).split()
    columns = [[getattr(kind, key) for kind in done.kinds] for key in keys]
    columns[-1] = ["✓" if ok else "✗" for ok in columns[-1]]
    lines = [as_text(names, columns)]
    for fault in done.faults:
        if fault.is_new:
            lines.append(words(f"✗ {fault.name}：未读入，先 ingest", f"✗ {fault.name}: not read yet, run ingest"))
        else:
            lines.append(
                words(
                    f"✗ {fault.name}：发出 {fault.sent}，有下落 {fault.accounted}",
                    f"✗ {fault.name}: {fault.sent} sent, {fault.accounted} accounted for",
                )
            )
    if done.from_ledger:
        lines.append(
            words(
                f"{done.from_ledger} 个文件已不在目录中，其发出数取自台账",
                f"{done.from_ledger} files left the folder: what they sent is what the ledger says",
            )
        )
    if done.removed:
        lines.append(
            words(
                f"{done.removed} 个文件的记录已按保存期限删除，其入库数取自台账",
                f"{done.removed} files are past their time of keeping: what was stored is what the ledger says",
            )
        )
    return "\n".join(lines)

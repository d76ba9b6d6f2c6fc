"""`minefusion doctor`: is this set-up in order, and if not, which part and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import NotInOrderError


def command(
    quick: Annotated[bool, typer.Option("--quick", help="不启动 Spark · Leave out the start of Spark")] = False,
) -> None:
    """检查环境 · Check the set-up."""
    from minefusion.doctor import PARTS, examine

    checks, lines = [], []
    with Progress("doctor") as progress:
        for check in examine(settings(), quick=quick):
            detail, mend = words(*check.detail), words(*check.mend)
            checks.append({"name": check.name, "ok": check.ok, "detail": detail, "mend": mend})
            lines.append(f"{'✓' if check.ok else '✗'} {check.name:9} {detail}" + (f"\n  → {mend}" if mend else ""))
            progress(len(checks) / len(PARTS), check.name)
    broken = [str(check["name"]) for check in checks if not check["ok"]]
    emit({"ok": not broken, "checks": checks}, "\n".join(lines))
    if broken:
        raise NotInOrderError(words(f"不正常：{'、'.join(broken)}", f"not in order: {', '.join(broken)}"))

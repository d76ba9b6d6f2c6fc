"""`minefusion conform`: does a folder of exchange files keep the specification, clause by clause?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.cli.table import as_text
from minefusion.schemas.errors import NotInOrderError

if TYPE_CHECKING:
    from minefusion.pipelines.conformance import Conformance, Example

# Examples of a clause that the text shows; JSON and page show more.
SHOWN = 3


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="交换文件所在目录 · Folder of the exchange files")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="另写一个网页 · Also write one HTML page")
    ] = None,
) -> None:
    """逐条核对目录中的交换文件是否符合规范 · Check a folder of exchange files clause by clause."""
    from datetime import UTC, datetime

    from minefusion.pipelines.jobs.conformance import check_folder
    from minefusion.serving.conformance import conformance_page

    with Progress("conform") as progress:
        done = check_folder(settings(), folder, progress=progress)
    result = {
        "ok": done.ok,
        "clauses": [clause.as_row() for clause in done.clauses],
        "files": done.files,
        "records": done.records,
        "mines": list(done.mines),
    }
    if out is not None:
        page = conformance_page(result, folder=folder.name, made_at=datetime.now(UTC), lang=settings().lang)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    emit(result, _as_table(done))
    if not done.ok:
        broken = [clause for clause in done.clauses if not clause.ok]
        names = ", ".join(clause.rule.rule for clause in broken)
        raise NotInOrderError(words(f"{len(broken)} 条不符合：{names}", f"{len(broken)} clauses are not kept: {names}"))


def _as_table(done: Conformance) -> str:
    """Every clause with its counts, and for those that are not kept the first examples."""
    names = words("条款 内容 检查 不符 符合", "clause about checked violations ok").split()
    titles = [words(clause.rule.title_zh, clause.rule.title_en) for clause in done.clauses]
    columns: list[Sequence[Any]] = [
        [clause.rule.rule for clause in done.clauses],
        titles,
        [clause.checked for clause in done.clauses],
        [clause.violations for clause in done.clauses],
        ["✗" if not clause.ok else "✓" if clause.checked else "·" for clause in done.clauses],
    ]
    lines = [as_text(names, columns)]
    for clause in done.clauses:
        for example in clause.examples[:SHOWN]:
            lines.append(f"✗ {clause.rule.rule} {_told(example)}")
        if clause.violations > SHOWN:
            more = clause.violations - min(SHOWN, len(clause.examples))
            lines.append(words(f"  {clause.rule.rule} 另有 {more} 处", f"  {clause.rule.rule}: {more} more"))
    return "\n".join(lines)


def _told(example: Example) -> str:
    """Where, what and what to do, in one line."""
    record = "" if example.record is None else words(f" 第{example.record}条", f" record {example.record}")
    about = f" {example.entity}" if example.entity else ""
    problem = words(example.problem_zh, example.problem_en)
    return words(
        f"{example.file}{record}{about}：{problem}；{example.mend_zh}",
        f"{example.file}{record}{about}: {problem}; {example.mend_en}",
    )

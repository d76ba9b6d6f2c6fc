"""`minefusion notice`: tell somebody of a failure; the line that a failed task runs."""

from __future__ import annotations

from typing import Annotated

import typer

from minefusion.cli.call import emit, settings, words


def command(
    where: Annotated[str, typer.Argument(metavar="WHAT", help="失败的任务或部分 · The task or part that failed")],
    mine: Annotated[str, typer.Option(metavar="CODE", help="煤矿编码 · Mine code")] = "",
    run: Annotated[str, typer.Option(help="运行 · The run")] = "",
    why: Annotated[str, typer.Option(help="原因，一行 · Why, one line")] = "",
    command: Annotated[str, typer.Option(metavar="LINE", help="手工重跑的命令 · The line that runs it again")] = "",
    log: Annotated[str, typer.Option(metavar="URL", help="日志地址 · Where its log is")] = "",
) -> None:
    """按设置用邮件或 webhook 通知失败 · Tell of a failure by mail or webhook, as the settings say."""
    from minefusion.notice import Failure, tell

    sent = tell(settings(), Failure(where, mine, run, why, command, log))
    again = settings().notice.repeat_min
    emit(
        {"sent": sent},
        words(f"已通知：{'、'.join(sent)}", f"told by {' and '.join(sent)}")
        if sent
        else words(f"同一失败在 {again} 分钟内已通知过", f"the same failure was told within {again} minutes"),
    )

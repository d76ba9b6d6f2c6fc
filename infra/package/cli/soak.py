"""`minefusion soak`: kill and rerun many times, then compare the tables."""

from __future__ import annotations

from typing import Annotated

import typer

from minefusion.cli.call import call, emit, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import NotInOrderError


def command(
    kills: Annotated[int, typer.Option(min=1, help="至少杀死多少次 · Kill at least so often")] = 200,
    seed: Annotated[int, typer.Option(help="随机种子 · Seed of the moments and the mines")] = 1,
) -> None:
    """反复杀死并重跑，核对数据表；不给引擎则两引擎轮换 · Kill and rerun; without --engine both take turns."""
    from minefusion.pipelines.jobs.soak import soak

    engines = ("light", "spark") if call.engine in (None, "auto") else (call.engine,)
    with Progress("soak", total=kills, unit="kills") as progress:
        done = soak(kills, seed=seed, engines=engines, progress=progress)
    killed = "、".join(f"{engine} {count}" for engine, count in done.kills.items())
    lines = [
        words(
            f"杀死 {killed} 次，{done.mines} 座矿、{done.slices} 批文件，"
            f"核对 {done.rows_compared:,} 行，用时 {done.seconds} 秒",
            f"killed {killed.replace('、', ', ')}; {done.mines} mines, {done.slices} slices of files, "
            f"{done.rows_compared:,} rows compared, {done.seconds} s",
        ),
        *(f"{table}: {line}" for table, told in done.differences.items() for line in told),
    ]
    if done.ok:
        lines.append(words("所有数据表与未受干扰的一致", "every table equals the undisturbed one"))
    emit(done.as_document(), "\n".join(lines))
    if not done.ok:
        raise NotInOrderError(words("数据表不一致", f"{len(done.differences)} tables differ"))

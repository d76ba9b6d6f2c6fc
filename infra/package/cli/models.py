"""`minefusion models`: the registered models, and which of them is the champion."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.table import as_text
from minefusion.schemas.errors import InputError


def command(
    promote: Annotated[
        str | None,
        typer.Option(metavar="NAME@VERSION", help="把该版本设为 champion · Make this version the champion"),
    ] = None,
    why: Annotated[str, typer.Option(help="晋升理由，随版本保存 · Why; kept with the version")] = "by hand",
) -> None:
    """列出登记的模型版本 · List the registered model versions."""
    from minefusion.pipelines.jobs.forecast.champions import register_shipped

    registry = register_shipped(settings())
    if promote is not None:
        name, has_version, which = promote.partition("@")
        if not has_version or not which:
            raise InputError(f"expected --promote as NAME@VERSION, such as methane_forecast@2, got '{promote}'")
        registry.promote(registry.version(name, which), why)
    rows: list[dict[str, Any]] = [
        {
            "name": version.model,
            "version": version.number,
            "alias": ",".join(version.aliases) or None,
            "metrics": dict(version.metrics),
            "trained_on": asdict(version.trained_on),
            "promoted_at": version.promoted_at,
            "why": version.why,
            "run_id": version.run_id,
        }
        for version in registry.versions()
    ]
    keys = ("name", "version", "alias", "promoted_at", "trained_on", "why")
    shown = [{**row, "trained_on": row["trained_on"]["source"]} for row in rows]
    titles = words("模型 版本 别名 晋升时刻 训练数据 说明", "name version alias promoted_at trained_on why")
    emit(rows, as_text(titles.split(), [[row[key] for row in shown] for key in keys]))

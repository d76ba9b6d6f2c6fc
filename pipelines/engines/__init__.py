"""The two engines. `light` is Polars and delta-rs in one process; `spark` is PySpark and delta-spark.

Both run the same Narwhals transformations and write the same tables by one exactly-once protocol, so either may
finish what the other left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minefusion.pipelines.engines.engine import Engine
    from minefusion.schemas.settings import Settings


def open_engine(settings: Settings, name: str | None = None) -> Engine:
    """The engine that `name`, else the settings, ask for.

    `auto` is light: on one machine it is the faster one at every size that was measured (docs/decisions). A Spark
    master that is not local means a cluster, and then `auto` is spark.
    """
    wanted = name or settings.engine
    if wanted == "auto":
        wanted = "light" if settings.spark.is_local else "spark"
    if wanted == "spark":
        from minefusion.pipelines.engines.spark import SparkEngine

        return SparkEngine(settings)
    from minefusion.pipelines.engines.light import LightEngine

    return LightEngine(settings)

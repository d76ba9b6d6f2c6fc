"""One way of taking exchange files in, as a warm process: `python -m minefusion.pipelines.jobs.bench.worker WAY`.

Reads one JSON line a run from stdin, `{"landing": …, "out": …, "silver": …}`, and answers with `{"seconds": …}`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from minefusion.schemas.settings import load_settings

Run = Callable[[Path, Path, bool], None]
# Text fields of a value file's record; both floors split records into these.
FIELDS = ("point_code", "sensor_type_name", "location", "value", "unit", "status", "data_time")


def ours(engine_name: str) -> Run:
    """Our own ingest and conform on one engine; `out` is the lake, and keeps what earlier runs left there."""

    def run(landing: Path, out: Path, silver: bool) -> None:
        from minefusion.pipelines.engines import open_engine
        from minefusion.pipelines.jobs.conform import conform
        from minefusion.pipelines.jobs.ingest import ingest

        settings = load_settings(lake=out)
        engine = open_engine(settings, engine_name)
        taken = ingest(settings, landing, engine=engine)
        if not taken.changed:
            raise RuntimeError(f"expected new files in {landing}, the ingest found none")
        if silver:
            conform(engine)

    return run


def floor_spark(landing: Path, out: Path, _silver: bool) -> None:
    """Plain PySpark in the same session settings: split text, write Parquet. No verdicts, no keys."""
    from pyspark.sql import functions as F

    from minefusion.pipelines.engines.spark import session

    spark = session(load_settings(lake=out))
    rows = spark.read.text(str(landing / "*_CDSS_*.txt"), lineSep="~")
    fields = F.split("value", ";")
    columns = [F.get(fields, F.lit(number)).alias(name) for number, name in enumerate(FIELDS)]
    rows.filter(F.size(fields) == len(FIELDS)).select(*columns).write.mode("overwrite").parquet(str(out))


def floor_polars(landing: Path, out: Path, _silver: bool) -> None:
    """One process of Polars: read, split, type, write one Delta table. No verdicts, no keys, no second table."""
    import polars as pl

    paths = sorted(landing.glob("*_CDSS_*.txt"))
    for start in range(0, len(paths), 1000):
        texts = [_text(path.read_bytes()) for path in paths[start : start + 1000]]
        fields = pl.col("record").str.splitn(";", len(FIELDS)).struct.rename_fields(list(FIELDS))
        rows = (
            pl.DataFrame({"record": texts})
            .select(pl.col("record").str.split("~"))
            .explode("record")
            .select(fields.alias("fields"))
            .unnest("fields")
            .filter(pl.col("data_time").is_not_null())
            .with_columns(
                pl.col("value").cast(pl.Float64, strict=False),
                pl.col("status").cast(pl.Int32, strict=False),
                pl.col("data_time").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False),
            )
        )
        rows.write_delta(str(out), mode="append")


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("gb18030")


WAYS: dict[str, Run] = {
    "light": ours("light"),
    "spark": ours("spark"),
    "floor_spark": floor_spark,
    "floor_polars": floor_polars,
}


def main(way: str) -> None:
    run = WAYS[way]
    answer = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not be taken for an answer
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.monotonic()
        run(Path(asked["landing"]), Path(asked["out"]), asked["silver"])
        answer.write(json.dumps({"seconds": time.monotonic() - started}) + "\n")
        answer.flush()


if __name__ == "__main__":
    main(sys.argv[1])

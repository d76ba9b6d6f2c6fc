"""PySpark and delta-spark: the same transformations over many mines and machines. Sessions are made only here."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
from deltalake import DeltaTable

from minefusion.pipelines.engines.engine import (
    DELETE,
    OP,
    TABLE_PROPERTIES,
    BeatenError,
    Consumed,
    Engine,
    Exchange,
    in_object_store,
    merge_condition,
    root_of,
)
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.packs import FILE_SCHEMA, STREAM_SCHEMA, OnDisk, packs_of, read_in_worker
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import Settings
from minefusion.schemas.table import Table

if os.environ.get("PYSPARK_PYTHON") is None:
    # Spark's Python workers must be this very interpreter, or they lack our packages.
    os.environ["PYSPARK_PYTHON"] = sys.executable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel


def session(settings: Settings) -> SparkSession:
    """The one Spark session of this process, with Delta.

    Raises:
        MissingError: no Java, or the Delta jars were not set up.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise MissingError(
            "expected Java 17 or later for Spark, found none; install openjdk-17-jre-headless or use --engine light"
        )
    jars = sorted(Path(settings.spark.jars).glob("*.jar"))
    if not any("delta-spark" in jar.name for jar in jars):
        raise MissingError(f"expected the Delta jars in {settings.spark.jars}, found none; run make setup")
    listed = ",".join(str(jar) for jar in jars)
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.jars": listed,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Tables are named by their paths; without this an empty warehouse folder is left wherever a command is run.
        "spark.sql.warehouse.dir": str(settings.home / "spark-warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
        "spark.sql.autoBroadcastJoinThreshold": str(32 << 20),
        "spark.python.worker.reuse": "true",
        "spark.log.level": "ERROR",
        "spark.sql.ansi.enabled": "false",  # a value that does not parse is null with a reason, not a failed job
    }
    if settings.spark.is_local:
        # Defaults made for clusters cost four to five times the CPU in a small cycle on one machine.
        options |= {
            "spark.sql.shuffle.partitions": "2",
            "spark.databricks.delta.snapshotPartitions": "1",
            "spark.sql.adaptive.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=384m",
        }
    if settings.tables:
        if not any("hadoop-aws" in jar.name for jar in jars):
            raise MissingError(
                f"expected the hadoop-aws jar and its AWS SDK in {settings.spark.jars}, since the tables lie in "
                f"{settings.tables}, found none; put those of Spark's Hadoop version there or use --engine light"
            )
        # Endpoint and keys come from AWS_… in the environment, which Spark hands to s3a by itself.
        options["spark.hadoop.fs.s3a.path.style.access"] = "true"
    builder = SparkSession.builder.master(settings.spark.master).appName("minefusion")
    for key, value in options.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


# From so many rows on, code that Spark generates for a plan pays for being compiled.
WORTH_COMPILING = 500_000


class SparkEngine(Engine):
    name = "spark"
    # A plan with more of them takes Spark longer to compile than to run.
    indices_at_once = 8

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.spark = session(settings)
        self._beside = LightEngine(settings)
        self._kept: list[DataFrame] = []
        self._kept_at = StorageLevel(
            useDisk=True,
            useMemory=True,
            useOffHeap=False,
            deserialized=True,
            replication=1 if settings.spark.is_local else 2,
        )
        self.expects(0)

    @property
    def in_process(self) -> LightEngine:
        return self._beside

    def expects(self, rows: int) -> None:
        """Compile what many rows go through; for few, compiling costs several times what it saves."""
        compiled = rows >= WORTH_COMPILING
        self.spark.conf.set("spark.sql.codegen.wholeStage", str(compiled).lower())
        self.spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if compiled else "NO_CODEGEN")

    def from_arrow(self, rows: pa.Table) -> nw.LazyFrame:
        return nw.from_native(self.spark.createDataFrame(rows))

    def to_arrow(self, frame: nw.LazyFrame) -> pa.Table:
        return frame.to_native().toArrow()

    def cached(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Computed now, and its plan forgotten: Spark looks through a whole plan again at each step that is added.

        What is lost with a machine can then not be computed again, so on a cluster it lies on two of them.
        """
        return nw.from_native(frame.to_native().localCheckpoint(eager=True, storageLevel=self._kept_at))

    def together(self, frames: Sequence[nw.LazyFrame]) -> nw.LazyFrame:
        """In one plan: what they read is read once."""
        return nw.concat(list(frames), how="vertical")

    def release(self) -> None:
        for kept in self._kept:
            kept.unpersist()
        self._kept.clear()

    def with_epoch(self, frame: nw.LazyFrame, column: str, name: str) -> nw.LazyFrame:
        return nw.from_native(frame.to_native().withColumn(name, F.unix_micros(F.col(column))))

    def grouped(
        self, frame: nw.LazyFrame, keys: Sequence[str], function: Callable[[pa.Table], pa.Table], schema: pa.Schema
    ) -> nw.LazyFrame:
        from pyspark.sql.pandas.types import from_arrow_schema

        def per_group(group: pa.Table) -> pa.Table:
            return function(group).cast(schema)

        return nw.from_native(frame.to_native().groupBy(*keys).applyInArrow(per_group, from_arrow_schema(schema)))

    def read_exchange(self, files: Sequence[OnDisk]) -> Exchange:
        """The reader runs in Spark's workers, a pack of files each; a file is parsed once, whatever is asked later."""
        from pyspark.sql.pandas.types import from_arrow_schema

        packs = packs_of(files)
        numbers = self.spark.range(0, len(packs), 1, len(packs))
        read = partial(read_in_worker, files, packs)
        stream = numbers.mapInArrow(read, from_arrow_schema(STREAM_SCHEMA)).persist(self._kept_at)
        self._kept.append(stream)
        told = stream.filter(F.col("file").isNotNull()).select("file.*").toArrow()
        records = stream.filter(F.col("record").isNotNull()).select("record.*")
        return Exchange(told.cast(FILE_SCHEMA), nw.from_native(records))

    def _scan(self, table: Table, files: Sequence[str]) -> nw.LazyFrame:  # noqa: ARG002
        return nw.from_native(self.spark.read.format("delta").load(_as_hadoop_names(self.uri(table))))

    def _create(self, table: Table) -> None:
        properties = ", ".join(f"'{key}' = '{value}'" for key, value in TABLE_PROPERTIES.items())
        partitioned = f"PARTITIONED BY ({', '.join(table.partition)})" if table.partition else ""
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS delta.`{_as_hadoop_names(self.uri(table))}` ({table.spark_ddl()}) USING delta "
            f"{partitioned} TBLPROPERTIES ({properties})"
        )

    def _append(self, delta: DeltaTable, table: Table, rows: nw.LazyFrame, consumed: Consumed | None) -> None:
        writer = _typed(rows, table).coalesce(2).write.format("delta").mode("append")
        if consumed is not None:
            writer = writer.option("txnAppId", consumed.app).option("txnVersion", consumed.version)
        with _on_this_version(delta, table):
            writer.save(_as_hadoop_names(root_of(delta)))

    def _merge(
        self, delta: DeltaTable, table: Table, changes: nw.LazyFrame, days: Sequence[str], consumed: Consumed | None
    ) -> None:
        from delta.tables import DeltaTable as SparkDeltaTable

        every: dict[str, Any] = {name: f"s.{name}" for name in table.names}
        with _on_this_version(delta, table), self._transaction(consumed):
            (
                SparkDeltaTable.forPath(self.spark, _as_hadoop_names(root_of(delta)))
                .alias("t")
                .merge(changes.to_native().alias("s"), merge_condition(table, days))
                .whenMatchedDelete(condition=f"s.{OP} = '{DELETE}'")
                .whenMatchedUpdate(condition=f"s.{OP} <> '{DELETE}'", set=every)
                .whenNotMatchedInsert(condition=f"s.{OP} <> '{DELETE}'", values=every)
                .execute()
            )

    @contextmanager
    def _transaction(self, consumed: Consumed | None) -> Iterator[None]:
        """A MERGE takes its application transaction from the session, where it would silently skip later writes."""
        app, version = "spark.databricks.delta.write.txnAppId", "spark.databricks.delta.write.txnVersion"
        try:
            if consumed is not None:
                self.spark.conf.set(app, consumed.app)
                self.spark.conf.set(version, str(consumed.version))
            yield
        finally:
            self.spark.conf.unset(app)
            self.spark.conf.unset(version)


def _as_hadoop_names(uri: str) -> str:
    return uri.replace("s3://", "s3a://", 1) if in_object_store(uri) else uri


@contextmanager
def _on_this_version(delta: DeltaTable, table: Table) -> Iterator[None]:
    """Spark commits an append on whatever version it finds, so a table that moved on is refused before.

    Between the look and the commit lies the time of one write; the jobs' lock covers it.
    """
    from delta.exceptions import DeltaConcurrentModificationException

    version = DeltaTable(root_of(delta)).version()
    if version != delta.version():
        raise BeatenError(f"{table.name} moved from version {delta.version()} to {version} meanwhile")
    try:
        yield
    except DeltaConcurrentModificationException as error:
        raise BeatenError(f"{table.name}: another writer was faster ({error})") from error


_KINDS = {
    "string": "string",
    "double": "double",
    "int": "int",
    "long": "bigint",
    "boolean": "boolean",
    "timestamp": "timestamp",
}


def _typed(rows: nw.LazyFrame, table: Table) -> DataFrame:
    """The rows with exactly the table's column types; Narwhals literals may be wider."""
    columns = [F.col(column.name).cast(_KINDS[column.type]).alias(column.name) for column in table.columns]
    return rows.to_native().select(*columns)

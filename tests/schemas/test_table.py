"""One declaration; what follows from it."""

import pyarrow as pa
import pytest

from minefusion.schemas.table import Column, Table, day_column

TABLE = Table(
    name="silver.gas_reading",
    doc="One gas reading.",
    zh="气体读数",
    key=("point_id", "observed_at"),
    columns=(
        Column("point_id", "string", "Point.", "测点编码"),
        Column("observed_at", "timestamp", "Instant of measurement.", "测量时间"),
        Column("ch4_pct", "double", "Methane.", "甲烷", unit="%", valid=(0, 100)),
        Column("samples", "long", "Samples.", "样本数"),
        Column("status_flags", "int", "Status bits.", "状态位"),
        Column("is_calibrating", "boolean", "Test gas.", "是否标校"),
        Column("revision", "int", "Revision.", "修订号"),
        Column("written_at", "timestamp", "When it was written.", "写入时间"),
        day_column(),
    ),
    time="observed_at",
)


def test_arrow_schema():
    assert TABLE.arrow_schema() == pa.schema(
        [
            ("point_id", pa.string()),
            ("observed_at", pa.timestamp("us", tz="UTC")),
            ("ch4_pct", pa.float64()),
            ("samples", pa.int64()),
            ("status_flags", pa.int32()),
            ("is_calibrating", pa.bool_()),
            ("revision", pa.int32()),
            ("written_at", pa.timestamp("us", tz="UTC")),
            ("day", pa.string()),
        ]
    )


def test_spark_ddl():
    assert TABLE.spark_ddl() == (
        "`point_id` STRING, `observed_at` TIMESTAMP, `ch4_pct` DOUBLE, `samples` BIGINT, `status_flags` INT, "
        "`is_calibrating` BOOLEAN, `revision` INT, `written_at` TIMESTAMP, `day` STRING"
    )


def test_what_a_row_states_leaves_out_revision_and_when_it_was_written():
    assert TABLE.content == (
        "point_id", "observed_at", "ch4_pct", "samples", "status_flags", "is_calibrating", "day",
    )  # fmt: skip


def test_layer_partition_and_columns():
    assert (TABLE.layer, TABLE.partition) == ("silver", ("day",))
    assert TABLE.column("ch4_pct").valid == (0, 100)
    with pytest.raises(StopIteration):
        TABLE.column("co_ppm")


def test_a_table_without_a_day_is_not_partitioned():
    small = Table("silver.point", "Points.", "测点", ("point_id",), (Column("point_id", "string", "Point.", "测点"),))
    assert small.partition == ()
    assert small.time is None

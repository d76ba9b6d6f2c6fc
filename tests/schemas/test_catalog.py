"""Every declared table at once: what must hold of any of them, also of one that is added tomorrow."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from minefusion.schemas.catalog import TABLES, asset_uri, table, table_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.units import canonical_unit, pint_unit

# What a column's name ends in says its unit.
UNIT_OF_NAME = {
    "_pct": "%",
    "_pct_min": "%",
    "_pct_mean": "%",
    "_pct_max": "%",
    "_pct_trend_per_h": "%/h",
    "_ppm": "ppm",
    "_ppm_max": "ppm",
    "_m": "m",
    "_m2": "m2",
    "_m_s": "m/s",
    "_m3_min": "m3/min",
    "_c": "℃",
    "_s": "s",
    "_h": "h",
}
EVERY = pytest.mark.parametrize("declared", TABLES.values(), ids=list(TABLES))


@EVERY
def test_key_time_and_partition_are_columns_of_the_table(declared):
    assert re.fullmatch(r"(bronze|silver|gold|reference)\.[a-z][a-z0-9_]*", declared.name)
    assert len(set(declared.names)) == len(declared.names)
    assert declared.key
    assert set(declared.key) <= set(declared.names)
    assert not set(declared.key) & set(declared.volatile)
    if declared.time is None:
        assert declared.partition == ()
    else:
        assert declared.column(declared.time).type == "timestamp"
        assert declared.partition == ("day",)
        # Windows are replaced by day: the day must follow from the row, and come last as the partition does.
        assert declared.column("day").type == "string"
        assert declared.names[-1] == "day"


@EVERY
def test_each_column_is_explained_in_both_languages(declared):
    assert declared.doc.endswith(".")
    assert declared.zh
    for column in declared.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.doc.endswith((".", "…")), column.name
        assert any("一" <= letter <= "鿿" for letter in column.zh), column.name


@EVERY
def test_units_are_known_and_names_carry_them(declared):
    for column in declared.columns:
        if column.unit is not None:
            assert pint_unit(column.unit) is not None
            assert column.type in {"double", "int", "long"}, column.name
        ending = max((end for end in UNIT_OF_NAME if column.name.endswith(end)), key=len, default=None)
        if ending and column.type == "double":
            assert canonical_unit(column.unit) == UNIT_OF_NAME[ending], column.name
        if column.valid is not None:
            assert column.valid[0] < column.valid[1], column.name


@EVERY
def test_names_say_what_a_column_holds(declared):
    for column in declared.columns:
        if column.type == "boolean":
            assert column.name.startswith(("is_", "has_", "needs_", "legal_exceeded")), column.name
        if column.name.endswith("_at"):
            assert column.type == "timestamp", column.name
        if column.name.endswith(("_id", "_code", "_zh", "_en")):
            assert column.type == "string", column.name


@EVERY
def test_arrow_and_spark_see_the_same_columns(declared):
    schema = declared.arrow_schema()
    assert tuple(schema.names) == declared.names
    spark_type = {
        pa.string(): "STRING",
        pa.float64(): "DOUBLE",
        pa.int32(): "INT",
        pa.int64(): "BIGINT",
        pa.bool_(): "BOOLEAN",
        pa.timestamp("us", tz="UTC"): "TIMESTAMP",
    }
    assert declared.spark_ddl() == ", ".join(f"`{field.name}` {spark_type[field.type]}" for field in schema)


@EVERY
def test_a_table_has_one_place_and_one_asset(declared):
    layer, short = declared.name.split(".")
    assert table(declared.name) is declared
    assert table_path(Path("/lake"), declared) == Path("/lake") / layer / short
    assert asset_uri(declared) == f"minefusion://{layer}/{short}"


def test_one_name_has_one_type_and_unit_wherever_it_stands():
    """So that a join or a glance from table to table compares like with like."""
    seen: dict[str, tuple] = {}
    for declared in TABLES.values():
        for column in declared.columns:
            assert seen.setdefault(column.name, (column.type, column.unit)) == (column.type, column.unit), column.name


def test_an_unknown_table_is_an_error_that_names_those_there_are():
    with pytest.raises(InputError, match=r"got 'gold\.alarms'; there are: .*gold\.alarm"):
        table("gold.alarms")


def test_content_leaves_out_when_and_by_which_run_a_row_was_written():
    content = TABLES["gold.hazard_index"].content
    assert "computed_at" not in content
    assert "revision" not in content
    assert {"value", "level", "sentence_zh"} <= set(content)

"""The exchange format as data: complete, consistent, and cheap to load."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from minefusion.schemas.exchange.grammar import (
    FIELD_TYPES,
    dictionary,
    header_forms,
    kind_of_name,
    kinds,
    provincial_kind_of_name,
    record_columns,
    report,
    reports,
    sentinels,
)

NATIONAL = {name: kind for name, kind in kinds().items() if not kind.is_document}
CONFIDENCE = {"confirmed", "one writer", "one reader", "inferred", "convention"}


def test_every_kind_and_layout_of_the_format():
    """94 kinds, of which 3 stand for 6 prefixes each; 112 layouts, of which 18 are dialects."""
    once = {name: kind for name, kind in NATIONAL.items() if "_" not in name or name.startswith(("TFJK", "zdh"))}
    assert (len(NATIONAL), len(once)) == (109, 94)
    layouts = [layout for kind in once.values() for layout in kind.layouts]
    assert (len(layouts), sum(bool(layout.dialect) for layout in layouts)) == (112, 18)
    assert {kind.kind for kind in kinds().values() if kind.is_document} == {
        "gnssbaseinfo", "gnssrealtime", "gnssalarm", "clearalarm", "camera", "cameraStatus", "videoAnomaly",
        "countingRecog", "undergroundCount", "importPersonCount", "message",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "dialect", "count"),
    [
        ("CDDY", "", 24), ("CDDY", "i-kg", 11), ("CDDY", "i-mn", 16), ("CDSS", "", 7), ("TJSJ", "", 12),
        ("YCBJ", "", 17), ("YCBJ", "i", 17), ("YCBJ", "i-short", 15), ("SSSJ", "", 11), ("SSSJ", "i", 3),
        ("RYSS", "", 15), ("RYSS", "b1", 10), ("RYSS", "prov", 24), ("RYCS", "openpit", 13), ("NRYSS", "", 22),
        ("RYKJ", "", 31), ("TFJK_SS", "", 8), ("JCJK_YC", "", 13), ("PSLCDYC", "", 10),
        ("PSLCDYC", "b1", 10),  # its last field holds two columns
    ],
)  # fmt: skip
def test_columns_of_a_layout(kind: str, dialect: str, count: int):
    assert len(record_columns()[kind, dialect]) == count
    assert kinds()[kind].layout(dialect).columns == record_columns()[kind, dialect]


def test_fields_are_declared_with_known_words():
    for kind in kinds().values():
        assert kind.confidence in CONFIDENCE
        assert kind.nature in ("master", "snapshot", "event", "aggregate")
        for layout in kind.layouts:
            for field in layout.fields:
                assert field.type in FIELD_TYPES, (kind.kind, field)
                assert field.confidence in CONFIDENCE
                assert field.roles <= {"key", "required", "one", "time", "personal"}
                assert bool(field.allowed) == (field.type in ("choice", "switch", "sensor_type", "listed_code"))
            names = [column for column in layout.columns if column != "_"]
            assert len(set(names)) == len(names)


def test_every_layout_can_be_identified():
    for kind in kinds().values():
        for layout in kind.layouts:
            assert layout.having("key"), (kind.kind, layout.dialect)
            assert layout.having("required") or layout.having("one")


def test_every_national_header_has_one_time():
    for form in header_forms().values():
        assert Counter(field.column for field in form)["data_time"] == 1
    for kind in NATIONAL.values():
        assert bool(kind.header) == (kind.envelope != "lines")
        assert kind.envelope == "lines" or kind.header_form("no such dialect") == kind.header_form()
    assert kinds()["CDDY"].header_form("i-kg") == kinds()["CDDY"].header_form("i")


def test_feeds():
    assert (kinds()["CDSS"].folder, kinds()["RYSS"].folder) == ("aqjk", "jxry")
    assert kinds()["RYSS"].layout("prov").folder == "prov"
    assert (kinds()["SSSJ"].layout().folder, kinds()["SSSJ"].layout("i").folder) == ("clry", "aqjk")
    assert (kinds()["CDSS"].period_s, kinds()["CDSS"].late_s, kinds()["YCBJ"].period_s) == (30, 120, None)


@pytest.mark.parametrize(
    ("name", "kind", "mine", "stamp"),
    [
        ("620000000001_CDSS_20250601080000.txt", "CDSS", "620000000001", "20250601080000"),
        ("620000000001bwydy2025-06-01 08:00:00_9.TXT", "BWYDY", "620000000001", "20250601080000"),
        ("6200000000a123456789_TFJK_SS_202506010800001234.txt", "TFJK_SS", "6200000000A123456789", "20250601080000"),
        ("620000000001_gnssrealtime_2025-06-01_08_00_00_1234.json", "gnssrealtime", "620000000001", "20250601080000"),
        ("620000000001_WZCDDY_20250601080000.txt", "WZCDDY", "620000000001", "20250601080000"),
    ],
)
def test_names(name: str, kind: str, mine: str, stamp: str):
    named = kind_of_name(name)
    assert named is not None
    assert (named.kind, named.mine_code, named.stamp) == (kind, mine, stamp)


@pytest.mark.parametrize(
    "name", ["", "CDSS.txt", "620000000001_CDSS_2025.txt", "62000000000_1_CDSS_20250601080000.txt", "52022100001AQSS"]
)
def test_names_that_say_nothing(name: str):
    assert kind_of_name(name) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("52022100001_AQSS", "AQSS"), ("x_PersonRealDevSync_1.txt", "PersonRealDevSync"), ("zdh_rtdata_5", "zdh_rtdata"),
     ("52022100001RYQY", "RYQY"), ("52022100001_AQSS.txt", None), ("CDSS", None)],
)  # fmt: skip
def test_provincial_names(name: str, kind: str | None):
    assert provincial_kind_of_name(name) == kind


def test_every_report_is_told_in_both_languages():
    for code, told in reports().items():
        assert told.scope in ("file", "record", "clip")
        assert all((told.text_zh, told.text_en, told.mend_zh, told.mend_en)), code
        assert told.text_en.isascii()
    assert {"DUPLICATE", "STALE", "FILE_CHANGED", "WAITING", "TOO_MANY_BAD_RECORDS", "CAMERA_UNKNOWN"} <= set(reports())
    assert report("NOT_TEXT").level == "rejection"


def test_dictionaries():
    assert [int(bit) for bit in dictionary("status")] == [0, 1, 2, 4, 8, 16, 32, 64, 128]
    assert dictionary("status")["128"].en == "sensor fault"
    assert list(dictionary("abnormal_type")) == [f"{n:03d}" for n in range(1, 11)]
    assert dictionary("digital_1003")["0"].zh == "无风"
    assert set(dictionary("relation")) == set("BDGHKTZ")
    assert sentinels()["limit"] == ("-0.01",)


def test_it_loads_neither_polars_nor_arrow():
    code = (
        "import sys, minefusion.schemas.exchange.grammar as grammar; grammar.kinds()\n"
        "print({'polars', 'pyarrow', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

"""Records counted from the bytes, as a person would count them."""

from __future__ import annotations

import pytest
from exchange_files import HEADER

from minefusion.pipelines.exchange.count import count_records

CDSS = "620000000001_CDSS_20250601080000.txt"


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (f"{HEADER}~a;1~b;2~||", 2),
        (f"{HEADER}~a;1~b;2||", 2),
        (f"{HEADER}~||", 0),
        (f"{HEADER}||", 0),
        (f"{HEADER}~a;1~b", 2),  # still being written
        (f"{HEADER}~||a;1~b;2~||", 2),
        (f"{HEADER}~a;1~~ ~b;2~\r\n||\r\n", 2),
        (f'"{HEADER}~a;1~\\r\\n||"', 1),
        (f"{HEADER}^a;1^b~2^]]]", 2),
        (HEADER, 0),
        ("", 0),
        ("||", 0),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_segments_behind_the_header(content: str, records: int, encoding: str):
    assert count_records(CDSS, content.encode(encoding)) == records


def test_bytes_of_characters_are_no_separators():
    content = f"{HEADER}~亊東;亊~亊~||".encode("gb18030")
    assert content.count(b"~") > 3
    assert count_records(CDSS, content) == 2


def test_what_is_no_text_holds_no_records():
    assert count_records(CDSS, b"\x00~\x01~~||") == 0
    assert count_records(CDSS, b"\xff~" * 50) == 0


def test_lines_and_documents():
    assert count_records("52022100001_AQSS", b"a;b\r\n\n c;d\n||\n", provincial=True) == 2
    assert count_records("52022100001_AQSS", b"a;b\r\nc;d", provincial=False) == 0
    name = "620000000001_gnssalarm_20250601080000_1234.json"
    assert count_records(name, b'{"send_time": "x", "data": [{}, {"a": "~"}, 1]}') == 3
    assert count_records(name, b'{"data": [') == 0

"""One large file, read in pieces. That each file of the other tests reads the same in pieces is checked there."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exchange_files import AT, HEADER, in_pieces, landed, once, text

from minefusion.pipelines.exchange.large import read_large

NAME = "620000000001_CDSS_20250601080000.txt"


def record(n: int, value: str = "0.32") -> str:
    return f"62000000000101MN0043{n // 1000:03d}A{n % 1000:03d};激光甲烷;1301工作面;{value};%;0;{AT}"


@pytest.mark.parametrize("piece_bytes", [64, 1000, 4096])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_faults_in_different_pieces_are_counted_together(piece_bytes: int, encoding: str):
    records = [record(n) for n in range(100)]
    records[3] = record(3, "-9999")
    records[50] = record(50, "x")
    records[70] = "broken"
    records[99] = record(3, "0.5")  # the key of the fourth record, many pieces later
    content = text(*records).encode(encoding)
    whole = once(NAME, content)
    assert whole.verdict == "partial"
    assert {code: whole.codes[code] for code in ("FIELD_TYPE", "FIELD_COUNT", "DUPLICATE_KEY", "SENTINEL")} == {
        "FIELD_TYPE": 1, "FIELD_COUNT": 1, "DUPLICATE_KEY": 1, "SENTINEL": 1,
    }  # fmt: skip
    assert in_pieces(landed(NAME, content), piece_bytes) == whole


def test_the_share_of_bad_records_is_that_of_the_whole_file():
    content = text(*(record(n) for n in range(80)), *["bad"] * 20)
    assert in_pieces(landed(NAME, content), 128).verdict == "partial"
    content = text(*(record(n) for n in range(80)), *["bad"] * 21)
    refused = in_pieces(landed(NAME, content), 128)
    assert (refused.verdict, refused.reason, refused.records) == ("rejected", "TOO_MANY_BAD_RECORDS", [])
    assert refused == once(NAME, content)


def test_content_of_another_kind_in_many_pieces():
    name = NAME.replace("CDSS", "YCBJ")
    content = text(*(record(n) for n in range(60)), record(2, "9"))
    found = in_pieces(landed(name, content), 200)
    assert (found.file["kind"], found.codes) == ("CDSS", {"DUPLICATE_KEY": 1, "KIND_MISMATCH": 1})
    assert found == once(name, content)


def test_records_may_be_asked_for_again(tmp_path: Path):
    path = tmp_path / NAME
    path.write_text(text(*(record(n) for n in range(9))))
    read = read_large(path, name=NAME, received_at=datetime(2025, 6, 1, tzinfo=UTC), idle_s=1, piece_bytes=300)
    first, second = ([table.to_pylist() for table in read.records()] for _ in range(2))
    assert len(first) > 1
    assert first == second


def test_memory_follows_the_piece_and_not_the_file(tmp_path: Path):
    """Peak of a process of its own, over what it has after a first small file."""
    small, large = tmp_path / "small" / NAME, tmp_path / "large" / NAME
    content = text(*(record(n) for n in range(5_000)))
    for path, times in ((small, 1), (large, 60)):
        path.parent.mkdir()
        body = content.removesuffix("||").removeprefix(HEADER + "~")
        path.write_text(f"{HEADER}~{body * times}||")
    script = (
        "import sys, resource; from datetime import datetime, UTC; from pathlib import Path\n"
        "from minefusion.pipelines.exchange.large import read_large\n"
        "for path in map(Path, sys.argv[1:]):\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    at = datetime(2025, 6, 2, tzinfo=UTC)\n"
        "    read = read_large(path, name=path.name, received_at=at, idle_s=1, piece_bytes=1 << 19)\n"
        "    rows = sum(table.num_rows for table in read.records())\n"
        "print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(small), str(large)], capture_output=True, text=True, check=True
    )
    rows, grown = done.stdout.split()
    assert rows == "300000"
    assert large.stat().st_size > 24e6
    assert float(grown) < 80, "read at once the file would take more than its own size several times over"

"""Valid files, damaged at random: each ends in a verdict, none breaks the reader, and no record goes missing."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from exchange_files import MINE, in_pieces, landed, once, seen

from minefusion.pipelines.exchange.count import count_records
from minefusion.pipelines.exchange.read import Landed, read_files
from minefusion.pipelines.exchange.write import file_name, render
from minefusion.schemas.exchange.grammar import Layout, kinds, reports

TIME = datetime(2025, 6, 1, tzinfo=UTC)
LAYOUTS = [layout for kind in kinds().values() for layout in kind.layouts if not kind.is_document]
TEXTS = {
    "choice": lambda field, _: field.allowed[0],
    "sensor_type": lambda field, _: field.allowed[0],
    "switch": lambda field, _: field.allowed[-1],
    "digits": lambda field, n: f"{MINE}{n:010d}"[: int(field.length)],
    "point_code": lambda _, n: f"{MINE}01MN0043{n:03d}A01",
    "code": lambda field, n: f"{n:0{field.length if field.length.isdigit() else 3}d}",
    "serial_code": lambda _, n: f"{MINE}MN{n:06d}",
    "status": lambda _, n: str(n % 3),
    "number_list": lambda _, n: f"{n}&{n}.5",
    "text": lambda field, n: f"{field.zh}{n}",
    "relation": lambda _, n: f"D-{MINE}01KG1009{n:03d}C01-电源",
    "empty": lambda *_: "",
} | dict.fromkeys(("number", "value", "limit", "coordinate", "int"), lambda _, n: str(n + 1))


def valid(layout: Layout, count: int) -> tuple[str, bytes, bool]:
    """Name, content and feed of a good file with so many records."""
    rows = []
    for n in range(count):
        row = {}
        for field in layout.fields:
            for column in field.columns:
                told = TEXTS.get(field.type)
                row[column] = told(field, n) if told else datetime(2025, 6, 1, 7, n % 60)
        rows.append(row)
    content = render(layout.kind, MINE, "示范煤矿", TIME, rows, dialect=layout.dialect)
    is_provincial = layout.folder == "prov"
    return f"{MINE}_{layout.kind}" if is_provincial else file_name(layout.kind, MINE, TIME), content, is_provincial


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One to three faults of the kinds that real files have, or that a line or disk makes; most leave the envelope."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(content) + 1)
        fault = chance.choice(
            ["text", "text", "text", "drop", "swap", "segment", "field", "byte", "cut", "again", "breaks", "quote"]
        )
        if fault == "text":
            bits = [
                "null",
                "；",
                "1,5",
                "X",
                "-9999",
                "2025-02-30 08:00:00",
                "good",
                ";",
                "~",
                "||",
                "是",
                "[2025,1,1]",
                " ",
                "\ufffd",
            ]
            content = content[:at] + chance.choice(bits).encode() + content[at:]
        elif fault == "drop":
            content = content[:at] + content[at + chance.randint(1, 5) :]
        elif fault == "swap":
            content = content.replace(*chance.sample([b";", b"~", b"0", b"2025", b"-"], 2), chance.randint(1, 3))
        elif fault in ("segment", "field"):
            pieces = content.split(b"~" if fault == "segment" else b";")
            chance.shuffle(pieces) if chance.random() < 0.2 else pieces.insert(
                chance.randrange(len(pieces)), chance.choice(pieces)
            )
            content = (b"~" if fault == "segment" else b";").join(pieces)
        elif fault == "byte":
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif fault == "cut" and chance.random() < 0.3:
            content = content[:at]
        elif fault == "again":
            content = content[: len(content) // 2] + content[len(content) // 3 :]
        elif fault == "breaks":
            content = content.replace(b"~", chance.choice([b"~\n", b"~\r\n", b"\n~"]))
        elif fault == "quote" and chance.random() < 0.3:
            content = b'"' + content + b'"'
    return content.decode().encode("gb18030") if chance.random() < 0.05 and _is_utf8(content) else content


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def files(seed: int, count: int) -> list[Landed]:
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        name, content, is_provincial = valid(chance.choice(LAYOUTS), chance.choice([0, 1, 3, 8, 20]))
        made.append(
            landed(
                name,
                damaged(content, chance),
                chance.choice([0.0, 0.0, 60.0, 900.0]) if not is_provincial else 60.0,
                is_provincial,
            )
        )
    return made


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.kind}-{layout.dialect}")
def test_the_files_are_valid_before_they_are_damaged(layout: Layout):
    name, content, is_provincial = valid(layout, 3)
    found = once(name, content, idle_s=60, provincial=is_provincial)
    assert (found.verdict, len(found.stored)) == ("accepted", 3), [row["reason_en"] for row in found.records]


def test_every_damaged_file_ends_in_a_verdict(capsys: pytest.CaptureFixture[str]):
    made = files(seed=1, count=700)
    results = seen(read_files(made))
    shares = Counter(result.verdict + (f" {result.reason}" if result.reason else "") for result in results)
    passed = sum(
        result.file["header_time"] is not None or result.verdict in ("accepted", "partial") for result in results
    )
    with capsys.disabled():
        print(f"\n{len(made)} damaged files, {passed / len(made):.0%} pass the envelope:")
        for verdict, count in shares.most_common():
            print(f"  {count / len(made):6.1%}  {verdict}")
    assert passed >= len(made) / 2
    for file, result in zip(made, results, strict=True):
        row = result.file
        assert row["verdict"] in ("accepted", "partial", "rejected", "waiting", "unknown")
        assert (row["verdict"] == "accepted") == (row["reason"] == "")
        assert row["reason"] in {"", *reports()}
        assert set(result.codes) <= set(reports())
        fates = ("stored", "quarantined", "rejected", "aside", "waiting")
        assert row["records_sent"] == sum(row[f"records_{fate}"] for fate in fates)
        assert row["records_sent"] == count_records(file.name, file.content, file.provincial)
        assert (len(result.stored), len(result.quarantined)) == (row["records_stored"], row["records_quarantined"])
        positions = [record["position"] for record in result.records]
        assert positions == list(range(1, len(positions) + 1))
        json.loads(row["warnings"]), json.loads(row["dialects"]), json.loads(row["header"] or "[]")


@pytest.mark.parametrize("seed", [2, 3])
def test_the_answer_depends_neither_on_the_other_files_nor_on_how_it_is_read(seed: int):
    made = files(seed, count=40)
    together = seen(read_files(made))
    for file, result in zip(made, together, strict=True):
        alone = once(file.name, file.content, idle_s=file.idle_s, provincial=file.provincial)
        assert result.file == alone.file
        assert [{**row, "file_index": 0} for row in result.records] == alone.records
        assert in_pieces(file, piece_bytes=199) == alone

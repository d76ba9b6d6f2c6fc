"""What the writer writes the reader reads: every layout, any values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from exchange_files import MINE, once
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minefusion.pipelines.exchange.documents import PICTURES
from minefusion.pipelines.exchange.write import cleaned, file_name, render
from minefusion.schemas.exchange.grammar import Field, Layout, kinds, sentinels

TIME = datetime(2025, 6, 1, tzinfo=UTC)
# Messages are made by gateways, not by the writer of files.
LAYOUTS = [layout for kind in kinds().values() for layout in kind.layouts if kind.envelope != "message"]
# Key equipment has the same layouts under six prefixes: one stands for all.
LAYOUTS = [la for la in LAYOUTS if not la.kind.endswith(("_JC", "_SS", "_YC")) or la.kind.startswith("TFJK")]
NOT_SET = {text for texts in sentinels().values() for text in texts}


def texts() -> st.SearchStrategy[str]:
    """Any text that a field may hold, separators and control characters too; a BOM is no text."""
    alphabet = st.one_of(
        st.sampled_from('甲乙瓦斯面；;~|^\n\r" ]'),
        st.characters(exclude_categories=("Cs",), exclude_characters="\ufeff"),
    )
    return st.text(alphabet, max_size=12).filter(lambda text: text.strip().lower() not in NOT_SET)


def codes(length: str) -> st.SearchStrategy[str]:
    sizes = {"min_size": int(length), "max_size": int(length)} if length.isdigit() else {"min_size": 5, "max_size": 20}
    return st.text(st.sampled_from("0123456789ABCDEF"), **sizes)


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda number: number not in (-9999.0, -0.01))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2025, 6, 1, 8, 5)).map(lambda time: time.replace(microsecond=0))
DATES = st.dates(date(1950, 1, 1), date(2030, 1, 1)).filter(lambda day: day != date(1990, 1, 1))
AS_DIGITS = str.maketrans("ABCDEF", "123456")
LENGTHS = {"card_code": "17", "area_code": "16", "station_code": "22"}


def values(field: Field) -> st.SearchStrategy[Any]:
    """A value of the field as its type says; None where it may be empty."""
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "code": codes(field.length),
        "serial_code": codes(""),
        "point_code": codes("").map(lambda inner: f"{MINE}01MN0043{inner[:6]}"),
        "digits": codes(LENGTHS.get(field.column, "1")).map(lambda code: code.translate(AS_DIGITS)),
        "number": NUMBERS, "value": NUMBERS, "limit": NUMBERS, "coordinate": NUMBERS,
        "number_list": st.lists(NUMBERS, min_size=1, max_size=3).map(lambda numbers: "&".join(map(repr, numbers))),
        "int": st.integers(-10**9, 10**9),
        "status": st.integers(0, 255),
        "datetime": TIMES, "end_time": TIMES, "define_time": TIMES, "slash_datetime": TIMES, "joined_datetime": TIMES,
        "moment": TIMES,
        "date": DATES, "birth_date": DATES, "expiry_date": DATES, "define_date": DATES,
        "empty": st.none(),
    }  # fmt: skip
    if field.column == "mineCode":
        return st.just(MINE)  # an entry of another mine goes to quarantine
    if field.column in PICTURES:
        return st.none()  # a picture comes back as its digest
    if field.type in ("choice", "sensor_type", "switch", "listed_code"):
        strategy: st.SearchStrategy[Any] = st.sampled_from(field.allowed)
    else:
        strategy = by_type.get(field.type, texts())
    if field.roles & {"required", "one"} or (field.type == "code" and field.length.isdigit()):
        return strategy.filter(lambda value: cleaned(str(value)).replace(chr(34), " ").strip() != "")
    return st.one_of(st.none(), strategy)


def records(layout: Layout) -> st.SearchStrategy[list[dict[str, Any]]]:
    columns: dict[str, st.SearchStrategy[Any]] = {}
    for field in layout.fields:
        for column in field.columns:
            columns[column] = TIMES if field.type == "two_times" else values(field)
    return st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=3)


def as_read(field: Field, value: Any, blanks: str) -> Any:
    """The value as it should come back; `blanks` are further characters that the writer turns into blanks."""
    if value is None or "personal" in field.roles:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        text = cleaned(value).translate(str.maketrans(blanks, " " * len(blanks)))
        return text if text.strip() else ""
    return value


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.kind}-{layout.dialect}")
def test_any_record_written_is_read_back_equal(layout: Layout):
    kind = kinds()[layout.kind]
    is_provincial = layout.folder == "prov"

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(records(layout))
    def check(rows: list[dict[str, Any]]):
        content = render(kind.kind, MINE, "示范煤矿", TIME, rows, dialect=layout.dialect)
        name = f"{MINE}_{kind.kind}" if is_provincial else file_name(kind.kind, MINE, TIME)
        seen = once(name, content, idle_s=60, provincial=is_provincial)
        assert (seen.verdict, seen.reason) == ("accepted", ""), [row["reason_en"] for row in seen.records]
        assert {row["dialect"] for row in seen.records} == {layout.dialect}
        assert len(seen.stored) == len(rows)
        for row, text in zip(rows, seen.stored, strict=True):
            came = dict(zip(layout.columns, text.split(";"), strict=True))
            for field in layout.fields:
                for column in field.columns:
                    sent, got = as_read(field, row[column], blanks='"' if is_provincial else ""), came[column]
                    sent = f"{sent}.000" if field.type == "moment" and sent else sent
                    assert (float(got) if isinstance(sent, float | int) else got) == sent, column

    check()

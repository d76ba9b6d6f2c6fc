"""A view's files, read back, are the rows that the page shows; and nothing in them runs."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from random_mine import BEGIN, END, HOSTILE, MINE, NEEDED
from two_mines import Site

from minefusion.serving.analyst.exports import as_file
from minefusion.serving.analyst.mine_clock import MineClock
from minefusion.serving.analyst.view import View
from minefusion.serving.analyst.views import VIEWS

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Rows = list[dict[str, Any]]


def asked(desk: Site, path: str, kind: str) -> Any:
    params = {"mine": MINE, "from": BEGIN.isoformat(), "to": END.isoformat(), "format": kind, **NEEDED.get(path, {})}
    answer = desk.call("admin", "GET", f"/api/v1/analysis/{path}", params=params)
    assert answer.status_code == 200
    return answer


def sheet(content: bytes) -> list[list[str | float | bool | None]]:
    """The first sheet of a workbook, as another program reads it."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = [
            "".join(text.text or "" for text in item.iter(f"{_MAIN}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        root = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(root.iter(f"{_MAIN}f")), "no formula"
    found: list[list[str | float | bool | None]] = []
    for row in root.iter(f"{_MAIN}row"):
        values: dict[int, str | float | bool | None] = {}
        for cell in row.iter(f"{_MAIN}c"):
            value = cell.find(f"{_MAIN}v")
            if value is None or value.text is None:
                continue
            place = 0
            for letter in filter(str.isalpha, cell.get("r", "")):
                place = 26 * place + ord(letter) - 64
            kind = cell.get("t")
            number = float(value.text)
            values[place - 1] = shared[int(number)] if kind == "s" else bool(number) if kind == "b" else number
        found.append([values.get(place) for place in range(max(values, default=-1) + 1)])
    return found


def as_told(view: View, name: str, value: Any) -> Any:
    """A value of a CSV or XLSX cell as the JSON has it."""
    kind = next(each.type for each in view.columns if each.name == name)
    if value in (None, ""):
        return None
    if kind == "timestamp":
        instant = datetime.fromisoformat(str(value))
        assert instant.utcoffset() == timedelta(hours=8), "on the mine's clock"
        return instant
    if kind == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if kind == "string":
        return str(value).removeprefix("'") if str(value).startswith("'=") else str(value)
    return float(value)


def shown(view: View, rows: Rows) -> Rows:
    """JSON rows with instants and numbers as such; an empty text is nothing."""
    instants = {each.name for each in view.columns if each.type == "timestamp"}
    return [
        {
            name: datetime.fromisoformat(it) if name in instants and it else None if it == "" else it
            for name, it in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("path", VIEWS)
def test_files_read_back_are_the_pages_rows(desk: Site, path: str):
    view = VIEWS[path]
    rows = shown(view, asked(desk, path, "json").json()["rows"])

    parquet = pl.read_parquet(io.BytesIO(asked(desk, path, "parquet").content)).to_dicts()
    assert [{name: None if it == "" else it for name, it in row.items()} for row in parquet] == rows

    text = asked(desk, path, "csv").content.decode("utf-8-sig")
    listed = [{name: as_told(view, name, it) for name, it in row.items()} for row in csv.DictReader(io.StringIO(text))]
    assert listed == rows

    head, *body = sheet(asked(desk, path, "xlsx").content)
    assert head == [each.name for each in view.columns]
    table = [dict(zip(head, [*line, *[None] * len(head)], strict=False)) for line in body]
    assert [{str(name): as_told(view, str(name), it) for name, it in row.items()} for row in table] == [
        {name: pytest.approx(it) if isinstance(it, float) else it for name, it in row.items()} for row in rows
    ]


def test_a_file_says_what_it_is(desk: Site):
    answer = asked(desk, "methane/over-limit", "xlsx")
    named = answer.headers["content-disposition"]
    assert named == f'attachment; filename="methane-over-limit_{MINE}_20260301T2000_20260302T0400.xlsx"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        told = book.read("xl/sharedStrings.xml").decode()
    assert "超限清单" in told
    assert "/analyse/methane/over-limit?mine=" in told


def test_text_that_a_spreadsheet_would_run_is_inert():
    frame = pl.DataFrame({"place": [HOSTILE, "+1", "-1", "@x", "\tx", "1203 面", None], "value": [-1.0] * 7})
    text = as_file(frame, "csv", (), (), MineClock()).decode("utf-8-sig")
    places = [row["place"] for row in csv.DictReader(io.StringIO(text))]
    assert places == [f"'{HOSTILE}", "'+1", "'-1", "'@x", "'\tx", "1203 面", ""]
    assert {row["value"] for row in csv.DictReader(io.StringIO(text))} == {"-1.0"}


def test_a_link_opens_the_same_view_again(desk: Site):
    params = {"mine": MINE, "from": BEGIN.isoformat(), "level_min": 2, "step_min": 10, "index_id": "G-01"}
    first = desk.get("analyst", "/analysis/hazards/cells", **params)
    path, _, query = first["link"].partition("?")
    assert path == "/analyse/hazards/cells"
    again = desk.call("analyst", "GET", f"/api/v1/analysis/hazards/cells?{query}").json()
    assert again == first

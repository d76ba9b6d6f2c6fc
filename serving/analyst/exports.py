"""A view's rows as a file: CSV, Parquet, XLSX.

In CSV and XLSX instants are text on the mine's clock with its offset, and text that a spreadsheet would run as a
formula stands behind an apostrophe: names in the rows come from outside. Parquet keeps every value as it is.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from minefusion.schemas.table import Column
from minefusion.serving.analyst.mine_clock import MineClock

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# With it a spreadsheet knows that the text is UTF-8.
_BOM = b"\xef\xbb\xbf"
_FORMULA = "^[=+\\-@\t\r]"
_WIDTH = 18


def as_file(frame: pl.DataFrame, kind: str, columns: Sequence[Column], about: Sequence[str], clock: MineClock) -> bytes:
    """The bytes of the file.

    Args:
        kind: one of MEDIA.
        about: lines that say what it is; a second sheet of XLSX has them, and what each column means.
    """
    if kind == "parquet":
        into = io.BytesIO()
        frame.write_parquet(into)
        return into.getvalue()
    told = in_words(frame, clock)
    return _BOM + told.write_csv().encode() if kind == "csv" else _xlsx(told, columns, about)


def in_words(frame: pl.DataFrame, clock: MineClock) -> pl.DataFrame:
    """Instants as text on the mine's clock; text that begins like a formula behind an apostrophe."""
    offset = datetime(2000, 1, 1, tzinfo=clock.zone).isoformat()[-6:]
    instants = (pl.selectors.datetime() + clock.offset).dt.strftime("%Y-%m-%dT%H:%M:%S%.f") + offset
    text = pl.selectors.string()
    inert = pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)
    return frame.with_columns(inert.name.keep()).with_columns(instants)


def _xlsx(frame: pl.DataFrame, columns: Sequence[Column], about: Sequence[str]) -> bytes:
    import xlsxwriter

    into = io.BytesIO()
    # Nothing in a cell is a formula or a link, whatever it looks like.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(into, {"in_memory": True, "nan_inf_to_errors": True, **options}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("data")
        sheet.write_row(0, 0, frame.columns, bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(frame.columns) - 1, 0), _WIDTH)
        for number, row in enumerate(frame.iter_rows(), start=1):
            for place, value in enumerate(row):
                if value is not None:
                    sheet.write(number, place, value)
        notes = book.add_worksheet("about")
        for number, line in enumerate(about):
            notes.write_string(number, 0, line)
        begin = len(about) + 1
        notes.write_row(begin, 0, ["column", "中文", "unit", "meaning"], bold)
        for number, each in enumerate(columns, start=begin + 1):
            notes.write_row(number, 0, [each.name, each.zh, each.unit or "", each.doc])
    return into.getvalue()

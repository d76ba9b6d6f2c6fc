"""Provincial files: one record a line, no header, no end mark; a quoted field may hold the separator.

Their mine codes are of an older register, so each is turned into the national one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR
from minefusion.schemas.exchange.mine_codes import national_mine

_END_MARK_LINE = r"^\s*(?:\|\|)?\s*$"
_QUOTED = re.compile(r'(?m)(?:(?<=^)|(?<=;))"((?:[^"\n]|"")*)"(?=;|$)')


def lines_of(text: str) -> pl.DataFrame:
    """Records of a file: text as it is split, raw as it came. Blank lines and a lone end mark are none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    unquoted = _QUOTED.sub(_unquote, text) if '"' in text else text
    frame = pl.DataFrame({"raw": text.split("\n"), "text": unquoted.split("\n")})
    return frame.filter(~pl.col("raw").str.contains(_END_MARK_LINE))


def _unquote(match: re.Match[str]) -> str:
    """The field without its quotes; a separator inside becomes a blank, as the writer would have written it."""
    return match[1].replace('""', '"').replace(FIELD_SEPARATOR, " ")


def national_mines(sent: pl.Series, county: pl.Series | None, aliases: Mapping[str, str]) -> pl.Series:
    """`national_mine` of a column, by its distinct codes."""
    frame = pl.DataFrame({"sent": sent, "county": "" if county is None else county})
    distinct = frame.unique().drop_nulls()
    codes = [national_mine(code, of, aliases) for code, of in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("national", codes, dtype=pl.String))
    return frame.join(known, on=["sent", "county"], how="left", maintain_order="left")["national"]

"""Provincial files: one record a line, no header, no end mark; a quoted field may hold the separator.

Their mine codes are of an older register: county code and a serial of five digits, or a short number of the county
alone. Silver knows a mine by one code, so each is turned into the national one (PC-13).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR

_COUNTY_AND_SERIAL = re.compile(r"(?P<county>[0-9]{6})(?P<serial>[0-9]{5})$")
_NATIONAL = re.compile(r"(?P<county>[0-9]{6})0(?P<serial>[0-9]{5})$")
_LEADING_CODE = re.compile(r"[0-9]{11,12}(?![0-9])")
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


def national_mine(sent: str, county: str, aliases: Mapping[str, str]) -> str:
    """The mine's 12-digit code: what the table says of `county/code` or `code`, else county and padded serial.

    A code of another form stays as it is.
    """
    named = aliases.get(f"{county}/{sent}") or aliases.get(sent)
    if named:
        return named
    coded = _COUNTY_AND_SERIAL.match(sent)
    return f"{coded['county']}{coded['serial']:0>6}" if coded else sent


def provincial_mine(mine_code: str) -> str:
    """The code of a mine in a provincial file: the inverse of `national_mine` without a table."""
    coded = _NATIONAL.match(mine_code)
    return f"{coded['county']}{coded['serial']}" if coded else mine_code


def mine_of_name(name: str, aliases: Mapping[str, str]) -> str | None:
    """The mine that a file's name begins with, for kinds whose records name none."""
    coded = _LEADING_CODE.match(name)
    return national_mine(coded[0], coded[0][:6], aliases) if coded else None


def national_mines(sent: pl.Series, county: pl.Series | None, aliases: Mapping[str, str]) -> pl.Series:
    """The same of a column, by its distinct codes."""
    frame = pl.DataFrame({"sent": sent, "county": "" if county is None else county})
    distinct = frame.unique().drop_nulls()
    codes = [national_mine(code, of, aliases) for code, of in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("national", codes, dtype=pl.String))
    return frame.join(known, on=["sent", "county"], how="left", maintain_order="left")["national"]

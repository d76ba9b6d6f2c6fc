"""Codes of mines: the national one of 12 digits, and those of the older register that provincial files use (PC-13).

The older ones are county code and a serial of five digits, or a short number of the county alone. The lake knows a mine
by its national code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_COUNTY_AND_SERIAL = re.compile(r"(?P<county>[0-9]{6})(?P<serial>[0-9]{5})$")
_NATIONAL = re.compile(r"(?P<county>[0-9]{6})0(?P<serial>[0-9]{5})$")
_LEADING_CODE = re.compile(r"[0-9]{11,12}(?![0-9])")


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
    """The mine that a provincial file's name begins with, for kinds whose records name none."""
    coded = _LEADING_CODE.match(name)
    return national_mine(coded[0], coded[0][:6], aliases) if coded else None

"""The newest line of the journal, for those who only quote it: no database package is loaded where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from minefusion.schemas.errors import MissingError

# What stands before the first line.
GENESIS = "0" * 64


@dataclass(frozen=True)
class Head:
    """Number and hash of the newest line; 0 and GENESIS before the first."""

    seq: int = 0
    hash: str = GENESIS


def journal_head(url: str) -> Head | None:
    """Number and hash of the journal's newest line; null where no service ever ran.

    Raises:
        MissingError: there is a journal, and what reads it is not installed or does not answer.
    """
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        return None
    try:
        from minefusion.serving.journal.database import head_of, open_database
    except ModuleNotFoundError as error:
        raise MissingError(f"expected {error.name} to read the journal: pip install 'minefusion[serving]'") from None
    database = open_database(url)
    try:
        with database.reading() as connection:
            return head_of(connection)
    finally:
        database.close()

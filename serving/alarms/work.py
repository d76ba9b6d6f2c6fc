"""One step in progress: the board as far as it has come, and the changes so far; and how a step is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from minefusion.schemas.errors import MinefusionError
from minefusion.serving.alarms.changes import Change, change
from minefusion.serving.alarms.records import Alarm, Board, Disposition, Record, identity
from minefusion.serving.text import Text


class RefusedError(MinefusionError):
    """The rules do not allow it, in both languages; nothing was changed."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class UnknownError(RefusedError):
    """There is no such alarm, hold or disposition."""


class Work:
    """A board that is being worked on at one instant."""

    def __init__(self, board: Board, now: datetime) -> None:
        self.board = board
        self.now = now
        self.changes: list[Change] = []

    def put(self, what: str, record: Record, by: str, **note: Any) -> None:
        """Put the record on the board in place of the one with its id, and write down what changed and why."""
        old = self.board.record(type(record), identity(record))
        if record != old:
            self.changes.append(change(what, old, record, by, **note))
            self.board = self.board.having(record)

    def alarm(self, alarm_id: str) -> Alarm:
        if alarm_id not in self.board.alarms:
            raise UnknownError(f"没有报警 {alarm_id}", f"expected a known alarm, got '{alarm_id}'")
        return self.board.alarms[alarm_id]

    def disposition(self, disposition_id: str) -> Disposition:
        if disposition_id not in self.board.dispositions:
            raise UnknownError(f"没有处置单 {disposition_id}", f"expected a known disposition, got '{disposition_id}'")
        return self.board.dispositions[disposition_id]

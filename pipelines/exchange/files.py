"""One landed file from its name to its open envelope, and what that alone decides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from minefusion.pipelines.exchange.documents import open_document
from minefusion.pipelines.exchange.envelope import ODD_BODY, Envelope, decode, open_plain, open_text
from minefusion.pipelines.exchange.header import from_mine_local, is_ahead, read_header
from minefusion.pipelines.exchange.provincial import lines_of
from minefusion.schemas.exchange.grammar import (
    PROVINCIAL_WAIT_S,
    WAIT_S,
    Kind,
    kind_of_name,
    kinds,
    provincial_kind_of_name,
)


@dataclass(frozen=True)
class Landed:
    """One file as it lies in the landing folder.

    Attributes:
        received_at: the receiver's clock; a header that lies too far ahead of it is refused.
        idle_s: seconds since the file last grew.
        provincial: it came by a feed that is configured as provincial.
        aliases: provincial county and mine code → the mine's national code.
        secret: key by which fusion messages are signed; '' where they need not be.
    """

    name: str
    content: bytes
    received_at: datetime
    idle_s: float
    provincial: bool = False
    folder: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@dataclass
class FileState:
    """What is known about one file so far; `verdict` is empty until something decides it.

    Attributes:
        sent, bad: records that the file holds, and those of them that go to quarantine.
        rows: texts of its records, where they are not in the envelope's body (lines, JSON entries).
    """

    landed: Landed
    sha256: str
    size: int
    name_kind: str | None = None
    kind: str | None = None
    mine_code: str | None = None
    stamp: datetime | None = None
    is_provincial: bool = False
    envelope: Envelope = field(default_factory=lambda: Envelope(None))
    rows: pl.DataFrame | None = None
    header: tuple[str, ...] | None = None
    header_at: datetime | None = None
    declared: int | None = None
    verdict: str = ""
    reason: str = ""
    codes: Counter[str] = field(default_factory=Counter)
    dialects: tuple[str, ...] = ()
    sent: int = 0
    bad: int = 0
    observed: tuple[datetime | None, datetime | None] = (None, None)

    @property
    def is_open(self) -> bool:
        return self.verdict == ""

    @property
    def exchange_kind(self) -> Kind:
        return kinds()[self.kind or ""]

    @property
    def register(self) -> int:
        """Length of the mine code; provincial lines have their own registers."""
        return len(self.mine_code or "")

    def decide(self, verdict: str, reason: str = "") -> None:
        self.verdict, self.reason = verdict, reason

    def warn(self, codes: Mapping[str, int]) -> None:
        """Add warnings with their counts; most files have none."""
        for code, times in codes.items():
            if times:
                self.codes[code] += times


def open_files(landed: Sequence[Landed]) -> list[FileState]:
    """Every file, opened as far as its name, envelope and header allow."""
    files = [_opened(file) for file in landed]
    _check_bodies(files)
    for state in files:
        state.warn(state.envelope.codes)
        if state.is_open and not state.is_provincial and state.rows is None:
            settle_header(state)
    return files


def state_of(landed: Landed, sha256: str, size: int) -> FileState:
    """What the file's name says."""
    state = FileState(landed, sha256, size)
    named = kind_of_name(landed.name)
    if named is not None:
        state.name_kind, state.mine_code, state.stamp = named.kind, named.mine_code, from_mine_local(named.stamp)
        state.codes.update(named.variants)
    elif landed.provincial:
        state.name_kind = provincial_kind_of_name(landed.name)
        state.is_provincial = state.name_kind is not None
    if state.is_provincial or (named is not None and named.is_known):
        state.kind = state.name_kind
    else:
        state.decide("unknown", "UNKNOWN_NAME" if named is None else "UNKNOWN_KIND")
    return state


def _opened(landed: Landed) -> FileState:
    state = state_of(landed, hashlib.sha256(landed.content).hexdigest(), len(landed.content))
    if not state.is_open:
        state.envelope = open_text(landed.content)
        state.sent = state.envelope.records
    elif state.is_provincial:
        _open_lines(state)
    elif state.exchange_kind.is_document:
        _open_document(state)
    else:
        settle_segments(state, open_plain(landed.content) or open_text(landed.content))
    return state


def settle_segments(state: FileState, envelope: Envelope) -> None:
    """What encoding and end mark decide."""
    state.envelope, state.sent = envelope, envelope.records
    if not envelope.is_text:
        state.decide("rejected", "NOT_TEXT")
    elif envelope.is_complete:
        return
    elif state.landed.idle_s < WAIT_S:
        state.decide("waiting", "WAITING")
    elif envelope.may_do_without_end_mark:
        envelope.codes["END_MARK_MISSING"] = 1
    else:
        state.decide("rejected", "END_MARK_MISSING")


def _decoded(state: FileState) -> str | None:
    """Text of a file without segments; None where it is none, and then the file is refused."""
    decoded = decode(state.landed.content)
    if decoded is None:
        state.decide("rejected", "NOT_TEXT")
        return None
    state.envelope = Envelope(decoded.encoding, is_complete=True, is_damaged=decoded.is_damaged)
    state.envelope.codes["ENCODING_GB18030"] = int(decoded.encoding != "UTF-8")
    state.envelope.codes["REPLACEMENT_CHARS"] = decoded.text.count("\ufffd")
    return decoded.text.removeprefix("\ufeff")


def _open_lines(state: FileState) -> None:
    text = _decoded(state)
    if text is None:
        return
    state.rows = lines_of(text)
    state.sent = len(state.rows)
    settle_lines(state)


def settle_lines(state: FileState) -> None:
    """Lines have no end mark: a file that has stood still is complete (PC-18)."""
    if state.landed.idle_s < PROVINCIAL_WAIT_S:
        state.decide("waiting", "WAITING")


def _open_document(state: FileState) -> None:
    text = _decoded(state)
    if text is None:
        return
    kind = state.exchange_kind
    document = open_document(kind, text, state.mine_code or "", state.landed.secret)
    if document is None:
        is_waiting = state.landed.idle_s < WAIT_S
        state.decide("waiting" if is_waiting else "rejected", "WAITING" if is_waiting else "JSON_UNREADABLE")
        return
    state.rows = pl.DataFrame({"text": document.entries}, schema={"text": pl.String})
    state.sent, state.header = document.sent or len(state.rows), document.header
    # Entries without an object around them were made when the file's name says.
    state.header_at = state.stamp if kind.envelope == "array" else from_mine_local(document.send_time)
    state.kind = document.kind or state.kind
    if document.refused:
        state.decide("rejected", document.refused)
    elif state.header_at is None:
        state.decide("rejected", "HEADER_UNREADABLE")
    elif is_ahead(state.header_at, state.landed.received_at):
        state.decide("rejected", "FUTURE_TIME")


def _check_bodies(files: Sequence[FileState]) -> None:
    """Bodies found in the bytes are checked all at once; a file with an odd one is opened anew as text."""
    plain = [state for state in files if isinstance(state.envelope.body, bytes) and state.envelope.body]
    for state in _with_odd_body(plain):
        settle_segments(state, open_text(state.landed.content))


def _with_odd_body(files: Sequence[FileState]) -> list[FileState]:
    """Files whose body is not UTF-8 or holds what only `open_text` can take; one bad body hides where it is."""
    if not files:
        return []
    bodies = pl.Series([state.envelope.body for state in files], dtype=pl.Binary)
    try:
        is_odd = bodies.cast(pl.String).str.contains(ODD_BODY)
    except pl.exceptions.ComputeError:
        if len(files) == 1:
            return list(files)
        return [state for one in files for state in _with_odd_body([one])]
    return [files[at] for at in is_odd.arg_true()]


def settle_header(state: FileState) -> None:
    """What the header decides."""
    header = read_header(state.envelope.header, state.exchange_kind, state.mine_code or "", state.landed.received_at)
    state.header_at, state.declared = header.at, header.declared
    state.warn(header.codes)
    if header.reason:
        state.decide("rejected", header.reason)
    # A header that cannot be read may be a record, with a person's data in it.
    if header.reason != "HEADER_UNREADABLE":
        state.header = state.envelope.header

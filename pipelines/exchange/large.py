"""Read one large file in pieces, so that 200 MB take a fraction of their size in memory.

A verdict needs the whole file's counts, so the file is gone through more than once: its bytes, its text, its records
for the verdict, and its records again to give them out. The answer is that of `read_files`.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pyarrow as pa

from minefusion.pipelines.exchange.envelope import (
    CONTROLS,
    Envelope,
    bad_and_wide,
    clean_segments,
    count_segments,
    has_end_mark,
    is_mostly_utf8,
    mark_bad_bytes,
    take_header,
    unescaped,
    without_breaks,
)
from minefusion.pipelines.exchange.files import (
    FileState,
    Landed,
    settle_header,
    settle_lines,
    settle_segments,
    state_of,
)
from minefusion.pipelines.exchange.layouts import judge_as_other, judge_records, other_layouts
from minefusion.pipelines.exchange.provincial import lines_of
from minefusion.pipelines.exchange.read import finish_lines, learn_from_lines, quarantine_unclosed, read_files
from minefusion.pipelines.exchange.records import UTC_TIME, Source, key_digest
from minefusion.pipelines.exchange.verdict import LOADED, conclude, count, files_table, records_table
from minefusion.schemas.exchange.grammar import ENVELOPES, FIELD_SEPARATOR, Layout

PIECE_BYTES = 8 << 20
# Enough of a file's end to see its end mark through blanks behind it.
_TAIL_BYTES = 4096
_LONGEST_CHARACTER = 4


@dataclass(frozen=True)
class LargeRead:
    """One large file, judged. `files` is its one row, as in `Read`."""

    files: pa.Table
    _file: _LargeFile | None = None
    _whole: pa.Table | None = None

    def records(self) -> Iterator[pa.Table]:
        """The records, some at a time, in the columns of `Read.records`; none where the file is not loaded.

        May be asked for again, and reads the file each time.
        """
        if self._whole is not None:
            yield self._whole
        elif self._file is not None and self._file.state.verdict in LOADED:
            for part in self._file.judged():
                yield records_table([self._file.state], [part])


def read_large(
    path: Path,
    *,
    name: str,
    received_at: datetime,
    idle_s: float,
    provincial: bool = False,
    folder: str = "",
    aliases: Mapping[str, str] = MappingProxyType({}),
    secret: str = "",
    piece_bytes: int = PIECE_BYTES,
) -> LargeRead:
    """Judge one file without holding it in memory; the arguments are as in `Landed`.

    A job takes the ledger's row from `files` and then stores `records()` piece by piece; `file_index` is 0 in all of
    them. A JSON document is read whole.

    Raises:
        OSError: the file cannot be read.
    """
    landed = Landed(name, b"", received_at, idle_s, provincial, folder, aliases, secret)
    file = _LargeFile(path, piece_bytes, landed)
    if file.state.is_open and file.state.exchange_kind.is_document:
        read = read_files([replace(landed, content=path.read_bytes())])
        return LargeRead(read.files, _whole=read.records)
    file.judge()
    return LargeRead(files_table([file.state]), file)


class _Keys:
    """Finds records whose key comes again in any later piece: it collects every key, then it knows."""

    def __init__(self) -> None:
        self._seen: list[pl.DataFrame] = []
        self._superseded: pl.Series | None = None

    def close(self) -> int:
        """Every piece was seen. Gives the number of superseded records."""
        seen = pl.concat(self._seen) if self._seen else pl.DataFrame(schema={"key": pl.UInt64, "position": pl.Int32})
        self._superseded = seen.sort("position").filter(~pl.col("key").is_last_distinct())["position"]
        self._seen = []
        return len(self._superseded)

    def __call__(
        self, layout: Layout, keys: Sequence[pl.Series], rows: pl.DataFrame, is_good: pl.Series
    ) -> pl.Series | None:
        if self._superseded is not None:
            return rows["position"].is_in(self._superseded.implode()) & is_good
        digest = key_digest(keys, rows) ^ zlib.crc32(layout.dialect.encode())
        self._seen.append(pl.DataFrame({"key": digest, "position": rows["position"]}).filter(is_good))
        return None


@dataclass
class _LargeFile:
    """One file on disk and what is known about it.

    Attributes:
        layout: the layout of another kind by which it is read, where its name says the wrong kind.
        trim: bytes at its end that belong to an unfinished character.
    """

    path: Path
    piece_bytes: int
    landed: Landed
    state: FileState = field(init=False)
    keys: _Keys = field(default_factory=_Keys)
    layout: Layout | None = None
    is_quoted: bool = False
    is_escaped: bool = False
    trim: int = 0

    def __post_init__(self) -> None:
        self.state = state_of(self.landed, "", 0)

    # ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _blocks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while block := file.read(self.piece_bytes):
                yield block

    def _survey(self) -> tuple[Envelope, tuple[str, str]]:
        """Digest, size, encoding and end mark; the first and the last characters that are not blank."""
        digest, size, has_controls, is_utf8 = hashlib.sha256(), 0, False, True
        decoder = codecs.getincrementaldecoder("utf-8")()
        head = tail = b""
        for block in self._blocks():
            digest.update(block)
            size += len(block)
            head, tail = (head + block)[:_TAIL_BYTES], (tail + block)[-_TAIL_BYTES:]
            has_controls = has_controls or len(block.translate(None, CONTROLS)) != len(block)
            is_utf8 = is_utf8 and _decodes(decoder, block)
        self.state.sha256, self.state.size = digest.hexdigest(), size
        whole = head + tail[max(0, 2 * _TAIL_BYTES - size) :] if size > _TAIL_BYTES else head
        text = whole.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if has_controls:
            return Envelope(None), ("", "")
        is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
        encoding = "UTF-8" if is_utf8 else self._other_encoding()
        is_damaged = encoding == "UTF-8" and not is_utf8
        return Envelope(encoding, is_complete=has_end_mark(whole), is_damaged=is_damaged), (text[:1], text[-3:])

    def _other_encoding(self) -> str | None:
        bad = wide = size = 0
        for text in self._decode("utf-8"):
            more_bad, more_wide = bad_and_wide(text)
            bad, wide = bad + more_bad, wide + more_wide
        if bad <= wide:
            return "UTF-8"
        decoder, held, is_gb18030 = codecs.getincrementaldecoder("gb18030")(), b"", True
        for block in self._blocks():
            size += len(block)
            block, held = (held + block)[:-_LONGEST_CHARACTER], (held + block)[-_LONGEST_CHARACTER:]
            is_gb18030 = is_gb18030 and _decodes(decoder, block)
        state = decoder.getstate()
        for trim in range(len(held) if is_gb18030 else 0):
            decoder.setstate(state)
            if _decodes(decoder, held[: len(held) - trim], final=True):
                self.trim = trim
                return "GB18030"
        return "UTF-8" if is_mostly_utf8(bad, size) else None

    def _decode(self, encoding: str) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        left = self.path.stat().st_size - self.trim
        for block in self._blocks():
            yield decoder.decode(block[: max(left, 0)])
            left -= len(block)
        yield decoder.decode(b"", final=True)

    # ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _decoded(self) -> Iterator[str]:
        """The file's text without a BOM."""
        is_first, is_damaged = True, self.state.envelope.is_damaged
        for text in self._decode(self.state.envelope.encoding or "utf-8"):
            text = mark_bad_bytes(text) if is_damaged else text
            if text:
                yield text.removeprefix("\ufeff") if is_first else text
                is_first = False

    def _unquoted(self) -> Iterator[str]:
        texts = _stripped(self._decoded())
        if not self.is_quoted:
            yield from texts
            return
        for piece in _cut_behind(_without_ends(texts), "~^"):
            yield (unescaped(f'"{piece}"') or "") if self.is_escaped else piece

    def _texts(self, found: Counter[str]) -> Iterator[str]:
        """Text without quotes, line breaks, or blanks at its ends; `found` counts what was odd."""
        for text in _stripped(self._unquoted()):
            text = without_breaks(text, found)
            found["REPLACEMENT_CHARS"] += text.count("\ufffd")
            yield text

    def _look_for_quotes(self, start: str, end: str) -> None:
        self.is_quoted = self.state.size > 1 and start == end == '"'
        self.state.envelope.has_lone_quote = not self.is_quoted and '"' in (start, end)
        if self.is_quoted:
            pieces = _cut_behind(_without_ends(_stripped(self._decoded())), "~^")
            self.is_escaped = all(unescaped(f'"{piece}"') is not None for piece in pieces)

    def _end(self, ends: tuple[str, str]) -> str:
        """The last characters of the text."""
        if self.state.envelope.encoding == "UTF-8" and not self.is_quoted:
            return ends[1]
        end = ""
        for text in self._texts(Counter()):
            end = (end + text)[-3:]
        return end

    # ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _mark(self) -> str:
        return dict(ENVELOPES.values())[self.state.envelope.separator]

    def _open(self, ends: tuple[str, str]) -> None:
        """Separator, header and number of records, of a file that begins and ends with these characters."""
        envelope = self.state.envelope
        self._look_for_quotes(ends[0], ends[1][-1:])
        end = self._end(ends)
        envelope.separator, mark = next((e for e in ENVELOPES.values() if end.endswith(e[1])), ENVELOPES["tilde"])
        envelope.is_complete = envelope.is_complete and end.endswith(mark)
        codes = envelope.codes
        codes["ENCODING_GB18030"] = int(envelope.encoding != "UTF-8")
        codes["QUOTED_FILE"] = int(self.is_quoted)
        for body in self._bodies(codes):
            envelope.records += count_segments(body, envelope.separator)
        envelope.has_early_mark = codes["EARLY_END_MARK"] > 0

    def _bodies(self, found: Counter[str]) -> Iterator[str]:
        """Texts of whole records without the header; sets header and whether the last record is closed."""
        envelope, separator = self.state.envelope, self.state.envelope.separator
        texts = self._texts(found)
        if envelope.is_complete:
            texts = _without_last(texts, len(self._mark))
        envelope.header, is_behind_header, body = None, False, ""
        for body in _cut_behind(texts, separator):
            if not is_behind_header:
                head, body = take_header(body, separator, self._mark, found)
                if not head.strip():
                    continue
                is_behind_header = True
                envelope.header = tuple(head.split(FIELD_SEPARATOR))
            yield clean_segments(body, separator, self._mark, found)
        envelope.is_closed = envelope.is_complete or not body or body.endswith(separator)

    # ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self) -> None:
        """Everything up to the verdict."""
        state = self.state
        envelope, ends = self._survey()
        state.envelope = envelope
        if not state.is_provincial and envelope.is_text:
            self._open(ends)
            state.sent = envelope.records
        if not state.is_open:
            state.codes.update(+envelope.codes)
            return
        if state.is_provincial:
            self._settle_lines()
        else:
            settle_segments(state, envelope)
        state.codes.update(+envelope.codes)
        if state.is_open and not state.is_provincial:
            settle_header(state)
        if state.is_open and state.sent:
            self._count_lines() if state.is_provincial else self._count()
        conclude(state)

    def _settle_lines(self) -> None:
        state = self.state
        if not state.envelope.is_text:
            state.decide("rejected", "NOT_TEXT")
            return
        state.envelope.codes["ENCODING_GB18030"] = int(state.envelope.encoding != "UTF-8")
        for text in self._decoded():
            state.envelope.codes["REPLACEMENT_CHARS"] += text.count("\ufffd")
        state.sent = sum(len(rows) for rows in self._rows())
        settle_lines(state)

    def _rows(self) -> Iterator[pl.DataFrame]:
        """file_index, position, text and, where it differs, raw of some records at a time."""
        frames: Iterator[pl.DataFrame]
        if self.state.is_provincial:
            frames = map(lines_of, _cut_behind(self._decoded(), "\n"))
        else:
            separator = self.state.envelope.separator
            bodies = filter(None, self._bodies(Counter()))
            frames = (
                pl.DataFrame({"text": [body]}).select(pl.col("text").str.split(separator).explode()) for body in bodies
            )
        done = 0
        for frame in frames:
            place = pl.int_range(done + 1, done + 1 + len(frame), dtype=pl.Int32)
            yield frame.select(pl.lit(0, dtype=pl.Int32).alias("file_index"), place.alias("position"), pl.all())
            done += len(frame)

    def _sources(self) -> Iterator[Source]:
        header_at = pl.Series([None if self.state.is_provincial else self.state.header_at], dtype=UTC_TIME)
        for rows in self._rows():
            yield Source(
                rows,
                self.state.register,
                header_at,
                is_provincial=self.state.is_provincial,
                has_fullwidth=rows["text"].str.contains("；", literal=True).any(),
                has_bad_bytes=self.state.envelope.is_damaged,
                superseded=self.keys,
                aliases=self.state.landed.aliases,
            )

    def judged(self) -> Iterator[pl.DataFrame]:
        """The records, some at a time."""
        kind, is_closed = self.state.exchange_kind, self.state.envelope.is_closed
        for source in self._sources():
            if self.layout is not None:
                part = judge_as_other(self.layout, source)
                if part is not None:
                    yield part
                continue
            is_unclosed = source.rows["position"] == (0 if is_closed else self.state.sent)
            if is_unclosed.any():
                yield quarantine_unclosed(kind, source, source.rows.filter(is_unclosed))
                source = source.of(source.rows.filter(~is_unclosed))
            part = judge_records(kind, source)
            yield finish_lines([self.state], part) if self.state.is_provincial else part

    def _count_lines(self) -> None:
        """Lines say only together when the file was made, so they are gone through once more."""
        for source in self._sources():
            learn_from_lines([self.state], judge_records(self.state.exchange_kind, source))
        self.keys.close()
        for part in self.judged():
            count([self.state], part)

    def _count(self) -> None:
        state, before = self.state, self.state.codes.copy()
        for part in self.judged():
            count([state], part)
        state.codes["DUPLICATE_KEY"] += self.keys.close()
        if state.bad == state.sent:
            found = self._other_kind()
            if found is not None:
                self.layout, self.keys = found
                state.kind, state.bad, state.codes = self.layout.kind, 0, before
                for part in self.judged():
                    count([state], part)

    def _other_kind(self) -> tuple[Layout, _Keys] | None:
        fitting = []
        for layout in other_layouts(self.state.exchange_kind, next(self._sources()).rows["text"]):
            keys = _Keys()
            if all(judge_as_other(layout, replace(source, superseded=keys)) is not None for source in self._sources()):
                keys.close()
                fitting.append((layout, keys))
        return fitting[0] if len(fitting) == 1 else None


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _stripped(texts: Iterable[str]) -> Iterator[str]:
    """The text without blanks at its ends, whichever pieces they lie in; no piece is empty."""
    held, has_begun = "", False
    for text in texts:
        text = text if has_begun else text.lstrip()
        has_begun = has_begun or bool(text)
        text = held + text
        body = text.rstrip()
        held = text[len(body) :]
        if body:
            yield body


def _without_last(texts: Iterable[str], characters: int) -> Iterator[str]:
    held = ""
    for text in texts:
        text = held + text
        held = text[-characters:]
        yield text[:-characters]


def _without_ends(texts: Iterable[str]) -> Iterator[str]:
    """Without the first and the last character, which are quotes."""
    is_first = True
    for text in _without_last(texts, 1):
        yield text[1:] if is_first else text
        is_first = is_first and not text


def _cut_behind(texts: Iterable[str], separators: str) -> Iterator[str]:
    """The text in pieces that end behind a separator; the last one as it ends."""
    held = ""
    for text in texts:
        cut = max(text.rfind(separator) for separator in separators) + 1
        if cut:
            yield held + text[:cut]
            held = text[cut:]
        else:
            held += text
    if held:
        yield held

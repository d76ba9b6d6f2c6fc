"""From the bytes of one file to its header and its records' text: text or not, encoding, quotes, end mark, segments.

Everything here is per file; records are never touched one by one. The end mark is looked for in the bytes, before
decoding: a file that is still being written may end inside a character.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from minefusion.schemas.exchange.grammar import ENVELOPES, FIELD_SEPARATOR

BOM = b"\xef\xbb\xbf"
# Stands for a byte that is not UTF-8 in a file that otherwise is.
BAD_BYTE = "\U0010ffff"
# What a plain body must not hold: empty segments, further end marks, replacement characters, DEL, full-width semicolon.
ODD_BODY = "~~|~ |\\|\\||\ufffd|\x7f|；"
_BLANK = b" \t\r\n"
CONTROLS = bytes(set(range(32)) - set(b"\t\r\n")) + b"\x7f"
_QUOTED_END = re.compile(rb'(?:\|\||\]\]\])(?:\\[nrt]| )*"$')
# What Python puts in the place of a bad byte when it decodes with `surrogateescape`.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class Envelope:
    """One file, opened.

    Attributes:
        encoding: UTF-8 or GB18030; None where the bytes are not text.
        header: fields of the header; None where there is none.
        body: text of the records, joined by `separator`, without empty segments; bytes where it is plain UTF-8.
        records: how many records `body` holds.
        is_complete: the end mark stands at the very end.
        is_closed: the last record is closed by its separator or the end mark.
        has_early_mark: an end mark stands before the end.
        has_lone_quote: a quote stands at its start or end, but not at both.
        is_damaged: some of its bytes are not UTF-8 and stand as BAD_BYTE in the text.
        codes: warnings with their counts.
    """

    encoding: str | None
    header: tuple[str, ...] | None = None
    body: bytes | str = ""
    separator: str = "~"
    records: int = 0
    is_complete: bool = False
    is_closed: bool = True
    has_early_mark: bool = False
    has_lone_quote: bool = False
    is_damaged: bool = False
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def is_text(self) -> bool:
        return self.encoding is not None

    @property
    def may_do_without_end_mark(self) -> bool:
        """A mark stands earlier, so the sender writes them in the wrong place; the file is read as it is (PC-17)."""
        return self.has_early_mark and not self.has_lone_quote


def has_end_mark(content: bytes) -> bool:
    """An end mark stands at the very end; a quote at the start asks for one behind the mark."""
    content = content.removeprefix(BOM).strip(_BLANK)
    if content.startswith(b'"'):
        return bool(_QUOTED_END.search(content[-64:])) and len(content) > 1
    return content.endswith((b"||", b"]]]"))


@dataclass(frozen=True)
class Decoded:
    """`is_damaged`: it holds BAD_BYTE for bytes that are not UTF-8."""

    text: str
    encoding: str
    is_damaged: bool = False


def decode(content: bytes) -> Decoded | None:
    """The text and its encoding; None where the bytes are not text.

    UTF-8 with a few bad bytes stays UTF-8, each bad byte as BAD_BYTE: in GB18030 its Chinese would be garbage, and in
    a file that really is GB18030 nearly every Chinese character is a bad byte of UTF-8. An unfinished character at
    the end is left out.
    """
    if len(content.translate(None, CONTROLS)) != len(content):
        return None
    try:
        return Decoded(content.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError:
        pass
    text = content.decode("utf-8", "surrogateescape")
    bad, wide = bad_and_wide(text)
    if bad <= wide:
        return Decoded(mark_bad_bytes(text), "UTF-8", is_damaged=True)
    for end in range(len(content), max(len(content) - 4, 0), -1):
        try:
            return Decoded(content[:end].decode("gb18030"), "GB18030")
        except UnicodeDecodeError:
            continue
    return Decoded(mark_bad_bytes(text), "UTF-8", is_damaged=True) if is_mostly_utf8(bad, len(content)) else None


def bad_and_wide(text: str) -> tuple[int, int]:
    """Of a text decoded with `surrogateescape`: bytes that are not UTF-8, and characters of three bytes or more.

    Chinese characters are such.
    """
    good = np.frombuffer(text.encode("utf-8", "ignore"), np.uint8)
    characters = np.count_nonzero((good & 0xC0) != 0x80)
    return len(text) - int(characters), int(np.count_nonzero(good >= 0xE0))


def mark_bad_bytes(text: str) -> str:
    """The text with BAD_BYTE for each of them."""
    return _ESCAPED_BYTE.sub(BAD_BYTE, text)


def is_mostly_utf8(bad: int, size: int) -> bool:
    """So few bad bytes in a file that is no GB18030 either are damage, not another encoding."""
    return bad * 200 <= size


def open_plain(content: bytes) -> Envelope | None:
    """The envelope of a file that ends and begins plainly, found in its bytes; None where `open_text` must look.

    The body is left as bytes. It must turn out to be UTF-8 and free of ODD_BODY, else `open_text` must look too.
    """
    content = content.removeprefix(BOM).strip(_BLANK)
    if not content.endswith(b"||") or content.endswith(b"~~||") or content.startswith(b'"'):
        return None
    if np.frombuffer(content, np.uint8).min() < 32:
        return None
    end = len(content) - (3 if content[-3:-2] == b"~" else 2)
    cut = content.find(b"~", 0, end)
    head = content[: end if cut < 0 else cut]
    if b"|" in head or not head.strip() or content[cut + 1 : cut + 2] in (b"~", b" "):
        return None
    try:
        header = tuple(head.decode().split(FIELD_SEPARATOR))
    except UnicodeDecodeError:
        return None
    body = content[cut + 1 : end] if cut >= 0 else b""
    records = body.count(b"~") + 1 if body else 0
    return Envelope("UTF-8", header, body, records=records, is_complete=True)


def open_text(content: bytes) -> Envelope:
    """The envelope of any file with segments."""
    decoded = decode(content)
    if decoded is None:
        return Envelope(encoding=None)
    text, encoding = decoded.text, decoded.encoding
    codes: Counter[str] = Counter()
    if encoding != "UTF-8":
        codes["ENCODING_GB18030"] = 1
    is_complete = has_end_mark(content)
    text = text.removeprefix("\ufeff").strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        codes["QUOTED_FILE"] = 1
        text = (unescaped(text) or text[1:-1]).strip()
    has_lone_quote = text.startswith('"') or text.endswith('"')
    text = without_breaks(text, codes)
    codes["REPLACEMENT_CHARS"] = text.count("\ufffd")
    separator, mark = next((e for e in ENVELOPES.values() if text.endswith(e[1])), ENVELOPES["tilde"])
    # A GB18030 character may end in the byte of a mark, so the text has the last word.
    is_complete = is_complete and text.endswith(mark)
    if is_complete:
        text = text.removesuffix(mark)
    envelope = Envelope(encoding, separator=separator, is_complete=is_complete, codes=codes)
    envelope.has_lone_quote, envelope.is_damaged = has_lone_quote, decoded.is_damaged
    return _segments(text, separator, mark, envelope)


def unescaped(text: str) -> str | None:
    """A JSON string undone, its quotes included; None where the text is none."""
    try:
        return without_lone_surrogates(str(json.loads(text, strict=False)))
    except json.JSONDecodeError:
        return None


def without_lone_surrogates(text: str) -> str:
    """JSON can spell half a character (an emoji cut in two, say), which no table can hold: U+FFFD in its place."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def without_breaks(text: str, codes: Counter[str]) -> str:
    """The text without the line breaks inside it; those at its ends are to be stripped before."""
    if "\n" in text or "\r" in text:
        text, count = _LINE_BREAK.subn("", text)
        codes["LINE_BREAKS"] += count
    return text


def _segments(text: str, separator: str, mark: str, envelope: Envelope) -> Envelope:
    """Fill in header and body from the text without its end mark."""
    head, body = take_header(text, separator, mark, envelope.codes)
    envelope.header = tuple(head.split(FIELD_SEPARATOR)) if head.strip() else None
    envelope.is_closed = envelope.is_complete or not body or body.endswith(separator)
    envelope.body = clean_segments(body, separator, mark, envelope.codes)
    envelope.has_early_mark = envelope.codes["EARLY_END_MARK"] > 0
    envelope.records = count_segments(envelope.body, separator)
    return envelope


def count_segments(body: str, separator: str) -> int:
    return body.count(separator) + 1 if body else 0


def take_header(text: str, separator: str, mark: str, codes: Counter[str]) -> tuple[str, str]:
    """The first segment that holds anything, without end marks, and the text behind its separator.

    Vendor I writes the mark behind the header too, before or behind the separator.
    """
    cut, body = separator, text
    while cut:
        head, cut, body = body.partition(separator)
        bare = head.strip()
        while bare.startswith(mark) or bare.endswith(mark):
            bare = bare.removeprefix(mark).removesuffix(mark).strip()
            codes["EARLY_END_MARK"] += 1
        if bare:
            return bare, body
        codes["EMPTY_SEGMENT"] += int(bool(cut) and not head.strip())
    return "", body


def clean_segments(body: str, separator: str, mark: str, codes: Counter[str]) -> str:
    """Whole segments, joined by their separator: without end marks at their starts and without blank ones."""
    sep = re.escape(separator)
    if mark in body:
        at_start, marks = rf"(?:^|(?<={sep}))\s*", rf"(?:{re.escape(mark)})+"
        body, alone = re.subn(rf"{at_start}{marks}\s*(?:{sep}|$)", "", body)
        body, before = re.subn(at_start + marks, "", body)
        codes["EARLY_END_MARK"] += alone + before
    if not body:
        return body
    body, empty = re.subn(rf"{sep}\s*(?={sep}|$)", "", separator + body.removesuffix(separator))
    codes["EMPTY_SEGMENT"] += empty
    return body[1:]

"""How many records a file holds, counted from its bytes alone.

Knows nothing of the reader on purpose: the row balance compares what was sent, counted here, with what the reader
stored, quarantined or refused, and so can find a record that the reader lost.
"""

from __future__ import annotations

import json
import re

from minefusion.schemas.exchange.grammar import kind_of_name, kinds, provincial_kind_of_name

# A segment that holds more than blanks and end marks.
_TILDE = re.compile(rb"(?:^|~)(?:\s|\|\|)*+[^~\s][^~]*")
_CARET = re.compile(rb"(?:^|\^)(?:\s|\]\]\])*+[^\^\s][^\^]*")
_LINE = re.compile(rb"(?m)^(?!\s*(?:\|\|)?\s*$).+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def count_records(name: str, content: bytes, provincial: bool = False) -> int:
    """Records between header and end mark; lines of a provincial file; entries of a JSON document.

    Content that is not text holds none. `provincial`: the file lies in a feed that is configured as provincial.
    """
    named = kind_of_name(name)
    if provincial and named is None and provincial_kind_of_name(name) is not None:
        return sum(1 for _ in _LINE.finditer(_as_utf8(content).replace(b"\r", b"\n")))
    text = _as_utf8(content)
    if named is not None and named.is_known and kinds()[named.kind].is_document:
        return _entries(text, kinds()[named.kind].envelope)
    text = text.removeprefix("\ufeff".encode()).strip()
    if text[:1] == text[-1:] == b'"':
        text = re.sub(rb"\\[rnt]", b" ", text[1:-1]).rstrip()
    segments = _CARET if text.endswith(b"]]]") else _TILDE
    return max(sum(1 for _ in segments.finditer(text)) - 1, 0)


def _entries(text: bytes, envelope: str) -> int:
    """Entries of a document: its list, the list under `data`, or what the body of a message lists."""
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return 0
    entries = document
    if envelope != "array":
        entries = document.get("data" if envelope == "json" else "body") if isinstance(document, dict) else None
    if envelope == "message" and isinstance(entries, dict):
        return len(entries["rows"]) if isinstance(entries.get("rows"), list) else 1
    return len(entries) if isinstance(entries, list) else 0


def _as_utf8(content: bytes) -> bytes:
    """The content in UTF-8, in whose bytes separators stand for nothing else; empty where it is not text."""
    if _CONTROLS.search(content):
        return b""
    try:
        content.decode()
    except UnicodeDecodeError:
        return _from_gb18030(content)
    return content


def _from_gb18030(content: bytes) -> bytes:
    damaged = content.decode("utf-8", "surrogateescape")
    bad = len(re.findall(r"[\udc80-\udcff]", damaged))
    if bad <= len(re.findall(r"[\u0800-\ud7ff\ue000-\U0010ffff]", damaged)):
        return content
    for end in range(len(content), max(len(content) - 4, 0), -1):
        try:
            return content[:end].decode("gb18030").encode()
        except UnicodeDecodeError:
            continue
    return content if bad * 200 <= len(content) else b""

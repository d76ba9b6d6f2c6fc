"""JSON documents: slope (GNSS) files, the video payloads of MT/T 1201.6, and fusion messages (PC-85).

Entries have members by name (PC-57). These files hold a few dozen of them, so a document is opened by Python's JSON
reader; its members are columns from there on. Pictures stay outside: an entry keeps their digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from minefusion.pipelines.bridges.message import RefusedError, Rules, read_envelope, read_message
from minefusion.pipelines.exchange.envelope import without_lone_surrogates
from minefusion.pipelines.exchange.records import RECORD, Source, judge_columns, quarantine
from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, MINE_UTC_OFFSET_H, RESERVED, Kind, kinds

# Members that hold pictures.
PICTURES = ("basicImageBase64", "imagesBase64")
_DATA_URI = re.compile(r"^data:image/[a-z+.-]+;base64,")
# A message in a file may be as large as the file may.
_MOST_BYTES, _MOST_ROWS = 1 << 30, 10_000_000
# Why a message is refused → the report that says so.
_REFUSALS = {
    "MINE_UNKNOWN": "MINE_MISMATCH",
    "LEVEL": "SECURITY_LEVEL",
    "SIGNATURE": "SIGNATURE_WRONG",
    "KIND_UNKNOWN": "MESSAGE_KIND",
    "OPERATION": "MESSAGE_KIND",
    "COLUMNS": "MESSAGE_KIND",
    "DATA_KIND": "MESSAGE_KIND",
}
_ENVELOPE = ("schema", "msg_id", "mine_code", "system_code", "source_id", "data_kind", "produced_at", "sent_at", "seq",
             "security_level")  # fmt: skip
MESSAGE_ID = _ENVELOPE.index("msg_id")
_BLANK = str.maketrans(dict.fromkeys(RESERVED, " "))


@dataclass(frozen=True)
class Document:
    """The document's upload time as text, what else its envelope says, and the text of each entry.

    Attributes:
        kind: of the records, where the document says it itself.
        refused: code of the report that says why it is not taken; '' where it is.
        sent: entries that it holds, where they are not at hand because it is refused.
    """

    send_time: str
    header: tuple[str, ...]
    entries: list[str]
    kind: str = ""
    refused: str = ""
    sent: int = 0


def open_document(kind: Kind, text: str, mine_code: str, secret: str) -> Document | None:
    """None where the text is no such document, or none yet.

    Args:
        mine_code: what the file's name says.
        secret: key by which messages are signed; with '' no signature is asked for.
    """
    try:
        told = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    if kind.envelope == "message":
        return _message(told, text, mine_code, secret) if isinstance(told, dict) else None
    if kind.envelope == "array":
        entries = told if isinstance(told, list) else None
        send_time, rest = "", []
    else:
        entries = told.get("data") if isinstance(told, dict) else None
        send_time = str(told.get("send_time") or "") if isinstance(told, dict) else ""
        rest = [str(value) for name, value in told.items() if name != "data" and value is not None] if entries else []
    if not isinstance(entries, list):
        return None
    texts = [_compact(_without_pictures(entry)) for entry in entries]
    return Document(send_time, tuple(map(without_lone_surrogates, rest)), texts)


def judge_entries(kind: Kind, source: Source) -> pl.DataFrame:
    """Entries as records: raw is the entry, the canonical text its members in the layout's order."""
    is_object = source.rows["text"].str.starts_with("{")
    others = source.rows.filter(~is_object)
    rows = source.rows.filter(is_object).with_columns(pl.col("text").alias("raw"))
    done = []
    if kind.envelope == "array" and source.mines is not None:
        told = rows["text"].str.json_path_match("$.mineCode").fill_null("")
        mine = source.mines.gather(rows["file_index"])
        is_other = (told != "") & (told.str.to_uppercase() != mine.str.to_uppercase())
        zh, en = pl.lit("mineCode 与文件名的煤矿编码不同"), pl.lit("mineCode is not the mine of the file's name")
        done.append(quarantine(kind, source, rows.filter(is_other), pl.lit("FIELD_TYPE"), zh, en))
        rows = rows.filter(~is_other)
    layout = kind.layout()
    parts = [
        rows["text"]
        .str.json_path_match(f"$.{column}")
        .fill_null("")
        .str.replace_all(FIELD_SEPARATOR, " ", literal=True)
        for column in layout.columns
    ]
    if len(rows):
        done.append(judge_columns(layout, source.of(rows), parts))
    if len(others):
        zh, en = pl.lit("应为JSON对象"), pl.lit("expected a JSON object")
        done.append(quarantine(kind, source, others, pl.lit("FIELD_TYPE"), zh, en))
    done = [part for part in done if len(part)]
    return pl.concat(done, rechunk=False) if done else pl.DataFrame(schema=RECORD)


# ── pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without_pictures(entry: Any) -> Any:
    """The entry with the digests of its pictures in their place; lists of texts joined by &."""
    if not isinstance(entry, dict):
        return entry
    kept = {}
    for name, value in entry.items():
        if name in PICTURES:
            pictures = value if isinstance(value, list) else [value]
            kept[name] = "&".join(filter(None, map(_digest, pictures)))
        elif isinstance(value, list):
            kept[name] = "&".join(map(str, value))
        else:
            kept[name] = value
    return kept


def _digest(picture: Any) -> str:
    """`sha256:…` of a picture's bytes; '' where it is none: a broken picture loses the picture, not the event."""
    if not isinstance(picture, str) or not picture:
        return ""
    try:
        content = base64.b64decode(_DATA_URI.sub("", picture), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _compact(entry: Any) -> str:
    return without_lone_surrogates(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _message(told: Mapping[str, Any], text: str, mine_code: str, secret: str) -> Document:
    """A message as a document: values and texts become records of their own kind of file, media those of `message`."""
    header = tuple(without_lone_surrogates(str(told.get(name, ""))) for name in _ENVELOPE)
    at, body = _local(told.get("produced_at"))[:19], told.get("body")
    rules = Rules({mine_code: ""}, _MOST_BYTES, _MOST_ROWS, secret.encode() or None)
    try:
        if told.get("data_kind") == "av":
            read_envelope(text.encode(), rules)
            return Document(at, header, [_media(body)], kind="message")
        message = read_message(text.encode(), rules)
    except RefusedError as refused:
        code = _REFUSALS.get(refused.code, "MESSAGE_UNREADABLE")
        return Document(at, header, [], refused=code, sent=_entries_of(body))
    columns = kinds()[message.kind].layout().columns
    rows = [FIELD_SEPARATOR.join((row.get(name) or "").translate(_BLANK) for name in columns) for row in message.rows]
    return Document(at, header, list(map(without_lone_surrogates, rows)), kind=message.kind)


def _entries_of(body: Any) -> int:
    if isinstance(body, dict):
        return len(body["rows"]) if isinstance(body.get("rows"), list) else 1
    return len(body) if isinstance(body, list) else 0


def _media(body: Any) -> str:
    """An audio or video body as one entry: its own members and those of its event, instants in mine local time."""
    if not isinstance(body, dict):
        return _compact(body)
    told_event = body.get("event")
    event: dict[str, Any] = told_event if isinstance(told_event, dict) else {}
    entry = {name: value for name, value in {**event, **body}.items() if name != "event" and value is not None}
    for name in ("begin", "end", "report_time"):
        told = entry.get(name) or event.get(f"{name}_time")
        if told:
            entry[name] = _local(told) or told
    if isinstance(entry.get("boxes"), list):
        entry["boxes"] = json.dumps(entry["boxes"], separators=(",", ":")).translate(_BLANK)
    return _compact(entry)


def _local(told: Any) -> str:
    """An ISO instant with offset as exchange files have it, with its milliseconds where it has some; '' for others."""
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return ""
    if at.tzinfo is None:
        return ""
    local = at.astimezone(UTC) + timedelta(hours=MINE_UTC_OFFSET_H)
    parts = f".{local.microsecond // 1000:03d}" if local.microsecond >= 1000 else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{parts}"

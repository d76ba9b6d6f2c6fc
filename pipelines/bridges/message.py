"""One message of a live feed (PC-85): read with distrust, and turned into records of an exchange file."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H, kinds
from minefusion.schemas.fusion_message import SCHEMA, signature
from minefusion.schemas.sensors import sensor_type

# Sensing data become value files of safety monitoring.
VALUES = "CDSS"
# A value that its sender calls bad and gives no reason for counts as one of a faulty sensor.
SENSOR_FAULT = 128
_FAULTS = 0b11110100  # calibration, substation fault, not polled, suspended, sensor fault
_NAMESPACE = uuid.UUID("6d1c1f0e-7a38-5f0a-9f0d-3a8f7f2b9c11")

Row = dict[str, Any]
# A record as an exchange file holds it: texts by column.
Record = dict[str, str | None]


class RefusedError(ValueError):
    """Why a message is not taken: a code, and what was expected and came."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True)
class Rules:
    """What a message must keep to.

    Attributes:
        mines: mine code → name; messages of other mines are refused.
        most_bytes, most_rows: of one message.
        secret: key of the signature; with one, a message without a right signature is refused.
    """

    mines: Mapping[str, str]
    most_bytes: int = 1 << 20
    most_rows: int = 20_000
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Message:
    """A message that was understood: records of one kind of exchange file.

    Attributes:
        msg_id: the same message has the same, however often it comes.
        source_id, seq: a jump of `seq` within a source is a gap; null where the sender does not count.
    """

    msg_id: uuid.UUID
    mine_code: str
    source_id: str
    seq: int | None
    kind: str
    rows: tuple[Record, ...]


def read_message(payload: bytes, rules: Rules) -> Message:
    """Understand a message.

    Raises:
        RefusedError: it does not keep to the rules.
    """
    told = read_envelope(payload, rules)
    if told.get("data_kind") == "sensing":
        kind, rows = VALUES, _sensed(told.get("body"), rules)
    elif told.get("data_kind") == "text":
        kind, rows = _texts(told.get("body"), rules)
    else:
        raise RefusedError("DATA_KIND", "expected data_kind sensing or text; pictures and clips come as files")
    return Message(
        uuid.UUID(told["msg_id"]), told["mine_code"], _text(told, "source_id"), told["seq"], kind, tuple(rows)
    )


def read_envelope(payload: bytes, rules: Rules) -> Row:
    """The message as it was sent, when everything around its body is in order.

    Raises:
        RefusedError: it does not keep to the rules.
    """
    if len(payload) > rules.most_bytes:
        raise RefusedError("TOO_LARGE", f"expected at most {rules.most_bytes} bytes, got {len(payload)}")
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        raise RefusedError("NO_JSON", "expected one JSON object in UTF-8") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise RefusedError("SCHEMA_UNKNOWN", f"expected schema '{SCHEMA}'")
    mine = _text(told, "mine_code")
    if mine not in rules.mines:
        raise RefusedError("MINE_UNKNOWN", f"expected one of the bridge's mines, got '{mine[:20]}'")
    if told.get("security_level") not in ("L1", "L2", "L3"):
        raise RefusedError("LEVEL", "expected security_level L1, L2 or L3; L4 is not taken in")
    if rules.secret is not None and not _is_signed(told, rules.secret):
        raise RefusedError("SIGNATURE", "expected a signature, the HMAC-SHA-256 of the body, by the shared key")
    for name in ("produced_at", "sent_at"):
        _instant(told, name)
    seq = told.get("seq")
    if type(seq) is not int or seq < 0:
        raise RefusedError("FIELD", "expected seq as a whole number")
    _text(told, "source_id")
    try:
        uuid.UUID(_text(told, "msg_id"))
    except ValueError:
        raise RefusedError("FIELD", "expected msg_id as a UUID") from None
    return told


def point_value(
    mine: str,
    point_code: str,
    value: float | str | None,
    at: datetime,
    *,
    about: Mapping[str, str] | None = None,
    is_bad: bool = False,
) -> Message:
    """One value of one point, from a feed that knows no messages; the same value of the same instant is the same.

    Args:
        about: sensor_type_name, location and unit, as far as known.
    """
    identity = uuid.uuid5(_NAMESPACE, f"{mine}|{point_code}|{at.astimezone(UTC).isoformat()}|{value}|{is_bad}")
    status = SENSOR_FAULT if is_bad else 0
    record: Record = {
        "point_code": point_code,
        "value": _as_text(value),
        "status": str(status),
        "data_time": _local(at),
    }
    return Message(identity, mine, point_code, None, VALUES, (record | dict(about or {}),))


def read_value(payload: bytes, mine: str, point_code: str, received_at: datetime) -> Message:
    """A payload that is one value: a number, or an object with `value`, and `ts` and `is_bad` where they are known.

    Raises:
        RefusedError: it is neither.
    """
    try:
        told = json.loads(payload[: 1 << 12])
    except (ValueError, RecursionError):
        told = None
    at, is_bad = received_at, False
    if isinstance(told, dict):
        at = _instant(told, "ts") if "ts" in told else received_at
        is_bad = told.get("is_bad") is True
        told = told.get("value")
    if type(told) not in (int, float):
        raise RefusedError("NO_VALUE", "expected a number, or an object with a number as value")
    return point_value(mine, point_code, told, at, is_bad=is_bad)


def _is_signed(told: Row, secret: bytes) -> bool:
    given = told.get("signature")
    return isinstance(given, str) and hmac.compare_digest(given.encode(), signature(told.get("body"), secret).encode())


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise RefusedError("FIELD", f"expected {name} as a text of 1 to 200 characters")
    return value


def _instant(told: Mapping[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(told, name))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise RefusedError("FIELD", f"expected {name} as ISO 8601 with an offset")
    return at


def _rows_of(body: Any, rules: Rules) -> list[Any]:
    if not isinstance(body, list) or not 0 < len(body) <= rules.most_rows:
        raise RefusedError("BODY", f"expected 1 to {rules.most_rows} rows in the body")
    return body


def _local(at: datetime) -> str:
    """An instant as exchange files have it."""
    return f"{at.astimezone(UTC) + timedelta(hours=MINE_UTC_OFFSET_H):%Y-%m-%d %H:%M:%S}"


def _as_text(cell: Any) -> str | None:
    return None if cell is None else str(cell)


def _sensed(body: Any, rules: Rules) -> list[Record]:
    rows: list[Record] = []
    for sent in _rows_of(body, rules):
        if not isinstance(sent, dict):
            raise RefusedError("BODY", "expected each row of the body as an object")
        value, status = sent.get("value"), sent.get("status", 0)
        if not (value is None or type(value) in (int, float, str)) or type(status) is not int or not 0 <= status <= 255:
            raise RefusedError("BODY", "expected value as a number and status as bits from 0 to 255")
        if sent.get("quality") == "BAD" and not status & _FAULTS:
            status |= SENSOR_FAULT
        known = sensor_type(str(sent.get("type_code") or ""))
        rows.append(
            {
                "point_code": _text(sent, "point_code"),
                "sensor_type_name": known.name_zh if known else None,
                "value": _as_text(value),
                "unit": sent.get("unit") if isinstance(sent.get("unit"), str) else None,
                "status": str(status),
                "data_time": _local(_instant(sent, "ts")),
            }
        )
    return rows


def _texts(body: Any, rules: Rules) -> tuple[str, list[Record]]:
    if not isinstance(body, dict):
        raise RefusedError("BODY", "expected the body of a text message as an object")
    kind, columns = str(body.get("file_code")), body.get("columns")
    if kind not in kinds() or kinds()[kind].envelope == "lines":
        raise RefusedError("KIND_UNKNOWN", f"expected file_code as a kind of exchange file, got '{kind[:20]}'")
    if body.get("operation") not in ("snapshot", "upsert"):
        raise RefusedError("OPERATION", "expected operation snapshot or upsert; an exchange file cannot delete")
    known = kinds()[kind].layout("").columns
    if not isinstance(columns, list) or not columns or not set(map(str, columns)) <= set(known):
        raise RefusedError("COLUMNS", f"expected columns of {kind}: {', '.join(known)}")
    rows: list[Record] = []
    for row in _rows_of(body.get("rows"), rules):
        if not isinstance(row, list) or len(row) != len(columns):
            raise RefusedError("BODY", "expected each row as a list as long as columns")
        if not all(cell is None or type(cell) in (str, int, float, bool) for cell in row):
            raise RefusedError("BODY", "expected texts and numbers in the rows")
        rows.append(dict(zip(columns, map(_as_text, row), strict=True)))
    return kind, rows

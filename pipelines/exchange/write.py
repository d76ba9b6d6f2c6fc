"""Write exchange files from the same grammar that the reader has: main forms, or a dialect asked for by its key.

PC-3: UTF-8 without BOM or line breaks; what separates fields and records becomes a blank inside a text; a file gets
its name only when it is complete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import (
    ENVELOPES,
    FIELD_SEPARATOR,
    MINE_UTC_OFFSET_H,
    RESERVED,
    Kind,
    Layout,
    kinds,
)

Records: TypeAlias = pl.DataFrame | pa.Table | Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]

# What a text may not hold: separators, line breaks and other control characters; between lines also the quote.
_CONTROLS = "".join(map(chr, (*range(32), 127)))
_BLANK = str.maketrans(dict.fromkeys(RESERVED + _CONTROLS, " "))
_BLANK_IN_LINES = _BLANK | {ord('"'): " "}

_TIME_FORMATS = {
    "moment": "%Y-%m-%d %H:%M:%S%.3f",
    "slash_datetime": "%Y/%m/%d %H:%M:%S",
    "joined_datetime": "%Y-%m-%d/%H:%M:%S",
}
_DATE_TYPES = ("date", "birth_date", "expiry_date", "define_date")
_LOCAL = timedelta(hours=MINE_UTC_OFFSET_H)


def cleaned(text: str) -> str:
    """The text as the writer puts it into a field (PC-3)."""
    return text.translate(_BLANK)


def file_name(kind: str, mine_code: str, time: datetime, dialect: str = "") -> str:
    """Plain name of a file; provincial names end in the kind and have no extension."""
    stamp = _local(time).strftime("%Y%m%d%H%M%S")
    known = _kind(kind)
    if known.envelope == "lines" or any(la.folder == "prov" for la in known.layouts if la.dialect == dialect):
        return f"{mine_code}_{stamp}_{kind}"
    return f"{mine_code}_{kind}_{stamp}.{'json' if known.is_document else 'txt'}"


def write_file(
    folder: Path,
    kind: str,
    mine_code: str,
    mine_name: str,
    time: datetime,
    records: Records,
    *,
    dialect: str = "",
    header: Mapping[str, Any] | None = None,
) -> int:
    """Write one file and say how many records it holds. The folder must exist.

    Args:
        time: upload time in the header and stamp of the name; without a time zone it is mine local time.
        records: by column of the layout; a column that is left out is empty. Instants with a time zone are written
            in mine local time, other values as they read.
        dialect: key of a dialect; the main form without it.
        header: further header fields by column, such as `system_name`.

    Raises:
        InputError: unknown kind, dialect or column.
    """
    frame = _frame(records)
    content = render(kind, mine_code, mine_name, time, frame, dialect=dialect, header=header)
    path = folder / file_name(kind, mine_code, time, dialect)
    part = path.with_name(path.name + ".tmp")
    part.write_bytes(content)
    part.rename(path)
    return len(frame)


def render(
    kind: str,
    mine_code: str,
    mine_name: str,
    time: datetime,
    records: Records,
    *,
    dialect: str = "",
    header: Mapping[str, Any] | None = None,
) -> bytes:
    """Content of the file that `write_file` writes."""
    known = _kind(kind)
    try:
        layout = known.layout(dialect)
    except KeyError:
        keys = ", ".join(layout.dialect for layout in known.layouts if layout.dialect) or "none"
        raise InputError(f"expected a dialect of {kind} ({keys}), got '{dialect}'") from None
    frame = _frame(records)
    unknown = set(frame.columns) - set(layout.columns)
    if unknown:
        raise InputError(
            f"expected columns of {kind} records, got '{min(unknown)}'; it has {', '.join(layout.columns)}"
        )
    if known.envelope == "message":
        raise InputError("expected a kind of file that holds records, got 'message'; a gateway writes messages")
    if known.is_document:
        return _json(layout, frame, time, has_envelope=known.envelope == "json")
    if layout.folder == "prov":
        return _joined(layout, frame, "\n", _BLANK_IN_LINES)
    separator, end_mark = ENVELOPES[known.envelope]
    given = {"mine_code": mine_code, "mine_name": mine_name, "data_time": time, "declared_count": len(frame)}
    parts = [_header(known, dialect, given | dict(header or {})).encode()]
    if len(frame):
        parts.append(_joined(layout, frame, separator, _BLANK))
    return separator.encode().join([*parts, end_mark.encode()])


def _kind(kind: str) -> Kind:
    if kind not in kinds():
        raise InputError(f"expected a file kind of the exchange format, got '{kind}'")
    return kinds()[kind]


def _frame(records: Records) -> pl.DataFrame:
    if isinstance(records, pl.DataFrame):
        return records
    if isinstance(records, pa.Table):
        return pl.DataFrame(pl.from_arrow(records))
    if isinstance(records, Mapping):
        return pl.DataFrame(dict(records), strict=False)
    return pl.from_dicts(list(records), infer_schema_length=None) if records else pl.DataFrame()


def _local(time: datetime) -> datetime:
    """Mine local time without a zone."""
    return time if time.tzinfo is None else (time - time.utcoffset() + _LOCAL).replace(tzinfo=None)  # type: ignore[operator]


def _header(kind: Kind, dialect: str, values: Mapping[str, Any]) -> str:
    form = kind.header_form(dialect)
    unknown = set(values) - {field.column for field in form} - {"mine_code", "mine_name", "data_time", "declared_count"}
    if unknown:
        raise InputError(f"expected header fields of {kind.kind}, got '{min(unknown)}'")
    return FIELD_SEPARATOR.join(_header_text(values.get(field.column)) for field in form)


def _header_text(value: Any) -> str:
    if value is None:
        return ""
    return _local(value).strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else cleaned(str(value))


def _joined(layout: Layout, frame: pl.DataFrame, separator: str, blank: dict[int, str]) -> bytes:
    """All records. Cleaning each cell costs more than the rest together, so it is done only where a cell needs it."""
    if not len(frame):
        return b""
    columns = {column: _column_text(column, field.type, frame) for field in layout.fields for column in field.columns}

    def join(texts: Mapping[str, pl.Expr]) -> bytes:
        fields = [pl.concat_str([texts[name] for name in field.columns]) for field in layout.fields]
        return separator.join(frame.select(pl.concat_str(fields, separator=FIELD_SEPARATOR)).to_series()).encode()

    content = join(columns)
    fields, records = content.count(FIELD_SEPARATOR.encode()), content.count(separator.encode())
    unclean = bytes(set(blank) - {ord(FIELD_SEPARATOR), ord(separator)})
    as_expected = fields == len(frame) * (len(layout.fields) - 1) and records == len(frame) - 1
    if as_expected and len(content.translate(None, unclean)) == len(content):
        return content
    pattern = "[" + re.escape("".join(map(chr, blank))) + "]"
    return join({name: text.str.replace_all(pattern, " ") for name, text in columns.items()})


def _column_text(column: str, field_type: str, frame: pl.DataFrame) -> pl.Expr:
    if column not in frame.columns:
        return pl.lit("")
    value, dtype = pl.col(column), frame.schema[column]
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            value = value.dt.convert_time_zone("UTC").dt.replace_time_zone(None) + _LOCAL
        date_only = field_type in _DATE_TYPES
        value = value.dt.strftime("%Y-%m-%d" if date_only else _TIME_FORMATS.get(field_type, "%Y-%m-%d %H:%M:%S"))
    elif dtype == pl.Date:
        value = value.dt.strftime("%Y-%m-%d")
    elif dtype == pl.Boolean:
        value = value.cast(pl.Int8).cast(pl.String)
    elif dtype != pl.String:
        value = value.cast(pl.String)
    return value.fill_null("")


def _json(layout: Layout, frame: pl.DataFrame, time: datetime, *, has_envelope: bool) -> bytes:
    """A document of entries, in an object that tells the time (GNSS) or alone (video): members by name, `a.b` inside a
    member; an empty value is left out."""
    entries: list[dict[str, Any]] = []
    unclean = "[" + re.escape("".join(map(chr, _BLANK))) + "]"
    texts = [
        _column_text(column, "text", frame).str.replace_all(unclean, " ").alias(column) for column in layout.columns
    ]
    for row in frame.select(texts).iter_rows(named=True) if len(frame) else ():
        entry: dict[str, Any] = {}
        for column, text in row.items():
            if text:
                outer, _, inner = column.rpartition(".")
                (entry.setdefault(outer, {}) if outer else entry)[inner] = text
        entries.append(entry)
    document = {"send_time": _header_text(time), "data": entries} if has_envelope else entries
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

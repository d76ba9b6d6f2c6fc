"""The exchange format as data: file kinds, record layouts with their dialects, headers, dictionaries, report codes.

Reader and writer both derive from these rows; adding a file kind or a dialect is adding rows to the CSV files beside
this module:

- `kinds.csv`: one row per file kind; `*` in a kind's name stands for each prefix of key equipment. A dialect with a
  header form or a feed folder of its own names it there, as `dialect:form` or `dialect:folder`.
- `record_fields.csv`: one row per field of a record layout (kind, dialect). Types: see `FIELD_TYPES`. Roles: `key`
  (identity of a record), `required` (empty: the record cannot be used), `one` (at least one of these is filled),
  `time` (when the record happened), `personal` (removed before anything is stored).
- `header_fields.csv`: the header forms. `dictionaries.csv`, `sentinels.csv`: states, and texts that mean "not set".
- `reports.csv`: what the reader reports, in words.

Confidence of each row: `confirmed` (read in at least one working implementation), `one writer`, `one reader`,
`inferred`, `convention` (this project's own choice).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType

from minefusion.schemas.facts import cells

# Where the rows lie.
PACKAGE = "minefusion.schemas.exchange"
# Exchange files are in mine local time, which is UTC+8 for every mine of the specification.
MINE_UTC_OFFSET_H = 8
FIELD_SEPARATOR = ";"
# Segment separator and end mark by kind of envelope. Readers go by a file's last characters, never by its name.
ENVELOPES: Mapping[str, tuple[str, str]] = MappingProxyType({"tilde": ("~", "||"), "caret": ("^", "]]]")})
# Envelopes that are JSON documents.
DOCUMENTS = ("json", "array", "message")
# What the cleaning rule PC-3 turns into a blank inside a text.
RESERVED = ";~|^"

WAIT_S = 600.0  # a file without its end mark is waited for so long after it last grew
PROVINCIAL_WAIT_S = 30.0  # provincial files have no end mark: complete when they have stood still so long (PC-18)
AHEAD_S = 300.0  # clocks may differ by so much
WORST_SHARE = 0.20  # of the records; above it the whole file is refused


@dataclass(frozen=True)
class FieldType:
    """What a field of this type should hold, in words. What a reader accepts beyond that is in the reader."""

    zh: str
    en: str


FIELD_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        "text": FieldType("文本", "text"),
        "code": FieldType("编码", "a code"),
        "point_code": FieldType("测点编码", "a point code"),
        "serial_code": FieldType("由数字和大写字母组成的编码", "a code of digits and capital letters"),
        "digits": FieldType("与煤矿编码配套长度的数字编码", "digits, as many as go with the mine's code"),
        "sensor_type": FieldType("传感器类型编码", "a sensor type code"),
        "relation": FieldType("传感器关联关系", "a relation of points"),
        "list": FieldType("以&和,分隔的列表", "items joined by & and ,"),
        "number": FieldType("数值", "a decimal number"),
        "value": FieldType("测量值", "a measured number"),
        "limit": FieldType("门限值", "a threshold"),
        "coordinate": FieldType("坐标", "a coordinate"),
        "number_list": FieldType("数值或以&分隔的数值", "a number, or numbers joined by &"),
        "int": FieldType("整数", "a whole number"),
        "switch": FieldType("开关状态", "a state out of"),
        "choice": FieldType("代码", "one of"),
        "listed_code": FieldType("代码", "a code"),
        "status": FieldType("状态位之和", "a sum of status bits"),
        "datetime": FieldType("日期时间 yyyy-MM-dd HH:mm:ss", "a date-time yyyy-MM-dd HH:mm:ss"),
        "moment": FieldType("日期时间，可带毫秒", "a date-time, milliseconds allowed"),
        "end_time": FieldType("日期时间，未结束时为空", "a date-time, empty while open"),
        "define_time": FieldType("日期时间或日期", "a date-time or a date"),
        "define_date": FieldType("日期或日期时间", "a date or a date-time"),
        "slash_datetime": FieldType("日期时间 yyyy/MM/dd HH:mm:ss", "a date-time yyyy/MM/dd HH:mm:ss"),
        "joined_datetime": FieldType("日期时间 yyyy-MM-dd/HH:mm:ss", "a date-time yyyy-MM-dd/HH:mm:ss"),
        "two_times": FieldType("两个日期时间", "two date-times"),
        "date": FieldType("日期 yyyy-MM-dd", "a date yyyy-MM-dd"),
        "birth_date": FieldType("出生日期", "a date of birth"),
        "expiry_date": FieldType("有效日期", "an expiry date"),
        "empty": FieldType("空", "nothing"),
    }
)

# PC-1. The first 14 digits of the stamp are the time.
_NAME = re.compile(
    r"^(?:(?P<mine>[0-9A-Z]{10,20})_|(?P<mine_only_digits>[0-9]{10,20}))"
    r"(?P<type>[A-Z]{4,17}(?:_(?:JC|SS|YC))?)_?"
    r"(?P<stamp>[0-9]{14,20}|[0-9]{4}-[0-9]{2}-[0-9]{2}[ _T][0-9]{2}[:_][0-9]{2}[:_][0-9]{2})"
    r"(?P<random>_[0-9]{1,6})?\.(?:txt|json)$",
    re.IGNORECASE,
)
_PLAIN_NAME = re.compile(r"^[0-9A-Z]{10,20}_[A-Z]{4,12}(?:_(?:JC|SS|YC))?_[0-9]{14}\.txt$")
# The random digits are part of a JSON file's plain name, and its stamp may have blanks and colons.
_PLAIN_JSON_NAME = re.compile(
    r"^[0-9A-Za-z]{10,20}_[A-Za-z]{4,17}_(?:[0-9]{14}|[0-9-]{10}[ _T][0-9:_]{8})(?:_[0-9]{1,6})?\.json$"
)

# PC-5: what the first field of a header must look like to be the mine.
MINE_CODE = re.compile(r"^[0-9]{6}[0-9A-Z]{4,14}$", re.IGNORECASE)
# PC-7: structure of a point code.
POINT_CODE = r"^[0-9A-Z]{10,20}(?P<sys>[0-9]{2})(?P<kind>MN|KG|LJ|DT)(?P<type>[0-9]{4})(?P<inner>[0-9A-Z]{1,8})$"
POINT_CODE_TYPE = 3  # number of the group that holds the sensor type
# Relation field: groups joined by ◇; a group is one point or a pair joined by a colon. The name may be missing.
_RELATED = r"[BDGHKTZ]-[0-9A-Za-z]+(?:-[^:◇]*)?"
RELATION = rf"^{_RELATED}(?::{_RELATED})?(?:◇{_RELATED}(?::{_RELATED})?)*$"
# Lengths of positioning codes by the length of the mine code: 12 is the current register, 20 an older one.
CODE_LENGTHS: Mapping[str, Mapping[int, int]] = MappingProxyType(
    {
        "area_code": {12: 16, 20: 22},
        "station_code": {12: 22, 20: 25},
        "card_code": {12: 17, 20: 25},
    }
)


@dataclass(frozen=True)
class Field:
    """One field of a record or header as it stands in the file."""

    column: str
    zh: str
    type: str
    allowed: tuple[str, ...] = ()
    length: str = ""
    unit: str = ""
    roles: frozenset[str] = frozenset()
    confidence: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the field's canonical text has; two where the sender leaves out a separator."""
        return tuple(self.column.split("&"))

    @property
    def longest(self) -> int | None:
        """Characters that a text may have; None where the format sets no limit."""
        return int(self.length) if self.type == "text" and self.length.isdigit() else None


@dataclass(frozen=True)
class Layout:
    """The fields of one record form. `folder` is the feed it belongs to."""

    kind: str
    dialect: str
    folder: str
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for field in self.fields for column in field.columns)

    def having(self, role: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if role in field.roles)


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        folder: the feed's customary folder: a habit of senders, never the only evidence of what a file is.
        nature: master, snapshot, event or aggregate.
        envelope: tilde, caret (the writer's choice; readers look at the content), lines (provincial); json (an object
            with its entries), array (entries alone) or message (PC-85).
        header: its header form, and those of its dialects by key.
        short_counts: a record may stop after so many fields; the rest is empty.
        repeats_from: from this field on the last field repeats, as often as it comes.
        period_s, late_s: nominal period of the feed and when its next file is late; None: on event, or not known.
    """

    kind: str
    folder: str
    family: str
    nature: str
    envelope: str
    zh: str
    en: str
    header: str
    dialect_headers: Mapping[str, str]
    short_counts: tuple[int, ...]
    repeats_from: int | None
    period_s: float | None
    late_s: float | None
    confidence: str
    layouts: tuple[Layout, ...]

    def layout(self, dialect: str = "") -> Layout:
        """Raises KeyError where the kind has no such dialect."""
        for layout in self.layouts:
            if layout.dialect == dialect:
                return layout
        raise KeyError(f"{self.kind} has no dialect '{dialect}'")

    def header_form(self, dialect: str = "") -> tuple[Field, ...]:
        """The header of a dialect: its own, else its family's (`i-kg`: `i`), else the main one."""
        form = self.dialect_headers.get(dialect) or self.dialect_headers.get(dialect.split("-")[0]) or self.header
        return header_forms()[form] if form else ()

    @property
    def is_document(self) -> bool:
        """Its files are JSON documents."""
        return self.envelope in DOCUMENTS

    @cached_property
    def header_counts(self) -> frozenset[int]:
        """Numbers of fields that a header of this kind may have."""
        forms = [form for form in (self.header, *self.dialect_headers.values()) if form]
        return frozenset(len(header_forms()[form]) for form in forms)


@dataclass(frozen=True)
class Named:
    """What a file name says. `stamp` is 14 digits in mine local time; `variants` are warning codes."""

    kind: str
    mine_code: str
    stamp: str
    variants: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """The kind is in the table, and it is one that files of such names hold."""
        return self.kind in kinds() and kinds()[self.kind].envelope != "lines"


@dataclass(frozen=True)
class Report:
    """A code that the reader or the ledger reports, in words.

    `level` says what it does to file or record; `clause` is the rule of schemas/quality_rules.csv that it breaks, ''
    where it breaks none.
    """

    code: str
    scope: str
    level: str
    clause: str
    text_zh: str
    text_en: str
    mend_zh: str
    mend_en: str


@dataclass(frozen=True)
class Term:
    """One entry of a dictionary; `means` is what it maps to, where it maps to something."""

    code: str
    zh: str
    en: str
    confidence: str
    means: str = ""


def _field(row: Mapping[str, str]) -> Field:
    return Field(
        column=row["column"],
        zh=row["zh"],
        type=row["type"],
        allowed=tuple(row["allowed"].split("|")) if row.get("allowed") else (),
        length=row["length"],
        unit=row["unit"],
        roles=frozenset(row.get("role", "").split()),
        confidence=row["confidence"],
    )


@cache
def header_forms() -> Mapping[str, tuple[Field, ...]]:
    forms: dict[str, list[Field]] = {}
    for row in cells("header_fields", PACKAGE):
        forms.setdefault(row["form"], []).append(_field(row))
    return MappingProxyType({form: tuple(fields) for form, fields in forms.items()})


@cache
def kinds() -> Mapping[str, Kind]:
    """Every file kind by name, key equipment under each of its prefixes."""
    fields: dict[str, dict[str, list[Field]]] = {}
    for row in cells("record_fields", PACKAGE):
        fields.setdefault(row["kind"], {}).setdefault(row["dialect"], []).append(_field(row))
    found: dict[str, Kind] = {}
    for row in cells("kinds", PACKAGE):
        for prefix in equipment_prefixes() if row["kind"].startswith("*") else ("",):
            name = row["kind"].replace("*", prefix)
            found[name] = _kind(name, row, fields[row["kind"]])
    return MappingProxyType(found)


def equipment_prefixes() -> tuple[str, ...]:
    """What the kinds of key equipment begin with."""
    return tuple(term.means for term in dictionary("system_code").values() if term.means)


def _pairs(cell: str) -> dict[str, str]:
    """`key:value` pairs of a cell."""
    return dict(pair.split(":") for pair in cell.split())


def _kind(name: str, row: Mapping[str, str], fields: Mapping[str, list[Field]]) -> Kind:
    folders = _pairs(row["dialect_folders"])
    layouts = tuple(
        Layout(name, dialect, folders.get(dialect, row["folder"]), tuple(of_dialect))
        for dialect, of_dialect in fields.items()
    )
    return Kind(
        kind=name,
        folder=row["folder"],
        family=row["family"],
        nature=row["nature"],
        envelope=row["envelope"],
        zh=row["zh"],
        en=row["en"],
        header=row["header"],
        dialect_headers=MappingProxyType(_pairs(row["dialect_headers"])),
        short_counts=tuple(int(count) for count in row["short_counts"].split()),
        repeats_from=int(row["repeats_from"]) if row["repeats_from"] else None,
        period_s=float(row["period_s"]) if row["period_s"] else None,
        late_s=float(row["late_s"]) if row["late_s"] else None,
        confidence=row["confidence"],
        layouts=layouts,
    )


@cache
def record_columns() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Columns of the canonical text of a record, by (kind, dialect)."""
    return MappingProxyType(
        {(kind.kind, layout.dialect): layout.columns for kind in kinds().values() for layout in kind.layouts}
    )


@cache
def _kinds_by_upper() -> Mapping[str, str]:
    return {name.upper(): name for name, kind in kinds().items() if kind.envelope != "lines"}


def kind_of_name(name: str) -> Named | None:
    """What the name of a national file says; None where it is none. The kind may be one that the table lacks."""
    match = _NAME.match(name)
    if match is None:
        return None
    upper = match["type"].upper()
    kind = _kinds_by_upper().get(upper, upper)
    mine = (match["mine"] or match["mine_only_digits"]).upper()
    is_json = kind in kinds() and kinds()[kind].is_document
    variants = []
    if not (_PLAIN_JSON_NAME if is_json else _PLAIN_NAME).match(name):
        variants.append("NAME_VARIANT")
    if len(mine) != 12:
        variants.append("MINE_CODE_LENGTH")
    stamp = match["stamp"]
    return Named(kind, mine, (stamp if stamp.isdecimal() else re.sub(r"\D", "", stamp))[:14], tuple(variants))


@cache
def _provincial_names() -> tuple[str, ...]:
    """Kinds that a provincial file may be, longest name first."""
    names = {kind.kind for kind in kinds().values() for layout in kind.layouts if layout.folder == "prov"}
    return tuple(sorted(names, key=len, reverse=True))


def provincial_kind_of_name(name: str) -> str | None:
    """Kind of a provincial file: RY* and AQ* end exactly in it, the Person* and zdh_ families hold it."""
    for kind in _provincial_names():
        if name.endswith(kind) or (kind.startswith(("Person", "zdh_")) and kind in name):
            return kind
    return None


@cache
def reports() -> Mapping[str, Report]:
    return MappingProxyType({row["code"]: Report(**row) for row in cells("reports", PACKAGE)})


def report(code: str) -> Report:
    """A report code in words. Raises KeyError for a code that the table lacks."""
    return reports()[code]


@cache
def _dictionaries() -> Mapping[str, Mapping[str, Term]]:
    found: dict[str, dict[str, Term]] = {}
    for row in cells("dictionaries", PACKAGE):
        name = row.pop("dictionary")
        found.setdefault(name, {})[row["code"]] = Term(**row)
    return MappingProxyType(found)


def dictionary(name: str) -> Mapping[str, Term]:
    """Codes of a state, flag or type, such as `status`, `abnormal_type` or `digital_1003` (a switch type's 0 and 1)."""
    return _dictionaries()[name]


@cache
def sentinels() -> Mapping[str, tuple[str, ...]]:
    """Texts that mean "not set", by the type of field in which they do."""
    found: dict[str, list[str]] = {}
    for row in cells("sentinels", PACKAGE):
        found.setdefault(row["where"], []).append(row["text"])
    return MappingProxyType({where: tuple(texts) for where, texts in found.items()})

"""What the reader reports about files and records, each code under its clause: CF-03, CF-07, DQ-01 to DQ-04 …"""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.clocks import skewed_records
from minefusion.pipelines.conformance.codes import of_unknown_type
from minefusion.pipelines.conformance.feed import LOADED, Feed
from minefusion.pipelines.conformance.places import without_coordinates
from minefusion.pipelines.exchange.quarantine import wrong_field
from minefusion.schemas.exchange.grammar import Field, kinds, report, reports

# The clause of a record that is refused for a field, by the field's type; of the other types: unreadable.
_CLAUSE_OF_TYPE = {
    "DQ-01": ("code", "digits", "point_code", "serial_code"),
    "DQ-03": (
        "datetime", "moment", "end_time", "define_time", "define_date", "slash_datetime", "joined_datetime",
        "two_times", "date", "birth_date", "expiry_date",
    ),
    "CF-06": ("choice", "switch", "status", "sensor_type"),
}  # fmt: skip
_UNREADABLE, _EMPTY = "CF-03", "DQ-04"
# Codes of the reader about a file that its bad records explain.
_BY_RECORDS = "TOO_MANY_BAD_RECORDS"
# Some kinds have no mine in their header.
_WITHOUT_MINE = "HEADER_WITHOUT_MINE"
_TIME_AHEAD, _TYPE_MISMATCH, _BAD_OPTIONAL = "RECORD_TIME_AHEAD", "CODE_TYPE_MISMATCH", "BAD_OPTIONAL_VALUE"


def told_by_the_reader(feed: Feed) -> list[Found]:
    """Files and records that the reader refuses, sets aside, mends or marks."""
    parts = [part for part in (*_of_files(feed), _quarantined(feed), _marked(feed)) if len(part)]
    rows = pl.concat(parts, how="diagonal") if parts else pl.DataFrame({"clause": []}, schema={"clause": pl.String})
    files, records = len(feed.files), len(feed.records)
    checked = {"CF-03": files + records, "CF-06": 0, "CF-05": 0, "CF-07": files + records}
    found = []
    for clause in dict.fromkeys([told.clause for told in reports().values() if told.clause] + [_EMPTY]):
        found.append(
            Found(clause, checked.get(clause, records), rows.filter(pl.col("clause") == clause).drop("clause"))
        )
    return found


def _of_files(feed: Feed) -> Iterator[pl.DataFrame]:
    """Verdicts and warnings of whole files; of copies, that they are copies."""
    whole, copies = [], []
    explained = set(feed.bad["file_index"].unique())
    first_of: dict[str, str] = {}
    for row in feed.files.iter_rows(named=True):
        first = first_of.setdefault(row["sha256"], row["path"])
        if row["is_copy"]:
            copies.append(
                {
                    "file_index": row["file_index"],
                    "zh": f"内容与 {first} 相同",
                    "en": f"has the same content as {first}",
                }
            )
            continue
        codes = [told["code"] for told in json.loads(row["warnings"] or "[]")]
        if row["verdict"] not in LOADED:
            codes.append(row["reason"])
        for code in dict.fromkeys(codes):
            told = report(code)
            is_explained = code == _BY_RECORDS and row["file_index"] in explained
            is_explained |= code == _WITHOUT_MINE and not _has_mine(row["named"])
            if told.scope == "file" and told.clause and not is_explained:
                whole.append({"file_index": row["file_index"], "code": code})
    yield _in_words(pl.DataFrame(whole, schema={"file_index": pl.Int32, "code": pl.String}))
    yield pl.DataFrame(copies, schema={"file_index": pl.Int32, "zh": pl.String, "en": pl.String}).with_columns(
        pl.lit("DQ-14").alias("clause")
    )


def _has_mine(kind: str) -> bool:
    return any(field.column == "mine_code" for field in kinds()[kind].header_form())


def _quarantined(feed: Feed) -> pl.DataFrame:
    """Records in quarantine, by what is wrong with them."""
    bad = feed.bad
    if bad.is_empty():
        return bad.select("file_index")
    columns = ["kind", "dialect", "code", "reason_zh", "reason_en"]
    clauses = [_clause_of(*row) for row in bad.select("kind", "dialect", "code", "reason_en").iter_rows()]
    told = bad.select("file_index", "position", *columns).with_columns(pl.Series("clause", clauses, dtype=pl.String))
    words = _in_words(told).select("mend_zh", "mend_en")
    return told.select(
        "file_index", "position", "kind", "clause", pl.col("reason_zh").alias("zh"), pl.col("reason_en").alias("en")
    ).with_columns(words.get_columns())


def _clause_of(kind: str, dialect: str, code: str, reason_en: str) -> str:
    column = wrong_field(reason_en or "")
    if code != "FIELD_TYPE" or column is None:
        return report(code).clause or _UNREADABLE
    if reason_en.endswith(", it is empty"):
        return _EMPTY
    field = _field(kind, dialect, column)
    of_type = [clause for clause, types in _CLAUSE_OF_TYPE.items() if field is not None and field.type in types]
    return of_type[0] if of_type else _UNREADABLE


def _field(kind: str, dialect: str, column: str) -> Field | None:
    return next((field for field in kinds()[kind].layout(dialect).fields if field.column == column), None)


def _marked(feed: Feed) -> pl.DataFrame:
    """Records that the reader keeps with a code. What another clause tells better is left to it."""
    marked = feed.good.filter(pl.col("marks") != "").select(
        "file_index", "position", "kind", pl.col("marks").str.split(",").alias("code")
    )
    each = marked.explode("code").filter(pl.col("code").is_in([c for c, told in reports().items() if told.clause]))
    key = ["file_index", "position"]
    for code, elsewhere in (
        (_TIME_AHEAD, skewed_records),
        (_TYPE_MISMATCH, of_unknown_type),
        (_BAD_OPTIONAL, without_coordinates),
    ):
        if (each["code"] == code).any():
            told_there = elsewhere(feed).select(key).with_columns(pl.lit(code).alias("code"))
            each = each.join(told_there, on=[*key, "code"], how="anti", maintain_order="left")
    return _in_words(each)


def _in_words(coded: pl.DataFrame) -> pl.DataFrame:
    """Rows with a report code: its clause, and what to say."""
    words = [
        {
            "code": told.code,
            "clause": told.clause,
            "zh": told.text_zh,
            "en": told.text_en,
            "mend_zh": told.mend_zh,
            "mend_en": told.mend_en,
        }
        for told in reports().values()
    ]
    extra = [name for name in ("clause", "zh", "en") if name in coded.columns]
    return coded.drop(extra).join(pl.DataFrame(words), on="code", how="left", maintain_order="left")

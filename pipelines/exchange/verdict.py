"""From judged records to each file's verdict, and both as Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import polars as pl
import pyarrow as pa

from minefusion.pipelines.exchange.files import FileState
from minefusion.pipelines.exchange.records import RECORD, UTC_TIME
from minefusion.schemas.exchange.grammar import WORST_SHARE, reports

LOADED = ("accepted", "partial")
FILE: dict[str, pl.DataType] = {
    "name": pl.String(),
    "name_kind": pl.String(),
    "kind": pl.String(),
    "mine_code": pl.String(),
    "stamp": UTC_TIME,
    "size": pl.Int64(),
    "sha256": pl.String(),
    "encoding": pl.String(),
    "verdict": pl.String(),
    "reason": pl.String(),
    "warnings": pl.String(),
    "dialects": pl.String(),
    "header": pl.String(),
    "header_time": UTC_TIME,
    "observed_from": UTC_TIME,
    "observed_to": UTC_TIME,
    "records_sent": pl.Int64(),
    "records_stored": pl.Int64(),
    "records_quarantined": pl.Int64(),
    "records_rejected": pl.Int64(),
    "records_aside": pl.Int64(),
    "records_waiting": pl.Int64(),
}
_HEADER = json.JSONEncoder(ensure_ascii=False)
_QUARANTINE_CODES = tuple(code for code, told in reports().items() if told.level == "quarantine")


def count(files: Sequence[FileState], part: pl.DataFrame) -> None:
    """Add to each file what a part of its records adds: bad ones, warnings, dialects, span of their times."""
    coded = part.filter((pl.col("codes") != "") | pl.col("code").is_not_null())
    if len(coded):
        _count_codes(files, coded)
    good = part.filter(pl.col("code").is_null()) if len(coded) else part
    spans = good.group_by("file_index").agg(
        pl.col("observed_at").min().alias("from"),
        pl.col("observed_at").max().alias("to"),
        pl.col("dialect").unique().alias("dialects"),
    )
    for index, first, last, dialects in spans.iter_rows():
        state = files[index]
        times = [at for at in (*state.observed, first, last) if at is not None]
        state.observed = (min(times), max(times)) if times else (None, None)
        state.dialects = tuple(sorted({*state.dialects, *dialects} - {""}))
        state.codes["DIALECT"] = int(bool(state.dialects))


def _count_codes(files: Sequence[FileState], coded: pl.DataFrame) -> None:
    codes = pl.concat_str("codes", pl.lit(","), pl.col("code").fill_null("")).str.split(",")
    counted = coded.select("file_index", codes.alias("code"), pl.col("code").is_not_null().alias("is_bad"))
    for index, bad in counted.group_by("file_index").agg(pl.col("is_bad").sum()).iter_rows():
        files[index].bad += bad
    each = counted.explode("code").filter(pl.col("code") != "")
    for index, code, times in each.group_by("file_index", "code").len().iter_rows():
        state = files[index]
        state.codes[code] = 1 if reports()[code].scope == "file" else state.codes[code] + times


def conclude(state: FileState) -> None:
    """The verdict of a file that nothing but its records decides."""
    if not state.is_open:
        return
    if state.declared is not None and state.declared != state.sent:
        state.codes["COUNT_MISMATCH"] = 1
    if state.bad == 0:
        state.decide("accepted")
    elif state.bad > WORST_SHARE * state.sent:
        state.decide("rejected", "TOO_MANY_BAD_RECORDS")
    else:
        state.decide("partial", max(_QUARANTINE_CODES, key=lambda code: state.codes[code]))


def files_table(files: Sequence[FileState]) -> pa.Table:
    """The ledger's columns that the reader knows, one row per file."""
    rows = []
    for state in files:
        verdict, is_loaded = state.verdict, state.verdict in LOADED
        rows.append(
            {
                "name": state.landed.name,
                "name_kind": state.name_kind,
                "kind": state.kind,
                "mine_code": state.mine_code,
                "stamp": state.stamp,
                "size": state.size,
                "sha256": state.sha256,
                "encoding": state.envelope.encoding,
                "verdict": verdict,
                "reason": "" if verdict == "accepted" else state.reason,
                "warnings": _warnings(tuple(sorted((code, times) for code, times in state.codes.items() if times))),
                "dialects": _dialects(state.dialects),
                "header": None if state.header is None else _HEADER.encode(state.header),
                "header_time": state.header_at,
                "observed_from": state.observed[0] if is_loaded else None,
                "observed_to": state.observed[1] if is_loaded else None,
                "records_sent": state.sent,
                "records_stored": state.sent - state.bad if is_loaded else 0,
                "records_quarantined": state.bad if is_loaded else 0,
                "records_rejected": state.sent if verdict == "rejected" else 0,
                "records_aside": state.sent if verdict == "unknown" else 0,
                "records_waiting": state.sent if verdict == "waiting" else 0,
            }
        )
    return pl.DataFrame(rows, schema=FILE, orient="row").to_arrow(compat_level=pl.CompatLevel.oldest())


# Most files say what others of their batch say.
@lru_cache
def _warnings(codes: tuple[tuple[str, int], ...]) -> str:
    return json.dumps([{"code": code, "count": times} for code, times in codes])


@lru_cache
def _dialects(dialects: tuple[str, ...]) -> str:
    return json.dumps(dialects)


def records_table(files: Sequence[FileState], parts: Sequence[pl.DataFrame]) -> pa.Table:
    """Every judged record; the mine is the record's own where it names one, else its file's."""
    frame = pl.concat(parts, rechunk=False) if parts else pl.DataFrame(schema=RECORD)
    of_file = pl.Series([state.mine_code for state in files], dtype=pl.String).gather(frame["file_index"])
    return (
        frame.with_columns(
            pl.coalesce("mine_code", of_file).alias("mine_code"),
            _marks(frame["codes"]).alias("marks"),
            pl.col("code").is_not_null().alias("quarantined"),
        )
        .drop("codes")
        .to_arrow(compat_level=pl.CompatLevel.oldest())
    )


def _marks(codes: pl.Series) -> pl.Series:
    """Each record's codes, once each, joined by commas."""
    at = (codes != "").arg_true()
    if not len(at):
        return codes
    coded = codes.gather(at)
    distinct = coded.unique()
    marks = [",".join(dict.fromkeys(filter(None, text.split(",")))) for text in distinct]
    return codes.clone().scatter(at, coded.replace_strict(distinct, marks, return_dtype=pl.String))

"""Read exchange files: the bytes of files in, one row per file and one per record out, as Arrow.

A pure function: no clock, no chance, no store. What it needs to know of the outside (when a file came, how long it has
stood still) comes with each file. It runs in process and, unchanged, inside Spark's `mapInArrow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
import pyarrow as pa

from minefusion.pipelines.exchange.documents import judge_entries
from minefusion.pipelines.exchange.files import FileState, Landed, open_files
from minefusion.pipelines.exchange.layouts import judge_as_other, judge_records, other_layouts
from minefusion.pipelines.exchange.records import RECORD, UTC_TIME, Source, quarantine
from minefusion.pipelines.exchange.verdict import FILE, LOADED, conclude, count, files_table, records_table
from minefusion.schemas.exchange.grammar import AHEAD_S, Kind, kinds
from minefusion.schemas.exchange.mine_codes import mine_of_name

__all__ = ["FILE", "RECORD", "Landed", "Read", "read_files"]

_SEPARATORS = ("~", "^")


@dataclass(frozen=True)
class Read:
    """What the files hold.

    Attributes:
        files: one row per file, in the order given, with the columns of FILE. `warnings` is a JSON list of
            {code, count}, quarantine codes included; `dialects` and `header` are JSON lists.
        records: one row per record of the accepted and partial files: file_index (the row in `files`), position (in
            the file, from 1), kind, dialect, mine_code (the record's own where it names one), observed_at, raw, fixed
             (canonical text where it differs from raw), marks, quarantined, code, reason_zh, reason_en.
    """

    files: pa.Table
    records: pa.Table


def read_files(landed: Sequence[Landed], *, keep_refused: bool = False) -> Read:
    """Read files together, which is faster; the answer for a file does not depend on the others.

    Args:
        keep_refused: give the records of a file that is refused for its many bad records too.
    """
    files = open_files(landed)
    parts = [part for part in _judged(files) if len(part)]
    for part in parts:
        count(files, part)
    for state in files:
        conclude(state)
    refused = [index for index, state in enumerate(files) if state.verdict not in LOADED]
    if refused and not keep_refused:
        parts = [part.filter(~pl.col("file_index").is_in(refused)) for part in parts]
    return Read(files_table(files), records_table(files, parts))


def _judged(files: Sequence[FileState]) -> Iterator[pl.DataFrame]:
    """Judged records of every file that is still open, kind by kind."""
    header_at = pl.Series([state.header_at for state in files], dtype=UTC_TIME)
    groups: dict[tuple[str, int, bool, bool], list[int]] = {}
    for index, state in enumerate(files):
        if state.is_open and state.sent:
            key = (state.kind or "", state.register, state.is_provincial, state.rows is not None)
            groups.setdefault(key, []).append(index)
    for (name, register, is_provincial, has_rows), indexes in groups.items():
        kind = kinds()[name]
        rows = _given_rows(files, indexes) if has_rows else _split_bodies(files, indexes)
        source = Source(
            rows=rows,
            register=register,
            header_at=header_at,
            is_provincial=is_provincial,
            has_fullwidth=any(_may_hold_fullwidth(files[index]) for index in indexes),
            has_bad_bytes=any(files[index].envelope.is_damaged for index in indexes),
            aliases=files[indexes[0]].landed.aliases,
            mines=pl.Series([state.mine_code for state in files], dtype=pl.String),
        )
        if is_provincial:
            yield _provincial(files, source, kind)
        elif has_rows and kind.is_document:
            yield judge_entries(kind, source)
        elif has_rows:
            yield judge_records(kind, source)
        else:
            yield from _national(files, indexes, source)


def _may_hold_fullwidth(state: FileState) -> bool:
    """A full-width semicolon may stand in the file's records; a body left as bytes holds none."""
    body = state.envelope.body
    return state.rows is not None or (isinstance(body, str) and "；" in body)


def _given_rows(files: Sequence[FileState], indexes: Sequence[int]) -> pl.DataFrame:
    frames = [
        state_rows.select(
            pl.lit(index, dtype=pl.Int32).alias("file_index"),
            pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("position"),
            pl.all(),
        )
        for index in indexes
        if (state_rows := files[index].rows) is not None
    ]
    return pl.concat(frames)


def _split_bodies(files: Sequence[FileState], indexes: Sequence[int]) -> pl.DataFrame:
    """file_index, position, text of every record."""
    frames = []
    for separator in _SEPARATORS:
        some = [index for index in indexes if files[index].envelope.separator == separator]
        if not some:
            continue
        bodies = [files[index].envelope.body for index in some]
        data = [body if isinstance(body, bytes) else body.encode() for body in bodies]
        texts = pl.Series("text", data, dtype=pl.Binary).cast(pl.String).str.split(separator)
        frame = pl.DataFrame({"file_index": pl.Series(some, dtype=pl.Int32), "text": texts})
        frame = frame.with_columns(pl.int_ranges(1, pl.col("text").list.len() + 1, dtype=pl.Int32).alias("position"))
        frames.append(frame.explode("text", "position").select("file_index", "position", "text"))
    return pl.concat(frames) if len(frames) > 1 else frames[0]


def _national(files: Sequence[FileState], indexes: Sequence[int], source: Source) -> Iterator[pl.DataFrame]:
    kind = files[indexes[0]].exchange_kind
    unclosed = [index for index in indexes if not files[index].envelope.is_closed]
    if unclosed:
        is_last = source.rows["file_index"].is_in(unclosed) & source.rows["file_index"].is_last_distinct()
        yield quarantine_unclosed(kind, source, source.rows.filter(is_last))
        source = source.of(source.rows.filter(~is_last))
    judged = judge_records(kind, source)
    for index in _unread(judged):
        alone = source.of(source.rows.filter(pl.col("file_index") == index))
        others = [(layout, judge_as_other(layout, alone)) for layout in other_layouts(kind, alone.rows["text"])]
        fitting = [(layout, records) for layout, records in others if records is not None]
        if len(fitting) == 1:
            ((layout, records),) = fitting
            files[index].kind = layout.kind
            judged = judged.filter(pl.col("file_index") != index)
            yield records
    yield judged


def quarantine_unclosed(kind: Kind, source: Source, rows: pl.DataFrame) -> pl.DataFrame:
    """The last record of a file that was read without its end mark and does not end in its separator."""
    zh, en = "文件没有写完：最后一条记录未以分隔符结束", "the file was not finished: its last record is not closed"
    return quarantine(kind, source, rows, pl.lit("FIELD_COUNT"), pl.lit(zh), pl.lit(en))


def _unread(judged: pl.DataFrame) -> list[int]:
    """Files of which not one record could be read."""
    bad = judged.filter(pl.col("code").is_not_null())["file_index"].unique()
    if not len(bad):
        return []
    some = judged.filter(pl.col("file_index").is_in(bad.implode()))
    return (
        some.group_by("file_index")
        .agg(pl.col("code").is_null().any())
        .filter(~pl.col("code"))["file_index"]
        .sort()
        .to_list()
    )


def _provincial(files: Sequence[FileState], source: Source, kind: Kind) -> pl.DataFrame:
    judged = judge_records(kind, source)
    learn_from_lines(files, judged)
    return finish_lines(files, judged)


def _is_ahead(files: Sequence[FileState], judged: pl.DataFrame) -> pl.Series:
    """Lines have no header time to compare with, so the receiver's clock says what lies too far ahead."""
    ahead = timedelta(seconds=AHEAD_S)
    latest = pl.Series([state.landed.received_at + ahead for state in files], dtype=UTC_TIME)
    return (judged["observed_at"] > latest.gather(judged["file_index"])).fill_null(False)


def learn_from_lines(files: Sequence[FileState], judged: pl.DataFrame) -> None:
    """Lines have no header: the newest record says when the file was made, the first one for which mine."""
    good = judged.with_columns(_is_ahead(files, judged).alias("is_ahead")).filter(pl.col("code").is_null())
    told = (
        good.sort("position")
        .group_by("file_index")
        .agg(pl.col("observed_at").filter(~pl.col("is_ahead")).max(), pl.col("mine_code").drop_nulls().first())
    )
    for index, newest, mine in told.iter_rows():
        state = files[index]
        state.header_at = max((at for at in (state.header_at, newest) if at is not None), default=None)
        state.mine_code = state.mine_code or mine or mine_of_name(state.landed.name, state.landed.aliases)


def finish_lines(files: Sequence[FileState], judged: pl.DataFrame) -> pl.DataFrame:
    """Lines without a time take their file's."""
    made_at = pl.Series([state.header_at for state in files], dtype=UTC_TIME).gather(judged["file_index"])
    is_marked = _is_ahead(files, judged) & judged["code"].is_null()
    return judged.with_columns(
        pl.coalesce("observed_at", made_at).alias("observed_at"),
        pl.when(is_marked).then(pl.concat_str("codes", pl.lit(",RECORD_TIME_AHEAD"))).otherwise("codes").alias("codes"),
    )

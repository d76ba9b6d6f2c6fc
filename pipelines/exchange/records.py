"""Judge records by one layout: canonical text, time, warnings, quarantine.

Works on whole columns: each field's column is judged by its distinct texts, and only what is odd costs more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import polars as pl

from minefusion.pipelines.exchange.fields import Column, judge
from minefusion.pipelines.exchange.provincial import national_mines
from minefusion.pipelines.exchange.quarantine import expected_in_words, quarantined_text
from minefusion.schemas.exchange.grammar import (
    AHEAD_S,
    FIELD_SEPARATOR,
    MINE_UTC_OFFSET_H,
    POINT_CODE,
    POINT_CODE_TYPE,
    Kind,
    Layout,
    kinds,
)

UTC_TIME = pl.Datetime("us", "UTC")
# One judged record. `codes` are warnings (",A,B"); `code` and the reasons are set where it must go to quarantine.
RECORD: dict[str, pl.DataType] = {
    "file_index": pl.Int32(),
    "position": pl.Int32(),
    "kind": pl.String(),
    "dialect": pl.String(),
    "mine_code": pl.String(),
    "observed_at": UTC_TIME,
    "raw": pl.String(),
    "fixed": pl.String(),
    "codes": pl.String(),
    "code": pl.String(),
    "reason_zh": pl.String(),
    "reason_en": pl.String(),
}
_NO_REASON = [pl.lit(None, dtype=pl.String).alias(name) for name in ("code", "reason_zh", "reason_en")]
FULLWIDTH = "；"
# Layout, records' keys, rows and which of them are good → which are superseded (None: none is).
Superseded = Callable[[Layout, Sequence[pl.Series], pl.DataFrame, pl.Series], pl.Series | None]
_MOST_TOLD = 60  # characters of a wrong field that a reason quotes
# A record with at most so many wrong fields still is what its layout says, so its text holds no other layout's fields.
_FEW_WRONG = 2


@dataclass(frozen=True)
class Source:
    """Records to judge.

    Attributes:
        rows: file_index, position, text (as it is split) and, where it differs from that, raw.
        register: length of the mine code.
        header_at: upload time of each file, by file_index.
        has_fullwidth, has_bad_bytes: such a character stands somewhere in the texts.
        superseded: tells which records' keys come again; where left out, only these records themselves are compared.
        aliases: provincial county and mine code → the mine's national code.
        mines: mine of each file, by file_index, of entries that may name one themselves.
    """

    rows: pl.DataFrame
    register: int
    header_at: pl.Series
    is_provincial: bool = False
    has_fullwidth: bool = False
    has_bad_bytes: bool = False
    superseded: Superseded | None = None
    aliases: Mapping[str, str] | None = None
    mines: pl.Series | None = None

    def of(self, rows: pl.DataFrame) -> Source:
        return replace(self, rows=rows)


def judge_columns(
    layout: Layout,
    source: Source,
    parts: Sequence[pl.Series],
    *,
    codes: str = "",
    missing: int = 0,
    is_strict: bool = False,
) -> pl.DataFrame:
    """Judge records that have as many fields as the layout.

    Args:
        parts: the fields' texts, one column each.
        codes: warnings that every record gets.
        missing: empty fields to add at the end of the canonical text.
        is_strict: fields that the layout leaves empty must be so, and codes must have the length it gives.
    """
    rows, fields = source.rows, layout.fields
    parts = [part.alias(str(index)) for index, part in enumerate(parts)]
    raw, is_as_split = (rows["raw"], False) if "raw" in rows.columns else (rows["text"], True)
    if layout.having("personal"):
        nothing = pl.repeat("", len(rows), dtype=pl.String, eager=True)
        parts = [
            nothing.alias(part.name) if "personal" in field.roles else part
            for field, part in zip(fields, parts, strict=True)
        ]
        raw, is_as_split = pl.select(pl.concat_str(parts, separator=FIELD_SEPARATOR)).to_series(), True
    judged = [judge(field, layout.folder, source.register, part) for field, part in zip(fields, parts, strict=True)]
    canonical, warned, first_bad, wrong = _combined(judged, parts)
    warned = _with_fault(layout, judged, parts, canonical, warned)
    if is_strict:
        first_bad = _strictly(layout, parts, first_bad)
    first_bad = _none_of(layout, canonical, first_bad)
    frame = rows.select("file_index", "position").with_columns(
        pl.lit(layout.kind).alias("kind"),
        pl.lit(layout.dialect).alias("dialect"),
        raw.alias("raw"),
        _fixed(raw, is_as_split, parts, canonical, missing).alias("fixed"),
    )
    named = {field.column: text for field, text in zip(fields, canonical, strict=True) if len(field.columns) == 1}
    is_good = pl.repeat(True, len(rows), eager=True) if first_bad is None else first_bad.is_null()
    observed, ahead = _observed(layout, named, source, rows["file_index"])
    mine = named.get("mine_code") if layout.folder == "prov" else None
    given: list[pl.Expr | pl.Series] = [pl.lit(codes)] if codes else []
    given += [warned] if warned is not None else []
    given += [_code_where(holds, code) for code, holds in _record_codes(layout, named, source, rows, is_good, ahead)]
    frame = frame.with_columns(
        observed.alias("observed_at"),
        (
            pl.lit(None, dtype=pl.String)
            if mine is None
            else national_mines(mine, named.get("county"), source.aliases or {})
        ).alias("mine_code"),
        (pl.concat_str(given) if given else pl.lit("")).alias("codes"),
    )
    if first_bad is None or is_good.all():
        return frame.with_columns(_NO_REASON).select(*RECORD)
    return _with_reasons(layout, frame, parts, first_bad, wrong, is_good)


def split_fields(texts: pl.Series, count: int) -> list[pl.Series]:
    """The fields of each text, and one more column: what stands behind `count` fields."""
    return texts.str.splitn(FIELD_SEPARATOR, count + 1).struct.unnest().get_columns()


def _combined(
    judged: Sequence[Column], parts: Sequence[pl.Series]
) -> tuple[list[pl.Series], pl.Series | None, pl.Series | None, pl.Series | None]:
    """Canonical columns; warnings; number of the first wrong field (null: none); how many are wrong."""
    canonical, codes, bad = list(parts), [], {}
    for index, column in enumerate(judged):
        if column.odd is None:
            continue
        of_rows = column.of_rows(parts[index])
        canonical[index] = of_rows["canonical"].alias(parts[index].name)
        if (column.odd["codes"] != "").any():
            codes.append(of_rows["codes"].alias(str(index)))
        if column.odd["is_bad"].any():
            bad[index] = of_rows["is_bad"]
    warned = pl.select(pl.concat_str(codes)).to_series() if codes else None
    if not bad:
        return canonical, warned, None, None
    first = pl.select(
        pl.coalesce(pl.when(holds).then(pl.lit(index, pl.Int32)) for index, holds in bad.items())
    ).to_series()
    wrong = pl.select(
        pl.sum_horizontal(holds.cast(pl.Int32).alias(str(index)) for index, holds in bad.items())
    ).to_series()
    return canonical, warned, first, wrong


def _with_fault(
    layout: Layout,
    judged: Sequence[Column],
    parts: Sequence[pl.Series],
    canonical: list[pl.Series],
    warned: pl.Series | None,
) -> pl.Series | None:
    """The status word `fault` takes the value away; the value then counts as a sentinel, once."""
    for index, field in enumerate(layout.fields):
        if field.type != "status" or judged[index].odd is None:
            continue
        is_fault = parts[index].str.strip_chars() == "fault"
        if not is_fault.any():
            continue
        for at, other in enumerate(layout.fields):
            if other.type != "value":
                continue
            counted = is_fault & (judged[at].of_rows(parts[at])["codes"] == "")
            codes = _code_where(counted, "SENTINEL")
            warned = pl.select(codes if warned is None else pl.concat_str(warned, codes)).to_series()
            canonical[at] = (
                pl.select(pl.when(is_fault).then(pl.lit("")).otherwise(canonical[at])).to_series().alias(str(at))
            )
    return warned


def _strictly(layout: Layout, parts: Sequence[pl.Series], first_bad: pl.Series | None) -> pl.Series | None:
    for index, (field, part) in enumerate(zip(layout.fields, parts, strict=True)):
        wrong = None
        if field.type == "empty":
            wrong = part != ""
        elif field.type == "code" and field.length.isdigit():
            wrong = (part != "") & ~part.str.contains(rf"^[0-9A-Za-z]{{{field.length}}}$")
        if wrong is not None and wrong.any():
            first = pl.select(pl.when(wrong).then(pl.lit(index, pl.Int32))).to_series()
            first_bad = first if first_bad is None else first_bad.fill_null(first)
    return first_bad


def _none_of(layout: Layout, canonical: Sequence[pl.Series], first_bad: pl.Series | None) -> pl.Series | None:
    """Records in which none of the fields is filled of which one must be."""
    indexes = [index for index, field in enumerate(layout.fields) if "one" in field.roles]
    if not indexes:
        return first_bad
    empty = reduce(lambda a, b: a & b, [canonical[index] == "" for index in indexes])
    if not empty.any():
        return first_bad
    first = pl.select(pl.when(empty).then(pl.lit(indexes[0], pl.Int32))).to_series()
    return first if first_bad is None else first_bad.fill_null(first)


def _fixed(
    raw: pl.Series, is_as_split: bool, parts: Sequence[pl.Series], canonical: Sequence[pl.Series], missing: int
) -> pl.Series:
    """Canonical text of the records whose text is another; null for the rest.

    Args:
        is_as_split: `raw` is the text that `parts` were split from.
    """
    none = pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    changed = [new != old for new, old in zip(canonical, parts, strict=True) if new is not old]
    if missing or not is_as_split:
        differs = pl.repeat(True, len(raw), eager=True)
    elif changed:
        differs = reduce(lambda a, b: a | b, changed)
    else:
        return none
    some = [column.filter(differs) for column in canonical]
    ends = [pl.lit(FIELD_SEPARATOR * missing)] if missing else []
    texts = pl.select(pl.concat_str(pl.concat_str(some, separator=FIELD_SEPARATOR), *ends)).to_series()
    if not len(texts):
        return none
    spread = texts.gather((differs.cum_sum().cast(pl.Int64) - 1).clip(0))
    return pl.select(pl.when(differs & (spread != raw)).then(spread)).to_series()


def _code_where(holds: pl.Series, code: str) -> pl.Expr:
    return pl.when(holds).then(pl.lit("," + code)).otherwise(pl.lit(""))


def _observed(
    layout: Layout, named: dict[str, pl.Series], source: Source, file_index: pl.Series
) -> tuple[pl.Series, pl.Series | None]:
    """When each record happened, in UTC, else its file's header time; and which ones lie too far ahead of that."""
    header_at = source.header_at.gather(file_index)
    times = [field for field in layout.having("time") if field.column in named]
    if not times:
        return header_at, None
    form = "%Y-%m-%d %H:%M:%S%.f" if times[0].type == "moment" else "%Y-%m-%d %H:%M:%S"
    local = named[times[0].column].str.to_datetime(form, time_unit="us", strict=False)
    own = (local.dt.offset_by(f"{-MINE_UTC_OFFSET_H}h")).dt.replace_time_zone("UTC")
    ahead = own > header_at.dt.offset_by(f"{int(AHEAD_S)}s")
    observed = own if own.null_count() == 0 else pl.select(pl.coalesce(own, header_at)).to_series()
    return observed, ahead.fill_null(False)


def _record_codes(
    layout: Layout,
    named: dict[str, pl.Series],
    source: Source,
    rows: pl.DataFrame,
    is_good: pl.Series,
    ahead: pl.Series | None,
) -> list[tuple[str, pl.Series]]:
    """Warnings that rest on more than one field."""
    found = []
    if ahead is not None:
        found.append(("RECORD_TIME_AHEAD", ahead & is_good))
    if layout.kind in ("CDDY", "NCDDY") and not layout.dialect:
        coded = named["point_code"].str.extract(POINT_CODE, POINT_CODE_TYPE)
        typed = named["sensor_type_code"]
        found.append(("CODE_TYPE_MISMATCH", ((coded != typed) & (typed != "")).fill_null(False)))
    if source.register == 12 and not layout.dialect and {"area_code", "station_code"} <= named.keys():
        area, station = named["area_code"], named["station_code"]
        both = (area.str.len_bytes() == 16) & (station.str.len_bytes() == 22)
        found.append(("AREA_STATION_MISMATCH", both & (station.str.slice(0, 16) != area)))
    if source.has_fullwidth:
        found.append(("FULLWIDTH_SEPARATOR", rows["text"].str.contains(FULLWIDTH, literal=True)))
    keys = [named[name] for field in layout.having("key") for name in field.columns]
    again = (source.superseded or superseded_within)(layout, keys, rows, is_good)
    if again is not None:
        found.append(("DUPLICATE_KEY", again))
    return [(code, holds) for code, holds in found if holds.any()]


def key_digest(keys: Sequence[pl.Series], rows: pl.DataFrame) -> pl.Series:
    """64 bits that stand for each record's file and key."""
    return reduce(lambda a, b: a ^ b, [column.hash(seed) for seed, column in enumerate([rows["file_index"], *keys])])


def superseded_within(
    _layout: Layout, keys: Sequence[pl.Series], rows: pl.DataFrame, is_good: pl.Series
) -> pl.Series | None:
    """Records whose key comes again further down in the same file; None where no key does."""
    digest = key_digest(keys, rows)
    in_order = digest.sort()
    again = in_order.filter(in_order == in_order.shift(1))
    if not len(again):
        return None
    # Few keys come again, so only the records that may share theirs are compared in full.
    at = digest.is_in(again.unique().implode()).arg_true()
    frame = pl.DataFrame([rows["file_index"].gather(at), *(key.gather(at).alias(str(n)) for n, key in enumerate(keys))])
    # A record in quarantine neither supersedes nor is superseded.
    alone = pl.select(pl.when(is_good.gather(at)).then(pl.lit(-1, pl.Int64)).otherwise(at.cast(pl.Int64))).to_series()
    is_last = frame.with_columns(alone.alias("alone")).select(pl.struct(pl.all()).is_last_distinct()).to_series()
    return pl.repeat(False, len(rows), eager=True).scatter(at.filter(~is_last), True)


def _with_reasons(
    layout: Layout,
    frame: pl.DataFrame,
    parts: Sequence[pl.Series],
    first_bad: pl.Series,
    wrong: pl.Series | None,
    is_good: pl.Series,
) -> pl.DataFrame:
    """The records with code and reason where one must go to quarantine."""
    kind, is_bad = kinds()[layout.kind], ~is_good
    bad = frame.filter(is_bad)
    wrongs = pl.repeat(1, len(bad), eager=True) if wrong is None else wrong.filter(is_bad)
    is_this_layout = (wrongs <= _FEW_WRONG) & (not layout.having("personal"))
    value = pl.coalesce(pl.when(first_bad == index).then(part) for index, part in enumerate(parts))
    told = pl.DataFrame({"at": first_bad, "value": pl.select(value).to_series()}).filter(is_bad)
    told = told.with_columns(quarantined_text(kind, bad["raw"], is_this_layout).alias("text"))
    expected = {index: expected_in_words(index, field) for index, field in enumerate(layout.fields)}
    came = pl.col("value").str.slice(0, _MOST_TOLD)
    bad = bad.with_columns(
        pl.lit("FIELD_TYPE").alias("code"),
        told["text"].alias("raw"),
        pl.lit("").alias("codes"),
        pl.lit(None, dtype=pl.String).alias("fixed"),
        *told.select(
            pl.concat_str(
                pl.col("at").replace_strict(
                    {at: texts[lang] for at, texts in expected.items()}, return_dtype=pl.String
                ),
                pl.when(came == "")
                .then(pl.lit(empty))
                .when(pl.col("text") != "")
                .then(pl.concat_str(pl.lit(before), came, pl.lit(behind)))
                .otherwise(pl.lit("")),
            ).alias(f"reason_{lang}")
            for lang, empty, before, behind in (
                ("zh", "，现为空", "，现为“", "”"),
                ("en", ", it is empty", ", got '", "'"),
            )
        ).get_columns(),
    )
    good = frame.filter(is_good).with_columns(_NO_REASON)
    return pl.concat([good.select(*RECORD), bad.select(*RECORD)], rechunk=False)


def quarantine(kind: Kind, source: Source, rows: pl.DataFrame, code: pl.Expr, zh: pl.Expr, en: pl.Expr) -> pl.DataFrame:
    """Records that no layout reads."""
    raw = rows["raw"] if "raw" in rows.columns else rows["text"]
    return rows.with_columns(
        pl.lit(kind.kind).alias("kind"),
        pl.lit("").alias("dialect"),
        pl.lit(None, dtype=pl.String).alias("mine_code"),
        source.header_at.gather(rows["file_index"]).alias("observed_at"),
        quarantined_text(kind, raw).alias("raw"),
        pl.lit(None, dtype=pl.String).alias("fixed"),
        pl.lit("").alias("codes"),
        code.alias("code"),
        zh.alias("reason_zh"),
        en.alias("reason_en"),
    ).select(*RECORD)

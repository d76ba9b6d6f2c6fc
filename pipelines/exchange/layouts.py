"""Choose each record's layout: by its number of fields, then by the types of the fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import polars as pl

from minefusion.pipelines.exchange.envelope import BAD_BYTE
from minefusion.pipelines.exchange.records import FULLWIDTH, RECORD, Source, judge_columns, quarantine, split_fields
from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, Kind, Layout, kinds

_GLUED = r"(^|;)([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})([^;])"
# A repeated field may come so often at most; more is a broken record.
_MOST_FIELDS = 64
# What KIND_MISMATCH must not find in a record that is to be read as another kind.
_DOUBTS = r"CODE_UNKNOWN|BAD_OPTIONAL_VALUE|STATUS_UNKNOWN"


def judge_records(kind: Kind, source: Source) -> pl.DataFrame:
    """Every record of `source`, read by the layouts of `kind`."""
    rows, done = source.rows, []
    if source.has_bad_bytes:
        is_bad = rows["text"].str.contains(BAD_BYTE, literal=True)
        done.append(_undecodable(kind, source, rows.filter(is_bad)))
        rows = rows.filter(~is_bad)
    layouts = sorted(kind.layouts, key=lambda layout: (layout.folder == "prov") != source.is_provincial)
    for count in dict.fromkeys(len(layout.fields) for layout in layouts):
        same = [layout for layout in layouts if len(layout.fields) == count]
        found, rows = _of_count(same, source.of(rows), count)
        done += found
    if len(rows):
        found, rows = _of_other_counts(kind, source.of(rows))
        done += found
    if len(rows):
        found, rows = _glued(source.of(rows), layouts)
        done += found
    if len(rows):
        done.append(_wrong_count(kind, source, rows))
    return pl.concat(done, rechunk=False) if done else pl.DataFrame(schema=RECORD)


def other_layouts(kind: Kind, texts: pl.Series) -> list[Layout]:
    """Layouts of other kinds of the same folder that have as many fields as every one of these texts."""
    counts = (texts.str.count_matches(FIELD_SEPARATOR, literal=True) + 1).unique()
    if len(counts) != 1:
        return []
    folders = {layout.folder for layout in kind.layouts}
    others = [layout for other in kinds().values() if other.kind != kind.kind for layout in other.layouts]
    return [layout for layout in others if layout.folder in folders and len(layout.fields) == counts[0]]


def judge_as_other(layout: Layout, source: Source) -> pl.DataFrame | None:
    """The records read by a layout of another kind, where all of them fit it by number and types."""
    texts = source.rows["text"]
    if not (texts.str.count_matches(FIELD_SEPARATOR, literal=True) + 1 == len(layout.fields)).all():
        return None
    judged = judge_columns(layout, source, split_fields(texts, len(layout.fields))[:-1], is_strict=True)
    if judged["code"].is_not_null().any() or judged["codes"].str.contains(_DOUBTS).any():
        return None
    return judged.with_columns(pl.concat_str(pl.lit(",KIND_MISMATCH"), "codes").alias("codes"))


def _of_count(layouts: Sequence[Layout], source: Source, count: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Records with so many fields, judged by the layouts that have so many; and the other records."""
    rows = source.rows
    if not len(rows):
        return [], rows
    parts = split_fields(rows["text"], count)
    fits = parts[count - 1].is_not_null() & parts[count].is_null()
    if not fits.any():
        return [], rows
    if not fits.all():
        rest = rows.filter(~fits)
        rows, parts = rows.filter(fits), [part.filter(fits) for part in parts]
    else:
        rest = rows.clear()
    return _by_types(layouts, source.of(rows), parts[:count]), rest


def _by_types(layouts: Sequence[Layout], source: Source, parts: Sequence[pl.Series]) -> list[pl.DataFrame]:
    """Layouts with equally many fields: the one whose codes have the right lengths, then the first that fits."""
    if len(layouts) == 1:
        return [judge_columns(layouts[0], source, parts)]
    scores = [_length_score(layout, parts) for layout in layouts]
    best = reduce(lambda a, b: pl.select(pl.max_horizontal(a, b)).to_series(), scores)
    done, left = [], pl.repeat(True, len(source.rows), eager=True)
    for layout, score in zip(layouts, scores, strict=True):
        mine = left & (score == best)
        if mine.any():
            subset = source.of(source.rows.filter(mine))
            judged = judge_columns(layout, subset, [part.filter(mine) for part in parts])
            wrong = judged["code"].is_not_null()
            if wrong.any():
                judged = _try_others(layouts, layout, subset, judged, wrong)
            done.append(judged)
            left = left & ~mine
    return done


def _length_score(layout: Layout, parts: Sequence[pl.Series]) -> pl.Series:
    """How many codes have the length that the layout gives them."""
    score = pl.repeat(0, len(parts[0]), dtype=pl.Int64, eager=True)
    for field, part in zip(layout.fields, parts, strict=True):
        if field.type == "code" and field.length.isdigit():
            score = score + (part.str.len_chars() == int(field.length)).cast(pl.Int64)
    return score


def _try_others(
    layouts: Sequence[Layout], tried: Layout, source: Source, judged: pl.DataFrame, wrong: pl.Series
) -> pl.DataFrame:
    """Records that do not fit `tried` but another layout with as many fields are read by that one."""
    bad = judged.filter(wrong).select("file_index", "position")
    for layout in layouts:
        if layout is tried:
            continue
        rows = source.rows.join(bad, on=["file_index", "position"], how="semi", maintain_order="left")
        other = judge_columns(layout, source.of(rows), split_fields(rows["text"], len(layout.fields))[:-1])
        good = other.filter(pl.col("code").is_null())
        if len(good):
            judged = judged.join(good, on=["file_index", "position"], how="anti", maintain_order="left")
            return pl.concat([judged, good], rechunk=False)
    return judged


def _of_other_counts(kind: Kind, source: Source) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Records that stop early, or repeat their last field more or less often than the layout shows."""
    if not kind.short_counts and kind.repeats_from is None:
        return [], source.rows
    done, rows = [], source.rows
    counts = rows["text"].str.count_matches(FIELD_SEPARATOR, literal=True) + 1
    for count in counts.unique().sort():
        derived = _derived(kind, count)
        if derived is None:
            continue
        layout, code = derived
        subset = source.rows.filter(counts == count)
        parts = split_fields(subset["text"], count)[:-1]
        missing = len(kind.layout().columns) - len(layout.columns)
        done.append(judge_columns(layout, source.of(subset), parts, codes=code, missing=max(missing, 0)))
        rows = rows.join(subset.select("file_index", "position"), on=["file_index", "position"], how="anti")
    return done, rows


def _derived(kind: Kind, count: int) -> tuple[Layout, str] | None:
    main = kind.layout()
    if count in kind.short_counts:
        return replace(main, fields=main.fields[:count]), ",SHORT_RECORD"
    if kind.repeats_from is not None and kind.repeats_from <= count <= _MOST_FIELDS:
        fixed, last = main.fields[: kind.repeats_from], main.fields[-1]
        stem = last.column.rstrip("0123456789")
        more = tuple(replace(last, column=f"{stem}{n + 1}") for n in range(count - len(fixed)))
        return replace(main, fields=fixed + more), ""
    return None


def _glued(source: Source, layouts: Sequence[Layout]) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Records that fit a layout when a field that goes on behind a whole date-time is cut there."""
    rows = source.rows
    cut = rows["text"].str.replace_all(_GLUED, "${1}${2};${3}")
    is_cut = cut != rows["text"]
    if not is_cut.any():
        return [], rows
    raw = rows["raw"] if "raw" in rows.columns else rows["text"]
    candidates = rows.with_columns(cut.alias("text"), raw.alias("raw")).filter(is_cut)
    done, left = [], candidates
    for count in dict.fromkeys(len(layout.fields) for layout in layouts):
        same = [layout for layout in layouts if len(layout.fields) == count]
        found, left = _of_count(same, source.of(left), count)
        done += [judged.filter(pl.col("code").is_null()) for judged in found]
    fitting = [judged.with_columns(pl.concat_str(pl.lit(",GLUED_FIELDS"), "codes").alias("codes")) for judged in done]
    for judged in fitting:
        rows = rows.join(judged.select("file_index", "position"), on=["file_index", "position"], how="anti")
    return fitting, rows


def _undecodable(kind: Kind, source: Source, rows: pl.DataFrame) -> pl.DataFrame:
    return quarantine(
        kind,
        source,
        rows,
        pl.lit("FIELD_TYPE"),
        pl.lit("记录中有不是UTF-8的字节"),
        pl.lit("the record holds bytes that are not UTF-8"),
    )


def _wrong_count(kind: Kind, source: Source, rows: pl.DataFrame) -> pl.DataFrame:
    fields = (pl.col("text").str.count_matches(FIELD_SEPARATOR, literal=True) + 1).cast(pl.String)
    known = "/".join(dict.fromkeys(str(len(layout.fields)) for layout in kind.layouts))
    full = pl.col("text").str.contains(FULLWIDTH, literal=True)
    return quarantine(
        kind,
        source,
        rows,
        pl.when(full).then(pl.lit("FULLWIDTH_SEPARATOR")).otherwise(pl.lit("FIELD_COUNT")),
        pl.concat_str(
            pl.lit(f"应有{known}个字段，实有"),
            fields,
            pl.when(full).then(pl.lit("个，另有全角分号")).otherwise(pl.lit("个")),
        ),
        pl.concat_str(
            pl.lit(f"expected {known} fields, got "),
            fields,
            pl.when(full).then(pl.lit(" and a full-width semicolon")).otherwise(pl.lit("")),
        ),
    )

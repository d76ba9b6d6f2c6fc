"""CF-02: files come as often as they should."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed, kind_named, mine_local
from minefusion.schemas.exchange.grammar import Kind
from minefusion.schemas.quality import quality_rule

RHYTHMIC = ("snapshot", "aggregate", "master")
# A kind without a late-after time is late after so many of its periods, and not before some senders upload at all.
LATE_PERIODS, SELDOM_S = 3.0, 300.0


def periods_kept(feed: Feed) -> list[Found]:
    """Gaps between the files of a kind, and to the ends of its family's feed.

    A file that came late fills the gap that it left; a file that could not be read came all the same.
    """
    checked, broken = 0, []
    # A file whose name tells no kind may be the one that is missing.
    unnamed = feed.files.filter(pl.col("verdict") == "unknown")["at"].drop_nulls().to_list()
    files = feed.originals.filter(pl.col("at").is_not_null())
    for (mine, _family), of_family in _by_family(files):
        upload_times = of_family["at"].sort().to_list()
        for (name,), rows in of_family.partition_by("named", as_dict=True, maintain_order=True).items():
            kind = kind_named(str(name))
            if kind is None or kind.nature not in RHYTHMIC or not kind.period_s:
                continue
            instants = _instants(rows, kind)
            done, found = _gaps(kind, instants, upload_times[0], upload_times[-1], unnamed)
            checked += done
            broken += [{"mine_code": mine, "kind": kind.kind, **each} for each in found]
    schema = {"file_index": pl.Int32, "mine_code": pl.String, "kind": pl.String, "zh": pl.String, "en": pl.String}
    return [Found("CF-02", checked, pl.DataFrame(broken, schema=schema))]


def _by_family(files: pl.DataFrame) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    known = files.filter(pl.col("mine_code").is_not_null())
    family = [kind.family if (kind := kind_named(name)) else None for name in known["named"]]
    known = known.with_columns(pl.Series("family", family, dtype=pl.String)).filter(pl.col("family").is_not_null())
    for (mine, of), rows in known.partition_by("mine_code", "family", as_dict=True, maintain_order=True).items():
        yield (str(mine), str(of)), rows


def _instants(rows: pl.DataFrame, kind: Kind) -> list[tuple[datetime, int]]:
    """When each file should have come, and the file: its upload time, or that of its records where these are late."""
    late = pl.lit(False)
    if kind.late_s:
        late = (pl.col("at") - pl.col("observed_to") > timedelta(seconds=kind.late_s)).fill_null(False)
    due = rows.with_columns(pl.when(late).then("observed_to").otherwise("at").alias("due"))
    due = due.sort("due", "file_index").unique("due", keep="first", maintain_order=True)
    return list(zip(due["due"], due["file_index"], strict=True))


def _gaps(
    kind: Kind, instants: list[tuple[datetime, int]], first: datetime, last: datetime, unnamed: list[datetime]
) -> tuple[int, list[dict[str, Any]]]:
    """How many gaps were measured, and those that are too long."""
    assert kind.period_s is not None
    late_s = kind.late_s or max(LATE_PERIODS * kind.period_s, SELDOM_S)
    spans = [(after - before).total_seconds() for (before, _), (after, _) in itertools.pairwise(instants)]
    if kind.nature == "master":
        usual, longest = kind.period_s, late_s
    else:
        usual = median(spans) if spans else kind.period_s
        if usual > late_s:
            return 1, [
                {
                    "file_index": instants[1][1],
                    "zh": f"每{usual:g}秒一个文件；应每{kind.period_s:g}秒一个，至迟{late_s:g}秒",
                    "en": f"a file every {usual:g} s; expected every {kind.period_s:g} s, late after {late_s:g} s",
                }
            ]
        usual = max(usual, kind.period_s)
        longest = quality_rule("CF-02").threshold * usual
    stations = [(first, instants[0][1]), *instants, (last, instants[-1][1])]
    broken = []
    for (before, _), (after, file) in itertools.pairwise(stations):
        filled = sorted([before, *(at for at in unnamed if before < at < after), after])
        if max((b - a).total_seconds() for a, b in itertools.pairwise(filled)) > longest:
            gap = (after - before).total_seconds()
            lacking = max(round(gap / usual) - 1, 1)
            begin, end = mine_local(before), mine_local(after)
            broken.append(
                {
                    "file_index": file,
                    "zh": f"{begin}至{end}没有{kind.kind}文件，约缺{lacking}个（周期{usual:g}秒）",
                    "en": f"no {kind.kind} file from {begin} to {end}, about {lacking} missing (period {usual:g} s)",
                }
            )
    return len(stations) - 1, broken

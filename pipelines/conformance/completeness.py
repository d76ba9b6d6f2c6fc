"""DQ-05 and DQ-14: every point sends as often as the others, and once."""

from __future__ import annotations

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.clocks import late_records
from minefusion.pipelines.conformance.codes import malformed
from minefusion.pipelines.conformance.feed import Feed
from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, MINE_UTC_OFFSET_H, kinds, record_columns
from minefusion.schemas.exchange.owed import Reference, references
from minefusion.schemas.quality import quality_rule


def points_complete(feed: Feed) -> list[Found]:
    """DQ-05, per point and day of the mine: values that came, against what most points of the kind sent.

    Files that did not come at all are told by CF-02, and not again at each point. A point that is defined and never
    sent lacks all.
    """
    found = [_complete(feed, each) for each in references() if each.is_complete]
    return [Found("DQ-05", sum(n for n, _ in found), pl.concat([rows for _, rows in found if len(rows)] or [_NOTHING]))]


# Of what comes once a day, a point that is not there has not been measured yet.
FEWEST = 2
_NOTHING = pl.DataFrame(
    schema={
        "file_index": pl.Int32,
        "mine_code": pl.String,
        "kind": pl.String,
        "entity": pl.String,
        "zh": pl.String,
        "en": pl.String,
    }
)


def _complete(feed: Feed, each: Reference) -> tuple[int, pl.DataFrame]:
    values = feed.columns(each.column, kinds=(each.kind,)).rename({each.column: "entity"})
    values = values.filter(pl.col("entity").is_not_null())
    if values.is_empty():
        return 0, _NOTHING
    defined = feed.columns(each.defined_as, kinds=each.defined_in).rename({each.defined_as: "entity"})
    since = defined.group_by("mine_code", "entity").agg(pl.col("at").min().alias("since"))
    files = feed.originals.filter(pl.col("kind") == each.kind, pl.col("at").is_not_null())
    files = files.select("file_index", "mine_code", "at", _day("at"))
    values = values.with_columns(_day("observed_at"))
    came = values.group_by("mine_code", "entity", "day").agg(pl.col("observed_at").n_unique().alias("came"))
    usual = came.group_by("mine_code", "day").agg(pl.col("came").median().alias("usual"))
    usual = usual.filter(pl.col("usual") >= FEWEST)
    # Codes that nothing defines are told by DQ-10; where a mine sent no definitions at all, every point counts.
    seen = came.select("mine_code", "entity").join(since, on="mine_code", how="anti")
    points = pl.concat([since.select("mine_code", "entity"), seen]).unique()
    wanted = usual.join(points, on="mine_code").join(since, on=["mine_code", "entity"], how="left")
    # A point that is defined in the middle of the day owes the rest of it. The first definitions hold for before too.
    first = files.group_by("mine_code", "day").agg(pl.col("at").min().alias("first"), pl.col("at").max().alias("last"))
    begun = since.group_by("mine_code").agg(pl.col("since").min().alias("begun"))
    wanted = wanted.join(first, on=["mine_code", "day"]).join(begun, on="mine_code", how="left")
    owing = pl.when(pl.col("since") > pl.col("begun")).then(pl.col("since")).otherwise(pl.col("first"))
    span = (pl.col("last") - pl.col("first")).dt.total_seconds() + 1
    share = ((pl.col("last") - owing).dt.total_seconds() + 1) / span
    wanted = wanted.with_columns((pl.col("usual") * share.clip(0, 1).fill_null(1.0)).floor().alias("expected"))
    counted = wanted.join(came, on=["mine_code", "entity", "day"], how="left").with_columns(pl.col("came").fill_null(0))
    short = counted.filter(pl.col("came") < quality_rule("DQ-05").threshold * pl.col("expected"))
    if short.is_empty():
        return len(counted), _NOTHING
    short = _not_explained(feed, each, short, files, values)
    rows = short.select(
        "file_index",
        "mine_code",
        pl.lit(each.kind).alias("kind"),
        "entity",
        pl.format("{}应到{}条，实到{}条", "day", pl.col("expected").cast(pl.Int64), "came").alias("zh"),
        pl.format("on {} {} expected, {} came", "day", pl.col("expected").cast(pl.Int64), "came").alias("en"),
    )
    return len(counted), rows


def _not_explained(
    feed: Feed, each: Reference, short: pl.DataFrame, files: pl.DataFrame, values: pl.DataFrame
) -> pl.DataFrame:
    """Points that lack values for no reason that another clause tells, with the first file that lacks them.

    A file with a record in quarantine, or with a code of another form or that nothing defines, may hold the point's
    value there.
    """
    bad = feed.bad.filter(pl.col("kind") == each.kind)["file_index"]
    odd = malformed(feed).filter(pl.col("kind") == each.kind)["file_index"]
    defined = feed.columns(each.defined_as, kinds=each.defined_in).select(
        "mine_code", pl.col(each.defined_as).alias("entity")
    )
    strange = (
        values.join(defined, on=["mine_code", "entity"], how="anti")["file_index"] if len(defined) else bad.clear()
    )
    explained = pl.concat([bad, odd, strange]).unique()
    due = short.join(files, on=["mine_code", "day"]).filter(
        (pl.col("at") >= pl.col("since").fill_null(pl.col("at"))) | (pl.col("since") <= pl.col("begun"))
    )
    lacking = due.join(
        values.select("file_index", "mine_code", "entity"), on=["file_index", "mine_code", "entity"], how="anti"
    )
    key = ["mine_code", "entity", "day"]
    told = (
        lacking.filter(~pl.col("file_index").is_in(explained.implode()))
        .group_by(key)
        .agg(pl.col("file_index").min(), pl.len().alias("unexplained"))
    )
    doubtful = (
        lacking.filter(pl.col("file_index").is_in(explained.implode())).group_by(key).agg(pl.len().alias("doubtful"))
    )
    rows = short.join(told, on=key).join(doubtful, on=key, how="left").with_columns(pl.col("doubtful").fill_null(0))
    return rows.filter(pl.col("came") + pl.col("doubtful") < quality_rule("DQ-05").threshold * pl.col("expected")).sort(
        "file_index", "entity"
    )


def _day(column: str) -> pl.Expr:
    return pl.col(column).dt.offset_by(f"{MINE_UTC_OFFSET_H}h").dt.strftime("%Y-%m-%d").alias("day")


def keys_once(feed: Feed) -> list[Found]:
    """DQ-14 across files: a snapshot or sum that another file tells otherwise.

    The same again is a resent record, and one that came late is told by DQ-13.
    """
    late = late_records(feed)
    checked, parts = 0, []
    for (name, dialect), rows in feed.layouts.items():
        kind = kinds()[name]
        if kind.nature not in ("snapshot", "aggregate"):
            continue
        order = record_columns()[name, dialect]
        keys = [column for field in kind.layout(dialect).having("key") for column in field.columns]
        cells = rows["text"].str.split(FIELD_SEPARATOR)
        keyed = rows.select("file_index", "position", "mine_code", "observed_at", "text").with_columns(
            cells.list.get(order.index(column), null_on_oob=True).alias(f"key_{column}") for column in keys
        )
        checked += len(keyed)
        key = ["mine_code", "observed_at", *(f"key_{column}" for column in keys)]
        keyed = keyed.sort("file_index", "position").unique([*key, "file_index"], keep="last", maintain_order=True)
        keyed = keyed.join(late, on=["file_index", "position"], how="anti", maintain_order="left")
        again = keyed.filter(pl.col("text").n_unique().over(key) > 1)
        later = again.filter(~pl.struct(key).is_first_distinct()) if len(again) else again
        names = pl.concat_str([pl.col(f"key_{column}").fill_null("") for column in keys], separator=" ")
        parts.append(
            later.select(
                "file_index",
                "position",
                names.alias("entity"),
                pl.lit("同一测点同一时刻已有内容不同的记录").alias("zh"),
                pl.lit("an earlier file says otherwise about the same point and instant").alias("en"),
            )
        )
    return [Found("DQ-14", checked, pl.concat(parts) if parts else pl.DataFrame())]

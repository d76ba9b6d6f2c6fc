"""Gas analyses: what the sensors of one place, or one chromatograph sample, say of the air there at one moment.

The explosion triangle and the fire ratios read several gases at once. Sensors of an area are taken together minute by
minute; a sample is taken as it is. All amounts are in % by volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.minutes import first_minute, minute_grid, minute_no, window_minutes

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History
    from minefusion.pipelines.hazard.inputs import Feeds, Inputs

# Quantity → % by volume per unit of its sensors (schemas/sensor_types.csv).
SHARE = {
    "ch4": 1.0, "co": 1e-4, "co2": 1.0, "o2": 1.0, "n2": 1.0, "h2": 1.0, "c2h4": 1e-4, "c2h6": 1e-4, "c2h2": 1e-4,
}  # fmt: skip
GASES = tuple(SHARE)
# Gases whose highest value in an area counts; of the others the mean does.
COMBUSTIBLE = ("ch4", "co", "h2", "c2h4", "c2h6", "c2h2")
# Field records of this kind are chromatograph samples: one quantity a gas.
SAMPLE = "gas_sample"
PPM = "ppm"
_AREA_MINUTE = ["mine_code", "area_id", "minute_no"]


class HasRecords(Protocol):
    """What both cadences' inputs have."""

    @property
    def areas(self) -> nw.LazyFrame: ...
    @property
    def feeds(self) -> Feeds: ...


def nitrogen_by_difference_pct(
    o2: nw.Expr, co2: nw.Expr, ch4: nw.Expr, co: nw.Expr, h2: nw.Expr, ethanes: nw.Expr
) -> nw.Expr:
    """Nitrogen with argon [%], what the other gases leave of 100 %. Null without oxygen, carbon dioxide or methane.

    Gases that are hardly ever measured (CO, H2, C2Hx) count as 0 where they are not known.
    """
    return 100 - o2 - co2 - ch4 - co.fill_null(0.0) - h2.fill_null(0.0) - ethanes.fill_null(0.0)


def with_nitrogen(frame: nw.LazyFrame) -> nw.LazyFrame:
    """Nitrogen by difference where none is measured; `n2_measured` tells which."""
    ch4, co, h2 = (nw.col(name) for name in ("ch4", "co", "h2"))
    rest = nitrogen_by_difference_pct(nw.col("o2"), nw.col("co2"), ch4, co, h2, sum_known("c2h4", "c2h6", "c2h2"))
    measured = ~nw.col("n2").is_null()
    return frame.with_columns(nw.coalesce(nw.col("n2"), rest).alias("n2"), measured.alias("n2_measured"))


def sum_known(*names: str) -> nw.Expr:
    """Sum of the columns; one that is null counts as 0."""
    total = nw.lit(0.0)
    for name in names:
        total = total + nw.col(name).fill_null(0.0)
    return total


def analyses(inputs: Inputs) -> nw.LazyFrame:
    """One row per area with a methane sensor and minute, and one per spot that was sampled in the minute.

    Columns: mine_code, area_id, area_kind, entity (the area, or "GC " and the sampled spot), place_zh, place_en,
    window_start, minute_no, the GASES and temperature_c (null where not known), n2_measured, is_sample, coverage.
    """
    return with_nitrogen(nw.concat([_of_sensors(inputs), _of_samples(inputs)], how="vertical"))


_COLUMNS = (
    "mine_code", "area_id", "area_kind", "entity", "place_zh", "place_en", "window_start", "minute_no", *GASES,
    "temperature_c", "is_sample", "coverage",
)  # fmt: skip


def _of_sensors(inputs: Inputs) -> nw.LazyFrame:
    minutes = window_minutes(inputs, *GASES, "temperature").filter(~nw.col("mean").is_null())
    quantity, mean = nw.col("quantity"), nw.col("mean")
    amounts = [
        (nw.when(quantity == gas).then(mean * share).max() if gas in COMBUSTIBLE else
         nw.when(quantity == gas).then(mean * share).mean()).alias(gas)
        for gas, share in SHARE.items()
    ]  # fmt: skip
    covered = nw.when(quantity.is_in(["ch4", "o2"])).then(nw.col("coverage"))
    together = minutes.group_by(_AREA_MINUTE).agg(
        *amounts,
        nw.when(quantity == "temperature").then(mean).max().alias("temperature_c"),
        covered.min().alias("coverage"),
    )
    places = inputs.points.filter(nw.col("quantity") == "ch4").select("mine_code", "area_id").unique()
    rows = described(inputs, places).join(minute_grid(inputs), how="cross")
    rows = rows.join(together, on=_AREA_MINUTE, how="left").with_columns(
        nw.col("area_id").alias("entity"), nw.lit(False).alias("is_sample"), nw.col("coverage").fill_null(0.0)
    )
    return rows.select(*_COLUMNS)


def described(inputs: HasRecords, places: nw.LazyFrame) -> nw.LazyFrame:
    """mine_code, area_id, area_kind and the words for the place."""
    areas = inputs.areas.select("mine_code", "area_id", nw.col("kind").alias("area_kind"), "name_zh", "name_en")
    rows = places.join(areas, on=["mine_code", "area_id"], how="left")
    return rows.with_columns(
        nw.coalesce("name_zh", "area_id").alias("place_zh"), nw.coalesce("name_en", "area_id").alias("place_en")
    ).drop("name_zh", "name_en")


def with_sensors(inputs: Inputs, rows: nw.LazyFrame, *quantities: str) -> nw.LazyFrame:
    """The analyses of areas that have a sensor of each of these quantities, and all samples."""
    places = inputs.points.filter(nw.col("quantity").is_in(list(quantities))).select("mine_code", "area_id", "quantity")
    equipped = places.group_by("mine_code", "area_id").agg(nw.col("quantity").n_unique().alias("_kinds"))
    rows = rows.join(equipped, on=["mine_code", "area_id"], how="left")
    has_all = (nw.col("_kinds") == len(quantities)).fill_null(False)
    return rows.filter(has_all | nw.col("is_sample")).drop("_kinds")


def _of_samples(inputs: Inputs) -> nw.LazyFrame:
    """The newest sample of each spot and minute."""
    rows = samples(inputs).with_columns(minute_no(nw.col("at_us")).alias("minute_no"))
    rows = rows.filter(nw.col("minute_no") >= first_minute(inputs.window))
    spot = ["mine_code", "area_id", "entity", "minute_no"]
    rows = rows.with_columns(nw.col("at_us").max().over(*spot).alias("_last")).filter(
        nw.col("at_us") == nw.col("_last")
    )
    # Two at one instant: the greater record number.
    rows = rows.with_columns(nw.col("record_id").max().over(*spot).alias("_record"))
    rows = rows.filter(nw.col("record_id") == nw.col("_record"))
    rows = rows.join(minute_grid(inputs), on="minute_no", how="inner")
    return rows.with_columns(
        nw.lit(True).alias("is_sample"),
        nw.lit(1.0).alias("coverage"),
        nw.lit(None, dtype=nw.Float64).alias("temperature_c"),
    ).select(*_COLUMNS)


def samples(inputs: HasRecords) -> nw.LazyFrame:
    """Chromatograph samples, one a row: mine_code, area_id, area_kind, entity, record_id, at_us, place words, GASES."""
    records = inputs.feeds.records.filter(nw.col("kind") == SAMPLE, nw.col("usable"), ~nw.col("value").is_null())
    value = nw.when(nw.col("unit") == PPM).then(nw.col("value") * 1e-4).otherwise(nw.col("value"))
    keys = ["mine_code", "area_id", "place", "sample_id", "record_id", "observed_us"]
    rows = (
        records.with_columns(value.alias("_share"), nw.col("area_id").fill_null("unplaced"))
        .group_by(keys)
        .agg(*(nw.when(nw.col("quantity") == gas).then(nw.col("_share")).max().alias(gas) for gas in GASES))
    )
    rows = described(inputs, rows)
    spot = nw.coalesce("place", "sample_id", "area_id")
    return rows.with_columns(
        nw.concat_str(nw.lit("GC "), spot).alias("entity"),
        nw.concat_str(nw.col("place_zh"), nw.lit(" 气样 "), spot).alias("place_zh"),
        nw.concat_str(nw.col("place_en"), nw.lit(", sample "), spot).alias("place_en"),
        nw.col("observed_us").alias("at_us"),
    ).select("mine_code", "area_id", "area_kind", "entity", "record_id", "at_us", "place_zh", "place_en", *GASES)


# ── over days: what the fire ratios read ────────────────────────────────────────────────────────────────────────────

HOUR_US = 3_600_000_000
# Air that no intake sensor describes.
AIR_O2_PCT, AIR_N2_PCT = 20.93, 79.04
# A shot makes carbon monoxide for so long.
BLAST_MASK_US = HOUR_US // 2
BLAST = "blast"
_GASES_IN = tuple(f"{gas}_in" for gas in ("o2", "n2", "co", "co2"))


def gas_series(history: History) -> nw.LazyFrame:
    """Analyses of five minutes of each air path and goaf that has sensors, and all samples, over the history.

    Columns: mine_code, area_id, area_kind, entity, place_zh, place_en, at_us, is_sample, the GASES [%], n2_measured,
    o2_in, n2_in (air's own where the intake has no oxygen sensor), co_in, co2_in (0 where it has none; co_in counts the
    site's diesel background), inert (n2 or co2 while it is injected there, else null), after_blast.
    """
    rows = nw.concat([_of_paths(history), _of_goafs(history), _sampled(history)], how="vertical")
    rows = with_nitrogen(rows)
    fresh_n2 = 100 - nw.col("o2_in") - nw.col("co2_in").fill_null(0.0)
    has_oxygen = ~nw.col("o2_in").is_null()
    rows = rows.with_columns(
        nw.when(has_oxygen).then(nw.coalesce(nw.col("n2_in"), fresh_n2)).otherwise(nw.lit(AIR_N2_PCT)).alias("n2_in"),
        nw.col("o2_in").fill_null(AIR_O2_PCT),
        nw.col("co2_in").fill_null(0.0),
    )
    return _masked(history, _with_site_facts(history, rows))


def _by_five(history: History, *keys: str) -> nw.LazyFrame:
    """Mean of each gas [%] by five minutes and what `keys` name."""
    five = history.five.filter(nw.col("quantity").is_in(list(GASES)), ~nw.col("value_mean").is_null())
    return five.group_by("mine_code", *keys, nw.col("start_us").alias("at_us")).agg(
        *(
            nw.when(nw.col("quantity") == gas).then(nw.col("value_mean") * share).mean().alias(gas)
            for gas, share in SHARE.items()
        )
    )


def _of_paths(history: History) -> nw.LazyFrame:
    at_edge = history.cached(_by_five(history, "edge_id").filter(~nw.col("edge_id").is_null()))
    intake = at_edge.select(
        "mine_code", nw.col("edge_id").alias("intake_edge"), "at_us",
        *(nw.col(gas.removesuffix("_in")).alias(gas) for gas in _GASES_IN),
    )  # fmt: skip
    paths = history.air_paths.select("mine_code", "area_id", "intake_edge", nw.col("return_edge").alias("edge_id"))
    rows = paths.join(at_edge, on=["mine_code", "edge_id"], how="inner")
    rows = rows.join(intake, on=["mine_code", "intake_edge", "at_us"], how="left")
    rows = described(history, rows).with_columns(nw.col("area_id").alias("entity"), nw.lit(False).alias("is_sample"))
    return rows.select(*_SERIES)


def _of_goafs(history: History) -> nw.LazyFrame:
    rows = described(history, _by_five(history, "area_id").filter(~nw.col("area_id").is_null()))
    rows = rows.filter(nw.col("area_kind") == "goaf")
    return _in_plain_air(rows.with_columns(nw.col("area_id").alias("entity"), nw.lit(False).alias("is_sample")))


def _sampled(history: History) -> nw.LazyFrame:
    return _in_plain_air(samples(history).with_columns(nw.lit(True).alias("is_sample")))


def _in_plain_air(rows: nw.LazyFrame) -> nw.LazyFrame:
    nothing = nw.lit(None, dtype=nw.Float64)
    return rows.with_columns(*(nothing.alias(name) for name in _GASES_IN)).select(*_SERIES)


_SERIES = (
    "mine_code", "area_id", "area_kind", "entity", "place_zh", "place_en", "at_us", "is_sample", *GASES, *_GASES_IN,
)  # fmt: skip


def _with_site_facts(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    """The diesel background, taken as carbon monoxide of the intake, and what inert gas is injected."""
    diesel, inert = [], []
    for mine, site in history.sites.items():
        if site is None:
            continue
        diesel += [
            {"mine_code": mine, "area_id": each.area_id, "_diesel": each.co_ppm * SHARE["co"]}
            for each in site.diesel_backgrounds
        ]
        for injection in site.inert_injections:
            start, end = injection.span_us()
            inert.append(
                {"mine_code": mine, "area_id": injection.area_id, "_gas": injection.gas, "_from": start, "_to": end}
            )
    rows = rows.join(history.frame(diesel, _DIESEL), on=["mine_code", "area_id"], how="left").with_columns(
        (nw.col("co_in").fill_null(0.0) + nw.col("_diesel").fill_null(0.0)).alias("co_in")
    )
    rows = rows.join(history.frame(inert, _INERT), on=["mine_code", "area_id"], how="left")
    while_injected = (nw.col("at_us") >= nw.col("_from")) & (nw.col("at_us") < nw.col("_to"))
    rows = rows.with_columns(nw.when(while_injected.fill_null(False)).then(nw.col("_gas")).alias("inert"))
    # An area may have several injections: one row each, of which the one that holds now counts.
    same = [name for name in rows.collect_schema().names() if name not in ("_diesel", "_gas", "_from", "_to", "inert")]
    return rows.group_by(same).agg(nw.col("inert").max())


_DIESEL = pa.schema([("mine_code", pa.string()), ("area_id", pa.string()), ("_diesel", pa.float64())])
_INERT = pa.schema(
    {"mine_code": pa.string(), "area_id": pa.string(), "_gas": pa.string(), "_from": pa.int64(), "_to": pa.int64()}
)


def _masked(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    """`after_blast`: a shot of the mine was fired in the half hour before."""
    shots = history.feeds.records.filter(nw.col("kind") == BLAST).select(
        "mine_code", (nw.col("observed_us") // BLAST_MASK_US).cast(nw.Int64).alias("_slot"), "observed_us"
    )
    # Half-hour slots: a shot masks its own slot and the next one, as far as half an hour reaches.
    both = [shots.with_columns((nw.col("_slot") + more).alias("_slot")) for more in (0, 1)]
    shots = (
        nw.concat(both, how="vertical")
        .group_by("mine_code", "_slot")
        .agg(nw.col("observed_us").max().alias("_last"), nw.col("observed_us").min().alias("_first"))
    )
    rows = rows.with_columns((nw.col("at_us") // BLAST_MASK_US).cast(nw.Int64).alias("_slot"))
    rows = rows.join(shots, on=["mine_code", "_slot"], how="left")
    after = [
        ((nw.col("at_us") >= nw.col(shot)) & (nw.col("at_us") < nw.col(shot) + BLAST_MASK_US)).fill_null(False)
        for shot in ("_first", "_last")
    ]
    return rows.with_columns((after[0] | after[1]).alias("after_blast")).drop("_slot", "_first", "_last")

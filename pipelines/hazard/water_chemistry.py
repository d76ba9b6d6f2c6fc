"""Where the water in the workings comes from, by its ions and temperature (W-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    UNPLACED,
    Floats,
    Span,
    hour_grid,
    known,
    no_point,
    placed,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.schemas.site_hazards import SourceWater

IONS = ("na_k", "ca", "mg", "cl", "so4", "hco3", "tds")
FEATURES = (*IONS, "water_temperature")
# Error of an analysis: a tenth of an amount, a degree of temperature. Known waters never lie closer together.
ERROR, KELVIN = 0.1, 10.0
# Features that a sample must have, and for how long it tells of its place.
LEAST_FEATURES, HOLDS_D = 5, 7

W_06 = Index(
    id="W-06",
    name_zh="水化学与水温",
    name_en="water chemistry",
    unit="ratio",
    minutes=60,
    source="discriminant analysis of water sources; own start values",
    confidence="advisory",
    doc=(
        "Distance (Mahalanobis) of the newest water sample of a place from the nearest known source, and how probable "
        "each source is by Bayes. Orange where the most likely source is another than in the sample before; yellow "
        "where the water is like none that is known. A sample tells for seven days."
    ),
    formula=r"d_k=\sqrt{(x-\mu_k)^T S^{-1}(x-\mu_k)},\quad p_k=\frac{e^{-d_k^2/2}}{\sum_j e^{-d_j^2/2}}",
    reads=(
        "Na+K, Ca, Mg, Cl, SO4, HCO3 and dissolved solids (field record) [mg/L]",
        "water temperature (field record) [℃]",
        "samples of known sources (site file)",
    ),
    edges=(
        "ions that a sample lacks are left out, under five features it is not judged",
        "few samples of a source: the spread never counts less than a tenth of an amount",
        "a first sample has no change",
        "a sample older than seven days: null",
    ),
    scenario="water_inrush",
)


def features(sample: Mapping[str, float | None]) -> Floats:
    """A sample as a vector: logarithms of the ions, temperature in tens of ℃; NaN where not measured."""
    ions = [np.nan if sample.get(name) is None else np.log1p(max(float(sample[name] or 0.0), 0.0)) for name in IONS]
    warm = sample.get("water_temperature")
    return np.array([*ions, np.nan if warm is None else float(warm) / KELVIN])


class Sources:
    """Known waters of a mine: the mean of each source and the spread that all share."""

    def __init__(self, waters: Sequence[SourceWater]) -> None:
        self.names = sorted({water.source for water in waters})
        samples = {
            name: np.array([features(vars(water)) for water in waters if water.source == name]) for name in self.names
        }
        self.means = {name: rows.mean(axis=0) for name, rows in samples.items()}
        inside = np.concatenate([rows - self.means[name] for name, rows in samples.items()])
        free = max(len(inside) - len(self.names), 1)
        self.spread = inside.T @ inside / free + np.eye(len(FEATURES)) * ERROR**2

    def distances(self, sample: Floats) -> Floats:
        """Mahalanobis distance to each source by the features that the sample has, in the order of `names`."""
        has = np.isfinite(sample)
        inverse = np.linalg.inv(self.spread[np.ix_(has, has)])
        off = [(sample - self.means[name])[has] for name in self.names]
        return np.sqrt(np.array([each @ inverse @ each for each in off]))

    def probabilities(self, distances: Floats) -> Floats:
        """Probability of each source, all equally likely before."""
        weight = np.exp(-(distances**2 - (distances**2).min()) / 2)
        return weight / weight.sum()


_PLACE = ["mine_code", "area_id", "entity"]
_FOUND = pa.schema(
    [(name, pa.string()) for name in _PLACE] + [("hour", pa.int64())]
    + [(name, pa.float64()) for name in ("distance", "probability", "changed", "samples", "age_d")]
    + [("likely", pa.string()), ("before", pa.string())]
)  # fmt: skip


def w06(history: History) -> nw.LazyFrame:
    """Source of the water of each sampled place, by hour."""
    records = history.feeds.records.filter(
        nw.col("kind") == "water_chemistry", nw.col("usable"), ~nw.col("value").is_null()
    )
    area = nw.col("area_id").fill_null(UNPLACED)
    spot = nw.when(nw.col("place") != "").then(nw.col("place"))
    records = records.with_columns(area.alias("area_id"), nw.coalesce(spot, area).alias("entity"))
    records = records.select(*_PLACE, "record_id", "observed_us", "quantity", "value")
    sources = {mine: Sources(site.source_waters) for mine, site in history.sites.items() if site and site.source_waters}
    span = Span.of(history.window)

    def of_place(group: pa.Table) -> pa.Table:
        return _judge_place(group, span, sources.get(group["mine_code"][0].as_py()))

    rows = history.grouped(records, _PLACE, of_place, _FOUND).join(hour_grid(history), on="hour", how="inner")
    rows = history.cached(rows.with_columns(no_point().alias("point_id")))
    distance, changed, likely = nw.col("distance"), nw.col("changed"), nw.col("likely")
    with_sources = [{"mine_code": mine, "_known": True} for mine in sources]
    rows = rows.join(
        history.frame(with_sources, pa.schema([("mine_code", pa.string()), ("_known", pa.bool_())])),
        on="mine_code", how="left",
    )  # fmt: skip
    rows = judged(history, rows, "W-06", ("", distance), ("changed", changed))
    percent = number(100 * nw.col("probability"), 0)
    is_new = (changed == 1).fill_null(False)
    was_zh = nw.when(is_new).then(nw.concat_str(nw.lit("，此前为 "), nw.col("before"))).otherwise(nw.lit(""))
    was_en = nw.when(is_new).then(nw.concat_str(nw.lit(", before it was "), nw.col("before"))).otherwise(nw.lit(""))
    return index_rows(
        placed(history, rows, "水样", "water sample"),
        W_06,
        value=distance,
        level=nw.col("level"),
        reason=nw.when(nw.col("_known").is_null())
        .then(nw.lit("NO_WATER_SOURCES"))
        .otherwise(nw.lit("NO_WATER_SAMPLE")),
        inputs={
            "source": quoted(likely),
            "probability": number(nw.col("probability"), 3),
            "source_before": quoted(nw.col("before")),
            "age_d": number(nw.col("age_d"), 1),
            "samples": number(nw.col("samples"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("水源最可能为 "), likely, nw.lit("（"), percent, nw.lit(" %）"), was_zh),
        finding_en=nw.concat_str(
            nw.lit("water most likely from "), likely, nw.lit(" ("), percent, nw.lit(" %)"), was_en
        ),
    )


def _judge_place(group: pa.Table, span: Span, sources: Sources | None) -> pa.Table:
    """Rows of _FOUND: what the newest sample says at each judged hour."""
    samples: dict[tuple[int, str], dict[str, float | None]] = {}
    for at, record, quantity, value in zip(
        *(group[name].to_pylist() for name in ("observed_us", "record_id", "quantity", "value")), strict=True
    ):
        samples.setdefault((at, record), {})[quantity] = value
    told: list[tuple[int, float, float, str]] = []
    for (at, _), sample in sorted(samples.items()):
        vector = features(sample)
        if sources is None or np.isfinite(vector).sum() < LEAST_FEATURES:
            continue
        distances = sources.distances(vector)
        nearest = int(np.argmin(distances))
        chance = float(sources.probabilities(distances)[nearest])
        told.append((at, float(distances[nearest]), chance, sources.names[nearest]))
    at_us = np.array([each[0] for each in told], dtype=np.int64)
    hours = span.end - span.start
    numbers = {name: np.full(hours, np.nan) for name in ("distance", "probability", "changed", "samples", "age_d")}
    likely: list[str | None] = [None] * hours
    before: list[str | None] = [None] * hours
    for n, end in enumerate(span.ends_us()):
        newest = int(np.searchsorted(at_us, end)) - 1
        if newest < 0 or end - at_us[newest] >= HOLDS_D * DAY_H * HOUR_US:
            continue
        _, numbers["distance"][n], numbers["probability"][n], likely[n] = told[newest]
        numbers["samples"][n], numbers["age_d"][n] = newest + 1, (end - at_us[newest]) / (DAY_H * HOUR_US)
        if newest:
            before[n] = told[newest - 1][3]
            numbers["changed"][n] = float(likely[n] != before[n])
    columns: dict[str, pa.Array] = {key: pa.array([group[key][0].as_py()] * hours, pa.string()) for key in _PLACE}
    columns["hour"] = pa.array(np.arange(span.start, span.end, dtype=np.int64))
    columns |= {name: known(values) for name, values in numbers.items()}
    columns |= {"likely": pa.array(likely, pa.string()), "before": pa.array(before, pa.string())}
    return pa.table({name: columns[name] for name in _FOUND.names}, schema=_FOUND)

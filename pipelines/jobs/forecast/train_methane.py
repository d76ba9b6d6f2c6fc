"""Train the methane forecast on what silver holds, or on a measured table, and judge it on the newest readings.

A model is trained on the older part and judged on the newest, beside the champion and beside persistence; then it is
trained once more on everything. Points that this training has nothing of keep what the champion knows of them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from minefusion.models.methane_forecast import predict as methane
from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.features import HOLD, ahead, last_good
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, PERIOD_S, Floats, Readings, steps
from minefusion.models.methane_forecast.scores import pinball
from minefusion.models.methane_forecast.train import Forecaster, train
from minefusion.models.training_run import CARD, DataUsed, TrainingRun, code_version, fingerprint
from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.sensor_series import POINT_KEY, other_rows, sensors_of, series_frame
from minefusion.pipelines.jobs.forecast.air_groups import QUANTITIES, SECOND_US, air_groups, readings_of
from minefusion.pipelines.jobs.forecast.measured_series import measured_series
from minefusion.pipelines.jobs.forecast.reigns import microseconds
from minefusion.pipelines.jobs.forecast.score_methane import LIMIT, MODEL
from minefusion.pipelines.jobs.gold_inputs import points_at
from minefusion.pipelines.jobs.master_data import sites_of, stored
from minefusion.schemas import silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
PERSISTENCE = "persistence"
# The newest share of each series is held out to judge by.
HELD_OUT = 0.25
# Sanity of a point's data: so much of it is there, it moves, and it is gas and no percentage of something else.
LEAST_GOOD, MOST_PCT = 0.5, 40.0


class NothingToLearnError(InputError):
    """The data is there, and there is too little of it, or none that a model should learn from."""


@dataclass(frozen=True)
class Source:
    """Readings to train on, by air path, and where they come from."""

    groups: tuple[Readings, ...]
    data: DataUsed


def from_files(series: Path, mapping: Path, *, called: str | None = None) -> Source:
    """A measured table and its mapping."""
    readings, _ = measured_series([series], mapping)
    times = readings.times_s
    data = DataUsed(
        called or series.name, _iso(times[0]), _iso(times[-1]), len(readings), fingerprint(_arrays((readings,)))
    )
    return Source((readings,), data)


def from_newest(
    engine: Engine, mines: Sequence[str] | None = None, *, weeks: int, window: Window | None = None
) -> Source:
    """What silver holds of the newest weeks, or of a window."""
    if window is None:
        days = engine.days(silver.READING)
        if not days:
            raise NothingToLearnError("expected readings in silver, found none; ingest some, or give --series")
        end = datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) + timedelta(days=1)
        window = Window(end - timedelta(weeks=weeks), end)
    return from_lake(engine, window, mines)


def from_lake(engine: Engine, window: Window, mines: Sequence[str] | None = None) -> Source:
    """What silver holds of these mines over a span.

    Raises:
        NothingToLearnError: there is no methane there.
    """
    if mines is None:
        known = engine.in_process.read(silver.AREA).select("mine_code").unique()
        mines = sorted(engine.in_process.to_arrow(known)["mine_code"].to_pylist())
    master = stored(engine, mines)
    points = points_at(engine, window.end, mines, master).filter(nw.col("quantity").is_in(list(QUANTITIES)))
    usable = nw.when(is_usable(nw.col("quality"), nw.col("quality_reasons"))).then(nw.col("value"))
    rows = engine.read(silver.READING, window=window, mines=mines).with_columns(usable.alias("value"))
    limits = points.select(*POINT_KEY, nw.lit(0, dtype=nw.Int64).alias("us"), nw.col("alarm").alias("value"))
    frame = series_frame(points, engine.with_epoch(rows, "observed_at", "observed_us"), {LIMIT: limits})
    sites = sites_of(engine.settings, mines)
    groups: list[Readings] = []
    first_us, last_us = microseconds(window.start), microseconds(window.end)
    first_us = -(-first_us // (PERIOD_S * SECOND_US)) * PERIOD_S * SECOND_US
    for mine in mines:
        of_mine = engine.to_arrow(frame.filter(nw.col("mine_code") == mine))
        told = {point: float(values[0]) for point, (_, values) in other_rows(of_mine, LIMIT).items()}
        for group in air_groups(sensors_of(of_mine), sites.get(mine)):
            of = [told.get(sensor.point_id, np.nan) for sensor in group.gas]
            groups.append(readings_of(group, of, first_us, last_us - 1, first_us))
    if not groups:
        raise NothingToLearnError(
            f"expected methane readings from {window.start.isoformat()} to {window.end.isoformat()}, found none; "
            "widen the span, or train on a file with --series"
        )
    versions = {table.name: _version(engine, table) for table in (silver.READING, silver.DEFINITION)}
    count = sum(len(each) for each in groups)
    data = DataUsed(
        "lake", window.start.isoformat(), window.end.isoformat(), count, fingerprint(_arrays(groups)), versions
    )
    return Source(tuple(groups), data)


def sane(source: Source, config: ForecastConfig) -> Source:
    """The source without what no model should learn from.

    Raises:
        NothingToLearnError: nothing is left, and why.
    """
    kept, why = [], []
    # The older part alone must do for a first fit and a stretch after it.
    least = math.ceil((config.fewest_rows + config.refit_steps) / (1 - HELD_OUT)) + 1
    for readings in source.groups:
        span = _measured_span(readings)
        if span.stop - span.start < least:
            hours = least * PERIOD_S / 3600
            why.append(f"{readings.names[0]}: under {hours:.0f} h of readings")
            continue
        readings = _cut(readings, span)
        good = []
        for place, name in enumerate(readings.names):
            fault = _fault(readings.ch4_pct[:, place], readings.limits_pct[place])
            if fault:
                why.append(f"{name}: {fault}")
            else:
                good.append(place)
        if good:
            kept.append(_points(readings, good))
    for line in why:
        logger.warning("left out of the training: %s", line)
    if not kept:
        raise NothingToLearnError(f"expected a methane point that can be learned from, got none ({'; '.join(why[:3])})")
    return replace(source, groups=tuple(kept))


def train_methane(
    source: Source,
    folder: Path,
    *,
    champion: Path | None = None,
    config: ForecastConfig | None = None,
    licence: str = "",
    progress: Progress | None = None,
) -> tuple[TrainingRun, Callable[[Path], Mapping[str, float]]]:
    """Train, judge on the newest quarter, train again on everything, and leave it in a folder.

    Args:
        champion: folder of the forecaster that lends what it knows of other points.

    Returns:
        The run, and what gives the same losses of the model in another folder.

    Raises:
        NothingToLearnError: the data is too short or does not make sense.
    """
    config = config or ForecastConfig()
    source = sane(source, config)
    say = progress or (lambda _share, _text: None)
    parts = len(source.groups)
    older: dict[int, Forecaster] = {}
    whole = replace(methane.load(champion), config=config) if champion else Forecaster(config)
    for number, readings in enumerate(source.groups):

        def told(share: float, text: str, number: int = number) -> None:
            say((number + share) / parts, text)

        older[number], _ = train(_older(readings), config, progress=lambda share, text: told(share / 2, text))
        newest, _ = train(readings, config, progress=lambda share, text: told(0.5 + share / 2, text))
        whole = replace(
            whole, points={**whole.points, **newest.points}, thresholds={**whole.thresholds, **newest.thresholds}
        )
    losses = _losses(source, [_fan_of(older[number], each) for number, each in enumerate(source.groups)])
    without = _losses(source, [_persistence(each) for each in source.groups])
    run = TrainingRun(
        model=MODEL,
        folder=folder,
        parameters={"config": asdict(config), "held_out": HELD_OUT, "points": sorted(_names(source))},
        metrics={f"pinball {name}": loss for name, loss in losses.items()}
        | {f"pinball_to_persistence {name}": losses[name] / without[name] for name in losses},
        losses=losses,
        doing_without=without,
        simplest=PERSISTENCE,
        data=source.data,
        code=code_version(MODEL),
    )
    methane.save(whole, run.files)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(_card(run, licence), encoding="utf-8")
    run.write()
    return run, lambda other: losses_of(methane.load(other), source)


def losses_of(forecaster: Forecaster, source: Source) -> dict[str, float]:
    """Losses of a forecaster, as it is, on the held-out part; where it cannot speak, those of persistence."""
    return _losses(source, [_fan_of(forecaster, each) for each in source.groups])


def _fan_of(forecaster: Forecaster, readings: Readings) -> Floats:
    """Quantiles at each held-out row; shape (rows, points, horizons, levels)."""
    rows = _held_out(readings)
    fan = _persistence(readings)
    can = [
        place
        for place, name in enumerate(readings.names)
        if name in forecaster.points or forecaster.general is not None
    ]
    if can:
        some = _points(readings, can) if len(can) < len(readings.names) else readings
        fan[:, can] = methane.predict(forecaster, some, rows).quantiles_pct
    return fan


def _persistence(readings: Readings) -> Floats:
    """The last good value and the moves that were usual before; shape as `_fan_of`."""
    rows, known = _held_out(readings), slice(0, _split(readings))
    fan = np.full((len(rows), len(readings.names), len(HORIZONS_MIN), len(LEVELS)), np.nan)
    for place in range(len(readings.names)):
        own = readings.ch4_pct[:, place]
        base = last_good(own, HOLD)
        for number, minutes in enumerate(HORIZONS_MIN):
            moves = ahead(own[known], steps(minutes)) - base[known]
            moves = moves[np.isfinite(moves)]
            usual = np.quantile(moves, LEVELS) if len(moves) else np.zeros(len(LEVELS))
            fan[:, place, number] = base[rows, None] + usual
    return fan


def _losses(source: Source, fans: Sequence[Floats]) -> dict[str, float]:
    """Pinball loss by horizon, over all points and rows whose reading came."""
    found: dict[str, list[Floats]] = {f"{minutes} min": [] for minutes in HORIZONS_MIN}
    for readings, fan in zip(source.groups, fans, strict=True):
        rows = _held_out(readings)
        for place in range(len(readings.names)):
            for number, minutes in enumerate(HORIZONS_MIN):
                truth = ahead(readings.ch4_pct[:, place], steps(minutes))[rows]
                known = np.isfinite(truth) & np.isfinite(fan[:, place, number]).all(axis=1)
                found[f"{minutes} min"].append(pinball(truth[known], fan[known, place, number]).mean(axis=1))
    return {name: float(np.concatenate(losses).mean()) for name, losses in found.items()}


def _split(readings: Readings) -> int:
    return round((1 - HELD_OUT) * len(readings))


def _older(readings: Readings) -> Readings:
    return readings.until(_split(readings))


def _held_out(readings: Readings) -> np.ndarray:
    """Each whole minute of the newest part."""
    return np.arange(_split(readings), len(readings), steps(1))


def _measured_span(readings: Readings) -> slice:
    """From the first to the last row at which a point has a value."""
    there = np.flatnonzero(np.isfinite(readings.ch4_pct).any(axis=1))
    return slice(int(there[0]), int(there[-1]) + 1) if len(there) else slice(0, 0)


def _fault(own: Floats, limit_pct: float) -> str | None:
    """Why no model should learn from a point; None where it may."""
    good = own[np.isfinite(own)]
    if len(good) < LEAST_GOOD * len(own):
        return f"{len(good) / max(len(own), 1):.0%} of its values are good, {LEAST_GOOD:.0%} are needed"
    if np.ptp(good) == 0:
        return f"it stands still at {good[0]:g} %"
    if np.quantile(good, 0.99) > MOST_PCT:
        return f"it reads over {MOST_PCT:g} %, which no roadway does for long"
    if not np.isfinite(limit_pct):
        return "it has no alarm limit"
    return None


def _cut(readings: Readings, span: slice) -> Readings:
    def part(values: Floats) -> Floats:
        return values[span] if values.size else values

    return replace(
        readings,
        times_s=readings.times_s[span],
        ch4_pct=readings.ch4_pct[span],
        air_m_s=part(readings.air_m_s),
        pressure_hpa=part(readings.pressure_hpa),
        producing=part(readings.producing),
    )


def _points(readings: Readings, places: Sequence[int]) -> Readings:
    chosen = list(places)
    return replace(
        readings,
        ch4_pct=readings.ch4_pct[:, chosen],
        names=tuple(readings.names[place] for place in chosen),
        limits_pct=readings.limits_pct[chosen],
        restarted_s=readings.restarted_s[chosen] if readings.restarted_s.size else readings.restarted_s,
    )


def _names(source: Source) -> list[str]:
    return [name for readings in source.groups for name in readings.names]


def _arrays(groups: Sequence[Readings]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for number, readings in enumerate(groups):
        for name, values in vars(readings).items():
            found[f"{number}.{name}"] = np.asarray(values)
    return found


def _version(engine: Engine, table: Any) -> int:
    part = engine.in_process.part(table, days=())
    return max(part.version, 0)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _card(run: TrainingRun, licence: str) -> str:
    lines = [
        f"  - {name}: {loss:.4f} %, persistence {run.doing_without[name]:.4f} %" for name, loss in run.losses.items()
    ]
    return "\n".join(
        (
            f"# {run.model}",
            "",
            "Quantiles of methane at 3, 10, 30 and 60 min, and the chance of reaching the alarm limit.",
            "",
            f"- data: {run.data.source}, {run.data.start} to {run.data.end}, {run.data.rows} half minutes, "
            f"sha256 {run.data.sha256[:16]}",
            f"- licence of the data: {licence or 'the owner’s'}",
            f"- split: in time; the newest {HELD_OUT:.0%} held out. Pinball loss there:",
            *lines,
            "- then trained once more on everything; deterministic by its seed",
            f"- points: {', '.join(run.parameters['points'])}",
            f"- code: {run.code}",
            "- it advises; it never takes the place of the alarm limits and the certified interlock",
            "",
        )
    )

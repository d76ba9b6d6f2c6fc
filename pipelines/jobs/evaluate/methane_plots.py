"""Pictures of an evaluation: reliability, example forecasts, lead time against false warnings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minefusion.models.methane_forecast.evaluate import Evaluation
from minefusion.models.methane_forecast.features import ahead, max_ahead
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, MEDIAN, WITHIN_MIN, steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXAMPLE_HOURS = 8


def draw(done: Evaluation, folder: Path) -> list[Path]:
    """Draw into a folder, which is made; returns the PNG files."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    count = len(done.readings.names)
    pictures: dict[str, Figure] = {
        "reliability": Figure(figsize=(5 * count, 4.5), layout="constrained"),
        "onset_reliability": Figure(figsize=(5 * count, 4.5), layout="constrained"),
        "examples": Figure(figsize=(12, 3.2 * count), layout="constrained"),
        "warnings": Figure(figsize=(5 * count, 4.5), layout="constrained"),
    }
    for point, name in enumerate(done.readings.names):
        _reliability(pictures["reliability"].add_subplot(1, count, point + 1, title=name), done, point)
        _onset(pictures["onset_reliability"].add_subplot(1, count, point + 1, title=name), done, point)
        _example(pictures["examples"].add_subplot(count, 1, point + 1, title=name), done, point)
        _warnings(pictures["warnings"].add_subplot(1, count, point + 1, title=name), done.found["warnings"][point])
    paths = []
    for name, figure in pictures.items():
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=110)
    return paths


def _reliability(axes: Any, done: Evaluation, point: int) -> None:
    """Share of readings at or below each quantile; readings are discrete and lie on many, so both shares are drawn."""
    own = done.readings.ch4_pct[:, point]
    for horizon, minutes in enumerate(HORIZONS_MIN):
        truth = ahead(own, steps(minutes))[done.rows]
        known = np.isfinite(truth) & done.is_active[:, point]
        fan = done.forecast.quantiles_pct[known, point, horizon]
        below = (truth[known, None] < fan - 1e-6).mean(axis=0)
        up_to = (truth[known, None] <= fan + 1e-6).mean(axis=0)
        axes.vlines(np.array(LEVELS) + 0.006 * (horizon - 1.5), below, up_to, color=f"C{horizon}", lw=3)
        axes.plot([], [], color=f"C{horizon}", lw=3, label=f"{minutes} min")
    axes.plot([0, 1], [0, 1], color="grey", lw=0.8)
    axes.set(xlabel="quantile level", ylabel="share of readings below … at or below")
    axes.legend(title="8 h with production")


def _onset(axes: Any, done: Evaluation, point: int) -> None:
    own, limit = done.readings.ch4_pct[:, point], done.readings.limits_pct[point]
    for window, minutes in enumerate(WITHIN_MIN):
        chance = done.forecast.onset[:, point, window]
        peak = max_ahead(own, steps(minutes))[done.rows]
        asked = np.isfinite(chance) & np.isfinite(peak)
        order = np.argsort(chance[asked], kind="stable")
        bins = [each for each in np.array_split(order, 12) if len(each)]
        came = peak[asked] >= limit - 1e-6
        axes.plot(
            [chance[asked][each].mean() for each in bins],
            [came[each].mean() for each in bins],
            "o-",
            label=f"{minutes} min",
        )
    axes.plot([0, 1], [0, 1], color="grey", lw=0.8)
    axes.set(xlabel="chance said", ylabel="share that came")
    axes.legend(title="within")


def _example(axes: Any, done: Evaluation, point: int) -> None:
    """The liveliest hours of the test part: readings, and the forecast issued half an hour before each."""
    own = done.readings.ch4_pct[:, point]
    span = min(steps(60 * EXAMPLE_HOURS), len(done.rows))
    unrest = np.convolve(np.abs(np.diff(own[done.rows], prepend=own[done.rows[0]])), np.ones(span), "valid")
    first = int(np.nan_to_num(unrest).argmax())
    shown = slice(first, first + span)
    horizon = HORIZONS_MIN.index(30)
    hours = (done.forecast.issued_s[shown] - done.forecast.issued_s[first]) / 3600
    target = hours + HORIZONS_MIN[horizon] / 60
    edges, fan = done.forecast.interval_pct[shown, point, horizon], done.forecast.quantiles_pct[shown, point, horizon]
    axes.fill_between(
        target, edges[:, 0], edges[:, 1], alpha=0.25, label="80 % interval, issued 30 min before", step="mid"
    )
    axes.plot(target, fan[:, MEDIAN], lw=1, label="median, issued 30 min before")
    axes.plot(hours, own[done.rows[shown]], color="black", lw=0.8, label="reading")
    axes.axhline(done.readings.limits_pct[point], color="red", lw=0.8)
    axes.set(xlabel="hours", ylabel="CH4 [%]")
    axes.legend(fontsize="small")


def _warnings(axes: Any, found: dict[str, Any]) -> None:
    curve = [each for each in found["curve"] if each["false_per_day"] is not None]
    axes.plot([each["false_per_day"] for each in curve], [each["recall"] for each in curve], "o-", label="recall")
    axes.plot(found["false_per_day"], found["recall"], "r*", ms=14, label="threshold of training")
    axes.set(xlabel="false warnings per day", ylabel="share of events warned of", ylim=(0, 1.02))
    lead = axes.twinx()
    lead.plot([each["false_per_day"] for each in curve], [each["lead_min"] for each in curve], "g.--", label="lead")
    lead.set(ylabel="median lead [min]", ylim=(0, WITHIN_MIN[-1]))
    axes.legend(fontsize="small", loc="lower right")

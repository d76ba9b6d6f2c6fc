"""The seismic hazard model: what it looks at, that it never peeks, and that it learns what is there to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.models import skill
from minefusion.models.seismic_hazard.config import Config
from minefusion.models.seismic_hazard.evaluate import evaluate
from minefusion.models.seismic_hazard.features import FEATURES, FULL, REDUCED, faded_mean, features, next_by_rhythm
from minefusion.models.seismic_hazard.predict import Model, predict, reasons
from minefusion.models.seismic_hazard.shifts import SHIFT_US, Shifts, from_events, from_public_series
from minefusion.models.seismic_hazard.train import train, walk
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import PROJECT

SERIES = PROJECT.parent / "shared" / "data" / "seismic_bumps" / "seismic_bumps.parquet"
real = pytest.mark.skipif(
    not SERIES.is_file(), reason=f"the public series is not here: put {SERIES.name} into ../shared/data/seismic_bumps"
)


def invented(count: int = 700, seed: int = 1) -> dict[str, np.ndarray]:
    """Columns of a mine whose strong bumps come in active weeks and on working shifts."""
    random = np.random.default_rng(seed)
    place = np.arange(count)
    working = (place % 21 < 17).astype(float)
    active = np.repeat(random.random(count // 70 + 1) < 0.5, 70)[:count]
    weak = random.poisson(0.3 + 1.5 * active * working)
    strong = random.random(count) < 0.03 + 0.35 * active * working
    energy = weak * 500 + strong * 20_000
    return {
        "seismic": np.where(active, "b", "a"),
        "shift": np.where(working > 0, "W", "N"),
        "gpuls": random.poisson(30 + 300 * working).astype(float),
        "nbumps": (weak + strong).astype(float),
        "nbumps4": strong.astype(float),
        **{name: np.zeros(count) for name in ("nbumps5", "nbumps6", "nbumps7", "nbumps89")},
        "energy": energy.astype(float),
        "class": np.append(strong[1:], 0).astype(int),
    }


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    return invented()


@pytest.fixture(scope="module")
def shifts(columns: dict[str, np.ndarray]) -> Shifts:
    return from_public_series(columns)


def cut(columns: dict[str, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
    return {name: values[rows] for name, values in columns.items()}


def test_faded_mean_and_rhythm_by_hand():
    assert faded_mean(np.array([4.0, np.nan, 0.0]), 1).tolist() == pytest.approx([4, 4, 1 / 1.25])
    values = np.arange(12.0)
    # Row 5 looks at what the next shift's place in a day of three brought: rows 3 and 0.
    assert next_by_rhythm(values, 3, 2)[5] == (3 + 0) / 2
    assert next_by_rhythm(values, 3, 2)[1] == faded_mean(values, 63)[1]


def test_every_feature_is_told_in_both_languages():
    assert set(FULL) | set(REDUCED) == set(FEATURES)


@given(st.integers(300, 690), st.integers(0, 5))
def test_nothing_after_a_shift_reaches_its_features(stop: int, seed: int):
    whole = from_public_series(invented())
    noise = np.random.default_rng(seed).random(len(whole)) * 1e5
    changed = Shifts(*(np.where(np.arange(len(whole)) < stop, getattr(whole, name), noise) for name in vars(whole)))
    for names in (FULL, REDUCED):
        assert np.array_equal(features(whole, names)[:stop], features(changed, names)[:stop], equal_nan=True)
        assert np.array_equal(features(whole, names)[:stop], features(whole.until(stop), names), equal_nan=True)


@pytest.mark.parametrize("names", [FULL, REDUCED])
def test_no_forecast_uses_a_shift_after_its_own(shifts: Shifts, names: tuple[str, ...]):
    stop = 403  # in the middle between two refits
    before = walk(shifts, names)
    noise = replace(
        shifts,
        strong=np.where(np.arange(len(shifts)) < stop, shifts.strong, 1 - shifts.strong),
        bumps=np.where(np.arange(len(shifts)) < stop, shifts.bumps, 99.0),
    )
    after = walk(noise, names)
    assert np.array_equal(before.chance[: stop - before.start], after.chance[: stop - before.start])
    assert not np.array_equal(before.chance, after.chance)


def test_it_learns_what_is_there(shifts: Shifts):
    for names in (FULL, REDUCED):
        walked = walk(shifts, names)
        truth, chance = shifts.strong_next[walked.start : -1] > 0, walked.chance[:-1]
        assert skill.auc(truth, chance) > 0.7
        assert chance.mean() == pytest.approx(truth.mean(), abs=0.04)


def test_the_reduced_model_needs_no_geophones(shifts: Shifts):
    model = train(shifts, REDUCED)
    unknown = np.full(len(shifts), np.nan)
    assert np.array_equal(predict(model, replace(shifts, producing=unknown, pulses=unknown)), predict(model, shifts))
    assert not model.needs_geophones
    assert np.isnan(predict(train(shifts), replace(shifts, pulses=unknown))).all()


def test_a_model_is_text_and_comes_back(shifts: Shifts):
    model = train(shifts, data="invented")
    back = Model.from_json(model.to_json())
    assert np.array_equal(predict(back, shifts), predict(model, shifts))
    assert back.about["data"] == "invented"
    with pytest.raises(InputError, match="expected a seismic_hazard model"):
        Model.from_json('{"model": "else"}')


def test_reasons_come_strongest_first(shifts: Shifts):
    told = reasons(train(shifts), shifts)
    assert [name in FEATURES for name, _ in told] == [True] * 3
    assert abs(told[0][1]) >= abs(told[1][1]) >= abs(told[2][1])


def test_events_fall_into_their_shifts():
    start = 10 * SHIFT_US
    at = start + np.array([0, SHIFT_US - 1, SHIFT_US, 2 * SHIFT_US + 5, 3 * SHIFT_US, 7])
    energy = np.array([500.0, 2e4, 99.0, np.nan, 1e5, 100.0])
    shifts = from_events(at, energy, start_us=start, end_us=start + 3 * SHIFT_US)
    assert shifts.bumps.tolist() == [
        3,
        0,
        0,
    ]  # 99 J is too weak, the one without an energy is none, the last lies after
    assert shifts.energy_j.tolist() == [20_600, 0, 0]
    assert shifts.strong.tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="whole shifts"):
        from_events(at, energy, start_us=start, end_us=start + 5)


def test_wrong_files_are_refused(columns: dict[str, np.ndarray]):
    with pytest.raises(InputError, match="none named gpuls"):
        from_public_series({name: values for name, values in columns.items() if name != "gpuls"})
    shuffled = np.random.default_rng(0).permutation(len(columns["class"]))
    with pytest.raises(InputError, match="time order"):
        from_public_series({name: values[shuffled] for name, values in columns.items()})
    with pytest.raises(InputError, match="expected over 250 shifts"):
        train(from_public_series(cut(columns, slice(0, 200))))
    with pytest.raises(InputError, match=r"W .* or N"):
        from_public_series(columns | {"shift": np.full(700, "X")})


def test_the_evaluation_is_whole_and_the_last_shift_counts(columns: dict[str, np.ndarray]):
    found = evaluate(cut(columns, slice(0, 500)), cut(columns, slice(500, 700)), config=Config(refit_every=21))
    assert (found["rows_train"], found["n"]) == (500, 200)
    assert found["positives"] == columns["class"][500:].sum()
    assert set(found["baselines"]) == {"logistic_regression", "constant_rate", "recent_rate"}
    assert found["auc_ci95"][0] < found["auc"] < found["auc_ci95"][1]
    assert found["baselines"]["constant_rate"]["auc"] == 0.5
    assert set(found["alarms_per_100_at_recall"]) == {"0.5", "0.7"}


@real
def test_the_public_series_inside_its_first_seventy_percent():
    """The part on which all was chosen; what is reported is of the part after it."""
    table = pl.read_parquet(SERIES)[:1265]
    shifts = from_public_series({name: table[name].to_numpy() for name in table.columns})
    walked = walk(shifts, FULL, Config(refit_every=21))
    truth = shifts.strong_next[walked.start : -1] > 0
    assert skill.auc(truth, walked.chance[:-1]) > 0.8

"""Supports in cycles and weightings; microseismic events that follow Gutenberg and Richter, Poisson and Omori."""

import numpy as np
import pytest
from scipy.stats import kstest

from minefusion.pipelines.simulate import supports
from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.seismic import BIN, M_C, B, energy_of, magnitudes, simulate_seismic
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.supports import simulate_roof

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def layout():
    return generate_layout(24, 20, stream(4, "layout"))


def b_of(m: np.ndarray) -> tuple[float, float]:
    """b by the binned maximum likelihood, and its standard error."""
    b = np.log(1 + BIN / (m.mean() - M_C)) / (BIN * np.log(10))
    return b, 2.30 * b**2 * np.sqrt(((m - m.mean()) ** 2).sum() / (len(m) * (len(m) - 1)))


@pytest.mark.parametrize("b", [0.6, 1.0, 1.4])
def test_magnitudes_have_the_b_that_was_asked_for(b):
    found, error = b_of(magnitudes(20_000, b, np.random.default_rng(7)))
    assert abs(found - b) < 3 * error


def test_a_window_of_two_hundred_tells_b_to_eight_hundredths():
    rng = np.random.default_rng(3)
    found = [b_of(magnitudes(200, 1.0, rng))[0] for _ in range(300)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.03)
    assert np.std(found) == pytest.approx(0.08, abs=0.02)


def test_energy_follows_magnitude():
    assert energy_of(np.array([0.0, 1.0, 2.0])) == pytest.approx([10**1.8, 10**3.7, 10**5.6])


def shocks(layout, *events, days=31.0):
    return simulate_seismic(layout, events, seconds=days * DAY_S, local_second=0, rng=stream(6, "seismic"))


def test_background_is_poisson_with_the_shifts(layout):
    plain = [shock for shock in shocks(layout, days=120) if not shock.is_blast]
    at = np.array([shock.at_s for shock in plain])
    # The rate of each hour taken out, what is left between events is exponential.
    rate = np.where((at / 3600) % 24 < 8, 0.8, 1.1)
    waits = np.diff(at) * rate[1:]
    assert kstest(waits, "expon", args=(0, waits.mean())).pvalue > 0.01
    found, error = b_of(np.array([shock.magnitude for shock in plain]))
    assert abs(found - B) < 3 * error


def burst(precursor_s):
    return Event("EV01", 25 * DAY_S, 25 * DAY_S + 3600, "face", 0, {"rockburst": {"lg_energy": 7.2}},
                 precursor_s=precursor_s)  # fmt: skip


def test_an_announced_event_lowers_b_and_raises_the_rate_before_it(layout):
    told = [s for s in shocks(layout, burst(9 * DAY_S)) if not s.is_blast]
    before = np.array([s.magnitude for s in told if 20 * DAY_S < s.at_s < 25 * DAY_S])
    quiet = np.array([s.magnitude for s in told if s.at_s < 16 * DAY_S])
    (b_before, _), (b_quiet, error) = b_of(before), b_of(quiet)
    assert b_before < b_quiet - 3 * error
    assert len(before) / 5 > 1.2 * len(quiet) / 16
    assert {s.announces for s in told if 20 * DAY_S < s.at_s < 25 * DAY_S} == {"EV01"}


def test_an_event_without_warning_has_none(layout):
    told = [s for s in shocks(layout, burst(0.0)) if not s.is_blast]
    assert {s.announces for s in told if s.at_s < 25 * DAY_S} == {""}
    main = max(told, key=lambda shock: shock.energy_j)
    assert np.log10(main.energy_j) == pytest.approx(7.2, abs=0.01)
    after = np.array([s.at_s - 25 * DAY_S for s in told if s.announces and s.at_s > 25 * DAY_S + 1])
    assert (after < 6 * 3600).sum() > 2 * ((after >= 24 * 3600) & (after < 30 * 3600)).sum(), "after-events die down"


def test_supports_are_set_loaded_and_lowered(layout):
    roof = simulate_roof(layout, (), seconds=3 * DAY_S, period_s=60, rng=stream(4, "supports"))
    legs = roof.pressure_mpa[:, 0, ~roof.leaking[0]]
    lowered = legs <= supports.LOWERED_MPA + 1e-9
    cycles = (np.diff(lowered.astype(int), axis=0) == 1).sum(axis=0)
    assert ((cycles > 3 * 24 * 60 / 75) & (cycles < 3 * 24 * 60 / 40)).all()
    loaded = legs[~lowered]
    assert np.percentile(loaded, 2) > 0.8 * supports.RATED_SET_MPA
    assert (loaded < 0.95 * supports.YIELD_MPA).mean() > 0.99
    assert len(roof.weightings) >= 2, "the roof comes down about once a day by itself"


def test_a_strong_weighting_makes_the_supports_yield_and_the_gate_follow(layout):
    event = Event("EV01", DAY_S, 1.6 * DAY_S, "face", 0,
                  {"weighting": {"k_d": 1.65}, "roof_separation": {"mm_d": 14.0}})  # fmt: skip
    calm = simulate_roof(layout, (), seconds=3 * DAY_S, period_s=60, rng=stream(4, "supports"))
    heavy = simulate_roof(layout, (event,), seconds=3 * DAY_S, period_s=60, rng=stream(4, "supports"))
    inside = slice(1440, int(1.6 * 1440))
    assert (heavy.pressure_mpa[inside, 0] >= 0.95 * supports.YIELD_MPA).mean() > 0.3
    assert (calm.pressure_mpa[inside, 0] >= 0.95 * supports.YIELD_MPA).mean() < 0.01
    deep = [c.true for c in heavy.channels if c.quantity == "roof_separation"]
    assert deep[0][-1] - deep[0][0] == pytest.approx(14 * 0.6 + 0.15 * 3, abs=0.2)

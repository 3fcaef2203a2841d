"""Statistics against their known laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.sums import LEAST, Autocorrelation, Fano, Logit, Mean, Regression, counted, quantile_of

NUMBERS = arrays(np.float64, st.integers(LEAST, 80), elements=st.floats(-100, 100, width=32))


@given(values=NUMBERS, cut=st.integers(0, LEAST))
def test_a_mean_does_not_depend_on_how_values_are_told(values: np.ndarray, cut: int) -> None:
    """In one part or two: mean and variance are those of all."""
    mean = Mean()
    mean.add(values[:cut])
    mean.add(values[cut:])
    assert mean.mean == pytest.approx(values.mean(), abs=1e-9)
    assert mean.variance == pytest.approx(values.var(), abs=1e-6)


def test_a_weighted_mean_counts_time() -> None:
    """A value that held three times as long counts three times."""
    mean = Mean(least=2)
    mean.add(np.array([1, 5]), np.array([3, 1]))
    assert mean.mean == 2


def test_too_few_values_are_no_statistic() -> None:
    """Not a number rather than a number of nothing."""
    mean, regression, acf = Mean(), Regression(), Autocorrelation((1,))
    few = np.arange(LEAST - 1.0)
    mean.add(few)
    regression.add(few, few)
    acf.add(few)
    assert np.isnan([mean.mean, mean.variance, mean.variation, regression.slope, regression.r2, acf.at(1)]).all()


@given(x=NUMBERS, noise=st.integers(0, 2**32 - 1), slope=st.floats(-3, 3))
def test_a_regression_is_least_squares(x: np.ndarray, noise: int, slope: float) -> None:
    """Slope and correlation as NumPy computes them from all pairs at once."""
    x = np.round(x) + np.arange(len(x))
    y = slope * x + np.random.default_rng(noise).normal(size=len(x))
    regression = Regression()
    regression.add(x[:10], y[:10])
    regression.add(x[10:], y[10:])
    if x.std() > 0.1:
        assert regression.slope == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-5, abs=1e-6)
        assert regression.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-5, abs=1e-6)


def test_a_regression_leaves_unknown_pairs_out() -> None:
    """NaN on either side."""
    x, y = np.arange(40.0), 2 * np.arange(40.0)
    x[3], y[5] = np.nan, np.nan
    regression = Regression()
    regression.add(x, y)
    assert regression.slope == pytest.approx(2)


def test_autocorrelation_of_an_autoregression() -> None:
    """φ to the power of the lag."""
    rng, x = np.random.default_rng(3), np.zeros(200_000)
    noise = rng.normal(size=len(x))
    for at in range(1, len(x)):
        x[at] = 0.6 * x[at - 1] + noise[at]
    acf = Autocorrelation((1, 3))
    acf.add(x)
    assert acf.at(1) == pytest.approx(0.6, abs=0.01)
    assert acf.at(3) == pytest.approx(0.216, abs=0.015)


def test_nothing_is_paired_across_sessions() -> None:
    """Sessions of one value each are wholly persistent, whatever the next one has."""
    acf = Autocorrelation((1,))
    for at in range(40):
        acf.add(np.full(2, (-1) ** at))
    assert acf.at(1) == pytest.approx(1)


def test_fano_of_a_poisson_process_is_one() -> None:
    """And of one whose events come five at a time it is five."""
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(0, 20_000 * NS_PER_S, 60_000))
    for many in (1, 5):
        fano = Fano(NS_PER_S)
        fano.add(np.repeat(times, many), 0, 20_000 * NS_PER_S)
        assert fano.factor == pytest.approx(many, rel=0.04)


def test_fano_is_about_each_sessions_own_mean() -> None:
    """A quiet and a busy session of a clock do not cluster."""
    fano = Fano(NS_PER_S)
    for per_s in (1, 20):
        fano.add(np.arange(100 * per_s) * (NS_PER_S // per_s), 0, 100 * NS_PER_S)
    assert fano.factor == 0


@pytest.mark.parametrize("slope", [-2.0, 0.0, 2.9, 4.2])
def test_a_logit_finds_its_slope(slope: float) -> None:
    """From chances that follow it."""
    rng = np.random.default_rng(8)
    x = rng.uniform(-1, 1, 200_000)
    logit = Logit()
    logit.add(x, rng.random(len(x)) < 1 / (1 + np.exp(-slope * x)))
    assert logit.slope == pytest.approx(slope, abs=0.05)


def test_a_logit_that_nothing_contradicts_is_not_told() -> None:
    """Always yes: there is no slope."""
    logit = Logit()
    logit.add(np.linspace(-1, 1, 100), np.ones(100, np.bool_))
    assert np.isnan(logit.slope)


@given(st.lists(st.integers(0, 60), min_size=LEAST, max_size=200), st.sampled_from([0.25, 0.5, 0.99]))
def test_quantiles_from_counts(values: list[int], share: float) -> None:
    """The least value that this share of all is not above; the last count takes what is beyond."""
    counts = np.zeros(41, np.int64)
    counted(counts, np.array(values))
    ordered = sorted(min(value, 40) for value in values)
    found = quantile_of(counts, share)
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    assert sum(value < found for value in ordered) < share * len(ordered)

"""The volatility regime: thresholds with hysteresis, the hours' shape, and what is expected of what is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedsim.instruments import session_at
from feedsim.observe import regime
from tests.observe.cases import ns


def test_hysteresis_of_a_tenth() -> None:
    """Out of high only below 1.26, out of low only above .77."""
    states = regime.Regime().follow(np.array([1.0, 1.41, 1.3, 1.27, 1.25, 0.71, 0.69, 0.76, 0.78, 1.39]))
    names = [str(name).removesuffix("_vol") for name in regime.NAMES[states]]
    assert names == ["normal", "high", "high", "high", "normal", "normal", "low", "low", "normal", "normal"]


def test_the_open_is_wild_and_the_night_quiet() -> None:
    """A second belongs to the half hour in which it passes."""
    ends = np.array(
        [ns(f"2025-08-21T{clock}") for clock in ("09:30:00", "09:30:01", "12:00:00", "16:00:00", "16:30:00")]
    )
    day = session_at(int(ends[0]))
    shares = regime.shape(ends, day.rth_open_ns, day.rth_close_ns).tolist()
    assert shares == [0.5, 1.55, 0.98, 1.02, 0.5]


def test_a_vix_tells_a_variance() -> None:
    """At 15 and 5,000 a regular minute moves about 5.8 ticks, of which a typical one has half; NQ more."""
    variance = regime.variance_of(np.array([15.0, np.nan]), np.array([5000.0, 5000.0]), "ES")
    assert math.sqrt(variance[0] * 60) / 0.25 == pytest.approx(5.8 * 0.5, rel=0.02)
    assert np.isnan(variance[1])
    assert regime.variance_of(np.array([15.0]), np.array([5000.0]), "NQ")[0] > variance[0]


def test_little_known_is_normal() -> None:
    """Without a past the ratio is 1; with few seconds it stays near 1; then it is what was realised."""
    level = (np.array([4.0]), np.array([1.0]))
    none = (np.array([0.0]), np.array([0.0]))
    untold, one = np.array([np.nan]), np.array([1.0])
    assert regime.ratios(np.array([16.0]), np.array([300]), one, none, untold).tolist() == [1.0]
    assert regime.ratios(np.array([16.0]), np.array([0]), one, level, untold).tolist() == [1.0]
    ratio = regime.ratios(np.array([16.0]), np.array([300]), one, level, untold)[0]
    assert ratio == pytest.approx(math.sqrt((16 * 300 + 4 * 50) / 4 / 350))

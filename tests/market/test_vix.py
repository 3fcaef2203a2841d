"""The VIX beside a random walk of ES through sessions of 23 hours: what was measured of both holds at every horizon.

Bands: daily figures of 2014-18, and correlations by the minute.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from feedsim.market.chance import UInt64, normal, stream
from feedsim.market.compiling import compiled
from feedsim.market.factors import USUAL_S, VIX_TO_SECOND
from feedsim.market.seasons import RTH, SESSION_MINUTES, swing
from feedsim.market.vix import HIGHEST, LOWEST, next_vix

Floats = npt.NDArray[np.float64]
START = 15.0
QUIET = 0.003  # percent: the usual size of a second's move


@compiled
def _walk(fear: UInt64, moves: UInt64, vix: float, swings: Any, told: Any) -> None:
    """Fill `told` (days, minutes, 2) with ES in percent and the VIX at the end of each minute; ES is as volatile as the
    VIX says."""
    es, mean = 0.0, vix
    usual = 80.0 * vix * VIX_TO_SECOND
    for day in range(told.shape[0]):
        for minute in range(told.shape[1]):
            for _ in range(60):
                percent = 100.0 * vix * VIX_TO_SECOND * swings[minute] * normal(moves)
                vix = next_vix(fear, vix, mean, percent, usual, 0.0)
                usual += (abs(percent) - usual) / USUAL_S
                es += percent
            told[day, minute] = es, vix


def _days(count: int, *, seed: int, start: float = START, minutes: slice = slice(None)) -> Floats:
    swings = np.array(swing("ES"))[minutes]
    told = np.empty((count, len(swings), 2))
    _walk(stream(seed, "VIX"), stream(seed, "ES"), start, swings, told)
    return told


@lru_cache(maxsize=1)
def _year() -> tuple[Floats, Floats]:
    """ES in percent and the VIX, by (day, minute) of 250 sessions; read only."""
    told = _days(250, seed=1)
    return told[:, :, 0], told[:, :, 1]


def _slope(x: Floats, y: Floats) -> float:
    return float(np.polyfit(x, y, 1)[0])


@pytest.mark.parametrize("minute", [RTH.stop - 1, SESSION_MINUTES - 1])
def test_from_close_to_close(minute: int) -> None:
    """Correlation, points and percent that the VIX falls when ES rises by 1 %: as measured, at either close."""
    es, vix = (values[:, minute] for values in _year())
    percent, points = np.diff(es), np.diff(vix)
    assert -0.90 <= np.corrcoef(percent, points)[0, 1] <= -0.70
    assert -2.2 <= _slope(percent, points) <= -0.9
    assert -0.11 <= _slope(percent, np.diff(np.log(vix))) <= -0.05


def test_own_noise_of_a_day() -> None:
    """What ES does not explain is .86 points a day, within a third."""
    es, vix = (values[:, RTH.stop - 1] for values in _year())
    percent, points = np.diff(es), np.diff(vix)
    left = points - np.polyval(np.polyfit(percent, points, 1), percent)
    assert 0.67 * 0.86 <= left.std() <= 1.33 * 0.86


@pytest.mark.parametrize("minutes", [RTH, slice(120, 540)], ids=["regular", "night"])
def test_from_minute_to_minute(minutes: slice) -> None:
    """The correlation of a minute's moves is about −.8 by day and by night."""
    es, vix = (np.diff(values[:, minutes], axis=1).ravel() for values in _year())
    assert -0.90 <= np.corrcoef(es, vix)[0, 1] <= -0.70


def test_goes_back_to_its_mean() -> None:
    """In a day, log VIX loses what a half-life of 6 to 40 days takes (over 250 days)."""
    level = np.log(_year()[1][:, -1])
    half_life = math.log(2.0) / -math.log(_slope(level[:-1], level[1:]))
    assert 6.0 <= half_life <= 40.0


def test_above_what_is_realised() -> None:
    """VIX over the realised volatility of a year: 1.1 to 1.7."""
    es, vix = _year()
    realised = np.diff(es[:, -1]).std() * math.sqrt(252.0)
    assert 1.1 <= vix.mean() / realised <= 1.7


def test_rises_no_more_than_it_falls() -> None:
    """Falls of ES weigh more, and yet the log VIX of 200 first days moves nowhere in the mean."""
    ends = [math.log(_days(1, seed=seed, minutes=RTH)[0, -1, 1] / START) for seed in range(200)]
    assert abs(np.mean(ends)) <= 3.5 * np.std(ends) / math.sqrt(len(ends))
    assert np.std(ends) <= 0.12


def test_stays_in_bounds_for_a_session() -> None:
    """From 15, no session of 23 hours leaves [10, 50]."""
    for seed in range(30):
        vix = _days(1, seed=seed)[0, :, 1]
        assert vix.min() >= 10.0
        assert vix.max() <= 50.0


def _after(
    percent: float, *, vix: float = START, mean: float = START, usual: float = QUIET, drift: float = 0.0
) -> float:
    return next_vix(stream(3, "VIX"), vix, mean, percent, usual, drift)


def test_a_fall_is_felt_more() -> None:
    """By a quarter; in the mean of both, 8 to 10 % a percent."""
    none, fall, rise = (math.log(_after(percent)) for percent in (0.0, -1.0, 1.0))
    assert (fall - none) / (none - rise) == pytest.approx(1.25, rel=0.02)
    assert 0.08 <= (fall - rise) / 2.0 <= 0.10


def test_high_it_moves_less() -> None:
    """By ES's percent its logarithm moves less at 60 than at 15, its points more."""
    low, high = (_after(0.0, vix=vix) / _after(-1.0, vix=vix) for vix in (START, 4 * START))
    assert low < high < 1.0
    assert math.log(low) / math.log(high) == pytest.approx(2.0, rel=1e-6)


def test_a_scenario_moves_it() -> None:
    """A drift is in points an hour."""
    assert _after(0.0, drift=2.0) - _after(0.0) == pytest.approx(2.0 / 3600.0, rel=1e-6)


def test_stands_while_trading_stands() -> None:
    """Without moves of ES, now or lately, there is no noise: only the way back to the mean."""
    assert _after(0.0, usual=0.0) == pytest.approx(START, rel=1e-12)
    assert START < _after(0.0, usual=0.0, mean=30.0) < START + 0.001


def test_is_clipped() -> None:
    """No crash and no calm takes it out of its range."""
    assert _after(-30.0, vix=80.0) == HIGHEST
    assert _after(30.0, vix=10.0) == LOWEST


def test_the_same_from_any_second_on() -> None:
    """The stream and the VIX are the whole state."""
    moves = [0.01 * normal(chance) for chance in [stream(5, "ES")] for _ in range(200)]
    chance, vix = stream(5, "VIX"), START
    for percent in moves[:100]:
        vix = next_vix(chance, vix, START, percent, QUIET, 0.0)
    saved, other = chance.copy(), vix
    for percent in moves[100:]:
        vix = next_vix(chance, vix, START, percent, QUIET, 0.0)
        other = next_vix(saved, other, START, percent, QUIET, 0.0)
    assert vix == other != START

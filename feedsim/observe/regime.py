"""Volatility regime: what was realised over five minutes against what the hour of the day lets expect.

The expectation is the time of day's share (ES by half hours, as `feedsim realism` has it; half of the regular mean
outside regular hours) times the level of the past, without the five minutes themselves; a VIX counts as an hour of it.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S
from feedsim.observe.rolling import decayed

WINDOW = 300
"""Seconds."""
NAMES = np.array(["low_vol", "normal_vol", "high_vol"], object)
_LOW, _NORMAL, _HIGH = range(3)
_LOW_BELOW, _HIGH_ABOVE, _HYSTERESIS = 0.7, 1.4, 0.1
_SHRINK = 50.0
_KEEP = 1.0 - 1.0 / 100_000
_VIX_SECONDS = 3600.0

_BIN_NS = 1800 * NS_PER_S
_REGULAR = np.array([1.55, 1.25, 1.1, 1.03, 0.98, 0.9, 0.82, 0.92, 0.88, 0.8, 0.72, 0.8, 1.02])
_ELSEWHERE = 0.5
# A point of VIX as the standard deviation of a regular minute: 1.37 is VIX over realised, .70 the regular hours' share.
# Most stretches have less, as a few wild ones make the mean: with half of it low and high volatility are about as
# frequent in ordinary sessions (`python -m benchmarks.confluence`).
_TYPICAL = 0.5
_OF_A_MINUTE = _TYPICAL * 0.01 / 1.37 / 252**0.5 * (0.70 / 390) ** 0.5
# Nasdaq-100 futures move so much more (their beta) than S&P 500 ones, on whose options the VIX is.
_NASDAQ = 1.19


class Regime(msgspec.Struct, array_like=True):
    """What is carried of one symbol."""

    state: int = _NORMAL
    squares: float = 0.0
    """Of the deseasonalised changes of the past, forgotten slowly."""
    seconds: float = 0.0

    def learn(self, squares: Float64, counted: npt.NDArray[np.bool_]) -> tuple[Float64, Float64]:
        """The sums after each second."""
        sums = decayed(self.squares, np.where(counted, squares, 0.0), _KEEP)
        seconds = decayed(self.seconds, counted.astype(np.float64), _KEEP)
        self.squares, self.seconds = float(sums[-1]), float(seconds[-1])
        return sums, seconds

    def follow(self, ratios: Float64) -> npt.NDArray[np.int64]:
        """States by a ratio of volatilities, with hysteresis."""
        states = []
        for ratio in ratios.tolist():
            if ratio > _HIGH_ABOVE or (self.state == _HIGH and ratio > _HIGH_ABOVE * (1 - _HYSTERESIS)):
                self.state = _HIGH
            elif ratio < _LOW_BELOW or (self.state == _LOW and ratio < _LOW_BELOW * (1 + _HYSTERESIS)):
                self.state = _LOW
            else:
                self.state = _NORMAL
            states.append(self.state)
        return np.array(states, np.int64)


def shape(ends: Int64, rth_open: int, rth_close: int) -> Float64:
    """The time of day's share of volatility, regular hours' mean 1, in the seconds before `ends`."""
    at = ends - NS_PER_S
    regular = (at >= rth_open) & (at < rth_close)
    index = np.minimum((at - rth_open) // _BIN_NS, len(_REGULAR) - 1)
    share: Float64 = np.where(regular, _REGULAR[np.where(regular, index, 0)], _ELSEWHERE)
    return share


def variance_of(vix: Float64, price: Float64, symbol: str) -> Float64:
    """A second's variance of price (index points²) in regular hours at a VIX; NaN where none is told."""
    deviation: Float64 = vix * price * (_OF_A_MINUTE * (_NASDAQ if "NQ" in symbol else 1.0))
    return deviation * deviation / 60.0


def ratios(
    realised: Float64, seconds: Int64, shapes: Float64, learnt: tuple[Float64, Float64], told: Float64
) -> Float64:
    """Realised volatility over the expected, near 1 where little is known.

    `realised` is a second's variance over the last `seconds`, `learnt` what `Regime.learn` gave, `told` the level that
    the VIX tells (NaN: none).
    """
    heard = np.isnan(told)
    weight = np.where(heard, 0.0, _VIX_SECONDS)
    total = learnt[0] + weight * np.where(heard, 0.0, told)
    weight = weight + learnt[1]
    expected = shapes * shapes * total / np.where(weight > 0, weight, 1.0)
    known = expected > 0
    variances = (realised * seconds + expected * _SHRINK) / (seconds + _SHRINK)
    return np.sqrt(np.where(known, variances / np.where(known, expected, 1.0), 1.0))

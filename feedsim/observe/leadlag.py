"""Which of two symbols moves first: the contrast of their lagged covariances over the last minute.

Hayashi and Yoshida's estimator on mids that are read at the same times, every 100 ms, is the sum of products of their
changes; θ goes from −1 s to 1 s. Positive lags are those at which the second symbol follows the first.
"""

from __future__ import annotations

import numpy as np

from feedsim.events.columns import Float64, Int64
from feedsim.observe.rolling import summed
from feedsim.observe.seconds import PER_S

LAGS = PER_S
WINDOW = 60 * PER_S
PAST = WINDOW + LAGS
"""Readings that must stand before the first second's."""
_SHRINK = 50.0


def contrast(first: Int64, second: Int64, seconds: int) -> Float64:
    """(Σ_{θ>0} U² − Σ_{θ<0} U²) / Σ U² at the end of each of the last `seconds`, in −1 … 1: positive, `first` leads.

    `first` and `second` are changes of mids with `PAST` before them; 0 where nothing moved together.
    """
    rows = seconds * PER_S
    leads = follows = np.zeros(seconds)
    for lag in range(1, LAGS + 1):
        leads = leads + _squared(first, second, lag, rows)
        follows = follows + _squared(second, first, lag, rows)
    every = leads + follows + _squared(first, second, 0, rows)
    return (leads - follows) / np.where(every > 0, every, 1.0)


def _squared(early: Int64, late: Int64, lag: int, rows: int) -> Float64:
    """The squared sum of products of one's changes with the other's `lag` readings later, at whole seconds."""
    wanted = rows + WINDOW - 1
    start = len(late) - wanted
    products = early[start - lag : len(early) - lag] * late[start:]
    sums = summed(products, WINDOW, rows)[PER_S - 1 :: PER_S].astype(np.float64)
    return sums * sums


def moved(changes: Int64, seconds: int) -> Int64:
    """In how many readings of the last minute a mid moved, at the end of each of the last `seconds`."""
    return summed((changes != 0).astype(np.int64), WINDOW, seconds * PER_S)[PER_S - 1 :: PER_S]


def strength(first: Int64, second: Int64, seconds: int, *, prior: float) -> Float64:
    """How much `first` leads, 0 … 1; the other's is one minus it. By n moves of the quieter one, n/(n + 50) of it is
    what was measured and the rest `prior`.
    """
    n = np.minimum(moved(first, seconds), moved(second, seconds))
    share = n / (n + _SHRINK)
    return share * (1.0 + contrast(first, second, seconds)) / 2.0 + (1.0 - share) * prior

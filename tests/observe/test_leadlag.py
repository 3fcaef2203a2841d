"""The lead-lag contrast against a slow reading of its formula."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.observe import leadlag
from feedsim.observe.seconds import PER_S


def _slow(first: list[int], second: list[int], end: int) -> float:
    """At reading `end` (not included), by loops over lags and readings."""
    squares = {}
    for lag in range(-leadlag.LAGS, leadlag.LAGS + 1):
        total = 0
        for at in range(end - leadlag.WINDOW, end):
            total += first[at - lag] * second[at] if lag >= 0 else second[at + lag] * first[at]
        squares[lag] = float(total) ** 2
    every = sum(squares.values())
    return sum(np.sign(lag) * square for lag, square in squares.items()) / every if every else 0.0


@pytest.mark.parametrize("seed", range(3))
def test_contrast_is_the_formula(seed: int) -> None:
    """Every second of random changes, and of changes that follow each other."""
    rng = np.random.default_rng(seed)
    seconds = 3
    first = rng.integers(-2, 3, leadlag.PAST + seconds * PER_S)
    second = np.roll(first, 3) * (seed > 0) + rng.integers(-1, 2, len(first))
    found = leadlag.contrast(first, second, seconds)
    ends = [leadlag.PAST + (k + 1) * PER_S for k in range(seconds)]
    assert found.tolist() == pytest.approx([_slow(first.tolist(), second.tolist(), end) for end in ends])


def test_without_moves_the_prior_stands() -> None:
    """Nothing moved: what was configured; one symbol alone moved: the same."""
    still = np.zeros(leadlag.PAST + PER_S, np.int64)
    assert leadlag.strength(still, still, 1, prior=0.65).tolist() == [0.65]
    assert leadlag.strength(still + 1, still, 1, prior=0.65).tolist() == [0.65]


def test_fifty_moves_count_as_much_as_the_prior() -> None:
    """n / (n + 50) of the quieter symbol's moves in the last minute."""
    first, second = (np.zeros(leadlag.PAST + PER_S, np.int64) for _ in range(2))
    first[100:600:10] = 1
    second[103:603:10] = 1
    measured = (1 + leadlag.contrast(first, second, 1)[0]) / 2
    assert leadlag.moved(second, 1).tolist() == [50]
    assert leadlag.strength(first, second, 1, prior=0.4)[0] == pytest.approx((measured + 0.4) / 2)

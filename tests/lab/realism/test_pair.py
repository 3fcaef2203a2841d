"""Two symbols, and the VIX, whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Session, Vix
from feedsim.lab.realism.leading import Leading
from feedsim.lab.realism.pair import Fear, Pair
from tests.lab.realism.made import moving, session

STEP_NS = NS_PER_S // 10


def path(logs: np.ndarray, level: int) -> Session:
    """A quote each tenth of a second at this log price."""
    return session(len(logs) / 10, quotes=moving(level * np.exp(logs), step_ns=STEP_NS))


def measured(es: np.ndarray, nq: np.ndarray) -> dict[str, float]:
    pair = Pair()
    pair.add(path(es, 10**7), path(nq, 10**7))
    return pair.values()


def test_one_price_on_both_sides() -> None:
    """Correlation 1 at every horizon; the slope is how much more one moves."""
    walk = np.cumsum(np.random.default_rng(1).normal(0, 1e-4, 120_000))
    found = measured(walk, 1.3 * walk)
    for name in ("corr_100ms", "corr_1s", "corr_2m", "corr_5m"):
        assert found[name] == pytest.approx(1, abs=1e-3)
    assert found["beta_log"] == pytest.approx(1.3, rel=1e-3)
    assert found["asym_2m"] == pytest.approx(0, abs=1e-3)


def test_prices_of_their_own() -> None:
    """No correlation at short horizons, where there is enough of them."""
    rng = np.random.default_rng(2)
    found = measured(*np.cumsum(rng.normal(0, 1e-4, (2, 60_000)), axis=1))
    assert found["corr_100ms"] == pytest.approx(0, abs=0.02)
    assert found["corr_1s"] == pytest.approx(0, abs=0.05)


def test_a_follower() -> None:
    """Two minutes late: nothing at once, all of it in the asymmetry, with the sign of who leads."""
    walk = np.cumsum(np.random.default_rng(3).normal(0, 1e-4, 120_000))
    late = np.concatenate((np.zeros(1200), walk[:-1200]))
    found = measured(walk, late)
    assert found["corr_1s"] == pytest.approx(0, abs=0.05)
    assert found["asym_2m"] > 0.7
    assert measured(late, walk)["asym_2m"] < -0.7


def test_a_vix_that_goes_against_the_price() -> None:
    """Exactly against: −1; unknown ones are left out."""
    walk = np.cumsum(np.random.default_rng(4).normal(0, 1e-4, 120_000))
    es = path(walk, 10**7)
    times = es.grid(60 * NS_PER_S)
    vix = 20 - 100 * np.log(es.mids(60 * NS_PER_S))
    fear = Fear()
    fear.add(replace(es, vix=Vix(times, vix)))
    assert fear.values()["corr_1m"] == pytest.approx(-1)
    unknown = Fear()
    unknown.add(replace(es, vix=Vix(times, np.full(len(times), np.nan))))
    assert np.isnan(unknown.values()["corr_1m"])


@pytest.mark.parametrize("steps", [0, 7, -25])
def test_a_lag_of_so_many_hundredths_of_a_second(steps: int) -> None:
    """The largest covariance is at the lag itself; the ratio tells who leads."""
    walk = np.cumsum(np.random.default_rng(5).normal(0, 1e-4, 60_000))
    early, late = walk[abs(steps) :], walk[: len(walk) - abs(steps)]
    es, nq = (early, late) if steps >= 0 else (late, early)
    leading = Leading()
    leading.add(*(session(len(es) / 100, quotes=moving(10**7 * np.exp(p), step_ns=STEP_NS // 10)) for p in (es, nq)))
    assert leading.argmax_ms == 10 * steps
    if steps:
        assert (leading.ratio > 10) == (steps > 0)
        assert leading.late_ms == pytest.approx(10 * steps, abs=50)
    else:
        assert 0.7 < leading.ratio < 1.4


def test_a_part_that_comes_late() -> None:
    """Most of it at once, three tenths 250 ms later in the mean: the largest is at 0, and the rest has its lag."""
    rng = np.random.default_rng(6)
    changes = rng.normal(0, 1e-4, 200_000)
    delays = rng.exponential(25, len(changes)).astype(int) + 1
    place = np.minimum(np.arange(len(changes)) + delays, len(changes) - 1)
    follower = 0.7 * changes + np.bincount(place, 0.3 * changes, len(changes))
    leading = Leading()
    sides = (
        session(len(changes) / 100, quotes=moving(10**7 * np.exp(np.cumsum(p)), step_ns=STEP_NS // 10))
        for p in (follower, changes)
    )
    leading.add(*sides)
    assert leading.argmax_ms == 0
    assert leading.late_ms == pytest.approx(-250, rel=0.2)
    assert leading.ratio < 1 / (1 + 1.5 * 0.3)


def test_too_little_moved() -> None:
    """No figure of a few changes."""
    leading = Leading()
    leading.add(*(session(60, quotes=moving([100, 101] * 30)) for _ in range(2)))
    assert np.isnan([leading.argmax_ms, leading.ratio]).all()

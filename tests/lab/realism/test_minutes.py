"""Metrics of minutes on series whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_MINUTE
from feedsim.lab.realism.minutes import LEAST, MinuteFacts, Minutes, minutes_of
from tests.lab.realism.made import START_NS, quotes, session, trades


def series(returns: np.ndarray, volume: np.ndarray | None = None, ranges: np.ndarray | None = None) -> Minutes:
    nothing = np.full(len(returns), np.nan)
    return Minutes(
        START_NS,
        nothing,
        returns,
        nothing if ranges is None else ranges,
        nothing if volume is None else volume,
    )


def measured(*parts: Minutes) -> dict[str, float]:
    facts = MinuteFacts()
    for part in parts:
        facts.add(part)
    return facts.values()


def test_kurtosis_of_known_laws() -> None:
    """−2 of two values, 0 of the normal law, 3 of Laplace's."""
    rng = np.random.default_rng(7)
    assert measured(series(np.tile([1e-4, -1e-4], 60)))["kurt_1m"] == pytest.approx(-2)
    assert measured(series(rng.normal(0, 1e-4, 200_000)))["kurt_1m"] == pytest.approx(0, abs=0.05)
    assert measured(series(rng.laplace(0, 1e-4, 400_000)))["kurt_1m"] == pytest.approx(3, abs=0.25)


def test_returns_of_a_random_walk_know_nothing_of_each_other() -> None:
    """Volatility that stays for long does."""
    rng = np.random.default_rng(11)
    swing = np.repeat(rng.choice([0.2, 1.0], 500), 60)
    found = measured(series(swing * rng.normal(0, 1e-4, 30_000)))
    assert found["acf1_1m"] == pytest.approx(0, abs=0.03)
    assert found["absacf_1m.1"] > found["absacf_1m.30"] > 0.1


def test_volume_that_follows_the_return() -> None:
    """Wholly, or not at all."""
    rng = np.random.default_rng(13)
    returns = rng.normal(0, 1e-4, 2000)
    tied = measured(series(returns, np.abs(returns) * 1e6 + 1, np.abs(returns) * 1e5))
    assert tied["corr_absr_v"] == pytest.approx(1)
    assert tied["corr_range_v"] == pytest.approx(1)
    free = measured(series(returns, rng.lognormal(5, 1, 2000), rng.random(2000)))
    assert free["corr_absr_v"] == pytest.approx(0, abs=0.08)
    assert free["logv_acf_1m.1"] == pytest.approx(0, abs=0.08)


def test_sessions_are_pooled() -> None:
    """Two halves are enough together where each alone is not."""
    rng = np.random.default_rng(14)
    half = series(rng.normal(0, 1e-4, LEAST // 2 + 1))
    assert np.isnan(measured(half)["kurt_1m"])
    assert np.isfinite(measured(half, half)["kurt_1m"])


def test_minutes_of_a_session() -> None:
    """A minute's return is from the mid before it to the mid at its end; its range is that of its trades."""
    path = quotes([(0, 100, 101, 1, 1), (NS_PER_MINUTE - 1, 110, 111, 1, 1), (NS_PER_MINUTE, 120, 121, 1, 1)])
    rows = [(5, 100, 2, -1), (9, 104, 3, 1), (NS_PER_MINUTE - 1, 99, 1, 1), (2 * NS_PER_MINUTE, 150, 9, 1)]
    found = minutes_of(session(130, quotes=path, trades=trades(rows, path)))
    assert found.returns.tolist() == pytest.approx([np.log(110.5 / 100.5), np.log(120.5 / 110.5)])
    assert found.ranges.tolist() == [5, 0]
    assert found.volume.tolist() == [6, 0]
    assert found.close.tolist() == [110.5, 120.5]


def test_without_trades_there_is_no_volume() -> None:
    """And no metric of it."""
    rng = np.random.default_rng(15)
    found = measured(series(rng.normal(0, 1e-4, 300)))
    assert np.isnan([found["corr_absr_v"], found["logv_acf_1m.1"], found["corr_range_v"]]).all()

"""Metrics of times on processes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Orders, Session, Trades, aggressors
from feedsim.lab.realism.clock import Clock
from tests.lab.realism.made import START_NS, quotes, session


def of_times(events: np.ndarray, traded: np.ndarray, seconds: float) -> Session:
    """A session in which orders come, and buyers trade, at these times after its start."""
    count, zero = len(events), np.zeros(len(events), np.int64)
    log = Orders(START_NS + events, zero, np.arange(count), zero, np.full(count, 100), zero + 1)
    one = np.ones(len(traded), np.int64)
    made = Trades(START_NS + traded, 101 * one, one, one, 0 * one)
    return session(seconds, quotes=quotes([(0, 100, 101, 9, 9)]), orders=log, trades=made)


def measured(of: Session) -> dict[str, float]:
    clock = Clock()
    assert of.trades is not None
    clock.add_trades(of, aggressors(of.trades))
    clock.add_book(of, aggressors(of.trades))
    return clock.values()


def test_a_poisson_process_does_not_cluster() -> None:
    """Its gaps vary as much as their mean, its counts as their mean."""
    rng = np.random.default_rng(6)
    times = np.unique(rng.integers(1, 2000 * NS_PER_S, 40_000))
    found = measured(of_times(times, times[::4], 2000))
    assert found["book_iat_cv"] == pytest.approx(1, abs=0.03)
    assert found["trade_iat_cv"] < 1  # every fourth event: a gamma law, half as wide
    assert found["trade_iat_cv"] == pytest.approx(0.5, abs=0.03)
    assert found["book_fano_1s"] == pytest.approx(1, abs=0.1)
    assert found["msgs_per_trade"] == pytest.approx(4, rel=0.01)


def test_the_usual_gap_and_the_short_ones() -> None:
    """Two gaps of 10^5.1 ns for each of a second."""
    gap = round(10**5.1)
    times = 1 + np.cumsum(np.tile([NS_PER_S, gap, gap], 100))
    found = measured(of_times(times, times[:40], 200))
    assert found["log10dt_mode_ns"] == pytest.approx(5.1, abs=0.05)
    assert found["submsec_book_gap_share"] == pytest.approx(2 / 3, abs=0.01)


def test_a_book_event_is_one_time_and_within_ten_levels() -> None:
    """Orders of one time are one event; far orders are none."""
    times = np.repeat(np.arange(1, 101), 3) * 1000
    of = of_times(times, np.arange(50) * 1000, 1)
    assert of.orders is not None
    assert len(of.book_events()) == 100
    of.orders.price[::3] = 100 - 10
    assert len(of.book_events()) == 100
    of.orders.price[:] = 100 - 10
    assert len(of.book_events()) == 0

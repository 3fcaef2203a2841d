"""Metrics of quotes on sessions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Quotes, Session, Trades, aggressors
from feedsim.lab.realism.quoting import Quoting
from tests.lab.realism.made import DAY, START_NS, moving, quotes, session, trades


def measured(of: Session) -> dict[str, float]:
    quoting = Quoting()
    quoting.add(of, None if of.trades is None else aggressors(of.trades))
    return quoting.values()


def test_spread_is_weighted_by_time() -> None:
    """One tick for three seconds of four, however many rows there are."""
    rows = [(0, 100, 101, 1, 1), (NS_PER_S, 100, 101, 2, 1), (3 * NS_PER_S, 100, 102, 2, 1)]
    assert measured(session(4, quotes=quotes(rows)))["spread1_time"] == 0.75


def test_day_and_night_are_apart() -> None:
    """A session around the open: the night's spread is not the day's."""
    before = 10 * NS_PER_S
    bid = np.array([100, 100])
    ts = np.array([START_NS - before, START_NS])
    one = np.ones(2, np.int64)
    both = Quotes(ts, bid, np.array([102, 101]), one, one)
    found = measured(Session(start_ns=START_NS - before, end_ns=START_NS + before, quotes=both, day=DAY))
    assert (found["spread1_time"], found["spread1_time_ETH"]) == (1.0, 0.0)


def test_life_of_a_wide_spread() -> None:
    """From its first row to the next narrow one; one that is not over does not count."""
    rows = []
    for at in range(40):
        rows += [(at * NS_PER_S, 100, 101, 1, 1), (at * NS_PER_S + 500, 100, 103, 1, 1)]
        rows += [(at * NS_PER_S + 700, 100, 102, 1, 1), (at * NS_PER_S + 20_500, 100, 101, 1, 1)]
    rows.append((40 * NS_PER_S, 100, 102, 1, 1))
    assert measured(session(3600, quotes=quotes(rows)))["wide_median_us"] == 20


@pytest.mark.parametrize("by_trade", [0, 10, 40])
def test_who_emptied_a_queue(by_trade: int) -> None:
    """The row after a trade is what it left; queues that go without one were cancelled."""
    changes = moving(np.arange(1000, 959, -1))
    told = [(NS_PER_S // 2 + (at + 1) * NS_PER_S, 1000 - at, 5, -1) for at in range(by_trade)]
    made = trades(told, changes) if told else Trades(*(np.empty(0, np.int64) for _ in range(5)))
    found = measured(session(60, quotes=changes, trades=made))["depl_by_trade"]
    assert found == by_trade / 40


@pytest.mark.parametrize(("steps", "share"), [([1, 1], 1.0), ([1, -1], 0.0), ([1, 1, -1, -1], 0.5)])
def test_moves_that_go_on(steps: list[int], share: float) -> None:
    """Trends go on, bounces do not; η is c / 2(1 − c)."""
    path = 1000 + np.cumsum(np.tile(steps, 50))
    found = measured(session(300, quotes=moving(path)))
    assert found["p_cont_1tick"] == pytest.approx(share, abs=0.01)
    if share == 0.5:
        assert found["eta"] == pytest.approx(0.5, abs=0.02)


def test_moves_are_those_at_a_spread_of_one_tick() -> None:
    """A spread that opens and closes again on the same side is no move."""
    rows = []
    for at in range(80):
        bid = 100 + at // 2  # up every second time only; the other time the ask comes back
        rows += [(at * NS_PER_S, bid, bid + 1, 1, 1), (at * NS_PER_S + 10, bid, bid + 2, 1, 1)]
    assert measured(session(100, quotes=quotes(rows)))["p_cont_1tick"] == 1


def test_variance_ratio_of_a_random_walk_is_one() -> None:
    """Of steps that bounce it is more."""
    rng = np.random.default_rng(5)
    steps = rng.choice([-1, 1], 40_000)
    walk = 100_000 + np.cumsum(steps)
    found = measured(session(40_000, quotes=moving(walk)))
    assert found["var_ratio_1s_60s_mid"] == pytest.approx(1, abs=0.1)
    assert found["sd1s_ticks_per_sd60"] == pytest.approx(60**-0.5, rel=0.05)
    assert found["zero_1s"] == 0
    bouncing = walk + 3 * (np.arange(len(walk)) % 2)
    assert measured(session(40_000, quotes=moving(bouncing)))["var_ratio_1s_60s_mid"] > 2


def test_imbalance_that_decides() -> None:
    """The next move is up with the chance that the law of the imbalance gives it."""
    rng = np.random.default_rng(2)
    bids, asks = rng.integers(1, 50, (2, 30_000))
    imbalance = (bids - asks) / (bids + asks)
    up = rng.random(30_000) < 1 / (1 + np.exp(-3 * imbalance))
    bid = 100_000 + np.concatenate(((0,), np.cumsum(np.where(up, 1, -1))))[:-1]
    made = Quotes(START_NS + np.arange(30_000) * 1000, bid, bid + 1, bids, asks)
    assert measured(session(60, quotes=made))["kappa_up_I"] == pytest.approx(3, abs=0.12)


def test_sizes_of_the_best_quotes() -> None:
    """Their median, and how the two sides go against each other."""
    rows = [(at * 10, 100, 101, 10 + at % 7, 16 - at % 7) for at in range(100)]
    found = measured(session(1, quotes=quotes(rows)))
    assert found["L1_median"] == 13
    assert found["corr_bidask_size"] == pytest.approx(-1)


def test_bid_ask_bounce() -> None:
    """Signs that are drawn anew each time, at a price that stays: −1/2, as Roll has it."""
    rng = np.random.default_rng(4)
    side = rng.choice([-1, 1], 20_000)
    still = quotes([(0, 100, 101, 9, 9)])
    made = trades([(at * 1000 + 5, 100 + (s > 0), 1, s) for at, s in enumerate(side.tolist())], still)
    found = measured(session(1, quotes=still, trades=made))
    assert found["trade_px_acf1"] == pytest.approx(-0.5, abs=0.02)
    assert found["spread_mean"] == 1

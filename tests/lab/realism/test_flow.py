"""Metrics of market orders and order flow on sessions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import ADD, Quotes, Session, Trades, aggressors
from feedsim.lab.realism.flow import Flow, order_flow
from tests.lab.realism.made import START_NS, moving, orders, quotes, session, trades

STILL = quotes([(0, 100, 101, 8, 6)])


def measured(of: Session, depth: float = 1.0) -> dict[str, float]:
    flow = Flow()
    assert of.trades is not None
    flow.add_orders(aggressors(of.trades))
    flow.add_against_quotes(of, aggressors(of.trades))
    flow.add_quotes(of)
    return flow.values(depth)


def test_prints_of_one_time_and_side_are_one_order() -> None:
    """Its size is their sum, and it went through a price if they differ."""
    rows = []
    for at in range(0, 400, 10):
        rows += [(at, 101, 6, 1), (at, 102, 3, 1), (at, 100, 8, -1), (at + 5, 101, 1, 1)]
    found = measured(session(1, quotes=quotes([(-1, 100, 101, 8, 6)]), trades=trades(rows, STILL)))
    assert found["mo_size_mean"] == 6
    assert found["mo_p1"] == pytest.approx(1 / 3)
    assert found["mo_multilevel"] == pytest.approx(1 / 3)


def test_orders_of_exactly_the_queue() -> None:
    """A buy against the ask's size, a sell against the bid's."""
    rows = [(1 + 10 * at, *((101, 6, 1), (100, 8, -1), (101, 6, 1), (100, 6, -1))[at % 4]) for at in range(80)]
    assert measured(session(1, quotes=STILL, trades=trades(rows, STILL)))["mo_eq_queue"] == 0.75


def test_signs_that_alternate_and_signs_that_repeat() -> None:
    """−1 at odd lags and 1 at even ones; pairs of the same sign: nothing at lag 1."""
    for pattern, first, second in (([1, -1], -1, 1), ([1, 1, -1, -1], 0, -1)):
        rows = [(1 + at, 101, 1, side) for at, side in enumerate(np.tile(pattern, 200).tolist())]
        found = measured(session(1, quotes=STILL, trades=trades(rows, STILL)))
        assert found["sign_acf.1"] == pytest.approx(first, abs=0.01)
        assert found["sign_acf.2"] == pytest.approx(second, abs=0.01)


def test_order_flow_of_each_kind_of_change() -> None:
    """Cont, Kukanov and Stoikov's e_n: what comes at the bid counts up, what comes at the ask down."""
    rows = [(0, 100, 101, 10, 10), (1, 100, 101, 13, 10), (2, 100, 101, 13, 14)]  # a bid, an ask
    rows += [(3, 100, 102, 13, 7), (4, 101, 102, 2, 7), (5, 100, 102, 9, 7)]  # ask gone, bid up, bid gone
    assert order_flow(quotes(rows)).tolist() == [3, -4, 14, 2, -2]


def test_moves_that_order_flow_explains_wholly() -> None:
    """Quotes of q lots that move by a tick: 2q lots of flow each, so R² and 2D times the slope are 1."""
    rng = np.random.default_rng(9)
    path = 1000 + np.cumsum(rng.choice([-1, 1], 4000))
    of = session(400, quotes=moving(path, step_ns=NS_PER_S // 10, size=7), trades=trades([(0, 101, 1, 1)], STILL))
    found = measured(of, depth=7)
    for window in ("0.1", "1", "5", "10"):
        assert found[f"ofi_r2.{window}"] == pytest.approx(1)
    assert found["ofi_beta_x_2D"] == pytest.approx(1)


def test_moves_that_trades_do_not_explain() -> None:
    """Volume that is drawn beside the moves has next to no R²."""
    rng = np.random.default_rng(10)
    path = moving(1000 + np.cumsum(rng.choice([-1, 1], 5000)))
    rows = [(at * NS_PER_S + 1, 101, 3, side) for at, side in enumerate(rng.choice([-1, 1], 5000).tolist())]
    found = measured(session(5000, quotes=path, trades=trades(rows, path)))
    assert found["ti_r2.1"] < 0.01
    assert found["ti_r2.5"] < 0.02


def test_side_by_imbalance() -> None:
    """P(buy) follows its law."""
    rng = np.random.default_rng(12)
    bids, asks = rng.integers(1, 50, (2, 30_000))
    buys = rng.random(30_000) < 1 / (1 + np.exp(-4 * (bids - asks) / (bids + asks)))
    ts = START_NS + np.arange(30_000) * 1000
    hundred = np.full(30_000, 100)
    path = Quotes(ts, hundred, hundred + 1, bids, asks)
    side = np.where(buys, 1, -1)
    made = Trades(ts + 1, np.where(buys, 101, 100), np.ones(30_000, np.int64), side, path.before(ts + 1))
    assert measured(session(30, quotes=path, trades=made))["kappa_buy_I"] == pytest.approx(4, abs=0.15)


def test_response_counts_book_events_from_the_trade_on() -> None:
    """The mid goes up a tick with the twentieth event of each buy, itself the first, and down again with the next."""
    changes, told, log = [(0, 100, 101, 9, 9)], [], []
    for at in range(40):
        since = 1000 * (at + 1)
        told.append((since, 101, 1, 1))
        log += [(since + lag, ADD, 1000 * at + lag, 0, 100, 1) for lag in range(30)]
        changes += [(since + 19, 101, 102, 9, 9), (since + 20, 100, 101, 9, 9)]
    path = quotes(changes)
    of = session(1, quotes=path, trades=trades(told, path), orders=orders(log))
    flow = Flow()
    assert of.trades is not None
    flow.add_against_quotes(of, aggressors(of.trades))
    assert flow.response[20].mean == 1
    assert flow.response[10].mean == 0

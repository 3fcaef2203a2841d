"""What the market tells is one truth: quotes, books and trades of the same queues, and of nothing but them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from feedsim.market.flow import L1_FIELDS, TRADE_FIELDS, _move_value, advance, new_state, open_session
from feedsim.market.laws import LAWS
from feedsim.market.queues import LEVELS, REACH, SHOWN, WIDEST
from tests.market.runs import HOUR_NS, L2_EVERY_NS, NINE_THIRTY_NS, SECOND_NS, WIDTHS, Rows, Told, market, run

MINUTES = 10
END_NS = NINE_THIRTY_NS + MINUTES * 60 * SECOND_NS
SIDES = ((1, 3), (2, 4))  # price and size of bid and ask in an L1 row

every_symbol = pytest.mark.parametrize("told", LAWS, indirect=True)


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Told:
    """Ten minutes of one symbol."""
    return run(market(request.param), [END_NS])


def _before(l1: Rows, times: npt.NDArray[np.int64]) -> Rows:
    """The L1 that was told last before each time."""
    return l1[np.searchsorted(l1[:, 0], times, side="left") - 1]


def _at(l1: Rows, times: npt.NDArray[np.int64]) -> Rows:
    """The L1 that holds from each time on."""
    return l1[np.searchsorted(l1[:, 0], times, side="right") - 1]


@every_symbol
def test_times_rise(told: Told) -> None:
    """No two rows of a channel are told at one time, and none outside the time that was asked for."""
    for rows in told:
        assert (np.diff(rows[:, 0]) > 0).all()
        assert rows[0, 0] >= NINE_THIRTY_NS
        assert rows[-1, 0] < END_NS


@every_symbol
def test_a_trade_prints_at_the_touch(told: Told) -> None:
    """Buyers pay the ask and sellers get the bid that was told last, for no more than was there."""
    before = _before(told.l1, told.trades[:, 0])
    _, price, size, side, _ = told.trades.T
    assert set(side.tolist()) == {1, -1}
    assert (price == np.where(side == 1, before[:, 2], before[:, 1])).all()
    assert (size <= np.where(side == 1, before[:, 4], before[:, 3])).all()
    assert (size >= 1).all()


@every_symbol
def test_a_trade_eats_the_queue(told: Told) -> None:
    """The L1 at a trade's time has the queue less the trade, or another price where nothing is left of it."""
    before, after = _before(told.l1, told.trades[:, 0]), _at(told.l1, told.trades[:, 0])
    assert (after[:, 0] == told.trades[:, 0]).all()
    bought = told.trades[:, 3] == 1
    for mask, (price, size), step in ((bought, SIDES[1], 1), (~bought, SIDES[0], -1)):
        left = before[mask, size] - told.trades[mask, 2]
        eaten = left == 0
        assert (after[mask, price][~eaten] == before[mask, price][~eaten]).all()
        assert (after[mask, size][~eaten] == left[~eaten]).all()
        assert ((after[mask, price] - before[mask, price])[eaten] * step > 0).all()
        assert eaten.any()


@every_symbol
def test_the_other_side_does_not_move(told: Told) -> None:
    """One order at a time: no L1 row changes both sides."""
    changed = [(np.diff(told.l1[:, fields], axis=0) != 0).any(axis=1) for fields in SIDES]
    assert not (changed[0] & changed[1]).any()


@every_symbol
def test_l1_is_told_when_it_changes(told: Told) -> None:
    """Each row differs from the one before; its last trade is the newest, and is none before the first."""
    assert (np.diff(told.l1[:, 1:], axis=0) != 0).any(axis=1).all()
    newest = np.searchsorted(told.trades[:, 0], told.l1[:, 0], side="right") - 1
    last = told.l1[:, [L1_FIELDS.index("last_price"), L1_FIELDS.index("last_size")]]
    assert (last[newest < 0] == 0).all()
    assert (last[newest >= 0] == told.trades[newest[newest >= 0], 1:3]).all()


@every_symbol
def test_l1_is_the_top_of_l2(told: Told) -> None:
    """At every L2 row's time the L1 told last, also at that time, has its best prices and sizes."""
    top = _at(told.l1, told.l2[:, 0])
    best = told.l2[:, [1, 1 + 3 * SHOWN, 1 + SHOWN, 1 + 4 * SHOWN]]
    assert (best == top[:, 1:5]).all()


@every_symbol
def test_books_are_whole(told: Told) -> None:
    """Ten levels a side, strictly sorted, with bid below ask; lots and orders at each, no more orders than lots."""
    sides = told.l2[:, 1:].reshape(len(told.l2), 2, 3, SHOWN)
    px, sz, ct = sides[:, :, 0], sides[:, :, 1], sides[:, :, 2]
    assert (np.diff(px[:, 0]) < 0).all()
    assert (np.diff(px[:, 1]) > 0).all()
    assert (px[:, 0, 0] < px[:, 1, 0]).all()
    assert (ct >= 1).all()
    assert (sz >= ct).all()


@every_symbol
def test_l2_is_told_on_its_grid_when_it_changed(told: Told) -> None:
    """After the first row, at multiples of the interval, and never the same book twice."""
    assert (told.l2[1:, 0] % L2_EVERY_NS == 0).all()
    assert (np.diff(told.l2[:, 1:], axis=0) != 0).any(axis=1).all()
    assert told.l2[0, 0] == told.l1[0, 0] == NINE_THIRTY_NS


@every_symbol
def test_trades_are_numbered(told: Told) -> None:
    """From 1, without a gap."""
    assert told.trades[:, TRADE_FIELDS.index("trade_id")].tolist() == list(range(1, len(told.trades) + 1))


def _record(symbol: str, seed: int) -> tuple[Any, Any]:
    law = LAWS[symbol]
    return new_state(law, symbol, seed).view(np.recarray)[0], law.record().view(np.recarray)[0]


def _sheets(rows: int) -> list[Rows]:
    return [np.zeros((rows, width), np.int64) for width in WIDTHS]


@pytest.mark.parametrize("symbol", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_the_state_stays_whole(symbol: str, seed: int) -> None:
    """After any number of orders the counts of the book are those of its queues, within reach and without a gap."""
    state, law = _record(symbol, seed)
    open_session(state, law, NINE_THIRTY_NS, NINE_THIRTY_NS + 23 * HOUR_NS, NINE_THIRTY_NS)
    until_ns = NINE_THIRTY_NS
    for step in range(100):
        until_ns += step * step * 1_000_000
        *rows, orders = advance(state, law, until_ns, L2_EVERY_NS, *_sheets(1 << 14))
        assert max(rows) < 1 << 14
        _check_book(state)
    assert orders


def _check_book(state: Any) -> None:
    bid, ask = state.best.tolist()
    assert 0 < ask - bid < WIDEST + REACH
    seen = 0
    for side, prices in enumerate((range(bid, bid - REACH, -1), range(ask, ask + REACH))):
        at = np.array(prices) & (LEVELS - 1)
        assert state.count[at[0]] > 0
        assert state.orders[side] == state.count[at].sum()
        assert state.levels[side] == np.count_nonzero(state.count[at]) >= SHOWN
        assert all(state.volume[i] == state.sizes[i, : state.count[i]].sum() for i in at)
        assert all((state.sizes[i, : state.count[i]] > 0).all() for i in at)
        seen += int(state.orders[side])
    assert state.count.sum() == seen, "there are orders out of reach"


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_the_widest_spread_is_kept(symbol: str) -> None:
    """Where all orders but the last would go, the book does not come apart."""
    state, law = _record(symbol, 1)
    law.orders = 1.0
    law.trades = 1000.0
    law.cancel_best = law.cancel_deep = 50.0
    open_session(state, law, NINE_THIRTY_NS, NINE_THIRTY_NS + 23 * HOUR_NS, NINE_THIRTY_NS)
    widest = 0
    for second in range(1, 60):
        advance(state, law, NINE_THIRTY_NS + second * SECOND_NS, L2_EVERY_NS, *_sheets(1 << 14))
        _check_book(state)
        widest = max(widest, int(state.best[1] - state.best[0]))
    assert widest >= WIDEST


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_the_value_stays_near_its_anchor(symbol: str) -> None:
    """Over a hundred days it wanders as far as its law says (σ²/2κ), and not on and on."""
    state, law = _record(symbol, 3)
    state.value = law.anchor
    law.activity[:] = law.swing[:] = 1.0
    found = []
    for _ in range(100 * 24):
        state.open_ns = state.value_ns = 0
        _move_value(state, law, HOUR_NS)
        found.append(state.value - law.anchor)
    spread = float(np.std(found))
    theory = law.volatility / (2 * law.reversion) ** 0.5
    assert spread == pytest.approx(theory, rel=0.35)
    assert max(map(abs, found)) < 5 * theory


@pytest.mark.parametrize(("symbol", "widest_share", "spread"), [("ES", 0.03, (1.0, 1.05)), ("NQ", 0.7, (1.4, 2.6))])
def test_prices_stay_near_the_value_at_a_tight_spread(
    symbol: str, widest_share: float, spread: tuple[float, float]
) -> None:
    """ES is one tick wide nearly always, NQ one to three; the price follows the value."""
    of = market(symbol)
    told = run(of, [END_NS])
    ticks = told.l1[:, 2] - told.l1[:, 1]
    held_ns = np.diff(told.l1[:, 0], append=END_NS)
    assert held_ns[ticks > 1].sum() / held_ns.sum() < widest_share
    assert held_ns[ticks > 3].sum() / held_ns.sum() < 0.05
    assert spread[0] <= (held_ns * ticks).sum() / held_ns.sum() <= spread[1]
    value = float(of._state.value)
    assert abs(told.l1[-1, 1:3].mean() - value) < 10 * LAWS[symbol].volatility


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
def test_rates_are_those_of_a_live_feed(symbol: str) -> None:
    """In the middle of regular trading, tens to hundreds of rows a second, and ten books."""
    noon_ns = NINE_THIRTY_NS + 150 * 60 * SECOND_NS
    told = run(market(symbol, start_ns=noon_ns), [noon_ns + 300 * SECOND_NS])
    trades, l1, l2 = (len(rows) / 300 for rows in told)
    assert 3 < trades < 20
    assert 30 < l1 < 300
    assert 9.5 < l2 <= 10.1

"""Orders of users in a market: their place in the queues, what waits, what ends, and how the price reacts."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import ConfigError, SourceError
from feedsim.events import Digest
from feedsim.market.book import ADD, CANCEL, FILL, MODIFY, REACH, USER_RESTS, USERS
from feedsim.market.config import START_NS, MarketConfig
from feedsim.market.market import SymbolMarket
from feedsim.market.reaction import BETAS, RECENT_S, TAUS_S, WEIGHTS, kick, leaning
from feedsim.market.schedule import Schedule
from feedsim.market.sheets import Sheets
from feedsim.market.users import END
from feedsim.playback.merge import Merger
from feedsim.sources.synthetic import SyntheticSource
from feedsim.testing import check_source

Rows = npt.NDArray[np.int64]
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
TO_CLOSE_NS = (7 * 3600 + 30 * 60) * SECOND_NS  # from 09:30 to 17:00
BUY, SELL = 0, 1


def market(symbol: str = "ES", *, seed: int = 7, scenario: str = "normal", start_ns: int = START_NS) -> SymbolMarket:
    config = MarketConfig(symbols=(symbol,), scenario=scenario)
    schedule = Schedule(config.find(), seed=seed, minutes=60)
    return SymbolMarket(symbol, config, schedule, seed=seed, start_ns=start_ns)


class Told(NamedTuple):
    trades: Rows
    l1: Rows
    l2: Rows
    orders: Rows


def run(of: SymbolMarket, until_ns: int, *, log: int = 1 << 16) -> Told:
    """What a market tells up to a time, with the log of orders."""
    sheets = Sheets(orders=log)
    parts = [tuple(rows.copy() for rows in told) for told in of.run(until_ns, sheets)]
    empty = tuple(room[:0] for room in (sheets.trades, sheets.l1, sheets.l2, sheets.orders))
    return Told(*(np.concatenate(rows) for rows in zip(empty, *parts, strict=True)))


def state(of: SymbolMarket) -> Any:
    return of._state


def best(of: SymbolMarket) -> tuple[int, int]:
    return int(state(of).best[0]), int(state(of).best[1])


def user_rows(of: SymbolMarket) -> list[list[int]]:
    rows = [row for part in of.user_rows for row in part.tolist()]
    of.user_rows = []
    return rows


def opened(symbol: str = "ES", *, seed: int = 7, scenario: str = "normal") -> tuple[SymbolMarket, int, list[Told]]:
    """A market that has run for five seconds."""
    of, ns = market(symbol, seed=seed, scenario=scenario), START_NS + 5 * SECOND_NS
    return of, ns, [run(of, ns)]


class Replay:
    """The book of the log of orders: at each price a list of [id, lots], nothing but first come, first served."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, list[list[int]]], ...] = (defaultdict(list), defaultdict(list))

    def best(self, side: int) -> int:
        prices = [price for price, queue in self.sides[side].items() if queue]
        return min(prices) if side else max(prices)

    def lots(self, side: int, price: int) -> int:
        return sum(size for _, size in self.sides[side][price])

    def apply(self, row: list[int]) -> None:
        _, kind, order_id, side, price, size = row
        queue = self.sides[side][price]
        if kind == ADD:
            queue.append([order_id, size])
            if price == self.best(side):
                for far in [far for far in self.sides[side] if abs(far - price) >= REACH]:
                    del self.sides[side][far]
            return
        index = 0 if kind == FILL else [each for each, _ in queue].index(order_id)
        assert queue[index][0] == order_id, f"{order_id} traded before {queue[index][0]}, which was first"
        queue[index][1] -= size
        assert queue[index][1] >= 0
        assert queue[index][1] > 0 or kind != MODIFY
        if queue[index][1] == 0:
            queue.pop(index)


# ------------------------------------------------------------------------------------------------------------ queues


@pytest.mark.parametrize("symbol", ["ES", "NQ"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_first_come_first_served(symbol: str, seed: int) -> None:
    """Orders of users stand in the log's queues by arrival, trade only when they are first, and are accounted for."""
    of, ns, told = opened(symbol, seed=seed)
    chance = np.random.default_rng(seed)
    now_rows: list[list[int]] = []
    for number in range(1, 200):
        side = int(chance.integers(2))
        price = best(of)[side] + int(chance.integers(-3, 3)) * (1 - 2 * side)
        now_rows += of.order(ns, -number, side, int(chance.integers(1, 9)), price).rows.tolist()
        if number % 3 == 0:
            now_rows += of.cancel(ns, -int(chance.integers(1, number + 1))).rows.tolist()
        if number % 4 == 0:
            now_rows += of.reduce(ns, -int(chance.integers(1, number + 1)), 2).rows.tolist()
        ns += int(chance.integers(SECOND_NS // 10, 2 * SECOND_NS))
        told.append(run(of, ns))
    replay, users = Replay(), []
    for row in np.concatenate([part.orders for part in told]).tolist():
        replay.apply(row)
        if row[2] < 0:
            users.append(row)
    later = user_rows(of)
    assert sum(row[1] == FILL for row in later) > 20
    assert sorted([row[0], *row[2:6]] for row in users if row[1] == FILL) == sorted(
        [row[0], *row[2:6]] for row in now_rows + later if row[1] == FILL and not row[6]
    )
    for side in range(2):
        assert replay.best(side) == best(of)[side]
        assert replay.lots(side, replay.best(side)) == told[-1].l1[-1][3 + side]
    assert _lots(np.concatenate([part.trades for part in told])) == sum(
        row[5] for part in told for row in part.orders.tolist() if row[1] == FILL
    )
    assert _accounted(now_rows + later) == {int(row[0]): int(row[3]) for row in state(of).user[: state(of).users]}


def _lots(trades: Rows) -> int:
    return int(trades[:, 2].sum())


def _accounted(rows: list[list[int]]) -> dict[int, int]:
    """What is left of each order by what was told to the user."""
    left: dict[int, int] = defaultdict(int)
    for _, kind, order_id, _, _, size, aggressor in rows:
        if not aggressor:
            left[order_id] += size if kind == ADD else -size
    assert min(left.values()) >= 0
    return {order_id: size for order_id, size in left.items() if size}


def test_market_order_walks() -> None:
    """A market order takes queue after queue; its prints are trades, and the quotes after it are told once."""
    of, ns, _ = opened()
    ask, there = best(of)[1], int(state(of).volume[best(of)[1] % 64])
    entered = of.order(ns, -1, BUY, there + 5)
    assert [row[1:] for row in entered.rows.tolist()] == [
        [FILL, -1, BUY, ask, there, 1],
        [FILL, -1, BUY, ask + 1, 5, 1],
    ]
    told = run(of, ns + SECOND_NS // 1000)
    assert [row[:4].tolist() for row in told.trades[:2]] == [[ns, ask, there, 1], [ns, ask + 1, 5, 1]]
    assert told.l1[0].tolist()[:3] == [ns, ask - 1, ask + 1]
    assert told.l1[0].tolist()[5:] == [ask + 1, 5]


def test_limit_order_trades_then_rests() -> None:
    """A limit order takes what its price allows, and is itself the best quote with what is left."""
    of, ns, _ = opened()
    ask, there = best(of)[1], int(state(of).volume[best(of)[1] % 64])
    entered = of.order(ns, -1, BUY, there + 9, ask)
    assert [row[1:] for row in entered.rows.tolist()] == [[FILL, -1, BUY, ask, there, 1], [ADD, -1, BUY, ask, 9, 0]]
    assert best(of)[0] == ask
    assert int(state(of).volume[ask % 64]) == 9
    gone = of.cancel(ns, -1)
    assert gone.rows[0].tolist()[1:] == [CANCEL, -1, BUY, ask, 9, 0]
    assert best(of)[0] == ask - 1


def test_limit_order_that_must_not_rest() -> None:
    """With `rests` False what cannot trade at once goes."""
    of, ns, _ = opened()
    bid = best(of)[0]
    entered = of.order(ns, -1, BUY, 3, bid, rests=False)
    assert [row[1:] for row in entered.rows.tolist()] == [[CANCEL, -1, BUY, bid, 3, 0]]
    assert state(of).users == 0


def test_order_larger_than_the_book() -> None:
    """A market order that finds no more is told so, and the book keeps ten levels of both sides."""
    of, ns, _ = opened("NQ")
    entered = of.order(ns, -1, SELL, 1_000_000)
    assert entered.rows[-1][1] == CANCEL
    assert entered.rows[:, 5].sum() == 1_000_000
    told = run(of, ns + 10 * SECOND_NS)
    assert (told.l2[:, 11:21] > 0).all()
    assert (told.l2[:, 41:51] > 0).all()


# ---------------------------------------------------------------------------------------------------------- far orders


def test_far_order_waits_and_changes_nothing() -> None:
    """What waits outside of the window leaves every row as it would be without it."""
    of, ns, _ = opened()
    without, _, _ = opened()
    for number in range(1, USERS + 1):
        of.order(ns, -number, number % 2, 5, best(of)[number % 2] + (2 * (number % 2) - 1) * (100 + number))
    assert of.order(ns, -100, BUY, 1, 1).refused == "too many orders"
    of.cancel(ns, -7)
    for mine, plain in zip(run(of, ns + MINUTE_NS), run(without, ns + MINUTE_NS), strict=True):
        assert np.array_equal(mine, plain)
    assert state(of).users == USERS - 1


def test_order_comes_into_the_window_and_leaves_it() -> None:
    """A bid below the window is first at its price when that is reached, waits when it leaves, trades at last."""
    of, ns, _ = opened()
    price = best(of)[0] - 30
    of.order(ns, -1, BUY, 4, price)
    assert not state(of).user[0, USER_RESTS]
    ns, x = ns + SECOND_NS, float(of._x[0])
    run(of, ns)
    of.react(ns, -24 / x)
    ns += 30 * SECOND_NS
    run(of, ns)
    assert state(of).user[0, USER_RESTS]
    assert state(of).ids[price % 64, 0] == -1
    of.react(ns, 60 / x)
    ns += 30 * SECOND_NS
    run(of, ns)
    assert not state(of).user[0, USER_RESTS]
    assert user_rows(of) == []
    of.react(ns, -150 / x)
    log = run(of, ns + MINUTE_NS).orders
    fills = user_rows(of)
    assert all([*row[1:5], row[6]] == [FILL, -1, BUY, price, 0] for row in fills)
    assert sum(row[5] for row in fills) == 4
    assert log[(log[:, 2] == -1) & (log[:, 1] == FILL)][:, 5].sum() == 4


# ------------------------------------------------------------------------------------------------- halts and sessions


def _halts(of: SymbolMarket, until_ns: int) -> list[tuple[int, int]]:
    for _ in of.run(until_ns, Sheets()):
        pass
    return of.halts


def test_orders_live_through_a_halt() -> None:
    """A halt keeps orders; those that cross the new book trade with it, never worse than their price."""
    (halted_ns, _), (over_ns, _) = _halts(market(scenario="circuit_breaker"), START_NS + 60 * MINUTE_NS)[:2]
    of = market(scenario="circuit_breaker")
    run(of, halted_ns - SECOND_NS)
    bid, ask = best(of)
    of.order(halted_ns - SECOND_NS, -1, SELL, 2, ask + 60)
    of.order(halted_ns - SECOND_NS, -2, BUY, 2, bid - 200)
    middle = (halted_ns + over_ns) // 2
    run(of, middle)
    of.user_rows.clear()
    assert of.order(middle, -3, BUY, 1).refused == "halted"
    assert of.order(middle, -3, BUY, 30, bid + 20).rows.tolist() == [[middle, ADD, -3, BUY, bid + 20, 30, 0]]
    assert of.order(middle, -4, SELL, 1, ask + 90).refused == ""
    assert of.cancel(middle, -4).refused == ""
    told = run(of, over_ns + SECOND_NS)
    fills = [row for row in user_rows(of) if row[1] == FILL and row[2] == -3]
    assert sum(row[5] for row in fills) == 30
    assert all(row[0] >= over_ns and row[4] <= bid + 20 and row[6] for row in fills)
    prints = told.trades.tolist()
    assert all([row[0], row[4], row[5], 1] in [each[:4] for each in prints] for row in fills)
    assert {int(row[0]) for row in state(of).user[: state(of).users]} <= {-1, -2}


def test_orders_end_with_the_session() -> None:
    """Orders are of the day: what rests or waits at 17:00 is told as ended, and ids are free again."""
    ns = START_NS + TO_CLOSE_NS - 30 * SECOND_NS
    of = market(start_ns=ns)
    run(of, ns + SECOND_NS)
    bid = best(of)[0]
    assert of.order(ns + SECOND_NS, -1, BUY, 500, bid - 9).refused == ""
    assert of.order(ns + SECOND_NS, -2, BUY, 2, bid - 99).refused == ""
    assert of.order(ns + SECOND_NS, -2, BUY, 2, bid - 99).refused == "id in use"
    close_ns = START_NS + TO_CLOSE_NS
    run(of, close_ns)
    of.user_rows.clear()
    assert of.order(close_ns, -3, BUY, 1).refused == "closed"
    for _ in of.run(close_ns + MINUTE_NS, Sheets()):
        pass
    assert [row[:3] for row in user_rows(of)] == [[close_ns, END, -1], [close_ns, END, -2]]
    assert of.cancel(close_ns + MINUTE_NS, -1).refused == "unknown order"


# ------------------------------------------------------------------------------------------------------------ reaction


def test_decay_is_a_power_law() -> None:
    """The exponentials are (1 + t / RECENT_S) ** -1/2 to 1 % for as long as a session."""
    for seconds in np.geomspace(0.1, 23_400, 300):
        parts = zip(TAUS_S, WEIGHTS, strict=True)
        decayed = sum(weight * math.exp(-seconds / tau_s) for tau_s, weight in parts)
        assert decayed == pytest.approx((1 + seconds / RECENT_S) ** -0.5, rel=0.01)


def test_cutting_an_order_into_pieces() -> None:
    """One order of 64 lots and 64 of one lot at the same time kick the price alike, and a sale takes the kick back."""
    moves = []
    for pieces in (1, 64):
        of, ns, _ = opened()
        moves.append(sum(of.order(ns, -1, BUY, 64 // pieces).move for _ in range(pieces)))
        back = of.order(ns, -1, SELL, 64).move
        assert back == pytest.approx(-moves[-1])
    assert moves[0] > 0
    assert moves[1] == pytest.approx(moves[0])


def test_a_third_stays() -> None:
    """Of a kick a third stays for ever; a second one after a long time adds none, one against it takes it back."""
    of, ns, _ = opened()
    x, days_ns = float(of._x[(ns - START_NS) // 50_000_000]), 10 * 86_400 * SECOND_NS
    of.react(ns, 30 / x)
    assert leaning(state(of), ns) == pytest.approx(30)
    assert leaning(state(of), ns + days_ns) == pytest.approx(10, rel=1e-3)
    kick(state(of), ns + days_ns, 30.0)
    assert leaning(state(of), ns + 2 * days_ns) == pytest.approx(10, rel=1e-3)
    kick(state(of), ns + 2 * days_ns, -30.0)
    assert leaning(state(of), ns + 3 * days_ns) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("symbol", "other"), [("ES", "NQ"), ("NQ", "ES")])
def test_cross_impact(symbol: str, other: str) -> None:
    """A trade in one symbol moves the other by its beta, and the micro of the same index alike."""
    symbols = ("ES", "MES", "MNQ", "NQ")
    source = SyntheticSource(config=MarketConfig(symbols=symbols), seed=1, minutes=5)
    source.read(START_NS + SECOND_NS)
    source.inject(symbol, order_id=-1, side="buy", size=50)
    kicks = {
        name: float(sum(market._state.kicks)) / float(market._x[20])
        for name, market in zip(source.info.symbols, source._markets, strict=True)
    }
    beta = BETAS[("ES", "NQ").index(symbol)]
    assert kicks[f"M{symbol}"] == pytest.approx(kicks[symbol])
    assert kicks[other] == pytest.approx(beta * kicks[symbol])
    assert kicks[f"M{other}"] == pytest.approx(beta * kicks[symbol])


def test_square_root_law() -> None:
    """Metaorders at 10 % participation, against the same seeds without them: T15's exponent, size and relaxation."""
    seeds, every_s, lots = 8, 10, 67
    found = []
    for minutes in (2, 10):
        moved = np.array([_metaorder(seed, minutes, every_s, lots) for seed in range(seeds)])
        found.append((minutes * 60 // every_s * lots, *moved.mean(axis=0)))
    (small, low, _), (large, high, late) = found
    assert 0.4 <= math.log(high / low) / math.log(large / small) <= 0.7
    assert 0.4 <= late / high <= 0.85


def _metaorder(seed: int, minutes: int, every_s: int, lots: int) -> tuple[float, float]:
    """Ticks that the mid moved more than without, at the end and as long after it."""
    side, start_ns, count = seed % 2, START_NS + 45 * MINUTE_NS, minutes * 60 // every_s
    paths = []
    for trades in (True, False):
        of = market(seed=seed, start_ns=start_ns)
        for step in range(count if trades else 0):
            run(of, start_ns + (step + 1) * every_s * SECOND_NS, log=0)
            of.order(start_ns + (step + 1) * every_s * SECOND_NS, -1, side, lots)
        end_ns = start_ns + count * every_s * SECOND_NS
        paths.append([_mid(of, end_ns), _mid(of, 2 * end_ns - start_ns)])
    peak, late = (np.array(paths[0]) - np.array(paths[1])) * (1 - 2 * side)
    return float(peak), float(late)


def _mid(of: SymbolMarket, ns: int) -> float:
    """Mean of the quotes of the ten seconds from a time on."""
    run(of, ns, log=0)
    quotes = run(of, ns + 10 * SECOND_NS, log=0).l1
    return float(np.mean(quotes[:, 1:3]))


# ------------------------------------------------------------------------------------------------------------- source

ORDERS = st.lists(
    st.tuples(
        st.integers(0, 3000),  # ms after the one before
        st.sampled_from(["ES", "NQ"]),
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 40),
        st.one_of(st.none(), st.integers(-4, 4)),  # ticks from the best price
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


class Session:
    """What a source with orders tells: a digest of its events, and what the user hears."""

    def __init__(self, seed: int) -> None:
        self.source = SyntheticSource(seed=seed, minutes=2)
        self.heard: list[Any] = []
        self._digest = Digest()
        self._merger = Merger(self.source.info.symbols)

    def read(self, until_ns: int) -> None:
        self._digest.update(self._merger.merge(self.source.read(until_ns)))
        self.heard += self.source.take_user_events()

    def told(self, orders: list[Any], cuts: list[int]) -> tuple[str, list[Any]]:
        """Enter orders, cancel earlier ones, and read in windows cut anyhow, sometimes from a saved state."""
        ns, live = START_NS, []
        for number, (after_ms, symbol, side, size, ticks, cancels) in enumerate(orders, 1):
            for cut in cuts:
                self.read(ns + after_ms * 100_000 * cut)
                if cut == 5:
                    self.source.restore(self.source.save())
            ns += after_ms * 1_000_000
            self.read(ns)
            price = None if ticks is None else self._price(symbol, side, ticks)
            self.heard.append(self.source.inject(symbol, order_id=-number, side=side, size=size, price=price))
            live.append((symbol, -number))
            if cancels and len(live) > 2:
                self.heard.append(self.source.cancel(*live[-3]))
        self.read(ns + 3 * SECOND_NS)
        return self._digest.hexdigest(), self.heard

    def _price(self, symbol: str, side: str, ticks: int) -> float:
        of = self.source._markets[self.source.info.symbols.index(symbol)]
        return float(max(best(of)[side == "sell"], 4000) + ticks) * 0.25


@settings(max_examples=12, deadline=None)
@given(orders=ORDERS, cuts=st.lists(st.integers(0, 10), max_size=4).map(sorted), seed=st.integers(0, 99))
def test_the_same_orders_give_the_same_rows(orders: list[Any], cuts: list[int], seed: int) -> None:
    """However the reading is cut, and from whatever saved state it goes on."""
    assert Session(seed).told(orders, cuts) == Session(seed).told(orders, [])


def test_seek_back_enters_orders_again() -> None:
    """Going back, the orders up to there are entered again, and later ones never were."""
    source = SyntheticSource(seed=2, minutes=1)
    for second in (1, 3, 5):
        source.read(START_NS + second * SECOND_NS)
        source.inject("ES", order_id=-second, side="buy", size=100)
        source.inject("NQ", order_id=-second, side="sell", size=3, price=17_900.0)
    states = []
    for _ in range(2):
        source.seek(START_NS + 3 * SECOND_NS)
        states.append(source.save())
        source.read(START_NS + 20 * SECOND_NS)
        source.inject("ES", order_id=-20, side="buy", size=1)
    assert states[0] == states[1]
    other = SyntheticSource(seed=2, minutes=1)
    for second in (1, 3):
        other.read(START_NS + second * SECOND_NS)
        other.inject("ES", order_id=-second, side="buy", size=100)
        other.inject("NQ", order_id=-second, side="sell", size=3, price=17_900.0)
    other.take_user_events()
    assert other.save() == states[0]
    stranger = SyntheticSource(seed=2, minutes=1)
    stranger.restore(states[0])
    with pytest.raises(SourceError, match="orders"):
        stranger.seek(START_NS)


def test_without_orders() -> None:
    """`without_orders` is the same seed again, whatever was done; orders are prepared without a trace."""
    source = SyntheticSource(seed=3, minutes=1)
    source.prepare_orders()
    source.read(START_NS + SECOND_NS)
    source.inject("ES", order_id=-1, side="buy", size=500)
    other, plain = source.without_orders(), SyntheticSource(seed=3, minutes=1)
    mine, same, plainly = (
        each.read(START_NS + 20 * SECOND_NS)["trade"].array("size") for each in (source, other, plain)
    )
    assert np.array_equal(same, plainly)
    assert not np.array_equal(mine[-50:], same[-50:])


def test_a_source_with_orders_keeps_the_contract() -> None:
    """`check_source` finds nothing wrong with a market in which a user traded."""

    def make() -> SyntheticSource:
        source = SyntheticSource(seed=5, minutes=0.2)
        source.inject("ES", order_id=-1, side="buy", size=9, price=4999.0)
        source.inject("NQ", order_id=-1, side="sell", size=9, price=17999.0)
        return source

    check_source(make)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("side", {"side": "long"}),
        ("size", {"size": 0}),
        ("size", {"size": -3}),
        ("price", {"price": 5000.1}),
        ("price", {"price": -1.0}),
        ("order_id", {"order_id": 4}),
        ("symbol", {"symbol": "CL"}),
    ],
)
def test_wrong_orders(field: str, wrong: dict[str, Any]) -> None:
    """An order that cannot be is refused by the name of the field, before anything is done."""
    source = SyntheticSource(seed=1, minutes=1)
    before = source.save()
    order: dict[str, Any] = {"symbol": "ES", "order_id": -1, "side": "buy", "size": 1, "price": 5000.0} | wrong
    with pytest.raises(ConfigError) as raised:
        source.inject(order.pop("symbol"), **order)
    assert raised.value.field == field
    assert source.save() == before

"""The law of the market: orders come, trade and go by chance, after Cont, Stoikov and Talreja (2010).

Limit orders come at a rate by distance from the opposite best price, market orders at a constant rate, cancellations
at a rate for each order in the book; all lean towards a value that wanders around an anchor. Time is in nanoseconds.
The state is one record, and what is told does not depend on how time is cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.chance import below, exponential, normal, stream, uniform
from feedsim.market.compiling import compiled
from feedsim.market.laws import CHOICES, FARTHEST, Law
from feedsim.market.queues import (
    BOOK,
    LEVELS,
    SHOWN,
    WIDEST,
    cancel,
    find_order,
    first_empty,
    outward,
    place,
    take,
)

FORMAT = 1
"""Of the state and of what is told: another one, other bytes."""

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
NEVER = 1 << 62

# What is told, as rows of int64: prices in ticks, sizes in lots.
TRADE_FIELDS = ("ts", "price", "size", "side", "trade_id")
L1_FIELDS = ("ts", "bid", "ask", "bid_size", "ask_size", "last_price", "last_size")
L2_FIELDS = ("ts", *(f"{side}_{what}" for side in ("bid", "ask") for what in ("px", "sz", "ct")))
"""All but the time SHOWN values wide, the best level first."""
L2_WIDTH = 1 + (len(L2_FIELDS) - 1) * SHOWN

STATE = np.dtype(
    [
        *BOOK,
        ("order_chance", "u8", 4),
        ("value_chance", "u8", 4),
        ("value", "f8"),
        ("value_ns", "i8"),
        ("open_ns", "i8"),
        ("close_ns", "i8"),
        ("next_ns", "i8"),
        ("l2_ns", "i8"),
        ("begun", "i8"),
        ("trades", "i8"),
        ("last_price", "i8"),
        ("last_size", "i8"),
        ("l1", "i8", len(L1_FIELDS)),
        ("l2", "i8", L2_WIDTH),
    ],
    align=True,
)
"""After the book: the time up to which the value has moved, the session, when the next order comes and the next L2 row
is due, whether the session's first rows are told, the trades so far, and what was told last."""


def new_state(law: Law, symbol: str, seed: int) -> npt.NDArray[Any]:
    """One record of STATE, before its first session."""
    state = np.zeros(1, STATE)
    state["order_chance"] = stream(seed, f"orders {symbol}")
    state["value_chance"] = stream(seed, f"value {law.value_of}")
    state["value"] = law.anchor
    return state


@compiled
def open_session(state: Any, law: Any, open_ns: int, close_ns: int, from_ns: int) -> None:
    """A new book around the value, told from `from_ns` on: at the session's opening, or where the market starts."""
    _move_value(state, law, state.close_ns)
    state.value += law.gap * normal(state.value_chance)
    state.open_ns = open_ns
    state.close_ns = close_ns
    state.value_ns = from_ns
    state.next_ns = from_ns
    state.l2_ns = NEVER
    state.begun = 0
    state.count[:] = 0
    state.orders[:] = 0
    state.levels[:] = 0
    state.volume[:] = 0
    bid = int(state.value)
    for side in range(2):
        state.best[side] = bid + side
        for ticks in range(FARTHEST):
            for _ in range(law.depth[ticks]):
                _place(state, law, side, bid + side + ticks * outward(side))


@compiled
def advance(state: Any, law: Any, until_ns: int, l2_every_ns: int, trades: Any, l1: Any, l2: Any) -> Any:
    """Run the session up to `until_ns`, or until one of the tables is full.

    Fills the first rows of `trades`, `l1` and `l2` (int64, a row as the …_FIELDS say); tells how many of each, and how
    many orders came or went. While a table was filled there may be more before `until_ns`.
    """
    until_ns = min(until_ns, state.close_ns)
    traded, quoted, shown, happened = 0, 0, 0, 0
    while traded < len(trades) and quoted < len(l1) and shown < len(l2):
        if state.l2_ns < state.next_ns:
            if state.l2_ns >= until_ns:
                break
            shown += _tell_l2(state, l2[shown])
            state.l2_ns = NEVER
            continue
        now = state.next_ns
        if now >= until_ns:
            break
        if state.begun:
            traded += _happen(state, law, now, trades[traded])
            happened += 1
            state.l2_ns = min(state.l2_ns, -(-now // l2_every_ns) * l2_every_ns)
        else:
            state.begun = 1
            state.l2_ns = now
        quoted += _tell_l1(state, now, l1[quoted])
        wait_s = exponential(state.order_chance) / (_activity(state, law, now) * _total_rate(state, law))
        state.next_ns = now + 1 + int(wait_s * SECOND_NS)
    return traded, quoted, shown, happened


# ------------------------------------------------------------------------------------------------------ what happens


@compiled
def _happen(state: Any, law: Any, now: int, trade: Any) -> int:
    """One order comes or goes; whether it traded, and then what is to be told of it."""
    _move_value(state, law, now)
    distance = law.pull * (state.value - 0.5 * (state.best[0] + state.best[1]))
    lean = distance / (1.0 + abs(distance))
    x = uniform(state.order_chance) * _total_rate(state, law)
    towards = uniform(state.order_chance) * 2.0 < 1.0 + lean
    if x < law.orders:
        side = 0 if towards else 1
        ticks = law.placement[below(state.order_chance, CHOICES)]
        _place(state, law, side, state.best[1 - side] + ticks * outward(side))
        _refill(state, law, side)  # what a better price puts out of reach is gone
        return 0
    x -= law.orders
    if x < law.trades:
        return _trade(state, law, now, 1 if towards else 0, trade)
    x -= law.trades
    if x < law.cancel_best * _at_best(state):
        _cancel_best(state, law, lean)
    else:
        _cancel_behind(state, law)
    return 0


@compiled
def _move_value(state: Any, law: Any, until_ns: int) -> None:
    """The value moves once a second, back to the anchor and at random."""
    while state.value_ns + SECOND_NS <= until_ns:
        state.value_ns += SECOND_NS
        swing = law.swing[(state.value_ns - 1 - state.open_ns) // MINUTE_NS]
        state.value += law.reversion * (law.anchor - state.value)
        state.value += law.volatility * swing * normal(state.value_chance)


@compiled
def _place(state: Any, law: Any, side: int, price: int) -> None:
    place(state, side, price, law.order_size[below(state.order_chance, CHOICES)])


@compiled
def _trade(state: Any, law: Any, now: int, side: int, trade: Any) -> int:
    """A market order against the best queue of `side`. At the widest spread it leaves that queue its last lot."""
    price = state.best[side]
    size = law.trade_size[below(state.order_chance, CHOICES)]
    if state.best[1] - state.best[0] >= WIDEST:
        size = min(size, state.volume[price & (LEVELS - 1)] - 1)
    if size == 0:
        return 0
    size = take(state, side, size)
    _refill(state, law, side)
    state.trades += 1
    state.last_price = price
    state.last_size = size
    trade[0], trade[1], trade[2], trade[3], trade[4] = now, price, size, outward(side), state.trades
    return 1


@compiled
def _cancel_best(state: Any, law: Any, lean: float) -> None:
    """An order of the best queues goes, rather from the side that the value has passed."""
    bids = state.count[state.best[0] & (LEVELS - 1)]
    asks = state.count[state.best[1] & (LEVELS - 1)]
    going_bids = bids * (1.0 - lean)
    going_asks = asks * (1.0 + lean)
    side = 0 if uniform(state.order_chance) * (going_bids + going_asks) < going_bids else 1
    orders = asks if side else bids
    index = below(state.order_chance, orders)
    if orders == 1 and state.best[1] - state.best[0] >= WIDEST:
        return
    cancel(state, side, state.best[side], index)
    _refill(state, law, side)


@compiled
def _cancel_behind(state: Any, law: Any) -> None:
    """An order behind the best queues goes, each as likely."""
    bids = state.orders[0] - state.count[state.best[0] & (LEVELS - 1)]
    asks = state.orders[1] - state.count[state.best[1] & (LEVELS - 1)]
    index = below(state.order_chance, bids + asks)
    side = 0 if index < bids else 1
    price, index = find_order(state, side, index - side * bids)
    cancel(state, side, price, index)
    _refill(state, law, side)


@compiled
def _refill(state: Any, law: Any, side: int) -> None:
    """A side that is short of levels gets orders at the nearest prices that have none."""
    while state.levels[side] < SHOWN:
        _place(state, law, side, first_empty(state, side))


# ------------------------------------------------------------------------------------------------------- how often


@compiled
def _activity(state: Any, law: Any, now: int) -> float:
    activity: float = law.activity[(now - state.open_ns) // MINUTE_NS]
    return activity


@compiled
def _at_best(state: Any) -> int:
    """Orders in both best queues."""
    orders: int = state.count[state.best[0] & (LEVELS - 1)] + state.count[state.best[1] & (LEVELS - 1)]
    return orders


@compiled
def _total_rate(state: Any, law: Any) -> float:
    """Orders that come or go in a second at mean activity."""
    at_best = _at_best(state)
    behind = state.orders[0] + state.orders[1] - at_best
    rate: float = law.orders + law.trades + law.cancel_best * at_best + law.cancel_deep * behind
    return rate


# ---------------------------------------------------------------------------------------------------- what is told


@compiled
def _tell_l1(state: Any, now: int, row: Any) -> int:
    """One row if anything of it changed, else none."""
    bid, ask = state.best[0], state.best[1]
    row[0], row[1], row[2] = now, bid, ask
    row[3], row[4] = state.volume[bid & (LEVELS - 1)], state.volume[ask & (LEVELS - 1)]
    row[5], row[6] = state.last_price, state.last_size
    return _keep_if_changed(state.l1, row)


@compiled
def _tell_l2(state: Any, row: Any) -> int:
    """One row if any of the levels shown changed, else none."""
    row[0] = state.l2_ns
    for side in range(2):
        at = 1 + 3 * SHOWN * side
        price = state.best[side]
        for level in range(SHOWN):
            while state.count[price & (LEVELS - 1)] == 0:
                price += outward(side)
            row[at + level] = price
            row[at + SHOWN + level] = state.volume[price & (LEVELS - 1)]
            row[at + 2 * SHOWN + level] = state.count[price & (LEVELS - 1)]
            price += outward(side)
    return _keep_if_changed(state.l2, row)


@compiled
def _keep_if_changed(told: Any, row: Any) -> int:
    changed = 0
    for index in range(1, len(row)):
        if told[index] != row[index]:
            changed = 1
        told[index] = row[index]
    return changed

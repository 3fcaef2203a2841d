"""Orders of users in one symbol's market, entered between two of its events: compiled functions on the kernel's state.

A user's order trades against the queues that are there and rests in them by time of arrival, as any other. What is
farther out than the book reaches waits and has its price first when the window comes to it.
"""

from __future__ import annotations

import math
from typing import Any

from feedsim.market.book import (
    ADD,
    CANCEL,
    FILL,
    LEVELS,
    MODIFY,
    QUEUE,
    USER_ID,
    USER_LEFT,
    USER_PRICE,
    USER_RESTS,
    USER_SIDE,
    WIDEST,
    outward,
    place,
    remove,
    shrink,
)
from feedsim.market.compiling import compiled
from feedsim.market.factors import VIX_OF_DAY
from feedsim.market.filling import add, fill_window
from feedsim.market.happening import (
    MOST_PRINTS,
    available,
    crosses,
    excite,
    leave,
    move_on,
    newest,
    take_away,
    walk,
)
from feedsim.market.kernel import gap_after
from feedsim.market.reaction import react
from feedsim.market.telling import log_forgotten, tell_l1, write
from feedsim.market.users import END, find_user, forget_user, tell_user


def ticks_a_root_lot(x: float, vix: float, relative: float, daily_lots: float) -> float:
    """The impact of one lot by the square-root law, I = σ √(Q / V) (Tóth et al. 2011), σ and V those of a day.

    `x` is the latent price in ticks and `relative` the symbol's volatility in terms of the VIX.
    """
    return x * vix * (1.0 / VIX_OF_DAY) * relative / math.sqrt(daily_lots)


@compiled
def enter(
    state: Any,
    law: Any,
    moved_by: Any,
    busy: float,
    now: int,
    order_id: int,
    side: int,
    size: int,
    price: int,
    rests: int,
    impact: float,
    l2_every_ns: int,
    trades: Any,
    l1: Any,
    orders: Any,
) -> Any:
    """Enter an order at `now`, after all events before it. `side` 0 buys; what is left rests, or with `rests` 0 goes.

    An order that may trade at any price has one beyond all others. `impact` is `ticks_a_root_lot`. Fills the first rows
    of `trades` (MOST_PRINTS or more), `l1` (one) and `orders`, and the user's rows of the state; tells how many rows
    each of the three has, and the ticks of the reaction.
    """
    state.logged = 0
    traded, quoted, left, ticks = 0, 0, size, 0.0
    if state.open:
        while left > 0 and traded < MOST_PRINTS and crosses(state, side, price):
            best = state.best[1 - side]
            part = min(left, available(state, 1 - side))
            if part <= 0:
                break
            traded += walk(state, law, moved_by, 1 - side, part, now, trades, traded, orders)
            tell_user(state, now, FILL, order_id, side, best, part, 1)
            left -= part
        if traded:
            excite(state, law, 1 - side)
            ticks = react(state, now, -outward(side) * (size - left), impact)
            state.next_ns = min(state.next_ns, now + gap_after(state, law, moved_by, busy))
    if left > 0:
        if rests and not (state.open and crosses(state, side, price)):
            _keep(state, law, moved_by, now, order_id, side, price, left, orders)
        else:
            tell_user(state, now, CANCEL, order_id, side, price, left, 0)
    if state.open:
        quoted = _tell(state, now, l2_every_ns, l1)
    return traded, quoted, state.logged, ticks


@compiled
def _keep(
    state: Any, law: Any, moved_by: Any, now: int, order_id: int, side: int, price: int, size: int, orders: Any
) -> None:
    """An order at the end of its queue; one that is out of the window, or finds no open book, waits."""
    row = state.user[state.users]
    row[USER_ID], row[USER_SIDE], row[USER_PRICE], row[USER_LEFT], row[USER_RESTS] = order_id, side, price, size, 0
    state.users += 1
    tell_user(state, now, ADD, order_id, side, price, size, 0)
    if not state.open or (price - state.edge[side]) * outward(side) > 0:
        return
    _make_room(state, law, moved_by, side, price, now, orders)
    better = (state.best[side] - price) * outward(side) > 0
    log_forgotten(state, side, price, now, orders)
    state.user[state.users - 1, USER_RESTS] = place(state, side, price, size, order_id)
    write(state, now, ADD, order_id, side, price, size, orders)
    if better:
        fill_window(state, law, moved_by, side, now, orders)
        move_on(state, law)
        state.fresh = side + 1


@compiled
def _make_room(state: Any, law: Any, moved_by: Any, side: int, price: int, now: int, orders: Any) -> None:
    """Where a queue is full its newest order of others goes."""
    if state.count[price & (LEVELS - 1)] == QUEUE:
        take_away(state, law, moved_by, side, price, newest(state, price, QUEUE - 1), now, orders)


@compiled
def withdraw(
    state: Any,
    law: Any,
    moved_by: Any,
    now: int,
    order_id: int,
    size: int,
    l2_every_ns: int,
    l1: Any,
    orders: Any,
) -> Any:
    """Take `size` lots of an order away, all of it if there are no more; rows of `l1` and `orders`, or -1 if unknown.

    An order that only became smaller keeps its place in its queue.
    """
    state.logged = 0
    found = find_user(state, order_id)
    if found < 0:
        return -1, 0
    side, price, left = state.user[found, USER_SIDE], state.user[found, USER_PRICE], state.user[found, USER_LEFT]
    rests = state.user[found, USER_RESTS]
    kind = CANCEL if size >= left else MODIFY
    size = min(size, left)
    tell_user(state, now, kind, order_id, side, price, size, 0)
    state.user[found, USER_LEFT] -= size
    if kind == CANCEL:
        forget_user(state, found)
    if rests:
        _take_out(state, law, moved_by, now, order_id, side, price, kind, size, orders)
    if state.open:
        return _tell(state, now, l2_every_ns, l1), state.logged
    return 0, state.logged


@compiled
def _take_out(
    state: Any,
    law: Any,
    moved_by: Any,
    now: int,
    order_id: int,
    side: int,
    price: int,
    kind: int,
    size: int,
    orders: Any,
) -> None:
    at = price & (LEVELS - 1)
    index = 0
    while state.ids[at, index] != order_id:
        index += 1
    write(state, now, kind, order_id, side, price, size, orders)
    if kind == MODIFY:
        shrink(state, price, index, size)
        return
    best = price == state.best[side]
    if best and state.count[at] == 1 and state.best[1] - state.best[0] >= WIDEST:
        add(state, side, price, 1, now, orders)  # the book cannot be wider: somebody steps in
    remove(state, side, price, index)
    if best and state.best[side] != price:
        leave(state, law, moved_by, side, now, orders)
    else:
        fill_window(state, law, moved_by, side, now, orders)


@compiled
def enter_due(
    state: Any,
    law: Any,
    moved_by: Any,
    busy: float,
    impact: float,
    l2_every_ns: int,
    trades: Any,
    l1: Any,
    orders: Any,
) -> Any:
    """The next order that waited for a book and crosses the new one enters it; as `enter`. Without one none is due."""
    for index in range(state.users):
        side, price = state.user[index, USER_SIDE], state.user[index, USER_PRICE]
        if not state.user[index, USER_RESTS] and crosses(state, side, price):
            order_id, left = state.user[index, USER_ID], state.user[index, USER_LEFT]
            forget_user(state, index)
            return enter(
                state,
                law,
                moved_by,
                busy,
                state.due_ns,
                order_id,
                side,
                left,
                price,
                1,
                impact,
                l2_every_ns,
                trades,
                l1,
                orders,
            )
    state.due_ns = 0
    state.logged = 0
    return 0, 0, 0, 0.0


@compiled
def end_orders(state: Any, now: int) -> None:
    """A session is over, and the orders of its day with it."""
    for index in range(state.users):
        row = state.user[index]
        tell_user(state, now, END, row[USER_ID], row[USER_SIDE], row[USER_PRICE], row[USER_LEFT], 0)
    state.users = 0


@compiled
def _tell(state: Any, now: int, l2_every_ns: int, l1: Any) -> int:
    state.events += 1
    state.l2_ns = min(state.l2_ns, -(-now // l2_every_ns) * l2_every_ns)
    told: int = tell_l1(state, now, l1[0])
    return told

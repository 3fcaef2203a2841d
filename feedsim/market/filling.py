"""How the queues of a book are filled: what comes to a price, and how many lots it tends to."""

from __future__ import annotations

from typing import Any

from feedsim.market.book import (
    ADD,
    SHOWN,
    USER_ID,
    USER_LEFT,
    USER_PRICE,
    USER_RESTS,
    USER_SIDE,
    WINDOW,
    first_empty,
    outward,
    place,
)
from feedsim.market.chance import below, uniform
from feedsim.market.compiling import compiled
from feedsim.market.law import CHOICES
from feedsim.market.modulators import DEPTH_ASK, DEPTH_BID
from feedsim.market.telling import log_forgotten, write

FIVE_POINTS, ONE_POINT, OTHER_PRICES = 1.4, 1.25, 0.92
"""Depth at multiples of five points, of one, and where the number is not round."""


@compiled
def fill_window(state: Any, law: Any, moved_by: Any, side: int, now: int, orders: Any) -> None:
    """Give the prices that came into the window of a side their orders, and a side at least what is shown of it."""
    step = outward(side)
    while (state.best[side] + (WINDOW - 1) * step - state.edge[side]) * step > 0:
        state.edge[side] += step
        _fill_price(state, law, moved_by, side, state.edge[side], now, orders)
    while state.levels[side] < SHOWN:
        _fill_price(state, law, moved_by, side, first_empty(state, side), now, orders)


@compiled
def _fill_price(state: Any, law: Any, moved_by: Any, side: int, price: int, now: int, orders: Any) -> None:
    if state.users:
        _return_users(state, side, price, now, orders)
    level = min(abs(price - state.best[side]), WINDOW - 1)
    wanted = law.depth[level] * _roundness(price) * (0.6 + 0.8 * uniform(state.chance))
    wanted = max(1, int(wanted * depth_of(moved_by, side) + 0.5))
    while wanted > 0:
        size = min(wanted, law.order_size[below(state.chance, CHOICES)])
        add(state, side, price, size, now, orders)
        wanted -= size


@compiled
def _return_users(state: Any, side: int, price: int, now: int, orders: Any) -> None:
    """Orders of users that waited for a price stand there before those of others."""
    for index in range(state.users):
        waits = not state.user[index, USER_RESTS] and state.user[index, USER_SIDE] == side
        if waits and state.user[index, USER_PRICE] == price:
            order_id, size = state.user[index, USER_ID], state.user[index, USER_LEFT]
            state.user[index, USER_RESTS] = place(state, side, price, size, order_id)
            write(state, now, ADD, order_id, side, price, size, orders)


@compiled
def add(state: Any, side: int, price: int, size: int, now: int, orders: Any) -> None:
    log_forgotten(state, side, price, now, orders)
    if place(state, side, price, size, state.next_id):
        write(state, now, ADD, state.next_id, side, price, size, orders)
        state.next_id += 1


@compiled
def usual_depth(law: Any, moved_by: Any, side: int, level: int, price: int) -> float:
    """Lots that the queue at a price tends to, so many levels behind the best."""
    depth: float = law.depth[level] * _roundness(price) * depth_of(moved_by, side)
    return depth


@compiled
def depth_of(moved_by: Any, side: int) -> float:
    """How a scenario leans on the depth of a side: a factor."""
    depth: float = moved_by[DEPTH_ASK if side else DEPTH_BID]
    return depth


@compiled
def _roundness(price: int) -> float:
    """People like round numbers: how much deeper a queue is there."""
    if price % 20 == 0:
        return FIVE_POINTS
    return ONE_POINT if price % 4 == 0 else OTHER_PRICES

"""What users are told of their orders: a small table in the market's state, whatever else is told or not."""

from __future__ import annotations

from typing import Any

from feedsim.market.book import FILL, USER_FIELDS, USER_ID, USER_LEFT, USER_PRICE, USER_SIDE, USERS
from feedsim.market.compiling import compiled

USER_ROW_FIELDS = ("ts", "kind", "order_id", "side", "price", "size", "aggressor")
"""`kind` as in the log of orders, or END where the session ended an order; `side` 0 buys, 1 sells."""
END = 4

TOLD = [
    ("told", "i8"),
    ("told_rows", "i8", (4 * USERS, len(USER_ROW_FIELDS))),
]
"""Rows that nobody took yet, and how many."""


@compiled
def find_user(state: Any, order_id: int) -> int:
    """Which of the orders of users it is; -1 if none."""
    for index in range(state.users):
        if state.user[index, USER_ID] == order_id:
            return index
    return -1


@compiled
def forget_user(state: Any, index: int) -> None:
    """An order of a user is over; the others keep their order."""
    state.users -= 1
    for later in range(index, state.users):
        for field in range(len(USER_FIELDS)):
            state.user[later, field] = state.user[later + 1, field]


@compiled
def fill_user(state: Any, order_id: int, size: int, now: int) -> None:
    """A resting order of a user traded."""
    index = find_user(state, order_id)
    tell_user(state, now, FILL, order_id, state.user[index, USER_SIDE], state.user[index, USER_PRICE], size, 0)
    state.user[index, USER_LEFT] -= size
    if state.user[index, USER_LEFT] == 0:
        forget_user(state, index)


@compiled
def tell_user(state: Any, now: int, kind: int, order_id: int, side: int, price: int, size: int, aggressor: int) -> None:
    row = state.told_rows[state.told]
    row[0], row[1], row[2], row[3], row[4], row[5], row[6] = now, kind, order_id, side, price, size, aggressor
    state.told += 1

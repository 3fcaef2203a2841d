"""Order books from market-by-order records: compiled, for any number of orders and prices.

Orders are held in an open hash table by id, the prices of a side in one sorted array whose best is the last, so that
changes near the best move little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.layout import ADD, CANCEL, CLEAR, DEPTH, MODIFY, UNDEF_PRICE
from feedsim.events.columns import Int64
from feedsim.market.compiling import compiled

EMPTY = np.iinfo(np.int64).min  # no venue gives an order this id
ORDER_WIDTH = 4  # id, side (0 bid, 1 ask), price, size
LEVEL_WIDTH = 3  # price as bids count it, lots, orders
FIRST_ROOM = 1024
INPUT_FIELDS = ("action", "side", "price", "size", "order_id")
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: neighbouring ids go far apart


class Book:
    """The orders and levels of one instrument."""

    def __init__(self) -> None:
        self._orders = np.full((FIRST_ROOM, ORDER_WIDTH), EMPTY, np.int64)
        self._levels = np.zeros((2, FIRST_ROOM, LEVEL_WIDTH), np.int64)
        self._counts = np.zeros(3, np.int64)
        """Levels of bids and of asks; orders."""

    def fold(self, rows: Int64, ends: npt.NDArray[np.bool_]) -> Int64:
        """The best DEPTH levels behind each row that ends an event: (rows, side, level, price, lots and orders).

        `rows` are as INPUT_FIELDS; where there is no level its price is undefined.
        """
        self._make_room(len(rows))
        shown = np.empty((int(ends.sum()), 2, DEPTH, LEVEL_WIDTH), np.int64)
        _fold(self._orders, self._levels, self._counts, rows, ends, shown)
        return shown

    def _make_room(self, more: int) -> None:
        """For so many new orders, each at a price of its own."""
        needed = 2 * (int(self._counts[2]) + more)
        if needed > len(self._orders):
            orders = np.full((1 << (needed - 1).bit_length(), ORDER_WIDTH), EMPTY, np.int64)
            _rehash(self._orders, orders)
            self._orders = orders
        needed = int(self._counts[:2].max()) + more
        if needed > self._levels.shape[1]:
            levels = np.zeros((2, 2 * needed, LEVEL_WIDTH), np.int64)
            levels[:, : self._levels.shape[1]] = self._levels
            self._levels = levels

    def save(self) -> tuple[bytes, bytes, bytes]:
        orders = self._orders[self._orders[:, 0] != EMPTY]
        most = int(self._counts[:2].max())
        return orders.tobytes(), self._levels[:, :most].tobytes(), self._counts.tobytes()

    def restore(self, state: tuple[bytes, bytes, bytes]) -> None:
        orders, levels, counts = (np.frombuffer(part, np.int64) for part in state)
        self._counts = counts.copy()
        self._orders = np.full((FIRST_ROOM, ORDER_WIDTH), EMPTY, np.int64)
        self._levels = np.zeros((2, FIRST_ROOM, LEVEL_WIDTH), np.int64)
        orders, levels = orders.reshape(-1, ORDER_WIDTH), levels.reshape(2, -1, LEVEL_WIDTH)
        needed = max(FIRST_ROOM, 1 << (2 * len(orders)).bit_length())
        self._orders = np.full((needed, ORDER_WIDTH), EMPTY, np.int64)
        _rehash(orders, self._orders)
        self._levels = np.zeros((2, max(FIRST_ROOM, 2 * levels.shape[1]), LEVEL_WIDTH), np.int64)
        self._levels[:, : levels.shape[1]] = levels


@compiled
def _slot(orders: Any, order_id: int) -> Any:
    """Where an order is, or would be."""
    mask = np.uint64(len(orders) - 1)
    at = (np.uint64(order_id) * np.uint64(_SPREAD)) >> np.uint64(20) & mask
    while orders[at, 0] != EMPTY and orders[at, 0] != order_id:
        at = (at + np.uint64(1)) & mask
    return np.int64(at)


@compiled
def _rehash(old: Any, new: Any) -> None:
    for at in range(len(old)):
        if old[at, 0] != EMPTY:
            _copy(old, at, new, _slot(new, old[at, 0]))


@compiled
def _copy(source: Any, at: int, target: Any, to: int) -> None:
    for field in range(target.shape[1]):
        target[to, field] = source[at, field]


@compiled
def _drop(orders: Any, at: int) -> None:
    """Take an order out; those that it had displaced move up."""
    mask = len(orders) - 1
    orders[at, 0] = EMPTY
    after = (at + 1) & mask
    while orders[after, 0] != EMPTY:
        order_id = orders[after, 0]
        orders[after, 0] = EMPTY
        to = _slot(orders, order_id)
        _copy(orders, after, orders, to)
        orders[to, 0] = order_id
        after = (after + 1) & mask


@compiled
def _change(levels: Any, count: int, price: int, lots: int, orders: int) -> int:
    """Add lots and orders at a price of a side; how many levels it has then."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if levels[middle, 0] < price:
            low = middle + 1
        else:
            high = middle
    if low == count or levels[low, 0] != price:
        for at in range(count, low, -1):
            _copy(levels, at - 1, levels, at)
        levels[low, 0], levels[low, 1], levels[low, 2] = price, 0, 0
        count += 1
    levels[low, 1] += lots
    levels[low, 2] += orders
    if levels[low, 2] <= 0:
        for at in range(low, count - 1):
            _copy(levels, at + 1, levels, at)
        count -= 1
    return count


@compiled
def _fold(orders: Any, levels: Any, counts: Any, rows: Any, ends: Any, shown: Any) -> None:
    told = 0
    for index in range(len(rows)):
        action, side, price, size, order_id = rows[index]
        if action == CLEAR:
            orders[:, 0] = EMPTY
            counts[:] = 0
        elif action in (ADD, CANCEL, MODIFY):
            at = _slot(orders, order_id)
            known = orders[at, 0] == order_id
            if action == CANCEL:
                if known:
                    _take_away(orders, levels, counts, at, size)
            else:
                if known:
                    _take_away(orders, levels, counts, at, orders[at, 3])
                    at = _slot(orders, order_id)
                if size > 0 and side >= 0:
                    orders[at, 0], orders[at, 1], orders[at, 2], orders[at, 3] = order_id, side, price, size
                    key = price if side == 0 else -price
                    counts[side] = _change(levels[side], counts[side], key, size, 1)
                    counts[2] += 1
        if ends[index]:
            _show(levels, counts, shown[told])
            told += 1


@compiled
def _take_away(orders: Any, levels: Any, counts: Any, at: int, size: int) -> None:
    """So many lots of an order go, and with the last of them the order."""
    side, price = orders[at, 1], orders[at, 2]
    key = price if side == 0 else -price
    if size >= orders[at, 3]:
        counts[side] = _change(levels[side], counts[side], key, -orders[at, 3], -1)
        counts[2] -= 1
        _drop(orders, at)
    else:
        counts[side] = _change(levels[side], counts[side], key, -size, 0)
        orders[at, 3] -= size


@compiled
def _show(levels: Any, counts: Any, shown: Any) -> None:
    for side in range(2):
        count = counts[side]
        for level in range(DEPTH):
            at = count - 1 - level
            if at >= 0:
                shown[side, level, 0] = levels[side, at, 0] if side == 0 else -levels[side, at, 0]
                shown[side, level, 1], shown[side, level, 2] = levels[side, at, 1], levels[side, at, 2]
            else:
                shown[side, level, 0], shown[side, level, 1], shown[side, level, 2] = UNDEF_PRICE, 0, 0

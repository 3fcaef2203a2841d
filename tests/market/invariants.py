"""What holds of everything that a market tells, in every scenario, without any tolerance; checks for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.book import ADD, CANCEL, FILL, MODIFY, SHOWN
from feedsim.market.happening import MOST_PRINTS
from feedsim.market.telling import L1_FIELDS
from tests.market.runs import L2_EVERY_NS, Rows, Told

LAST = [L1_FIELDS.index("last_price"), L1_FIELDS.index("last_size")]
SIDES = ((1, 3), (2, 4))  # price and size of bid and ask in an L1 row


def check_all(told: Told, start_ns: int, end_ns: int) -> None:
    """Every check of this module; `told` was run from an opening at `start_ns` on, with a log."""
    check_times(told, start_ns, end_ns)
    check_quotes(told)
    check_books(told, L2_EVERY_NS)
    check_prints(told)
    check_trade_ids(told)
    Replay().check(told)


def check_times(told: Told, start_ns: int, end_ns: int) -> None:
    """Times rise: strictly in L1 and L2, while the prints of one order, and its rows in the log, have one time."""
    for rows in told:
        assert (rows[:, 0] >= start_ns).all()
        assert (rows[:, 0] < end_ns).all()
        assert (np.diff(rows[:, 0]) >= 0).all()
    for rows in (told.l1, told.l2):
        assert (np.diff(rows[:, 0]) > 0).all()


def check_quotes(told: Told) -> None:
    """Bid below ask, lots at both, told only where something changed; the last trade is the newest, none at first."""
    l1 = told.l1
    assert (l1[:, 1] < l1[:, 2]).all()
    assert (l1[:, 3:5] >= 1).all()
    assert (np.diff(l1[:, 1:], axis=0) != 0).any(axis=1).all()
    newest = np.searchsorted(told.trades[:, 0], l1[:, 0], side="right") - 1
    assert (l1[newest < 0][:, LAST] == 0).all()
    assert (l1[newest >= 0][:, LAST] == told.trades[newest[newest >= 0], 1:3]).all()


def check_books(told: Told, every_ns: int) -> None:
    """Ten levels a side, strictly sorted, lots and orders at each; the top is the L1 that holds; on its grid."""
    l2 = told.l2
    sides = l2[:, 1:].reshape(len(l2), 2, 3, SHOWN)
    px, sz, ct = sides[:, :, 0], sides[:, :, 1], sides[:, :, 2]
    assert (np.diff(px[:, 0]) < 0).all()
    assert (np.diff(px[:, 1]) > 0).all()
    assert (px[:, 0, 0] < px[:, 1, 0]).all()
    assert (ct >= 1).all()
    assert (sz >= ct).all()
    top = in_force(told.l1, l2[:, 0])
    assert (np.stack([px[:, 0, 0], px[:, 1, 0], sz[:, 0, 0], sz[:, 1, 0]], axis=1) == top[:, 1:5]).all()
    assert (np.diff(l2[:, 1:], axis=0) != 0).any(axis=1).all()
    off_grid = l2[l2[:, 0] % every_ns != 0, 0]
    assert len(off_grid) <= 1 + len(openings(told)), "only the book that opens is told off the grid"


def check_prints(told: Told) -> None:
    """An order's first print is at the touch that was told last before it, for no more than was there; then outward.

    The L1 at its time has the queue less the print, where one price was enough and nothing was hidden there.
    """
    trades = told.trades
    assert set(trades[:, 3].tolist()) <= {1, -1}
    assert (trades[:, 2] >= 1).all()
    first = np.diff(trades[:, 0], prepend=0) > 0
    bought = trades[:, 3] == 1
    before = before_them(told.l1, trades[:, 0])
    touch = np.where(bought, before[:, 2], before[:, 1])
    there = np.where(bought, before[:, 4], before[:, 3])
    assert (trades[first, 1] == touch[first]).all()
    assert (trades[first, 2] <= there[first]).all()
    assert (trades[~first, 3] == trades[np.flatnonzero(~first) - 1, 3]).all(), "one order has one side"
    steps = (np.diff(trades[:, 1], prepend=0) * trades[:, 3])[~first]
    assert (steps >= 0).all(), "an order goes outward"
    counts = np.diff(np.flatnonzero(np.append(first, True)))
    assert (counts <= MOST_PRINTS).all()
    _check_queues_after(told, np.flatnonzero(first)[counts == 1], touch, there)


def _check_queues_after(told: Told, single: Any, touch: Rows, there: Rows) -> None:
    """What a hidden order renews at once may leave the L1 as it was, so that none is told."""
    after = in_force(told.l1, told.trades[single, 0])
    for side, (price, size) in ((1, SIDES[1]), (-1, SIDES[0])):
        mine = told.trades[single, 3] == side
        left = (there - told.trades[:, 2])[single]
        rest, gone = mine & (left > 0), mine & (left == 0)
        assert (after[rest, price] == touch[single][rest]).all()
        assert (after[rest, size] >= left[rest]).all()
        assert ((after[gone, price] - touch[single][gone]) * side >= 0).all()


def check_trade_ids(told: Told) -> None:
    """From 1, without a gap."""
    assert told.trades[:, 4].tolist() == list(range(1, len(told.trades) + 1))


def before_them(l1: Rows, times: npt.NDArray[np.int64]) -> Rows:
    """The L1 that was told last before each time."""
    return l1[np.searchsorted(l1[:, 0], times, side="left") - 1]


def in_force(l1: Rows, times: npt.NDArray[np.int64]) -> Rows:
    """The L1 that holds from each time on."""
    return l1[np.searchsorted(l1[:, 0], times, side="right") - 1]


def openings(told: Told) -> list[int]:
    """Times at which a book was filled anew after the first, by the log: all that was there went at once."""
    there: dict[int, int] = {}
    found: list[int] = []
    for row in told.orders.tolist():
        ns, kind, order_id, _, _, size = row
        if kind == ADD:
            there[order_id] = size
        elif kind == CANCEL or there[order_id] == size:
            del there[order_id]
        else:
            there[order_id] -= size
        if not there and found[-1:] != [ns]:
            found.append(ns)
    return found


class Replay:
    """A book of plain dicts that the log of orders builds: sizes by id, in the order in which they came, by price."""

    def __init__(self) -> None:
        self.queues: tuple[dict[int, dict[int, int]], dict[int, dict[int, int]]] = ({}, {})
        self.lots: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.last_id = 0
        self.fills: dict[tuple[int, int, int], int] = {}

    def check(self, told: Told) -> None:
        """Every L1 and L2 row is the book of the log at its time, and every print is the sum of its fills."""
        at, orders = 0, told.orders.tolist()
        rows = [(row[0], 0, row) for row in told.l1.tolist()] + [(row[0], 1, row) for row in told.l2.tolist()]
        for ns, is_l2, row in sorted(rows):
            while at < len(orders) and orders[at][0] <= ns:
                self.apply(*orders[at])
                at += 1
            if is_l2:
                assert row[1:] == [*self.levels(0), *self.levels(1)]
            else:
                assert row[1:5] == self.top()
        for order in orders[at:]:
            self.apply(*order)
        prints: dict[tuple[int, int, int], int] = {}
        for ns, price, size, side, _ in told.trades.tolist():
            key = (ns, price, int(side == 1))
            prints[key] = prints.get(key, 0) + size
        assert self.fills == prints

    def apply(self, ns: int, kind: int, order_id: int, side: int, price: int, size: int) -> None:
        """One row of the log."""
        assert size >= 1
        queues, lots = self.queues[side], self.lots[side]
        if kind == ADD:
            assert order_id > self.last_id, "an id is used once"
            assert not self.lots[1 - side] or (price - self.best(1 - side)) * (2 * side - 1) > 0, "no order crosses"
            self.last_id = order_id
            queues.setdefault(price, {})[order_id] = size
            lots[price] = lots.get(price, 0) + size
            return
        queue = queues[price]
        if kind == FILL:
            assert price == self.best(side), "trades are at the best price"
            assert order_id == next(iter(queue)), "first come, first served"
            self.fills[ns, price, side] = self.fills.get((ns, price, side), 0) + size
        left = queue[order_id] - size
        lots[price] -= size
        assert left > 0 if kind == MODIFY else left == 0 if kind == CANCEL else left >= 0
        if left:
            queue[order_id] = left
        else:
            del queue[order_id]
        if not queue:
            del queues[price], lots[price]

    def best(self, side: int) -> int:
        return min(self.lots[1]) if side else max(self.lots[0])

    def top(self) -> list[int]:
        bid, ask = self.best(0), self.best(1)
        return [bid, ask, self.lots[0][bid], self.lots[1][ask]]

    def levels(self, side: int) -> list[int]:
        """Prices, lots and orders of the levels shown of a side."""
        prices = sorted(self.lots[side], reverse=side == 0)[:SHOWN]
        lots, queues = self.lots[side], self.queues[side]
        return [*prices, *(lots[price] for price in prices), *(len(queues[price]) for price in prices)]

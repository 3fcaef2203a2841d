"""The book behind the best prices, and the orders that make it."""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import (
    ADD,
    CANCEL,
    FILL,
    LEVELS,
    Books,
    Float64,
    Int64,
    Mask,
    Orders,
    Session,
    levels_off,
)
from feedsim.lab.realism.sums import LEAST, Mean

LIFE_BINS = 240  # of a twentieth of a decade, from 1 ns on


class Depth:
    """Time means of ten levels."""

    def __init__(self) -> None:
        self._lots = np.zeros(LEVELS)
        self._empty = Mean()
        self._rows = 0

    def add(self, books: Books, end_ns: int) -> None:
        held = np.diff(books.ts, append=max(end_ns, int(books.ts[-1]))).astype(np.float64)
        self._rows += len(books)
        self._lots += held @ books.bid_sz + held @ books.ask_sz
        for prices in (books.bid_px, books.ask_px):
            span = np.abs(prices[:, -1] - prices[:, 0]) + 1
            self._empty.add(1 - LEVELS / span, held)

    def profile(self) -> Float64:
        """Mean lots of each level relative to the best; NaN with too few books."""
        enough = self._rows >= LEAST and self._lots[0] > 0
        return self._lots / self._lots[0] if enough else np.full(LEVELS, np.nan)

    def values(self) -> dict[str, float]:
        profile = self.profile().tolist()
        return {
            "L2_L1": profile[1],
            "L5_L1": profile[4],
            "L10_L1": profile[9],
            "gap_top10": self._empty.mean,
        }


class Placement:
    """Limit orders and cancellations.

    Orders of one kind that come at one time are no decisions one by one but a level that comes into the window of the
    log, or leaves it; they are not counted, nor is what was there at the start.
    """

    def __init__(self) -> None:
        self._best = {ADD: Mean(), CANCEL: Mean()}
        self._size, self._single = Mean(), Mean()
        self._lives: list[Int64] = []

    def add(self, session: Session) -> None:
        orders, quotes = session.orders, session.quotes
        assert orders is not None
        assert quotes is not None
        off = levels_off(orders, quotes)
        for kind, at_best in self._best.items():
            alone = _alone(orders, kind, session.start_ns)
            # An order inside the spread is not at the best price: it makes a new one.
            at_best.add(off[alone] == 0)
            if kind == ADD:
                self._size.add(orders.size[alone])
                self._single.add(orders.size[alone] == 1)
                self._lives.append(lives(orders, alone))

    def life_median_s(self) -> float:
        found = np.concatenate(self._lives) if self._lives else np.empty(0)
        return float(np.median(found)) / NS_PER_S if len(found) >= LEAST else np.nan

    def values(self) -> dict[str, float]:
        added, cancelled = self._best[ADD], self._best[CANCEL]
        return {
            "lo_cx_ratio": added.count / cancelled.count if cancelled.count >= LEAST else np.nan,
            "lo_at_best": added.mean,
            "cx_at_best": cancelled.mean,
            "lo_size_mean": self._size.mean,
            "lo_p1": self._single.mean,
            "life_median_s": self.life_median_s(),
        }


def _alone(orders: Orders, kind: int, start_ns: int) -> Mask:
    """Rows of a kind that are the only ones of it at their time."""
    rows = np.flatnonzero(orders.kind == kind)
    times = orders.ts[rows]
    equal = np.concatenate(((False,), np.diff(times) == 0, (False,)))
    alone = np.zeros(len(orders), np.bool_)
    alone[rows[~(equal[1:] | equal[:-1]) & (times > start_ns)]] = True
    return alone


def lives(orders: Orders, added: Mask) -> Int64:
    """ns from coming to going of the orders that these rows added and that are gone at the end."""
    first = np.flatnonzero(added)
    by_id = first[np.argsort(orders.order_id[first], kind="stable")]
    ids = orders.order_id[by_id]
    left = orders.size[by_id].copy()
    gone_ns = np.zeros(len(ids), np.int64)
    taken = np.flatnonzero((orders.kind != ADD) & (orders.kind <= FILL))
    if not len(ids) or not len(taken):
        return np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(ids, orders.order_id[taken]), len(ids) - 1)
    mine = ids[place] == orders.order_id[taken]
    np.subtract.at(left, place[mine], orders.size[taken[mine]])
    np.maximum.at(gone_ns, place[mine], orders.ts[taken[mine]])
    over = left <= 0
    return gone_ns[over] - orders.ts[by_id[over]]

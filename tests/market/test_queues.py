"""The book in one record against a book of plain lists."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from feedsim.market.flow import STATE
from feedsim.market.queues import (
    LEVELS,
    QUEUE,
    REACH,
    WIDEST,
    cancel,
    find_order,
    first_empty,
    outward,
    place,
    take,
)

SIZES = st.integers(1, 9)


class Books(RuleBasedStateMachine):
    """Two books that get the same orders: the record, and lists of sizes by price for each side."""

    def __init__(self) -> None:
        super().__init__()
        self.record: Any = np.zeros(1, STATE).view(np.recarray)[0]
        self.lists: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})

    def best(self, side: int) -> int:
        return min(self.lists[1]) if side else max(self.lists[0])

    def order(self, side: int, price: int, size: int) -> None:
        place(self.record, side, price, size)
        queue = self.lists[side].setdefault(price, [])
        if len(queue) < QUEUE:
            queue.append(size)
        best = self.best(side)
        for far in [far for far in self.lists[side] if abs(far - best) >= REACH]:
            del self.lists[side][far]

    @initialize(bid=st.integers(LEVELS, 10 * LEVELS), depth=st.integers(2, REACH))
    def new(self, bid: int, depth: int) -> None:
        for side in range(2):
            self.record.best[side] = bid + side
            for ticks in range(depth):
                self.order(side, bid + side + ticks * outward(side), 3)

    @rule(side=st.integers(0, 1), ticks=st.integers(1, WIDEST), size=SIZES, times=st.sampled_from([1, 1, 1, QUEUE]))
    def limit_order(self, side: int, ticks: int, size: int, times: int) -> None:
        for _ in range(times):
            self.order(side, self.best(1 - side) + ticks * outward(side), size)

    @precondition(lambda self: self.best(1) - self.best(0) < WIDEST)
    @rule(side=st.integers(0, 1), size=st.integers(1, 40))
    def market_order(self, side: int, size: int) -> None:
        if len(self.lists[side]) < 2:
            return
        price = self.best(side)
        queue = self.lists[side][price]
        expected = left = min(size, sum(queue))
        while left:
            eaten = min(left, queue[0])
            left -= eaten
            queue[0] -= eaten
            if queue[0] == 0:
                queue.pop(0)
        assert take(self.record, side, size) == expected
        self.drop_empty(side, price)

    @precondition(lambda self: self.best(1) - self.best(0) < WIDEST)
    @rule(side=st.integers(0, 1), data=st.data())
    def cancellation(self, side: int, data: st.DataObject) -> None:
        if len(self.lists[side]) < 2:
            return
        price = data.draw(st.sampled_from(sorted(self.lists[side])))
        index = data.draw(st.integers(0, len(self.lists[side][price]) - 1))
        cancel(self.record, side, price, index)
        self.lists[side][price].pop(index)
        self.drop_empty(side, price)

    def drop_empty(self, side: int, price: int) -> None:
        if not self.lists[side][price]:
            del self.lists[side][price]

    @rule(side=st.integers(0, 1), data=st.data())
    def find(self, side: int, data: st.DataObject) -> None:
        outwards = sorted(self.lists[side], reverse=side == 0)[1:]
        orders = [(price, index) for price in outwards for index in range(len(self.lists[side][price]))]
        if orders:
            index = data.draw(st.integers(0, len(orders) - 1))
            assert find_order(self.record, side, index) == orders[index]

    @invariant()
    def same_books(self) -> None:
        if not self.lists[0]:
            return
        found: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
        for side in range(2):
            assert self.record.best[side] == self.best(side)
            assert self.record.levels[side] == len(self.lists[side])
            assert self.record.orders[side] == sum(map(len, self.lists[side].values()))
            for ticks in range(REACH):
                price = self.best(side) + ticks * outward(side)
                at = price & (LEVELS - 1)
                if self.record.count[at]:
                    found[side][price] = self.record.sizes[at, : self.record.count[at]].tolist()
                    assert self.record.volume[at] == sum(found[side][price])
        assert found == self.lists
        assert np.count_nonzero(self.record.count) == sum(map(len, self.lists))

    @invariant()
    def nearest_hole(self) -> None:
        for side in range(2):
            if self.lists[side] and len(self.lists[side]) < REACH:
                prices = (self.best(side) + ticks * outward(side) for ticks in range(REACH + 1))
                assert first_empty(self.record, side) == next(
                    price for price in prices if price not in self.lists[side]
                )


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBooks = Books.TestCase

"""The book in one record against a book of plain lists."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from feedsim.market.book import (
    LEVELS,
    QUEUE,
    REACH,
    WIDEST,
    clear,
    drop_filled,
    eat,
    first_empty,
    lots,
    outward,
    place,
    remove,
    shrink,
)
from feedsim.market.kernel import STATE

SIZES = st.integers(1, 9)
Queues = dict[int, list[list[int]]]  # by price: [id, size] of each order


class Books(RuleBasedStateMachine):
    """Two books that get the same orders: the record, and lists by price for each side."""

    def __init__(self) -> None:
        super().__init__()
        self.record: Any = np.zeros(1, STATE).view(np.recarray)[0]
        self.lists: tuple[Queues, Queues] = ({}, {})
        self.next_id = 1

    def best(self, side: int) -> int:
        return min(self.lists[1]) if side else max(self.lists[0])

    def order(self, side: int, price: int, size: int) -> None:
        far = self.lists[side] and (price - self.best(side)) * outward(side) >= REACH
        full = len(self.lists[side].get(price, ())) == QUEUE
        assert place(self.record, side, price, size, self.next_id) is not (far or full)
        if not far and not full:
            self.lists[side].setdefault(price, []).append([self.next_id, size])
        self.next_id += 1
        best = self.best(side)
        for gone in [gone for gone in self.lists[side] if abs(gone - best) >= REACH]:
            del self.lists[side][gone]

    @initialize(bid=st.integers(LEVELS, 10 * LEVELS), depth=st.integers(2, REACH))
    def new(self, bid: int, depth: int) -> None:
        clear(self.record, bid)
        for side in range(2):
            for ticks in range(depth):
                self.order(side, bid + side + ticks * outward(side), 3)

    @rule(side=st.integers(0, 1), ticks=st.integers(1, WIDEST), size=SIZES, times=st.sampled_from([1, 1, 1, QUEUE]))
    def limit_order(self, side: int, ticks: int, size: int, times: int) -> None:
        """At any price that does not cross, so also inside the spread, where others go out of reach."""
        for _ in range(times):
            self.order(side, self.best(1 - side) + ticks * outward(side), size)

    @rule(side=st.integers(0, 1), size=st.integers(1, 40))
    def trade(self, side: int, size: int) -> None:
        """First come, first served; what was filled whole can be told before the queue closes up."""
        price = self.best(side)
        queue = self.lists[side][price]
        size = min(size, sum(lots for _, lots in queue))
        if not self.may_empty(side, price, size):
            return
        left, gone = size, []
        while left and left >= queue[0][1]:
            gone.append(queue.pop(0))
            left -= gone[-1][1]
        if left:
            queue[0][1] -= left
        at = price & (LEVELS - 1)
        done = eat(self.record, side, size)
        assert self.record.ids[at, :done].tolist() == [order_id for order_id, _ in gone]
        assert self.record.sizes[at, 1:done].tolist() == [lots for _, lots in gone[1:]]
        drop_filled(self.record, side, done)
        self.drop_empty(side, price)

    @rule(side=st.integers(0, 1), data=st.data())
    def cancellation(self, side: int, data: st.DataObject) -> None:
        price, index = self.some_order(side, data)
        if not self.may_empty(side, price, self.lists[side][price][index][1]):
            return
        remove(self.record, side, price, index)
        self.lists[side][price].pop(index)
        self.drop_empty(side, price)

    @rule(side=st.integers(0, 1), data=st.data())
    def smaller(self, side: int, data: st.DataObject) -> None:
        price, index = self.some_order(side, data)
        order = self.lists[side][price][index]
        if order[1] > 1:
            less = data.draw(st.integers(1, order[1] - 1))
            shrink(self.record, price, index, less)
            order[1] -= less

    def some_order(self, side: int, data: st.DataObject) -> tuple[int, int]:
        price = data.draw(st.sampled_from(sorted(self.lists[side])))
        return price, data.draw(st.integers(0, len(self.lists[side][price]) - 1))

    def may_empty(self, side: int, price: int, size: int) -> bool:
        """The kernel keeps a level on each side, and the spread within WIDEST when it empties the best."""
        if size < sum(lots for _, lots in self.lists[side][price]):
            return True
        return len(self.lists[side]) > 1 and self.best(1) - self.best(0) < WIDEST

    def drop_empty(self, side: int, price: int) -> None:
        if not self.lists[side][price]:
            del self.lists[side][price]

    @rule(bid=st.integers(LEVELS, 10 * LEVELS))
    def new_book(self, bid: int) -> None:
        """All is gone at once."""
        for queues in self.lists:
            queues.clear()
        self.new(bid, 3)

    @invariant()
    def same_books(self) -> None:
        if not self.lists[0]:
            return
        found: tuple[Queues, Queues] = ({}, {})
        for side in range(2):
            assert self.record.best[side] == self.best(side)
            assert self.record.levels[side] == len(self.lists[side])
            assert (self.record.edge[side] - self.best(side)) * outward(side) < REACH
            for ticks in range(REACH):
                price = self.best(side) + ticks * outward(side)
                at = price & (LEVELS - 1)
                count = self.record.count[at]
                if count:
                    orders = zip(self.record.ids[at, :count], self.record.sizes[at, :count], strict=True)
                    found[side][price] = [[int(order_id), int(size)] for order_id, size in orders]
                    assert lots(self.record, price) == sum(size for _, size in found[side][price])
        assert found == self.lists
        assert np.count_nonzero(self.record.count) == sum(map(len, self.lists))

    @invariant()
    def nothing_lies_beyond_the_edge(self) -> None:
        """What the edge promises: a price that comes into the window is empty."""
        for side, queues in enumerate(self.lists):
            assert all((self.record.edge[side] - price) * outward(side) >= 0 for price in queues)

    @precondition(lambda self: self.lists[0])
    @invariant()
    def nearest_hole(self) -> None:
        for side in range(2):
            prices = (self.best(side) + ticks * outward(side) for ticks in range(REACH + 1))
            hole = next(price for price in prices if price not in self.lists[side])
            if abs(hole - self.best(side)) < REACH:
                assert first_empty(self.record, side) == hole


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBooks = Books.TestCase

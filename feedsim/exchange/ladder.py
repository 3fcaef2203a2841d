"""The levels of one symbol at which somebody has an order or has taken lots: who is ahead, and what is used up.

An order's `ahead` are the lots of others that trade before it. What an account has taken of a level is gone for it
until the level is: a level that shrinks loses the lots that were not taken first, what it grows by is new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from feedsim.exchange.book import BID, is_better
from feedsim.exchange.order import Order

Share = Callable[[Order], float]
"""A number in [0, 1) for an order, anew at every event."""


@dataclass(slots=True, eq=False)
class Resting:
    """An order in a queue."""

    order: Order
    ahead: int
    sure: bool
    """Whether `ahead` was read off a level that was just told; if not, it is once the level is told again."""


@dataclass(slots=True, eq=False)
class Watched:
    """A level that somebody has to do with; `shown` is what others have there."""

    price: int
    shown: int
    queue: list[Resting] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        return not self.queue and not self.taken

    def tell(self, size: int, share: Share | None, *, last: bool) -> None:
        """The level is told with `size` lots.

        Without `share` cancelled lots were behind every order, with it ahead of one with the chance ahead / shown.
        `last`: whoever comes later is put before.
        """
        cancelled = max(self.shown - size, 0)
        for resting in self.queue:
            if last or not resting.sure:
                resting.ahead, resting.sure = max(resting.ahead, size), True
            elif cancelled and share is not None and share(resting.order) * self.shown < resting.ahead:
                resting.ahead -= min(cancelled, resting.ahead)
            resting.ahead = min(resting.ahead, size)
        self._show(size)

    def shrink(self, size: int) -> None:
        """So many lots of others traded."""
        self._show(max(self.shown - size, 0))

    def _show(self, size: int) -> None:
        self.shown = size
        if self.taken:
            self.taken = {account: min(used, size) for account, used in self.taken.items() if size}


class Ladder:
    """Both sides' watched levels."""

    __slots__ = ("best", "first", "sides")

    def __init__(self) -> None:
        self.sides: tuple[dict[int, Watched], dict[int, Watched]] = ({}, {})
        self.best: list[int | None] = [None, None]
        """The best price of each side at which an order rests."""
        self.first: list[int | None] = [None, None]
        """The best price of each side that is watched: what happens behind it need not be looked at."""

    def __bool__(self) -> bool:
        return bool(self.sides[0] or self.sides[1])

    def level(self, side: int, price: int, shown: int) -> Watched:
        """The level of a price, watched from now on if it was not."""
        levels = self.sides[side]
        if price not in levels:
            levels[price] = Watched(price, shown)
            self.first[side] = _better_of(side, price, self.first[side])
        return levels[price]

    def queues(self, side: int) -> list[Watched]:
        """The levels at which orders rest, best first."""
        levels = [level for level in self.sides[side].values() if level.queue]
        return sorted(levels, key=lambda level: level.price, reverse=side == BID)

    def add(self, level: Watched, resting: Resting) -> None:
        level.queue.append(resting)
        side = resting.order.own
        self.best[side] = _better_of(side, level.price, self.best[side])

    def remove(self, order: Order) -> None:
        """An order that rests, or does not, is gone."""
        assert order.price is not None
        level = self.sides[order.own].get(order.price)
        if level is not None:
            level.queue = [resting for resting in level.queue if resting.order is not order]
            self._drop_idle(order.own)
            self._find_best(order.own)

    def tell(self, side: int, sizes: Callable[[int], int | None], share: Share | None, *, last: bool) -> None:
        """`sizes` has the lots that are now shown at a price, None where nothing is told of it."""
        for level in self.sides[side].values():
            size = sizes(level.price)
            if size is not None:
                level.tell(size, share, last=last)
        self._drop_idle(side)

    def trade(self, side: int, price: int, size: int) -> None:
        """Others' lots at a price traded, and all that were before it."""
        first = self.first[side]
        if first is None or is_better(side, price, first):
            return
        for level in self.sides[side].values():
            if level.price == price:
                level.shrink(size)
            elif is_better(side, level.price, price):
                level.shrink(level.shown)
        self._drop_idle(side)

    def _drop_idle(self, side: int) -> None:
        levels = self.sides[side]
        idle = [price for price, level in levels.items() if level.idle]
        for price in idle:
            del levels[price]
        if idle:
            self._find_first(side)

    def _find_first(self, side: int) -> None:
        self.first[side] = _best_of(side, self.sides[side])

    def _find_best(self, side: int) -> None:
        self.best[side] = _best_of(side, [level.price for level in self.sides[side].values() if level.queue])


def _better_of(side: int, price: int, other: int | None) -> int:
    return price if other is None or is_better(side, price, other) else other


def _best_of(side: int, prices: Collection[int]) -> int | None:
    if not prices:
        return None
    return max(prices) if side == BID else min(prices)

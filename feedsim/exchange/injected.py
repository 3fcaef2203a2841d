"""Matching in the market itself: an order enters the book of the source, takes from it, waits in its queues, moves it.

The market is reached through `Market`, which takes an order at a session time that is not told yet and makes what
follows anew. What it does to resting orders is known ahead; here it happens when the tape has come so far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from feedsim.exchange.book import Book
from feedsim.exchange.matching import Fill
from feedsim.exchange.order import Moment, Order


class Happened(NamedTuple):
    """Something that happened to a resting order: a fill of some lots or, with 0 lots, its end with the session."""

    number: int
    price: int
    lots: int


class Market(Protocol):
    """A source that is a market. Orders are known by their number; prices in ticks, `side` 1 buys and -1 sells."""

    def enter(
        self, ns: int, symbol: str, number: int, side: int, lots: int, price: int | None, *, rests: bool
    ) -> list[tuple[int, int]] | None:
        """Prices and lots that it got at once; None where the market takes no order now."""
        ...

    def cancel(self, ns: int, symbol: str, number: int) -> None:
        """Take an order out; nothing happens where there is none (any more)."""
        ...

    def reduce(self, ns: int, symbol: str, number: int, lots: int) -> None:
        """Take so many lots of an order away."""
        ...

    def happened(self, symbol: str, ns: int) -> list[Happened]:
        """What happened to resting orders until `ns`, in order, each once."""
        ...

    def clear(self) -> None:
        """A new epoch begins: nobody has an order."""
        ...


class InjectedMatching:
    """`Matching` in a `Market`."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._ns = 0
        self._late: list[Fill] = []
        """What orders got on the way into their queues."""
        self._resting: defaultdict[str, dict[int, Order]] = defaultdict(dict)
        self._outside: defaultdict[str, dict[int, Order]] = defaultdict(dict)
        """Orders that wait until the market takes them: it was closed, or had no lots for a market order."""

    def at(self, moment: Moment) -> Sequence[Fill]:
        self._ns = moment.ns
        fills, self._late = self._late, []
        for symbol, resting in self._resting.items():
            for number, price, lots in self._market.happened(symbol, moment.ns) if resting else ():
                order = resting.get(number)
                if order is not None and lots:
                    fills.append(Fill(order, price, lots, maker=True))
                elif order is not None:
                    self._outside[symbol][number] = resting.pop(number)
        return fills

    def offered(self, order: Order, book: Book) -> int:
        offered = sum(size for price, size in book.levels(order.other) if order.takes(price))
        return min(offered, order.left)

    def enter(self, order: Order, book: Book) -> list[Fill]:  # noqa: ARG002 # a matching's signature
        taken = self._enter(order, order.left, rests=False) or []
        return [Fill(order, price, lots, maker=False) for price, lots in taken]

    def rest(self, order: Order, book: Book) -> None:  # noqa: ARG002 # a matching's signature
        self._rest(order, order.left)

    def cancel(self, order: Order) -> None:
        self._outside[order.symbol].pop(order.number, None)
        if self._resting[order.symbol].pop(order.number, None) is not None and order.left:
            self._market.cancel(self._ns, order.symbol, order.number)

    def reduce(self, order: Order, lots: int) -> None:
        if order.number in self._resting[order.symbol]:
            self._market.reduce(self._ns, order.symbol, order.number, lots)

    def on_trade(self, book: Book, price: int, size: int, side: int) -> list[Fill]:  # noqa: ARG002 # a matching's signature
        """What the market did is told by `at`."""
        return []

    def on_quote(self, book: Book, told: int, seq: int) -> list[Fill]:  # noqa: ARG002 # a matching's signature
        """Orders that wait outside try again."""
        waiting, fills = self._outside[book.symbol], []
        for order in list(waiting.values()) if book.phase == "open" else ():
            del waiting[order.number]
            taken = self.enter(order, book)
            fills += taken
            left = order.left - sum(fill.lots for fill in taken)
            if left:
                self._rest(order, left)
        return fills

    def watches(self, symbol: str) -> bool:
        return bool(self._resting[symbol]) or bool(self._outside[symbol])

    def clear(self) -> None:
        self._resting.clear()
        self._outside.clear()
        self._market.clear()

    def _rest(self, order: Order, lots: int) -> None:
        """Into its queue; a market order, and one that the market does not take now, waits outside."""
        taken = self._enter(order, lots, rests=True) if order.price is not None else None
        (self._outside if taken is None else self._resting)[order.symbol][order.number] = order
        self._late += [Fill(order, price, lots, maker=False) for price, lots in taken or ()]

    def _enter(self, order: Order, lots: int, *, rests: bool) -> list[tuple[int, int]] | None:
        return self._market.enter(self._ns, order.symbol, order.number, order.side, lots, order.price, rests=rests)

"""One symbol's market as far as the tape has told it: best prices, levels, last trade, phase. Prices in ticks.

An l2 tells all levels anew. Between two, an l1 and a trade say what is no longer there: a level that was better than a
best price, or that was traded through, is gone until it is told again. Without any l2 only the best prices are known.
"""

from __future__ import annotations

from typing import NamedTuple

from feedsim.exchange.venue import Product

BID, ASK = 0, 1


class Level(NamedTuple):
    """Lots at a price."""

    price: int
    size: int


class Book:
    """What is known of one symbol's book."""

    __slots__ = ("last", "phase", "product", "quoted", "sides", "symbol", "with_depth")

    def __init__(self, symbol: str, product: Product) -> None:
        self.symbol = symbol
        self.product = product
        self.phase = "open"
        """Until the tape tells another."""
        self.last: int | None = None
        """Price of the last trade."""
        self.sides: list[list[Level]] = [[], []]
        """Bids and offers, best first."""
        self.with_depth = False
        """Whether an l2 was told."""
        self.quoted: tuple[Level, Level] | None = None
        """Best bid and offer of the newest l1."""

    def forget(self, *, keep_last: bool) -> None:
        self.phase, self.sides, self.with_depth, self.quoted = "open", [[], []], False, None
        if not keep_last:
            self.last = None

    def on_l1(self, bid: Level, ask: Level) -> None:
        """A side that is empty has a level without lots."""
        self.quoted = (bid, ask)
        self._begin(BID, bid)
        self._begin(ASK, ask)

    def _begin(self, side: int, top: Level) -> None:
        levels = self.sides[side]
        if top.size <= 0:
            self.sides[side] = []
        elif not self.with_depth:
            self.sides[side] = [top]
        elif levels and levels[0].price == top.price:
            levels[0] = top
        else:
            self.sides[side] = [top, *(level for level in levels if is_better(side, top.price, level.price))]

    def on_l2(self, bids: list[Level], asks: list[Level], *, coarse: bool = False) -> None:
        """A coarse book, known to the minute only, leaves the best prices to the newest l1."""
        self.sides, self.with_depth = [bids, asks], True
        if coarse and self.quoted is not None:
            for side, top in enumerate(self.quoted):
                self._begin(side, top)

    def on_trade(self, price: int, size: int, side: int) -> None:
        """`side` 1: the buyer was the aggressor, and the offers shrink."""
        self.last = price
        if side:
            self._eat(ASK if side > 0 else BID, price, size)

    def _eat(self, side: int, price: int, size: int) -> None:
        levels = self.sides[side]
        if not levels or is_better(side, price, levels[0].price):
            return
        if levels[0].price != price:
            levels = [level for level in levels if not is_better(side, level.price, price)]
        if levels and levels[0].price == price:
            left = levels[0].size - size
            levels = [Level(price, left), *levels[1:]] if left > 0 else levels[1:]
        self.sides[side] = levels

    def best(self, side: int) -> Level | None:
        levels = self.sides[side]
        return levels[0] if levels else None

    def levels(self, side: int) -> list[Level]:
        """Best first."""
        return self.sides[side]

    def size_at(self, side: int, price: int) -> int | None:
        """Lots shown at a price; None where nothing is known of it, because it is behind all levels."""
        levels = self.levels(side)
        if not levels or is_better(side, levels[-1].price, price):
            return None
        return next((level.size for level in levels if level.price == price), 0)

    def aggressor(self, price: int, side: int) -> int:
        """Who took, where the tape does not say: whoever paid the other's quote."""
        if side:
            return side
        bid, ask = self.best(BID), self.best(ASK)
        if ask is not None and price >= ask.price:
            return 1
        return -1 if bid is not None and price <= bid.price else 0

    def mark(self, quantity: int) -> int | None:
        """The price at which a position is valued: the last trade or, before any, what closing it would get."""
        if self.last is not None:
            return self.last
        best = self.best(BID if quantity > 0 else ASK)
        return None if best is None else best.price


def is_better(side: int, price: int, than: int) -> bool:
    """Whether a price of a side comes before another: higher bids, lower offers."""
    return price > than if side == BID else price < than

"""One symbol's market as far as the tape has told it: best prices, levels, last trade, phase. Prices in ticks.

Deep levels are those of the newest l2; the newest l1 and the trades after it decide where they begin. The state is a
function of the newest l2, the newest l1 and the trades after both alone, so that whoever looks rarely sees the same.
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

    __slots__ = ("deep", "last", "phase", "product", "symbol", "top")

    def __init__(self, symbol: str, product: Product) -> None:
        self.symbol = symbol
        self.product = product
        self.phase = "open"
        """Until the tape tells another."""
        self.last: int | None = None
        """Price of the last trade."""
        self.deep: list[list[Level]] = [[], []]
        """Bids and offers of the newest l2, best first."""
        self.top: list[Level | None] = [None, None]
        """Where the sides begin; None: with the first of `deep`. A level without lots: the side is empty."""

    def forget(self, *, keep_last: bool) -> None:
        self.phase, self.deep, self.top = "open", [[], []], [None, None]
        if not keep_last:
            self.last = None

    def on_l1(self, bid: Level, ask: Level) -> None:
        """A side that is empty has a level without lots."""
        self.top = [bid, ask]

    def on_l2(self, bids: list[Level], asks: list[Level], *, coarse: bool = False) -> None:
        """A coarse book, known to the minute only, leaves the best prices to l1."""
        self.deep = [bids, asks]
        if not coarse or None in self.top:
            self.top = [None, None]

    def on_trade(self, price: int, size: int, side: int) -> None:
        """`side` 1: the buyer was the aggressor, and the offers shrink."""
        self.last = price
        if side:
            self._eat(ASK if side > 0 else BID, price, size)

    def _eat(self, side: int, price: int, size: int) -> None:
        best = self.best(side)
        if best is None or is_better(side, price, best.price):
            return
        worse = [level for level in self.levels(side) if not is_better(side, level.price, price)]
        if worse and worse[0].price == price:
            left = worse[0].size - size
            worse = [Level(price, left), *worse[1:]] if left > 0 else worse[1:]
        self.top[side] = worse[0] if worse else Level(price, 0)

    def best(self, side: int) -> Level | None:
        top = self.top[side]
        if top is not None:
            return top if top.size > 0 else None
        deep = self.deep[side]
        return deep[0] if deep else None

    def levels(self, side: int) -> list[Level]:
        """Best first."""
        top, deep = self.top[side], self.deep[side]
        if top is None:
            return deep
        if top.size <= 0:
            return []
        return [top, *(level for level in deep if is_better(side, top.price, level.price))]

    def size_at(self, side: int, price: int) -> int | None:
        """Lots shown at a price; None where nothing is known of it, because it is behind all levels."""
        levels = self.levels(side)
        if not levels:
            return None
        for level in levels:
            if level.price == price:
                return level.size
            if is_better(side, price, level.price):
                return 0
        return None

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

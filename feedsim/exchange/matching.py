"""What matching is, whoever does it: in the shadow of a tape, or in the market's own book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from feedsim.exchange.book import Book
from feedsim.exchange.order import Moment, Order


class Fill(NamedTuple):
    """A part of an order that trades. `price` in ticks."""

    order: Order
    price: int
    lots: int
    maker: bool


class Matching(Protocol):
    """Fills market and limit orders. It changes no order: whoever gets a fill adds it up before the next call.

    `price` of an order is None where it may trade at any. What time in force, stops, brackets and accounts mean is not
    its business.
    """

    def at(self, moment: Moment) -> Sequence[Fill]:
        """What follows happens now; what traded on the way here, and no event of the tape tells."""
        ...

    def offered(self, order: Order, book: Book) -> int:
        """The lots that it would get at once, at most what is left of it."""
        ...

    def enter(self, order: Order, book: Book) -> list[Fill]:
        """What an order gets at once."""
        ...

    def rest(self, order: Order, book: Book) -> None:
        """What is left of an order that was entered stays."""
        ...

    def cancel(self, order: Order) -> None:
        """A resting order goes, or is done."""
        ...

    def reduce(self, order: Order, lots: int) -> None:
        """So many lots of a resting order go; the others keep their place."""
        ...

    def on_trade(self, book: Book, price: int, size: int, side: int) -> list[Fill]:
        """A trade was told, the book has followed it: what of the resting orders trades."""
        ...

    def on_quote(self, book: Book, told: int, seq: int) -> list[Fill]:
        """Best prices (`told` is L1) or levels (L2) were told, the book has followed them."""
        ...

    def watches(self, symbol: str) -> bool:
        """Whether it has to hear of this symbol's events."""
        ...

    def clear(self) -> None:
        """A new epoch: nothing rests."""
        ...


L1, L2 = 1, 2

"""The order book of one symbol: at every price a queue of orders, in integer ticks and lots, in one record.

Sides are 0 for bids and 1 for asks. Prices are held in a ring of LEVELS; all that the ring holds lies within REACH of
its side's best price, and the spread stays below WIDEST, so that no two prices ever share a place.
"""

from __future__ import annotations

from typing import Any

from feedsim.market.compiling import compiled

LEVELS = 128  # a power of two
REACH = 32
WIDEST = 24
QUEUE = 64  # orders at a price
SHOWN = 10  # levels of a side that always have orders
assert 2 * REACH + WIDEST + REACH <= LEVELS

BOOK = [
    ("best", "i8", 2),
    ("orders", "i8", 2),
    ("levels", "i8", 2),
    ("count", "i8", LEVELS),
    ("volume", "i8", LEVELS),
    ("sizes", "i4", (LEVELS, QUEUE)),
]
"""Fields: best price, orders and levels with orders of each side; orders, lots and queue of each price."""


@compiled
def outward(side: int) -> int:
    """The step in ticks away from the other side."""
    return 2 * side - 1


@compiled
def place(book: Any, side: int, price: int, size: int) -> None:
    """A limit order at or behind the best price, or between the two; a full queue takes no more."""
    at = price & (LEVELS - 1)
    if book.count[at] == QUEUE:
        return
    if book.count[at] == 0:
        book.levels[side] += 1
    book.sizes[at, book.count[at]] = size
    book.count[at] += 1
    book.volume[at] += size
    book.orders[side] += 1
    ahead = (book.best[side] - price) * outward(side)
    if ahead > 0:
        book.best[side] = price
        for step in range(ahead):
            _clear(book, side, price + (REACH + step) * outward(side))


@compiled
def _clear(book: Any, side: int, price: int) -> None:
    """Take a price that is out of reach out of the book."""
    at = price & (LEVELS - 1)
    if book.count[at]:
        book.levels[side] -= 1
        book.orders[side] -= book.count[at]
        book.count[at] = 0
        book.volume[at] = 0


@compiled
def cancel(book: Any, side: int, price: int, place_in_queue: int) -> None:
    """Take one order out of a queue."""
    at = price & (LEVELS - 1)
    book.volume[at] -= book.sizes[at, place_in_queue]
    book.count[at] -= 1
    book.orders[side] -= 1
    for index in range(place_in_queue, book.count[at]):
        book.sizes[at, index] = book.sizes[at, index + 1]
    if book.count[at] == 0:
        _emptied(book, side, price)


@compiled
def take(book: Any, side: int, size: int) -> int:
    """A market order against the best queue of `side`, first come first served; the lots that it got."""
    price = book.best[side]
    at = price & (LEVELS - 1)
    size = min(size, book.volume[at])
    left, done = size, 0
    while left and left >= book.sizes[at, done]:
        left -= book.sizes[at, done]
        done += 1
    if left:
        book.sizes[at, done] -= left
    book.volume[at] -= size
    book.count[at] -= done
    book.orders[side] -= done
    for index in range(book.count[at]):
        book.sizes[at, index] = book.sizes[at, index + done]
    if book.count[at] == 0:
        _emptied(book, side, price)
    return size


@compiled
def _emptied(book: Any, side: int, price: int) -> None:
    """A price has no orders any more: if it was the best, the next one is."""
    book.levels[side] -= 1
    if price == book.best[side]:
        step = outward(side)
        price += step
        while book.count[price & (LEVELS - 1)] == 0:
            price += step
        book.best[side] = price


@compiled
def find_order(book: Any, side: int, index: int) -> tuple[int, int]:
    """Price and place in the queue of the order with this number, counted from behind the best queue outward."""
    step = outward(side)
    price: int = book.best[side] + step
    while index >= book.count[price & (LEVELS - 1)]:
        index -= book.count[price & (LEVELS - 1)]
        price += step
    return price, index


@compiled
def first_empty(book: Any, side: int) -> int:
    """The price nearest to the best of `side` that has no orders."""
    price: int = book.best[side]
    while book.count[price & (LEVELS - 1)]:
        price += outward(side)
    return price

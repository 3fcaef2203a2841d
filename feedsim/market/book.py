"""The order book of one symbol: at every price a queue of orders with ids, in integer ticks and lots, in one record.

Sides are 0 for bids and 1 for asks. Prices are held in a ring of LEVELS. From its best price to its `edge`, WINDOW
ticks or more away, a side has been filled; what lies farther than REACH is gone. So ten levels are always there.
"""

from __future__ import annotations

from typing import Any

from feedsim.market.compiling import compiled

LEVELS = 64  # a power of two
REACH = 16
WIDEST = 14
WINDOW = 14
QUEUE = 512  # orders at a price
SHOWN = 10  # levels of a side that are told
USERS = 64  # orders of users
assert 3 * REACH + WIDEST < LEVELS

BOOK = [
    ("best", "i8", 2),
    ("edge", "i8", 2),
    ("levels", "i8", 2),
    ("next_id", "i8"),
    ("count", "i8", LEVELS),
    ("volume", "i8", LEVELS),
    ("sizes", "i4", (LEVELS, QUEUE)),
    ("ids", "i8", (LEVELS, QUEUE)),
    ("users", "i8"),
    ("user", "i8", (USERS, 5)),
]
"""Best and outermost price that was filled, and levels with orders, of each side; the id of the next order; orders,
lots, and the sizes and ids of the queue at each price; the orders of users (ids below 0) in the order in which they
came, columns as USER_FIELDS."""

USER_FIELDS = ("order_id", "side", "price", "left", "rests")
"""An order of a user `rests` in its queue (1), or waits until its price comes into the window (0)."""
USER_ID, USER_SIDE, USER_PRICE, USER_LEFT, USER_RESTS = range(5)

ADD, CANCEL, MODIFY, FILL = range(4)
ORDER_FIELDS = ("ts", "kind", "order_id", "side", "price", "size")
"""Of the log of orders: `size` is what was added, taken away, or traded."""


@compiled
def outward(side: int) -> int:
    """The step in ticks away from the other side."""
    return 2 * side - 1


@compiled
def lots(book: Any, price: int) -> int:
    volume: int = book.volume[price & (LEVELS - 1)]
    return volume


@compiled
def place(book: Any, side: int, price: int, size: int, order_id: int) -> bool:
    """A limit order at the end of its queue, at any price that does not cross; False where it finds no room."""
    at = price & (LEVELS - 1)
    count = book.count[at]
    if count == QUEUE or (price - book.best[side]) * outward(side) >= REACH:
        return False
    if count == 0:
        book.levels[side] += 1
    book.sizes[at, count] = size
    book.ids[at, count] = order_id
    book.count[at] = count + 1
    book.volume[at] += size
    step = outward(side)
    while (book.best[side] - price) * step > 0:
        book.best[side] -= step
        _forget(book, side, book.best[side] + REACH * step)
    if (price - book.edge[side]) * step > 0:
        book.edge[side] = price
    return True


@compiled
def _forget(book: Any, side: int, price: int) -> None:
    """Take a price that is out of reach out of the book; orders of users wait there."""
    at = price & (LEVELS - 1)
    if book.count[at]:
        for index in range(book.users):
            if book.user[index, USER_PRICE] == price:
                book.user[index, USER_RESTS] = 0
        book.levels[side] -= 1
        book.count[at] = 0
        book.volume[at] = 0
    if (book.edge[side] - price) * outward(side) >= 0:
        book.edge[side] = price - outward(side)


@compiled
def remove(book: Any, side: int, price: int, index: int) -> None:
    """Take the order at a place of a queue out of the book."""
    at = price & (LEVELS - 1)
    last = book.count[at] - 1
    book.volume[at] -= book.sizes[at, index]
    for place_in_queue in range(index, last):
        book.sizes[at, place_in_queue] = book.sizes[at, place_in_queue + 1]
        book.ids[at, place_in_queue] = book.ids[at, place_in_queue + 1]
    book.count[at] = last
    if last == 0:
        _emptied(book, side, price)


@compiled
def shrink(book: Any, price: int, index: int, size: int) -> None:
    """An order gives up `size` of its lots, not all, and keeps its place."""
    at = price & (LEVELS - 1)
    book.sizes[at, index] -= size
    book.volume[at] -= size


@compiled
def eat(book: Any, side: int, size: int) -> int:
    """Trade `size` lots, at most what the best queue of a side holds, first come first served.

    The number of orders that are filled whole; their ids and sizes still stand in the queue's old first places, and
    what is left of the next one is in its place.
    """
    price = book.best[side]
    at = price & (LEVELS - 1)
    left, done = size, 0
    while left and left >= book.sizes[at, done]:
        left -= book.sizes[at, done]
        done += 1
    if left:
        book.sizes[at, done] -= left
    book.volume[at] -= size
    return done


@compiled
def drop_filled(book: Any, side: int, done: int) -> None:
    """Close the gap that `eat` left in the best queue of a side."""
    price = book.best[side]
    at = price & (LEVELS - 1)
    book.count[at] -= done
    for index in range(book.count[at] if done else 0):
        book.sizes[at, index] = book.sizes[at, index + done]
        book.ids[at, index] = book.ids[at, index + done]
    if book.count[at] == 0:
        _emptied(book, side, price)


@compiled
def _emptied(book: Any, side: int, price: int) -> None:
    """A price has no orders any more: if it was the best, the next one is."""
    book.levels[side] -= 1
    if price == book.best[side] and book.levels[side]:
        step = outward(side)
        while book.count[price & (LEVELS - 1)] == 0:
            price += step
        book.best[side] = price


@compiled
def first_empty(book: Any, side: int) -> int:
    """The nearest price behind the best of a side that has no orders; there must be one within reach."""
    price = book.best[side]
    while book.count[price & (LEVELS - 1)]:
        price += outward(side)
    empty: int = price
    return empty


@compiled
def clear(book: Any, bid: int) -> None:
    """An empty book whose best bid will be at `bid` and whose best ask one tick above."""
    book.levels[:] = 0
    book.count[:] = 0
    book.volume[:] = 0
    for side in range(2):
        book.best[side] = bid + side
        book.edge[side] = bid + side - outward(side)

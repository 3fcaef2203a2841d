"""One symbol's session as arrays: trades, quotes, books, orders; prices in ticks, sizes in lots, times in ns.

All rows are in the order in which they happened. What a source does not tell is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import TradingDay

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LEVELS = 10
ADD, CANCEL, MODIFY, FILL = range(4)


@dataclass(frozen=True, slots=True)
class Quotes:
    """The best bid and ask, a row whenever one of the four changed."""

    ts: Int64
    bid: Int64
    ask: Int64
    bid_size: Int64
    ask_size: Int64

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def spread(self) -> Int64:
        return self.ask - self.bid

    @property
    def mid(self) -> Float64:
        return (self.bid + self.ask) / 2

    @property
    def imbalance(self) -> Float64:
        """(bid − ask) / (bid + ask) of the best sizes, −1 to 1."""
        return np.asarray((self.bid_size - self.ask_size) / np.maximum(self.bid_size + self.ask_size, 1))

    def before(self, times: Int64) -> npt.NDArray[np.intp]:
        """The row in force just before each time; −1 where there was none."""
        return np.searchsorted(self.ts, times, side="left") - 1

    def held(self, end_ns: int) -> Int64:
        """How long each row was in force."""
        return np.diff(self.ts, append=max(end_ns, int(self.ts[-1])))


@dataclass(frozen=True, slots=True)
class Trades:
    """Prints. `side` is 1 where the buyer was the aggressor, −1 the seller, 0 unknown."""

    ts: Int64
    price: Int64
    size: Int64
    side: Int64
    quote: Int64
    """The row of the quotes in force just before; −1 where there was none."""

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Aggressors:
    """Market orders: all prints in a row with one time and side are one."""

    ts: Int64
    side: Int64
    size: Int64
    first: Int64
    """Price of the first print …"""
    last: Int64
    """… and of the last."""
    quote: Int64
    """As of the first print."""

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: Any) -> Aggressors:
        """Some of them: a mask, slice or index array."""
        return Aggressors(*(getattr(self, name)[rows] for name in self.__slots__))


def aggressors(trades: Trades) -> Aggressors:
    """Prints put together to the orders that caused them."""
    new = np.ones(len(trades), np.bool_)
    new[1:] = (np.diff(trades.ts) != 0) | (np.diff(trades.side) != 0)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(trades)) - 1
    size = np.add.reduceat(trades.size, starts) if len(starts) else trades.size
    return Aggressors(
        ts=trades.ts[starts],
        side=trades.side[starts],
        size=size,
        first=trades.price[starts],
        last=trades.price[ends] if len(starts) else trades.price,
        quote=trades.quote[starts],
    )


@dataclass(frozen=True, slots=True)
class Books:
    """Ten levels a side (rows, 10), the best first, a row whenever the source told them."""

    ts: Int64
    bid_px: Int64
    bid_sz: Int64
    ask_px: Int64
    ask_sz: Int64

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Orders:
    """Every order that came, changed, traded or went; `kind` as ADD … FILL, `side` 0 bid, 1 ask."""

    ts: Int64
    kind: Int64
    order_id: Int64
    side: Int64
    price: Int64
    size: Int64
    """Lots that were added, taken away or traded."""

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Vix:
    """The VIX in points, a row whenever the source told it."""

    ts: Int64
    vix: Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One symbol from `start_ns` up to `end_ns`."""

    start_ns: int
    end_ns: int
    trades: Trades | None = None
    quotes: Quotes | None = None
    books: Books | None = None
    orders: Orders | None = None
    vix: Vix | None = None
    day: TradingDay | None = None
    """The exchange's session that it is in; None: taken as regular trading."""

    def grid(self, step_ns: int) -> Int64:
        """The start and every whole step after it, up to the end."""
        return np.arange(self.start_ns, self.end_ns + 1, step_ns)

    def mids(self, step_ns: int) -> Float64:
        """The mid in ticks on that grid; NaN before the first quote."""
        quotes = self.quotes
        assert quotes is not None
        times = self.grid(step_ns)
        times[0] += 1  # a session's first quote may come with its start
        row = quotes.before(times)
        return np.where(row < 0, np.nan, quotes.mid[row])

    def book_events(self) -> Int64:
        """Times at which the ten best prices of a side changed, each once; empty where no orders are told."""
        orders, quotes = self.orders, self.quotes
        if orders is None or quotes is None:
            return np.empty(0, np.int64)
        return np.unique(orders.ts[(levels_off(orders, quotes) < LEVELS) & (orders.ts > self.start_ns)])


def levels_off(orders: Orders, quotes: Quotes) -> Int64:
    """How many ticks behind the best price of its side before it each order was; below 0: inside the spread."""
    row = np.maximum(quotes.before(orders.ts), 0)
    return np.where(orders.side == 0, quotes.bid[row] - orders.price, orders.price - quotes.ask[row])

"""One symbol second by second: what its trades and quotes came to, in ticks and lots, as whole numbers.

Mids are in half ticks, read every 100 ms; order flow imbalance (Cont, Kukanov and Stoikov) is summed over the changes
between those readings. A symbol without a known tick is given its first spread's.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import INT_NULL, Float64, Int64
from feedsim.instruments import INSTRUMENTS, NS_PER_MS, NS_PER_S
from feedsim.observe.waiting import Waiting, newest_of_each

GRID_NS = 100 * NS_PER_MS
PER_S = NS_PER_S // GRID_NS

_QUOTE = (np.int64, np.float64, np.float64, np.int64, np.int64)
_TRADE = (np.int64, np.float64, np.int64, np.int64)


@dataclass(slots=True)
class Cells:
    """Trades by second and price; `second` counts from the first of the seconds that they are told with."""

    second: Int64
    price: Int64
    """In ticks."""
    bought: Int64
    sold: Int64


@dataclass(slots=True)
class Seconds:
    """A stretch of seconds without a gap. A column has a value for each, as at its end."""

    mid: Int64
    """Half ticks; 0 where nothing was quoted yet."""
    moves: Int64
    """Changes of the mid between readings, in half ticks: ten a second."""
    bought: Int64
    sold: Int64
    volume: Int64
    """Lots; those of unknown side count here only."""
    ofi: Int64
    """Order flow imbalance at the best prices, lots."""
    lots: Int64
    """Since the session opened, as the next two."""
    lots_price: Int64
    """Σ lots × (price − reference), ticks."""
    lots_price2: Int64
    reference: int
    """Ticks."""
    cells: Cells


class _Carried(msgspec.Struct, array_like=True):
    tick: float
    bid: int = 0
    ask: int = 0
    """In ticks; both 0 before the first quote."""
    bid_size: int = 0
    ask_size: int = 0
    reference: int = INT_NULL
    lots: int = 0
    lots_price: int = 0
    lots_price2: int = 0


class _State(msgspec.Struct, array_like=True):
    carried: _Carried
    first_ns: int | None
    quotes: list[bytes]
    trades: list[bytes]


class Track:
    """Takes a symbol's rows as they come and tells them as seconds. Readings lie at `origin_ns` + k × 100 ms."""

    def __init__(self, symbol: str, *, origin_ns: int) -> None:
        known = INSTRUMENTS.get(symbol)
        self._origin_ns = origin_ns
        self._carried = _Carried(tick=0.0 if known is None else known.tick)
        self._quotes = Waiting(_QUOTE)
        self._trades = Waiting(_TRADE)
        self.first_ns: int | None = None
        """When the first quote came (of an unknown instrument, the first with a spread)."""

    @property
    def tick(self) -> float:
        """In index points; 0 while it is not known."""
        return self._carried.tick

    def hear_quotes(self, quotes: Table, rows: npt.NDArray[np.intp]) -> None:
        """Take quotes; one without a price on either side leaves what stood before."""
        rows = rows[np.isfinite(quotes.array("bid")[rows] + quotes.array("ask")[rows])]
        if not len(rows):
            return
        avail = quotes.avail[rows]
        if self.first_ns is None:
            rows, avail = self._from_first(quotes, rows, avail)
            if not len(rows):
                return
        newest = newest_of_each(avail, self._origin_ns, GRID_NS)
        rows = rows[newest]
        named = [quotes.array(name)[rows] for name in ("bid", "ask", "bid_size", "ask_size")]
        self._quotes.add(avail[newest], *named)

    def _from_first(
        self, quotes: Table, rows: npt.NDArray[np.intp], avail: Int64
    ) -> tuple[npt.NDArray[np.intp], Int64]:
        """The rows from the first on that tells what a tick is; of known instruments any does."""
        first = 0
        if not self.tick:
            wide = quotes.array("ask")[rows] - quotes.array("bid")[rows]
            found = np.flatnonzero(wide > 0)
            if not len(found):
                return rows[:0], avail[:0]
            first = int(found[0])
            self._carried.tick = float(wide[first])
        self.first_ns = int(avail[first])
        return rows[first:], avail[first:]

    def hear_trades(self, trades: Table, rows: npt.NDArray[np.intp]) -> None:
        if len(rows):
            self._trades.add(trades.avail[rows], *(trades.array(name)[rows] for name in ("price", "size", "side")))

    def open_session(self, ns: int) -> None:
        """Forget the session's sums, and what is older than `ns` but the last quote."""
        kept = self._carried
        self._read_quotes(np.array([ns]))
        self._trades.before(ns)
        kept.reference, kept.lots, kept.lots_price, kept.lots_price2 = INT_NULL, 0, 0, 0

    def tell(self, start_ns: int, count: int) -> Seconds:
        """The `count` seconds from `start_ns` on, all of whose rows were heard; time goes only forward."""
        readings = start_ns + GRID_NS * np.arange(1, count * PER_S + 1)
        mid, moves, ofi = self._read_quotes(readings)
        avail, price, size, side = self._trades_before(start_ns + count * NS_PER_S)
        second = (avail - start_ns) // NS_PER_S
        edges = np.searchsorted(second, np.arange(count + 1))
        kept = self._carried
        if kept.reference == INT_NULL and len(price):
            kept.reference = int(price[0])
        relative = price - kept.reference
        bought, sold = np.where(side > 0, size, 0), np.where(side < 0, size, 0)
        sums = [kept.lots, kept.lots_price, kept.lots_price2]
        lots, lots_price, lots_price2 = (
            _within(values, edges, total)[1]
            for values, total in zip((size, size * relative, size * relative * relative), sums, strict=True)
        )
        kept.lots, kept.lots_price, kept.lots_price2 = int(lots[-1]), int(lots_price[-1]), int(lots_price2[-1])
        return Seconds(
            mid=mid[PER_S - 1 :: PER_S],
            moves=moves,
            bought=_within(bought, edges)[0],
            sold=_within(sold, edges)[0],
            volume=_within(size, edges)[0],
            ofi=ofi.reshape(count, PER_S).sum(axis=1),
            lots=lots,
            lots_price=lots_price,
            lots_price2=lots_price2,
            reference=kept.reference,
            cells=Cells(second, price, bought, sold),
        )

    def _trades_before(self, ns: int) -> tuple[Int64, Int64, Int64, Int64]:
        """Available time, price in ticks, size and side; those before the first quote are of no use."""
        avail, price, size, side = self._trades.before(ns)
        first = len(avail) if self.first_ns is None else int(np.searchsorted(avail, self.first_ns))
        return avail[first:], self._in_ticks(price[first:]), size[first:], side[first:]

    def _in_ticks(self, prices: Float64) -> Int64:
        return np.rint(prices / self.tick).astype(np.int64)

    def _read_quotes(self, readings: Int64) -> tuple[Int64, Int64, Int64]:
        """Mid, its change and the order flow imbalance since the reading before, at some times; takes those quotes."""
        avail, bid, ask, bid_size, ask_size = self._quotes.before(int(readings[-1]))
        kept = self._carried
        row = np.searchsorted(avail, readings)
        carried = (kept.bid, kept.ask, kept.bid_size, kept.ask_size)
        heard = (self._in_ticks(bid), self._in_ticks(ask), bid_size, ask_size)
        bid, ask, bid_size, ask_size = (
            np.concatenate(([first], values)) for first, values in zip(carried, heard, strict=True)
        )
        last = (bid[row], ask[row], bid_size[row], ask_size[row])
        before = np.concatenate(([0], row[:-1]))
        known = bid[before] + ask[before] != 0
        mid = last[0] + last[1]
        moves = np.where(known, mid - bid[before] - ask[before], 0)
        flow = _pressure(last[0] - bid[before], last[2], bid_size[before])
        flow -= _pressure(ask[before] - last[1], last[3], ask_size[before])
        kept.bid, kept.ask, kept.bid_size, kept.ask_size = (int(values[-1]) for values in last)
        return mid, moves, np.where(known, flow, 0)

    def save(self) -> bytes:
        state = _State(self._carried, self.first_ns, self._quotes.save(), self._trades.save())
        return msgspec.msgpack.encode(state)

    def restore(self, saved: bytes) -> None:
        state = msgspec.msgpack.decode(saved, type=_State)
        self._carried, self.first_ns = state.carried, state.first_ns
        self._quotes.restore(state.quotes)
        self._trades.restore(state.trades)


def _pressure(better: Int64, size: Int64, size_before: Int64) -> Int64:
    """What a side's queue gained: a better price adds all of it, a worse one takes all that was there."""
    return np.where(better >= 0, size, 0) - np.where(better <= 0, size_before, 0)


def _within(values: Int64, edges: npt.NDArray[np.intp], carried: int = 0) -> tuple[Int64, Int64]:
    """The sum within each window between the edges, and all sums so far from what was carried."""
    sums = np.concatenate(([0], np.cumsum(values)))[edges]
    return np.diff(sums), sums[1:] + carried

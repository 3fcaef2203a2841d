"""Bars and footprints of one length, counted from a session's start: a bar for every window that is over.

They are those of `feedsim.observe`; where the session's start is on a multiple of the length they are the stream's.
"""

from __future__ import annotations

import numpy as np

from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S
from feedsim.mia.grid import Columns
from feedsim.observe import Bars, Footprints, Observer
from feedsim.observe.windows import Sessions, open_windows

_PRICES = ("open", "high", "low", "close")
_BANDS = ("vwap", "vwap_sd1", "vwap_sd2", "vwap_dn1", "vwap_dn2")
_FLOW = ("volume", "delta", "cum_delta", "trades")
_LEVELS = ("price_level", "bid_volume", "ask_volume")


class BarTables:
    """Takes a session's trades window by window; `bars` and `footprint` then tell all that is over."""

    def __init__(self, symbols: tuple[str, ...], tf_s: int, start_ns: int) -> None:
        self._symbols = symbols
        self._length_ns = tf_s * NS_PER_S
        self._start_ns = start_ns
        # The observers count their windows from the epoch: times are moved so that a window begins at the start.
        self._shift_ns = start_ns % self._length_ns
        self._observers: tuple[Observer, ...] = (Bars(symbols, (tf_s,)), Footprints(symbols, (tf_s,)))
        self._told: tuple[list[Table], list[Table]] = ([], [])
        self._until_ns = start_ns

    def take(self, trades: Table | None, until_ns: int) -> None:
        """The trades before `until_ns` that were not taken yet; a bar that ends there is over."""
        table = Table.empty("trade", self._symbols) if trades is None else trades
        moved = Table("trade", self._symbols, table.columns, table.avail - self._shift_ns)
        for observer, told in zip(self._observers, self._told, strict=True):
            told.append(observer.observe(moved, until_ns - self._shift_ns + 1))
        self._until_ns = until_ns

    def times(self) -> Int64:
        """When the bars start."""
        first = (self._start_ns - self._shift_ns) // self._length_ns
        last = (self._until_ns - self._shift_ns) // self._length_ns - 1
        windows = open_windows(Sessions(), first, last, self._length_ns)
        traded = [(table.array("ts") // self._length_ns) for table in self._told[0]]
        return np.unique(np.concatenate((windows, *traded))) * self._length_ns + self._shift_ns

    def bars(self, before: dict[int, float]) -> Columns:
        """A row for each start and symbol; `before` has the price that stands before a symbol's first trade."""
        table, times = Table.concatenate(self._told[0]), self.times()
        each = [self._of(code, table, times, price) for code, price in before.items()]
        columns = {name: np.stack([of[name] for of in each], axis=1).reshape(-1) for name in each[0]}
        return {"ts": np.repeat(times, len(each)), "symbol": np.tile(list(before), len(times)), **columns}

    def _of(self, code: int, table: Table, times: Int64, before: float) -> Columns:
        rows = np.flatnonzero(table.array("symbol") == code)
        began = table.array("ts")[rows] + self._shift_ns
        at = np.searchsorted(began, times, side="right") - 1
        there = at >= 0
        there[there] = began[at[there]] == times[there]
        prices = dict.fromkeys((*_PRICES, *_BANDS), before)
        columns: Columns = {}
        for name in (*_PRICES, *_BANDS, *_FLOW):
            own = table.array(name)[rows]
            columns[name] = np.full(len(times), prices.get(name, 0), own.dtype)
            columns[name][there] = own[at[there]]
        for name in _BANDS:  # a session has none before its first trade
            columns[name] = np.where(np.isnan(columns[name]), columns["close"], columns[name])
        return columns

    def footprint(self) -> Columns:
        """A row for each price that traded in a bar, by bar, symbol and price."""
        table = Table.concatenate(self._told[1])
        each = {name: table.ragged(name).packed() for name in _LEVELS}
        length = each["price_level"].length
        columns: Columns = {
            "bar_start_ts": np.repeat(table.array("bar_start_ts") + self._shift_ns, length),
            "symbol": np.repeat(table.array("symbol"), length),
            **{name: lists.values for name, lists in each.items()},
        }
        return {**columns, "delta": columns["ask_volume"] - columns["bid_volume"]}

    def pivots(self, bars: Columns) -> Columns:
        """A row for each of the bars: all its volume, beside the price with the most of it, or its close."""
        table = Table.concatenate(self._told[1])
        symbols = len(self._symbols)
        place = np.searchsorted(bars["ts"][::symbols], table.array("bar_start_ts") + self._shift_ns) * symbols
        place += table.array("symbol")
        pivot = bars["close"].copy()
        pivot[place] = table.array("poc")
        delta = bars["delta"]
        ask = (bars["volume"] + delta) // 2  # every trade of a market has a side
        return {
            "bar_start_ts": bars["ts"],
            "symbol": bars["symbol"],
            "price_level": pivot,
            "bid_volume": ask - delta,
            "ask_volume": ask,
            "delta": delta,
        }

"""A chart's quotes and trades in the order of their seq, whichever files they come from, as trade and l1 tables.

Time never runs back along the seq: a record is available with the newest before it, and not outside the source's own
start and end. Both corrections are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import INT_NULL, Table
from feedsim.sources.base import Tables
from feedsim.sources.sierra.feed import DAY_SHIFT, Feed, tick_key
from feedsim.sources.sierra.lines import RECORD, Records

_NONE: Records = np.empty(0, RECORD)


class _State(msgspec.Struct, array_like=True):
    told: int = 0
    floor_ns: int = 0
    """Available time of the last record told."""
    last_key: int = -1
    corrected: int = 0
    """Records whose time was moved."""
    missing: int = 0
    """Numbers that the seq left out."""
    last: dict[int, tuple[float, int]] = {}
    """Price and size of each symbol's last trade."""


class Ticks:
    """One chart; its feeds are read as far as needed."""

    def __init__(self, chart: int, feeds: Sequence[Feed], start_ns: int, last_ns: int) -> None:
        self.chart = chart
        self.feeds = feeds
        self.last_ns = last_ns
        self.start_ns = start_ns
        self.state = _State(floor_ns=start_ns)
        self._ready = _NONE
        self._merged_ns = start_ns
        self._pending = [_NONE for _ in feeds]

    def take(self, until_ns: int) -> Records:
        """The records not told yet that are available before `until_ns`, with `ts` as they are told."""
        if not len(self._ready) or self._ready["avail"][-1] < until_ns:
            self._fill(until_ns)
        count = int(np.searchsorted(self._ready["avail"], until_ns))
        told, self._ready = self._ready[:count], self._ready[count:]
        if count:
            self._note(told)
        return told

    def _fill(self, until_ns: int) -> None:
        for number, feed in enumerate(self.feeds):
            while not feed.covers_ticks(self.chart, until_ns):
                feed.pull()
            for part in feed.take_ticks(self.chart):
                part["input"] = number
                self._pending[number] = np.concatenate((self._pending[number], part))
        # The next record of a file that is not at its end may come before what others have above its last one.
        edge = min((feed.last_key.get(self.chart, -1) for feed in self.feeds if not feed.ended), default=None)
        cuts = [
            len(part) if edge is None else int(np.searchsorted(part["key"], edge, side="right"))
            for part in self._pending
        ]
        merged = np.concatenate([part[:cut] for part, cut in zip(self._pending, cuts, strict=True)])
        self._pending = [part[cut:] for part, cut in zip(self._pending, cuts, strict=True)]
        if not len(merged):
            return
        merged = merged[np.argsort(merged["key"], kind="stable")]
        avail = np.maximum.accumulate(np.maximum(merged["avail"], self._merged_ns))
        merged["avail"] = np.minimum(avail, self.last_ns)
        self._merged_ns = int(merged["avail"][-1])
        self._ready = np.concatenate((self._ready, merged))

    def _note(self, told: Records) -> None:
        """Bring the state to behind these records."""
        state = self.state
        for number, count in enumerate(np.bincount(told["input"], minlength=len(self.feeds)).tolist()):
            self.feeds[number].taken(tick_key(self.chart), count)
        keys = told["key"] if state.last_key < 0 else np.concatenate(([state.last_key], told["key"]))
        same_day = (keys[1:] >> DAY_SHIFT) == (keys[:-1] >> DAY_SHIFT)
        state.missing += int(np.maximum(np.diff(keys) - 1, 0)[same_day].sum())
        state.corrected += int((told["avail"] != told["ts"]).sum())
        state.told += len(told)
        state.floor_ns, state.last_key = int(told["avail"][-1]), int(told["key"][-1])

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def restore(self, saved: bytes) -> None:
        self.state = msgspec.msgpack.decode(saved, type=_State)
        self._ready, self._merged_ns = _NONE, self.state.floor_ns
        self._pending = [_NONE for _ in self.feeds]


def tick_tables(charts: Sequence[tuple[Ticks, Records]], symbols: tuple[str, ...]) -> Tables:
    """The trade and l1 rows of records that were told by their charts now."""
    trades: list[Table] = []
    quotes: list[Table] = []
    for chart, told in charts:
        for symbol in np.unique(told["symbol"]).tolist():
            of_symbol = told[told["symbol"] == symbol]
            quotes.append(_quotes(of_symbol, symbols, chart.state.last))
            trades.append(_trades(of_symbol[of_symbol["trade"]], symbols))
    return {part[0].channel: _in_order(part) for part in (trades, quotes) if any(map(len, part))}


def _trades(found: Records, symbols: tuple[str, ...]) -> Table:
    columns = {
        "ts": _column(found, "avail"),
        "symbol": _column(found, "symbol"),
        "price": _column(found, "bid"),
        "size": _column(found, "bid_size"),
        "side": _column(found, "side"),
        "trade_id": found["key"] & ((1 << DAY_SHIFT) - 1),
    }
    return Table.build("trade", symbols, columns, own=_column(found, "key"))


def _quotes(found: Records, symbols: tuple[str, ...], last: dict[int, tuple[float, int]]) -> Table:
    """One row for each quote of a symbol, with its last trade; `last` is brought up to date."""
    symbol = int(found["symbol"][0])
    trades = np.flatnonzero(found["trade"])
    price, size = last.get(symbol, (np.nan, INT_NULL))
    prices = np.concatenate(([price], found["bid"][trades]))
    sizes = np.concatenate(([size], found["bid_size"][trades]))
    quotes = np.flatnonzero(~found["trade"])
    before = np.searchsorted(trades, quotes)
    if len(trades):
        last[symbol] = (float(prices[-1]), int(sizes[-1]))
    told = found[quotes]
    columns = {
        "ts": _column(told, "avail"),
        **{name: _column(told, name) for name in ("symbol", "bid", "ask", "bid_size", "ask_size")},
        "last_price": prices[before],
        "last_size": sizes[before],
    }
    return Table.build("l1", symbols, columns, own=_column(told, "key"))


def _column(found: Records, name: str) -> npt.NDArray[Any]:
    """A field by itself, so that a table does not hold on to whole records."""
    return np.ascontiguousarray(found[name])


def _in_order(parts: Sequence[Table]) -> Table:
    table = Table.concatenate(parts)
    if len(parts) == 1:
        return table
    return table.take(np.lexsort((table.array("symbol"), table.own, table.avail)))

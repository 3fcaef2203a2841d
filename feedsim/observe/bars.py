"""Bars of any lengths, with the session's VWAP, its bands and the cumulative delta as at each bar's end.

Exact aggregates of the trades that became available in [start, end): no interpolation. Buys minus sells make the
delta; volume of unknown side counts in the volume only. Where nothing traded, a flat bar of volume 0 tells the last
close, from a symbol's first trade on and in windows that have open Globex hours in them.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S
from feedsim.observe.anchor import Anchor, Sums, running_sums
from feedsim.observe.windows import Sessions, by_symbol, last_told, open_windows, starts_of_runs

Rows = dict[str, npt.NDArray[Any]]
"""Bars of one stream, columns by name: window, open, high, low, close, volume, delta, trades."""


class _Line(msgspec.Struct, array_like=True):
    """What one stream of bars carries from window to window."""

    next: int = 0
    """The first window that is not told yet."""
    close: float | None = None
    """Of the last bar told."""
    begun: dict[str, int | float] | None = None
    """The bar that is not over yet."""


class _State(msgspec.Struct, array_like=True):
    anchors: list[Anchor]
    lines: list[list[_Line]]


def _single(price: npt.NDArray[Any], size: Int64, side: Int64) -> Rows:
    """Each trade as a bar; its window depends on the length."""
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return {**prices, "volume": size, "delta": size * side, "trades": np.ones(len(size), np.int64)}


def _joined(rows: Rows) -> Rows:
    """One row a window."""
    window = rows["window"]
    starts = starts_of_runs(window)
    if len(starts) == len(window):
        return rows
    sums = {name: np.add.reduceat(rows[name], starts) for name in ("volume", "delta", "trades")}
    return {
        "window": window[starts],
        "open": rows["open"][starts],
        "high": np.maximum.reduceat(rows["high"], starts),
        "low": np.minimum.reduceat(rows["low"], starts),
        "close": rows["close"][np.append(starts[1:], len(window)) - 1],
        **sums,
    }


class Bars:
    """All lengths `tf_s` (seconds that divide a day) of all symbols; `flat` tells bars of volume 0 too."""

    channel = "bar"

    def __init__(self, symbols: tuple[str, ...], tf_s: tuple[int, ...], flat: bool = True) -> None:
        self.symbols = symbols
        self.tf_s = tuple(sorted(set(tf_s)))
        self.flat = flat
        self._sessions = Sessions()
        self._state = _State([Anchor() for _ in symbols], [[_Line() for _ in self.tf_s] for _ in symbols])

    def observe(self, trades: Table, until_ns: int) -> Table:
        parts: list[dict[str, Any]] = []
        for code, rows in enumerate(by_symbol(trades)):
            lines = self._state.lines[code]
            lengths = zip(lines, self.tf_s, strict=True)
            if len(rows) or any(self._is_due(line, tf_s, until_ns) for line, tf_s in lengths):
                parts += self._symbol(code, trades, rows, until_ns)
        if not parts:
            return Table.empty("bar", self.symbols)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        end = columns["ts"] + columns["tf_s"] * NS_PER_S
        order = np.lexsort((columns["tf_s"], columns["symbol"], end))
        columns = {name: column[order] for name, column in columns.items()}
        return Table.build("bar", self.symbols, columns, avail=end[order])

    def _is_due(self, line: _Line, tf_s: int, until_ns: int) -> bool:
        started = line.begun is not None or line.close is not None
        return started and line.next <= last_told(until_ns, tf_s * NS_PER_S)

    def _symbol(self, code: int, trades: Table, rows: Int64, until_ns: int) -> list[dict[str, Any]]:
        avail, side = trades.avail[rows], trades.array("side")[rows]
        price, size = trades.array("price")[rows], trades.array("size")[rows]
        opened = self._sessions.opened_at(avail)
        sums = running_sums(self._state.anchors[code], avail, price, size, side, opened)
        self._state.anchors[code] = sums.last()
        single = _single(price, size, side)
        parts: list[dict[str, Any]] = []
        for line, tf_s in zip(self._state.lines[code], self.tf_s, strict=True):
            length = tf_s * NS_PER_S
            told = self._tell(line, {"window": avail // length, **single}, length, last_told(until_ns, length))
            if len(told["window"]):
                parts.append(self._columns(code, tf_s, told, sums))
        return parts

    def _tell(self, line: _Line, bars: Rows, length_ns: int, last: int) -> Rows:
        """The bars of one stream that are over, flat ones among them; the last may be kept as begun."""
        if line.begun is not None:
            bars = {name: np.append(np.asarray(line.begun[name], bars[name].dtype), bars[name]) for name in bars}
        bars = _joined(bars)
        count = int(np.searchsorted(bars["window"], last, side="right"))
        over = {name: column[:count] for name, column in bars.items()}
        line.begun = {name: column[-1].item() for name, column in bars.items()} if count < len(bars["window"]) else None
        told = self._with_flat(line, over, length_ns, last) if self.flat else over
        line.next = max(line.next, last + 1)
        if count:
            line.close = float(over["close"][-1])
        return told

    def _with_flat(self, line: _Line, over: Rows, length_ns: int, last: int) -> Rows:
        windows = over["window"]
        if line.close is None and not len(windows):
            return over
        first = int(windows[0]) if line.close is None else line.next
        wanted = np.union1d(open_windows(self._sessions, first, last, length_ns), windows)
        if len(wanted) == len(windows):
            return over
        traded = np.searchsorted(wanted, windows)
        close = np.append(over["close"], np.nan if line.close is None else line.close)
        before = np.searchsorted(windows, wanted, side="right") - 1
        told: Rows = {"window": wanted}
        for name in over.keys() - {"window"}:
            kind = over[name].dtype
            told[name] = close[before] if kind == np.float64 else np.zeros(len(wanted), kind)
            told[name][traded] = over[name]
        return told

    def _columns(self, code: int, tf_s: int, bars: Rows, sums: Sums) -> dict[str, Any]:
        start = bars.pop("window") * (tf_s * NS_PER_S)
        bands = sums.at(start + tf_s * NS_PER_S, self._sessions)
        return {
            **bars,
            "ts": start,
            "symbol": np.full(len(start), code),
            "tf_s": np.full(len(start), tf_s),
            "vwap": bands.vwap,
            "vwap_sd1": bands.vwap + bands.sd,
            "vwap_sd2": bands.vwap + 2 * bands.sd,
            "vwap_dn1": bands.vwap - bands.sd,
            "vwap_dn2": bands.vwap - 2 * bands.sd,
            "cum_delta": bands.delta,
        }

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        self._state = msgspec.msgpack.decode(state, type=_State)

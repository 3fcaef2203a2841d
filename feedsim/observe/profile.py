"""Volume profiles: the session's so far and the prior session's, told at the end of every minute with open hours.

Value area by the CBOT's 2-by-2 rule over the prices that traded, 70 % of the volume. Settlement is the last trade
before 16:00 New York time, null until then. The prior session is the last one before that has trades.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from feedsim.events import Table
from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S
from feedsim.observe.footprint import most_traded
from feedsim.observe.windows import Sessions, by_symbol, last_told, open_windows, runs

_NOW = ("poc", "vah", "val", "high", "low", "settlement")
_PRIOR = ("prior_high", "prior_low", "prior_close", "prior_poc", "prior_vah", "prior_val")


class Shape(msgspec.Struct, array_like=True, frozen=True):
    """One session's profile as it stood at some time."""

    session: int
    """When it opened (ns)."""
    poc: float
    vah: float
    val: float
    high: float
    low: float
    close: float
    settlement: float
    """The last trade before the regular close so far; NaN if there is none."""

    def as_prior(self) -> tuple[float, ...]:
        return (self.high, self.low, self.close, self.poc, self.vah, self.val)


Known = tuple[int, Shape | None, Shape | None]
"""From which window on this is the last session's shape, and that of the session before it."""


class _Running(msgspec.Struct, array_like=True):
    """A symbol's session so far; `prices` ascending, `lots` beside them."""

    window: int = -1
    """Of the last trade; -1 before the first."""
    next: int = 0
    """The first window that is not told yet."""
    session: int = -1
    prices: list[float] = []
    lots: list[int] = []
    close: float = np.nan
    settlement: float = np.nan
    told: Shape | None = None
    """As at the last window with trades that is over."""
    prior: Shape | None = None
    """Of the session before `told`'s."""
    closed: Shape | None = None
    """Of the session before the running one."""

    def add(self, price: Float64, size: Int64) -> None:
        merged, place = np.unique(np.concatenate((self.prices, price)), return_inverse=True)
        lots = np.zeros(len(merged), np.int64)
        np.add.at(lots, place, np.concatenate((np.array(self.lots, np.int64), size)))
        self.prices, self.lots = merged.tolist(), lots.tolist()
        self.close = float(price[-1])

    def shape(self) -> Shape:
        poc, low, high = value_area(np.array(self.prices), np.array(self.lots, np.int64))
        prices = self.prices
        return Shape(
            self.session, prices[poc], prices[high], prices[low], prices[-1], prices[0], self.close, self.settlement
        )

    def settle(self) -> Known:
        """The session as at the end of its last trade's window, and the one before."""
        self.told, self.prior = self.shape(), self.closed
        return self.window, self.told, self.prior

    def open_session(self, session: int) -> None:
        if self.session >= 0:
            self.closed = self.shape()
        self.session = session
        self.prices, self.lots = [], []
        self.close = self.settlement = np.nan


class Profiles:
    """One row every `every_s` seconds (that divide a day) and symbol, from the symbol's first trade on."""

    channel = "profile"

    def __init__(self, symbols: tuple[str, ...], every_s: int = 60) -> None:
        self.symbols = symbols
        self.every_ns = every_s * NS_PER_S
        self._sessions = Sessions()
        self._running = [_Running() for _ in symbols]

    def observe(self, trades: Table, until_ns: int) -> Table:
        last = last_told(until_ns, self.every_ns)
        parts: list[dict[str, Any]] = []
        for code, rows in enumerate(by_symbol(trades)):
            running = self._running[code]
            if len(rows) or (running.window >= 0 and running.next <= last):
                told = self._take(running, trades, rows, last)
                parts += self._tell(code, running, told, last)
            running.next = max(running.next, last + 1)
        if not parts:
            return Table.empty("profile", self.symbols)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((columns["symbol"], columns["ts"]))
        return Table.build("profile", self.symbols, {name: column[order] for name, column in columns.items()})

    def _take(self, running: _Running, trades: Table, rows: Int64, last: int) -> list[Known]:
        """Add the trades; what was known before, then what is known from each window with trades that is over."""
        told = [(running.next, running.told, running.prior)]
        avail, price, size = trades.avail[rows], trades.array("price")[rows], trades.array("size")[rows]
        window, at = avail // self.every_ns, self._sessions.at(avail)
        opened, rth_close = self._sessions.open[at], self._sessions.rth_close[at]
        for lo, hi in runs(window, opened):
            if running.next <= running.window < window[lo]:
                told.append(running.settle())
            if opened[lo] != running.session:
                running.open_session(int(opened[lo]))
            running.window = int(window[lo])
            running.add(price[lo:hi], size[lo:hi])
            before = lo + int(np.searchsorted(avail[lo:hi], rth_close[lo]))
            if before > lo:
                running.settlement = float(price[before - 1])
        if running.next <= running.window <= last:
            told.append(running.settle())
        return told

    def _tell(self, code: int, running: _Running, told: list[Known], last: int) -> list[dict[str, Any]]:
        traded = np.array([window for window, _, _ in told[1:]], np.int64)
        if told[0][1] is None and len(traded) == 0:
            return []
        first = int(traded[0]) if told[0][1] is None else running.next
        windows = np.union1d(open_windows(self._sessions, first, last, self.every_ns), traded)
        if len(windows) == 0:
            return []
        ends = (windows + 1) * self.every_ns
        at = self._sessions.at(ends - 1)
        which = np.searchsorted(traded, windows, side="right")
        rows = [
            _row(told[index][1], told[index][2], opened, end >= close)
            for index, opened, close, end in zip(
                which.tolist(),
                self._sessions.open[at].tolist(),
                self._sessions.rth_close[at].tolist(),
                ends.tolist(),
                strict=True,
            )
        ]
        values = dict(zip((*_NOW, *_PRIOR), np.array(rows, np.float64).T, strict=True))
        return [{"ts": ends, "symbol": np.full(len(ends), code), **values}]

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self._running)

    def restore(self, state: bytes) -> None:
        self._running = msgspec.msgpack.decode(state, type=list[_Running])


def _row(shape: Shape | None, prior: Shape | None, opened: int, settled: bool) -> tuple[float, ...]:
    """The values at a time in the session that opened at `opened`; the last shape is of that or an earlier one."""
    assert shape is not None
    if shape.session != opened:
        return (*(np.nan,) * len(_NOW), *shape.as_prior())
    now = (shape.poc, shape.vah, shape.val, shape.high, shape.low, shape.settlement if settled else np.nan)
    return (*now, *((np.nan,) * len(_PRIOR) if prior is None else prior.as_prior()))


def value_area(prices: Float64, lots: Int64) -> tuple[int, int, int]:
    """Indices of POC, low and high of the value area of a profile (prices ascending, lots beside them).

    From the POC, the pair of levels above or below with more volume is taken (above if equal; a single level where only
    one is left) until 70 % of the volume is inside.
    """
    poc = int(most_traded(prices, lots, np.zeros(1, np.intp), np.array([len(prices)]))[0])
    volume = lots.tolist()
    wanted, inside = 7 * sum(volume), 10 * volume[poc]
    low = high = poc
    while inside < wanted:
        above, below = sum(volume[high + 1 : high + 3]), sum(volume[max(low - 2, 0) : low])
        if high + 1 < len(volume) and (above >= below or low == 0):
            inside, high = inside + 10 * above, min(high + 2, len(volume) - 1)
        else:
            inside, low = inside + 10 * below, max(low - 2, 0)
    return poc, low, high

"""Sessions made of few numbers, so that what their metrics must be is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from feedsim.instruments import NS_PER_S, trading_day
from feedsim.lab.realism.arrays import Books, Orders, Quotes, Session, Trades

DAY = trading_day(date(2025, 8, 21))
START_NS = DAY.rth_open_ns


def quotes(rows: Sequence[tuple[int, int, int, int, int]]) -> Quotes:
    """(ns after the start, bid, ask, bid size, ask size)."""
    ts, *columns = np.array(rows, np.int64).T
    return Quotes(START_NS + ts, *columns)


def moving(mids: Any, *, step_ns: int = NS_PER_S, size: int = 5) -> Quotes:
    """A quote one tick wide for each bid, `step_ns` apart, the first half a step after the start."""
    bid = np.asarray(mids, np.int64)
    ts = START_NS + step_ns // 2 + np.arange(len(bid)) * step_ns
    sizes = np.full(len(bid), size)
    return Quotes(ts, bid, bid + 1, sizes, sizes.copy())


def trades(rows: Sequence[tuple[int, int, int, int]], against: Quotes | None = None) -> Trades:
    """(ns after the start, price, size, side)."""
    ts, price, size, side = np.array(rows, np.int64).T
    ts = START_NS + ts
    quote = np.full(len(ts), -1) if against is None else against.before(ts)
    return Trades(ts, price, size, side, quote)


def orders(rows: Sequence[tuple[int, int, int, int, int, int]]) -> Orders:
    """(ns after the start, kind, id, side, price, size)."""
    ts, *columns = np.array(rows, np.int64).T
    return Orders(START_NS + ts, *columns)


def books(sizes: Sequence[int], *, rows: int = 40, skip: int = 0) -> Books:
    """The same book every second; both sides have these sizes, and `skip` empty ticks before the last level."""
    sz = np.tile(np.array(sizes, np.int64), (rows, 1))
    off = np.arange(len(sizes))
    off[-1] += skip
    ts = START_NS + np.arange(rows) * NS_PER_S
    return Books(ts, 1000 - np.tile(off, (rows, 1)), sz, 1001 + np.tile(off, (rows, 1)), sz.copy())


def session(seconds: float, **parts: Any) -> Session:
    return Session(start_ns=START_NS, end_ns=START_NS + round(seconds * NS_PER_S), **parts)

"""Small markets for the features: quotes and trades of two symbols by the seconds, made as a test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.instruments import NS_PER_MS, NS_PER_S
from feedsim.observe import Leadership
from tests.observe.cases import SYMBOLS, ns

START_NS = ns("2025-08-21T10:00:00")
TICK = 0.25
Tables = dict[str, Table]


def quotes(rows: Sequence[tuple[int, int, int]], *, symbols: tuple[str, ...] = SYMBOLS, spread: int = 1) -> Table:
    """(time, symbol, bid in ticks), sizes 10 by 10."""
    at = np.array([row[0] for row in rows], np.int64)
    bid = np.array([row[2] for row in rows], np.int64)
    columns: dict[str, Any] = {
        "ts": at,
        "symbol": [row[1] for row in rows],
        "bid": bid * TICK,
        "ask": (bid + spread) * TICK,
        "bid_size": np.full(len(rows), 10),
        "ask_size": np.full(len(rows), 10),
    }
    return Table.build("l1", symbols, columns)


def trades(rows: Sequence[tuple[int, int, int, int, int]], *, symbols: tuple[str, ...] = SYMBOLS) -> Table:
    """(time, symbol, price in ticks, size, side)."""
    at, symbol, price, size, side = (np.array([row[k] for row in rows], np.int64) for k in range(5))
    columns = {"ts": at, "symbol": symbol, "price": price * TICK, "size": size, "side": side}
    return Table.build("trade", symbols, {**columns, "trade_id": np.arange(len(at))})


def context(rows: Sequence[tuple[int, int]], **values: Any) -> Table:
    """(time, symbol) with the same values in each."""
    at = np.array([row[0] for row in rows], np.int64)
    told = {name: [value] * len(rows) for name, value in values.items()}
    return Table.build("context", SYMBOLS, {"ts": at, "symbol": [row[1] for row in rows], **told})


def random_market(seed: int, *, seconds: int = 90, start_ns: int = START_NS, rate: int = 6) -> Tables:
    """A random walk for both; times are on a grid of 50 ms, so that many fall on seconds."""
    rng = np.random.default_rng(seed)
    count = seconds * rate
    at = start_ns + np.sort(rng.integers(0, seconds * 20, count)) * 50 * NS_PER_MS
    symbol = rng.integers(0, 2, count)
    bid = 20_000 + np.cumsum(rng.integers(-1, 2, count))
    size, side = rng.integers(1, 40, count), rng.integers(-1, 2, count)
    told = quotes(list(zip(at.tolist(), symbol.tolist(), bid.tolist(), strict=True)))
    told.columns["bid_size"] = size.copy()
    deals = zip(at.tolist(), symbol.tolist(), (bid + (side > 0)).tolist(), size.tolist(), side.tolist(), strict=True)
    each = [(start_ns + second * NS_PER_S, code) for second in range(seconds) for code in (0, 1)]
    options = context(each, vix=15.0, gamma_flip=5000.0, call_wall=5050.0, put_wall=4900.0, put_call_ratio=0.9)
    options.columns["pin_levels"] = context(each, pin_levels=[5010.0]).columns["pin_levels"]
    return {"l1": told, "trade": trades(list(deals)), "context": options}


def within(tables: Tables, since_ns: int, until_ns: int) -> Tables:
    return {name: table.take((table.avail >= since_ns) & (table.avail < until_ns)) for name, table in tables.items()}


def tell(observer: Leadership, tables: Tables, untils: Sequence[int], *, since_ns: int = 0) -> list[Table]:
    """What is told, window by window."""
    told = []
    for until_ns in untils:
        told.append(observer.observe(within(tables, since_ns, until_ns), until_ns))
        since_ns = max(since_ns, until_ns)
    return told


def of(table: Table, symbol: str, name: str) -> npt.NDArray[Any]:
    """A column of one symbol."""
    values: npt.NDArray[Any] = table.array(name)[table.array("symbol") == table.symbols.index(symbol)]
    return values

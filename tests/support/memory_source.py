"""A source whose rows are in memory, and small sessions for it: trades, quotes and books of a seeded random walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.events import CHANNELS, Ragged, Table
from feedsim.instruments import NS_PER_S
from feedsim.sources.base import SourceInfo, Tables

START_NS = 1_755_783_000_000_000_000  # 2025-08-21 09:30 in New York
TICK = 0.25
LEVELS = 5


class MemorySource:
    """Tells the rows of some tables, each sorted by (avail, own). `start_ns` and `end_ns` default to the rows' own."""

    def __init__(
        self,
        tables: Tables,
        symbols: tuple[str, ...],
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        contracts: Mapping[str, str] | None = None,
        ordered: bool = False,
        endless: bool = False,
    ) -> None:
        self._tables = {channel: table for channel, table in tables.items() if len(table)}
        first = min((int(table.avail[0]) for table in self._tables.values()), default=START_NS)
        last = max((int(table.avail[-1]) for table in self._tables.values()), default=first)
        self._position_ns = first if start_ns is None else start_ns
        self.info = SourceInfo(
            kind="memory",
            name="memory:",
            symbols=symbols,
            channels=tuple(channel for channel in CHANNELS if channel in tables),
            start_ns=self._position_ns,
            end_ns=None if endless else last + 1 if end_ns is None else end_ns,
            identity={"kind": "memory"},
            contracts=contracts or {},
            ordered=ordered,
        )
        self.closed = False

    def read(self, until_ns: int) -> Tables:
        told: Tables = {}
        for channel, table in self._tables.items():
            first, last = np.searchsorted(table.avail, (self._position_ns, until_ns))
            if first < last:
                told[channel] = table.take(slice(int(first), int(last)))
        self._position_ns = max(self._position_ns, until_ns)
        return told

    def seek(self, ns: int) -> None:
        self._position_ns = max(ns, self.info.start_ns)

    def save(self) -> bytes:
        return self._position_ns.to_bytes(8, "little")

    def restore(self, state: bytes) -> None:
        self._position_ns = int.from_bytes(state, "little")

    def close(self) -> None:
        self.closed = True

    def cut_at(self, ns: int) -> MemorySource:
        """The same source, as if all from `ns` on had not happened yet."""
        tables = {channel: table.take(table.avail < ns) for channel, table in self._tables.items()}
        cut = MemorySource(tables, self.info.symbols)
        cut.info = replace(self.info, end_ns=ns)
        cut._position_ns = self.info.start_ns
        return cut


def small_tables(
    *,
    seconds: float = 60,
    rate: float = 10,
    symbols: Sequence[str] = ("ES", "NQ"),
    seed: int = 1,
    start_ns: int = START_NS,
    grid_ns: int = 10_000_000,
) -> Tables:
    """About `rate` trades and `rate` l1 a second and one l2 a second; times on a grid, so that many are equal."""
    rng = np.random.default_rng(seed)
    count = max(int(seconds * rate), 1)
    span = max(int(seconds * NS_PER_S) // grid_ns, 1)
    walk = 25_600 + np.cumsum(rng.integers(-1, 2, span))  # the best bid, in ticks, by time
    return {
        "trade": _trades(rng, count, walk, symbols, start_ns, grid_ns),
        "l1": _quotes(rng, count, walk, symbols, start_ns, grid_ns),
        "l2": _books(rng, max(int(seconds), 1), walk, symbols, start_ns, grid_ns),
    }


def small_session(
    *,
    seconds: float = 60,
    rate: float = 10,
    symbols: Sequence[str] = ("ES", "NQ"),
    seed: int = 1,
    start_ns: int = START_NS,
) -> MemorySource:
    """A source of `small_tables` from `start_ns` to `seconds` later."""
    tables = small_tables(seconds=seconds, rate=rate, symbols=symbols, seed=seed, start_ns=start_ns)
    end_ns = start_ns + int(seconds * NS_PER_S)
    return MemorySource(tables, tuple(sorted(symbols)), start_ns=start_ns, end_ns=end_ns)


def quiet_trades(times_ns: Sequence[int], *, symbols: tuple[str, ...] = ("ES",), price: float = 5000.0) -> Table:
    """One trade of one lot at each time, all of the first symbol."""
    count = len(times_ns)
    columns: dict[str, Any] = {
        "ts": np.array(times_ns, np.int64),
        "symbol": np.zeros(count, np.int64),
        "price": np.full(count, price),
        "size": np.ones(count, np.int64),
        "side": np.ones(count, np.int64),
        "trade_id": np.arange(1, count + 1),
    }
    return Table.build("trade", symbols, columns)


def _when(rng: np.random.Generator, count: int, span: int) -> npt.NDArray[np.int64]:
    return np.sort(rng.integers(0, span, count))


def _trades(
    rng: np.random.Generator,
    count: int,
    walk: npt.NDArray[np.int64],
    symbols: Sequence[str],
    start_ns: int,
    grid_ns: int,
) -> Table:
    at = _when(rng, count, len(walk))
    side = rng.choice((-1, 1), count)
    columns = {
        "ts": start_ns + at * grid_ns,
        "symbol": rng.integers(0, len(symbols), count),
        "price": (walk[at] + (side > 0)) * TICK,
        "size": rng.integers(1, 10, count),
        "side": side,
        "trade_id": np.arange(1, count + 1),
    }
    return Table.build("trade", tuple(sorted(symbols)), columns)


def _quotes(
    rng: np.random.Generator,
    count: int,
    walk: npt.NDArray[np.int64],
    symbols: Sequence[str],
    start_ns: int,
    grid_ns: int,
) -> Table:
    at = _when(rng, count, len(walk))
    columns = {
        "ts": start_ns + at * grid_ns,
        "symbol": rng.integers(0, len(symbols), count),
        "bid": walk[at] * TICK,
        "ask": (walk[at] + 1) * TICK,
        "last_price": np.where(rng.random(count) < 0.1, np.nan, walk[at] * TICK),
        "bid_size": rng.integers(1, 100, count),
        "ask_size": rng.integers(1, 100, count),
    }
    return Table.build("l1", tuple(sorted(symbols)), columns)


def _books(
    rng: np.random.Generator,
    count: int,
    walk: npt.NDArray[np.int64],
    symbols: Sequence[str],
    start_ns: int,
    grid_ns: int,
) -> Table:
    at = _when(rng, count, len(walk))
    below = np.arange(LEVELS)
    columns = {
        "ts": start_ns + at * grid_ns,
        "symbol": rng.integers(0, len(symbols), count),
        "levels": np.full(count, LEVELS),
        "bid_px": Ragged.from_matrix((walk[at][:, None] - below) * TICK),
        "bid_sz": Ragged.from_matrix(rng.integers(1, 100, (count, LEVELS))),
        "ask_px": Ragged.from_matrix((walk[at][:, None] + 1 + below) * TICK),
        "ask_sz": Ragged.from_matrix(rng.integers(1, 100, (count, LEVELS))),
        "mid": (walk[at] + 0.5) * TICK,
        "spread": np.full(count, TICK),
    }
    return Table.build("l2", tuple(sorted(symbols)), columns)

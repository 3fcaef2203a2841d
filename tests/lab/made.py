"""Sessions made of given rows: a source over tables in memory, and a market that keeps law 4 to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedsim.events import CHANNELS, Table
from feedsim.instruments import NS_PER_S
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import SourceInfo, Tables
from tests.support.chunks import START_NS

TICK = 0.25
MS = 1_000_000


class TableSource:
    """A source whose rows are all in memory."""

    def __init__(self, tables: Tables, symbols: tuple[str, ...], *, end_ns: int, notes: tuple[str, ...] = ()) -> None:
        self._tables = tables
        self._position_ns = START_NS
        self._info = SourceInfo(
            kind="csv",
            name="made",
            symbols=symbols,
            channels=tuple(channel for channel in CHANNELS if channel in tables),
            start_ns=START_NS,
            end_ns=end_ns,
            identity={"kind": "csv", "path": "made"},
            notes=notes,
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    def read(self, until_ns: int) -> Tables:
        found = {}
        for channel, table in self._tables.items():
            lo, hi = np.searchsorted(table.avail, (self._position_ns, until_ns))
            if hi > lo:
                found[channel] = table.take(slice(lo, hi))
        self._position_ns = max(self._position_ns, until_ns)
        return found

    def seek(self, ns: int) -> None:
        self._position_ns = ns

    def save(self) -> bytes:
        return self._position_ns.to_bytes(8, "little")

    def restore(self, state: bytes) -> None:
        self._position_ns = int.from_bytes(state, "little")

    def close(self) -> None:
        pass


class SourceWithBars(TableSource):
    """And with bars of its own, as chart files have them."""

    bars: Table

    def own_bars(self) -> Table:
        return self.bars


def trades(rows: Sequence[tuple[int, float, int, int]], symbols: tuple[str, ...] = ("ES",)) -> Table:
    """(ms after the start, price, size, side) of the first symbol."""
    return _table("trade", symbols, rows, ("price", "size", "side"), trade_id=np.arange(len(rows)))


def quotes(rows: Sequence[tuple[int, float, float, int, int]], symbols: tuple[str, ...] = ("ES",)) -> Table:
    """(ms after the start, bid, ask, bid size, ask size) of the first symbol."""
    return _table("l1", symbols, rows, ("bid", "ask", "bid_size", "ask_size"))


def books(rows: Sequence[tuple[int, list[float], list[int], list[float], list[int]]], *, coarse: bool = False) -> Table:
    """(ms after the start, bid prices, bid sizes, ask prices, ask sizes) of ES."""
    names = ("bid_px", "bid_sz", "ask_px", "ask_sz")
    levels = [max(len(row[1]), len(row[3])) for row in rows]
    return _table("l2", ("ES",), rows, names, levels=levels, coarse=np.full(len(rows), coarse))


def bars(rows: Sequence[tuple[int, float, float, float, float, int, int]], *, tf_s: int = 1) -> Table:
    """(start in ms after the start, open, high, low, close, volume, delta) of ES."""
    start = START_NS + np.array([row[0] for row in rows], np.int64) * MS
    names = ("open", "high", "low", "close", "volume", "delta")
    columns: dict[str, Any] = {name: [row[index + 1] for row in rows] for index, name in enumerate(names)}
    columns |= {"ts": start, "symbol": np.zeros(len(rows)), "tf_s": np.full(len(rows), tf_s)}
    return Table.build("bar", ("ES",), columns, avail=start + tf_s * NS_PER_S)


def truths(rows: Sequence[tuple[Any, ...]], symbols: tuple[str, ...] = ("ES",), symbol: int = 0) -> Table:
    """(ms after the start, label, confidence, side, phase, window, outcome) of one symbol."""
    names = ("label", "confidence", "side", "phase", "window_id", "outcome")
    return _table("truth", symbols, rows, names, symbol=np.full(len(rows), symbol))


def contexts(rows: Sequence[tuple[int, float, list[float] | None]], symbols: tuple[str, ...] = ("ES",)) -> Table:
    """(ms after the start, pin strength, pin levels) of the first symbol."""
    return _table("context", symbols, rows, ("pin_strength", "pin_levels"), vix=np.full(len(rows), 15.0))


def statuses(rows: Sequence[tuple[int, str, str]], symbols: tuple[str, ...] = ("ES",)) -> Table:
    """(ms after the start, phase, reason) of the first symbol."""
    return _table("status", symbols, rows, ("phase", "reason"), contract=[symbols[0]] * len(rows))


def _table(
    channel: str, symbols: tuple[str, ...], rows: Sequence[tuple[Any, ...]], names: tuple[str, ...], **more: Any
) -> Table:
    ts = START_NS + np.array([row[0] for row in rows], np.int64) * MS
    columns = {name: [row[index + 1] for row in rows] for index, name in enumerate(names)}
    return Table.build(channel, symbols, {"ts": ts, "symbol": np.zeros(len(rows)), **columns, **more})


def tape_of(tables: Tables, *, seconds: int, symbols: tuple[str, ...] = ("ES",), flat_bars: bool = True) -> Tape:
    """A session of that length with bars of one second and one minute."""
    source = TableSource(tables, symbols, end_ns=START_NS + seconds * NS_PER_S)
    return Tape(source, TapeConfig(flat_bars=flat_bars))


def market(seed: int, *, seconds: int, symbols: tuple[str, ...] = ("ES", "NQ"), step_ms: int = 100) -> Tables:
    """A random walk of books of ten levels in which l1 is the top of l2 and every trade prints at the touch."""
    rng = np.random.default_rng(seed)
    steps = seconds * 1000 // step_ms
    parts: dict[str, list[Table]] = {"trade": [], "l1": [], "l2": []}
    for code in range(len(symbols)):
        for channel, table in _walk(rng, symbols, code, steps, step_ms).items():
            parts[channel].append(table)
    joined = {channel: Table.concatenate(tables) for channel, tables in parts.items()}
    return {channel: table.take(np.argsort(table.avail, kind="stable")) for channel, table in joined.items()}


def _walk(rng: np.random.Generator, symbols: tuple[str, ...], code: int, steps: int, step_ms: int) -> Tables:
    """One symbol's quotes and books at every step, and a trade between some of them."""
    at = START_NS + np.arange(steps) * step_ms * MS
    moves = rng.integers(-1, 2, steps) * (rng.random(steps) < 0.08)
    bid = 5000 * (code + 1) + np.cumsum(moves) * TICK
    ask = bid + TICK * rng.choice([1, 1, 1, 2], steps)
    level = np.arange(10)
    bid_sz, ask_sz = rng.integers(5, 60, (2, steps, 10)) + 4 * level
    symbol = np.full(steps, code)
    book = {
        "ts": at,
        "symbol": symbol,
        "levels": np.full(steps, 10),
        "bid_px": bid[:, None] - level * TICK,
        "bid_sz": bid_sz,
        "ask_px": ask[:, None] + level * TICK,
        "ask_sz": ask_sz,
        "mid": (bid + ask) / 2,
        "spread": ask - bid,
    }
    quote = {
        "ts": at,
        "symbol": symbol,
        "bid": bid,
        "ask": ask,
        "bid_size": bid_sz[:, 0],
        "ask_size": ask_sz[:, 0],
    }
    traded = np.flatnonzero(rng.random(steps) < 0.3)
    side = rng.choice([-1, 1], len(traded))
    trade = {
        "ts": at[traded] + step_ms * MS // 2,
        "symbol": symbol[traded],
        "price": np.where(side > 0, ask[traded], bid[traded]),
        "size": 1 + rng.poisson(rng.gamma(0.4, 8.0, len(traded))),
        "side": side,
        "trade_id": np.arange(len(traded)),
    }
    return {
        "trade": Table.build("trade", symbols, trade),
        "l1": Table.build("l1", symbols, quote),
        "l2": Table.build("l2", symbols, book),
    }

"""What is known only by the minute: depth lines folded into books, VIX and option levels into a context.

Lines come in batches, one for each bar of their chart, and are told at the bar's end, when the last of them could have
been written. The folds hold a level until a line changes it, as the study writes a line only where something changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from feedsim.events import Table

DEEPEST = 20
BID, ASK = 0, 1


class Batch(msgspec.Struct, array_like=True):
    """The changes of one bar, each key with its newest values, in the order of their last change."""

    end_ns: int
    chart: int
    changes: dict[str, list[float]]

    def set(self, key: str, values: list[float]) -> None:
        self.changes.pop(key, None)
        self.changes[key] = values


def level_key(side: int, level: int) -> str:
    return f"{side}/{level}"


class Book:
    """A symbol's depth by side and level, each with the price and size that were written last."""

    def __init__(self) -> None:
        self.levels: dict[str, list[float]] = {}
        """(side, level, price, size) by key, in the order of their last change."""

    def apply(self, batch: Batch) -> None:
        for key, values in batch.changes.items():
            self.levels.pop(key, None)
            self.levels[key] = values

    def side(self, side: int) -> list[tuple[float, int]]:
        """(price, size) of a side, best first; see `_standing`. Levels of no size are absent."""
        newest_first = [
            (int(level), price, int(size)) for s, level, price, size in reversed(self.levels.values()) if s == side
        ]
        return [(price, size) for _, price, size in _standing(newest_first, better=1 if side == BID else -1)]


def _standing(newest_first: Iterable[tuple[int, float, int]], *, better: int) -> list[tuple[int, float, int]]:
    """The levels that can stand together, by level number.

    Of two levels whose prices contradict their numbers the one that changed last is right: the other moved without
    being written again. So levels are placed from the newest to the oldest, and one that does not fit is left out.
    """
    placed: list[tuple[int, float, int]] = []
    for level in newest_first:
        if level[2] <= 0 or level[1] <= 0:
            continue
        at = sum(1 for other in placed if other[0] < level[0])
        above, below = placed[at - 1] if at else None, placed[at] if at < len(placed) else None
        if (above is None or (above[1] - level[1]) * better > 0) and (
            below is None or (level[1] - below[1]) * better > 0
        ):
            placed.insert(at, level)
    return placed


class BookRow(msgspec.Struct):
    """One coarse book on its way into a table."""

    avail: int
    symbol: int
    bids: list[tuple[float, int]]
    asks: list[tuple[float, int]]


def book_table(rows: Sequence[BookRow], symbols: tuple[str, ...]) -> Table:
    """Coarse l2 rows; ts is the bar's end, as avail: what is known is the book at about that time."""
    avail = np.array([row.avail for row in rows], np.int64)
    best = [(row.bids[0][0], row.asks[0][0]) if row.bids and row.asks else None for row in rows]
    columns: dict[str, Any] = {
        "ts": avail,
        "symbol": [row.symbol for row in rows],
        "levels": [max(len(row.bids), len(row.asks)) for row in rows],
        "bid_px": [[price for price, _ in row.bids] for row in rows],
        "bid_sz": [[size for _, size in row.bids] for row in rows],
        "ask_px": [[price for price, _ in row.asks] for row in rows],
        "ask_sz": [[size for _, size in row.asks] for row in rows],
        "mid": [np.nan if pair is None else (pair[0] + pair[1]) / 2 for pair in best],
        "spread": [np.nan if pair is None else pair[1] - pair[0] for pair in best],
        "coarse": np.ones(len(rows), np.bool_),
    }
    return Table.build("l2", symbols, columns)


# ----------------------------------------------------------------------------------------------------------- context

VIX = "vix"


class OptionLevels:
    """The newest VIX and the option levels of every symbol."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.vix: float | None = None
        self.levels: list[dict[str, float]] = [{} for _ in symbols]

    def apply(self, symbol: int | None, batch: Batch) -> set[int]:
        """Take a batch of one symbol (None: of no symbol, such as the VIX); the symbols that it concerns."""
        if symbol is None:
            self.vix = batch.changes[VIX][0] if VIX in batch.changes else self.vix
            return set(range(len(self.symbols)))
        self.levels[symbol].update((name, values[0]) for name, values in batch.changes.items())
        return {symbol}

    def row(self, symbol: int) -> dict[str, Any]:
        """The context of a symbol: walls are resistance and support, pins the strongest gamma levels in their rank."""
        levels = self.levels[symbol]
        return {
            "vix": self.vix,
            "gamma_flip": levels.get("hvl"),
            "gamma_flip_level": levels.get("hvl"),
            "call_wall": levels.get("call_resistance"),
            "put_wall": levels.get("put_support"),
            "call_walls": _present(levels, ("call_resistance", "call_resistance_0dte")),
            "put_walls": _present(levels, ("put_support", "put_support_0dte")),
            "pin_levels": _present(levels, ("gamma_wall_0dte", *(f"gex_{rank}" for rank in range(1, 11)))),
        }


def _present(levels: dict[str, float], names: Iterable[str]) -> list[float] | None:
    return [levels[name] for name in names if name in levels] or None


def context_table(rows: Sequence[tuple[int, int, dict[str, Any]]], symbols: tuple[str, ...]) -> Table:
    """Context rows of (avail, symbol, fields)."""
    names = ("vix", "gamma_flip", "gamma_flip_level", "call_wall", "put_wall")
    lists = ("call_walls", "put_walls", "pin_levels")
    columns: dict[str, Any] = {
        "ts": np.array([avail for avail, _, _ in rows], np.int64),
        "symbol": [symbol for _, symbol, _ in rows],
        **{name: [np.nan if row[name] is None else row[name] for _, _, row in rows] for name in names},
        **{name: [row[name] for _, _, row in rows] for name in lists},
    }
    return Table.build("context", symbols, columns)

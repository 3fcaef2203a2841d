"""What records need to know of the time before their chunk: the last quote, book and trade of each symbol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.layout import DEPTH, LEVEL, PRICE_SCALE, UNDEF_PRICE
from feedsim.events import Chunk, Ragged, Table
from feedsim.events.columns import Int64, take

Levels = npt.NDArray[Any]
"""Of LEVEL, DEPTH or 1 wide."""

SALE = np.dtype([("ts_event", "<i8"), ("price", "<i8"), ("size", "<u4"), ("side", "<i8")])


@dataclass(frozen=True, slots=True)
class Before:
    """The state at one place on the tape. Nothing of it is ever changed."""

    quotes: Levels
    """(symbols, 1): prices are undefined before the first."""
    books: Levels
    """(symbols, DEPTH)"""
    sales: npt.NDArray[Any]
    """(symbols) of SALE; size 0 before the first."""
    now: int
    """Available time of the last event, ns; 0 before the first."""

    @classmethod
    def nothing(cls, symbols: int) -> Before:
        return cls(no_levels(symbols, 1), no_levels(symbols, DEPTH), np.zeros(symbols, SALE), 0)

    def after(self, chunk: Chunk) -> Before:
        """The state behind a chunk that begins at this place."""
        quotes, books, sales = self.quotes.copy(), self.books.copy(), self.sales.copy()
        for channel, state, of in (("l1", quotes, quotes_of), ("l2", books, books_of), ("trade", sales, sales_of)):
            if channel in chunk.tables:
                table = chunk.tables[channel].table
                codes, rows = _last_rows(table.array("symbol"), len(state))
                columns = {name: take(table.columns[name], rows) for name in _NEEDED[channel]}
                state[codes] = of(Table(channel, table.symbols, columns, table.avail[rows]))
        return Before(quotes, books, sales, int(chunk.avail[-1]))


_NEEDED = {
    "l1": ("bid", "ask", "bid_size", "ask_size"),
    "l2": tuple(f"{side}_{kind}" for side in ("bid", "ask") for kind in ("px", "sz", "ct")),
    "trade": ("ts", "price", "size", "side"),
}
FEW = 8  # symbols that are looked for one by one


def _last_rows(codes: Int64, symbols: int) -> tuple[Int64, Int64]:
    """The symbols that there are, and the last row of each."""
    if symbols > FEW:
        there, first = np.unique(codes[::-1], return_index=True)
        return there, len(codes) - 1 - first
    found = [(code, np.flatnonzero(codes == code)) for code in range(symbols)]
    last = [(code, int(rows[-1])) for code, rows in found if len(rows)]
    return np.array([code for code, _ in last], np.int64), np.array([row for _, row in last], np.int64)


def by_symbol(table: Table) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each symbol's code with the rows that it has."""
    codes = table.array("symbol")
    for code in np.flatnonzero(np.bincount(codes)).tolist():
        yield code, np.flatnonzero(codes == code)


def fixed(prices: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Prices in units of 1e-9; NaN is an undefined price. Exact for whatever had at most nine decimals before."""
    scaled = np.rint(prices * PRICE_SCALE)
    missing = np.isnan(scaled)
    if missing.any():
        return np.where(missing, UNDEF_PRICE, np.where(missing, 0, scaled).astype(np.int64))
    whole: npt.NDArray[np.int64] = scaled.astype(np.int64)
    return whole


def no_levels(rows: int, depth: int) -> Levels:
    levels = np.zeros((rows, depth), LEVEL)
    levels["bid_px"] = levels["ask_px"] = UNDEF_PRICE
    return levels


def quotes_of(table: Table) -> Levels:
    """The rows of l1 as one level each."""
    levels = np.zeros((len(table), 1), LEVEL)
    for side in ("bid", "ask"):
        levels[f"{side}_px"][:, 0] = fixed(table.array(side))
        levels[f"{side}_sz"][:, 0] = table.array(f"{side}_size")
    return levels


def books_of(table: Table) -> Levels:
    """The rows of l2, filled up to ten levels with undefined prices."""
    levels = no_levels(len(table), DEPTH)
    for side in ("bid", "ask"):
        for kind in ("px", "sz", "ct"):
            column = table.ragged(f"{side}_{kind}").packed()
            values = fixed(column.values) if kind == "px" else column.values
            _place(levels[f"{side}_{kind}"], column, values)
    return levels


def _place(into: npt.NDArray[Any], column: Ragged, values: npt.NDArray[Any]) -> None:
    """The first values of each row's list, as far as there is room."""
    width = into.shape[1]
    if len(column) and len(values) == len(column) * int(column.length[0]) and (column.length == column.length[0]).all():
        matrix = values.reshape(len(column), -1)[:, :width]
        into[:, : matrix.shape[1]] = matrix
        return
    level = np.arange(width)
    there = level < column.length[:, None]
    into[there] = values[(column.start[:, None] + level)[there]]


def sales_of(table: Table) -> npt.NDArray[Any]:
    sales = np.zeros(len(table), SALE)
    sales["ts_event"] = table.array("ts")
    sales["price"] = fixed(table.array("price"))
    sales["size"] = table.array("size")
    sales["side"] = table.array("side")
    return sales

"""Tables of a session as they stood at regular times: at each, the newest row of every symbol, taken part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.events import Ragged, Table
from feedsim.events.columns import Column, Int64
from feedsim.observe.windows import Sessions

Columns = dict[str, npt.NDArray[Any]]
"""One row a time and symbol, in this order; `ts` in nanoseconds, `symbol` as an index; levels of a book as a matrix."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The times `start_ns` + k × `every_ns` in open hours."""

    start_ns: int
    every_ns: int

    def within(self, since_ns: int, until_ns: int) -> Int64:
        """Those in [since_ns, until_ns)."""
        first = -(-(since_ns - self.start_ns) // self.every_ns)
        last = -(-(until_ns - self.start_ns) // self.every_ns)
        return in_open_hours(self.start_ns + np.arange(first, last) * self.every_ns)


def in_open_hours(times: Int64) -> Int64:
    """Those of some ascending times at which Globex has a session."""
    if not len(times):
        return times
    sessions = Sessions()
    at = sessions.at(times)
    return times[(at >= 0) & (times < sessions.close[at])]


class Sampler:
    """What stood at the times of a grid, from the tables of one channel as they come."""

    def __init__(self, symbols: int, names: tuple[str, ...]) -> None:
        self._names = names
        self._times: list[Int64] = []
        self._parts: list[list[Columns]] = [[] for _ in range(symbols)]
        self._last: list[Columns | None] = [None] * symbols

    def take(self, table: Table | None, times: Int64) -> None:
        """The rows of the next window, and the times in it; a time sees rows that are available at it."""
        self._times.append(times)
        for code in range(len(self._parts)):
            self._take(code, table, times)

    def _take(self, code: int, table: Table | None, times: Int64) -> None:
        rows = np.empty(0, np.intp) if table is None else np.flatnonzero(table.array("symbol") == code)
        at = np.empty(0, np.int64) if table is None else table.avail[rows]
        newest = np.searchsorted(at, times, side="right") - 1
        before = int(np.searchsorted(newest, 0))
        if before:
            last = self._last[code]
            assert last is not None, "a market tells all that it has where a session starts"
            self._parts[code].append({name: np.repeat(values, before, axis=0) for name, values in last.items()})
        if table is None:
            return
        if before < len(times):
            self._parts[code].append(self._columns(table, rows[newest[before:]]))
        if len(rows):
            self._last[code] = self._columns(table, rows[-1:])

    def _columns(self, table: Table, rows: npt.NDArray[np.intp]) -> Columns:
        return {name: values_of(table.columns[name], rows) for name in self._names}

    def columns(self) -> Columns:
        """All of it, by time and symbol; the parts are given up, so that a day is not held twice."""
        times = np.concatenate(self._times)
        symbols = len(self._parts)
        told: Columns = {
            "ts": np.repeat(times, symbols),
            "symbol": np.tile(np.arange(symbols), len(times)),
        }
        for name in self._names:
            if len(times):
                each = [np.concatenate([part.pop(name) for part in parts]) for parts in self._parts]
                told[name] = np.stack(each, axis=1).reshape(len(told["ts"]), *each[0].shape[1:])
        return told


def values_of(column: Column, rows: Any) -> npt.NDArray[Any]:
    """Some rows of a column: lists of one length as a matrix, any others as Python lists."""
    if not isinstance(column, Ragged):
        picked: npt.NDArray[Any] = column[rows]
        return picked
    width = int(column.length[0]) if len(column) else 0
    if width > 0 and len(column.values) == len(column) * width and bool((column.length == width).all()):
        matrix: npt.NDArray[Any] = column.values.reshape(len(column), width)[rows]
        return matrix
    return as_objects(column.take(rows).lists())


def as_objects(values: list[Any]) -> npt.NDArray[Any]:
    """A column of Python objects, lists among them."""
    return np.fromiter(values, object, len(values))

"""Resting size over time × price in bounded memory: prices share a bin where the range becomes too wide."""

from __future__ import annotations

import numpy as np

from feedsim.events.columns import Float64, Int64

MAX_ROWS = 1024


class HeatMap:
    """The mean size at each price in each column of time. Prices come in whole ticks."""

    def __init__(self, columns: int, *, max_rows: int = MAX_ROWS) -> None:
        self.bin_ticks = 1
        """Ticks that share a row."""
        self.first_bin = 0
        """Row 0 is [first_bin × bin_ticks, (first_bin + 1) × bin_ticks)."""
        self._max_rows = max_rows
        self._sums = np.zeros((columns, 0), np.float64)
        self._books = np.zeros(columns, np.int64)

    def add(self, books: Int64, column: Int64, price_ticks: Int64, sizes: Int64) -> None:
        """The column of each book, and the column, price and size of each level of them all, in any order."""
        np.add.at(self._books, books, 1)
        if not len(price_ticks):
            return
        self._make_room(int(price_ticks.min()), int(price_ticks.max()))
        row = price_ticks // self.bin_ticks - self.first_bin
        np.add.at(self._sums, (column, row), sizes)

    def _make_room(self, least: int, most: int) -> None:
        rows = self._sums.shape[1]
        if rows:
            least = min(least, self.first_bin * self.bin_ticks)
            most = max(most, (self.first_bin + rows) * self.bin_ticks - 1)
        while most // self.bin_ticks - least // self.bin_ticks >= self._max_rows:
            self._double()
        first, last = least // self.bin_ticks, most // self.bin_ticks
        before = self.first_bin - first if self._sums.shape[1] else 0
        after = last - first + 1 - before - self._sums.shape[1]
        if before or after:
            self._sums = np.pad(self._sums, ((0, 0), (before, after)))
        self.first_bin = first

    def _double(self) -> None:
        """Two bins become one."""
        rows = self._sums.shape[1]
        before = self.first_bin % 2
        padded = np.pad(self._sums, ((0, 0), (before, (before + rows) % 2)))
        self._sums = padded[:, ::2] + padded[:, 1::2]
        self.first_bin //= 2
        self.bin_ticks *= 2

    def image(self, *, carry: int) -> Float64:
        """Mean sizes, (columns, rows); a column without books shows the last one before it, up to `carry` columns."""
        shown = self._sums / np.maximum(self._books, 1)[:, None]
        known = np.flatnonzero(self._books)
        if not len(known):
            return np.zeros_like(shown)
        columns = np.arange(len(self._books))
        last = np.searchsorted(known, columns, side="right") - 1
        source = known[np.maximum(last, 0)]
        fresh = (last >= 0) & (columns - source <= carry)
        image: Float64 = np.where(fresh[:, None], shown[source], 0.0)
        return image

"""Rows that wait until the second in which they came is over."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Int64

Columns = tuple[npt.NDArray[Any], ...]


class Waiting:
    """Parallel columns, of which the first is the available time, ascending."""

    def __init__(self, kinds: tuple[type, ...]) -> None:
        self._none: Columns = tuple(np.empty(0, kind) for kind in kinds)
        self._parts: list[Columns] = []

    def add(self, *columns: npt.NDArray[Any]) -> None:
        if len(columns[0]):
            self._parts.append(columns)

    @property
    def first_ns(self) -> int | None:
        return int(self._parts[0][0][0]) if self._parts else None

    def _together(self) -> Columns:
        if len(self._parts) > 1:
            self._parts = [tuple(np.concatenate(columns) for columns in zip(*self._parts, strict=True))]
        return self._parts[0] if self._parts else self._none

    def before(self, ns: int) -> Columns:
        """Those available before `ns`, which do not wait any longer."""
        columns = self._together()
        count = int(np.searchsorted(columns[0], ns))
        # Copies: what stays must not hold on to a whole window.
        self._parts = [tuple(column[count:].copy() for column in columns)] if count < len(columns[0]) else []
        return tuple(column[:count] for column in columns)

    def save(self) -> list[bytes]:
        return [column.tobytes() for column in self._together()]

    def restore(self, saved: list[bytes]) -> None:
        columns = tuple(
            np.frombuffer(values, column.dtype).copy() for values, column in zip(saved, self._none, strict=True)
        )
        self._parts = [columns] if len(columns[0]) else []


def newest_of_each(avail: Int64, origin_ns: int, length_ns: int) -> npt.NDArray[np.intp]:
    """The last row in each window of a length, counted from `origin_ns`; `avail` ascending."""
    window = (avail - origin_ns) // length_ns
    return np.flatnonzero(np.append(window[1:] != window[:-1], True)) if len(window) else np.empty(0, np.intp)

"""Windows of time: which are over, which have open hours in them, and to which session a time belongs.

Window w of a length is [w × length, (w + 1) × length), counted from the epoch, in nanoseconds UTC. A session lasts
until the next one opens, so what trades in a break or at a weekend belongs to the session that closed last.
"""

from __future__ import annotations

from itertools import pairwise, takewhile

import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S, trading_days_from

DAY_NS = 86_400 * NS_PER_S
# From one opening to the next it is four days at most, from Wednesday to Sunday evening where Friday is a holiday or
# from Thursday to Monday evening where Monday is one; one more for daylight saving.
_LONGEST_SESSION_NS = 5 * DAY_NS


class Sessions:
    """The sessions around the times that were asked for last; `open`, `rth_close` and `close` are parallel arrays."""

    def __init__(self) -> None:
        self._from = self._until = 0
        self.open = self.rth_close = self.close = np.empty(0, np.int64)

    def cover(self, first_ns: int, last_ns: int) -> None:
        """Know every session that `first_ns` … `last_ns` fall in (times from the epoch on)."""
        if self._from <= first_ns and last_ns < self._until:
            return
        self._from, self._until = first_ns, last_ns + DAY_NS
        days = trading_days_from(max(first_ns - _LONGEST_SESSION_NS, 0))
        known = list(takewhile(lambda day: day.open_ns < self._until, days))
        self.open = np.array([day.open_ns for day in known], np.int64)
        self.rth_close = np.array([day.rth_close_ns for day in known], np.int64)
        self.close = np.array([day.close_ns for day in known], np.int64)

    def at(self, times: Int64) -> npt.NDArray[np.intp]:
        """The index of the session of each time; the times must be from the epoch on and ascending."""
        if len(times) == 0:
            return np.empty(0, np.intp)
        self.cover(int(times[0]), int(times[-1]))
        return np.searchsorted(self.open, times, side="right") - 1

    def opened_at(self, times: Int64) -> Int64:
        """When the session of each time opened; the same conditions."""
        at = self.at(times)
        return self.open[at]


def last_told(until_ns: int, length_ns: int) -> int:
    """The last window whose end is before `until_ns`: at its end exactly, a row is not yet available."""
    return (until_ns - 1) // length_ns - 1


def open_windows(sessions: Sessions, first: int, last: int, length_ns: int) -> Int64:
    """The windows first … last that have open Globex hours in them, ascending."""
    if last < first:
        return np.empty(0, np.int64)
    sessions.cover(first * length_ns, (last + 1) * length_ns)
    lows = np.maximum(sessions.open // length_ns, first)
    highs = np.minimum((sessions.close - 1) // length_ns, last)
    parts = [np.arange(low, high + 1) for low, high in zip(lows.tolist(), highs.tolist(), strict=True) if low <= high]
    if not parts:
        return np.empty(0, np.int64)
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def by_symbol(trades: Table) -> list[npt.NDArray[np.intp]]:
    """The rows of each symbol, in the order of the table."""
    symbol = trades.array("symbol")
    return [np.flatnonzero(symbol == code) for code in range(len(trades.symbols))]


def starts_of_runs(keys: Int64) -> npt.NDArray[np.intp]:
    """Where runs of equal keys start."""
    if len(keys) == 0:
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def runs(*keys: Int64) -> list[tuple[int, int]]:
    """The stretches [lo, hi) of rows that are equal in all of some parallel keys."""
    starts = np.unique(np.concatenate([starts_of_runs(key) for key in keys])).tolist()
    return list(pairwise([*starts, len(keys[0])]))

"""A market's log of orders as rows of `mbo`: what DBN tells of each order, in its actions and flags.

A print is a trade, then a fill and a cancellation or modification for each order that it met; only the last of these
changes a book. The first row of all clears it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.market.book import ADD, CANCEL, FILL, MODIFY, ORDER_FIELDS
from feedsim.market.sheets import Rows

F_LAST = 128  # the last row of what happened at one time
ADDED, CANCELLED, MODIFIED, TRADED, FILLED, CLEARED = map(ord, "ACMTFR")
MBO_FIELDS = ("ts", "action", "side", "price", "size", "order_id", "flags", "sequence")
NO_PRICE = np.iinfo(np.int64).min
TS, KIND, ORDER_ID, SIDE, PRICE, SIZE = range(len(ORDER_FIELDS))
SLOTS = 4  # places in a row of the log: the trade before it, what it is, what follows from it

_Ints = npt.NDArray[np.int64]


class _Saved(msgspec.Struct, array_like=True):
    ids: bytes
    left: bytes
    events: int


class OrderTeller:
    """Tells one symbol's orders; knows what is left of those that rest."""

    def __init__(self) -> None:
        self._ids: _Ints = np.empty(0, np.int64)
        self._left: _Ints = np.empty(0, np.int64)
        self._events = 0  # told so far: times at which something happened

    def tell(self, log: Rows, trades: Rows) -> Rows:
        """Rows as MBO_FIELDS, prices in ticks, from the log and the prints of one window of time."""
        if not len(log):
            return np.empty((0, len(MBO_FIELDS)), np.int64)
        first = not self._events
        left = self._settle(log)
        pieces = [_orders(log), _after_fills(log, left), _prints(log, trades)]
        modified = log[:, KIND] == MODIFY
        pieces[0][1][modified, MBO_FIELDS.index("size")] = left[modified]
        if first:
            pieces.append(_clearing(log))
        places = np.concatenate([place for place, _ in pieces])
        rows = np.concatenate([rows for _, rows in pieces])[np.argsort(places, kind="stable")]
        self._number(rows)
        return rows

    def _settle(self, log: Rows) -> _Ints:
        """What is left of each row's order behind that row; remembers what rests at the end."""
        order = np.argsort(log[:, ORDER_ID], kind="stable")
        ids = log[order, ORDER_ID]
        change = np.where(log[order, KIND] == ADD, log[order, SIZE], -log[order, SIZE])
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        run = np.cumsum(change)
        base = np.append(0, run[starts[1:] - 1]) - self._resting(ids[starts])
        counts = np.diff(np.append(starts, len(ids)))
        left = np.empty(len(ids), np.int64)
        left[order] = run - np.repeat(base, counts)
        self._keep(ids[starts], left[order[starts + counts - 1]])
        return left

    def _resting(self, ids: _Ints) -> _Ints:
        if not len(self._ids):
            return np.zeros(len(ids), np.int64)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[at] == ids, self._left[at], 0)

    def _keep(self, ids: _Ints, left: _Ints) -> None:
        others = ~np.isin(self._ids, ids)
        all_ids = np.append(self._ids[others], ids[left > 0])
        order = np.argsort(all_ids)
        self._ids, self._left = all_ids[order], np.append(self._left[others], left[left > 0])[order]

    def _number(self, rows: Rows) -> None:
        """The last row of a time is flagged, and the times are counted."""
        ends = np.append(rows[1:, 0] != rows[:-1, 0], True)
        rows[:, MBO_FIELDS.index("flags")] = np.where(ends, F_LAST, 0)
        numbers = np.append(0, np.cumsum(ends)[:-1]) + self._events + 1
        rows[:, MBO_FIELDS.index("sequence")] = numbers
        self._events = int(numbers[-1])

    def save(self) -> bytes:
        return msgspec.msgpack.encode(_Saved(self._ids.tobytes(), self._left.tobytes(), self._events))

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=_Saved)
        self._ids, self._left = np.frombuffer(saved.ids, np.int64), np.frombuffer(saved.left, np.int64)
        self._events = saved.events


def _rows(log: Rows, actions: Any, sizes: Any) -> Rows:
    rows = np.zeros((len(log), len(MBO_FIELDS)), np.int64)
    rows[:, 0], rows[:, 1] = log[:, TS], actions
    rows[:, 2] = 1 - 2 * log[:, SIDE]
    rows[:, 3], rows[:, 4], rows[:, 5] = log[:, PRICE], sizes, log[:, ORDER_ID]
    return rows


_ACTION_OF = np.zeros(4, np.int64)
_ACTION_OF[[ADD, CANCEL, MODIFY, FILL]] = (ADDED, CANCELLED, MODIFIED, FILLED)


def _orders(log: Rows) -> tuple[_Ints, Rows]:
    """A row for each of the log, at its place."""
    return np.arange(len(log)) * SLOTS + 1, _rows(log, _ACTION_OF[log[:, KIND]], log[:, SIZE])


def _after_fills(log: Rows, left: _Ints) -> tuple[_Ints, Rows]:
    """What a fill leaves of an order, or that it goes."""
    at = np.flatnonzero(log[:, KIND] == FILL)
    gone = left[at] == 0
    rows = _rows(log[at], np.where(gone, CANCELLED, MODIFIED), np.where(gone, log[at, SIZE], left[at]))
    return at * SLOTS + 2, rows


def _prints(log: Rows, trades: Rows) -> tuple[_Ints, Rows]:
    """Each trade before the first order that it filled."""
    fills = np.flatnonzero(log[:, KIND] == FILL)
    rows = np.zeros((len(trades), len(MBO_FIELDS)), np.int64)
    rows[:, 0], rows[:, 1], rows[:, 2] = trades[:, 0], TRADED, trades[:, 3]
    rows[:, 3], rows[:, 4] = trades[:, 1], trades[:, 2]
    times = np.unique(log[fills, TS])
    lowest = int(min(log[fills, PRICE].min(), trades[:, 1].min())) if len(fills) and len(trades) else 0
    width = 1 << 24  # ticks: more than prices of one window are apart
    keys = np.searchsorted(times, log[fills, TS]) * width + log[fills, PRICE] - lowest
    order = np.argsort(keys, kind="stable")
    wanted = np.searchsorted(times, trades[:, 0]) * width + trades[:, 1] - lowest
    at = np.searchsorted(keys[order], wanted)
    return (fills[order[at]] * SLOTS if len(trades) else np.empty(0, np.int64)), rows


def _clearing(log: Rows) -> tuple[_Ints, Rows]:
    rows = np.zeros((1, len(MBO_FIELDS)), np.int64)
    rows[0, :4] = log[0, TS], CLEARED, 0, NO_PRICE
    return np.array([-1]), rows

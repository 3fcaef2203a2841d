"""The prices of a tape by place: mid and last trade of each symbol, kept only where they change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feedsim.events import Chunk
from feedsim.events.columns import Float64, Int64


class Steps:
    """A value that holds until the next; NaN before the first and where there is none."""

    def __init__(self) -> None:
        self.seq: Int64 = np.zeros(1, np.int64)
        self.ns: Int64 = np.zeros(1, np.int64)
        self.value: Float64 = np.full(1, np.nan)
        self._parts: list[tuple[Int64, Int64, Float64]] = []
        self._last = np.nan

    def add(self, seq: Int64, ns: Int64, value: Float64) -> None:
        """The next values, in the tape's order."""
        if not len(value):
            return
        before = np.append(self._last, value[:-1])
        changed = (value != before) & ~(np.isnan(value) & np.isnan(before))
        self._last = float(value[-1])
        self._parts.append((seq[changed], ns[changed], value[changed]))

    def close(self) -> None:
        """All were added: now they can be looked up."""
        first = (self.seq, self.ns, self.value)
        self.seq, self.ns, self.value = (np.concatenate(column) for column in zip(first, *self._parts, strict=True))
        self._parts = []

    def at(self, seq: Int64 | int) -> Float64:
        """Just after an event."""
        place = np.searchsorted(self.seq, np.asarray(seq), side="right") - 1
        return np.asarray(self.value[np.maximum(place, 0)])

    def at_ns(self, ns: Int64) -> Float64:
        """At the end of a time."""
        return np.asarray(self.value[np.maximum(np.searchsorted(self.ns, ns, side="right") - 1, 0)])

    def between(self, first: int, last: int) -> Float64:
        """All values in force from just after one event to just after another."""
        lo, hi = np.searchsorted(self.seq, (first, last), side="right")
        return self.value[max(int(lo) - 1, 0) : int(hi)]


class Prices:
    """Of one symbol, in ticks; a mid may be half of one."""

    def __init__(self, symbol: str, tick: float) -> None:
        self.symbol, self.tick = symbol, tick
        self.mid, self.last = Steps(), Steps()

    def add(self, chunk: Chunk, seqs: Int64) -> None:
        """`seqs` of the chunk's events, as they were told."""
        for channel, steps in (("l1", self.mid), ("trade", self.last)):
            if channel not in chunk.tables:
                continue
            ordered = chunk.tables[channel]
            table = ordered.table
            mine: npt.NDArray[np.bool_] = np.array([name == self.symbol for name in table.symbols], np.bool_)[
                table.array("symbol")
            ]
            if channel == "l1":
                value = (table.array("bid")[mine] + table.array("ask")[mine]) / 2
            else:
                value = table.array("price")[mine]
            seq = seqs[ordered.seq[mine] - chunk.first_seq]
            steps.add(seq, table.avail[mine], np.asarray(np.round(value / self.tick * 2) / 2))

    def close(self) -> None:
        self.mid.close()
        self.last.close()

    @property
    def mark(self) -> Steps:
        """What a position is valued at: the last trade or, on a tape without trades, the mid."""
        return self.last if len(self.last.value) > 1 else self.mid

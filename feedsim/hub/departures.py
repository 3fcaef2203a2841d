"""When events left: the seqs of writes and their times, the newest of them, in arrays that are searched by seq."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class Departures:
    """When the events up to a seq left. Seqs and times only grow; the oldest are forgotten."""

    __slots__ = ("_kept", "after", "seq", "times")

    def __init__(self, kept: int, columns: int = 1) -> None:
        self._kept = kept
        self.after = array("q")
        """The events behind this seq, and up to …"""
        self.seq = array("q")
        self.times = tuple(array("d") for _ in range(columns))
        """Seconds; by column."""

    def add(self, after: int, seq: int, *times: float) -> None:
        self.after.append(after)
        self.seq.append(seq)
        for column, value in zip(self.times, times, strict=True):
            column.append(value)
        if len(self.seq) >= 2 * self._kept:
            self._forget(self._kept)

    def find(self, seq: int) -> int | None:
        """The place of the write that had an event."""
        at = bisect_left(self.seq, seq)
        return at if at < len(self.seq) and self.after[at] < seq else None

    def clear(self) -> None:
        self._forget(len(self.seq))

    def _forget(self, count: int) -> None:
        del self.after[:count]
        del self.seq[:count]
        for column in self.times:
            del column[:count]


class Undrained:
    """A stretch of wake-ups at which one reader's connection still had bytes of before."""

    __slots__ = ("last_s", "seconds", "since_s", "wakeup")

    def __init__(self, since_s: float) -> None:
        self.since_s = self.last_s = since_s
        self.wakeup = 0

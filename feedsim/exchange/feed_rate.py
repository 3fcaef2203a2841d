"""How busy the feed is: what it told in the second before a time."""

from __future__ import annotations

from collections import deque

from feedsim.events import Chunk
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S


class FeedRate:
    """Called with a session time it tells the events in the second before; keeps as many times as that needs."""

    def __init__(self) -> None:
        self._told: deque[tuple[Int64, int]] = deque()
        """The available times of chunks, and how much of each was told."""

    def to(self, chunk: Chunk, hi: int) -> None:
        """The events of this chunk up to a position were told."""
        avail = chunk.avail
        if self._told and self._told[-1][0] is avail:
            self._told[-1] = (avail, hi)
            return
        self._told.append((avail, hi))
        begin_ns = int(avail[0]) - NS_PER_S
        while self._told[0][0][-1] < begin_ns:
            self._told.popleft()

    def forget(self) -> None:
        """A new epoch."""
        self._told.clear()

    def __call__(self, ns: int) -> float:
        count = 0
        for avail, hi in self._told:
            first, last = avail[:hi].searchsorted((ns - NS_PER_S, ns))
            count += int(last - first)
        return float(count)

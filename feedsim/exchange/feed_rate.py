"""How busy the feed is: what it told in the second before a time."""

from __future__ import annotations

from collections import deque

from feedsim.events import Chunk
from feedsim.instruments import NS_PER_S


class FeedRate:
    """Keeps as many chunks as a second needs; called with a session time it tells the events in the second before."""

    def __init__(self) -> None:
        self._told: deque[tuple[Chunk, int]] = deque()
        """Chunks, and how much of each was told."""

    def to(self, chunk: Chunk, hi: int) -> None:
        """The events of this chunk up to a position were told."""
        if self._told and self._told[-1][0] is chunk:
            self._told[-1] = (chunk, hi)
            return
        self._told.append((chunk, hi))
        begin_ns = int(chunk.avail[0]) - NS_PER_S
        while self._told[0][0].avail[-1] < begin_ns:
            self._told.popleft()

    def forget(self) -> None:
        """A new epoch."""
        self._told.clear()

    def __call__(self, ns: int) -> float:
        count = 0
        for chunk, hi in self._told:
            first, last = chunk.avail[:hi].searchsorted((ns - NS_PER_S, ns))
            count += int(last - first)
        return float(count)

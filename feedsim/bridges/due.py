"""Events of a session one by one, as they are told: each block is turned into Structs once, not at every wake-up."""

from __future__ import annotations

from collections.abc import Iterator

from feedsim.events import Event
from feedsim.hub.ring import Block


class DueEvents:
    """The events of some channels, their times in nanoseconds and without the block's shift."""

    def __init__(self, channels: frozenset[str]) -> None:
        self._channels = channels
        self._block: Block | None = None
        self._events: Iterator[Event] = iter(())
        self._next: Event | None = None

    def take(self, block: Block, lo: int, hi: int) -> Iterator[Event]:
        """Those at positions [lo, hi) of a block; to be asked for in order, and read to the end."""
        if block is not self._block:
            self._block = block
            self._events = block.chunk.iterate(channels=self._channels)
            self._next = next(self._events, None)
        first, last = block.first_seq + lo, block.first_seq + hi - 1
        while (event := self._next) is not None and event.seq <= last:
            self._next = next(self._events, None)
            if event.seq >= first:
                yield event
        if last == block.last_seq:
            self._block = None  # let go of it

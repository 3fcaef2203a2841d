"""Who follows a session beside its clients: the tap, and the bridges with clients of their own."""

from __future__ import annotations

from typing import Protocol

from feedsim.events import Chunk
from feedsim.hub.ring import Block


class Recorder(Protocol):
    """One more reader of the ring, which takes columns instead of bytes: the tap."""

    @property
    def durable_seq(self) -> int: ...

    def append(self, chunk: Chunk, lo: int, hi: int) -> None: ...

    async def ready(self) -> None:
        """Return when it can take more."""
        ...


class Follower(Protocol):
    """One more reader of the ring, with clients and a protocol of its own: a bridge.

    It never blocks. What it raises is logged, and it is followed by no session then.
    """

    @property
    def some_wait(self) -> bool:
        """Whether the session has to wait for any of its clients."""
        ...

    async def ready(self) -> None:
        """Return when every client that may hold the session up can take more."""
        ...

    def prepare(self, block: Block) -> None:
        """A block was read; it will be due."""
        ...

    def publish(self, block: Block, lo: int, hi: int) -> None:
        """Positions [lo, hi) of a block are due, and the head; `block.shift_ns` is to be added to their times."""
        ...

    def restart(self) -> None:
        """A new epoch: nothing of the old one is kept."""
        ...

"""One client's place in a session, and where its bytes go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from feedsim.hub.departures import Departures, Undrained

if TYPE_CHECKING:
    from feedsim.hub.audience import Audience


class Sink(Protocol):
    """Where one client's bytes go."""

    on_closing: Callable[[], None]
    """Called before anything that is written would be ignored; whoever keeps `write` then lets go of it."""

    @property
    def write(self) -> Callable[[bytes], None]:
        """Hand over whole frames; ignored once the connection is closing."""
        ...

    def buffered(self) -> int:
        """Bytes handed over that the kernel has not taken yet."""
        ...

    async def drain(self) -> None:
        """Return when more may be written. Raises ConnectionError when the connection is lost."""
        ...

    def close(self, code: int, reason: str) -> None: ...


class Cursor:
    """One client's place in the session: it has got everything of its subscription up to `seq`."""

    __slots__ = (
        "_seq",
        "audience",
        "catching_up",
        "closed",
        "departures",
        "lost",
        "sink",
        "undrained",
        "waiting",
        "wants_snapshot",
    )

    def __init__(self, sink: Sink, audience: Audience, seq: int) -> None:
        self.sink = sink
        self.audience = audience
        self._seq = seq
        self.catching_up = False
        """A task is bringing it from `seq` to the head; `publish` leaves it alone meanwhile."""
        self.lost: dict[int, int] = {}
        """First missing n by stream, once the ring has dropped what this client had not got."""
        self.wants_snapshot = False
        self.waiting: list[msgspec.Struct] = []
        """Messages for when it is at the head again."""
        self.closed = False
        self.departures: Departures | None = None
        """Of what it got at another time than the others: when it was behind, or conflates."""
        self.undrained: Undrained | None = None
        """The last stretch in which its connection did not take all."""

    @property
    def seq(self) -> int:
        return self.audience.head if self in self.audience.flowing else self._seq

    @seq.setter
    def seq(self, seq: int) -> None:
        self.step_aside()
        self._seq = seq

    def step_aside(self) -> None:
        """Be looked at from now on at each write."""
        self.audience.set_aside(self)

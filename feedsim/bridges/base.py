"""What the application has of every bridge: its name, what it counts, its start and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class BridgeCounts:
    """Totals of one bridge since it started, but for `clients`, which are here now."""

    clients: int = 0
    sent: int = 0
    """Messages, lines or records."""
    bytes: int = 0
    conflated: int = 0
    """Not sent because something newer of their kind was."""
    delayed: int = 0
    """Sent later than they were told."""
    skipped: int = 0
    """Not sent at all; whoever reads can see that, as the protocol says it."""
    refused: int = 0
    """Connections and requests."""


class Bridge(Protocol):
    """One more way in which a session is followed. It attaches itself when it starts."""

    @property
    def name(self) -> str: ...

    @property
    def counts(self) -> BridgeCounts: ...

    @property
    def greeting(self) -> str:
        """What `feedsim serve` says of it once it has started; empty for nothing."""
        ...

    async def start(self) -> None:
        """Listen, or open files. Raises ConfigError."""
        ...

    async def close(self, reason: str) -> None:
        """Send what is owed, send clients away, let go of everything."""
        ...

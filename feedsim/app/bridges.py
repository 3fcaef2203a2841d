"""The bridges that settings ask for: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings
from feedsim.hub.session import Session

if TYPE_CHECKING:
    from feedsim.bridges.base import Bridge

STDOUT_FD = 1


def open_bridges(settings: ServeSettings, session: Session, *, stop: Callable[[], None]) -> list[Bridge]:
    """Bridges that follow a session once they are started; `stop` ends the server. Raises ConfigError."""
    bridges: list[Bridge] = []
    if settings.stdout:
        from feedsim.bridges.stdout import StdoutBridge

        bridges.append(StdoutBridge(session, fd=STDOUT_FD, on_gone=stop))
    return bridges

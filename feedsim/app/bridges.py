"""The bridges that settings ask for: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings
from feedsim.hub.sessions import Sessions

if TYPE_CHECKING:
    from feedsim.bridges.base import Bridge

STDOUT_FD = 1


def open_bridges(
    settings: ServeSettings, sessions: Sessions, *, stop: Callable[[], None], wall_us: Callable[[], int]
) -> list[Bridge]:
    """Bridges that follow the live session once they are started; `stop` ends the server. Raises ConfigError."""
    bridges: list[Bridge] = []
    if settings.stdout:
        from feedsim.bridges.stdout import StdoutBridge

        bridges.append(StdoutBridge(sessions.live, fd=STDOUT_FD, on_gone=stop))
    if settings.tap_dbn:
        from feedsim.bridges.dbn_files import DbnFiles

        bridges.append(DbnFiles(sessions.live, Path(settings.tap_dbn)))
    if settings.databento is not None:
        from feedsim.bridges.databento.gateway import Gateway

        address = (settings.host, settings.databento)
        bridges.append(Gateway(sessions, address, key=settings.databento_key, wall_us=wall_us))
    return bridges

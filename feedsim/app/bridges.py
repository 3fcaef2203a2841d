"""The bridges that settings ask for: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings
from feedsim.hub.session import Session

if TYPE_CHECKING:
    from feedsim.bridges.base import Bridge

STDOUT_FD = 1


def open_bridges(settings: ServeSettings, session: Session, *, stop: Callable[[], None]) -> list[Bridge]:
    """Bridges that follow a session once they are started; `stop` ends the server. Raises ConfigError."""
    bridges: list[Bridge] = []
    if settings.sierra:
        bridges.append(_sierra(settings, session))
    if settings.stdout:
        from feedsim.bridges.stdout import StdoutBridge

        bridges.append(StdoutBridge(session, fd=STDOUT_FD, on_gone=stop))
    return bridges


def _sierra(settings: ServeSettings, session: Session) -> Bridge:
    from feedsim.bridges.sierra.bridge import SierraBridge
    from feedsim.bridges.sierra.options import Options, charts_of

    options = Options(
        layouts=settings.sierra_layout,
        keys=settings.sierra_keys,
        quirks=frozenset(settings.sierra_quirks),
        charts=charts_of(session.tape.symbols, settings.sierra_charts),
        utc_offset_s=settings.sierra_utc_offset_s,
        pace=settings.sierra_pace,
    )
    return SierraBridge(session, Path(settings.sierra), options)

"""The bridges that settings ask for: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from feedsim.config import ServeSettings
from feedsim.hub.session import Session
from feedsim.hub.sessions import Sessions

if TYPE_CHECKING:
    from feedsim.bridges.base import Bridge

STDOUT_FD = 1


def open_bridges(
    settings: ServeSettings,
    sessions: Sessions,
    *,
    server: str,
    allows: Callable[[str | None], bool],
    stop: Callable[[], None],
    wall_us: Callable[[], int],
) -> list[Bridge]:
    """Bridges that follow the live session once they are started. Raises ConfigError.

    `server` is its name; `allows` says which origins' pages may open a WebSocket; `stop` ends the server.
    """
    session = sessions.live
    bridges: list[Bridge] = []
    if settings.sierra:
        bridges.append(_sierra(settings, session))
    ports = {"ES": settings.dtc_es, "NQ": settings.dtc_nq}
    if any(port is not None for port in ports.values()):
        bridges.append(_dtc(settings, sessions, ports, server=server, allows=allows))
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


def _dtc(
    settings: ServeSettings,
    sessions: Sessions,
    ports: Mapping[str, int | None],
    *,
    server: str,
    allows: Callable[[str | None], bool],
) -> Bridge:
    from feedsim.bridges.dtc.bridge import MOST_CLIENTS, DtcBridge, Settings

    wanted = Settings(
        host=settings.host,
        ports={symbol: port for symbol, port in ports.items() if port is not None},
        server=server,
        token=settings.token or None,
        max_clients=min(settings.max_clients, MOST_CLIENTS),
    )
    came, gone = partial(sessions.subscribed, sessions.live), sessions.unsubscribed
    return DtcBridge(sessions.live, wanted, allows=allows, on_logged_on=came, on_gone=gone)

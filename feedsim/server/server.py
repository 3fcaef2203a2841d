"""The WebSocket server: listens, admits clients up to a limit, serves each until it leaves, drains at the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.typing import Subprotocol

from feedsim.errors import ConfigError
from feedsim.hub.counters import Counters
from feedsim.hub.sessions import Sessions
from feedsim.server.client import Client
from feedsim.server.connection import CLOSE_S, Connection, StampedConnection
from feedsim.server.http import Gate
from feedsim.wire.codec import SUBPROTOCOLS
from feedsim.wire.messages import JSON_SUBPROTOCOL

if TYPE_CHECKING:
    from feedsim.wire.codec import Encoding

AUTH_S = 10.0  # a client that needs a token and does not show it in this time is sent away
STOP_S = CLOSE_S + 1  # within which every connection is closed at the end

log = structlog.get_logger()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What clients may cost."""

    max_clients: int = 2000
    max_message: int = 64 * 1024
    """Bytes of one message from a client."""
    send_buffer: int = 256 * 1024
    """Bytes that the kernel may hold for one client (SO_SNDBUF)."""


class FeedServer:
    """Serves sessions on one port."""

    def __init__(
        self,
        sessions: Sessions,
        gate: Gate,
        *,
        limits: Limits,
        wall_us: Callable[[], int],
        counters: Counters,
    ) -> None:
        self._sessions = sessions
        self._gate = gate
        self._limits = limits
        self._wall_us = wall_us
        self._counters = counters
        self._connections: set[Connection] = set()
        self._server: Server | None = None

    @property
    def clients(self) -> int:
        return len(self._connections)

    def buffered(self) -> list[int]:
        """Bytes that wait for each client in this process."""
        return [connection.buffered() for connection in self._connections]

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that was bound. Raises ConfigError when it cannot be."""
        try:
            self._server = await serve(
                self._handle,
                host,
                port,
                process_request=self._gate.check,
                select_subprotocol=_choose_subprotocol,
                subprotocols=[Subprotocol(name) for name in SUBPROTOCOLS],
                create_connection=StampedConnection,
                compression=None,
                max_size=self._limits.max_message,
                max_queue=4,
                write_limit=(128 * 1024, 32 * 1024),
                ping_timeout=None,  # a client that does not read (a breakpoint in a bot) is its policy's business
                close_timeout=CLOSE_S,
                server_header=None,
            )
        except OSError as error:
            number = error.errno or 0  # asyncio's strerror says it all again; a name that is not known has one below 0
            reason = os.strerror(number) if number > 0 else error.strerror or str(error)
            raise ConfigError(f"cannot listen on {host}:{port}: {reason}", field="port") from None
        for listener in self._server.sockets:
            _bound_send_buffer(listener, self._limits.send_buffer)
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self, code: int, reason: str) -> None:
        """Send every client away and stop listening."""
        for connection in self._connections:
            connection.close(code, reason)
        if self._server is not None:
            self._server.close(close_connections=False)
        waiting = [connection.closed() for connection in self._connections]
        await asyncio.wait_for(asyncio.gather(*waiting), STOP_S)
        if self._server is not None:
            await self._server.wait_closed()

    async def _handle(self, websocket: ServerConnection) -> None:
        assert isinstance(websocket, StampedConnection)
        connection = Connection(websocket)
        if len(self._connections) >= self._limits.max_clients:
            self._counters.on_refused("full")
            await websocket.close(1013, f"full: {self._limits.max_clients} clients are here")
            return
        client = Client(
            connection,
            self._sessions,
            encoding=_encoding(websocket),
            token=self._gate.token,
            authorized=self._gate.authorized(websocket.request),
            wall_us=self._wall_us,
            counters=self._counters,
        )
        self._connections.add(connection)
        try:
            await self._serve(websocket, connection, client)
        except ConnectionClosed:
            pass
        except Exception:
            _fail(websocket, connection)
        finally:
            client.leave()
            await connection.closed()
            self._connections.discard(connection)

    async def _serve(self, websocket: StampedConnection, connection: Connection, client: Client) -> None:
        client.start()
        if not client.authorized:
            asyncio.get_running_loop().call_later(AUTH_S, _end_if_unauthorized, connection, client)

        def take(data: str | bytes) -> bool:
            if connection.closing:
                return True  # nobody hears what it asks
            try:
                return client.receive_now(data)
            except Exception:
                _fail(websocket, connection)
                client.leave()
                return True

        websocket.take = take
        async for data in websocket:
            if not await client.receive(data):
                return
            websocket.dealt_with()


def _fail(websocket: StampedConnection, connection: Connection) -> None:
    """A mistake of ours ends the connection that it was made for, and nobody else's."""
    log.exception("client failed", peer=websocket.remote_address)
    connection.close(1011, "internal error")


def _end_if_unauthorized(connection: Connection, client: Client) -> None:
    if not client.authorized:
        connection.close(1008, "no token was shown")


def _choose_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The client's first choice among ours; JSON for a client that names none."""
    if not offered:
        return None
    for name in offered:
        if name in SUBPROTOCOLS:
            return name
    raise NegotiationError(f"subprotocols here: {', '.join(SUBPROTOCOLS)}")


def _encoding(websocket: ServerConnection) -> Encoding:
    return SUBPROTOCOLS[websocket.subprotocol or JSON_SUBPROTOCOL]


def _bound_send_buffer(listener: object, size: int) -> None:
    """Kernel buffers hide a slow reader; accepted sockets inherit the listener's size."""
    import socket

    set_option = getattr(listener, "setsockopt", None)
    if set_option is not None and isinstance(getattr(listener, "fileno", lambda: None)(), int):
        set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

"""One WebSocket connection as a sink for prebuilt frames.

The `websockets` library owns the handshake, control frames and closing; data frames go past it, straight to the
transport. What this relies on is not documented there (`transport`, `protocol.state`, `drain`), so it is all
in this module, and a test would notice a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import OPEN

from feedsim.playback.pacing import clock_of

CLOSE_S = 3.0  # a client gets this long to take the close and to answer it


class StampedConnection(ServerConnection):
    """Knows when bytes came from the client, on the clock that sessions are paced by."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._now = clock_of(self.loop)
        self.arrived = self._now()

    def data_received(self, data: bytes) -> None:
        self.arrived = self._now()
        super().data_received(data)


class Connection:
    """A `Sink` of the hub. Messages of data never go through the library's own `send`, which may fragment them."""

    def __init__(self, connection: StampedConnection) -> None:
        self._connection = connection
        self._protocol = connection.protocol
        self._write = connection.transport.write
        self.buffered: Callable[[], int] = connection.transport.get_write_buffer_size
        """Bytes handed over that the kernel has not taken yet."""
        self._closing: asyncio.Task[None] | None = None

    @property
    def arrived(self) -> float:
        """When the newest bytes came: seconds of the clock that sessions are paced by."""
        return self._connection.arrived

    def write(self, data: bytes) -> None:
        """Hand over whole frames; ignored once the connection is closing."""
        if self._protocol.state is OPEN:
            self._write(data)

    async def drain(self) -> None:
        """Return when more may be written. Raises ConnectionError when the connection is lost."""
        if self._protocol.state is not OPEN:
            raise ConnectionError("the client is gone")
        await self._connection.drain()

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake; where the client does not take it, the connection is cut after a while."""
        if self._closing is None:
            # A reason must fit a control frame: 125 bytes with its code.
            text = reason.encode()[:123].decode(errors="ignore")
            self._closing = asyncio.get_running_loop().create_task(self._close(code, text))

    async def _close(self, code: int, reason: str) -> None:
        """`websockets` bounds the wait for the answer, but not the one for room to write the close into."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close(code, reason)
        except TimeoutError:
            self._connection.transport.abort()
            await self._connection.wait_closed()

    async def closed(self) -> None:
        """Return when a close that was started is done."""
        if self._closing is not None:
            await asyncio.gather(self._closing, return_exceptions=True)

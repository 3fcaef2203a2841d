"""One WebSocket connection as a sink for prebuilt frames.

The `websockets` library owns the handshake, control frames and closing; data frames go past it, straight to the
transport. What this relies on is not documented there (`transport`, `protocol.state`, `drain`, `process_event`,
`send_data`), so it is all in this module, and a test would notice a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import CLOSED, CLOSING, OPEN, Event

from feedsim.playback.pacing import clock_of

MOST_AT_ONCE = 16  # messages of one read that `take` gets: a flood of them is its own client's trouble only
CLOSE_S = 3.0  # a client gets this long to take the close and to answer it


class StampedConnection(ServerConnection):
    """Knows when bytes came from the client, on the clock that sessions are paced by.

    A message in one frame is offered to `take` as it comes: a turn of the loop earlier than who iterates gets it.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._now = clock_of(self.loop)
        self.arrived = self._now()
        self._waiting = 0
        """Messages that whoever iterates has to deal with, before `take` gets another."""
        self._taken = 0
        """Messages of the newest read that `take` got."""
        self.take: Callable[[str | bytes], bool] = _leave
        """Gets a message; False where it has to wait for its turn. Must not raise."""
        self.on_closing: Callable[[], None] = _ignore
        """Called when the closing handshake has begun or the connection is lost; perhaps more than once."""

    def data_received(self, data: bytes) -> None:
        self.arrived = self._now()
        self._taken = 0
        super().data_received(data)

    def send_data(self) -> None:
        """All that the library sends by itself goes this way, a close too, whatever its cause."""
        super().send_data()
        if self.protocol.state is CLOSING or self.protocol.state is CLOSED:
            self.on_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        try:
            super().connection_lost(exc)
        finally:
            self.on_closing()

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            if not self._waiting and self._taken < MOST_AT_ONCE and event.fin and self._offer(event):
                self._taken += 1
                return
            self._waiting += event.fin
        super().process_event(event)

    def dealt_with(self) -> None:
        """Whoever iterates has dealt with the message that it got."""
        self._waiting -= 1

    def _offer(self, frame: Frame) -> bool:
        if frame.opcode is Opcode.CONT:
            return False
        data = bytes(frame.data)
        try:
            return self.take(data.decode() if frame.opcode is Opcode.TEXT else data)
        except UnicodeDecodeError:  # `websockets` knows the way to end it
            return False


def _leave(_: str | bytes) -> bool:
    return False


def _ignore(_: bytes = b"") -> None:
    """Nothing is written any more."""


class Connection:
    """A `Sink` of the hub. Messages of data never go through the library's own `send`, which may fragment them."""

    def __init__(self, connection: StampedConnection) -> None:
        self._connection = connection
        self._protocol = connection.protocol
        self.write: Callable[[bytes], None] = connection.transport.write
        """Hand over whole frames: the transport's own way, and once the connection is closing one that ignores them."""
        self.on_closing: Callable[[], None] = _ignore
        self.buffered: Callable[[], int] = connection.transport.get_write_buffer_size
        """Bytes handed over that the kernel has not taken yet."""
        self._closing: asyncio.Task[None] | None = None
        connection.on_closing = self._shut
        if self._protocol.state is not OPEN:
            self._shut()

    @property
    def arrived(self) -> float:
        """When the newest bytes came: seconds of the clock that sessions are paced by."""
        return self._connection.arrived

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    def _shut(self) -> None:
        """Nothing may be written behind a close."""
        self.write = _ignore
        self.on_closing()

    async def drain(self) -> None:
        """Return when more may be written. Raises ConnectionError when the connection is lost."""
        if self._protocol.state is not OPEN:
            raise ConnectionError("the client is gone")
        await self._connection.drain()

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake; where the client does not take it, the connection is cut after a while."""
        if self._closing is None:
            self._shut()
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

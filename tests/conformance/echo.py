"""The server's own listener, connections and frames, saying back what it hears: what a conformance suite talks to.

Prints its port, and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from feedsim.hub.counters import Counters
from feedsim.server.connection import Connection, StampedConnection
from feedsim.server.http import Gate
from feedsim.server.server import FeedServer, Limits
from feedsim.wire.codec import Encoding
from feedsim.wire.frames import frame

LARGEST = 1 << 20  # bytes of a message


class EchoServer(FeedServer):
    """Everything of the feed's server but what it says."""

    async def _handle(self, websocket: ServerConnection) -> None:
        assert isinstance(websocket, StampedConnection)
        connection = Connection(websocket)

        def say(data: str | bytes) -> bool:
            encoding: Encoding = "json" if isinstance(data, str) else "msgpack"  # text or binary
            connection.write(frame(data.encode() if isinstance(data, str) else bytes(data), encoding))
            return True

        websocket.take = say
        try:
            async for data in websocket:
                say(data)
                websocket.dealt_with()
        except ConnectionClosed:
            pass


async def main() -> None:
    gate = Gate(pages={}, origins=(), token=None, on_refused=lambda _: None)
    nothing: Any = None
    limits = Limits(max_message=LARGEST)
    server = EchoServer(nothing, gate, limits=limits, wall_us=lambda: 0, counters=Counters())
    sys.stdout.write(f"{await server.start('127.0.0.1', 0)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

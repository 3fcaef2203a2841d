"""A real server in this process on a free port of the loopback, and a client that says exactly what a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from feedsim.app.service import Service
from feedsim.config import ServeSettings

JSON, MSGPACK = Subprotocol("feedsim.v1.json"), Subprotocol("feedsim.v1.msgpack")
LONGEST_S = 20.0  # that any answer may take; only a broken server needs it

Message = dict[str, Any]
Serve = Callable[..., AbstractAsyncContextManager[Service]]


@asynccontextmanager
async def serving(source: str, *, ends: bool = False, **settings: Any) -> AsyncIterator[Service]:
    """A service from start to drain; it is stopped, unless it `ends` by itself."""
    service = Service(ServeSettings(source=source, port=0, **{"bar_tf_s": (60,), **settings}))
    await service.start()
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        if not ends and not running.done():
            service.stop()
        await running
        await service.close()


class Talk:
    """One WebSocket of `websockets`, with messages as dicts."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, op: str, **fields: Any) -> None:
        message = {"op": op, **fields}
        packed = self.socket.subprotocol == MSGPACK
        await self.socket.send(msgpack.packb(message) if packed else json.dumps(message))

    async def receive(self) -> Message:
        async with asyncio.timeout(LONGEST_S):  # before Python 3.12 `wait_for` may swallow that its task is cancelled
            data = await self.socket.recv()
        return dict(json.loads(data) if isinstance(data, str) else msgpack.unpackb(data))

    async def next(self, type: str, **fields: Any) -> Message:
        """The next message of a type with these fields; others are passed over."""
        while True:
            message = await self.receive()
            if message["type"] == type and all(message[name] == value for name, value in fields.items()):
                return message

    async def ask(self, op: str, **fields: Any) -> Message:
        """Send a request; its answer, whatever its type."""
        await self.send(op, id=77, **fields)
        while True:
            message = await self.receive()
            if message.get("id") == 77:
                return message

    async def events(self, count: int) -> list[Message]:
        """At least the next `count` events."""
        events: list[Message] = []
        while len(events) < count:
            events += (await self.next("events"))["events"]
        return events

    async def rest(self) -> AsyncIterator[Message]:
        """All messages until the connection is closed."""
        with suppress(ConnectionClosed):
            while True:
                yield await self.receive()

    async def closed(self) -> tuple[int, str]:
        """Read to the end: the close code and reason."""
        async for _ in self.rest():
            pass
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


@asynccontextmanager
async def talking(service: Service, **options: Any) -> AsyncIterator[Talk]:
    """A connection that has been welcomed."""
    options = {"subprotocols": [JSON], "compression": None, "proxy": None, "max_queue": None, **options}
    async with connect(f"ws://127.0.0.1:{service.port}", **options) as socket:
        yield Talk(socket)

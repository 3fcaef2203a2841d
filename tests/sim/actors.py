"""Clients that behave as clients do: they read, stall, drop the line, come back, and write down what they were told."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from feedsim.events import Event
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, SUBPROTOCOLS, Encoding

NAME_OF = {encoding: Subprotocol(name) for name, encoding in SUBPROTOCOLS.items()}
HOST, PORT = "127.0.0.1", 8765

Stream = tuple[Any, ...]
"""(channel, symbol), and the length of bars and footprints."""
Cut = Literal["reset", "closed", "abandoned"]
"""How a line ends: cut at once, shut by the client's system, or left open without anybody who reads it."""


def stream_of(event: Event) -> Stream:
    channel, length = str(type(event).__struct_config__.tag), getattr(event, "tf_s", 0)
    return (channel, event.symbol, length) if length else (channel, event.symbol)


async def join(encoding: Encoding) -> ClientConnection:
    """A connection that takes little ahead of being read."""
    options: dict[str, Any] = {"compression": None, "proxy": None, "max_queue": 2, "ping_interval": None}
    return await connect(f"ws://{HOST}:{PORT}", subprotocols=[NAME_OF[encoding]], **options)


@dataclass
class Diary:
    """What one client was told, in order: events by epoch, and per stream which n it got or was told that it lost."""

    events: dict[int, list[Event]] = field(default_factory=dict)
    spans: dict[tuple[int, Stream], list[tuple[int, int, bool]]] = field(default_factory=dict)
    """(first n, last n, whether it was lost)."""
    joined: dict[int, int] = field(default_factory=dict)
    """By epoch: everything after this seq is owed."""
    resumed: int = 0
    dropped: int = 0
    skipped: int = 0
    lines: list[bytes] = field(default_factory=list)
    """Every message and when it came, to compare two runs."""
    ended: m.ReplayState | None = None

    def take(self, epoch: int, event: Event) -> None:
        self.events.setdefault(epoch, []).append(event)
        self._span(epoch, stream_of(event), event.n, event.n, lost=False)

    def lose(self, epoch: int, skipped: m.Skipped) -> None:
        self.skipped += 1
        self._span(epoch, tuple(skipped.stream), skipped.first_n, skipped.last_n, lost=True)

    def _span(self, epoch: int, stream: Stream, first: int, last: int, *, lost: bool) -> None:
        spans = self.spans.setdefault((epoch, stream), [])
        if spans and spans[-1][2] is lost and spans[-1][1] == first - 1:
            first = spans.pop()[0]
        spans.append((first, last, lost))


@dataclass
class Actor:
    """One client. `stall_s` and `away_s` are how long it does not read, or is gone, each time it does that."""

    name: str
    rng: random.Random = field(repr=False)
    encoding: Encoding
    subscribe: m.Subscribe
    join_s: float = 0.0
    stall_every_s: float = 0.0
    stall_s: float = 0.0
    drop_every_s: float = 0.0
    away_s: float = 0.0
    cut: Cut = "reset"
    diary: Diary = field(default_factory=Diary, repr=False)
    session_id: str = ""
    epoch: int = 0
    seq: int = 0
    abandoned: list[ClientConnection] = field(default_factory=list, repr=False)

    async def live(self) -> None:
        """Join, and stay until the session is over."""
        await asyncio.sleep(self.join_s)
        while self.diary.ended is None:
            async with self._connected() as connection:
                with suppress(ConnectionClosed):
                    await self._introduce(connection)
                    await self._read(connection)
            if self.diary.ended is None:
                await asyncio.sleep(self.away_s * self.rng.uniform(0.5, 1.5))
        for connection in self.abandoned:
            connection.transport.abort()
            await connection.wait_closed()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        connection = await join(self.encoding)
        try:
            yield connection
        finally:
            self.diary.dropped += self.diary.ended is None
            await self._cut(connection)

    async def _cut(self, connection: ClientConnection) -> None:
        """Nobody says goodbye."""
        if self.cut == "abandoned" and self.diary.ended is None:
            self.abandoned.append(connection)
            return
        if self.cut == "closed":
            connection.transport.close()
        else:
            connection.transport.abort()
        await connection.wait_closed()

    async def _introduce(self, connection: ClientConnection) -> None:
        """Subscribe from now on at first; after a drop, go on behind the last seq."""
        from_seq = self.subscribe.from_seq
        if self.session_id:
            resume = m.Resume(id=1, session_id=self.session_id, epoch=self.epoch, seq=self.seq)
            await self._send(connection, resume)
            if await self._answered(connection, 1):
                from_seq = self.seq
                self.diary.resumed += 1
        request = msgspec.structs.replace(self.subscribe, id=2, from_seq=from_seq)
        await self._send(connection, request)
        assert await self._answered(connection, 2), self.name

    async def _answered(self, connection: ClientConnection, id: int) -> bool:
        """Read up to the answer; whether it was not a refusal."""
        while True:
            message = await self._receive(connection)
            if getattr(message, "id", None) == id:
                return not isinstance(message, m.Error)

    async def _send(self, connection: ClientConnection, request: m.Request) -> None:
        await connection.send(CODECS[self.encoding].encode(request), text=self.encoding == "json")

    async def _read(self, connection: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        stalls, drops = self._times(self.stall_every_s), self._times(self.drop_every_s)
        stall, drop = next(stalls), next(drops)
        while self.diary.ended is None and loop.time() < drop:
            if loop.time() >= stall:
                await asyncio.sleep(self.stall_s * self.rng.uniform(0.5, 1.5))
                stall = next(stalls)
            await self._receive(connection)

    def _times(self, every_s: float) -> Iterator[float]:
        loop = asyncio.get_running_loop()
        while every_s:
            yield loop.time() + every_s * self.rng.uniform(0.5, 1.5)
        yield from itertools.repeat(float("inf"))

    async def _receive(self, connection: ClientConnection) -> msgspec.Struct:
        data = await connection.recv()
        at = asyncio.get_running_loop().time()
        self.diary.lines.append(
            b"%.9f %s %b" % (at, self.name.encode(), data.encode() if isinstance(data, str) else data)
        )
        message = CODECS[self.encoding].decode_message(data)
        self._note(message)
        return message

    def _note(self, message: msgspec.Struct) -> None:
        if isinstance(message, m.Welcome) and not self.session_id:
            self.session_id, self.epoch, self.seq = message.session_id, message.epoch, message.seq
        elif isinstance(message, m.Subscribed):
            self.diary.joined.setdefault(message.epoch, message.seq)
            self.seq = message.seq
        elif isinstance(message, m.Events):
            for event in message.of_the_tape:
                assert event.seq > self.seq, f"{self.name}: seq {event.seq} after {self.seq}"
                self.seq = event.seq
                self.diary.take(self.epoch, event)
        elif isinstance(message, m.Snapshot):
            self.seq = max(self.seq, message.seq)
        elif isinstance(message, m.Skipped):
            self.diary.lose(self.epoch, message)
        elif isinstance(message, m.ReplayState):
            if message.epoch != self.epoch:
                self.epoch, self.seq = message.epoch, 0
                self.diary.joined[message.epoch] = 0
            if message.state == "ended" and message.id is None:
                self.diary.ended = message

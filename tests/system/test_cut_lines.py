"""Lines that are cut in every way a network cuts them: whoever resumes has every event once and in order."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.typing import Subprotocol

from feedsim.events import Event
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS
from tests.support.day import write_day
from tests.support.server import RunningServer, ServerFactory

Cut = Literal["fin", "rst", "half-open"]
CUTS: tuple[Cut, ...] = ("fin", "rst", "half-open")
CLIENTS, CUTS_EACH = 100, 20
SESSION_S = 600
SPEED = {False: 60.0, True: 15.0}
KILLED_SPEED = {False: 150.0, True: 15.0}
KILLS = {False: 1, True: 10}
CODEC = CODECS["msgpack"]
NO_LINGER = struct.pack("ii", 1, 0)

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


@dataclass
class Cutter:
    """A client that is cut off again and again, and goes on after the last seq that it had."""

    port: int
    rng: random.Random
    cuts: int
    events: list[Event] = field(default_factory=list)
    abandoned: list[ClientConnection] = field(default_factory=list)
    session_id: str = ""
    digest: str | None = None
    made: int = 0

    @property
    def seq(self) -> int:
        return self.events[-1].seq if self.events else 0

    async def live(self, share: float) -> None:
        """`share`: events between two cuts, about."""
        while self.digest is None:
            with suppress(ConnectionClosed, OSError, InvalidMessage):
                async with self._connected() as connection:
                    await self._read(connection, self.seq + 1 + round(share * self.rng.uniform(0, 2)))
            await asyncio.sleep(self.rng.uniform(0, 0.05))
        for connection in self.abandoned:
            connection.transport.abort()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        connection = await connect(
            f"ws://127.0.0.1:{self.port}",
            subprotocols=[Subprotocol("feedsim.v1.msgpack")],
            compression=None,
            proxy=None,
            max_queue=2,
            ping_interval=None,
        )
        try:
            yield connection
        finally:
            await self._cut(connection, self.rng.choice(CUTS))

    async def _cut(self, connection: ClientConnection, how: Cut) -> None:
        """FIN or RST by the kernel, without a word of WebSocket; or the line stays open and nobody is there."""
        self.made += 1
        if how == "half-open" and self.digest is None:
            connection.transport.pause_reading()
            self.abandoned.append(connection)
            return
        if how == "rst":
            line = connection.transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.transport.abort()
        await connection.wait_closed()

    async def _read(self, connection: ClientConnection, until: int) -> None:
        await self._introduce(connection)
        cut_here = self.made < self.cuts
        while self.digest is None and not (cut_here and self.seq >= until):
            await self._receive(connection)

    async def _introduce(self, connection: ClientConnection) -> None:
        welcome = await self._receive(connection)
        assert isinstance(welcome, m.Welcome)
        assert self.session_id in ("", welcome.session_id)
        self.session_id = welcome.session_id
        if self.events:
            await self._ask(connection, m.Resume(id=1, session_id=self.session_id, epoch=1, seq=self.seq))
        await self._ask(connection, m.Subscribe(id=2, channels=("*",), from_seq=self.seq))

    async def _ask(self, connection: ClientConnection, request: m.Request) -> None:
        await connection.send(CODEC.encode(request))
        while getattr(answer := await self._receive(connection), "id", None) != request.id:
            pass
        assert not isinstance(answer, m.Error), answer

    async def _receive(self, connection: ClientConnection) -> Any:
        message = CODEC.decode_message(await connection.recv())
        assert not isinstance(message, m.Skipped)
        if isinstance(message, m.Events):
            self.events += message.of_the_tape
        elif isinstance(message, m.ReplayState) and message.state == "ended" and message.id is None:
            self.digest = message.digest
        return message


def check(clients: list[Cutter]) -> None:
    """All have the same events: each once, in order, none missing."""
    longest = max(client.seq for client in clients)
    first = clients[0].events
    for client in clients:
        assert [event.seq for event in client.events] == list(range(1, longest + 1))
        assert client.events == first
    assert len({client.digest for client in clients}) == 1


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(tmp_path_factory.mktemp("day"), seconds=SESSION_S, seed=8)


async def test_a_hundred_clients_are_cut_off_twenty_times(day: Path, full: bool, feedsim_server: ServerFactory) -> None:
    """By FIN, RST, or not at all though nobody is there any more: none lost, none twice, in order."""
    server = feedsim_server(str(day), "--speed", f"{SPEED[full]:g}", "--wait-clients", str(CLIENTS), "--ring-mib", "1")
    clients = [Cutter(server.port, random.Random(seed), CUTS_EACH) for seed in range(CLIENTS)]
    share = SESSION_S * 5 / CUTS_EACH / 2
    await asyncio.gather(*[client.live(share) for client in clients])
    check(clients)
    assert sum(client.made for client in clients) >= CLIENTS * CUTS_EACH


async def test_the_server_is_killed_and_started_again(
    day: Path, full: bool, tmp_path: Path, feedsim_server: ServerFactory
) -> None:
    """kill -9, and on with --continue-tap: clients go on where they were, without a hole and without a repeat."""
    out = str(tmp_path / "out")
    arguments = [str(day), "--speed", f"{KILLED_SPEED[full]:g}", "--wait-clients", "1"]
    server = feedsim_server(*arguments, "--tap", out)
    clients = [Cutter(server.port, random.Random(seed), 3) for seed in range(20)]
    living = asyncio.gather(*[client.live(SESSION_S) for client in clients])
    for kill in range(KILLS[full]):
        await reached(clients, (kill + 1) * 2000 // KILLS[full], living)
        server = await killed_and_continued(server, arguments, out, feedsim_server)
    await living
    check(clients)


async def reached(clients: list[Cutter], seq: int, living: asyncio.Future[Any]) -> None:
    while min(client.seq for client in clients) < seq and not living.done():  # noqa: ASYNC110 # nothing tells of it
        await asyncio.sleep(0.01)


async def killed_and_continued(
    server: RunningServer, arguments: list[str], out: str, start: ServerFactory
) -> RunningServer:
    loop = asyncio.get_running_loop()
    server.killed = True
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    return await loop.run_in_executor(None, lambda: start(*arguments, "--continue-tap", out, port=server.port))

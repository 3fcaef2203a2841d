"""The gateway: one more reader of the live session, and the port on which Databento's clients find it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.databento.answers import Answers
from feedsim.bridges.databento.audience import Audience
from feedsim.bridges.databento.catching_up import CatchingUp, place_in
from feedsim.bridges.databento.client import Client, ReplayWanted
from feedsim.bridges.databento.lines import Subscribe
from feedsim.bridges.databento.tellings import Tellings, Wanted
from feedsim.dbn.layout import (
    HEARTBEAT,
    INVALID_SUBSCRIPTION,
)
from feedsim.dbn.listing import listing_of
from feedsim.dbn.messages import error, metadata, system
from feedsim.dbn.package import databento_dbn
from feedsim.errors import ConfigError, ProtocolError
from feedsim.hub.ring import Block
from feedsim.hub.sessions import Sessions

MAX_CLIENTS = 100
MAX_BUFFERED = 256 * 1024  # bytes that one client may have waiting; what does not fit is told later
SEND_BUFFER = 256 * 1024  # bytes that the kernel may hold for one client
MOST_ANSWERED = 2 << 20  # bytes of answers that may wait for one client
STALL_S = 30.0  # a client that a session at speed max waits for and that takes nothing for so long is disconnected
DRAIN_S = 2.0


class Gateway:
    """Serves the live session of a server; attach it before the session runs."""

    name = "databento"

    def __init__(
        self,
        sessions: Sessions,
        address: tuple[str, int],
        *,
        key: str = "",
        max_clients: int = MAX_CLIENTS,
        wall_us: Callable[[], int],
    ) -> None:
        """`address`: host and port; `key`: the only one that is let in, any if empty.

        Raises ConfigError where the vendor's package is missing.
        """
        databento_dbn()
        self.counts = BridgeCounts()
        self.address = address
        self.key = key
        self.clients: set[Client] = set()
        self.session = session = sessions.live
        tape = session.tape
        self.listing = listing_of(tape.symbols, tape.info.contracts, tape.start_ns, tape.source)
        self._sessions = sessions
        self._max_clients = max_clients
        self._wall_us = wall_us
        self._tellings = Tellings(session, self.listing)
        self._answers = Answers(session, self.listing, self._tellings, now_ns=self.now_ns)
        self._audiences: dict[Wanted, Audience] = {}
        self._catching_up = CatchingUp(
            session.ring,
            self._tellings,
            now_ns=self.now_ns,
            wall_ns=self.wall_ns,
            counts=self.counts,
            settle=self._settle,
            may_skip=self._may_skip,
        )
        self._server: asyncio.Server | None = None
        self._heart: asyncio.Task[None] | None = None
        self._count = 0

    # --------------------------------------------------------------------------------------------------------- life

    @property
    def greeting(self) -> str:
        host, port = self.address
        return f'databento.Live(key=…, gateway="{host}", port={port})'

    async def start(self) -> None:
        """Listen; a port of 0 becomes the one that was bound."""
        loop = asyncio.get_running_loop()
        host, port = self.address
        try:
            self._server = await loop.create_server(self._connect, host, port)
        except OSError as problem:
            number = problem.errno or 0
            reason = os.strerror(number) if number > 0 else str(problem)
            raise ConfigError(f"cannot listen on {host}:{port}: {reason}", field="databento") from None
        for listener in self._server.sockets:
            if isinstance(listener.fileno(), int):
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._heart = loop.create_task(self._beat(), name="feedsim databento heartbeat")
        self.address = (host, int(self._server.sockets[0].getsockname()[1]))
        self.session.follow(self)

    async def close(self, reason: str) -> None:  # noqa: ARG002 # a clean end has no reason in this protocol
        """End every stream in order and stop listening."""
        self.session.unfollow(self)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._catching_up.settled()
        if self._heart is not None:
            self._heart.cancel()
        await self._catching_up.stop()
        if self._server is not None:
            self._server.close()
        for client in list(self.clients):
            client.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await asyncio.gather(*(client.gone.wait() for client in list(self.clients)))
        for client in list(self.clients):
            client.reset()

    def _connect(self) -> Client:
        self._count += 1
        return Client(self, str(self._count))

    async def _beat(self) -> None:
        """A heartbeat for every stream on which nothing was sent for as long as its client said."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1.0)
            for client in list(self.clients):
                idle_s = loop.time() - client.last_sent_s
                if client.started and not client.buffered() and idle_s >= client.heartbeat_s:
                    client.write_records(system(HEARTBEAT, "Heartbeat", ts_ns=self.now_ns()))

    # --------------------------------------------------------------------------------------------------------- time

    def wall_ns(self) -> int:
        return self._wall_us() * 1000

    def now_ns(self) -> int:
        """What the session's clock shows, as its clients see it."""
        if self.session.setup.rebase:
            return self.wall_ns()
        return self.session.player.session_ns + self.session.ring.shift_ns

    # ------------------------------------------------------------------------------------------------ being a reader

    def _is_waited_for(self, client: Client) -> bool:
        return client.started and client.auth is not None and client.auth.slow != "skip"

    @property
    def some_wait(self) -> bool:
        return self.session.player.clock.unpaced and any(map(self._is_waited_for, self.clients))

    async def ready(self) -> None:
        for client in [client for client in self.clients if self._is_waited_for(client)]:
            try:
                async with asyncio.timeout(STALL_S):
                    while not client.closed and (client.catching_up or client.is_full):
                        await client.drain()
                        await asyncio.sleep(0)
            except TimeoutError:
                client.reset()
            except ConnectionError:
                pass

    def publish(self, block: Block, lo: int, hi: int) -> None:
        self._tellings.take(block)
        before, head = block.first_seq + lo - 1, block.first_seq + hi - 1
        sent_ns = self.wall_ns()
        for audience in self._audiences.values():
            woven = audience.weave(block)
            rows = woven.rows(lo, hi)
            data = woven.bytes(*rows, sent_ns=sent_ns)
            audience.total += audience.count(block, lo, hi)
            audience.all += woven.count(*rows)
            written = 0
            for client in audience.members:
                if client.catching_up or client.seq != before:
                    self._catching_up.bring_on(client)
                    continue
                if data:
                    if client.buffered() + len(data) > MAX_BUFFERED:
                        client.slow = not self.session.player.clock.unpaced or not self._is_waited_for(client)
                        self._catching_up.bring_on(client)
                        continue
                    client.write(data)
                    written += 1
                client.seq, client.total, client.all = head, audience.total, audience.all
            if written:
                self.counts.sent += written * woven.count(*rows)
                self.counts.bytes += written * len(data)

    def prepare(self, block: Block) -> None:
        """Make the records of what was read ahead, so that they can leave when they are due."""
        if self._audiences and block.first_seq > self.session.ring.head:
            for audience in self._audiences.values():
                audience.weave(block)

    def restart(self) -> None:
        """Whoever is behind has lost the rest of the old one, and hears how much that is."""
        self._tellings.restart()
        for audience in self._audiences.values():
            audience.forget()
            for client in audience.members:
                client.replays.clear()
                if lost := audience.all - client.all:
                    self._catching_up.tell_lost(client, lost, "the session began again")
                client.seq, client.total, client.all = 0, audience.total, audience.all

    def _may_skip(self, client: Client) -> bool:
        skipped = client.audience is not None and bool(client.audience.skipped.schemas)
        return skipped and client.auth is not None and client.auth.slow != "warn"

    # ------------------------------------------------------------------------------------------------ what clients do

    def admit(self, client: Client) -> bool:
        if len(self.clients) >= self._max_clients:
            return False
        self.clients.add(client)
        self.counts.clients = len(self.clients)
        return True

    def refused(self) -> None:
        self.counts.refused += 1

    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        self.counts.clients = len(self.clients)
        self._sessions.unsubscribed(client)
        self._part(client)

    def begin(self, client: Client, subscriptions: list[Subscribe]) -> None:
        """Metadata, then what `subscribe` says, then live from here."""
        client.write(metadata(start_ns=self.now_ns(), stamped=client.stamped))
        client.seq = self.session.ring.head
        self._join(client, Wanted(stamped=client.stamped))
        self.subscribe(client, subscriptions)
        if not client.closed:
            self._sessions.subscribed(self.session, client)

    def subscribe(self, client: Client, subscriptions: list[Subscribe]) -> None:
        try:
            answered = [(wanted, self._answer(client, wanted)) for wanted in subscriptions]
        except ProtocolError as problem:
            self.refused()
            self.refuse(client, problem)
            return
        assert client.audience is not None
        client.joins = client.joins or client.audience.wanted
        replay, since = Wanted(stamped=client.stamped), dict[str, int]()
        for wanted, codes in answered:
            if codes and wanted.schema != "definition":
                client.joins = client.joins.with_(wanted.schema, codes)
                if wanted.start_ns is not None:
                    replay = replay.with_(wanted.schema, codes)
                    since[wanted.schema] = min(since.get(wanted.schema, wanted.start_ns), wanted.start_ns)
        if replay.schemas:
            client.replays.append(ReplayWanted(replay, since, client.seq))
        if not client.catching_up:
            self._settle(client)

    def _answer(self, client: Client, wanted: Subscribe) -> tuple[int, ...]:
        """The codes of the symbols that one subscription found. Raises ProtocolError."""
        codes = tuple(listed.code for listed in self._answers.acknowledge(client, wanted))
        if client.buffered() > MOST_ANSWERED:
            raise ProtocolError("limit_exceeded", "Too many subscriptions at once: their answers are not read")
        return codes

    def refuse(self, client: Client, error_: ProtocolError) -> None:
        if not client.started:
            client.started = True
            client.write(metadata(start_ns=self.now_ns(), stamped=client.stamped))
        client.write_records(error(INVALID_SUBSCRIPTION, error_.message, ts_ns=self.now_ns()))
        client.close()

    # ------------------------------------------------------------------------------------------------------ audiences

    def _settle(self, client: Client) -> None:
        """A client is at the head, or at the place from which its replay is told: now it may get what else it wants."""
        if client.joins is not None:
            self._join(client, client.joins)
            client.joins = None
        if client.replays or client.seq < self.session.ring.head:
            self._catching_up.bring_on(client)

    def _join(self, client: Client, wanted: Wanted) -> None:
        self._part(client)
        if wanted not in self._audiences:
            self._audiences[wanted] = Audience(wanted, self._tellings)
        place_in(client, self._audiences[wanted], client.seq)

    def _part(self, client: Client) -> None:
        audience, client.audience = client.audience, None
        if audience is not None:
            audience.members.discard(client)
            if not audience.members:
                self._audiences.pop(audience.wanted, None)

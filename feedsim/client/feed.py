"""One subscription over a WebSocket that may be lost: the events in order, and none missing that was not named.

It reconnects with full jitter, resumes where it was, and checks that no stream has a gap that was not named.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from feedsim.client.streams import StreamCounts
from feedsim.client.trading import Trading
from feedsim.errors import FeedsimError, ProtocolError
from feedsim.events import Event
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, SUBPROTOCOLS, Encoding

BACKOFF_S = 0.1  # the first wait is up to this long, each further one up to twice the one before
BACKOFF_MAX_S = 5.0
FINAL_CODES = (1000, 1003, 1008, 1009)  # the server meant it: do not come back
MAX_MESSAGE = 16 * 2**20

_SUBPROTOCOL_OF: dict[Encoding, str] = {encoding: name for name, encoding in SUBPROTOCOLS.items()}


class FeedLost(FeedsimError):  # noqa: N818 # what happened, as users say it
    """The connection is gone and was not to be had again."""


def connect(
    url: str,
    *,
    channels: Sequence[str] = ("*",),
    symbols: Sequence[str] = ("*",),
    tf_s: Sequence[int] | None = None,
    depth: int = 10,
    ts: m.TimeUnit = "ms",
    conflate_ms: int = 0,
    policy: m.Policy | None = None,
    from_seq: int | None = None,
    encoding: Encoding = "msgpack",
    token: str | None = None,
    reconnect: bool = True,
    give_up_s: float = 60.0,
) -> Feed:
    """A feed to enter with `async with`: it subscribes, then yields events in the order of the tape.

    The iteration ends when the session is over; it may be taken up again after a seek. `ts` is the unit of all times.
    `from_seq` starts after that seq instead of now. With `reconnect`, a lost connection is tried again for `give_up_s`
    seconds. Entering raises FeedLost when nobody answers, ProtocolError when the server refuses what is asked for.
    """
    subscribe = m.Subscribe(
        channels=tuple(channels),
        symbols=tuple(symbols),
        tf_s=None if tf_s is None else tuple(tf_s),
        depth=depth,
        ts=ts,
        conflate_ms=conflate_ms,
        policy=policy,
        from_seq=from_seq,
    )
    return Feed(url, subscribe, encoding=encoding, token=token, reconnect=reconnect, give_up_s=give_up_s)


class Feed(Trading):
    """One subscription, and one account, that outlive their connections. For one task at a time."""

    def __init__(
        self,
        url: str,
        subscribe: m.Subscribe,
        *,
        encoding: Encoding,
        token: str | None,
        reconnect: bool,
        give_up_s: float,
    ) -> None:
        super().__init__()
        self.url = url
        self.welcome: m.Welcome
        """What the server said of the session that is attached."""
        self.subscribed: m.Subscribed
        self.heartbeat: m.Heartbeat | None = None
        self.state: m.ReplayState | None = None
        """The newest replay_state: the end of the session, a new epoch, or the answer to a control."""
        self.snapshot: list[Event] = []
        """The newest snapshot: what the session's state was when this feed joined it or was skipped ahead."""
        self.skipped: list[m.Skipped] = []
        """What the server named as lost, because this client was too slow."""
        self.breaks = 0
        """How often the session could not be resumed where it was left; events are missing there."""
        self.epoch = 0
        self.seq = 0
        """The seq up to which this feed has everything that it subscribed to."""
        self.clock_ms = 0
        """In lock-step: where the clock waits for this feed, epoch milliseconds of session time."""
        self.step_ms: int | None = None
        """In lock-step: how far the clock may go at each step; None: as far as the server does by itself."""
        self._must_ack = False
        self.sent_us = 0
        """When the server sent the frame of the event that was yielded last: epoch microseconds of its clock."""
        self._subscribe = subscribe
        self._codec = CODECS[encoding]
        self._subprotocol = Subprotocol(_SUBPROTOCOL_OF[encoding])
        self._token = token
        self._reconnect = reconnect
        self._give_up_s = give_up_s
        self._ids = itertools.count(1)
        self._answers: dict[int, msgspec.Struct] = {}
        self._events: deque[Event | m.AnyPrivate] = deque()
        self._counts = StreamCounts(conflated=bool(subscribe.conflate_ms))
        self._over = False
        """Everything was sent: the session is at its end."""
        self._websocket: ClientConnection | None = None
        self._final: ConnectionClosed | None = None

    # ------------------------------------------------------------------------------------------------ coming, going

    async def __aenter__(self) -> Feed:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the server."""
        if self._websocket is not None:
            await self._websocket.close()

    async def _open(self) -> None:
        """Connect, introduce ourselves, and subscribe from where we were."""
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        try:
            self._websocket = await connect_websocket(
                self.url,
                subprotocols=[self._subprotocol],
                additional_headers=headers,
                compression=None,
                max_size=MAX_MESSAGE,
                max_queue=8,
                proxy=None,
            )
        except (OSError, InvalidHandshake, InvalidURI) as error:
            raise FeedLost(f"{self.url}: {error}") from None
        welcome = await self._receive_type(m.Welcome)
        again = self.epoch != 0
        if again and not await self._resume():
            self.breaks += 1
            self._counts.clear()
            again = False
        if not again:
            self._attach(welcome)
        await self._resubscribe(from_seq=self.seq if again else self._subscribe.from_seq)

    def _attach(self, welcome: m.Welcome) -> None:
        self.welcome = welcome
        self._must_ack = False
        self._begin_account()
        self._over = False
        self.epoch, self.seq = welcome.epoch, welcome.seq

    async def _resume(self) -> bool:
        """Go back to the session of before; False where it is gone."""
        resume = m.Resume(
            session_id=self.welcome.session_id,
            epoch=self.epoch,
            seq=self.seq,
            account=self.welcome.account,
            account_n=self.heard_n,
        )
        try:
            answer = await self._ask(resume)
        except ProtocolError as error:
            if error.code != "resume_too_old":
                raise
            return False
        assert isinstance(answer, m.Welcome)
        if answer.account != self.welcome.account:
            self._begin_account()
        self.welcome = answer
        return True

    async def _resubscribe(self, *, from_seq: int | None) -> None:
        request = msgspec.structs.replace(self._subscribe, from_seq=from_seq)
        try:
            answer = await self._ask(request)
        except ProtocolError as error:
            if error.code != "resume_too_old" or self.seq == 0:
                raise
            self.breaks += 1
            self._counts.clear()
            answer = await self._ask(msgspec.structs.replace(request, from_seq=None))
        assert isinstance(answer, m.Subscribed)
        self.subscribed = answer

    # ------------------------------------------------------------------------------------------------------- events

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while True:
            while not self._events:
                await self._read_on()
            event = self._take_next()
            if isinstance(event, Event):
                return event

    async def everything(self) -> AsyncIterator[Event | m.AnyPrivate]:
        """The events and, as they come, what becomes of this feed's orders, positions and account."""
        with contextlib.suppress(StopAsyncIteration):
            while True:
                while not self._events:
                    await self._read_on()
                yield self._take_next()

    async def batches(self) -> AsyncIterator[list[Event]]:
        """The events as lists: what was sent in one frame."""
        with contextlib.suppress(StopAsyncIteration):
            while True:
                while not self._events:
                    await self._read_on()
                batch = [event for event in self._events if isinstance(event, Event)]
                self._events.clear()
                if batch:
                    self.seen_seq = batch[-1].seq
                    yield batch

    def _take_next(self) -> Event | m.AnyPrivate:
        event = self._events.popleft()
        if isinstance(event, Event):
            self.seen_seq = event.seq
        return event

    async def _read_on(self) -> None:
        """Take one message, over a new connection if need be. Raises StopAsyncIteration at the session's end."""
        if self._final is not None or self._over:
            raise StopAsyncIteration
        try:
            if self._must_ack:
                await self._ack()
            await self._receive()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else 1006
            if code == 1000:
                self._final = closed
            elif code in FINAL_CODES or not self._reconnect:
                reason = closed.rcvd.reason if closed.rcvd is not None else "connection lost"
                raise FeedLost(f"{self.url}: closed with {code}: {reason}") from None
            else:
                await self._come_back()

    async def _come_back(self) -> None:
        """Connect again, waiting a random time that may be longer each time (full jitter)."""
        limit = BACKOFF_S
        try:
            async with asyncio.timeout(self._give_up_s):
                while True:
                    await asyncio.sleep(random.uniform(0, limit))  # noqa: S311 # only spreads load
                    limit = min(limit * 2, BACKOFF_MAX_S)
                    with contextlib.suppress(FeedLost, ConnectionClosed):
                        await self._open()
                        return
        except TimeoutError:
            raise FeedLost(f"{self.url}: no answer for {self._give_up_s:g} s") from None

    async def _receive(self) -> msgspec.Struct:
        assert self._websocket is not None
        message = self._codec.decode_message(await self._websocket.recv())
        self._take(message)
        return message

    async def _receive_type(self, wanted: type[m.Welcome]) -> m.Welcome:
        while not isinstance(message := await self._receive(), wanted):
            pass
        return message

    def _take(self, message: msgspec.Struct) -> None:
        """Keep what a message says."""
        if isinstance(message, m.Events):
            self.sent_us = message.sent
            self._events.extend(event for event in message.events if self._is_new(event))
        elif isinstance(message, m.Heartbeat):
            self.heartbeat = message
        elif isinstance(message, m.Snapshot):
            self.snapshot = list(message.events)
            self.seq = max(self.seq, message.seq)
        elif isinstance(message, m.Stepped):
            self.clock_ms, self._must_ack = message.ts, True
        elif isinstance(message, m.Skipped):
            self.skipped.append(message)
            self._counts.skip(message)
        elif isinstance(message, m.ReplayState):
            self.state = message
            # An answer may overtake events; what is told to all at the end does not.
            self._over = message.state == "ended" and message.id is None
            if message.epoch != self.epoch:
                self.epoch, self.seq = message.epoch, 0
                self._counts.clear()
        identity = getattr(message, "id", None)
        if identity is not None:
            self._answers[identity] = message

    def _is_new(self, event: Event | m.AnyPrivate) -> bool:
        if isinstance(event, Event):
            if is_new := self._counts.is_new(event):
                self.seq = event.seq
            return is_new
        identity = getattr(event, "id", None)
        if identity is not None:
            self._answers[identity] = event
        return self._hear(event)

    # ----------------------------------------------------------------------------------------------------- requests

    async def _ask(self, request: m.Request) -> msgspec.Struct:
        """Send a request and read on until its answer; events that come meanwhile are kept.

        Raises ProtocolError when the server refuses.
        """
        identity = request.id = next(self._ids)
        await self._send(request)
        if self.welcome.lockstep:
            # Where the clock stands an answer that takes session time does not come unless it is let go; the pong tells
            # that one which takes none would be here.
            await self._send(m.Ping(id=(pong := next(self._ids))))
            while pong not in self._answers:
                await self._receive()
            del self._answers[pong]
        while identity not in self._answers:
            if self._must_ack:
                await self._ack()
            await self._receive()
        answer = self._answers.pop(identity)
        if isinstance(answer, m.Error):
            raise ProtocolError(answer.code, answer.message)
        return answer

    async def _send(self, request: m.Request) -> None:
        assert self._websocket is not None
        await self._websocket.send(self._codec.encode(request), text=self._codec.encoding == "json")

    async def _ack(self) -> None:
        """Everything up to now is dealt with."""
        self._must_ack = False
        await self._send(m.Ack(until=None if self.step_ms is None else self.clock_ms + self.step_ms))

    async def history(self, channel: str, symbol: str, *, tf_s: int | None = None, count: int = 500) -> list[Event]:
        """What one stream told before now, oldest first. Raises ProtocolError."""
        request = m.History(channel=channel, symbol=symbol, tf_s=tf_s, count=count, ts=self._subscribe.ts)
        answer = await self._ask(request)
        assert isinstance(answer, m.HistoryAnswer)
        return list(answer.events)

    async def ping(self, *, seen_seq: int | None = None) -> m.Pong:
        """One round trip; with `seen_seq` the server times it as an order that reacts to that event."""
        answer = await self._ask(m.Ping(seen_seq=seen_seq))
        assert isinstance(answer, m.Pong)
        return answer

    async def replay(
        self,
        source: str | None = None,
        *,
        speed: m.Speed = 1.0,
        start: int | None = None,
        end: int | None = None,
        seed: int | None = None,
    ) -> m.Welcome:
        """Open a private session (times in epoch ms) and subscribe to it as before. Raises ProtocolError."""
        answer = await self._ask(m.Replay(source=source, speed=speed, start=start, end=end, seed=seed))
        assert isinstance(answer, m.Welcome)
        self._events.clear()
        self._counts.clear()
        self._attach(answer)
        await self._resubscribe(from_seq=None)
        return answer

    async def control(self, request: m.Control) -> m.ReplayState:
        """Pause, resume, seek … the session, if it is this client's to control. Raises ProtocolError."""
        answer: Any = await self._ask(request)
        assert isinstance(answer, m.ReplayState)
        return answer

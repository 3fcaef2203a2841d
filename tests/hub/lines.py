"""Clients of a session without a network: a line takes bytes as a socket would, and reads them back as messages."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from feedsim.events import Event
from feedsim.hub.counters import Counters
from feedsim.hub.cursor import Cursor
from feedsim.hub.followers import Recorder
from feedsim.hub.session import Session, SessionSetup
from feedsim.playback.pacing import LoopPacer
from feedsim.playback.player import Player
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, Encoding
from feedsim.wire.protocol import Subscription
from tests.support.frames import parsed
from tests.support.memory_source import small_session

CONFIG = TapeConfig(bar_tf_s=(1, 5), footprint_tf_s=(5,), profile_every_s=60)
WALL_US = 1_790_000_000_000_000
LOW_WATER = 32 * 1024

Stream = tuple[Any, ...]


def stream_of(event: Event) -> Stream:
    channel, tf_s = str(type(event).__struct_config__.tag), getattr(event, "tf_s", 0)
    return (channel, event.symbol, tf_s) if tf_s else (channel, event.symbol)


class Line:
    """A `Sink`: what is written is taken at once, or waits while the client is stalled."""

    def __init__(self, encoding: Encoding = "msgpack") -> None:
        self.encoding: Encoding = encoding
        self.writes: list[tuple[float, bytes]] = []
        self.code: int | None = None
        self.lost = False
        self.on_closing: Callable[[], None] = lambda: None
        self._waiting = 0
        self._free = asyncio.Event()
        self._free.set()
        self.most_waiting = 0

    def write(self, data: bytes) -> None:
        if self.code is None:
            self.writes.append((asyncio.get_running_loop().time(), data))
            if not self._free.is_set():
                self._waiting += len(data)
                self.most_waiting = max(self.most_waiting, self._waiting)

    def buffered(self) -> int:
        return self._waiting

    async def drain(self) -> None:
        if self._waiting > LOW_WATER:
            await self._free.wait()
        if self.lost:
            raise ConnectionError("the client is gone")

    def close(self, code: int, reason: str) -> None:  # noqa: ARG002 # a sink's signature
        self.code = code
        self.on_closing()

    def stall(self) -> None:
        self._free.clear()

    def go_on(self) -> None:
        self._waiting = 0
        self._free.set()

    def cut(self) -> None:
        self.lost = True
        self.go_on()

    # ------------------------------------------------------------------------------------------------ what it heard

    @property
    def messages(self) -> list[Any]:
        codec = CODECS[self.encoding]
        return [codec.decode_message(bytes(one.data)) for _, data in self.writes for one in parsed(data)]

    @property
    def events(self) -> list[Event]:
        return [event for message in self.messages if isinstance(message, m.Events) for event in message.of_the_tape]

    def told(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    def spans(self) -> dict[Stream, list[int]]:
        """By stream: every n that it got or was told that it lost, in the order in which it heard."""
        spans: dict[Stream, list[int]] = {}
        for message in self.messages:
            if isinstance(message, m.Events):
                for event in message.of_the_tape:
                    spans.setdefault(stream_of(event), []).append(event.n)
            elif isinstance(message, m.Skipped):
                spans.setdefault(tuple(message.stream), []).extend(range(message.first_n, message.last_n + 1))
        return spans


def subscription(
    *channels: str, symbols: tuple[str, ...] = ("ES", "NQ"), tf_s: tuple[int, ...] | None = None, **options: Any
) -> Subscription:
    """By default in nanoseconds, so that what comes can be compared with the tape."""
    streams = frozenset((channel, symbol) for channel in channels for symbol in symbols)
    return Subscription(streams, None if tf_s is None else frozenset(tf_s), **{"ts": "ns", **options})


EVERYTHING = ("status", "bar", "footprint", "profile", "leadership", "trade", "l1", "l2")


class Hub:
    """A running session; `stop` ends it."""

    def __init__(
        self,
        make_source: Callable[[], Source] = small_session,
        *,
        start_ns: int | None = None,
        ring_bytes: int = 12 * 2**20,
        speed: float = 1.0,
        setup: dict[str, Any] | None = None,
        recorder: Recorder | None = None,
        **player: Any,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.counters = Counters()
        self.session = Session(
            SessionSetup(session_id="live", server="test", ring_bytes=ring_bytes, **(setup or {})),
            lambda: Tape(make_source(), CONFIG, start_ns=start_ns),
            lambda tape: Player(
                tape, LoopPacer(loop), speed=speed, **{"exit_at_end": False, "with_digest": True, **player}
            ),
            wall_us=lambda: WALL_US + round(loop.time() * 1e6),
            counters=self.counters,
            recorder=recorder,
        )
        self.start = asyncio.Event()
        self.start.set()
        self.task = loop.create_task(self.session.run(self.start))

    def join(
        self, wanted: Subscription, *, encoding: Encoding = "msgpack", from_seq: int | None = None
    ) -> tuple[Line, Cursor]:
        """A client that subscribes as the server does it."""
        line = Line(encoding)
        cursor = self.session.readers.attach(line, encoding, Subscription())
        self.session.readers.subscribe(cursor, wanted, from_seq=from_seq)
        self.session.readers.follow(cursor)
        return line, cursor

    async def ended(self) -> None:
        """Return when the session is over and everybody has heard it."""
        while self.session.player.state != "ended":  # noqa: ASYNC110 # time is virtual
            await asyncio.sleep(0.5)
        await asyncio.sleep(5)

    async def stop(self) -> None:
        self.session.close()
        await self.task


def tape_events(make_source: Callable[[], Source] = small_session, *, start_ns: int | None = None) -> list[Event]:
    """The tape itself, times in nanoseconds."""
    tape = Tape(make_source(), CONFIG, start_ns=start_ns)
    for _ in tape.roll_to(tape.start_ns):
        pass
    events: list[Event] = []
    while (chunk := tape.advance(1000)) is not None:
        events += chunk.events()
    return events


UNPACED = math.inf

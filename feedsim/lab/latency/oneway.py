"""How long events take from a server to a client that only listens: from `sent`, as frames say it, to here."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from feedsim.client import FeedLost
from feedsim.errors import ProtocolError
from feedsim.instruments import EXCHANGE_TZ, NS_PER_MS, NS_PER_S, next_rth_open
from feedsim.lab.latency.histogram import Latencies
from feedsim.lab.latency.offset import SAME_CLOCK, Offset, Trip, estimate
from feedsim.lab.latency.result import Result, Series
from feedsim.wire.messages import MSGPACK_SUBPROTOCOL, ClockInfo, Ping, Replay, Speed, Subscribe

ClockChoice = Literal["auto", "same", "ping"]
TRIPS = 40  # before, and after
TRIP_GAP_S = 0.01
MAX_MESSAGE = 16 * 2**20


class _Event(msgspec.Struct):
    type: str


class _Message(msgspec.Struct):
    """Of a message only what matters here."""

    type: str
    id: int | None = None
    sent: int = 0
    events: list[_Event] = []
    stream: list[str | int] | None = None
    first_n: int = 0
    last_n: int = 0
    code: str = ""
    message: str = ""
    state: str = ""
    session_id: str = ""
    clock: ClockInfo | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """When one frame left and came, microseconds of each end's wall clock, and how many events of which channel."""

    sent_us: int
    came_us: int
    channels: dict[str, int]


@dataclass(slots=True)
class Listened:
    """What one client heard."""

    frames: list[Frame] = field(default_factory=list)
    before: list[Trip] = field(default_factory=list)
    after: list[Trip] = field(default_factory=list)
    seconds: float = 0.0
    skipped: int = 0
    """Events that the server named as lost."""
    first_skip_s: float | None = None

    @property
    def events(self) -> int:
        return sum(sum(frame.channels.values()) for frame in self.frames)


class Listener:
    """One connection that times what comes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._decode = msgspec.msgpack.Decoder(_Message).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self.heard = Listened()
        self._began = time.monotonic()
        self._keeps = False

    async def subscribe(self, request: Subscribe) -> None:
        """Raises ProtocolError."""
        request.id = 1
        await self._socket.send(self._encode(request))
        await self._until(partial(_answers, 1))

    async def open_private(self, speed: Speed, *, at_open: bool) -> str:
        """Go to a private session of this server's source; its name. Its clock starts at its first subscription.

        `at_open`: it begins at the regular opening of the day on which the live one is. Raises ProtocolError.
        """
        live, _ = await self._until(_is_welcome)
        assert live.clock is not None
        start = _opening_ms(live.clock.ts) if at_open else None
        await self._socket.send(self._encode(Replay(id=2, speed=speed, start=start)))
        welcome, _ = await self._until(partial(_answers, 2))
        return welcome.session_id

    async def trips(self) -> list[Trip]:
        """Some round trips, one after the other."""
        trips = []
        for index in range(TRIPS):
            await asyncio.sleep(TRIP_GAP_S)
            left_us, wanted = _wall_us(), 100 + index
            await self._socket.send(self._encode(Ping(id=wanted)))
            answer, came_us = await self._until(partial(_answers, wanted))
            trips.append(Trip(left_us, answer.sent, came_us))
        return trips

    async def listen(self, seconds: float) -> None:
        """Keep what comes for so long, or to the session's end."""
        self._keeps, self._began = True, time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._until(_is_the_end)
        except (TimeoutError, ConnectionClosed):
            pass  # what was heard until then holds
        finally:
            self._keeps = False
            self.heard.seconds = time.monotonic() - self._began

    async def _until(self, wanted: Callable[[_Message], bool]) -> tuple[_Message, int]:
        while True:
            data = await self._socket.recv(decode=False)
            came_us = _wall_us()
            message = self._decode(data)
            self._take(message, came_us)
            if message.type == "error":
                raise ProtocolError(message.code, message.message)
            if wanted(message):
                return message, came_us

    def _take(self, message: _Message, came_us: int) -> None:
        if not self._keeps:
            return
        if message.type == "events":
            channels: dict[str, int] = {}
            for event in message.events:
                channels[event.type] = channels.get(event.type, 0) + 1
            self.heard.frames.append(Frame(message.sent, came_us, channels))
        elif message.type == "skipped":
            self.heard.skipped += message.last_n - message.first_n + 1
            if self.heard.first_skip_s is None:
                self.heard.first_skip_s = time.monotonic() - self._began


@asynccontextmanager
async def listening(url: str, *, token: str | None = None) -> AsyncIterator[Listener]:
    """A connection to a server. Raises FeedLost."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        async with connect(
            url,
            subprotocols=[Subprotocol(MSGPACK_SUBPROTOCOL)],
            additional_headers=headers,
            compression=None,
            max_size=MAX_MESSAGE,
            proxy=None,
        ) as socket:
            yield Listener(socket)
    except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
        raise FeedLost(f"{url}: {error}") from None


async def listen(
    url: str,
    *,
    seconds: float,
    channels: Sequence[str] = ("*",),
    symbols: Sequence[str] = ("*",),
    token: str | None = None,
) -> Listened:
    """Listen to a server for some time. Raises FeedLost, ProtocolError."""
    async with listening(url, token=token) as listener:
        await listener.subscribe(Subscribe(channels=tuple(channels), symbols=tuple(symbols), policy="skip"))
        listener.heard.before = await listener.trips()
        await listener.listen(seconds)
        with contextlib.suppress(ConnectionClosed):
            listener.heard.after = await listener.trips()
        return listener.heard


def offset_of(heard: Listened, url: str, choice: ClockChoice) -> tuple[Offset, str]:
    """How the two clocks stand to each other, and in words how that is known."""
    if choice == "same" or (choice == "auto" and _is_this_host(url)):
        return SAME_CLOCK, "both ends read one wall clock"
    offset = estimate(heard.before, heard.after)
    drift = f", drifting {offset.drift * 1e6:+.1f} ppm" if offset.drift else ""
    told = f"the server's clock is {offset.offset_us:+,.0f} µs ahead{drift}, known to ± {offset.error_us:,.0f} µs"
    return offset, f"{told} from {len(heard.before) + len(heard.after)} round trips"


def one_way(heard: Listened, offset: Offset, *, title: str, clock: str) -> Result:
    """What was heard, as series: of all frames, and of the events of each channel."""
    frames, by_channel = Latencies(), dict[str, Latencies]()
    for frame in heard.frames:
        latency_ns = round((frame.came_us - frame.sent_us + offset.at(frame.came_us)) * 1000)
        frames.add(latency_ns)
        for channel, count in frame.channels.items():
            by_channel.setdefault(channel, Latencies()).add(latency_ns, count)
    trips = Latencies()
    for trip in (*heard.before, *heard.after):
        trips.add((trip.back_us - trip.left_us) * 1000)
    series = [
        Series("one_way", "sent to received, frames", frames, drawn=True),
        *(Series(f"channel:{name}", f"  {name}, events", by_channel[name]) for name in sorted(by_channel)),
        Series("round_trip", "ping to pong", trips),
    ]
    about = [f"{heard.events:,} events in {len(heard.frames):,} frames, {heard.seconds:.1f} s", clock]
    notes = [f"{frames.negative:,} frames came before they were sent: the clocks disagree"] if frames.negative else []
    if heard.skipped:
        notes.append(f"{heard.skipped:,} events were skipped, the first after {heard.first_skip_s:.1f} s")
    return Result(title, about, "one_way", series, notes)


def _answers(id: int, message: _Message) -> bool:
    return message.id == id


def _is_welcome(message: _Message) -> bool:
    return message.type == "welcome"


def _opening_ms(now_ms: int) -> int:
    day = datetime.fromtimestamp(now_ms // 1000, EXCHANGE_TZ).replace(hour=0, minute=0, second=0)
    return next_rth_open(int(day.timestamp()) * NS_PER_S) // NS_PER_MS


def _is_the_end(message: _Message) -> bool:
    return message.type == "replay_state" and message.state == "ended"


def _is_this_host(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wall_us() -> int:
    return time.time_ns() // 1000

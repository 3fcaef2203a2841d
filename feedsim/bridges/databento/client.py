"""One client of the gateway: what it says before the start, what it wants, and its place in the session."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import numpy.typing as npt

from feedsim.bridges.databento.audience import Audience
from feedsim.bridges.databento.lines import (
    DEFAULT_HEARTBEAT_S,
    MOST_LINES,
    MOST_SYMBOLS,
    Authentication,
    LineReader,
    Start,
    Subscribe,
    accepted,
    greeting,
    parse_authentication,
    parse_request,
    proves,
    refused,
)
from feedsim.bridges.databento.tellings import Wanted
from feedsim.dbn.weaving import as_words
from feedsim.errors import ProtocolError

AUTH_S = 30.0  # as long as the official client waits
HIGH, LOW = 192 * 1024, 96 * 1024  # bytes that wait in this process: above and below these the writer stops and goes on


class ReplayWanted(NamedTuple):
    """What is told again before the live stream: schemas with their earliest times, up to a seq."""

    wanted: Wanted
    since: dict[str, int]
    until: int


class Host(Protocol):
    """What a client needs of the gateway that it is on."""

    key: str

    def admit(self, client: Client) -> bool:
        """Whether there is room for it."""
        ...

    def begin(self, client: Client, subscriptions: list[Subscribe]) -> None:
        """Start its stream."""
        ...

    def subscribe(self, client: Client, subscriptions: list[Subscribe]) -> None:
        """More for a stream that runs."""
        ...

    def refuse(self, client: Client, error: ProtocolError) -> None:
        """What it asked for cannot be: tell it in its stream, and end that."""
        ...

    def leave(self, client: Client) -> None: ...

    def refused(self) -> None: ...

    def wall_ns(self) -> int: ...


class Client(asyncio.Protocol):
    """A connection. Everything from it is text lines; everything to it after `accepted` is DBN."""

    def __init__(self, host: Host, session_id: str) -> None:
        self.session_id = session_id
        self.audience: Audience | None = None
        self.seq = 0
        """It has got everything that it wants up to here."""
        self.total = 0
        """Of its audience's records that may be skipped, those up to its place."""
        self.all = 0
        """Of all its audience's records, those that it got or was told that it lost."""
        self.catching_up = False
        self.slow = False
        self.started = False
        self.replays: list[ReplayWanted] = []
        self.joins: Wanted | None = None
        """What it wants besides, once it is at the head."""
        self.auth: Authentication | None = None
        self.last_sent_s = 0.0
        self.warned_s = float("-inf")
        self.gone = asyncio.Event()
        self._host = host
        self._challenge = secrets.token_hex(16)
        self._lines = LineReader()
        self._pending: list[Subscribe] = []
        self._symbols = self._asked = 0
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._compress: Callable[[bytes], bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------------------------------------ the connection

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(HIGH, LOW)
        self._writable.set()
        if not self._host.admit(self):
            self._host.refused()
            transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(AUTH_S, self._end_if_unknown)
        transport.write(greeting(self._challenge))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncio's signature
        self._transport = None
        self._writable.set()
        self.gone.set()
        if self._timer is not None:
            self._timer.cancel()
        self._host.leave(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def is_full(self) -> bool:
        """Whether it is better to wait before more is written."""
        return not self._writable.is_set()

    def buffered(self) -> int:
        """Bytes handed over that the kernel has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def drain(self) -> None:
        """Return when more may be written. Raises ConnectionError when the connection is lost."""
        await self._writable.wait()
        if self.closed:
            raise ConnectionError("the client is gone")

    def write(self, data: bytes) -> None:
        """Send bytes of the stream; ignored once the connection is closing."""
        if self._transport is None or self._transport.is_closing() or not data:
            return
        self.last_sent_s = asyncio.get_running_loop().time()
        self._transport.write(data if self._compress is None else self._compress(data))

    def write_records(self, records: npt.NDArray[Any]) -> None:
        """Send records that are about the stream."""
        words = as_words(records, stamped=self.stamped)
        if self.stamped:
            words[:, -1] = self._host.wall_ns()
        self.write(words.tobytes())

    def close(self) -> None:
        """End the stream in order, after what was written."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Cut the connection as a network does: the client sees a reset."""
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    # -------------------------------------------------------------------------------------------------- what it says

    @property
    def heartbeat_s(self) -> int:
        return DEFAULT_HEARTBEAT_S if self.auth is None else self.auth.heartbeat_s

    @property
    def stamped(self) -> bool:
        return self.auth is not None and self.auth.stamped

    def data_received(self, data: bytes) -> None:
        try:
            for line in self._lines.feed(data):
                if self.closed:
                    return
                if self.auth is None:
                    self._authenticate(line)
                else:
                    self._obey(parse_request(line))
        except ProtocolError as error:
            self._host.refused()
            if self.auth is not None:
                self._host.refuse(self, error)
            elif self._transport is not None:
                self._transport.write(refused(error.message))
                self._transport.close()

    def _authenticate(self, line: str) -> None:
        auth = parse_authentication(line)
        key = self._host.key
        if key and not proves(auth.proof, self._challenge, key):
            raise ProtocolError("unauthorized", "Authentication failed: the key is not known here")
        self.auth = auth
        assert self._transport is not None
        self._transport.write(accepted(self.session_id))
        if auth.compressed:
            self._compress = _zstd()

    def _obey(self, request: Subscribe | Start) -> None:
        if isinstance(request, Start):
            if not self.started:
                self.started = True
                whole, self._pending = joined(self._pending)
                self._host.begin(self, whole)
            return
        self._asked += 1
        self._symbols += len(request.symbols)
        if self._asked > MOST_LINES:
            raise ProtocolError("limit_exceeded", f"More than {MOST_LINES} subscriptions in one session")
        if self._symbols > MOST_SYMBOLS:
            raise ProtocolError("limit_exceeded", f"More than {MOST_SYMBOLS} symbols in one session")
        self._pending.append(request)
        if self.started:
            whole, self._pending = joined(self._pending)
            if whole:
                self._host.subscribe(self, whole)

    def _end_if_unknown(self) -> None:
        if self.auth is None and self._transport is not None:
            self._host.refused()
            self._transport.abort()


def joined(lines: list[Subscribe]) -> tuple[list[Subscribe], list[Subscribe]]:
    """Subscriptions whose lines are complete, each as one, and the lines of one that is not."""
    whole: list[Subscribe] = []
    parts: list[Subscribe] = []
    for line in lines:
        parts.append(line)
        if line.is_last:
            symbols = tuple(name for part in parts for name in part.symbols)
            whole.append(
                Subscribe(line.schema, line.stype, symbols, line.start_ns, line.snapshot, line.id, is_last=True)
            )
            parts = []
    return whole, parts


def _zstd() -> Callable[[bytes], bytes]:
    """Each write ends a block, so that nothing waits in the compressor."""
    import zstandard

    stream = zstandard.ZstdCompressor(level=1).compressobj()

    def compress(data: bytes) -> bytes:
        head: bytes = stream.compress(data)
        return head + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    return compress

"""Events as JSON lines on stdout: one more reader of the session, behind a thread that may be blocked by its pipe.

A pipe that is read too slowly loses events as any client does, named by a `skipped` line; at speed max the session
waits for it. A pipe whose reader has gone ends the server quietly.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

import structlog

from feedsim.bridges.base import BridgeCounts
from feedsim.hub.cursor import Cursor
from feedsim.hub.session import Session
from feedsim.wire.protocol import OPT_IN, Subscription

LOW_WATER = 64 * 1024  # bytes that wait for the pipe, below which more is handed over
END_S = 2.0  # for what is owed when the session is over

log = structlog.get_logger()


class Pipe:
    """A `Sink` on a file descriptor. `on_gone` is called once, when nothing can be written to it any more."""

    def __init__(self, fd: int, counts: BridgeCounts, on_gone: Callable[[], None]) -> None:
        self._fd, self._counts, self._on_gone = fd, counts, on_gone
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._buffered = 0
        self._gone = False
        self.on_closing: Callable[[], None] = lambda: None
        self._free, self._idle = asyncio.Event(), asyncio.Event()
        self._free.set()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        # A daemon: a pipe that nobody reads must not keep the process from ending.
        threading.Thread(target=self._run, name="feedsim-stdout", daemon=True).start()

    def write(self, data: bytes) -> None:
        if not self._gone:
            self._buffered += len(data)
            self._queue.put(data)
            self._idle.clear()
            if self._buffered > LOW_WATER:
                self._free.clear()

    def buffered(self) -> int:
        return self._buffered

    async def drain(self) -> None:
        await self._free.wait()
        if self._gone:
            raise ConnectionError("stdout is closed")

    async def flushed(self) -> None:
        """Return when everything is written, or nothing will be."""
        await self._idle.wait()

    def close(self, code: int, reason: str) -> None:
        log.error("stdout gets no more events", reason=reason, code=code)
        self._lose()

    def end(self) -> None:
        """Nothing more will be written."""
        self._queue.put(None)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                left = memoryview(data)
                while left:
                    left = left[os.write(self._fd, left) :]
            except OSError as error:
                self._call(self._failed, error)
                return
            self._call(self._written, data)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(function, *arguments)

    def _written(self, data: bytes) -> None:
        self._buffered -= len(data)
        self._counts.sent += data.count(b"\n")
        self._counts.bytes += len(data)
        if self._buffered <= LOW_WATER:
            self._free.set()
        if not self._buffered:
            self._idle.set()

    def _failed(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            log.error("stdout cannot be written", reason=error.strerror)
        self._lose()

    def _lose(self) -> None:
        if not self._gone:
            self._gone = True
            self._free.set()
            self._idle.set()
            self.on_closing()
            self._on_gone()


class StdoutBridge:
    """Writes all events of a session, but no truth, to a file descriptor."""

    name = "stdout"
    greeting = ""

    def __init__(self, session: Session, *, fd: int, on_gone: Callable[[], None]) -> None:
        self.counts = BridgeCounts()
        self._session, self._fd, self._on_gone = session, fd, on_gone
        self._pipe: Pipe | None = None
        self._cursor: Cursor | None = None

    async def start(self) -> None:
        """Attach to the session: everything that is told from now on is written."""
        offer = self._session.offer(())
        channels = [channel for channel in offer.channels if channel not in OPT_IN]
        streams = frozenset((channel, symbol) for channel in channels for symbol in offer.symbols)
        subscription = Subscription(streams=streams, policy=offer.default_policy)
        self._pipe = Pipe(self._fd, self.counts, self._leave)
        self._cursor = self._session.readers.attach(self._pipe, "lines", subscription)
        self.counts.clients = 1

    def _leave(self) -> None:
        self.counts.clients = 0
        if self._cursor is not None:
            self._session.readers.detach(self._cursor)
        self._on_gone()

    async def close(self, reason: str) -> None:  # noqa: ARG002 # a bridge's signature
        """Let the pipe take what it was handed, if it does so soon."""
        if self._pipe is None or self._cursor is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._pipe.flushed()
        self._pipe.end()
        if not self._cursor.closed:
            self._session.readers.detach(self._cursor)

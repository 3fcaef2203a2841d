"""The tap: records a session as it is told, without ever holding it up or letting a disk's trouble reach it.

`append` only queues; the file work is done in one worker thread. Events are durable at most `flush_s` plus the time of
one write after they were told. Where that fails the tap stops loudly, and the manifest names what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

import structlog

from feedsim.errors import TapError
from feedsim.events import Chunk, Event
from feedsim.recording.manifest import Header
from feedsim.tap.intake import Intake, Item
from feedsim.tap.slices import describe
from feedsim.tap.writer import SEGMENT_BYTES, Writer

log = structlog.get_logger(__name__)

State = Literal["recording", "stopped", "sealed"]

FLUSH_S = 0.25
URGENT_BYTES = 1 << 20  # written at once, without waiting for flush_s
FULL_BYTES = 4 << 20  # a session without a clock waits here
MOST_SEALING = 2  # and while more journals than this wait to be sealed, so that closing never takes long
RETRY_S = 5.0  # between attempts to write the manifest of a tap that stopped
SEGMENT_S = 900.0


class Tap:
    """One recording in the making. Use from one event loop; `run()` must be running, `close()` ends it."""

    def __init__(
        self,
        directory: Path,
        header: Header,
        *,
        continue_: bool = False,
        flush_s: float = FLUSH_S,
        segment_bytes: int = SEGMENT_BYTES,
        segment_s: float = SEGMENT_S,
    ) -> None:
        """Open the folder; with `continue_` recover what is in it and go on after its last event.

        Raises TapError for a folder that cannot be written, is not empty, is in use, or has another session.
        """
        self.directory = directory
        self.state: State = "recording"
        self.flushes = 0
        self._flush_s, self._segment_s = flush_s, segment_s
        self._writer = Writer(directory, header, continue_=continue_, segment_bytes=segment_bytes)
        manifest = self._writer.manifest
        self.session_id = manifest.session_id
        """The header's, or the one of the recording that is continued."""
        epoch, last_seq = self._writer.durable
        self._intake = Intake(
            epoch=epoch,
            last_seq=last_seq,
            last_avail=self._writer.last_avail,
            symbols=manifest.symbols,
            filtered=manifest.filtered,
        )
        self._generation = self._writer.generation
        self._failure: BaseException | None = None
        self._unwritten: list[Item] = []
        """Given to the worker, and not known to be written: whoever waited for that may have been cancelled."""
        self._unsaid = False
        """The manifest does not name what is missing yet."""
        self._closing = False
        self._queued_at = self._rotated_at = 0.0
        self._wake, self._urgent, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._order = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="feedsim-tap")

    # -------------------------------------------------------------------------------------------------- what it says

    @property
    def position(self) -> tuple[int, int]:
        """Epoch and seq of the last event that was taken; (0, 0) before the first."""
        return self._intake.epoch, self._intake.next_seq - 1

    @property
    def durable_seq(self) -> int:
        """All events of the present epoch up to this one are on disk. It stands still at a hole."""
        epoch, seq = self._writer.durable
        if epoch != self._intake.epoch:
            return 0
        frozen = self._intake.frozen_seq
        return seq if frozen is None else min(seq, frozen)

    @property
    def problem(self) -> str | None:
        """Why it stopped."""
        return self._intake.problem

    @property
    def pending_bytes(self) -> int:
        """Told and not on disk yet, about."""
        return self._intake.pending_bytes

    @property
    def full(self) -> bool:
        """Whether who can wait should."""
        behind = self._intake.pending_bytes >= FULL_BYTES or self._writer.sealing > MOST_SEALING
        return behind and self.state == "recording"

    @property
    def rows(self) -> int:
        """On disk, of this run."""
        return self._writer.rows

    @property
    def bytes(self) -> int:
        """Written to journals in this run."""
        return self._writer.bytes

    @property
    def segments(self) -> int:
        """Files sealed so far."""
        return len(self._writer.manifest.segments)

    @property
    def holes(self) -> int:
        """Times that events were missing."""
        return self._intake.holes

    # -------------------------------------------------------------------------------------------------- being told

    def append(self, chunk: Chunk, lo: int, hi: int) -> None:
        """Take the events at positions [lo, hi) of a chunk. Never blocks, never raises.

        Events that the recording has already (after `continue_`) are passed over; a gap becomes a hole.
        """
        self._intake.append(chunk, lo, hi)
        self._notice()

    def append_events(self, epoch: int, events: list[Event]) -> None:
        """Take events that a client received: Structs in seq order, times in nanoseconds. Never blocks, never raises.

        In a recording without a filter they must be all there are: a gap becomes a hole.
        """
        self._intake.append_events(epoch, events)
        self._notice()

    def _notice(self) -> None:
        if self._intake.pending_bytes >= URGENT_BYTES:
            self._urgent.set()
        if self._intake and not self._wake.is_set():
            self._queued_at = asyncio.get_running_loop().time()
            self._wake.set()

    async def ready(self) -> None:
        """Return when it can take more: who has no clock to keep should wait for it."""
        while self.full:
            await self.flush()
            await self._seal_some()

    # ------------------------------------------------------------------------------------------------------ working

    async def run(self) -> None:
        """Write what was queued, in time, until `close()`."""
        while not self._closing:
            if self.state == "stopped":
                await self._wait_stopped()
            elif self._writer.sealing and not self._due():
                await self._seal_some()
            else:
                await self._wait()
                await self.flush()
                await self._seal_some()  # or at a rate that leaves no pause it would never be done
                await self._rotate_if_old()

    async def _seal_some(self) -> None:
        if self._writer.sealing:
            await self._work(self._writer.seal_step)

    async def flush(self) -> None:
        """Return when everything that was told is on disk, or the tap has stopped."""
        async with self._order:
            if self.state != "recording":
                return
            size, items = self._intake.pending_bytes, self._intake.take()
            self._unwritten += items
            self._wake.clear()
            self._urgent.clear()
            try:
                if self._unwritten:
                    await self._do(self._writer.write, items)
                    self._unwritten.clear()
                    self.flushes += 1
            except Exception as error:
                await self._stop(error)
            finally:
                self._intake.written(size)

    async def _work(self, job: Callable[[], None]) -> None:
        async with self._order:
            if self._closed.is_set():
                return
            try:
                await self._do(job)
            except Exception as error:
                await self._stop(error)

    async def _do(self, job: Callable[..., None], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, self._guarded, job, *args)

    def _guarded(self, job: Callable[..., None], *args: object) -> None:
        """In the worker: after a failure nothing more is written, even if nobody waited for its result."""
        if self._failure is not None:
            raise self._failure
        try:
            job(*args)
        except BaseException as error:
            self._failure = error
            raise

    def _due(self) -> bool:
        late = asyncio.get_running_loop().time() >= self._queued_at + self._flush_s
        return self._wake.is_set() and (late or self._urgent.is_set())

    async def _wait(self) -> None:
        """Until what is queued is due to be written."""
        await self._wake.wait()
        delay = self._queued_at + self._flush_s - asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(delay, 0.0)):
                await self._urgent.wait()

    async def _rotate_if_old(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._generation != self._writer.generation:
            self._generation, self._rotated_at = self._writer.generation, now
        elif now - self._rotated_at >= self._segment_s:
            await self._work(self._writer.rotate)
            self._rotated_at = now

    # ------------------------------------------------------------------------------------------- stopping and closing

    async def _stop(self, error: Exception) -> None:
        """The recording ends with what is durable; the feed does not notice."""
        problem = describe(error)
        epoch, seq = durable = self._writer.durable
        log.error(
            "the tap has stopped; the feed goes on without it",
            directory=str(self.directory),
            problem=problem,
            epoch=epoch,
            durable_seq=seq,
            exc_info=None if isinstance(error, (OSError, TapError)) else error,
        )
        self.state = "stopped"
        self._intake.stop(problem, self._unwritten, durable)
        self._unwritten = []
        await self._last_words(self._writer.give_up)
        await self._name_what_is_lost()

    async def _name_what_is_lost(self) -> None:
        self._unsaid = not await self._last_words(self._writer.set_lost, self._intake.lost(ended=False))

    async def _wait_stopped(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_S):
                await self._closed.wait()
        async with self._order:
            if self._unsaid and not self._closed.is_set():
                await self._name_what_is_lost()

    async def _last_words(self, job: Callable[..., None], *args: object) -> bool:
        """Work after the failure, as far as the disk lets us; whether it did."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._worker, job, *args)
        except Exception as error:
            log.error("the recording is left as it is", directory=str(self.directory), problem=describe(error))
            return False
        return True

    async def close(self) -> None:
        """Write and seal everything; the state is then sealed, or stopped where that failed. Never raises."""
        if self._closing:
            return
        self._closing = True
        self._intake.end()
        await self.flush()
        if self.state == "recording":
            await self._work(self._writer.close)
        async with self._order:
            self._closed.set()
            self._wake.set()
            self._urgent.set()
            if self.state == "recording":
                self.state = "sealed"
                self._intake.problem = "the recording is closed"
            else:
                await self._last_words(self._writer.close_given_up, self._intake.lost(ended=True))
        self._worker.shutdown()

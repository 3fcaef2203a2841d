"""The live session as DBN files, one a schema, written in a thread as it is told.

A disk's trouble is never the feed's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import structlog

from feedsim.bridges.base import BridgeCounts
from feedsim.dbn.available import missing
from feedsim.dbn.layout import SCHEMAS
from feedsim.dbn.listing import listing_of
from feedsim.dbn.writing import DbnWriter
from feedsim.errors import ConfigError
from feedsim.events import Chunk
from feedsim.hub.ring import Block
from feedsim.hub.session import Session

LEFT_OUT = ("tbbo", "bbo-1s", "bbo-1m")  # what can be made of the others
FULL_BYTES = 8 << 20  # told and not written yet: who can wait does, who cannot gives up
MOST_BYTES = 64 << 20

log = structlog.get_logger()


class DbnFiles:
    """Writes each chunk when all of it was told."""

    name = "dbn"

    def __init__(self, session: Session, directory: Path) -> None:
        self.counts = BridgeCounts()
        self._session, self._directory = session, directory
        tape = session.tape
        self._listing = listing_of(tape.symbols, tape.info.contracts, tape.start_ns, tape.source)
        there = (schema for schema in SCHEMAS if not missing(schema, tape.channels, tape.config.bar_tf_s))
        self._schemas = [schema for schema in there if schema not in LEFT_OUT]
        self._writers: list[DbnWriter] = []
        self._open: tuple[Chunk, int, int] | None = None
        """A chunk that is being told, and the positions of it that are not written yet."""
        self._pending = 0
        self._stopped = False
        self._room = asyncio.Event()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="feedsim-dbn")

    @property
    def greeting(self) -> str:
        """Where the files are."""
        return f"DBN files in {self._directory}"

    async def start(self) -> None:
        """Make the folder and its files. Raises ConfigError where that cannot be done."""
        try:
            self._directory.mkdir(parents=True)
            self._begin(1)
        except OSError as error:
            raise ConfigError(f"{self._directory}: {error.strerror}", field="tap_dbn") from None
        self._room.set()
        self._session.follow(self)

    def _begin(self, epoch: int) -> None:
        tape = self._session.tape
        suffix = "" if epoch == 1 else f"-epoch{epoch}"
        paths = {schema: self._directory / f"{schema}{suffix}.dbn.zst" for schema in self._schemas}
        self._writers = [
            DbnWriter(path, schema, self._listing, start_ns=tape.start_ns, end_ns=tape.end_ns)
            for schema, path in paths.items()
        ]

    # ------------------------------------------------------------------------------------------------ being a reader

    @property
    def some_wait(self) -> bool:
        """At a pace the disk has to keep up; without one it sets the pace."""
        return self._session.player.clock.unpaced

    def prepare(self, block: Block) -> None:
        """Nothing is written before it is told."""

    def publish(self, block: Block, lo: int, hi: int) -> None:
        if self._open is not None and self._open[0] is not block.chunk:
            self._hand_over()  # an order came in: the rest of what was being told is another chunk now
        first = lo if self._open is None else self._open[1]
        self._open = (block.chunk, first, hi)
        if hi == len(block.chunk):
            self._hand_over()

    def restart(self) -> None:
        self._hand_over()
        self._do(self._change_files, self._session.tape.epoch)

    async def ready(self) -> None:
        await self._room.wait()

    def _hand_over(self) -> None:
        """Have the open chunk written, as far as it was told."""
        if self._open is None:
            return
        chunk, lo, hi = self._open
        self._open = None
        self._pending += chunk.nbytes
        if self._pending > MOST_BYTES:
            self._stop("the disk is too slow")
            return
        if self._pending > FULL_BYTES:
            self._room.clear()
        self._do(self._write, chunk, lo, hi)

    def _do(self, job: Callable[..., int], *arguments: object) -> None:
        if not self._stopped:
            done = asyncio.get_running_loop().run_in_executor(self._worker, job, *arguments)
            done.add_done_callback(self._after)

    def _after(self, done: asyncio.Future[int]) -> None:
        if done.cancelled():
            return
        if error := done.exception():
            self._stop(str(error))
            return
        self._pending -= done.result()
        if self._pending <= FULL_BYTES:
            self._room.set()

    def _stop(self, problem: str) -> None:
        if not self._stopped:
            self._stopped = True
            self._room.set()
            self._session.unfollow(self)
            log.error(
                "no more DBN files are written; the feed goes on", directory=str(self._directory), problem=problem
            )

    # --------------------------------------------------------------------------------------------------- in the thread

    def _write(self, chunk: Chunk, lo: int, hi: int) -> int:
        for writer in self._writers:
            before = writer.rows
            writer.add(chunk, lo, hi)
            self.counts.sent += writer.rows - before
        return chunk.nbytes

    def _change_files(self, epoch: int) -> int:
        self._name_files()
        self._begin(epoch)
        return 0

    def _name_files(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers = []

    def _leave_files(self) -> None:
        """As they are: who looks at them sees that they are not whole."""
        for writer in self._writers:
            writer.leave()
        self._writers = []

    async def close(self, reason: str) -> None:  # noqa: ARG002 # a bridge's signature
        """Write what was told, and give the files their names."""
        if not self._writers:
            return
        self._session.unfollow(self)
        self._hand_over()
        with suppress(OSError):
            end = self._leave_files if self._stopped else self._name_files
            await asyncio.get_running_loop().run_in_executor(self._worker, end)
        self._worker.shutdown(wait=True)

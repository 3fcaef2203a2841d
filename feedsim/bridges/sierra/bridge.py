"""Writes a session into a folder of chart files while it is told. The session never waits for the disk.

Lines are written by one worker thread, batch by batch, as `pacing` lets them. A disk that cannot be written ends the
bridge loudly, and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import structlog

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.due import DueEvents
from feedsim.bridges.sierra.files import Files
from feedsim.bridges.sierra.options import Options
from feedsim.bridges.sierra.pacing import Pacing
from feedsim.bridges.sierra.telling import TOLD, Charts
from feedsim.errors import ConfigError
from feedsim.hub.ring import Block
from feedsim.hub.session import Session

FULL = 500  # trades that wait, at which a session without a clock waits too
AGAIN = 5000  # records that the study writes again when it begins anew
SHORTEST_S = 0.001  # that a batch is waited for: less may be nothing to a loop's clock
END_S = 3.0  # for what waits when the session is over

log = structlog.get_logger()


class SierraBridge:
    """One folder. Start it before the session plays."""

    name = "sierra"

    def __init__(
        self, session: Session, base: Path, options: Options, *, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.counts = BridgeCounts()
        self.options = options
        self._session, self._wall_ns = session, wall_ns
        self._files = Files(base, options)
        self._pacing = Pacing(self.counts, paced=options.pace)
        self._charts = self._new_charts()
        self._due = DueEvents(TOLD)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="feedsim-sierra")
        self._wake, self._room, self._idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self._again_due = False

    def _new_charts(self) -> Charts:
        tape = self._session.tape
        return Charts(self.options, tape.info.contracts, vwap_tf_s=min(tape.config.bar_tf_s, default=0))

    @property
    def greeting(self) -> str:
        return f"writing {', '.join(self.options.layouts)} files to {self._files.base}"

    # ------------------------------------------------------------------------------------------------------------ life

    async def start(self) -> None:
        """Make the files of the session's first day, and follow it. Raises ConfigError."""
        session = self._session
        first_ns = self._wall_ns() if session.setup.rebase else session.tape.start_ns
        try:
            self._files.turn_to(self._files.day_of(first_ns))
            if "again" in self.options.quirks:
                self._files.write_again(AGAIN)
        except OSError as error:
            raise ConfigError(f"{error.filename or self._files.base}: {error.strerror}", field="sierra") from None
        session.follow(self)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="feedsim sierra")

    async def close(self, reason: str) -> None:  # noqa: ARG002 # a bridge's signature
        """Write what waits, if it can be done soon; trades that are left are counted as skipped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._idle.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.counts.skipped += self._pacing.trades  # that are lost with the end
        self._worker.shutdown(wait=False)
        self._files.close()

    # ------------------------------------------------------------------------------------------------------ being told

    @property
    def some_wait(self) -> bool:
        """A session without a clock waits for the files; another never does."""
        return self._session.player.clock.unpaced

    async def ready(self) -> None:
        """Return when no more trades wait than a reader takes in some seconds."""
        while self.some_wait and self._pacing.trades > FULL and self in self._session.followers:
            self._room.clear()
            await self._room.wait()

    def prepare(self, block: Block) -> None:
        """Lines are made when they are due: which ones depends on what waits."""

    def publish(self, block: Block, lo: int, hi: int) -> None:
        for event in self._due.take(block, lo, hi):
            for line in self._charts.lines(event, block.shift_ns):
                self._pacing.offer(line)
        if self._pacing:
            self._idle.clear()
            self._wake.set()

    def restart(self) -> None:
        """The charts begin anew, as after a restart of the study."""
        self._charts = self._new_charts()
        self._again_due = "again" in self.options.quirks

    # ---------------------------------------------------------------------------------------------------------- writing

    async def _run(self) -> None:
        try:
            while True:
                await self._write_next()
        except OSError as error:
            reason = error.strerror or str(error)
            log.error("chart files cannot be written any more", folder=str(self._files.base), reason=reason)
        except Exception:  # our own mistake ends the files, not the session
            log.exception("the chart files failed", folder=str(self._files.base))
        finally:
            self._session.unfollow(self)
            self._idle.set()
            self._room.set()

    async def _write_next(self) -> None:
        """Write a batch, or wait for what there is to write."""
        loop = asyncio.get_running_loop()
        for chart, lost in self._pacing.lost.items():
            self._files.pass_over(chart, lost)
        self._pacing.lost.clear()
        batch = self._pacing.take(loop.time())
        if batch:
            if self._again_due:
                self._again_due = False
                await loop.run_in_executor(self._worker, self._files.write_again, AGAIN)
            await loop.run_in_executor(self._worker, self._files.append, batch)
            self._pacing.written(loop.time())
            self._room.set()
            self.counts.sent += len(batch)
            self.counts.bytes = self._files.bytes
        if not self._pacing:
            self._idle.set()
        self._wake.clear()
        wait_s = self._pacing.next_s(loop.time())
        if wait_s is None:
            await self._wake.wait()
        else:
            await asyncio.sleep(max(wait_s, SHORTEST_S))

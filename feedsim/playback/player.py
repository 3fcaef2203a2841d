"""A tape and a clock: the asynchronous generator that tells events when they are due.

The player obeys (pause, resume, speed, seek, step, stop); it knows nothing of clients. Everything that is due at one
wake-up comes as one `Due`. What is read ahead is read while nothing is due.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from feedsim.events import RANK, Chunk, Digest
from feedsim.instruments import NS_PER_S, session_at
from feedsim.playback.clock import Clock
from feedsim.playback.lookahead import Lookahead
from feedsim.playback.pacing import Pacer
from feedsim.playback.tape import Tape
from feedsim.sources.base import Tables

State = Literal["playing", "paused", "ended"]
Unit = Literal["event", "trade", "bar"]

T = TypeVar("T")

MAX_BURST = 1000  # events told at once
LEAST_ROWS, MOST_ROWS = 256, 4096  # a chunk should last for READ_AHEAD_S at the present rate, within these bounds
READ_AHEAD_S = 0.5
IDLE_S = 0.003  # reading ahead and `on_idle` wait until nothing is due for at least this long


class Due(NamedTuple):
    """The events at positions [lo, hi) of a chunk, now due."""

    chunk: Chunk
    lo: int
    hi: int


def _ignore(*_: object) -> None:
    """Where nobody listens."""


def _all(_chunk: Chunk, _lo: int, hi: int) -> int:
    return hi


class Player:
    """Plays one tape. `play()` may be iterated once."""

    def __init__(
        self,
        tape: Tape,
        pacer: Pacer,
        *,
        speed: float = 1.0,
        coalesce_s: float = 0.0,
        loop: bool = False,
        exit_at_end: bool = True,
        jump_closed: bool = True,
        with_digest: bool = False,
        after_seq: int = 0,
        burst: int = MAX_BURST,
        chunk_rows: int = MOST_ROWS,
        takes_orders: bool = False,
    ) -> None:
        """`after_seq`: the first epoch was told up to here in an earlier run; go on behind it.

        `burst`: events told at once at most; `chunk_rows`: events read at once, about. `takes_orders`: the tape's
        source may be changed by `amend` while it is played.
        """
        self.tape = tape
        self.pacer = pacer
        self.coalesce_s = coalesce_s
        self.loop = loop
        self.exit_at_end = exit_at_end
        self.jump_closed = jump_closed
        self.clock = Clock(tape.start_ns, speed, now=pacer.now())
        self.state: State = "playing"
        self.seq = 0
        """The last seq that was told in this epoch."""
        self.takes_orders = takes_orders
        # Unpaced, a place for every chunk would cost half as much as reading it, whether anybody trades or not.
        self.lookahead = Lookahead(tape, takes_orders=takes_orders, keep_places=not self.clock.unpaced)
        self.lookahead.on_told = self._on_told
        self.on_late: Callable[[float], None] = _ignore
        """Gets the seconds by which each wake-up was late."""
        self.on_restart: Callable[[int], None] = _ignore
        """The session moves: gets the time that the tape goes back (or on) to."""
        self.on_rolled: Callable[[Tables], None] = _ignore
        """Gets what is read silently from there to the epoch's start."""
        self.on_passed: Callable[[Chunk, int], None] = _ignore
        """Gets what an earlier run told: a chunk, and how many of its events."""
        self.on_epoch: Callable[[int], None] = _ignore
        """An epoch begins: gets its number."""
        self.on_end: Callable[[], None] = _ignore
        """Everything is told."""
        self.limit_ns: int | None = None
        """Unpaced, tell nothing from this time on, and wait there until it is moved and the pacer woken."""
        self.on_limit: Callable[[], None] = _ignore
        """Everything before the limit is told."""
        self.on_idle: Callable[[], None] = _ignore
        """Nothing is due for a while: the time for what can wait."""
        self.cut: Callable[[Chunk, int, int], int] = _all
        """Gets what is about to be told; gives the position to tell it up to, lo + 1 at least."""
        self.on_clock: Callable[[], None] = _ignore
        """The clock was stopped or started by a user, or runs at another speed."""
        self._burst, self._chunk_rows = burst, chunk_rows
        self._with_digest = with_digest
        self._digest: Digest | None = Digest() if with_digest else None
        self._goto: tuple[int, str] | None = (tape.start_ns, "")
        self._steps: tuple[int, Unit] | None = None
        self._stopped = False
        self._wakes_at = math.inf
        """When the next event is due that it sleeps for."""
        self._after_seq = after_seq

    # ------------------------------------------------------------------------------------------------------ obeying

    @property
    def epoch(self) -> int:
        return self.tape.epoch

    @property
    def settled(self) -> bool:
        """Whether every seek and step that was asked for is done."""
        return self._goto is None and self._steps is None

    @property
    def session_ns(self) -> int:
        """What the session's clock shows now; before it has begun to run, where it will."""
        if self._goto is not None:
            return self._goto[0]
        return self.clock.session_ns(self.pacer.now())

    @property
    def overdue(self) -> bool:
        """Whether something is due, and the loop has not come to it yet."""
        return self.pacer.now() >= self._wakes_at

    def digest(self) -> str | None:
        """Of everything told in this epoch; None after a seek, since then the epoch is not the session's start."""
        if self._digest is None:
            return None
        digest = self._digest
        chunk, told = self.lookahead.chunk, self.lookahead.position
        if chunk is not None and told:
            digest = digest.copy()
            digest.update(chunk, 0, told)
        return digest.hexdigest()

    def pause(self) -> None:
        if self.state == "playing":
            self.state = "paused"
            self.clock.pause(self.pacer.now())
            self.on_clock()
            self.pacer.wake()

    def resume(self) -> None:
        if self.state == "paused":
            self.state = "playing"
            self._steps = None
            self.clock.resume(self.pacer.now())
            self.on_clock()
            self.pacer.wake()

    def set_speed(self, speed: float) -> None:
        """Raises ValueError unless 0 < speed."""
        self.clock.set_speed(speed, self.pacer.now())
        self.on_clock()
        self.pacer.wake()

    def seek(self, ns: int, reason: str = "seek") -> None:
        """Go to a session time, in a new epoch."""
        self._goto = (ns, reason)
        self._steps = None
        self.pacer.wake()

    def step(self, count: int, unit: Unit) -> None:
        """Pause, and tell the next `count` events, or everything up to the count-th next trade or bar."""
        if self.state == "ended":
            return
        self.pause()
        self._steps = (count, unit)
        self.pacer.wake()

    def stop(self) -> None:
        self._stopped = True
        self.pacer.wake()

    def close(self) -> None:
        """Stop for good, and let go of the pacer's timer."""
        self.stop()
        self.pacer.close()

    def hold(self) -> None:
        """A reader holds the session up: until `release`, the clock stands."""
        self.clock.hold(self.pacer.now())

    def release(self) -> None:
        self.clock.release(self.pacer.now())

    # ------------------------------------------------------------------------------------------------------ playing

    async def play(self) -> AsyncIterator[Due]:
        """Tell what is due, until the end or `stop()`. Raises SourceError when the source's data is wrong."""
        while not self._stopped:
            if self._goto is not None:
                await self._go()
            elif self.state == "ended" or (self.state == "paused" and self._steps is None):
                await self.pacer.sleep_until(None)
            elif (chunk := self.lookahead.current(self._wanted_rows())) is None:
                if self._end():
                    return
            elif due := self._step(chunk) if self.state == "paused" else self._due(chunk):
                yield due
                # Else the loop's other tasks would never get a turn; before a limit the sleep is near.
                if due.hi - due.lo == self._burst or (self.clock.unpaced and self.limit_ns is None):
                    await asyncio.sleep(0)
            elif self.limit_ns is not None:
                self.clock.advance_to(self.limit_ns, self.pacer.now())
                self.on_limit()
                await self.pacer.sleep_until(None)
            else:
                await self._sleep()

    def _due(self, chunk: Chunk) -> Due | None:
        """What the clock has passed."""
        lo = self.lookahead.position
        if self.clock.unpaced:
            hi = min(lo + self._burst, len(chunk))
            if self.limit_ns is not None:
                hi = bisect_left(self.lookahead.times(), self.limit_ns, lo, hi)
            return self._tell(chunk, lo, self.cut(chunk, lo, hi)) if hi > lo else None
        avail = self.lookahead.times()
        now = self.pacer.now()
        deadline = self.clock.deadline(avail[lo]) + self.coalesce_s
        if now < deadline:
            return None
        self.on_late(now - deadline)
        hi = bisect_right(avail, max(self.clock.session_ns(now), avail[lo]), lo, min(lo + self._burst, len(avail)))
        return self._tell(chunk, lo, self.cut(chunk, lo, hi))

    def _step(self, chunk: Chunk) -> Due | None:
        """What the next step covers in this chunk."""
        assert self._steps is not None
        count, unit = self._steps
        lo = self.lookahead.position
        if unit == "event":
            stops = np.arange(lo, min(lo + count, len(chunk)))
        else:
            stops = lo + np.flatnonzero(chunk.rank[lo:] == RANK[unit])[:count]
        hi = self.cut(chunk, lo, int(stops[-1]) + 1 if len(stops) == count else len(chunk))
        left = count - int(np.count_nonzero(stops < hi))
        self._steps = (left, unit) if left else None
        return self._tell(chunk, lo, hi)

    def _tell(self, chunk: Chunk, lo: int, hi: int) -> Due:
        due = Due(chunk, lo, hi)
        if self.lookahead.chunk is chunk:  # else it was amended while it was cut
            self.lookahead.position = hi
        self.seq = chunk.first_seq + hi - 1
        if self.clock.unpaced or self.clock.paused:
            self.clock.advance_to(int(chunk.avail[hi - 1]), self.pacer.now())
        return due

    async def _sleep(self) -> None:
        """Until the next event is due, or for a step of reading ahead if there is time; jump over closed hours."""
        next_ns = self.lookahead.times()[self.lookahead.position]
        if self.jump_closed:
            next_ns = self._jump(next_ns)
        self._wakes_at = deadline = self.clock.deadline(next_ns) + self.coalesce_s
        idle = deadline - self.pacer.now() > IDLE_S
        if idle:
            self.on_idle()
        if idle and self.lookahead.hungry:
            await asyncio.sleep(0)  # what was told just now leaves first, and whoever waits has a turn
            if deadline - self.pacer.now() > IDLE_S:
                self.lookahead.read_on(self._wanted_rows())
        else:
            await self.pacer.sleep_until(deadline)
        self._wakes_at = math.inf

    def _jump(self, next_ns: int) -> int:
        """Move the clock over a closed market; the time to sleep to, which is the close at the latest."""
        now = self.pacer.now()
        at = self.clock.session_ns(now)
        if next_ns - at < NS_PER_S:
            return next_ns
        session = session_at(at)
        if at < session.open_ns:
            self.clock.advance_to(min(next_ns, session.open_ns), now)
            return min(session.close_ns, next_ns)
        return min(next_ns, session.close_ns)

    def _wanted_rows(self) -> int:
        if self.clock.unpaced:
            return self._chunk_rows
        return min(max(int(self.lookahead.rate * self.clock.speed * READ_AHEAD_S), LEAST_ROWS), self._chunk_rows)

    def _on_told(self, chunk: Chunk) -> None:
        if self._digest is not None:
            self._digest.update(chunk)

    def amend(self, ns: int, change: Callable[[int], T]) -> T:
        """Change something in the tape's source at a session time, or at the first that is not told yet.

        What comes behind it is read anew; `change` as for `Lookahead.amend`. Only for a player that `takes_orders`.
        """
        result = self.lookahead.amend(max(ns, self.lookahead.told_ns + 1), change)
        self.pacer.wake()
        return result

    # ------------------------------------------------------------------------------------------------------- epochs

    def _end(self) -> bool:
        """The tape is at its end: loop, leave, or stay for whoever may seek. True to leave."""
        if self.loop and self.seq:
            self.seek(self.tape.start_ns, "loop")
            return False
        self.state = "ended"
        self._steps = None
        close_ns = self.tape.close_ns
        if close_ns is not None:
            self.clock.advance_to(close_ns - 1, self.pacer.now())
        self.clock.pause(self.pacer.now())
        self.on_end()
        return self.exit_at_end

    async def _go(self) -> None:
        """Start an epoch where `_goto` says: from the nearest checkpoint before it, reading silently up to there."""
        goto = self._goto
        assert goto is not None
        ns, reason = max(goto[0], self.tape.info.start_ns), goto[1]
        ahead = self.lookahead
        ahead.settle()
        if not ahead.checkpoints:
            # Before the session's start, perhaps: no seq of any epoch is told from here.
            ahead.checkpoints.append(replace(self.tape.checkpoint(), epoch=0))
        before = [point for point in ahead.checkpoints if point.position_ns <= ns]
        epoch = self.epoch
        if before and (ns < self.tape.position_ns or before[-1].position_ns > self.tape.position_ns):
            self.tape.restore(max(before, key=lambda point: point.position_ns))
        passed = ahead.not_all_told(before_ns=self.tape.position_ns)
        ahead.restart()
        self.on_restart(self.tape.position_ns)
        for tables in passed:
            self.on_rolled(tables)
        for tables in self.tape.roll_to(ns):
            self.on_rolled(tables)
            await asyncio.sleep(0)
        self.tape.open_epoch(epoch + 1 if reason else epoch, reason)
        if self._goto is goto:  # nobody has asked for another time meanwhile
            self._goto = None
        self.seq = 0
        whole = self._with_digest and ns == self.tape.start_ns and reason in ("", "loop")
        self._digest = Digest() if whole else None
        if self.state == "ended":
            self.state = "playing"
            self.clock.resume(self.pacer.now())
        self.clock.restart(ns, self.pacer.now())
        ahead.rows_since = ahead.checkpoint_rows  # an epoch's first chunk can always be gone back to
        self.on_epoch(self.epoch)
        if self._after_seq:
            await self._pass_over()
        if reason:
            ahead.checkpoints = [point for point in ahead.checkpoints if point.position_ns <= ns]

    async def _pass_over(self) -> None:
        """Go to behind the last event of an earlier run; the clock goes on from there."""
        after, self._after_seq = self._after_seq, 0
        while self.seq < after and (chunk := self.lookahead.current(self._wanted_rows())) is not None:
            told = self.lookahead.position = min(after + 1 - chunk.first_seq, len(chunk))
            self.seq = chunk.first_seq + told - 1
            self.on_passed(chunk, told)
            self.clock.restart(int(chunk.avail[told - 1]), self.pacer.now())
            await asyncio.sleep(0)

"""How many events a second: out of a source, and out of an asynchronous generator."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from feedsim.playback.tape import Tape

CHUNK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Rate:
    """Of a stretch of work."""

    events: int
    seconds: float
    session_s: float = 0.0
    """The time in the session that they took."""

    @property
    def per_s(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def ns_per_event(self) -> float:
        return self.seconds * 1e9 / self.events if self.events else 0.0


def tape_rate(tape: Tape, *, budget_s: float) -> Rate:
    """Read a tape for up to `budget_s`, after a first chunk that is not counted: it compiles what must be."""
    tape.skip_to_start()
    tape.advance(CHUNK_ROWS)
    events, first_ns, start = 0, tape.position_ns, time.perf_counter()
    while time.perf_counter() - start < budget_s and (chunk := tape.advance(CHUNK_ROWS)) is not None:
        events += len(chunk)
    return Rate(events, time.perf_counter() - start, (tape.position_ns - first_ns) / 1e9)


async def generator_rate(events: AsyncIterator[object], *, budget_s: float) -> Rate:
    """Take events for up to `budget_s`, after a first one that is not counted; looks at the clock every 1,000."""
    count, start = -1, time.perf_counter()
    async for _ in events:
        count += 1
        if count == 0:
            start = time.perf_counter()
        elif not count % 1000 and time.perf_counter() - start > budget_s:
            break
    return Rate(max(count, 0), time.perf_counter() - start)


async def counting(count: int) -> AsyncIterator[object]:
    """The least that an asynchronous generator can do: the bare cost of `async for`."""
    for index in range(count):
        yield index

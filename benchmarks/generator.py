"""What `async for event in feedsim.replay(…)` costs an event, against an `async for` over a generator that only counts.

The generator adds the clock, one order over all channels, a Struct for each event and the `async for` itself to what
reading the tape costs; both are told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import feedsim
from benchmarks.report import Figure, against, beside
from feedsim.app.generator import CHUNK_ROWS
from feedsim.app.making import make_recording
from feedsim.app.opening import open_tape
from feedsim.config import SourceSettings
from feedsim.lab.rates import counting

MINUTES = 30
ROUNDS = 7  # the best of each counts: what disturbs only adds
TICKS = ("trade", "l1")


class Cost(NamedTuple):
    """Nanoseconds an event."""

    whole: float
    tape: float
    """Reading the tape alone, without a generator and without events."""
    bare: float
    """An `async for` over a generator that counts."""

    @property
    def added(self) -> float:
        return (self.whole - self.tape) / self.bare


def run() -> list[Figure]:
    return asyncio.run(_run())


async def _run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        await make_recording(SourceSettings(minutes=MINUTES), recording)
        ticks = await _measure(str(recording), TICKS)
        everything = await _measure(str(recording), None)
        made = await _measure("synthetic:", TICKS)
    return [
        against(
            "trades and quotes: what the generator adds to its tape, of a bare async for",
            ticks.added,
            4,
            key="generator_vs_bare",
        ),
        beside("  an event: bare, tape, whole", _told(ticks)),
        beside("  the whole, reading a recording included", f"{ticks.whole / ticks.bare:.1f}"),
        beside("all channels of it, with books of ten levels", f"{everything.added:.1f} ({_told(everything)})"),
        beside("trades and quotes, made on the way (synthetic:)", f"{made.added:.1f} ({_told(made)})"),
    ]


def _told(cost: Cost) -> str:
    return f"{cost.bare:.0f}, {cost.tape:.0f}, {cost.whole:.0f} ns"


async def _measure(source: str, channels: tuple[str, ...] | None) -> Cost:
    count = 0
    async for _ in feedsim.replay(source, speed="max", channels=channels, minutes=MINUTES):
        count += 1
    whole, tape, bare = [], [], []
    for _ in range(ROUNDS):
        whole.append(await _time(feedsim.replay(source, speed="max", channels=channels, minutes=MINUTES)))
        bare.append(await _time(counting(count)))
        tape.append(_read(source))
    return Cost(min(whole) / count, min(tape) / count, min(bare) / count)


async def _time(events: AsyncIterator[object]) -> float:
    started = time.process_time_ns()
    async for _ in events:
        pass
    return time.process_time_ns() - started


def _read(source: str) -> float:
    started = time.process_time_ns()
    tape = open_tape(SourceSettings(source=source, minutes=MINUTES))
    while tape.advance(CHUNK_ROWS) is not None:
        pass
    tape.close()
    return time.process_time_ns() - started

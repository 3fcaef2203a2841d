"""What `async for event in feedsim.replay(…)` costs an event, against an `async for` over events that are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import feedsim
from benchmarks.report import Figure, against, beside
from feedsim.app.making import make_recording
from feedsim.config import SourceSettings
from feedsim.events import Event

MINUTES = 30
ROUNDS = 3
TICKS = ("trade", "l1")


def run() -> list[Figure]:
    return asyncio.run(_run())


async def _run() -> list[Figure]:
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        await make_recording(SourceSettings(minutes=MINUTES), recording)
        ticks = await _compare(str(recording), TICKS)
        everything = await _compare(str(recording), None)
        made = await _compare("synthetic:", TICKS)
    return [
        against("trades and quotes of a recording, of a bare async for", ticks[0] / ticks[1], 4),
        beside("  an event, bare", f"{ticks[0]:.0f} ns, {ticks[1]:.0f} ns"),
        beside(
            "all channels (a third is books of ten levels)",
            f"{everything[0] / everything[1]:.1f}, {everything[0]:.0f} ns",
        ),
        beside("synthetic:, made on the way", f"{made[0] / made[1]:.1f}, {made[0]:.0f} ns"),
    ]


async def _compare(source: str, channels: tuple[str, ...] | None) -> tuple[float, float]:
    """Nanoseconds an event: of feedsim.replay, and of a generator that yields the same events from a list."""
    ours: list[float] = []
    bare: list[float] = []
    events = [event async for event in feedsim.replay(source, speed="max", channels=channels, minutes=MINUTES)]
    for _ in range(ROUNDS):
        replay = feedsim.replay(source, speed="max", channels=channels, minutes=MINUTES)
        ours.append(await _time(replay) / len(events))
        bare.append(await _time(_bare(events)) / len(events))
    return min(ours), min(bare)


async def _bare(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def _time(events: AsyncIterator[Event]) -> float:
    started = time.perf_counter_ns()
    async for _ in events:
        pass
    return time.perf_counter_ns() - started

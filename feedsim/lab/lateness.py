"""How late wake-ups come: the loop's plain sleep and the player's pacer against an absolute schedule."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from feedsim.playback.pacing import TimerfdPacer, pacer_for

LEAD_S = 0.02


@dataclass(frozen=True, slots=True)
class Lateness:
    """Of the wake-ups of one schedule."""

    way: str
    p50_s: float
    p99_s: float
    cpu: float
    """Share of a core."""


async def sleep_lateness(*, per_s: float, count: int) -> Lateness:
    """Of `asyncio.sleep` to each deadline."""

    async def until(deadline: float) -> None:
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))

    return await _measured("sleep", until, per_s=per_s, count=count)


async def pacer_lateness(*, per_s: float, count: int) -> Lateness:
    """Of the pacer that a player gets here."""
    pacer = pacer_for(asyncio.get_running_loop())
    way = "timerfd and a spin" if isinstance(pacer, TimerfdPacer) else "the loop's timer"
    try:
        return await _measured(way, pacer.sleep_until, per_s=per_s, count=count)
    finally:
        pacer.close()


async def _measured(way: str, until: Callable[[float], Awaitable[None]], *, per_s: float, count: int) -> Lateness:
    late = []
    start, cpu = time.monotonic() + LEAD_S, time.process_time()
    for index in range(count):
        deadline = start + index / per_s
        await until(deadline)
        late.append(time.monotonic() - deadline)
    cpu = (time.process_time() - cpu) / (time.monotonic() - start + LEAD_S)
    return Lateness(way, quantile(late, 0.5), quantile(late, 0.99), cpu)


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least `share` of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]

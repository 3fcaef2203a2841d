"""Clients that stall beside one that reads, under virtual time: it is told the same bytes at the same moments."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import async_solipsism
import pytest

from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.wire import messages as m
from tests.sim.actors import PORT, Actor
from tests.support.day import write_day

STALLED = 10
DELAY_S = 0.005
START_US = 1_790_000_000_000_000


def told_beside(day: Path, stalled: int) -> list[tuple[float, bytes]]:
    """When and what a client was told that always reads, beside some that do not."""

    async def main() -> Actor:
        loop = asyncio.get_running_loop()
        settings = ServeSettings(source=str(day), port=PORT, speed=20, ring_mib=0.0625, bar_tf_s=(1,), wait_clients=1)
        service = Service(settings, wall_us=lambda: START_US + round(loop.time() * 1e6))
        await service.start()
        running = loop.create_task(service.run())
        actors = [
            Actor(f"{at}", random.Random(at), "json", m.Subscribe(), stall_every_s=2, stall_s=1e6)
            for at in range(stalled)
        ]
        reader = Actor("reader", random.Random(99), "json", m.Subscribe(from_seq=0))
        living = [loop.create_task(actor.live()) for actor in actors]
        await reader.live()
        service.stop()
        await running
        await service.close()
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        return reader

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        reader = runner.run(main())
    lines = (line.partition(b" ") for line in reader.diary.lines)
    return [(float(at), said) for at, _, said in lines if b'"type":"events"' in said]


@pytest.mark.filterwarnings("ignore:delta is less than resolution")
def test_a_stalled_client_delays_nobody(tmp_path: Path) -> None:
    """The same frames with ten stalled clients as without, each within 5 ms of when it came then."""
    day = write_day(tmp_path, seconds=600, seed=4)
    alone, beside = told_beside(day, 0), told_beside(day, STALLED)
    assert len(alone) > 500
    assert sum(said.count(b'"seq"') for _, said in beside) == sum(said.count(b'"seq"') for _, said in alone)
    delays = [after - before for (before, _), (after, _) in zip(alone, beside, strict=True)]
    assert max(delays) <= DELAY_S

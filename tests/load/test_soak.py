"""A thousand clients for a while: memory stands still, and when they are gone everything is as it was."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.load.sinks import Inside, Watched, needs_compiler, sink_program, sinking, watched

__all__ = ["sink_program"]

CLIENTS, SLOW = 1000, 100
MIB = 2**20
SPEED = 4.0
PER_S = 850  # events in a second of session, about
# In events, so that a busy machine is not looked at too early: 20 and 60 s of session, or 2 and 10 min.
WARM_UP, WATCHED = {False: 20 * PER_S, True: 120 * PER_S}, {False: 60 * PER_S, True: 600 * PER_S}
MOST_STRETCHES = {False: 8, True: 3}
MAX_SLOPE = MIB  # a minute of session

pytestmark = [pytest.mark.full, pytest.mark.timeout(300), needs_compiler]


def watch_for(server: Watched, events: int) -> list[Inside]:
    """What it has, every so often until so many events more are told."""
    seen = [server.ask()]
    while seen[-1].published < seen[0].published + events:
        time.sleep(0.25)
        seen.append(server.ask())
    return seen


def slope_of(seen: list[Inside]) -> float:
    """Bytes in a minute of session, without what waits for clients: that is bounded elsewhere, and depends on how busy
    the machine is."""
    minutes = [inside.published / PER_S / 60 for inside in seen]
    slope, _ = np.polyfit(minutes, [inside.rss - inside.buffered for inside in seen], 1)
    return float(slope)


def test_a_thousand_clients(sink_program: Path, full: bool) -> None:
    """A tenth of them slow: beside what waits for them memory comes to rest (1 MiB a minute at most) once their
    sockets are full and each has the task that brings it on; descriptors and tasks are what they were, after.
    """
    with watched(source="synthetic:", speed=SPEED, ring_mib=2, coalesce=100) as server:
        start = server.ask("collect")
        with sinking(sink_program, server.port, healthy=CLIENTS - SLOW, slow=SLOW, stalled=0) as sink:
            watch_for(server, WARM_UP[full])
            slopes: list[float] = []
            while not slopes or (slopes[-1] > MAX_SLOPE and len(slopes) < MOST_STRETCHES[full]):
                seen = watch_for(server, WATCHED[full])
                assert {inside.clients for inside in seen} == {CLIENTS}
                slopes.append(slope_of(seen))
            rows = sink.report()
            sink.leave()
        end = server.ask("collect")
        while end.clients or end.tasks > start.tasks:
            time.sleep(0.1)
            end = server.ask("collect")
    assert [row for row in rows if row.bad] == []
    assert slopes[-1] <= MAX_SLOPE, f"MiB a minute: {[round(slope / MIB, 2) for slope in slopes]}"
    assert (end.tasks, end.descriptors) == (start.tasks, start.descriptors)

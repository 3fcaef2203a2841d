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
SPEED = 2.0
PER_S = 850  # events in a second of session, about
# In events, so that a busy machine is not looked at too early: 70 and 40 s of session, or 2 and 10 min. After about 50 s
# the slow clients' sockets are full and each of them gets a task that brings it on, which is memory, but once.
WARM_UP, WATCHED = {False: 70 * PER_S, True: 120 * PER_S}, {False: 40 * PER_S, True: 600 * PER_S}
MAX_SLOPE = MIB  # a minute of session

pytestmark = [pytest.mark.full, pytest.mark.timeout(300), needs_compiler]


def watch_for(server: Watched, events: int) -> list[Inside]:
    """What it has, every so often until so many events more are told."""
    seen = [server.ask()]
    while seen[-1].published < seen[0].published + events:
        time.sleep(0.25)
        seen.append(server.ask())
    return seen


def test_a_thousand_clients(sink_program: Path, full: bool) -> None:
    """A tenth of them slow: beside what waits for them memory grows by 1 MiB a minute at most; descriptors and tasks
    are what they were, after.
    """
    with watched(source="synthetic:", speed=SPEED, ring_mib=2, coalesce=100) as server:
        start = server.ask("collect")
        with sinking(sink_program, server.port, healthy=CLIENTS - SLOW, slow=SLOW, stalled=0) as sink:
            watch_for(server, WARM_UP[full])
            seen = watch_for(server, WATCHED[full])
            assert {inside.clients for inside in seen} == {CLIENTS}
            rows = sink.report()
            sink.leave()
        end = server.ask("collect")
        while end.clients or end.tasks > start.tasks:
            time.sleep(0.1)
            end = server.ask("collect")
    assert [row for row in rows if row.bad] == []
    minutes = [inside.published / PER_S / 60 for inside in seen]
    # What waits for clients is bounded elsewhere, and how much that is depends on how busy the machine is.
    own = [inside.rss - inside.buffered for inside in seen]
    slope, _ = np.polyfit(minutes, own, 1)
    assert slope <= MAX_SLOPE, f"{slope / MIB:.2f} MiB a minute: {[size // 1024 for size in own]}"
    assert (end.tasks, end.descriptors) == (start.tasks, start.descriptors)

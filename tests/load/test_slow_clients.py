"""Slow clients cost the others nothing, and know to the event what they have lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.load.sinks import Row, needs_compiler, sink_program, sinking, watched

__all__ = ["sink_program"]

HEALTHY, SLOW, STALLED = 170, 20, 10
EVENTS = {False: 60_000, True: 240_000}
SPEED = 4.0  # about 3,500 events a second
RING_MIB = 4

pytestmark = [pytest.mark.full, pytest.mark.timeout(300), needs_compiler]


def last_of_each(rows: list[Row], kind: str) -> dict[tuple[str, str], set[int]]:
    """The last n that the clients of a kind know of, by stream."""
    last: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        if row.kind == kind:
            last.setdefault((row.channel, row.symbol), set()).add(row.last)
    return last


def test_nobody_loses_without_being_told(sink_program: Path, full: bool) -> None:
    """Of 200 clients a tenth reads 1 KiB/s and a twentieth nothing: the healthy ones get every event; for the others,
    received + skipped + what is still to come = published, for each stream, exactly.
    """
    with (
        watched(source="synthetic:", speed=SPEED, ring_mib=RING_MIB, coalesce=10) as server,
        sinking(sink_program, server.port, healthy=HEALTHY, slow=SLOW, stalled=STALLED) as sink,
    ):
        begun = server.ask().published
        while server.ask().published < begun + EVENTS[full]:
            time.sleep(0.5)
        server.ask("pause")
        before = sink.report()
        sink.release()
        while len(latest := set().union(*last_of_each(after := sink.report(), "healthy").values())) > 4 or not all(
            known <= latest for kind in ("slow", "stalled") for known in last_of_each(after, kind).values()
        ):
            time.sleep(0.2)
        assert server.ask().clients == HEALTHY + SLOW + STALLED
    published = {stream: last for stream, [last] in last_of_each(after, "healthy").items()}
    assert len(published) == 4
    for row in after:
        assert row.bad == 0, row
        assert row.last == published[row.channel, row.symbol], row
        assert row.received + row.skipped == row.last - row.first + 1, row
        assert row.skipped == 0 or row.kind != "healthy", row
    behind = [row for row in before if row.kind != "healthy"]
    assert all(row.last < published[row.channel, row.symbol] for row in behind if row.channel == "l1")
    lost = {row.client for row in after if row.skipped}
    assert len(lost) == SLOW + STALLED

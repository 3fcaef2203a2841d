"""The offset of two clocks is known within the error that is told, however the trips were delayed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedsim.lab.latency.offset import Offset, Trip, estimate
from feedsim.lab.latency.oneway import Frame, Listened, one_way

START_US = 1_790_000_000_000_000


def trips(start_us: int, offset_us: int, delays: list[tuple[int, int]]) -> list[Trip]:
    """With a server whose clock is `offset_us` ahead; each there and back takes its own time."""
    found, now = [], start_us
    for there, back in delays:
        found.append(Trip(now, now + there + offset_us, now + there + back))
        now += there + back + 10_000
    return found


DELAYS = st.lists(st.tuples(st.integers(1, 50_000), st.integers(1, 50_000)), min_size=1, max_size=20)
OFFSETS = st.integers(-(10**9), 10**9)


@given(DELAYS, DELAYS, OFFSETS)
def test_a_steady_offset_is_found_within_its_error(
    before: list[tuple[int, int]], after: list[tuple[int, int]], offset_us: int
) -> None:
    """Even where all the delay is on one way."""
    first = trips(START_US, offset_us, before)
    found = estimate(first, trips(START_US + 60_000_000, offset_us, after))
    assert found.drift == 0
    assert abs(found.offset_us - offset_us) <= found.error_us
    assert found.error_us <= min(there + back for there, back in before) / 2 + 1


@given(DELAYS, DELAYS, st.integers(-500, 500))
def test_a_drift_is_followed(before: list[tuple[int, int]], after: list[tuple[int, int]], ppm: int) -> None:
    """At both ends the offset is right within the errors, whether a drift was found or was too small to be."""
    length_us = 600_000_000
    moved = length_us * ppm // 1_000_000
    first, last = trips(START_US, 0, before), trips(START_US + length_us, moved, after)
    found = estimate(first, last)
    error_us = sum(min(trip.error_us for trip in each) for each in (first, last))
    assert abs(found.at(START_US)) <= 2 * error_us + 2000
    assert abs(found.at(START_US + length_us) - moved) <= 2 * error_us + 2000


@given(OFFSETS, st.lists(st.integers(1, 100_000), min_size=1, max_size=30))
def test_one_way_latency_does_not_depend_on_the_offset(offset_us: int, latencies: list[int]) -> None:
    """A server whose clock is ahead says later times; once the offset is taken off, the latencies are the true ones."""
    frames = [
        Frame(START_US + at * 1000 + offset_us, START_US + at * 1000 + latency, {"l1": 2, "trade": 1})
        for at, latency in enumerate(latencies)
    ]
    result = one_way(Listened(frames=frames, seconds=1.0), Offset(0, offset_us, 0.0), title="t", clock="c")
    counts = {series.key: series.latencies.count for series in result.series}
    assert counts == {
        "one_way": len(latencies),
        "channel:l1": 2 * len(latencies),
        "channel:trade": len(latencies),
        "round_trip": 0,
    }
    most_us = result.series[0].latencies.max_ns / 1000
    assert abs(most_us - max(latencies)) <= 0.002 * max(latencies) + 0.001
    assert result.notes == []


def test_clocks_that_disagree_are_noted() -> None:
    """Frames that came before they were sent."""
    heard = Listened(frames=[Frame(START_US, START_US - 10, {"l1": 1})], seconds=1.0)
    assert one_way(heard, Offset(0, 0, 0), title="t", clock="c").notes[0].startswith("1 frames came before")

"""The pace of chart files: never more than a reader takes, no trade lost or passed, the newest of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from feedsim.bridges.base import BridgeCounts
from feedsim.bridges.sierra.lines import Line
from feedsim.bridges.sierra.pacing import MOST, Pacing

WINDOW_S = 0.1

KINDS = ("trade", "quote", "depth 1", "depth 2", "bar")
Offered = list[tuple[float, int, str]]
offers = st.lists(
    st.tuples(st.floats(0, 2), st.integers(3, 4), st.sampled_from(KINDS), st.integers(1, 60)), max_size=60
).map(lambda bursts: sorted((at, chart, kind) for at, chart, kind, count in bursts for _ in range(count)))


def line(number: int, chart: int, kind: str) -> Line:
    """A line whose text is its number."""
    key = None if kind == "trade" else (kind, chart)
    return Line(number, chart, kind, key, str(number), "," if kind in ("trade", "quote") else "")


def written(offered: Offered, pacing: Pacing) -> Iterator[tuple[float, Line]]:
    """What is written and when, by a writer that writes as soon as it may; writing takes a millisecond."""
    now, at = 0.0, 0
    while True:
        while at < len(offered) and offered[at][0] <= now:
            pacing.offer(line(at, *offered[at][1:]))
            at += 1
        batch = pacing.take(now)
        yield from ((now, one) for one in batch)
        if batch:
            now += 0.001
            pacing.written(now)
            continue
        wait_s = pacing.next_s(now)
        waits = [offered[at][0]] if at < len(offered) else []
        waits += [] if wait_s is None else [now + max(wait_s, 1e-6)]
        if not waits:
            return
        now = max(now, min(waits))


@given(offers)
def test_no_window_has_more_than_a_reader_takes(offered: Offered) -> None:
    """Nor has one that begins before a line and ends when it is in the file."""
    times = [at for at, _ in written(offered, Pacing(BridgeCounts(), paced=True))]
    assert all(later - earlier > WINDOW_S for earlier, later in zip(times, times[MOST:], strict=False))


@given(offers)
def test_trades_are_all_written_in_their_order(offered: Offered) -> None:
    """And no quote passes a trade of its chart, in either direction."""
    told = [one for _, one in written(offered, Pacing(BridgeCounts(), paced=True))]
    trades = [one.ns for one in told if one.is_trade]
    assert trades == [number for number, (_, _, kind) in enumerate(offered) if kind == "trade"]
    for chart in (3, 4):
        ticks = [one.ns for one in told if one.is_tick and one.chart == chart]
        assert all(one < two for one, two in pairwise(ticks))


@given(offers)
def test_of_the_rest_the_newest_is_written_and_the_others_are_counted(offered: Offered) -> None:
    """The last line of each kind is the last that was told of it."""
    counts = BridgeCounts()
    told = [one for _, one in written(offered, Pacing(counts, paced=True))]
    newest = {(chart, kind): number for number, (_, chart, kind) in enumerate(offered)}
    assert {(one.chart, one.type): one.ns for one in told} == newest
    assert counts.conflated == len(offered) - len(told)


@given(offers)
def test_without_a_pace_everything_is_written_at_once_in_order(offered: Offered) -> None:
    """Nothing is conflated or delayed."""
    counts = BridgeCounts()
    told = list(written(offered, Pacing(counts, paced=False)))
    assert [one.ns for _, one in told] == list(range(len(offered)))
    assert counts == BridgeCounts()


def test_trades_that_wait_are_counted_once() -> None:
    """120 at once: 50 are written, 70 are delayed, however often the writer looks."""
    counts = BridgeCounts()
    pacing = Pacing(counts, paced=True)
    for number in range(120):
        pacing.offer(line(number, 3, "trade"))
    for now in (0.0, 0.01, 0.02, 0.2, 0.21, 0.4, 0.41):
        pacing.take(now)
        pacing.written(now)
    assert counts.delayed == 70
    assert not pacing


def test_more_trades_than_memory_is_for_are_lost_from_the_oldest() -> None:
    """And counted, by chart, so that the seq can say so."""
    counts = BridgeCounts()
    pacing = Pacing(counts, paced=True, most_trades=100)
    for number in range(130):
        pacing.offer(line(number, 3 + number % 2, "trade"))
    assert pacing.take(0.0)[0].ns == 30
    assert (counts.skipped, pacing.lost) == (30, {3: 15, 4: 15})


def test_quotes_leave_room_for_what_hangs_on_bars() -> None:
    """Quotes of a hundred charts at once do not hold up a bar for long."""
    pacing = Pacing(BridgeCounts(), paced=True)
    for chart in range(100):
        pacing.offer(line(chart, chart, "quote"))
    pacing.offer(line(100, 3, "bar"))
    assert "bar" in [one.type for one in pacing.take(0.0)]


def test_a_quote_that_waits_before_a_trade_gives_way_to_one_behind_it() -> None:
    """So that a burst of both is no more than its trades and one quote."""
    counts = BridgeCounts()
    pacing = Pacing(counts, paced=True)
    for number in range(MOST):
        pacing.offer(line(number, 3, "trade"))
    assert len(pacing.take(0.0)) == MOST
    pacing.written(0.0)
    for number, kind in enumerate(("quote", "trade", "quote", "quote"), MOST):
        pacing.offer(line(number, 3, kind))
    assert pacing.take(0.05) == []
    assert [one.ns for one in pacing.take(0.2)] == [MOST + 1, MOST + 3]
    assert counts.conflated == 2

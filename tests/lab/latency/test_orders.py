"""What rows of orders tell: corrected for what a stall hid, apart by channel, load and window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.lab.latency.histogram import Latencies
from feedsim.lab.latency.orders import study, timed
from feedsim.lab.latency.result import Result
from feedsim.wire.reactions import Reaction, Reactions
from tests.lab.latency.rows import MS, every, order


def corrected(rows: list[Reaction], rate: float | None = None) -> Latencies:
    latencies = Latencies()
    for each in timed(rows, rate=rate):
        each.record(latencies)
    return latencies


def count(result: Result, key: str) -> int:
    series = result.find(key)
    assert series is not None
    return series.latencies.count


@given(st.lists(st.floats(0.01, 9.9), min_size=2, max_size=40))
def test_a_bot_that_never_stalls_is_left_as_it_is(reactions_ms: list[float]) -> None:
    """Faster than its events come: nothing is added."""
    assert corrected(every(10, reactions_ms)).count == len(reactions_ms)


@given(st.integers(2, 300))
def test_a_stall_has_the_orders_that_it_kept_from_coming(steps: int) -> None:
    """A bot that stood still for so many steps, then went on with the newest event: one for each that was due
    meanwhile, by what was left of the stall, as HdrHistogram corrects it."""
    stall_ms = 10.0 * steps
    rows = [
        *every(10, [1.0] * 50),
        order(500, stall_ms),
        *(order(500 + stall_ms + 10 * at, 1.0) for at in range(1, 50)),
    ]
    expected = Latencies()
    for _ in range(99):
        expected.add(1 * MS)
    expected.add_corrected(round(stall_ms * MS), 10 * MS)
    found = corrected(rows, rate=100)
    assert found.count == expected.count == 99 + steps
    assert found.percentiles([50, 90, 99, 100]) == expected.percentiles([50, 90, 99, 100])


@given(st.integers(2, 100))
def test_what_was_answered_late_is_not_added_again(steps: int) -> None:
    """A bot that answers every event after its stall omitted none: its rows have them all already."""
    late = [10.0 * (steps - at) for at in range(steps)]
    rows = every(10, [1.0] * 20 + late + [1.0] * 20)
    assert corrected(rows).count == len(rows)


@given(st.integers(3, 100), st.integers(1, 99))
def test_between_the_two_only_what_is_missing_is_added(steps: int, answered: int) -> None:
    """Some of the events that came during a stall were answered late, the others never."""
    skipped = max(steps - answered, 1)
    rows = [order(0, 10.0 * steps), *(order(10.0 * at, 10.0 * (steps - at) + 1) for at in range(skipped, steps))]
    assert corrected(rows, rate=100).count in (len(rows) + skipped - 1, len(rows) + skipped)


def test_a_stall_that_never_ends_is_seen() -> None:
    """The last order is corrected in full."""
    assert corrected([*every(10, [1.0] * 20), order(200, 1000.0)]).count == 20 + 100


def test_clients_are_corrected_each_by_its_own_rate() -> None:
    """A fast bot next to a slow one does not make the slow one look as if it had missed orders."""
    slow, fast = every(1000, [900.0] * 5, client=1), every(10, [1.0] * 500, client=2)
    assert corrected(slow + fast).count == 505


def test_rows_are_told_apart() -> None:
    """By channel always; by load, window and client where there is more than one; kernel and due where known."""
    rows = [
        *every(10, [1.0] * 5, channel="trade", rate=5000, kernel_ns=None),
        *every(10, [2.0] * 3, client=2, window="news", due_ns=None, kernel_ns=1 * MS, inferred=True),
    ]
    result = study(rows, title="t")
    counts = {series.key: series.latencies.count for series in result.series}
    assert counts == {
        "corrected": 8,
        "measured": 8,
        "bot": 8,
        "kernel": 3,
        "due": 5,
        "channel:l1": 3,
        "channel:trade": 5,
        "load:over_1_000_events_s": 5,
        "load:under_100_events_s": 3,
        "window:news": 3,
        "window:none": 5,
        "client:1": 5,
        "client:2": 3,
    }
    assert {row.bot_ns for row in rows} == {1 * MS}
    assert result.notes == ["3 orders named no event: they are taken to react to the newest that had been sent before"]


def test_the_head_of_a_page_is_told() -> None:
    """What the server has forgotten, and how often buffers were not empty."""
    head = Reactions(
        server="t",
        last_n=30,
        first_n=11,
        wakeups=1000,
        undrained_wakeups=5,
        undrained_s=0.25,
        undrained_longest_s=0.125,
    )
    notes = study(every(10, [1.0] * 20), head=head).notes
    assert "first 10 orders" in notes[0]
    assert notes[1].endswith("5 times in 1,000 wake-ups, 0.250 s in all, 0.125 s at most")


def test_nothing_is_a_result_too() -> None:
    """No orders: no groups, nothing drawn, no error."""
    result = study([])
    assert [count(result, key) for key in ("corrected", "measured", "bot", "kernel", "due")] == [0] * 5
    assert result.drawn == []


@pytest.mark.parametrize(("rate", "words"), [(50.0, "50 orders a second of each client, as asked"), (None, "10.0 ms")])
def test_the_rate_of_the_correction_is_told(rate: float | None, words: str) -> None:
    """As asked, or as found."""
    assert words in study(every(10, [1.0] * 20), rate=rate).about[1]

"""What a feed makes of the messages that it gets, without a connection: order, gaps, loss that is named, epochs."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.client import Feed, GapError, connect
from feedsim.events import L1, Bar, Event, Trade
from feedsim.wire import messages as m
from tests.wire.samples import CLOCK


def feed(**options: Any) -> Feed:
    """As it is once it has subscribed in epoch 1."""
    made = connect("ws://nowhere", **options)
    made.epoch = 1
    return made


def trade(seq: int, n: int, symbol: str = "ES") -> Trade:
    return Trade(seq, n, seq, symbol, 5000.0, 1, 1, seq)


def bar(seq: int, n: int, tf_s: int) -> Bar:
    return Bar(seq, n, seq, "ES", tf_s, None, None, None, None, 0, *(None,) * 8)


def take(made: Feed, *messages: Any) -> list[Event]:
    """The events that come out of some messages."""
    for message in messages:
        made._take(message)
    events = [event for event in made._events if isinstance(event, Event)]
    made._events.clear()
    return events


def told(*events: Any) -> m.Events:
    return m.Events(sent=7, events=list(events))


def skipped(stream: list[Any], first: int, last: int) -> m.Skipped:
    return m.Skipped(stream=stream, first_n=first, last_n=last, reason="slow_consumer")


def state(epoch: int, id: int | None = None, to: m.PlayState = "playing") -> m.ReplayState:
    return m.ReplayState(id=id, state=to, epoch=epoch, seq=0, clock=CLOCK, digest=None)


def test_events_come_in_order_and_count() -> None:
    """Streams are counted by themselves; `seq` is the last one, `sent_us` when its frame was built."""
    made = feed()
    events = [trade(1, 1), trade(2, 1, "NQ"), bar(3, 1, 60), bar(4, 1, 1), trade(5, 2)]
    assert take(made, told(*events[:2]), told(*events[2:])) == events
    assert (made.seq, made.sent_us, made.skipped) == (5, 7, [])


@given(st.integers(0, 2**32))
def test_a_gap_is_never_passed_over(seed: int) -> None:
    """One event left out of any stream: GapError names it, with what was due, when the next one comes."""
    rng = random.Random(seed)
    events: list[Event] = []
    counts: dict[str, int] = {}
    for seq in range(1, 40):
        symbol = rng.choice(["ES", "NQ"])
        counts[symbol] = counts.get(symbol, 0) + 1
        events.append(trade(seq, counts[symbol], symbol))
    gone = rng.randrange(2, 30)
    lost = events.pop(gone)
    later = [event for event in events[gone:] if event.symbol == lost.symbol]
    seen_before = any(event.symbol == lost.symbol for event in events[:gone])
    made = feed()
    if later and seen_before:
        with pytest.raises(GapError) as gap:
            take(made, told(*events))
        assert (gap.value.stream.symbol, gap.value.expected, gap.value.got) == (lost.symbol, lost.n, lost.n + 1)
    else:
        assert len(take(made, told(*events))) == len(events)


def test_what_is_named_as_skipped_is_no_gap() -> None:
    """The stream goes on behind it, and the record is kept for the user."""
    made = feed()
    record = skipped(["trade", "ES"], 2, 5)
    bars = skipped(["bar", "ES", 60], 2, 3)
    events = take(
        made, told(trade(1, 1), bar(2, 1, 60)), record, bars, told(trade(9, 6), bar(10, 4, 60), bar(11, 1, 1))
    )
    assert [event.n for event in events] == [1, 1, 6, 4, 1]
    assert made.skipped == [record, bars]
    with pytest.raises(GapError):
        take(made, skipped(["trade", "ES"], 7, 9), told(trade(20, 11)))


def test_what_is_told_again_after_a_resume_is_left_out() -> None:
    """Every event once."""
    made = feed()
    assert [e.n for e in take(made, told(trade(1, 1), trade(2, 2)), told(trade(2, 2), trade(3, 3)))] == [1, 2, 3]


def test_conflated_streams_have_gaps_that_were_asked_for() -> None:
    """No GapError with conflate_ms."""
    made = feed(conflate_ms=100)
    quotes = [L1(n, n, n, "ES", 1.0, 2.0, None, 1, 1, None) for n in (1, 5, 9)]
    assert take(made, told(*quotes)) == quotes


def test_a_new_epoch_counts_from_1() -> None:
    """Whether it is told to all or answers a seek."""
    made = feed()
    assert len(take(made, told(trade(1, 1), trade(2, 2)), state(2), told(trade(1, 1)))) == 3
    assert (made.epoch, made.seq) == (2, 1)
    assert len(take(made, state(3, id=5), told(trade(1, 1)))) == 1


def test_the_end_is_what_is_told_to_all() -> None:
    """An answer may overtake events and ends nothing."""
    made = feed()
    take(made, state(1, id=3, to="ended"))
    assert not made._over
    take(made, state(1, to="ended"))
    assert made._over


def test_a_snapshot_moves_seq_forward_only() -> None:
    """So that a resume does not ask for what it stands for."""
    made = feed()
    take(made, told(trade(9, 1)), m.Snapshot(epoch=1, seq=5, events=[]))
    assert made.seq == 9
    take(made, m.Snapshot(epoch=1, seq=15, events=[trade(3, 1)]))
    assert (made.seq, made.snapshot) == (15, [trade(3, 1)])

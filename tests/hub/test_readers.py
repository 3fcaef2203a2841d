"""Who gets what: filters, policies, loss that is named, conflation, limits; all under virtual time."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import msgpack
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.errors import ProtocolError, ResumeError
from feedsim.events import L2, Bar, Digest, Event, Table
from feedsim.hub import audience, readers
from feedsim.hub.audience import MAX_BUFFERED
from feedsim.hub.readers import MAX_FORMS, STALL_S
from feedsim.instruments import NS_PER_S
from feedsim.wire import messages as m
from feedsim.wire.frames import MAX_BYTES
from feedsim.wire.protocol import Subscription
from tests.hub import lines
from tests.hub.lines import EVERYTHING, UNPACED, Hub, Line, stream_of, subscription, tape_events
from tests.support.memory_source import START_NS, MemorySource, small_session
from tests.support.virtual_time import run_virtually

SHORT = partial(small_session, seconds=30, rate=10)
ALL = subscription(*EVERYTHING)


def texts(events: list[Any]) -> list[str]:
    return [repr(event) for event in events]


# ------------------------------------------------------------------------------------------------------ the whole tape


def test_everybody_gets_the_tape() -> None:
    """In both encodings, batched or not: every event, in order; and the digest that is told is theirs."""

    async def main() -> None:
        hub = Hub(SHORT)
        everybody = [
            hub.join(ALL, encoding="json")[0],
            hub.join(ALL)[0],
            hub.join(subscription(*EVERYTHING, batch=False))[0],
        ]
        await hub.ended()
        await hub.stop()
        tape = tape_events(SHORT)
        digest = Digest()
        digest.update_events(tape)
        for line in everybody:
            assert texts(line.events) == texts(tape)
            assert line.told(m.ReplayState)[-1].digest == digest.hexdigest()
        assert {len(message.events) for message in everybody[2].told(m.Events)} == {1}

    run_virtually(main)


def test_one_write_a_wake_up() -> None:
    """Everything that is due at one time leaves in one write for each client."""

    async def main() -> None:
        hub = Hub(SHORT, setup={"heartbeat_s": 1e9})
        line, _ = hub.join(subscription(*EVERYTHING, batch=False))
        await hub.ended()
        times = [at for at, _ in line.writes]
        assert len(times) <= len(set(times)) + 10  # a chunk may end within a time
        await hub.stop()

    run_virtually(main)


@given(
    channels=st.sets(st.sampled_from(EVERYTHING), min_size=1),
    symbols=st.sets(st.sampled_from(["ES", "NQ"]), min_size=1),
    tf_s=st.sampled_from([None, (1,), (5,), (1, 5)]),
    depth=st.integers(1, 7),
)
@settings(max_examples=20)
def test_filters_leave_positions_as_they_are(channels: set[str], symbols: set[str], tf_s: Any, depth: int) -> None:
    """By channel, symbol, length and depth: the tape's events of those streams with their own seq and n."""
    short = partial(small_session, seconds=12, rate=5)

    async def main() -> None:
        hub = Hub(short)
        line, _ = hub.join(subscription(*channels, symbols=tuple(symbols), tf_s=tf_s, depth=depth))
        await hub.ended()
        await hub.stop()
        expected = []
        for event in tape_events(short):
            length = getattr(event, "tf_s", 0)
            if (
                stream_of(event)[0] in channels
                and event.symbol in symbols
                and (not length or length in (tf_s or (1, 5)))
            ):
                if isinstance(event, L2):
                    for name in ("bid_px", "bid_sz", "ask_px", "ask_sz"):
                        setattr(event, name, getattr(event, name)[:depth])
                expected.append(event)
        assert texts(line.events) == texts(expected)

    run_virtually(main)


# ------------------------------------------------------------------------------------------------------- slow readers


def rough(seed: int, ring_bytes: int, wanted: list[Subscription]) -> int:
    """A session whose clients stall now and then, with small buffers; the number of events that were skipped.

    Checks that each n of each stream came, or was named as skipped, once and in order.
    """
    source = partial(small_session, seconds=40, rate=60)
    rng = random.Random(seed)

    async def stalling(line: Line) -> None:
        while True:
            await asyncio.sleep(rng.uniform(0, 3))
            line.stall()
            await asyncio.sleep(rng.uniform(0, 9))
            line.go_on()

    async def main() -> int:
        hub = Hub(source, ring_bytes=ring_bytes, chunk_rows=64)
        clients = [hub.join(each, from_seq=0)[0] for each in wanted]
        tasks = [asyncio.ensure_future(stalling(line)) for line in clients]
        await asyncio.sleep(45)
        for task, line in zip(tasks, clients, strict=True):
            task.cancel()
            line.go_on()
        await hub.ended()
        await hub.stop()
        tape = tape_events(source)
        numbers: dict[Any, list[int]] = {}
        for event in tape:
            numbers.setdefault(stream_of(event), []).append(event.n)
        for line, each in zip(clients, wanted, strict=True):
            assert line.spans() == {key: ns for key, ns in numbers.items() if (key[0], key[1]) in each.streams}
            assert {repr(event) for event in line.events} <= set(texts(tape))
        skipped: int = sum(record.last_n - record.first_n + 1 for line in clients for record in line.told(m.Skipped))
        assert hub.counters.skipped == skipped
        return skipped

    with pytest.MonkeyPatch.context() as patch:
        for module in (audience, readers):
            patch.setattr(module, "MAX_BUFFERED", 8192)
        patch.setattr(lines, "LOW_WATER", 1024)
        return run_virtually(main)


@given(seed=st.integers(0, 2**32), ring_kib=st.integers(5, 150))
@settings(max_examples=8)
def test_no_silent_loss(seed: int, ring_kib: int) -> None:
    """However clients stall: each n of each stream came, or was named as skipped, once and in order."""
    rough(seed, ring_kib * 1024, [ALL, subscription("trade", "bar"), subscription("l1", symbols=("NQ",))])


def test_clients_that_stall_do_lose_something() -> None:
    """Otherwise what goes before would show nothing."""
    assert rough(1, 20_000, [ALL, ALL]) > 100


def busy(seconds: int = 240) -> Any:
    return partial(small_session, seconds=seconds, rate=60)


def test_what_is_skipped_is_followed_by_a_snapshot() -> None:
    """First the records, then the newest state, then live events that go on behind it."""

    async def main() -> None:
        hub = Hub(busy(), ring_bytes=20_000)
        line, _ = hub.join(ALL)
        await asyncio.sleep(1)
        line.stall()
        await asyncio.sleep(120)
        line.go_on()
        await asyncio.sleep(5)
        await hub.stop()
        kinds = [type(message) for message in line.messages if not isinstance(message, m.Heartbeat)]
        at = kinds.index(m.Skipped)
        after = [kind for kind in kinds[at:] if kind is not m.Skipped]
        assert after[:2] == [m.Snapshot, m.Events]
        snapshot = line.told(m.Snapshot)[-1]
        first = next(
            message.of_the_tape[0]
            for message in line.messages[line.messages.index(snapshot) :]
            if isinstance(message, m.Events)
        )
        assert first.seq == snapshot.seq + 1

    run_virtually(main)


def test_the_disconnect_policy_sends_slow_clients_away() -> None:
    """With 1008; nobody else notices."""

    async def main() -> None:
        hub = Hub(busy(), ring_bytes=20_000)
        slow, _ = hub.join(subscription(*EVERYTHING, policy="disconnect"))
        other, _ = hub.join(ALL)
        slow.stall()
        await asyncio.sleep(120)
        assert (slow.code, other.code) == (1008, None)
        assert len(hub.session.readers) == 1
        assert not other.told(m.Skipped)
        await hub.stop()

    run_virtually(main)


@pytest.mark.parametrize("speed", [1.0, 50.0, UNPACED])
def test_the_wait_policy_holds_the_clock(speed: float) -> None:
    """Nothing is lost, nothing happens meanwhile for anybody, and no event is due while it waits."""

    async def main() -> None:
        hub = Hub(busy(), ring_bytes=20_000, speed=speed)
        slow, _ = hub.join(subscription(*EVERYTHING, policy="wait"), from_seq=0)
        other, _ = hub.join(ALL, from_seq=0)
        slow.stall()
        await asyncio.sleep(STALL_S / 2 if speed == 1.0 else 0.9)
        if speed != 1.0:
            held = hub.session.ring.head
            await asyncio.sleep(STALL_S / 2)
            assert hub.session.ring.head == held
        slow.go_on()
        await hub.ended()
        if speed == 50.0:  # what was waited is left out: the rest takes as long as it would have
            assert slow.writes[-1][0] > STALL_S / 2 + 240 / speed
        await hub.stop()
        tape = texts(tape_events(busy()))
        assert texts(slow.events) == tape
        assert texts(other.events) == tape

    run_virtually(main)


def test_a_client_that_is_waited_for_too_long_is_sent_away() -> None:
    """Then the session goes on."""

    async def main() -> None:
        hub = Hub(busy(), speed=UNPACED)
        slow, _ = hub.join(subscription(*EVERYTHING, policy="wait"))
        slow.stall()
        await asyncio.sleep(STALL_S + 1)
        assert slow.code == 1008
        await hub.ended()
        await hub.stop()

    run_virtually(main)


def test_a_client_whose_line_is_cut_while_it_catches_up() -> None:
    """It disturbs nobody, and whoever owns the connection detaches it."""

    async def main() -> None:
        hub = Hub(busy())
        line, cursor = hub.join(ALL)
        other, _ = hub.join(ALL, from_seq=0)
        line.stall()
        await asyncio.sleep(120)
        line.cut()
        await asyncio.sleep(1)
        hub.session.readers.detach(cursor)
        await hub.ended()
        await hub.stop()
        assert texts(other.events) == texts(tape_events(busy()))

    run_virtually(main)


# --------------------------------------------------------------------------------------------------------- resuming


@given(at_s=st.floats(1, 25), back=st.floats(0, 1), ring_bytes=st.sampled_from([20_000, 10**7]), late=st.booleans())
@settings(max_examples=30)
def test_resume_from_any_seq(at_s: float, back: float, ring_bytes: int, late: bool) -> None:
    """From the ring and from before it, also where the session starts later than its source: the tape from there."""
    start_ns = START_NS + 4 * NS_PER_S + 5 if late else None

    async def main() -> None:
        hub = Hub(partial(SHORT, rate=40), ring_bytes=ring_bytes, start_ns=start_ns, chunk_rows=100)
        hub.session.player.lookahead.checkpoint_rows = 300
        await asyncio.sleep(at_s)
        from_seq = int(hub.session.ring.head * back)
        line, _ = hub.join(ALL, from_seq=from_seq)
        await hub.ended()
        await hub.stop()
        tape = tape_events(partial(SHORT, rate=40), start_ns=start_ns)
        assert texts(line.events) == texts(tape[from_seq:])

    run_virtually(main)


def test_nothing_of_an_old_epoch_is_left() -> None:
    """After a seek a snapshot has what the new epoch told, and nothing that the ring dropped before."""

    async def main() -> None:
        hub = Hub(SHORT, ring_bytes=5_000, chunk_rows=50)
        await asyncio.sleep(25)
        hub.session.player.pause()
        hub.session.player.seek(START_NS + NS_PER_S // 2)
        await hub.session.settled()
        hub.session.player.step(20, "event")
        await hub.session.settled()
        line, _ = hub.join(ALL)
        (snapshot,) = line.told(m.Snapshot)
        assert (snapshot.epoch, snapshot.seq) == (2, 20)
        latest = START_NS + 5 * NS_PER_S
        assert all(0 < event.seq <= 20 and event.ts < latest for event in snapshot.events)
        await hub.stop()

    run_virtually(main)


def test_a_seq_that_cannot_be_served() -> None:
    """After a seek the epoch begins at 1: what is older is refused, with what can be had; ahead is waited for."""

    async def main() -> None:
        hub = Hub(SHORT)
        await asyncio.sleep(10)
        hub.session.player.seek(START_NS + 20 * NS_PER_S)
        await hub.session.settled()
        ahead, _ = hub.join(ALL, from_seq=50)
        line, _ = hub.join(ALL, from_seq=0)
        await hub.ended()
        await hub.stop()
        assert [event.seq for event in line.events] == list(range(1, len(line.events) + 1))
        assert texts(ahead.events) == texts(line.events[50:])

    run_virtually(main)


def test_without_places_to_read_again_from_the_ring_is_all_there_is() -> None:
    """resume_too_old names the seqs that can be told."""

    async def main() -> None:
        hub = Hub(busy(60), ring_bytes=20_000)
        await asyncio.sleep(30)
        hub.session.player.lookahead.checkpoints.clear()
        ring = hub.session.ring
        with pytest.raises(ResumeError) as refused:
            hub.join(ALL, from_seq=0)
        assert (refused.value.code, refused.value.last) == ("resume_too_old", ring.head)
        assert refused.value.first == ring.first_seq - 1
        line, _ = hub.join(ALL, from_seq=refused.value.first)
        hub.session.player.pause()
        await asyncio.sleep(1)
        assert line.events[0].seq == refused.value.first + 1
        await hub.stop()

    run_virtually(main)


# ---------------------------------------------------------------------------------------------------------- snapshots


@given(at_s=st.floats(0.5, 28), ring_bytes=st.sampled_from([10_000, 10**7]))
@settings(max_examples=15)
def test_a_snapshot_is_the_newest_of_each_stream_that_has_a_state(at_s: float, ring_bytes: int) -> None:
    """l1, l2, profile, status and bars with their own seq and n, by seq; never a trade or a footprint."""

    async def main() -> None:
        hub = Hub(SHORT, ring_bytes=ring_bytes, chunk_rows=50)
        await asyncio.sleep(at_s)
        line, _ = hub.join(ALL)
        (snapshot,) = line.told(m.Snapshot)
        newest: dict[Any, Event] = {}
        for event in tape_events(SHORT)[: snapshot.seq]:
            if stream_of(event)[0] not in ("trade", "footprint", "leadership"):
                newest[stream_of(event)] = event
        assert snapshot.seq == hub.session.ring.head > 0
        assert texts(snapshot.events) == texts(sorted(newest.values(), key=lambda event: event.seq))
        await hub.stop()

    run_virtually(main)


def test_a_snapshot_has_what_was_subscribed_and_live_goes_on_behind_it() -> None:
    """Only the wanted streams; the first event after it is the next of its seq."""

    async def main() -> None:
        hub = Hub(SHORT)
        await asyncio.sleep(10)
        line, _ = hub.join(subscription("l1", "trade", "bar", symbols=("ES",), tf_s=(5,)))
        (snapshot,) = line.told(m.Snapshot)
        assert [stream_of(event) for event in sorted(snapshot.events, key=repr)] == [("bar", "ES", 5), ("l1", "ES")]
        await hub.ended()
        await hub.stop()
        expected = [
            event
            for event in tape_events(SHORT)[snapshot.seq :]
            if stream_of(event) in (("l1", "ES"), ("trade", "ES"), ("bar", "ES", 5))
        ]
        assert texts(line.events) == texts(expected)

    run_virtually(main)


# --------------------------------------------------------------------------------------------------------- conflation


@given(conflate_ms=st.sampled_from([100, 1000, 7000]), ring_bytes=st.sampled_from([60_000, 10**7]))
@settings(max_examples=12)
def test_conflation_leaves_out_only_what_is_replaced(conflate_ms: int, ring_bytes: int) -> None:
    """Per flush the newest l1 and l2 of each stream and every other event, in order; what the ring lost is named."""
    source = partial(small_session, seconds=60, rate=20)

    async def main() -> None:
        hub = Hub(source, ring_bytes=ring_bytes, chunk_rows=100)
        line, _ = hub.join(subscription(*EVERYTHING, conflate_ms=conflate_ms), from_seq=0)
        await hub.ended()
        await hub.stop()
        tape = tape_events(source)
        by_seq = {event.seq: repr(event) for event in tape}
        assert [event.seq for event in line.events] == sorted({event.seq for event in line.events})
        assert all(repr(event) == by_seq[event.seq] for event in line.events)
        spans = line.spans()
        for stream in {stream_of(event) for event in tape}:
            numbers = [event.n for event in tape if stream_of(event) == stream]
            if stream[0] in ("l1", "l2"):
                assert spans[stream] == sorted(set(spans[stream]))
                assert spans[stream][-1] == numbers[-1]
                assert len(spans[stream]) <= len(numbers)
            else:
                assert spans[stream] == numbers, stream
        assert len(line.events) < len(tape)
        for message in line.told(m.Events):
            quotes = [stream_of(event) for event in message.events if stream_of(event)[0] in ("l1", "l2")]
            assert len(quotes) == len(set(quotes))

    run_virtually(main)


def test_conflated_events_come_no_later_than_the_window() -> None:
    """Each within conflate_ms of its time."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, _ = hub.join(subscription("trade", conflate_ms=500))
        await hub.ended()
        for message in line.told(m.Events):
            for event in message.events:
                due_us = (event.ts - START_NS) / 1000
                assert due_us - 1 <= message.sent - 1_790_000_000_000_000 <= due_us + 500_000 + 10
        await hub.stop()

    run_virtually(main)


# ------------------------------------------------------------------------------------------------------------- limits


def test_ways_of_writing_are_capped() -> None:
    """One form too many is refused, what there was goes on; when a form is left, there is room again."""

    async def main() -> None:
        hub = Hub(SHORT)
        hub.start.clear()
        cursors = [hub.join(subscription("l2", depth=depth))[1] for depth in range(1, MAX_FORMS + 1)]
        hub.join(subscription("l1", depth=1))
        with pytest.raises(ProtocolError) as refused:
            hub.join(subscription("l2", depth=MAX_FORMS + 1))
        assert refused.value.code == "limit_exceeded"
        hub.session.readers.detach(cursors[3])
        hub.join(subscription("l2", depth=MAX_FORMS + 1))
        hub.task.cancel()
        await asyncio.gather(hub.task, return_exceptions=True)

    run_virtually(main)


def test_a_client_that_does_not_even_take_heartbeats_is_not_fed_for_ever() -> None:
    """What waits for it is bounded, for however long it stalls."""

    async def main() -> None:
        hub = Hub(busy(600))
        line, _ = hub.join(ALL)
        line.stall()
        await asyncio.sleep(600)
        assert line.most_waiting <= MAX_BUFFERED + 2 * MAX_BYTES
        await hub.stop()

    run_virtually(main)


def test_heartbeats_are_told_to_all_every_second() -> None:
    """Also to who subscribed to nothing, before the session starts, and while it is paused."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, _ = hub.join(subscription())
        await asyncio.sleep(10.5)
        hub.session.player.pause()
        await asyncio.sleep(10)
        await hub.stop()
        beats = line.told(m.Heartbeat)
        assert len(beats) == 20
        assert not line.events
        assert [beat.clock.state for beat in beats] == ["playing"] * 10 + ["paused"] * 10
        assert [beat.seq for beat in beats] == sorted(beat.seq for beat in beats)
        assert beats[9].clock.ts == START_NS // 10**6 + 10_000

    run_virtually(main)


def test_bars_are_among_what_is_told() -> None:
    """The session of these tests has bars of both lengths, so that what they show means something."""
    lengths = {event.tf_s for event in tape_events(SHORT) if isinstance(event, Bar)}
    assert lengths == {1, 5}
    assert msgpack.unpackb(msgspec.msgpack.encode(lengths)) == [1, 5]


def deep_books() -> MemorySource:
    """Books of twenty levels, twenty of them a second."""
    count, levels = 2400, 20
    sizes = np.full((count, levels), 100)
    prices = np.tile(5000.25 + 0.25 * np.arange(levels), (count, 1))
    columns = {
        "ts": START_NS + np.arange(count) * (NS_PER_S // 20),
        "symbol": np.zeros(count, np.int64),
        "levels": np.full(count, levels),
        "bid_px": prices,
        "bid_sz": sizes,
        "ask_px": prices,
        "ask_sz": sizes,
    }
    return MemorySource({"l2": Table.build("l2", ("ES", "NQ"), columns)}, ("ES", "NQ"))


@pytest.mark.parametrize(("ring_bytes", "from_seq"), [(10**8, 1300), (10**5, 640)])
def test_what_waits_for_one_client_is_bounded(ring_bytes: int, from_seq: int) -> None:
    """Also when it catches up on large events, from the ring or from the source: one more frame at most."""

    async def main() -> None:
        hub = Hub(deep_books, ring_bytes=ring_bytes, speed=UNPACED)
        await asyncio.sleep(10)
        line = Line("json")
        line.stall()
        cursor = hub.session.readers.attach(line, "json", Subscription())
        hub.session.readers.subscribe(cursor, subscription("l2", depth=20), from_seq=from_seq)
        hub.session.readers.follow(cursor)
        await asyncio.sleep(1)
        assert 0 < line.most_waiting <= lines.LOW_WATER + MAX_BYTES
        line.go_on()
        await hub.ended()
        await hub.stop()
        assert [event.seq for event in line.events][-1] == hub.session.ring.head

    run_virtually(main)


def test_what_waits_for_a_client_that_stalls_is_bounded() -> None:
    """Of what is told live 256 KiB at most; the rest stays in the ring."""

    async def main() -> None:
        hub = Hub(deep_books, ring_bytes=10**8, speed=20)
        line, _ = hub.join(subscription("l2", depth=20), encoding="json", from_seq=0)
        await asyncio.sleep(0.5)
        line.stall()
        await asyncio.sleep(5)
        assert 256 * 1024 - 5_000 < line.most_waiting <= 256 * 1024
        line.go_on()
        await hub.ended()
        await hub.stop()
        assert [event.n for event in line.events] == list(range(1, 2401))

    run_virtually(main)


def test_to_resume_is_not_to_be_slow() -> None:
    """A client that wants what the ring dropped is not sent away for it, whatever its policy."""

    async def main() -> None:
        hub = Hub(partial(SHORT, rate=40), ring_bytes=10_000, chunk_rows=50, coalesce_s=0.2)
        await asyncio.sleep(20)
        line, _ = hub.join(subscription(*EVERYTHING, policy="disconnect"), from_seq=0)
        hub.session.readers.drop_old()
        hub.session.ring.max_bytes = 1
        hub.session.readers.drop_old()
        await hub.ended()
        await hub.stop()
        assert line.code is None
        assert texts(line.events) == texts(tape_events(partial(SHORT, rate=40)))

    run_virtually(main)


def test_who_takes_everything_is_not_looked_at_each_time() -> None:
    """And who stalls is: after an eighth of what may wait at the latest, and no later than the others hear an event."""

    async def main() -> None:
        hub = Hub(partial(small_session, seconds=60, rate=400), setup={"heartbeat_s": 1e9})
        line, cursor = hub.join(ALL)
        other, _ = hub.join(ALL)
        looks, given, most = 0, 0, 0

        def buffered() -> int:
            nonlocal looks, given, most
            looks, given, most = looks + 1, 0, max(most, given)
            return Line.buffered(line)

        def write(data: bytes) -> None:
            nonlocal given
            given += len(data)
            Line.write(line, data)

        line.buffered, line.write = buffered, write  # type: ignore[method-assign]
        await asyncio.sleep(20)
        assert cursor in cursor.audience.flowing
        assert looks < len(line.writes) / 20
        assert MAX_BUFFERED // 16 < most <= MAX_BUFFERED // 8
        line.stall()
        await asyncio.sleep(10)
        assert cursor not in cursor.audience.flowing
        assert line.most_waiting <= MAX_BUFFERED
        line.go_on()
        await asyncio.sleep(10)
        assert cursor in cursor.audience.flowing
        assert texts(line.events) == texts(other.events)
        await hub.stop()

    run_virtually(main)


def test_a_closing_line_is_let_go_of() -> None:
    """Nobody writes by a way that was kept: the connection knows better what it may still say."""

    async def main() -> None:
        hub = Hub(partial(small_session, seconds=60, rate=50))
        line, cursor = hub.join(ALL)
        await asyncio.sleep(5)
        assert cursor in cursor.audience.flowing
        written: list[bytes] = []
        line.write = written.append  # type: ignore[assignment, method-assign]
        line.on_closing()
        assert cursor not in cursor.audience.flowing
        before = len(line.writes)
        await asyncio.sleep(5)
        assert len(line.writes) == before
        assert written
        await hub.stop()

    run_virtually(main)


@pytest.mark.parametrize("again", ["subscribe", "narrow"])
def test_to_ask_again_for_the_same_changes_nothing(again: str) -> None:
    """Also for the only one who wants it so."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(ALL)
        await asyncio.sleep(3)
        if again == "subscribe":
            hub.session.readers.subscribe(cursor, ALL, from_seq=None)
            hub.session.readers.follow(cursor)
        else:
            hub.session.readers.narrow(cursor, ALL)
        await hub.ended()
        await hub.stop()
        seqs = [event.seq for event in line.events]
        assert seqs[-1] == tape_events(SHORT)[-1].seq
        assert seqs == list(range(seqs[0], seqs[-1] + 1))

    run_virtually(main)


def test_who_is_gone_twice_takes_nobody_along() -> None:
    """A client that was sent away is detached once more when its connection ends; another wants the same by then."""

    async def main() -> None:
        hub = Hub(SHORT)
        _, first = hub.join(ALL)
        await asyncio.sleep(3)
        hub.session.readers.detach(first)
        line, _ = hub.join(ALL)
        hub.session.readers.detach(first)
        await hub.ended()
        await hub.stop()
        assert line.events[-1].seq == tape_events(SHORT)[-1].seq

    run_virtually(main)


def test_who_conflates_hears_its_messages_with_the_next_flush() -> None:
    async def main() -> None:
        hub = Hub(partial(small_session, seconds=20, rate=50), setup={"heartbeat_s": 1e9})
        line, cursor = hub.join(subscription(*EVERYTHING, conflate_ms=500))
        await asyncio.sleep(5.1)
        assert cursor.seq < hub.session.ring.head
        hub.session.readers.tell(cursor, hub.session.replay_state())
        await asyncio.sleep(1)
        assert line.told(m.ReplayState)
        await hub.stop()

    run_virtually(main)

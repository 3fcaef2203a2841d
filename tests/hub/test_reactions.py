"""Orders are timed from when the event left to its client, under virtual time; what is kept is bounded."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Event, StreamKey
from feedsim.hub.cursor import Cursor
from feedsim.hub.departures import Departures
from feedsim.hub.reactions import KEPT_ROWS, ReactionLog
from feedsim.wire.reactions import Reaction
from tests.hub.lines import EVERYTHING, UNPACED, Hub, Line, stream_of, subscription, tape_events
from tests.support.memory_source import START_NS, small_session
from tests.support.virtual_time import run_virtually

SHORT = partial(small_session, seconds=30, rate=10)
ALL = subscription(*EVERYTHING)


async def order(hub: Hub, cursor: Cursor, seen_seq: int | None, *, op: str = "order.new") -> Reaction | None:
    """An order that arrives now; its row, if there is one."""
    log = hub.session.stopwatch.log
    before = log.last_n
    hub.session.stopwatch.on_order(cursor, op, seen_seq, asyncio.get_running_loop().time())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return log.rows[-1] if log.last_n > before else None


def writes(line: Line) -> list[tuple[float, Event]]:
    """Every event that was handed to a client, and when."""
    found = []
    for at, data in line.writes:
        one = Line(line.encoding)
        one.writes = [(at, data)]
        found += [(at, event) for event in one.events]
    return found


@given(at_s=st.floats(1, 12), back=st.integers(0, 100))
@settings(max_examples=30)
def test_an_order_is_timed_from_the_write_of_its_event(at_s: float, back: int) -> None:
    """Whatever event it names: the time is that from the write with this event to the order."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(ALL, from_seq=0)
        await asyncio.sleep(at_s)
        told = writes(line)
        written, seen = told[max(len(told) - 1 - back, 0)]
        row = await order(hub, cursor, seen.seq)
        assert row is not None
        assert (row.seq, row.channel, row.inferred) == (seen.seq, type(seen).__struct_config__.tag, False)
        assert row.reaction_ns == pytest.approx((at_s - written) * 1e9, abs=2000)
        await hub.stop()

    run_virtually(main)


@pytest.mark.parametrize("claimed", [None, 0, 10**9])
def test_without_an_event_it_is_the_newest_that_was_sent(claimed: int | None) -> None:
    """Of the client's own subscription, and marked as inferred; so are claims of what was not sent."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(subscription("bar", symbols=("NQ",)))
        await asyncio.sleep(11.5)
        row = await order(hub, cursor, claimed)
        assert row is not None
        assert (row.seq, row.channel, row.inferred) == (line.events[-1].seq, "bar", True)
        assert row.seq < hub.session.ring.head
        await hub.stop()

    run_virtually(main)


@given(pauses=st.lists(st.floats(0, 3), min_size=2, max_size=6), data=st.data())
@settings(max_examples=20)
def test_the_newest_is_found_again_and_again(pauses: list[float], data: st.DataObject) -> None:
    """Order after order, and with another subscription too: the newest that the client got of it."""
    wanted = st.sampled_from((subscription("bar"), subscription("trade", symbols=("ES",)), ALL))

    async def main() -> None:
        hub, told = Hub(SHORT), tape_events(SHORT)
        _, cursor = hub.join(subscription("l1"))
        await asyncio.sleep(1)
        for pause in pauses:
            if data.draw(st.booleans()):
                hub.session.readers.subscribe(cursor, data.draw(wanted), from_seq=None)
                hub.session.readers.follow(cursor)
            await asyncio.sleep(pause)
            wants = cursor.audience.subscription.wants
            own = [event for event in told[: cursor.seq] if wants(StreamKey(*stream_of(event)))]
            row = await order(hub, cursor, None)
            assert (row.seq if row is not None else 0) == (own[-1].seq if own else 0)
        await hub.stop()

    run_virtually(main)


def test_before_anything_was_sent_there_is_nothing_to_time() -> None:
    """No row, and nothing else happens."""

    async def main() -> None:
        hub = Hub(SHORT)
        hub.start.clear()
        _, cursor = hub.join(ALL)
        assert await order(hub, cursor, None) is None
        hub.start.set()
        await hub.stop()

    run_virtually(main)


def test_who_catches_up_has_times_of_its_own() -> None:
    """An event of 20 s ago that was sent to this client a moment ago is a moment old; the others' times stay."""

    async def main() -> None:
        hub = Hub(SHORT)
        early, others = hub.join(ALL, from_seq=0)
        await asyncio.sleep(20)
        _, cursor = hub.join(ALL, from_seq=0)
        await asyncio.sleep(0.5)
        seen = early.events[3].seq
        late_row, row = await order(hub, cursor, seen), await order(hub, others, seen)
        assert late_row is not None
        assert row is not None
        assert late_row.reaction_ns == pytest.approx(0.5e9, rel=0.01)
        assert row.reaction_ns > 19e9
        assert (late_row.due_ns, late_row.client, row.client) == (None, 1, 2)
        await hub.stop()

    run_virtually(main)


def test_conflation_counts_from_the_flush() -> None:
    """What was held back 250 ms for this client had not left before."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(subscription(*EVERYTHING, conflate_ms=250), from_seq=0)
        await asyncio.sleep(10)
        at, _ = line.writes[-1]
        row = await order(hub, cursor, line.events[-1].seq)
        assert row is not None
        assert row.reaction_ns == pytest.approx((10 - at) * 1e9, abs=2000)
        await hub.stop()

    run_virtually(main)


def test_a_client_that_does_not_take_its_bytes_is_told_apart() -> None:
    """The time until its buffer was last seen full is the server's and the network's; a good client has none."""

    async def main() -> None:
        hub = Hub(SHORT)
        good, quick = hub.join(ALL, from_seq=0)
        slow, cursor = hub.join(ALL, from_seq=0)
        await asyncio.sleep(5)
        await order(hub, cursor, None)
        await order(hub, quick, None)
        await asyncio.sleep(1)
        seen = good.events[-1].seq
        slow.stall()
        await asyncio.sleep(4)
        slow.go_on()
        await asyncio.sleep(2)
        row, other = await order(hub, cursor, seen + 1), await order(hub, quick, seen + 1)
        assert row is not None
        assert other is not None
        assert row.kernel_ns == pytest.approx(4e9, rel=0.1)
        assert other.kernel_ns == 0
        head = hub.session.stopwatch.log.head()
        assert head.undrained_longest_s == pytest.approx(4, rel=0.1)
        assert head.undrained_s == pytest.approx(head.undrained_longest_s)
        assert 0 < head.undrained_wakeups < head.wakeups
        await hub.stop()

    run_virtually(main)


def test_who_has_left_is_asked_no_more() -> None:
    """Nothing is done at a wake-up for clients that are gone, and their last order has its row."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(ALL)
        await asyncio.sleep(2)
        assert await order(hub, cursor, None) is not None
        before = hub.session.stopwatch.log.last_n
        hub.session.stopwatch.on_order(cursor, "order.new", None, asyncio.get_running_loop().time())
        hub.session.readers.detach(cursor)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [row.client for row in hub.session.stopwatch.log.after(before - 1)] == [1, 1]
        asked = 0

        def buffered() -> int:
            nonlocal asked
            asked += 1
            return 0

        line.buffered = buffered  # type: ignore[method-assign] # to see who asks
        await asyncio.sleep(5)
        assert not asked
        await hub.stop()

    run_virtually(main)


def test_windows_are_told() -> None:
    """A window that was open when the event left, or when the order came; else what the clock or the client does."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(ALL, from_seq=0)
        watch = hub.session.stopwatch
        await asyncio.sleep(3)
        watch.open_window("burst")
        await asyncio.sleep(1)
        within = line.events[-1].seq
        watch.open_window("")
        await asyncio.sleep(1)
        after = line.events[-1].seq
        rows = [await order(hub, cursor, within), await order(hub, cursor, after)]
        watch.open_window("outage")
        rows.append(await order(hub, cursor, after))
        watch.open_window("")
        hub.session.player.pause()
        await asyncio.sleep(1)
        rows.append(await order(hub, cursor, after))
        assert [row.window for row in rows if row is not None] == ["burst", "", "outage", "paused"]
        await hub.stop()

    run_virtually(main)


@pytest.mark.parametrize("speed", [1.0, UNPACED])
def test_how_late_the_server_was_is_beside_it(speed: float) -> None:
    """In virtual time never; at max nothing is ever due."""

    async def main() -> None:
        hub = Hub(SHORT, speed=speed)
        line, cursor = hub.join(ALL, from_seq=0)
        await asyncio.sleep(10)
        row = await order(hub, cursor, line.events[-1].seq)
        assert row is not None
        assert row.due_ns == (None if speed == UNPACED else pytest.approx(0, abs=2000))
        await hub.stop()

    run_virtually(main)


def test_after_a_seek_seqs_begin_again() -> None:
    """An order after it is timed by the new epoch's events, and one that was under way is not mixed up with them."""

    async def main() -> None:
        hub = Hub(SHORT)
        line, cursor = hub.join(ALL, from_seq=0)
        await asyncio.sleep(20)
        hub.session.player.seek(START_NS + 5 * 10**9)
        await hub.session.settled()
        await asyncio.sleep(2)
        newest: Event = line.events[-1]
        assert newest.seq < 200
        row = await order(hub, cursor, newest.seq)
        assert row is not None
        assert row.reaction_ns < 1e9
        await hub.stop()

    run_virtually(main)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=200), st.integers(1, 20))
def test_departures_find_the_write_of_every_seq_that_is_kept(sizes: list[int], kept: int) -> None:
    """The write that had a seq, or nothing where it is forgotten or not written yet; at least `kept` are kept."""
    departures = Departures(kept)
    last, truth = 0, dict[int, float]()
    for at, size in enumerate(sizes):
        departures.add(last, last + size, float(at))
        truth.update(dict.fromkeys(range(last + 1, last + size + 1), float(at)))
        last += size
    assert min(kept, len(sizes)) <= len(departures.seq) < 2 * kept + 1
    for seq in range(last + 3):
        place = departures.find(seq)
        if place is None:
            assert seq not in truth or truth[seq] < len(sizes) - kept
        else:
            assert departures.times[0][place] == truth[seq]


def test_the_log_is_bounded_and_told_from_any_row() -> None:
    """The newest rows stay, the head says which, and a reader that knows some gets the rest."""
    log = ReactionLog("test")
    for n in range(1, KEPT_ROWS + 51):
        log.add(made(n=n))
    assert (log.head().first_n, log.head().last_n) == (51, KEPT_ROWS + 50)
    assert [row.n for row in log.after(KEPT_ROWS + 47)] == [KEPT_ROWS + 48, KEPT_ROWS + 49, KEPT_ROWS + 50]
    assert len(log.after(0)) == KEPT_ROWS
    assert log.after(10**12) == []


def made(**given: Any) -> Reaction:
    fields = {"session": "live", "client": 1, "op": "ping", "seq": 1, "channel": "l1", "inferred": False}
    times = {"written_ns": 0, "arrived_ns": 1, "due_ns": 0, "kernel_ns": 0, "window": "", "clients": 1, "rate": 0}
    return Reaction(**{**fields, **times, **given})


def test_who_orders_and_leaves_at_once_is_not_kept() -> None:
    """Also where it was its first order: the row is made, and nothing is held of the reader."""

    async def main() -> None:
        hub = Hub(SHORT)
        _, cursor = hub.join(ALL)
        await asyncio.sleep(2)
        stopwatch = hub.session.stopwatch
        stopwatch.on_order(cursor, "order.new", None, asyncio.get_running_loop().time())
        hub.session.readers.detach(cursor)
        await asyncio.sleep(0.1)
        assert len(stopwatch.log.after(0)) == 1
        assert not stopwatch.minds(cursor)
        await hub.stop()

    run_virtually(main)

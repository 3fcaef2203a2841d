"""The player under virtual time: what is told, and exactly when."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import Bar, Chunk, Digest, Event, Status, Trade
from feedsim.instruments import NS_PER_S, trading_day
from feedsim.playback.lookahead import MAX_CHECKPOINTS
from feedsim.playback.pacing import LoopPacer
from feedsim.playback.player import Due, Player
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.base import Source
from tests.support.memory_source import START_NS, MemorySource, quiet_trades, small_session
from tests.support.virtual_time import run_virtually

CONFIG = TapeConfig(bar_tf_s=(1, 5), footprint_tf_s=(5,), profile_every_s=60)
SECONDS = 20


class Playing:
    """A player that runs in a task; notes every event, when it came and when it was available."""

    def __init__(self, source: Source | None = None, *, start_ns: int | None = None, **options: Any) -> None:
        tape = Tape(source or small_session(seconds=SECONDS, rate=5), CONFIG, start_ns=start_ns)
        self.loop = asyncio.get_running_loop()
        self.player = Player(tape, LoopPacer(self.loop), **options)
        self.told: list[tuple[float, int, Event]] = []
        self.dues: list[Due] = []
        self.epochs: list[int] = []
        self.late: list[float] = []
        self.hold: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.player.on_epoch = self.epochs.append
        self.player.on_late = self.late.append
        self.task = self.loop.create_task(self._run())

    async def _run(self) -> None:
        async for due in self.player.play():
            if self.hold is not None:
                await self.hold()
            chunk, lo, hi = due
            self.dues.append(due)
            events = chunk.events(lo, hi)
            self.told += [
                (self.loop.time(), ns, event) for ns, event in zip(chunk.avail[lo:hi].tolist(), events, strict=True)
            ]

    @property
    def events(self) -> list[Event]:
        return [event for _, _, event in self.told]

    def in_epoch(self, epoch: int) -> list[Event]:
        return [event for chunk, lo, hi in self.dues if chunk.epoch == epoch for event in chunk.events(lo, hi)]

    async def settled(self) -> None:
        while not self.player.settled:  # noqa: ASYNC110 # time is virtual
            await asyncio.sleep(0)
        await asyncio.sleep(0)


def texts(events: list[Event]) -> list[str]:
    return [repr(event) for event in events]


def the_tape() -> list[Event]:
    tape = Tape(small_session(seconds=SECONDS, rate=5), CONFIG)
    chunks = iter(lambda: tape.advance(300), None)
    return [event for chunk in chunks for event in chunk.events()]


def without_place(events: list[Event]) -> list[list[Any]]:
    """Values alone, without status, seq and n: what two epochs have in common."""
    return [
        [repr(getattr(event, name)) for name in event.__struct_fields__ if name not in ("seq", "n")]
        for event in events
        if not isinstance(event, Status)
    ]


# -------------------------------------------------------------------------------------------------------- being due


@given(speed=st.floats(0.1, 500), coalesce_s=st.sampled_from([0.0, 0.05]))
@settings(max_examples=15)
def test_every_event_comes_when_it_is_due(speed: float, coalesce_s: float) -> None:
    """Nothing early, nothing later than its time over speed and the coalescing window; the whole tape, in order."""

    async def main() -> None:
        playing = Playing(speed=speed, coalesce_s=coalesce_s)
        await playing.task
        assert texts(playing.events) == texts(the_tape())
        for at, avail, _ in playing.told:
            due = (avail - START_NS) / NS_PER_S / speed
            assert due - 1e-6 <= at <= due + coalesce_s + 1e-5

    run_virtually(main)


def test_the_schedule_is_absolute() -> None:
    """A consumer that is slow once makes nothing later than it must: the delay is not carried on."""

    async def main() -> None:
        playing = Playing(speed=1.0)

        async def once() -> None:
            playing.hold = None
            await asyncio.sleep(2.0)

        await asyncio.sleep(5.0)
        playing.hold = once
        await playing.task
        for at, avail, _ in playing.told:
            due = (avail - START_NS) / NS_PER_S
            if due > 7.5:
                assert at == pytest.approx(due, abs=1e-5)
        assert max(playing.late) == pytest.approx(2.0, abs=0.5)

    run_virtually(main)


@pytest.mark.parametrize("limit_ns", [None, START_NS + 3600 * NS_PER_S])
def test_at_max_nothing_waits(limit_ns: int | None) -> None:
    """The whole tape at one point of time; the clock shows what was delivered, and other tasks get their turn: with
    everything that is told, and where a limit is to come behind at most as many events as are told at once."""

    async def main() -> None:
        playing = Playing(speed=math.inf, burst=20)
        playing.player.limit_ns = limit_ns
        turns = 0
        while not playing.task.done():
            await asyncio.sleep(0)
            turns += 1
            if playing.told and playing.player.state == "playing":
                assert playing.player.session_ns == playing.told[-1][1]
        assert texts(playing.events) == texts(the_tape())
        assert {at for at, _, _ in playing.told} == {0.0}
        whole = [due for due in playing.dues if due.hi - due.lo == 20]
        assert turns >= len(playing.dues if limit_ns is None else whole) > 20

    run_virtually(main)


def test_everything_that_is_due_at_once_is_told_at_once() -> None:
    """One wake-up for each time at which something happens, whatever the channels."""

    async def main() -> None:
        playing = Playing(speed=1.0)
        await playing.task
        times = [avail for _, avail, _ in playing.told]
        assert len(playing.dues) <= len(set(times)) + len({id(due.chunk) for due in playing.dues})

    run_virtually(main)


# ---------------------------------------------------------------------------------------------------------- obeying


@given(at=st.floats(0.01, SECONDS - 1), length=st.floats(0.01, 100), speed=st.sampled_from([1.0, 3.7]))
@settings(max_examples=15)
def test_pause_and_resume(at: float, length: float, speed: float) -> None:
    """While it pauses nothing is told and the clock stands; then it goes on, later by the pause."""

    async def main() -> None:
        playing = Playing(speed=speed)
        await asyncio.sleep(at / speed)
        playing.player.pause()
        count, shown = len(playing.told), playing.player.session_ns
        await asyncio.sleep(length)
        assert (len(playing.told), playing.player.session_ns, playing.player.state) == (count, shown, "paused")
        playing.player.resume()
        await playing.task
        assert texts(playing.events) == texts(the_tape())
        for when, avail, _ in playing.told[count:]:
            assert when == pytest.approx((avail - START_NS) / NS_PER_S / speed + length, abs=1e-4)

    run_virtually(main)


@given(at=st.floats(0.01, SECONDS - 1), speed=st.floats(0.1, 100))
@settings(max_examples=15)
def test_a_change_of_speed_counts_from_then_on(at: float, speed: float) -> None:
    """What was told stays; what follows comes at the new pace."""

    async def main() -> None:
        playing = Playing(speed=1.0)
        await asyncio.sleep(at)
        playing.player.set_speed(speed)
        count = len(playing.told)
        await playing.task
        assert texts(playing.events) == texts(the_tape())
        for when, avail, _ in playing.told[count:]:
            due = (avail - START_NS) / NS_PER_S
            assert when == pytest.approx(at + max(due - at, 0) / speed, abs=1e-4)

    run_virtually(main)


def kind_of(event: Event) -> str:
    return "trade" if isinstance(event, Trade) else "bar" if isinstance(event, Bar) else "other"


@given(
    script=st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["event", "trade", "bar"])), min_size=1, max_size=5),
    rows=st.sampled_from([1, 7, 256]),
)
@settings(max_examples=20)
def test_steps_tell_exactly_what_was_asked_for(script: list[tuple[int, Any]], rows: int) -> None:
    """The next `count` events, or all up to the count-th next trade or bar, whatever the chunks; then it waits."""

    async def main() -> None:
        playing = Playing(speed=1.0, chunk_rows=rows)
        playing.player.pause()
        tape, expected = the_tape(), 0
        for count, unit in script:
            playing.player.step(count, unit)
            await playing.settled()
            if unit == "event":
                expected = min(expected + count, len(tape))
            else:
                places = [at for at in range(expected, len(tape)) if kind_of(tape[at]) == unit]
                expected = places[count - 1] + 1 if len(places) >= count else len(tape)
            assert len(playing.told) == expected
            assert playing.player.seq == expected
            await asyncio.sleep(1000.0)
            assert len(playing.told) == expected
        playing.player.stop()
        await playing.task
        assert texts(playing.events) == texts(tape[:expected])

    run_virtually(main)


def test_after_a_step_the_clock_goes_on_from_what_was_told() -> None:
    """Resumed, the next event comes as long after the last one as the tape says."""

    async def main() -> None:
        playing = Playing(speed=1.0)
        playing.player.pause()
        playing.player.step(50, "event")
        await playing.settled()
        await asyncio.sleep(100.0)
        last_ns = playing.told[-1][1]
        playing.player.resume()
        await playing.task
        for when, avail, _ in playing.told[50:]:
            assert when == pytest.approx(100.0 + (avail - last_ns) / NS_PER_S, abs=1e-4)

    run_virtually(main)


@given(
    script=st.lists(st.floats(0, SECONDS - 0.001), min_size=1, max_size=4),
    rest=st.floats(0.0, 12),
    start_s=st.sampled_from([0.0, 3.3]),
    chunk_rows=st.sampled_from([5, 256]),
)
@settings(max_examples=25)
def test_a_seek_tells_the_session_from_there(script: list[float], rest: float, start_s: float, chunk_rows: int) -> None:
    """Forth and back: a new epoch numbered from 1, with the rows of that time, none left out, at their times."""

    async def main() -> None:
        playing = Playing(speed=1.0, start_ns=START_NS + int(start_s * NS_PER_S), chunk_rows=chunk_rows)
        playing.player.lookahead.checkpoint_rows = 4 * chunk_rows
        for number, to_s in enumerate(script, 2):
            await asyncio.sleep(rest)
            to_ns = START_NS + int(to_s * NS_PER_S)
            playing.player.seek(to_ns)
            began = playing.loop.time()
            await playing.settled()
            assert playing.player.epoch == number
            assert playing.player.session_ns == pytest.approx(to_ns, abs=1000)
        await playing.task
        last = playing.in_epoch(len(script) + 1)
        assert [event.seq for event in last] == list(range(1, len(last) + 1))
        assert isinstance(last[0], Status)
        assert (last[0].phase, last[0].reason) == ("epoch", "seek")
        tape = Tape(small_session(seconds=SECONDS, rate=5), CONFIG)
        rows = [
            event
            for chunk in iter(lambda: tape.advance(500), None)
            for event, ns in zip(chunk.events(), chunk.avail.tolist(), strict=True)
            if ns >= to_ns
        ]
        assert without_place(last) == without_place(rows)
        for at, avail, _ in playing.told[-len(last) :]:
            assert at == pytest.approx(began + (avail - to_ns) / NS_PER_S, abs=1e-4)

    run_virtually(main)


def test_many_checkpoints_are_thinned_and_all_are_good() -> None:
    """However long a session is, a bounded number of places is kept, and each leads back to the tape."""

    async def main() -> None:
        playing = Playing(speed=math.inf, chunk_rows=3)
        playing.player.lookahead.checkpoint_rows = 1
        await playing.task
        points = playing.player.lookahead.checkpoints
        assert 2 < len(points) <= MAX_CHECKPOINTS
        for point in points[1:]:
            tape = Tape(small_session(seconds=SECONDS, rate=5), CONFIG)
            tape.restore(point)
            chunk = tape.advance(100)
            if chunk is not None:
                assert texts(chunk.events()) == texts(playing.events[point.seq : point.seq + len(chunk)])

    run_virtually(main)


def test_places_of_an_epoch_lead_into_that_epoch() -> None:
    """Also where the session starts later than its source: from each checkpoint of epoch 1, the rows of its seq."""

    async def main() -> None:
        start_ns = START_NS + 7 * NS_PER_S
        playing = Playing(speed=math.inf, start_ns=start_ns, chunk_rows=3)
        playing.player.lookahead.checkpoint_rows = 1
        await playing.task
        points = [point for point in playing.player.lookahead.checkpoints if point.epoch == 1]
        assert min(point.seq for point in points) == 0
        for point in points:
            tape = Tape(small_session(seconds=SECONDS, rate=5), CONFIG, start_ns=start_ns)
            tape.restore(point)
            chunk = tape.advance(100)
            if chunk is not None:
                assert texts(chunk.events()) == texts(playing.events[point.seq : point.seq + len(chunk)])

    run_virtually(main)


# -------------------------------------------------------------------------------------------------------------- ends


def test_a_loop_tells_the_session_again_and_again() -> None:
    """Each round is an epoch of its own with the same rows; the digest of a whole round is the same."""

    async def main() -> None:
        playing = Playing(speed=1.0, loop=True, with_digest=True)
        await asyncio.sleep(3.5 * (SECONDS + 60))
        playing.player.stop()
        await playing.task
        assert playing.epochs[:3] == [1, 2, 3]
        first = without_place(playing.in_epoch(1))
        assert first == without_place(the_tape())
        assert first == without_place(playing.in_epoch(2)) == without_place(playing.in_epoch(3))
        status = playing.in_epoch(2)[0]
        assert isinstance(status, Status)
        assert status.reason == "loop"

    run_virtually(main)


def test_at_the_end_it_leaves_or_stays() -> None:
    """`exit_at_end` ends the iteration; otherwise it waits, and a seek makes it play again."""

    async def main() -> None:
        playing = Playing(speed=100.0, exit_at_end=False)
        ended: list[int] = []
        playing.player.on_end = lambda: ended.append(len(playing.told))
        await asyncio.sleep(1000)
        assert (playing.player.state, ended) == ("ended", [len(the_tape())])
        assert not playing.task.done()
        playing.player.seek(START_NS + 10 * NS_PER_S)
        await playing.settled()
        assert playing.player.state == "playing"
        await asyncio.sleep(1000)
        assert len(ended) == 2
        playing.player.stop()
        await playing.task

    run_virtually(main)


@pytest.mark.parametrize("unit", ["event", "trade", "bar"])
def test_after_the_end_there_is_nothing_to_step_to(unit: Any) -> None:
    """A step is done at once, and pause and resume change nothing."""

    async def main() -> None:
        playing = Playing(speed=100.0, exit_at_end=False)
        await asyncio.sleep(1000)
        playing.player.step(3, unit)
        playing.player.pause()
        playing.player.resume()
        await asyncio.sleep(1)
        assert playing.player.settled
        assert playing.player.state == "ended"
        playing.player.stop()
        await playing.task

    run_virtually(main)


@pytest.mark.parametrize("when", [0.0, 3.0, 7.7])
def test_the_digest_is_that_of_what_was_told(when: float) -> None:
    """At any time it is that of the events so far; after a seek there is none."""

    async def main() -> None:
        playing = Playing(speed=1.0, with_digest=True)
        await asyncio.sleep(when)
        so_far = Digest()
        for due in playing.dues:
            so_far.update(*due)
        assert playing.player.digest() == so_far.hexdigest()
        playing.player.seek(START_NS + NS_PER_S)
        await playing.settled()
        assert playing.player.digest() is None
        playing.player.stop()
        await playing.task

    run_virtually(main)


@given(after=st.integers(1, 250))
@settings(max_examples=15)
def test_going_on_behind_an_earlier_run(after: int) -> None:
    """What the earlier run told is passed over but counts for the digest; the clock goes on from there."""

    async def main() -> None:
        tape = the_tape()
        assert after < len(tape)
        playing = Playing(speed=1.0, with_digest=True, after_seq=after)
        passed: list[Event] = []
        playing.player.on_passed = lambda chunk, told: passed.extend(chunk.events(0, told))
        await playing.task
        assert texts(passed) == texts(tape[:after])
        assert texts(playing.events) == texts(tape[after:])
        digest = Digest()
        digest.update_events(tape)
        assert playing.player.digest() == digest.hexdigest()
        first_ns = playing.told[0][1]
        assert playing.told[-1][0] - playing.told[0][0] == pytest.approx(
            (playing.told[-1][1] - first_ns) / NS_PER_S, abs=1e-4
        )

    run_virtually(main)


# ------------------------------------------------------------------------------------------------------ closed hours

DAY = trading_day(date(2025, 8, 22))  # a Friday
NEXT = trading_day(date(2025, 8, 25))
BEFORE_CLOSE_S, AFTER_OPEN_S = 30, 20


def over_the_weekend() -> MemorySource:
    """A trade before Friday's close and one after Sunday's opening."""
    times = [DAY.close_ns - BEFORE_CLOSE_S * NS_PER_S, NEXT.open_ns + AFTER_OPEN_S * NS_PER_S]
    return MemorySource({"trade": quiet_trades(times)}, ("ES",))


@given(speed=st.floats(0.05, 5000))
@settings(max_examples=40)
def test_closed_hours_are_jumped(speed: float) -> None:
    """From the close to the opening no time passes; on both sides it passes as ever."""

    async def main() -> None:
        playing = Playing(over_the_weekend(), speed=speed)
        await playing.task
        first, last = [at for at, _, event in playing.told if isinstance(event, Trade)]
        assert last - first == pytest.approx((BEFORE_CLOSE_S + AFTER_OPEN_S) / speed, abs=1e-3)

    run_virtually(main)


def test_closed_hours_are_waited_for() -> None:
    """With `jump_closed=False` a weekend lasts as long as it is."""

    async def main() -> None:
        playing = Playing(over_the_weekend(), speed=60.0, jump_closed=False)
        await playing.task
        first, last = [at for at, _, event in playing.told if isinstance(event, Trade)]
        assert last - first == pytest.approx(
            (NEXT.open_ns - DAY.close_ns) / NS_PER_S / 60 + (BEFORE_CLOSE_S + AFTER_OPEN_S) / 60, abs=1e-3
        )

    run_virtually(main)


# ------------------------------------------------------------------------------------------------------ reading ahead


def test_chunks_are_read_before_they_are_due_and_not_far() -> None:
    """`on_read` gets each chunk once, in order, before any of it is told."""

    async def main() -> None:
        playing = Playing(speed=1.0)
        read: list[int] = []
        playing.player.lookahead.on_read = lambda chunk: read.append(chunk.last_seq)
        seen = []

        async def check() -> None:
            seen.append(read[-1])

        playing.hold = check
        await playing.task
        assert read == sorted(set(read))
        assert all(known >= due.chunk.last_seq for known, due in zip(seen, playing.dues, strict=True))

    run_virtually(main)


def test_between_two_steps_of_reading_ahead_others_have_a_turn() -> None:
    """Bars, footprints and profiles are steps of their own: none is taken in the same turn of the loop as another."""

    async def main() -> None:
        playing = Playing(speed=1.0, chunk_rows=256)
        turn = 0
        turns: list[int] = []
        chunks: list[Chunk] = []
        ahead = playing.player.lookahead
        step = ahead.read_on

        def next_turn() -> None:
            nonlocal turn
            turn += 1

        def counted(rows: int) -> None:
            turns.append(turn)
            playing.loop.call_soon(next_turn)
            step(rows)

        await asyncio.sleep(1)  # until the first chunk, which is wanted at once, is there
        ahead.read_on, ahead.on_read = counted, chunks.append  # type: ignore[method-assign]
        await playing.task
        assert len(chunks) > 1
        assert len(turns) > 4 * len(chunks)
        assert turns == sorted(set(turns))

    run_virtually(main)

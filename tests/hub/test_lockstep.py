"""The clock waits for its clients: under virtual time, with the session's own readers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from feedsim.errors import ProtocolError
from feedsim.hub.cursor import Cursor
from feedsim.hub.lockstep import LockStep
from feedsim.instruments import NS_PER_MS
from feedsim.wire import messages as m
from tests.hub.lines import EVERYTHING, UNPACED, Hub, Line, subscription, tape_events
from tests.support.memory_source import START_NS, small_session
from tests.support.virtual_time import run_virtually

ALL = subscription(*EVERYTHING, policy="wait")
START_MS = START_NS // NS_PER_MS
STEP_MS = 250


def hub(**setup: Any) -> Hub:
    return Hub(small_session, speed=UNPACED, setup={"private": True, "lockstep_ms": STEP_MS, **setup})


def acks(made: Hub) -> LockStep:
    assert made.session.lockstep is not None
    return made.session.lockstep


def join(made: Hub) -> tuple[Line, Cursor]:
    line, cursor = made.join(ALL)
    acks(made).join(cursor)
    return line, cursor


async def settle() -> None:
    """Whatever can happen now, happens."""
    await asyncio.sleep(0.01)


def steps(line: Line) -> list[m.Stepped]:
    return line.told(m.Stepped)


def test_nothing_is_told_beyond_what_was_acknowledged() -> None:
    """After each step the client has exactly the tape's events before the time that it let the clock go to."""

    async def main() -> None:
        made = hub()
        line, cursor = join(made)
        tape = tape_events()
        await settle()
        assert [step.ts for step in steps(line)] == [START_MS]
        assert line.events == []
        until = START_MS
        for ahead in (1, 70, 250, 5, 3000):
            until += ahead
            acks(made).ack(cursor, until)
            await settle()
            assert (steps(line)[-1].ts, steps(line)[-1].reason) == (until, "until")
            told = [event for event in tape if event.seq <= made.session.ring.head]
            assert line.events == told
            assert steps(line)[-1].seq == made.session.ring.head == len(told)
            known = [event.ts for event in told if type(event).__name__ in ("Trade", "L1", "L2")]
            assert all(ts < until * NS_PER_MS for ts in known)
        await made.stop()

    run_virtually(main)


def test_to_the_end_it_is_the_same_session() -> None:
    """Acks without a time go by the server's step; every event comes, and the digest is that of the tape."""

    async def main() -> None:
        made, plain = hub(), Hub(small_session, speed=UNPACED)
        line, cursor = join(made)
        await plain.ended()
        at = -1
        while made.session.player.state != "ended":
            await settle()
            if steps(line)[-1].ts != at:
                at = steps(line)[-1].ts
                acks(made).ack(cursor, None)
        assert [b.ts - a.ts for a, b in zip(steps(line), steps(line)[1:], strict=False)] == [STEP_MS] * (
            len(steps(line)) - 1
        )
        assert line.events == tape_events()
        assert made.session.player.digest() == plain.session.player.digest()
        await made.stop()
        await plain.stop()

    run_virtually(main)


def test_the_slowest_client_sets_the_pace() -> None:
    """Two clients: the clock goes as far as both let it; when one leaves, as far as the other did."""

    async def main() -> None:
        made = hub()
        (first, one), (second, two) = join(made), join(made)
        await settle()
        acks(made).ack(one, START_MS + 900)
        await settle()
        assert [step.ts for step in steps(first)] == [START_MS]
        acks(made).ack(two, START_MS + 300)
        await settle()
        assert steps(first)[-1].ts == steps(second)[-1].ts == START_MS + 300
        acks(made).leave(two)
        await settle()
        assert steps(first)[-1].ts == START_MS + 900
        late, _ = join(made)
        assert [step.ts for step in steps(late)] == [START_MS + 900]
        await made.stop()

    run_virtually(main)


def test_a_client_that_thinks_too_long_is_not_waited_for() -> None:
    """After `think_s` of real time the clock takes one step without it, and counts that."""

    async def main() -> None:
        made = hub(think_s=20.0)
        line, _ = join(made)
        await asyncio.sleep(19)
        assert len(steps(line)) == 1
        await asyncio.sleep(2)
        assert [step.ts for step in steps(line)] == [START_MS, START_MS + STEP_MS]
        assert acks(made).overdue == 1
        await made.stop()

    run_virtually(main)


def test_an_ack_must_be_ahead() -> None:
    """Of a time that is past already, it says where the clock is."""

    async def main() -> None:
        made = hub()
        _, cursor = join(made)
        await settle()
        with pytest.raises(ProtocolError, match=f"the clock is at {START_MS}"):
            acks(made).ack(cursor, START_MS)
        await made.stop()

    run_virtually(main)


def test_a_seek_begins_a_new_wait() -> None:
    """In the new epoch nothing is told before somebody says how far the clock may go."""

    async def main() -> None:
        made = hub(controllable=True)
        line, cursor = join(made)
        await settle()
        acks(made).ack(cursor, START_MS + 2000)
        await settle()
        made.session.player.seek(START_NS + 1_000 * NS_PER_MS)
        await settle()
        assert (steps(line)[-1].ts, made.session.ring.epoch) == (START_MS + 1000, 2)
        assert made.session.ring.head == 0
        acks(made).ack(cursor, START_MS + 1001)
        await settle()
        assert made.session.ring.head > 0
        await made.stop()

    run_virtually(main)

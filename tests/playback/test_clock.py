"""The session's clock as a pure value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.playback.clock import NS_PER_S, Clock

START_NS = 1_755_783_000_000_000_000

speeds = st.floats(0.01, 10_000)
waits = st.floats(0, 10_000)


@given(now=st.floats(0, 1e6), speed=speeds, seconds=waits)
def test_session_time_is_speed_times_real_time(now: float, speed: float, seconds: float) -> None:
    """From the start on, to a microsecond of session time and speed."""
    clock = Clock(START_NS, speed, now=now)
    shown = clock.session_ns(now + seconds) - START_NS
    assert shown == pytest.approx(seconds * speed * NS_PER_S, abs=1e3 * max(speed, 1))


@given(now=st.floats(0, 1e6), speed=speeds, ahead_ns=st.integers(0, 10**15))
def test_a_deadline_is_when_the_clock_shows_the_time(now: float, speed: float, ahead_ns: int) -> None:
    """`deadline` and `session_ns` are each other's inverse, but for rounding."""
    clock = Clock(START_NS, speed, now=now)
    shown = clock.session_ns(clock.deadline(START_NS + ahead_ns))
    assert shown - START_NS == pytest.approx(ahead_ns, abs=1e3 * max(speed, 1))


Step = tuple[str, float]
steps = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "speed", "advance", "nothing", "hold"]), st.floats(0.01, 100)),
    max_size=20,
)


def obey(clock: Clock, step: Step, now: float) -> None:
    name, value = step
    if name == "pause":
        clock.pause(now)
    elif name == "resume":
        clock.resume(now)
    elif name == "speed":
        clock.set_speed(value, now)
    elif name == "hold":
        clock.hold(now)
        clock.release(now)
    elif name == "advance":
        clock.advance_to(START_NS + int(value * NS_PER_S), now)


@given(steps)
def test_it_never_runs_backwards(script: list[Step]) -> None:
    """Whatever is asked of it, later real times show the same or later session times."""
    clock, now = Clock(START_NS, now=0.0), 0.0
    shown = clock.session_ns(now)
    for step in script:
        now += step[1]
        assert clock.session_ns(now) >= shown
        shown = clock.session_ns(now)
        obey(clock, step, now)
        assert clock.session_ns(now) >= shown
        shown = clock.session_ns(now)


@given(steps)
def test_it_counts_only_the_time_that_it_runs(script: list[Step]) -> None:
    """Session time is the sum of the running stretches times their speeds."""
    clock, now = Clock(START_NS, now=0.0), 0.0
    expected, speed, running = 0.0, 1.0, True
    for step in script:
        now += step[1]
        expected += step[1] * speed * running
        if step[0] != "advance":
            obey(clock, step, now)
        running = {"pause": False, "resume": True}.get(step[0], running)
        speed = step[1] if step[0] == "speed" else speed
        assert clock.session_ns(now) - START_NS == pytest.approx(expected * NS_PER_S, abs=1e3)


def test_a_jump_goes_only_forward() -> None:
    """`advance_to` a time that is past changes nothing."""
    clock = Clock(START_NS, now=0.0)
    clock.advance_to(START_NS + 5 * NS_PER_S, 1.0)
    assert clock.session_ns(1.0) == START_NS + 5 * NS_PER_S
    clock.advance_to(START_NS, 2.0)
    assert clock.session_ns(2.0) == START_NS + 6 * NS_PER_S


def test_a_restart_may_go_back() -> None:
    """A new epoch starts where it says, at the speed of before."""
    clock = Clock(START_NS, 10, now=0.0)
    clock.restart(START_NS - 7 * NS_PER_S, 100.0)
    assert clock.session_ns(101.0) == START_NS + 3 * NS_PER_S


def test_a_stretch_in_which_it_is_held_is_left_out() -> None:
    """It stands meanwhile; what is due after it is due that much later."""
    clock = Clock(START_NS, 2, now=0.0)
    before = clock.deadline(START_NS + 10 * NS_PER_S)
    clock.hold(1.0)
    assert clock.session_ns(1.0) == clock.session_ns(3.5) == START_NS + 2 * NS_PER_S
    clock.release(4.0)
    assert clock.session_ns(4.0) == START_NS + 2 * NS_PER_S
    assert clock.deadline(START_NS + 10 * NS_PER_S) == before + 3.0


def test_being_held_often_does_not_add_up() -> None:
    """A million stretches without length leave the schedule where it was."""
    clock = Clock(START_NS, 3.3, now=0.0)
    for count in range(1_000_000):
        clock.hold(count / 1000)
        clock.release(count / 1000)
    assert clock.deadline(START_NS + 33 * NS_PER_S) == pytest.approx(10.0, abs=1e-9)


def test_what_is_asked_for_while_it_is_held_counts_from_where_it_stands() -> None:
    """Pause, speed and resume during a stretch that is left out."""
    clock = Clock(START_NS, now=0.0)
    clock.hold(1.0)
    clock.pause(9.0)
    clock.release(10.0)
    assert clock.session_ns(20.0) == START_NS + NS_PER_S
    clock.resume(20.0)
    assert clock.session_ns(21.0) == START_NS + 2 * NS_PER_S
    clock.hold(21.0)
    clock.set_speed(10, 25.0)
    assert clock.session_ns(30.0) == START_NS + 2 * NS_PER_S
    clock.release(30.0)
    assert clock.session_ns(31.0) == START_NS + 12 * NS_PER_S


def test_unpaced_it_stands_where_it_was_put() -> None:
    """At speed infinity everything is due, and the time is that of what was delivered."""
    clock = Clock(START_NS, math.inf, now=5.0)
    assert clock.unpaced
    assert clock.session_ns(1000.0) == START_NS
    assert clock.deadline(START_NS + 10**15) <= 5.0
    clock.advance_to(START_NS + 7, 1000.0)
    assert clock.session_ns(2000.0) == START_NS + 7
    clock.set_speed(1.0, 2000.0)
    assert clock.session_ns(2001.0) == START_NS + 7 + NS_PER_S


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_speed_must_be_above_0(speed: float) -> None:
    """Time does not stand still or run back; pause is another thing."""
    with pytest.raises(ValueError, match="above 0"):
        Clock(START_NS, now=0.0).set_speed(speed, 0.0)

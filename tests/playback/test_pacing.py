"""Pacers: not early, woken at once, one sleeper; the plain one under virtual time, the kernel's on real loops."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.playback import pacing
from feedsim.playback.pacing import LEAD_S, LONG_WORK_S, LoopPacer, Pacer, TimerfdPacer, pacer_for
from tests.support.virtual_time import run_virtually

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_plain_timers_keep_an_absolute_schedule(gaps: list[float]) -> None:
    """Each sleep ends at its deadline, to the clock's resolution; nothing adds up over many."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pacer, deadline = LoopPacer(loop), 0.0
        for gap in gaps:
            deadline += gap
            await pacer.sleep_until(deadline)
            assert deadline <= loop.time() + 1e-6
            assert loop.time() <= deadline + 3e-6

    run_virtually(main)


def test_a_deadline_that_is_past_gives_others_a_turn() -> None:
    """It does not sleep, and does not starve the loop either."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pacer, turns = LoopPacer(loop), 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = loop.create_task(other())
        for _ in range(10):
            await pacer.sleep_until(-1.0)
        assert turns >= 9
        assert loop.time() == 0.0
        task.cancel()

    run_virtually(main)


@pytest.mark.parametrize("deadline", [None, 1000.0])
def test_a_plain_sleep_is_woken(deadline: float | None) -> None:
    """At once, and a wake-up without a sleeper is not kept for the next one."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pacer = LoopPacer(loop)
        pacer.wake()
        loop.call_later(5.0, pacer.wake)
        await pacer.sleep_until(deadline)
        assert loop.time() == pytest.approx(5.0)
        await pacer.sleep_until(50.0)
        assert loop.time() == pytest.approx(50.0)

    run_virtually(main)


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    found: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
    if sys.platform != "win32":
        import uvloop

        found.append(uvloop.new_event_loop)
    return found


@linux_only
@pytest.mark.parametrize("new_loop", loops())
def test_the_kernel_s_timer_is_never_early(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """On asyncio's loop and on uvloop; deadlines in the past, soon and a little later."""

    async def main() -> None:
        pacer = pacer_for(asyncio.get_running_loop())
        assert isinstance(pacer, TimerfdPacer)
        for ahead in (-1.0, 0.0, 1e-6, 1e-4, 2e-4, 5e-3):
            deadline = pacer.now() + ahead
            await pacer.sleep_until(deadline)
            assert pacer.now() >= deadline
        pacer.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


@linux_only
@pytest.mark.parametrize("deadline_s", [None, 3600.0])
async def test_a_sleep_by_the_kernel_s_timer_is_woken(deadline_s: float | None) -> None:
    """Long before its deadline, and the time that is left is not spun away."""
    pacer = pacer_for(asyncio.get_running_loop())
    asyncio.get_running_loop().call_soon(pacer.wake)
    before = pacer.now()
    await pacer.sleep_until(None if deadline_s is None else before + deadline_s)
    assert pacer.now() < before + 3600
    pacer.close()


@linux_only
async def test_a_timer_of_before_does_not_end_a_later_sleep() -> None:
    """Woken early, the kernel's alarm of the first sleep is still set; the second one must not end by it."""
    pacer = pacer_for(asyncio.get_running_loop())
    asyncio.get_running_loop().call_soon(pacer.wake)
    await pacer.sleep_until(pacer.now() + 0.005)
    deadline = pacer.now() + 0.03
    await pacer.sleep_until(deadline)
    assert pacer.now() >= deadline
    pacer.close()


@linux_only
async def test_the_lead_is_learned_within_its_bounds() -> None:
    """Late timers lengthen it, punctual ones shorten it, slowly."""
    pacer = pacer_for(asyncio.get_running_loop())
    assert isinstance(pacer, TimerfdPacer)
    for _ in range(1000):
        pacer._learn(0.0)
    assert pacer._lead_s == LEAD_S[0]
    pacer._learn(1.0)
    assert LEAD_S[0] < pacer._lead_s < LEAD_S[0] + 2e-5
    for _ in range(1000):
        pacer._learn(1.0)
    assert pacer._lead_s == LEAD_S[1]
    pacer.close()


@linux_only
@pytest.mark.parametrize(("took_s", "spins"), [(LONG_WORK_S / 2, True), (LONG_WORK_S * 2, False)])
async def test_long_work_is_not_spun_for(monkeypatch: pytest.MonkeyPatch, took_s: float, spins: bool) -> None:
    """The timer is set to the deadline itself where most wake-ups have long work, and before it elsewhere."""
    pacer = pacer_for(asyncio.get_running_loop())
    assert isinstance(pacer, TimerfdPacer)
    for _ in range(100):
        pacer._learn_work(took_s)
        pacer._learn_work(took_s)
        pacer._learn_work(10.0 if spins else 0.0)  # one in three is otherwise
    alarms: list[float] = []
    monkeypatch.setattr(pacing, "_timerfd_settime", lambda _, alarm: alarms.append(alarm))
    asyncio.get_running_loop().call_soon(pacer.wake)
    deadline = pacer.now() + 60
    await pacer.sleep_until(deadline)
    assert [alarm < deadline for alarm in alarms] == [spins]
    pacer.close()


@pytest.mark.parametrize("problem", [OSError("none left"), AttributeError("no such function"), NotImplementedError()])
async def test_without_the_kernel_s_timer_plain_ones_are_used(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """Windows, macOS, an old libc, or no more file descriptors: sleeps still end, and are not early."""

    def refuse() -> int:
        raise problem

    monkeypatch.setattr(pacing, "_timerfd_create", refuse)
    pacer: Pacer = pacer_for(asyncio.get_running_loop())
    assert isinstance(pacer, LoopPacer)
    assert pacer.now is time.monotonic
    deadline = pacer.now() + 0.002
    while pacer.now() < deadline:
        await pacer.sleep_until(deadline)
    pacer.close()


def test_other_platforms_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not Linux is not asked."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NotImplementedError):
        pacing._timerfd_create()


def test_virtual_time_has_its_own_clock() -> None:
    """A kernel's timer would not follow it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pacer = pacer_for(loop)
        assert isinstance(pacer, LoopPacer)
        assert pacer.now == loop.time

    run_virtually(main)

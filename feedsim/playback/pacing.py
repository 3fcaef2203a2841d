"""Waking up on time: a kernel timer and a short spin where Linux has them, the loop's own timer elsewhere.

`pacer_for(loop)` chooses. A pacer has one sleeper; `wake()` ends its sleep early.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

# The kernel's timer is set this long before the deadline, and the rest is spun away. How long is learned: as little as
# still covers QUANTILE of the timer's own delays, so that a quiet machine does not pay for a busy one.
LEAD_S = (30e-6, 150e-6)
QUANTILE = 0.95
LEARN_S = 10e-6  # by how much a delay that was not covered lengthens the lead
# A wake-up whose work mostly takes longer than this is not spun for: its last client waits longer than a spin gains.
LONG_WORK_S = 250e-6
# What a loop's clock resolves; a shorter sleep might not move it, and would be slept for ever.
SHORTEST_S = 1e-6


class Pacer(Protocol):
    """Sleeps to absolute deadlines on the monotonic clock that `now()` reads."""

    now: Callable[[], float]

    async def sleep_until(self, deadline: float | None) -> None:
        """Return at `deadline` (seconds; None is never), or as soon as `wake()` is called."""
        ...

    def wake(self) -> None: ...

    def close(self) -> None:
        """End the sleep and let go of the timer; may be called again. Nobody sleeps after it."""
        ...


class LoopPacer:
    """Plain timers of the event loop: works everywhere, also under a loop whose time is virtual."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: Callable[[], float] | None = None) -> None:
        self._loop = loop
        self.now = now or loop.time
        self._waiter: asyncio.Future[None] | None = None

    async def sleep_until(self, deadline: float | None) -> None:
        timer = None
        self._waiter = self._loop.create_future()
        if deadline is not None:
            if (remaining := deadline - self.now()) <= 0:
                await asyncio.sleep(0)
                return
            timer = self._loop.call_later(max(remaining, SHORTEST_S), self.wake)
        try:
            await self._waiter
        finally:
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self.wake()


class TimerfdPacer:
    """A timerfd until shortly before the deadline, then a spin: late by microseconds at a few percent of a core."""

    now = staticmethod(time.monotonic)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._fd = _timerfd_create()
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        self._lead_s = LEAD_S[1]
        self._work_s = 0.0
        """About the median of how long the work of a wake-up takes."""
        self._returned = self.now()
        loop.add_reader(self._fd, self._fired)

    async def sleep_until(self, deadline: float | None) -> None:
        self._woken = False
        started = self.now()
        self._learn_work(started - self._returned)
        alarm = None if deadline is None else deadline - (self._lead_s if self._work_s <= LONG_WORK_S else 0.0)
        if alarm is None or alarm > started:
            self._waiter = self._loop.create_future()
            if alarm is not None:
                _timerfd_settime(self._fd, alarm)
            await self._waiter
            if alarm is not None and not self._woken:
                self._learn(self.now() - alarm)
        else:
            await asyncio.sleep(0)
        if deadline is not None and not self._woken:
            now = self.now
            while now() < deadline:
                pass
        self._returned = self.now()

    def _learn(self, delay_s: float) -> None:
        """Follow a quantile of the timer's delays: a miss weighs as much as the hits that it may be among."""
        step = QUANTILE if delay_s > self._lead_s else QUANTILE - 1
        self._lead_s = min(max(self._lead_s + LEARN_S * step, LEAD_S[0]), LEAD_S[1])

    def _learn_work(self, took_s: float) -> None:
        """Follow the median, which the few wake-ups that also read ahead do not move."""
        self._work_s = max(self._work_s + (LEARN_S if took_s > self._work_s else -LEARN_S), 0.0)

    def wake(self) -> None:
        self._woken = True
        self._done()

    def close(self) -> None:
        self.wake()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._done()

    def _done(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def pacer_for(loop: asyncio.AbstractEventLoop) -> Pacer:
    """The most exact pacer that this platform and loop have. uvloop's own clock only has milliseconds."""
    now = clock_of(loop)
    if now is not time.monotonic:
        return LoopPacer(loop, now)
    try:
        return TimerfdPacer(loop)
    except (OSError, AttributeError, NotImplementedError):
        return LoopPacer(loop, now)


def clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """The clock that this loop's pacer reads: the monotonic one, or the loop's own where its time is virtual."""
    return loop.time if type(loop).__module__.startswith("async_solipsism") else time.monotonic


# ------------------------------------------------------------------------- timerfd(2), in the os module from 3.13 on


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_TFD_FLAGS = 0o2004000  # TFD_NONBLOCK | TFD_CLOEXEC


@cache  # to look it up costs more than to set the timer
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _timerfd_create() -> int:
    if sys.platform != "linux":
        raise NotImplementedError("timerfd is Linux's")
    fd = int(_libc().timerfd_create(_CLOCK_MONOTONIC, _TFD_FLAGS))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    return fd


def _timerfd_settime(fd: int, deadline: float) -> None:
    seconds = int(deadline)
    value = _Timespec(seconds, max(1, int((deadline - seconds) * 1e9)))
    spec = _Itimerspec(_Timespec(0, 0), value)
    if _libc().timerfd_settime(fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
        raise OSError(ctypes.get_errno(), "timerfd_settime")

"""An event loop whose time is virtual: it passes when everybody waits, so no test depends on how fast a machine is."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import async_solipsism

from tests.support.guards import left_behind

T = TypeVar("T")


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end; the loop's time starts at 0. Raises what it raises.

    No task may be left when it is over.
    """

    async def guarded() -> T:
        result = await main()
        left = await left_behind(set())
        assert not left, f"tasks were left behind: {left}"
        return result

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner, warnings.catch_warnings():
        # Deadlines are finer than the virtual clock: it is then not moved, which is as well.
        warnings.filterwarnings("ignore", "delta is less than resolution")
        return runner.run(guarded())


def take_time(seconds: float) -> None:
    """Be busy, so that the loop comes to nothing else meanwhile."""
    loop: Any = asyncio.get_running_loop()
    loop._selector.clock.advance(seconds)

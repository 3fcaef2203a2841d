"""An event loop whose time is virtual: it passes when everybody waits, so no test depends on how fast a machine is."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import async_solipsism

T = TypeVar("T")


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end; the loop's time starts at 0. Raises what it raises."""
    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner, warnings.catch_warnings():
        # Deadlines are finer than the virtual clock: it is then not moved, which is as well.
        warnings.filterwarnings("ignore", "delta is less than resolution")
        return runner.run(main())

"""Guards around asynchronous tests: no task may be left behind, and nothing may keep the event loop for long.

The loop is timed by the processor time of its thread, without what the garbage collector took, so that a busy machine
is not taken for a blocked loop.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BLOCKED_S = 0.05
GRACE_TURNS = 50  # of the loop, for connections that are being closed


class LoopWatch:
    """Notes each callback and step of a task that computed for longer than `BLOCKED_S`, but those of the test."""

    def __init__(self, test: Callable[..., Any]) -> None:
        self.blocked: list[str] = []
        self._code = test.__code__
        self._collecting_s = self._collection_began = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every loop of this process is watched."""
        run: Callable[[asyncio.Handle], None] = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            name = self._name(handle)
            began = time.thread_time() - self._collecting_s
            run(handle)
            took = time.thread_time() - self._collecting_s - began
            if took > BLOCKED_S and name is not None:
                self.blocked.append(f"{took * 1e3:.0f} ms in {name}")

        gc.callbacks.append(self._on_collection)
        asyncio.Handle._run = timed  # type: ignore[assignment,method-assign] # the one place that every step goes through
        try:
            yield
        finally:
            asyncio.Handle._run = run  # type: ignore[assignment,method-assign]
            gc.callbacks.remove(self._on_collection)

    def _name(self, handle: asyncio.Handle) -> str | None:
        """What a handle runs; None for the test itself."""
        callback = handle._callback  # type: ignore[attr-defined] # as asyncio's own debug mode names it
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, asyncio.Task):
            coroutine = owner.get_coro()
            own = getattr(coroutine, "cr_code", None) is self._code
            return None if own else f"task {owner.get_name()!r}: {coroutine}"
        return repr(callback)

    def _on_collection(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collection_began = time.thread_time()
        else:
            self._collecting_s += time.thread_time() - self._collection_began


async def left_behind(before: set[asyncio.Task[Any]]) -> list[str]:
    """The tasks that are still there and were not before, once the loop has had some turns to end them."""
    left: set[asyncio.Task[Any]] = set()
    for _ in range(GRACE_TURNS):
        left = {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()}
        if not left:
            break
        await asyncio.sleep(0)
    return sorted(f"{task.get_name()}: {task.get_coro()}" for task in left)

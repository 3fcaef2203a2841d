"""Tasks that end by themselves, and are stopped together where they have not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Tasks:
    """Those that are running."""

    def __init__(self, name: str) -> None:
        """`name` is what each of them is called."""
        self._name = name
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=self._name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Return when none is running."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Cancel them; return when they are gone."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

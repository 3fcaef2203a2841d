"""A server that prints its port, and then, for each line on stdin, what it has: a line of JSON on stdout."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path

from feedsim.app.service import Service
from feedsim.config import ServeSettings
from feedsim.playback.loop import run

EVERY_S = 0.1


async def watch_buffers(service: Service, most: list[int]) -> None:
    """How much waited for all clients together at most, in this process."""
    while True:
        most[0] = max(most[0], sum(service.server.buffered()))
        await asyncio.sleep(EVERY_S)


def look(service: Service, most: list[int]) -> dict[str, int]:
    """As `Inside` has it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "tasks": len(asyncio.all_tasks()),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "published": service.counters.published,
        "clients": service.server.clients,
        "buffered": most[0],
    }


async def serve(settings: ServeSettings) -> None:
    service = Service(settings)
    await service.start()
    running = asyncio.create_task(service.run())
    most = [0]
    watching = asyncio.create_task(watch_buffers(service, most))
    sys.stdout.write(f"{service.port}\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "pause\n":
            service.sessions.live.player.pause()
            await service.sessions.live.settled()
        if line == "collect\n":
            gc.collect()
        sys.stdout.write(json.dumps(look(service, most)) + "\n")
        sys.stdout.flush()
    watching.cancel()
    service.stop()
    await running
    await service.close()


if __name__ == "__main__":
    run(serve(ServeSettings(port=0, **json.loads(sys.argv[1]))))

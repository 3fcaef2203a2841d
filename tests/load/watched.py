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


def look(service: Service) -> dict[str, int]:
    """As `Inside` has it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "published": service.counters.published,
        "clients": service.server.clients,
    }


async def serve(settings: ServeSettings) -> None:
    service = Service(settings)
    await service.start()
    running = asyncio.create_task(service.run())
    sys.stdout.write(f"{service.port}\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "pause\n":
            service.sessions.live.player.pause()
            await service.sessions.live.settled()
        if line == "collect\n":
            gc.collect()
        sys.stdout.write(json.dumps(look(service)) + "\n")
        sys.stdout.flush()
    service.stop()
    await running
    await service.close()


if __name__ == "__main__":
    run(serve(ServeSettings(port=0, **json.loads(sys.argv[1]))))

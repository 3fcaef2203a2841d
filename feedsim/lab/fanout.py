"""What a client more costs: a real server in a process of its own, and many clients that only take what comes.

The clients are in this process, so what is told of the server is its own CPU, not the speed of the clients.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from feedsim.errors import FeedsimError
from feedsim.lab.processes import START_S, serving
from feedsim.wire.messages import MSGPACK_SUBPROTOCOL, Subscribe

_EVENTS = msgspec.msgpack.Decoder()


@dataclass(frozen=True, slots=True)
class FanOut:
    """Of the time in which all clients were there."""

    clients: int
    events: int
    """Sent to each client."""
    frames: int
    """Received by all together."""
    seconds: float
    cpu_s: float | None
    """Of the server; None where the system does not tell."""
    first_event_s: float
    """From the start of the process to the first event at a client."""

    @property
    def us_per_delivery(self) -> float | None:
        """Server CPU for one event to one client."""
        deliveries = self.events * self.clients
        return self.cpu_s * 1e6 / deliveries if self.cpu_s is not None and deliveries else None


async def fan_out(arguments: Sequence[str], *, clients: int, seconds: float) -> FanOut:
    """Serve with the arguments of `feedsim serve`; raises FeedsimError where the server does not start."""
    begin = time.monotonic()
    async with serving([*arguments, "--wait-clients", str(clients)]) as server:
        try:
            return await _measure(server.url, server.pid, clients, seconds, begin)
        except TimeoutError:
            raise FeedsimError(f"the server sent nothing within {START_S:g} s") from None


@dataclass(slots=True)
class _Count:
    """What one client took."""

    began: asyncio.Event
    first: float = 0.0
    """When its first event came."""
    frames: int = 0
    events: int = 0


async def _measure(url: str, pid: int, clients: int, seconds: float, begin: float) -> FanOut:
    began = asyncio.Event()
    counts = [_Count(began) for _ in range(clients)]
    feeds = [await connect(url, subprotocols=[Subprotocol(MSGPACK_SUBPROTOCOL)], compression=None) for _ in counts]
    ask = msgspec.msgpack.encode(Subscribe())
    for feed in feeds:
        await feed.send(ask)
    # One client decodes and counts; the others get the same.
    tasks = [
        asyncio.create_task(_take(feed, count, decoded=count is counts[0]))
        for feed, count in zip(feeds, counts, strict=True)
    ]
    async with asyncio.timeout(START_S):
        await began.wait()
    start, cpu, events = time.monotonic(), cpu_seconds(pid), counts[0].events
    frames = sum(count.frames for count in counts)
    await asyncio.sleep(seconds)
    used = cpu_seconds(pid)
    result = FanOut(
        clients,
        counts[0].events - events,
        sum(count.frames for count in counts) - frames,
        time.monotonic() - start,
        None if cpu is None or used is None else used - cpu,
        counts[0].first - begin,
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(feed.close() for feed in feeds))
    return result


async def _take(feed: ClientConnection, count: _Count, *, decoded: bool) -> None:
    async for frame in feed:
        count.frames += 1
        if decoded:
            message = _EVENTS.decode(frame if isinstance(frame, bytes) else frame.encode())
            if message["type"] == "events":
                count.events += len(message["events"])
                count.first = count.first or time.monotonic()
                count.began.set()


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process so far; None where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # proc(5): utime and stime are fields 14 and 15, the first here is 3
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

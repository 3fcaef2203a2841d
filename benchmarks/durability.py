"""How far `durable_seq` is behind what was sent, at every heartbeat."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import feedsim
from benchmarks import processes
from benchmarks.report import Figure, against, beside

SECONDS = 20
BEHIND_S = 1.0


def run() -> list[Figure]:
    with (
        TemporaryDirectory() as folder,
        processes.feedsim("synthetic:", "--speed", "5", "--tap", str(Path(folder) / "tap")) as server,
    ):
        behind, events = asyncio.run(_watch(f"ws://127.0.0.1:{server.port}"))
    return [
        against(
            "the oldest event sent and not durable, at heartbeats (worst)",
            max(behind),
            BEHIND_S,
            unit=" s",
            key="durable_behind_s",
        ),
        beside("  median", f"{sorted(behind)[len(behind) // 2]:.2f} s"),
        beside("  events a second", f"{events / SECONDS:,.0f}"),
    ]


async def _watch(url: str) -> tuple[list[float], int]:
    """Seconds by which each heartbeat's durable_seq was behind, and how many events came."""
    sent: list[tuple[int, int]] = []  # the last seq of each frame, and when it was sent
    behind: list[float] = []
    events = heard = 0
    async with feedsim.connect(url) as feed:
        until = time.monotonic() + SECONDS
        async for batch in feed.batches():
            events += len(batch)
            sent.append((feed.seq, feed.sent_us))
            heartbeat = feed.heartbeat
            if heartbeat is not None and heartbeat.sent != heard and heartbeat.durable_seq is not None:
                heard = heartbeat.sent
                open_us = [at for seq, at in sent if seq > heartbeat.durable_seq and at < heartbeat.sent]
                behind.append(max((heartbeat.sent - min(open_us, default=heartbeat.sent)) / 1e6, 0.0))
                sent = [(seq, at) for seq, at in sent if seq > heartbeat.durable_seq]
            if time.monotonic() > until:
                return behind, events
    raise RuntimeError("the server ended")

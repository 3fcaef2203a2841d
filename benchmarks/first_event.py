"""How long after the start of the process a client has its first event."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import feedsim
from benchmarks import processes
from benchmarks.report import Figure, against, beside
from feedsim.client import FeedLost

ROUNDS = 5
PORT = 8797
RECORDING_S, SYNTHETIC_S = 1.0, 2.0


def run() -> list[Figure]:
    bare = min(_bare() for _ in range(ROUNDS))
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording"
        processes.run_feedsim("generate", "synthetic:", "--minutes", "10", "--out", str(recording))
        recorded = sorted(_first_event(str(recording)) for _ in range(ROUNDS))
    synthetic = sorted(_first_event("synthetic:") for _ in range(ROUNDS))
    middle = ROUNDS // 2
    return [
        against(
            "first event of a recording (median)",
            recorded[middle],
            RECORDING_S,
            unit=" s",
            key="first_event_recording_s",
        ),
        beside("  fastest, slowest", f"{recorded[0]:.2f} s, {recorded[-1]:.2f} s"),
        against(
            "first event of synthetic:, numba's cache warm (median)",
            synthetic[middle],
            SYNTHETIC_S,
            unit=" s",
            key="first_event_synthetic_s",
        ),
        beside("  fastest, slowest", f"{synthetic[0]:.2f} s, {synthetic[-1]:.2f} s"),
        beside("recording, of an empty Python with numpy, websockets, uvloop", f"{recorded[middle] / bare:.1f}"),
    ]


def _bare() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import numpy, websockets.asyncio.server, uvloop"], check=True)
    return time.monotonic() - started


def _first_event(source: str) -> float:
    """Seconds from the start of the process to the first event at a client that has been trying to connect."""
    command = [sys.executable, "-m", "feedsim", "serve", source, "--port", str(PORT)]
    started = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=processes.ENVIRONMENT)
    try:
        asyncio.run(asyncio.wait_for(_wait_for_event(), 60))
        return time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


async def _wait_for_event() -> None:
    while True:
        try:
            async with feedsim.connect(f"ws://127.0.0.1:{PORT}", reconnect=False) as feed:
                await anext(feed)
                return
        except FeedLost:
            await asyncio.sleep(0.005)

"""Processes that record until they are killed, or their disk is full, and say on stdout what is durable."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from feedsim.events import Chunk
from feedsim.recording.reader import open_recording
from feedsim.tap.tap import Tap
from feedsim.tap.writer import Writer
from tests.support.chunks import session, told
from tests.support.recordings import header, told_by, whole

WINDOWS = 60
SEGMENT_BYTES = 150_000  # sealed every few windows


def chunks_of(seed: int) -> list[Chunk]:
    """What it records."""
    return session(seed, windows=WINDOWS)


def write(directory: Path, seed: int) -> None:
    """Write a window at a time, with one step of sealing after each, and wait to be killed at the end."""
    writer = Writer(directory, header(), segment_bytes=SEGMENT_BYTES)
    for chunk in chunks_of(seed):
        writer.write([whole(chunk)])
        sys.stdout.write(json.dumps({"durable_seq": writer.durable[1]}) + "\n")
        sys.stdout.flush()
        writer.seal_step()
    sys.stdin.read()


async def fill(directory: Path, seed: int) -> None:
    """Tell a tap more than its disk holds; what became of it, as JSON on stdout. The disk goes with the process."""
    chunks = session(seed, windows=60, rows=2000, channels=("trade", "l1"))
    tap = Tap(directory, header())
    running = asyncio.create_task(tap.run())
    for chunk in chunks:
        tap.append(chunk, 0, len(chunk))
        if tap.state == "recording":
            await tap.flush()
    durable = tap.durable_seq
    await tap.close()
    await running
    recording = open_recording(directory)
    rows = told_by(recording)
    [hole] = recording.manifest.holes
    found = {
        "state": tap.state,
        "problem": tap.problem,
        "told": chunks[-1].last_seq,
        "recorded": len(rows),
        "durable": durable,
        "hole": [hole.first_seq, hole.last_seq],
        "same": rows == told(chunks)[: len(rows)],
    }
    sys.stdout.write(json.dumps(found))

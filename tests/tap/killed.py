"""A process that records until it is killed, and says on stdout what is durable."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from feedsim.events import Chunk
from feedsim.tap.writer import Writer
from tests.support.chunks import session
from tests.support.recordings import header, whole

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

"""What it costs to write one quote: whole chunks by the ring's way against msgspec one by one, in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.report import Figure, beside, told
from feedsim.app.opening import open_tape
from feedsim.config import SourceSettings
from feedsim.events import Chunk
from feedsim.hub.ring import Block
from feedsim.wire.codec import CODECS, SCALE, Encoding, Form

CHUNKS, ROWS, ROUNDS = 12, 4096, 7
CHANNELS: dict[str, str] = {"l1": "quote", "trade": "trade", "l2": "book of ten levels"}
ENCODINGS: tuple[Encoding, ...] = ("msgpack", "json")


def run() -> list[Figure]:
    chunks = _chunks()
    return [_figure(chunks, channel, encoding) for channel in CHANNELS for encoding in ENCODINGS]


def _figure(chunks: list[Chunk], channel: str, encoding: Encoding) -> Figure:
    count = sum(len(chunk.tables[channel]) for chunk in chunks)
    ring, alone = [], []
    for _ in range(ROUNDS):
        ring.append(_ns(lambda: _by_chunk(chunks, channel, encoding)) / count)
        alone.append(_ns(lambda: _one_by_one(chunks, channel, encoding)) / count)
    value = statistics.median(ring)
    of = statistics.median(one / other for one, other in zip(ring, alone, strict=True))
    shown = f"{of:.2f} ({value:.0f}, {statistics.median(alone):.0f} ns)"
    name = f"a {CHANNELS[channel]} in {encoding}: of msgspec one by one"
    if (channel, encoding) == ("l1", "msgpack"):
        return told(f"{name}: {shown}", value, key="encode_l1_ns", better="lower", unit=" ns", digits=0)
    return beside(name, shown)


def _chunks() -> list[Chunk]:
    tape = open_tape(SourceSettings(minutes=30))
    tape.skip_to_start()
    found: list[Chunk] = []
    while len(found) < CHUNKS and (chunk := tape.advance(ROWS)) is not None:
        found += [chunk] if set(CHANNELS) <= set(chunk.tables) else []
    tape.close()
    return found


def _by_chunk(chunks: list[Chunk], channel: str, encoding: Encoding) -> None:
    for chunk in chunks:
        Block(chunk).encode(Form(encoding), frozenset({channel}))


def _one_by_one(chunks: list[Chunk], channel: str, encoding: Encoding) -> None:
    """Structs made in bulk, each encoded by itself."""
    codec = CODECS[encoding]
    for chunk in chunks:
        for event in chunk.tables[channel].iterate(scale=SCALE["ms"]):
            codec.encode(event)


def _ns(work: Callable[[], None]) -> int:
    started = time.process_time_ns()
    work()
    return time.process_time_ns() - started

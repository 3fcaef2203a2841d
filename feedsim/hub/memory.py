"""What a session still knows of what it has told: the newest event of each stream, and the recent past of slow ones.

Nothing here looks past the ring's head.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from feedsim.events import Chunk, Event, StreamKey, Table
from feedsim.events.chunk import Ordered
from feedsim.hub.ring import Block, Ring
from feedsim.sources.base import Tables

# Channels whose past is kept beyond the ring: they are slow, and a bot warms up on them.
KEPT = ("bar", "footprint", "profile", "context", "leadership", "status")
KEPT_ROWS = 2000  # a stream
MOST_PARTS = 64
SNAPSHOT = frozenset(("status", "bar", "profile", "context", "l1", "l2"))


class Latest:
    """The newest published event of each stream: found in the ring, or remembered when the ring drops it."""

    def __init__(self) -> None:
        self._dropped: dict[int, tuple[Chunk, int]] = {}

    def clear(self) -> None:
        self._dropped.clear()

    def on_drop(self, block: Block, ring: Ring) -> None:
        """The ring has dropped its oldest block: of streams that spoke in the next one there is a newer event."""
        after = ring.blocks[0]
        spoke = _newest(after.chunk, _published(ring, after))
        for stream, position in _newest(block.chunk, len(block.chunk)).items():
            if stream not in spoke:
                self._dropped[stream] = (block.chunk.part(position, position + 1), 0)

    def positions(self, ring: Ring) -> dict[int, tuple[Chunk, int]]:
        """By stream number: the chunk and position of its newest published event."""
        found = dict(self._dropped)
        for block in ring.blocks:
            newest = _newest(block.chunk, _published(ring, block))
            found.update({stream: (block.chunk, at) for stream, at in newest.items()})
        return found

    def events(self, ring: Ring, wants: Callable[[StreamKey], bool], *, scale: int, depth: int) -> list[Event]:
        """A snapshot: the newest event of each wanted stream of the channels that have a state, by seq."""
        events: list[Event] = []
        for stream, (chunk, at) in self.positions(ring).items():
            key = chunk.streams.keys[stream]
            if key.channel in SNAPSHOT and wants(key):
                events += chunk.events(at, at + 1, scale=scale, shift_ns=ring.shift_ns, depth=depth)
        return sorted(events, key=lambda event: event.seq)

    def counts(self, ring: Ring) -> dict[int, int]:
        """By stream number: the n of its newest published event."""
        return {stream: int(chunk.n[at]) for stream, (chunk, at) in self.positions(ring).items()}


def _published(ring: Ring, block: Block) -> int:
    """How many of a block's events are published."""
    return min(max(ring.head + 1 - block.first_seq, 0), len(block.chunk))


def _newest(chunk: Chunk, hi: int) -> dict[int, int]:
    """The last position of each stream within the first `hi` of a chunk."""
    streams, from_end = np.unique(chunk.stream[:hi][::-1], return_index=True)
    return dict(zip(streams.tolist(), (hi - 1 - from_end).tolist(), strict=True))


class History:
    """The last rows of the slow streams, from before the session's start on; the ring has the rest."""

    def __init__(self) -> None:
        self._parts: dict[StreamKey, deque[Ordered]] = {}

    def on_rolled(self, tables: Tables) -> None:
        """What was computed or read silently, before the session's start: it has no seq and no n."""
        for channel in KEPT:
            if channel in tables and len(tables[channel]):
                for key, table in _by_stream(tables[channel]):
                    none = np.zeros(len(table), np.int64)
                    self._keep(key, Ordered(table, none, none, np.zeros(len(table), np.int32)))

    def on_told(self, chunk: Chunk) -> None:
        """A chunk all of whose events are published."""
        for channel in KEPT:
            if channel in chunk.tables:
                part = chunk.tables[channel]
                for stream in np.unique(part.stream).tolist():
                    self._keep(chunk.streams.keys[stream], part.take(part.stream == stream))

    def forget_from(self, ns: int) -> None:
        """The session goes back to `ns`: what was available then or later is unknown again, the rest is the past."""
        past = self._parts
        self._parts = {}
        for key, parts in past.items():
            table = Table.concatenate([part.table for part in parts])
            self.on_rolled({key.channel: table.take(table.avail < ns)})

    def _keep(self, key: StreamKey, part: Ordered) -> None:
        parts = self._parts.setdefault(key, deque())
        parts.append(part)
        rows = sum(map(len, parts))
        while rows - len(parts[0]) >= KEPT_ROWS:
            rows -= len(parts.popleft())
        if len(parts) > MOST_PARTS:  # many tiny parts cost more than their rows
            joined = _join(list(parts))
            parts.clear()
            parts.append(joined.take(slice(-KEPT_ROWS, None)))

    def events(self, ring: Ring, key: StreamKey, count: int, *, scale: int) -> list[Event]:
        """The last `count` published events of a stream, oldest first."""
        parts = list(self._parts.get(key, ())) if key.channel in KEPT else []
        for block in ring.blocks:
            told = block.last_seq <= ring.head
            if not (told and key.channel in KEPT) and (part := _told(ring, block, key)) is not None:
                parts.append(part)
        taken: list[Ordered] = []
        missing = count
        for part in reversed(parts):
            if missing <= 0:
                break
            taken.append(part.take(slice(max(len(part) - missing, 0), None)))
            missing -= len(part)
        return [event for part in reversed(taken) for event in part.events(scale=scale, shift_ns=ring.shift_ns)]


def _told(ring: Ring, block: Block, key: StreamKey) -> Ordered | None:
    """The rows of a stream in a block that are published."""
    chunk = block.chunk
    stream = chunk.streams.find(key)
    if stream is None or key.channel not in chunk.tables:
        return None
    part = chunk.tables[key.channel]
    rows = (part.stream == stream) & (part.seq <= ring.head)
    return part.take(rows) if bool(rows.any()) else None


def _by_stream(table: Table) -> Iterator[tuple[StreamKey, Table]]:
    symbol = table.array("symbol")
    tf_s = table.array("tf_s") if "tf_s" in table.columns else np.zeros(len(table), np.int64)
    for index, length in sorted(set(zip(symbol.tolist(), tf_s.tolist(), strict=True))):
        rows = (symbol == index) & (tf_s == length)
        yield StreamKey(table.channel, table.symbols[index], length), table.take(rows)


def _join(parts: list[Ordered]) -> Ordered:
    return Ordered(
        Table.concatenate([part.table for part in parts]),
        np.concatenate([part.seq for part in parts]),
        np.concatenate([part.n for part in parts]),
        np.concatenate([part.stream for part in parts]),
    )

"""What a tap is told: a slice of a chunk, or events that a client received. Both become columns on the tap's thread."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedsim.errors import TapError
from feedsim.events import (
    CHANNEL_OF,
    INT_NULL,
    RANK,
    SCHEMAS,
    Bar,
    Chunk,
    Digest,
    Event,
    Footprint,
    Kind,
    Streams,
    Table,
)
from feedsim.events.chunk import Ordered
from feedsim.events.columns import Field, Int64
from feedsim.instruments import NS_PER_S
from feedsim.recording.reader import stream_codes

LAST_NS = np.iinfo(np.int64).max
EVENT_BYTES = 512  # what one event is counted as while it waits


@dataclass(slots=True)
class ChunkSlice:
    """The events at positions [lo, hi) of a chunk."""

    chunk: Chunk
    lo: int
    hi: int

    @property
    def epoch(self) -> int:
        return self.chunk.epoch

    @property
    def first_seq(self) -> int:
        return self.chunk.first_seq + self.lo

    @property
    def last_seq(self) -> int:
        return self.chunk.first_seq + self.hi - 1

    @property
    def rows(self) -> int:
        return self.hi - self.lo

    @property
    def streams(self) -> Streams:
        return self.chunk.streams

    @property
    def last_avail(self) -> int:
        return int(self.chunk.avail[self.hi - 1])

    def parts(self) -> dict[str, Ordered]:
        """The rows by channel."""
        found = {c: p.take(self.chunk.rows_within(c, self.lo, self.hi)) for c, p in self.chunk.tables.items()}
        return {channel: part for channel, part in found.items() if len(part)}

    def hash_into(self, digest: Digest) -> None:
        digest.update(self.chunk, self.lo, self.hi)


class EventSlice:
    """Events as Structs, in the order of their seq and with times in nanoseconds.

    The wire does not tell when an event was available, so that is the earliest time that agrees with law 2 and with
    the order: a bar's and a footprint's end, any other event's `ts`, and never before the event that came before it.
    """

    def __init__(self, epoch: int, events: list[Event], symbols: tuple[str, ...], *, not_before: int) -> None:
        self.epoch = epoch
        self.events = events
        self.first_seq = events[0].seq
        self.last_seq = events[-1].seq
        self.rows = len(events)
        self.streams = Streams()
        self._symbols = symbols
        known = [min(max(_known_at(event), INT_NULL), LAST_NS) for event in events]  # a server may send any number
        self._avail = np.maximum.accumulate(np.array([not_before, *known], np.int64))[1:]

    @property
    def last_avail(self) -> int:
        return int(self._avail[-1])

    def parts(self) -> dict[str, Ordered]:
        """The rows by channel. Raises TapError for a symbol that the recording's header does not have."""
        rows: dict[str, list[int]] = defaultdict(list)
        for index, event in enumerate(self.events):
            rows[CHANNEL_OF[type(event)]].append(index)
        return {channel: self._part(channel, rows[channel]) for channel in sorted(rows, key=RANK.__getitem__)}

    def _part(self, channel: str, rows: list[int]) -> Ordered:
        events = [self.events[row] for row in rows]
        columns = {field.name: self._column(events, field) for field in SCHEMAS[channel].fields}
        table = Table.build(channel, self._symbols, columns, avail=self._avail[rows])
        seq, n = _integers([event.seq for event in events]), _integers([event.n for event in events])
        return Ordered(table, seq, n, stream_codes(table, self.streams))

    def _column(self, events: list[Event], field: Field) -> Any:
        if field.name == "symbol":
            try:
                return [self._symbols.index(event.symbol) for event in events]
            except ValueError:
                strange = next(event for event in events if event.symbol not in self._symbols)
                problem = f"{strange.symbol} is not in the recording, which has {', '.join(self._symbols)}"
                raise TapError(problem) from None
        values = [getattr(event, field.name) for event in events]
        return [INT_NULL if value is None else value for value in values] if field.kind is Kind.INT else values

    def hash_into(self, digest: Digest) -> None:
        digest.update_events(self.events)


Slice = ChunkSlice | EventSlice


def _known_at(event: Event) -> int:
    if isinstance(event, Bar):
        return event.ts + event.tf_s * NS_PER_S
    if isinstance(event, Footprint):
        return event.bar_start_ts + event.tf_s * NS_PER_S
    return event.ts


def _integers(values: list[int]) -> Int64:
    return np.array(values, np.int64)


def describe(error: BaseException) -> str:
    """One line of what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    text = str(error).splitlines()
    return text[0] if text else type(error).__name__

"""A window of the tape: for each channel a table, plus the one order in which all their rows are told (law 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Int64, Table, to_events
from feedsim.events.types import CHANNEL_OF, CHANNELS, RANK, Event

Positions = npt.NDArray[np.intp] | slice


class StreamKey(NamedTuple):
    """A stream: one channel of one symbol; bars and footprints also have their length."""

    channel: str
    symbol: str
    tf_s: int = 0
    """Seconds; 0 for channels that have no length."""

    def __str__(self) -> str:
        return f"{self.channel}/{self.symbol}/{self.tf_s}s" if self.tf_s else f"{self.channel}/{self.symbol}"


def stream_of(event: Event) -> StreamKey:
    """The stream that an event belongs to."""
    return StreamKey(CHANNEL_OF[type(event)], event.symbol, getattr(event, "tf_s", 0))


class Streams:
    """The streams of one epoch, numbered from 0 as they become known."""

    def __init__(self, keys: tuple[StreamKey, ...] = ()) -> None:
        self.keys: list[StreamKey] = list(keys)
        self._code: dict[StreamKey, int] = {key: code for code, key in enumerate(keys)}

    def __len__(self) -> int:
        return len(self.keys)

    def code(self, key: StreamKey) -> int:
        """The number of a stream, given out now if it is new."""
        code = self._code.get(key)
        if code is None:
            code = self._code[key] = len(self.keys)
            self.keys.append(key)
        return code

    def find(self, key: StreamKey) -> int | None:
        return self._code.get(key)


@dataclass(slots=True)
class Ordered:
    """A table whose rows have their place on the tape: `seq` of the session, `n` of the stream, both from 1."""

    table: Table
    seq: Int64
    n: Int64
    stream: npt.NDArray[np.int32]
    """Numbers of `Chunk.streams`, one a row."""

    def __len__(self) -> int:
        return len(self.seq)

    def take(self, rows: Positions) -> Ordered:
        return Ordered(self.table.take(rows), self.seq[rows], self.n[rows], self.stream[rows])

    def iterate(self, *, scale: int = 1, shift_ns: int = 0, depth: int | None = None) -> Iterator[Event]:
        """As Structs, made one by one: times moved by `shift_ns`, in units of `scale` ns; l2 cut to `depth` levels."""
        return to_events(self.table, self.seq.tolist(), self.n.tolist(), scale=scale, shift_ns=shift_ns, depth=depth)

    def events(self, *, scale: int = 1, shift_ns: int = 0, depth: int | None = None) -> list[Event]:
        """What `iterate` yields, as a list."""
        return list(self.iterate(scale=scale, shift_ns=shift_ns, depth=depth))


class Chunk:
    """Events first_seq … last_seq. Position p of a chunk is the event with seq first_seq + p.

    Per position: `rank` (the channel's), `row` (in that channel's table), `stream` (number in `streams`) and `avail`
    (int64 nanoseconds UTC, never decreasing).
    """

    __slots__ = ("__dict__", "avail", "epoch", "first_seq", "rank", "row", "stream", "streams", "tables")

    def __init__(
        self,
        *,
        epoch: int,
        first_seq: int,
        streams: Streams,
        tables: dict[str, Ordered],
        rank: npt.NDArray[np.uint8],
        row: Int64,
        stream: npt.NDArray[np.int32],
        avail: Int64,
    ) -> None:
        self.epoch = epoch
        self.first_seq = first_seq
        self.streams = streams
        self.tables = tables
        self.rank = rank
        self.row = row
        self.stream = stream
        self.avail = avail

    def __len__(self) -> int:
        return len(self.rank)

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self) - 1

    @cached_property
    def nbytes(self) -> int:
        own = self.rank.nbytes + self.row.nbytes + self.stream.nbytes + self.avail.nbytes
        return own + sum(part.table.nbytes + 20 * len(part) for part in self.tables.values())

    @cached_property
    def n(self) -> Int64:
        """Position of each event in its own stream, by position in the chunk."""
        n = np.empty(len(self), np.int64)
        for part in self.tables.values():
            n[part.seq - self.first_seq] = part.n
        return n

    def rows_within(self, channel: str, lo: int, hi: int) -> slice:
        """The rows of a channel's table whose positions are in [lo, hi): tables are in the tape's order."""
        seq = self.tables[channel].seq
        first, last = np.searchsorted(seq, (self.first_seq + lo, self.first_seq + hi))
        return slice(int(first), int(last))

    def iterate(
        self,
        lo: int = 0,
        hi: int | None = None,
        *,
        channels: frozenset[str] | None = None,
        scale: int = 1,
        shift_ns: int = 0,
        depth: int | None = None,
    ) -> Iterator[Event]:
        """The events at positions [lo, hi) as Structs, in order; only some channels' if `channels` says so.

        Each Struct is made when it is asked for: it is then still in the processor's cache when it is used.
        """
        hi = len(self) if hi is None else hi
        ranks = self.rank[lo:hi]
        making: list[Iterator[Event]] = [iter(())] * len(CHANNELS)
        wanted = np.zeros(len(CHANNELS), np.bool_)
        for channel, part in self.tables.items():
            if channels is None or channel in channels:
                told = part if hi - lo == len(self) else part.take(self.rows_within(channel, lo, hi))
                making[RANK[channel]] = told.iterate(scale=scale, shift_ns=shift_ns, depth=depth)
                wanted[RANK[channel]] = True
        if not bool(wanted[ranks].all()):
            ranks = ranks[wanted[ranks]]
        # Runs of one channel: (whose turn it is, for how many events).
        starts = np.flatnonzero(np.diff(ranks, prepend=np.uint8(len(CHANNELS))))
        turns = map(making.__getitem__, ranks[starts].tolist())
        return chain.from_iterable(map(islice, turns, np.diff(starts, append=len(ranks)).tolist()))

    def events(
        self,
        lo: int = 0,
        hi: int | None = None,
        *,
        channels: frozenset[str] | None = None,
        scale: int = 1,
        shift_ns: int = 0,
        depth: int | None = None,
    ) -> list[Event]:
        """What `iterate` yields, as a list."""
        return list(self.iterate(lo, hi, channels=channels, scale=scale, shift_ns=shift_ns, depth=depth))

    def part(self, lo: int, hi: int) -> Chunk:
        """The positions [lo, hi) as a chunk of their own, sharing no memory that it does not need."""
        tables = {
            channel: part
            for channel in self.tables
            if len(part := self.tables[channel].take(_copied(self.rows_within(channel, lo, hi))))
        }
        row = np.empty(hi - lo, np.int64)
        for part in tables.values():
            row[part.seq - self.first_seq - lo] = np.arange(len(part))
        return Chunk(
            epoch=self.epoch,
            first_seq=self.first_seq + lo,
            streams=self.streams,
            tables=tables,
            rank=self.rank[lo:hi].copy(),
            row=row,
            stream=self.stream[lo:hi].copy(),
            avail=self.avail[lo:hi].copy(),
        )


def _copied(rows: slice) -> npt.NDArray[np.intp]:
    """A slice as an index array, which NumPy copies where it would only view a slice."""
    return np.arange(rows.start, rows.stop)

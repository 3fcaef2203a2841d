"""A window of the tape: for each channel a table, plus the one order in which all their rows are told (law 1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Int64, Table, to_events
from feedsim.events.types import CHANNELS, RANK, Event

Positions = npt.NDArray[np.intp] | slice


class StreamKey(NamedTuple):
    """A stream: one channel of one symbol; bars and footprints also have their length."""

    channel: str
    symbol: str
    tf_s: int = 0
    """Seconds; 0 for channels that have no length."""

    def __str__(self) -> str:
        return f"{self.channel}/{self.symbol}/{self.tf_s}s" if self.tf_s else f"{self.channel}/{self.symbol}"


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

    def events(self, *, scale: int = 1, shift_ns: int = 0, depth: int | None = None) -> list[Event]:
        """As Structs: times moved by `shift_ns` and in units of `scale` ns, l2 cut to `depth` levels."""
        return to_events(self.table, self.seq.tolist(), self.n.tolist(), scale=scale, shift_ns=shift_ns, depth=depth)


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
        """The events at positions [lo, hi) as Structs, in order; only some channels' if `channels` says so."""
        hi = len(self) if hi is None else hi
        found: list[Event] = []
        base = np.zeros(len(CHANNELS), np.int64)  # where a channel's row 0 would be in `found`
        wanted = [name for name in self.tables if channels is None or name in channels]
        for channel in wanted:
            rows = self.rows_within(channel, lo, hi)
            base[RANK[channel]] = len(found) - rows.start
            found += self.tables[channel].take(rows).events(scale=scale, shift_ns=shift_ns, depth=depth)
        if len(wanted) < 2 or len(found) < 2:
            return found
        rank = self.rank[lo:hi]
        place = base[rank] + self.row[lo:hi]
        if len(wanted) < len(self.tables):
            place = place[np.isin(rank, [RANK[channel] for channel in wanted])]
        return list(itemgetter(*place.tolist())(found))

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

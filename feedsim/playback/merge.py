"""Law 1: one dense order over all channels, and a dense count in each stream, whatever windows the rows came in.

The order is (available time; the source's own order, rows that have none first; channel rank; symbol; row).
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import CHANNELS, RANK, Chunk, StreamKey, Streams, Table
from feedsim.events.chunk import Ordered
from feedsim.events.columns import Int64


class _Position(msgspec.Struct, array_like=True):
    epoch: int
    seq: int
    streams: list[tuple[str, str, int]]
    counts: list[int]


class Merger:
    """Numbers the rows of one epoch, window after window. Windows must follow each other in time."""

    def __init__(self, symbols: tuple[str, ...], *, epoch: int = 1) -> None:
        self.symbols = symbols
        self.epoch = epoch
        self.seq = 0
        """The last seq that was given out."""
        self.streams = Streams()
        self._counts: list[int] = []

    def merge(self, tables: dict[str, Table]) -> Chunk:
        """The rows of the next window, each table sorted by (avail, own), in the one order."""
        parts = [tables[channel] for channel in CHANNELS if channel in tables and len(tables[channel])]
        sizes = [len(part) for part in parts]
        rank = np.repeat(np.array([RANK[part.channel] for part in parts], np.uint8), sizes)
        avail = _joined([part.avail for part in parts])
        own = _joined([part.own for part in parts])
        order = _order(avail, own, _joined([part.array("symbol") for part in parts]), rank)
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        row = np.empty(len(order), np.int64)
        stream = np.empty(len(order), np.int32)
        ordered: dict[str, Ordered] = {}
        start = 0
        for part, size in zip(parts, sizes, strict=True):
            ordered[part.channel] = placed = self._place(part, position[start : start + size])
            where = placed.seq - (self.seq + 1)
            row[where] = np.arange(size)
            stream[where] = placed.stream
            start += size
        chunk = Chunk(
            epoch=self.epoch,
            first_seq=self.seq + 1,
            streams=self.streams,
            tables=ordered,
            rank=rank[order],
            row=row,
            stream=stream,
            avail=avail[order],
        )
        self.seq += len(order)
        return chunk

    def _place(self, table: Table, position: Int64) -> Ordered:
        """A table in the tape's order with seq, n and stream of every row."""
        if len(position) > 1 and bool((position[1:] < position[:-1]).any()):
            rows = np.argsort(position)
            table, position = table.take(rows), position[rows]
        stream = self._streams_of(table)
        n = np.empty(len(table), np.int64)
        for code in np.flatnonzero(np.bincount(stream)).tolist():
            rows = np.flatnonzero(stream == code)
            n[rows] = np.arange(self._counts[code] + 1, self._counts[code] + len(rows) + 1)
            self._counts[code] += len(rows)
        return Ordered(table, position + (self.seq + 1), n, stream)

    def _streams_of(self, table: Table) -> npt.NDArray[np.int32]:
        symbol = table.array("symbol")
        if "tf_s" not in table.columns:
            codes = np.zeros(len(self.symbols), np.int32)
            for index in np.flatnonzero(np.bincount(symbol)).tolist():
                codes[index] = self._code(StreamKey(table.channel, self.symbols[index]))
            return np.take(codes, symbol)
        stream = np.empty(len(table), np.int32)
        tf_s = table.array("tf_s")
        for length in np.unique(tf_s).tolist():
            for index in np.unique(symbol[tf_s == length]).tolist():
                code = self._code(StreamKey(table.channel, self.symbols[index], length))
                stream[(tf_s == length) & (symbol == index)] = code
        return stream

    def _code(self, key: StreamKey) -> int:
        code = self.streams.code(key)
        if code == len(self._counts):
            self._counts.append(0)
        return code

    def save(self) -> bytes:
        keys = [(key.channel, key.symbol, key.tf_s) for key in self.streams.keys]
        return msgspec.msgpack.encode(_Position(self.epoch, self.seq, keys, self._counts))

    def restore(self, state: bytes) -> None:
        """Go to a place that was saved. Back within the epoch, streams keep the numbers that chunks have of them."""
        position = msgspec.msgpack.decode(state, type=_Position)
        keys = [StreamKey(*key) for key in position.streams]
        if position.epoch != self.epoch or self.streams.keys[: len(keys)] != keys:
            self.streams = Streams(tuple(keys))
        self.epoch, self.seq = position.epoch, position.seq
        self._counts = position.counts + [0] * (len(self.streams) - len(keys))


def _order(avail: Int64, own: Int64, symbol: Int64, rank: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """The rows, given by rank and within it by (avail, own), in the one order.

    A stable sort by one key is several times faster than one by all, and mostly one decides: a recording's rows all
    have their own order; a market's have none, and then rank has its order already.
    """
    if len(own) > 1 and bool((own >= 0).all()):
        order = np.argsort(own, kind="stable")
        if bool((np.diff(own[order]) > 0).all() and (np.diff(avail[order]) >= 0).all()):
            return order
    elif bool((own == -1).all()):
        together = (np.diff(avail) == 0) & (rank[1:] == rank[:-1])
        if not bool((together & (np.diff(symbol) < 0)).any()):
            return np.argsort(avail, kind="stable")
    return np.lexsort((symbol, rank, own, avail))


def _joined(columns: list[npt.NDArray[np.int64]]) -> Int64:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)

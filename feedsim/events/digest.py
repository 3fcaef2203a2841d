"""A running hash of a session that does not depend on how it was cut, sped up, shifted or encoded.

One SHA-256 for each column of each stream, over its values in `n` order, and one over the order in which the streams
speak. Values are hashed as they mean, not as they are written, so a client that takes everything with `ts:"ns"`
computes the same digest from Structs, JSON or MessagePack:

- integers and times: int64 little-endian (times in nanoseconds; null is -2**63);
- floats, prices among them: float64 little-endian, with one NaN for null and no negative zero. A price is an exact
  multiple of its tick, so this says what integer ticks would, and also holds for recordings that are off tick;
- booleans: one byte; text: UTF-8 and a zero byte (null is a single 0xFF before the zero);
- lists: their lengths (int64, -1 for null) in one hash, their values in another;
- order: for every event its stream's number (uint16 little-endian); the streams are numbered as they first speak, and
  their names in that order follow the hash.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from feedsim.events.chunk import Chunk, Ordered, StreamKey, Streams, stream_of
from feedsim.events.columns import INT_NULL, SCHEMAS, Column, Field, Kind, Ragged
from feedsim.events.types import CHANNELS, Event

if TYPE_CHECKING:
    from hashlib import _Hash

_NAN = np.frombuffer(struct.pack("<Q", 0x7FF8000000000000), "<f8")[0]
# The symbol and the length of a bar are in the stream's name; the type is the channel.
_IN_KEY = ("symbol", "tf_s")


class Digest:
    """The digest so far; `hexdigest()` may be asked for at any time and does not end it."""

    def __init__(self) -> None:
        self._columns: dict[StreamKey, dict[str, _Hash]] = {}
        self._order = hashlib.sha256()
        self._streams = Streams()
        self.count = 0

    def copy(self) -> Digest:
        other = Digest()
        other._columns = {key: {name: h.copy() for name, h in hashes.items()} for key, hashes in self._columns.items()}
        other._order = self._order.copy()
        other._streams = Streams(tuple(self._streams.keys))
        other.count = self.count
        return other

    def update(self, chunk: Chunk, lo: int = 0, hi: int | None = None) -> None:
        """Add the events at positions [lo, hi) of a chunk of the same epoch, which follow those added before."""
        hi = len(chunk) if hi is None else hi
        if hi <= lo:
            return
        self._add_order(chunk.stream[lo:hi], chunk.streams)
        for channel in chunk.tables:
            part = chunk.tables[channel].take(chunk.rows_within(channel, lo, hi))
            for code in np.unique(part.stream).tolist():
                self._add_rows(chunk.streams.keys[code], part.take(part.stream == code))
        self.count += hi - lo

    def update_events(self, events: Iterable[Event], *, scale: int = 1) -> None:
        """Add events as Structs; `scale` is the nanoseconds in the unit of their times (1 if they are in ns)."""
        order: list[int] = []
        for event in events:
            key = stream_of(event)
            hashes = self._hashes(key)
            for field in SCHEMAS[key.channel].fields:
                if field.name not in _IN_KEY:
                    _add_value(hashes, field, getattr(event, field.name), scale)
            order.append(self._streams.code(key))
        self._order.update(np.array(order, "<u2").tobytes())
        self.count += len(order)

    def streams(self) -> dict[str, str]:
        """The digest of every stream by its name: equal for a filtered recording and the whole one."""
        return {str(key): self._stream(key) for key in sorted(self._columns)}

    def hexdigest(self) -> str:
        """Of all streams and their order."""
        total = hashlib.sha256()
        for name, value in self.streams().items():
            total.update(f"{name} {value}\n".encode())
        # Numbers alone would not tell which stream spoke first: two that speak once each could change places unseen.
        spoke = " ".join(map(str, self._streams.keys))
        total.update(f"order {self._order.hexdigest()} {spoke}\n".encode())
        return total.hexdigest()

    def _stream(self, key: StreamKey) -> str:
        total = hashlib.sha256()
        for name, value in self._columns[key].items():
            total.update(f"{name} {value.hexdigest()}\n".encode())
        return total.hexdigest()

    def _hashes(self, key: StreamKey) -> dict[str, _Hash]:
        hashes = self._columns.get(key)
        if hashes is None:
            hashes = self._columns[key] = {name: hashlib.sha256() for name in _HASHED[key.channel]}
        return hashes

    def _add_order(self, stream: npt.NDArray[np.int32], streams: Streams) -> None:
        codes, first = np.unique(stream, return_index=True)
        renumber = np.zeros(len(streams), "<u2")
        for code in codes[np.argsort(first)].tolist():
            renumber[code] = self._streams.code(streams.keys[code])
        self._order.update(renumber[stream].tobytes())

    def _add_rows(self, key: StreamKey, part: Ordered) -> None:
        hashes = self._hashes(key)
        for field in part.table.schema.fields:
            if field.name not in _IN_KEY:
                _add_column(hashes, field, part.table.columns[field.name])


def _hashed_names(channel: str) -> tuple[str, ...]:
    names: list[str] = []
    for field in SCHEMAS[channel].fields:
        if field.name not in _IN_KEY:
            names += [field.name, f"{field.name}.len"] if field.kind.is_list else [field.name]
    return tuple(names)


_HASHED = {channel: _hashed_names(channel) for channel in CHANNELS}


def _canonical(values: npt.NDArray[Any]) -> bytes:
    """Number columns as the bytes that are hashed."""
    if values.dtype == np.float64:
        return np.where(np.isnan(values), _NAN, values + 0.0).astype("<f8", copy=False).tobytes()
    return values.astype("u1" if values.dtype == np.bool_ else "<i8", copy=False).tobytes()


def _text(value: str | None) -> bytes:
    return b"\xff\0" if value is None else value.encode() + b"\0"


def _add_column(hashes: dict[str, _Hash], field: Field, column: Column) -> None:
    if isinstance(column, Ragged):
        packed = column.packed()
        hashes[f"{field.name}.len"].update(_canonical(packed.length))
        hashes[field.name].update(_canonical(packed.values))
    elif field.kind is Kind.TEXT:
        hashes[field.name].update(b"".join(map(_text, column.tolist())))
    else:
        hashes[field.name].update(_canonical(column))


def _add_value(hashes: dict[str, _Hash], field: Field, value: Any, scale: int) -> None:
    if field.kind.is_list:
        hashes[f"{field.name}.len"].update(struct.pack("<q", -1 if value is None else len(value)))
        hashes[field.name].update(_canonical(np.array([] if value is None else value, field.kind.dtype)))
    elif field.kind is Kind.TEXT:
        hashes[field.name].update(_text(value))
    elif field.kind is Kind.FLOAT:
        hashes[field.name].update(_canonical(np.array([np.nan if value is None else value])))
    elif field.kind is Kind.BOOL:
        hashes[field.name].update(bytes((value,)))
    else:
        hashes[field.name].update(
            struct.pack("<q", INT_NULL if value is None else value * (scale if field.time else 1))
        )

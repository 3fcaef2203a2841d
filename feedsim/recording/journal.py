"""The journal: what a tap was told and no segment holds yet, safe against `kill -9` and a torn tail.

A file is a head and then groups; a group is a slice of the tape: one Arrow IPC record batch a channel, all under one
checksum. So a group is there whole or not at all, groups are there in the tape's order without gaps, and one `sync`
after some groups makes all events up to the last of them durable, in whatever channels and streams they are.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa

from feedsim.errors import SourceError
from feedsim.recording.files import sync_folder
from feedsim.recording.schema import PLACE, arrow_schema

# Magic, bytes of the description, bytes of the body, CRC-32 of both.
_FRAME = struct.Struct("<4sIQI")
_MAGIC = b"FSJ1"
_LARGEST_DESCRIPTION = 1 << 20  # bytes
_BLOCK = 1 << 20  # bytes read at once
_AVAIL = PLACE.index("avail")


class JournalHead(msgspec.Struct, frozen=True):
    """What all groups of a journal have in common. `schemas` are the channels' Arrow schemas, as IPC messages."""

    generation: int
    epoch: int
    reason: str
    schemas: dict[str, bytes]


class Part(msgspec.Struct, array_like=True, frozen=True):
    """One channel's rows in a group."""

    channel: str
    length: int  # bytes of its IPC message
    rows: int
    first_avail: int  # ns
    last_avail: int  # ns


class Group(msgspec.Struct, array_like=True, frozen=True):
    first_seq: int
    last_seq: int
    parts: tuple[Part, ...]


def journal_path(folder: Path, generation: int) -> Path:
    return folder / f"{generation:08d}.journal"


class JournalWriter:
    """Appends groups to a new file. `size` counts the bytes of whole groups."""

    def __init__(self, folder: Path, head: JournalHead) -> None:
        self.path = journal_path(folder, head.generation)
        self.head = head
        self.size = 0
        self.groups = 0
        self._synced = 0
        self._file: IO[bytes] = self.path.open("xb", buffering=0)
        try:
            self._append(msgspec.msgpack.encode(head), ())
            sync_folder(folder)
        except OSError:
            self._file.close()
            self.path.unlink(missing_ok=True)
            raise

    def append(self, batches: Sequence[tuple[str, pa.RecordBatch]], *, first_seq: int, last_seq: int) -> None:
        """Write one group; it is durable after `sync`. Raises OSError, and the group is then not in the file."""
        bodies = [batch.serialize() for _, batch in batches]
        parts = tuple(
            Part(channel, len(body), batch.num_rows, batch.column(_AVAIL)[0].as_py(), batch.column(_AVAIL)[-1].as_py())
            for (channel, batch), body in zip(batches, bodies, strict=True)
        )
        self._append(msgspec.msgpack.encode(Group(first_seq, last_seq, parts)), bodies)
        self.groups += 1

    def _append(self, description: bytes, bodies: Sequence[Any]) -> None:
        crc = zlib.crc32(description)
        for body in bodies:
            crc = zlib.crc32(body, crc)
        length = sum(len(body) for body in bodies)
        try:
            self._write(_FRAME.pack(_MAGIC, len(description), length, crc) + description)
            for body in bodies:
                self._write(body)
        except OSError:
            self._cut(self.size)
            raise
        self.size += _FRAME.size + len(description) + length

    def _write(self, data: Any) -> None:
        """All of it: a raw file may take only a part, as it does when a disk is nearly full."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def sync(self) -> None:
        """Everything appended so far is on disk when this returns."""
        os.fsync(self._file.fileno())
        self._synced = self.size

    def cut_to_synced(self) -> None:
        """Take back what was appended since the last `sync`, as far as the file lets us."""
        self._cut(self._synced)
        self.size = self._synced

    def _cut(self, size: int) -> None:
        try:
            self._file.truncate(size)
            self._file.seek(size)
        except OSError:
            pass  # a torn tail is what readers are made for

    def close(self) -> None:
        self._file.close()


class UnbornError(SourceError):
    """A journal that was killed before its head was whole: nothing that is in it was ever acknowledged."""

    def __init__(self, file: str) -> None:
        super().__init__("a journal without a whole head", file=file)


class Journal:
    """The whole groups of a journal file; `torn` counts the bytes that are in none.

    A kill tears the last group only. Where a disk has damaged one further up, those behind it are still found.
    """

    def __init__(self, path: Path) -> None:
        """Reads and checks all of it once. Raises UnbornError, SourceError where the head is damaged, OSError."""
        self.path = path
        self.groups: list[tuple[int, Group]] = []
        """Where in the file a group's first part begins, and what is in it."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            frames = _frames(file, size)
            start, end, head = next(frames, (0, 0, b""))
            if start or not head:
                raise SourceError("the journal's head is damaged", file=str(path)) if start else UnbornError(str(path))
            self.head = msgspec.msgpack.decode(head, type=JournalHead)
            whole = end
            for start, end, description in frames:
                group = msgspec.msgpack.decode(description, type=Group)
                self.groups.append((end - sum(part.length for part in group.parts), group))
                whole += end - start
        self.torn = size - whole
        self.schemas = {
            channel: pa.ipc.read_schema(pa.py_buffer(schema)) for channel, schema in self.head.schemas.items()
        }

    def parts(self, channel: str) -> list[Part]:
        return [part for _, group in self.groups for part in group.parts if part.channel == channel]

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(part.channel for _, group in self.groups for part in group.parts)

    def batches(self, channel: str, *, avail: int | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """A channel's record batches, each with the number of its first row, from 1.

        Batches that end before the available time `avail` are passed over.
        """
        row = 1
        with self.path.open("rb") as file:
            for start, group in self.groups:
                for part in group.parts:
                    if part.channel == channel:
                        if avail is None or part.last_avail >= avail:
                            file.seek(start)
                            message = pa.py_buffer(file.read(part.length))
                            yield row, pa.ipc.read_record_batch(message, self.schemas[channel])
                        row += part.rows
                    start += part.length


def schemas_of(channels: Sequence[str]) -> dict[str, bytes]:
    """The Arrow schemas that a journal's head needs."""
    return {channel: arrow_schema(channel).serialize().to_pybytes() for channel in channels}


def _frames(file: IO[bytes], size: int) -> Iterator[tuple[int, int, bytes]]:
    """All whole frames: where each begins and ends, and its description."""
    at: int | None = 0
    while at is not None:
        file.seek(at)
        if (description := _read_frame(file, size)) is None:
            at = _find_magic(file, at + 1)
        else:
            start, at = at, file.tell()
            yield start, at, description


def _find_magic(file: IO[bytes], at: int) -> int | None:
    """Where the next frame may begin, at `at` or behind it."""
    file.seek(at)
    before = b""
    while block := file.read(_BLOCK):
        if (found := (before + block).find(_MAGIC)) >= 0:
            return at - len(before) + found
        at += len(block)
        before = (before + block)[1 - len(_MAGIC) :]
    return None


def _read_frame(file: IO[bytes], size: int) -> bytes | None:
    """The next frame's description, with the file left after its body; None where no whole frame follows."""
    prefix = file.read(_FRAME.size)
    if len(prefix) < _FRAME.size:
        return None
    magic, length, body_length, crc = _FRAME.unpack(prefix)
    # A magic and then zeros, as a torn file may end, would be an empty frame with a right checksum.
    if magic != _MAGIC or not 0 < length <= _LARGEST_DESCRIPTION or file.tell() + length + body_length > size:
        return None
    description = file.read(length)
    found, rest = zlib.crc32(description), body_length
    while rest:
        block = file.read(min(rest, _BLOCK))
        if not block:
            return None
        found = zlib.crc32(block, found)
        rest -= len(block)
    return description if found == crc else None

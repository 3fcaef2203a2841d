"""A recording opened for reading: sealed segments and what a killed tap left in its journals, as one.

Opening changes nothing on disk and works beside a tap that is writing. Rows are read by windows: memory is a few
thousand rows a channel, however long the recording is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from feedsim.errors import SourceError
from feedsim.events import CHANNELS, RANK, Chunk, StreamKey, Streams
from feedsim.events.chunk import Ordered
from feedsim.events.columns import Int64, Table
from feedsim.recording.arrays import DAMAGED
from feedsim.recording.cursor import Cursor, Piece
from feedsim.recording.journal import Journal, UnbornError
from feedsim.recording.manifest import JOURNALS, MANIFEST, Manifest, Segment, read_manifest
from feedsim.recording.schema import Rows, check_schema
from feedsim.recording.segment import check_size, segment_batches


@dataclass(frozen=True, slots=True)
class _SealedPiece:
    directory: Path
    segment: Segment

    @property
    def file(self) -> str:
        return str(self.directory / self.segment.file)

    @property
    def first_avail(self) -> int:
        return self.segment.first_avail

    @property
    def last_avail(self) -> int:
        return self.segment.last_avail

    def batches(self, avail: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        return segment_batches(self.directory, self.segment, avail=avail)


@dataclass(frozen=True, slots=True)
class _JournalPiece:
    journal: Journal
    channel: str
    first_avail: int
    last_avail: int

    @property
    def file(self) -> str:
        return f"{self.journal.path} ({self.channel})"

    def batches(self, avail: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        check_schema(self.journal.schemas[self.channel], self.channel, file=self.file)
        try:
            yield from self.journal.batches(self.channel, avail=avail)
        except DAMAGED:
            problem = "the journal is not what it was; if a tap is recording here, open the recording again"
            raise SourceError(problem, file=self.file) from None


@dataclass(frozen=True, slots=True)
class Window:
    """Some rows in the tape's order. The chunk counts its positions without gaps; `seq` is what they were recorded as.

    The two are equal in a recording of everything from the start of the epoch.
    """

    chunk: Chunk
    seq: Int64


class Recording:
    """A recording's rows and what its manifest says of them."""

    def __init__(self, directory: Path, manifest: Manifest, journals: tuple[Journal, ...]) -> None:
        self.directory = directory
        self.manifest = manifest
        self.journals = journals

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that have rows."""
        sealed = {segment.epoch for segment in self.manifest.segments}
        return tuple(sorted(sealed | {journal.head.epoch for journal in self.journals if journal.groups}))

    def channels(self, epoch: int) -> tuple[str, ...]:
        """The channels that have rows in an epoch, in rank order."""
        found = {segment.channel for segment in self.manifest.segments if segment.epoch == epoch}
        for journal in self.journals:
            found |= journal.channels if journal.head.epoch == epoch else frozenset()
        return tuple(channel for channel in CHANNELS if channel in found)

    def pieces(self, epoch: int, channel: str) -> tuple[Piece, ...]:
        """The files that hold a channel's rows, in the tape's order."""
        sealed: list[Piece] = [
            _SealedPiece(self.directory, segment)
            for segment in sorted(self.manifest.segments, key=lambda segment: segment.generation)
            if segment.epoch == epoch and segment.channel == channel
        ]
        return (*sealed, *self._journal_pieces(epoch, channel))

    def _journal_pieces(self, epoch: int, channel: str) -> Iterable[Piece]:
        for journal in self.journals:
            parts = journal.parts(channel)
            if journal.head.epoch == epoch and parts:
                yield _JournalPiece(journal, channel, parts[0].first_avail, parts[-1].last_avail)

    def cursors(self, epoch: int) -> tuple[Cursor, ...]:
        """One a channel, in rank order."""
        symbols = self.manifest.symbols
        return tuple(Cursor(channel, self.pieces(epoch, channel), symbols) for channel in self.channels(epoch))

    def first_seq(self, epoch: int) -> int:
        """The least seq that an epoch's rows have; 0 where it has none."""
        found = [segment.first_seq for segment in self.manifest.segments if segment.epoch == epoch]
        found += [j.groups[0][1].first_seq for j in self.journals if j.head.epoch == epoch and j.groups]
        return min(found, default=0)

    def last_seq(self, epoch: int) -> int:
        """The greatest seq that an epoch's rows have; 0 where it has none."""
        found = [segment.last_seq for segment in self.manifest.segments if segment.epoch == epoch]
        found += [j.groups[-1][1].last_seq for j in self.journals if j.head.epoch == epoch and j.groups]
        return max(found, default=0)

    def first_avail(self, epoch: int) -> int:
        """The available time of an epoch's first row, in nanoseconds UTC."""
        return min(self.pieces(epoch, channel)[0].first_avail for channel in self.channels(epoch))

    def last_avail(self, epoch: int) -> int:
        """The available time of an epoch's last row, in nanoseconds UTC."""
        return max(self.pieces(epoch, channel)[-1].last_avail for channel in self.channels(epoch))

    def windows(self, epoch: int) -> Iterator[Window]:
        """All rows of an epoch in the tape's order. Raises SourceError (file, row) where they are wrong."""
        cursors = self.cursors(epoch)
        streams = Streams()
        position = 1
        while ends := [end for cursor in cursors if (end := cursor.held_to()) is not None]:
            found = {cursor.channel: cursor.take_seq(min(ends) + 1) for cursor in cursors}
            rows = {channel: part for channel, part in found.items() if part is not None}
            window = _window(rows, streams, epoch, position)
            position += len(window.seq)
            yield window


def _window(rows: dict[str, Rows], streams: Streams, epoch: int, first_position: int) -> Window:
    seqs = np.concatenate([part.seq for part in rows.values()])
    seq = np.sort(seqs)
    if (doubled := seq[1:] == seq[:-1]).any():
        raise SourceError(f"seq {seq[1:][doubled][0]} of epoch {epoch} is there twice: {' and '.join(rows)}")
    row, avail = np.empty(len(seq), np.int64), np.empty(len(seq), np.int64)
    rank, stream = np.empty(len(seq), np.uint8), np.empty(len(seq), np.int32)
    tables: dict[str, Ordered] = {}
    for channel, part in rows.items():
        place = np.searchsorted(seq, part.seq)
        codes = stream_codes(part.table, streams)
        row[place], avail[place], rank[place], stream[place] = (
            np.arange(len(part)),
            part.table.avail,
            RANK[channel],
            codes,
        )
        tables[channel] = Ordered(part.table, place + first_position, part.n, codes)
    chunk = Chunk(
        epoch=epoch,
        first_seq=first_position,
        streams=streams,
        tables=tables,
        rank=rank,
        row=row,
        stream=stream,
        avail=avail,
    )
    return Window(chunk, seq)


def stream_codes(table: Table, streams: Streams) -> npt.NDArray[np.int32]:
    """The number of each row's stream; streams not seen yet get theirs now."""
    symbol = table.array("symbol")
    tf_s = table.array("tf_s") if "tf_s" in table.columns else np.zeros(len(table), np.int64)
    codes = np.empty(len(table), np.int32)
    for length in np.unique(tf_s).tolist():
        for index in np.unique(symbol[tf_s == length]).tolist():
            key = StreamKey(table.channel, table.symbols[index], length)
            codes[(tf_s == length) & (symbol == index)] = streams.code(key)
    return codes


def open_recording(directory: Path, *, sizes: bool = True) -> Recording:
    """Open a folder that a tap wrote, is writing, or was killed over.

    Raises SourceError where it is no recording, or (unless `sizes` is false) a segment is missing or was cut short.
    """
    for _ in range(10):
        manifest = read_manifest(directory)
        journals = _leftovers(directory / JOURNALS, manifest)
        # A tap may have sealed a journal in between: then what is in it was in neither.
        if journals is not None and _stamp(read_manifest(directory)) == _stamp(manifest):
            break
    else:
        raise SourceError("the recording changes too fast to be opened", file=str(directory / MANIFEST))
    for segment in manifest.segments if sizes else ():
        check_size(directory, segment)
    return Recording(directory, manifest, journals or ())


def _stamp(manifest: Manifest) -> tuple[int, int]:
    return manifest.updated_ns, len(manifest.segments)


def _leftovers(folder: Path, manifest: Manifest) -> tuple[Journal, ...] | None:
    """The journals that are not sealed, in order; None where one went away meanwhile."""
    journals: list[Journal] = []
    for path in leftover_journals(folder, manifest):
        try:
            journals.append(Journal(path))
        except FileNotFoundError:
            return None
        except UnbornError:
            continue
    return tuple(journals)


def leftover_journals(folder: Path, manifest: Manifest) -> list[Path]:
    """The journal files whose rows are in no segment, in order."""
    paths = [path for path in folder.glob("*.journal") if path.stem.isdecimal()]
    return sorted(path for path in paths if int(path.stem) not in manifest.generations)

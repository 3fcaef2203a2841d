"""Sealed segments: one Parquet file of one channel, written whole (temporary file, fsync, rename) or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedsim.errors import SourceError
from feedsim.events.columns import SCHEMAS, Kind
from feedsim.recording.arrays import DAMAGED, numbers_from_arrow, told_of
from feedsim.recording.files import sync_file, sync_folder
from feedsim.recording.manifest import Segment
from feedsim.recording.schema import arrow_schema, check_schema

ROW_GROUP = 131_072  # rows
ROW_GROUP_BYTES = 16 << 20  # of Arrow memory: books of ten levels reach this before they are so many rows
READ_ROWS = 8_192


def segment_file(channel: str, generation: int) -> str:
    """Relative to the recording."""
    return f"{channel}/{generation:08d}.parquet"


def seal(
    directory: Path, folder: Path, channel: str, generation: int, epoch: int, batches: Iterable[pa.RecordBatch]
) -> Iterator[Segment | None]:
    """Write a segment from record batches; yields None after each row group and at the end the segment.

    The temporary file is in `folder`, which must be on the same disk. Raises OSError.
    """
    tmp = folder / f"{generation:08d}-{channel}.tmp"
    span = _Span()
    try:
        with pq.ParquetWriter(tmp, arrow_schema(channel), **_encoding(channel)) as writer:
            for group in _row_groups(batches):
                writer.write_table(group, row_group_size=len(group))
                span.add(group)
                yield None
        sync_file(tmp)
        with tmp.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        path = directory / segment_file(channel, generation)
        new = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        size = tmp.stat().st_size
        tmp.replace(path)
    finally:
        tmp.unlink(missing_ok=True)
    sync_folder(path.parent)
    if new:
        sync_folder(directory)
    yield span.segment(channel, generation, epoch, size, sha256)


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in _pieces(batches):
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROW_GROUP or size >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches cut to the size of a row group at most."""
    for batch in batches:
        step = max(1, min(ROW_GROUP, ROW_GROUP_BYTES * batch.num_rows // max(batch.nbytes, 1)))
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def _encoding(channel: str) -> dict[str, object]:
    """Deltas for what counts upwards, dictionaries for what repeats, zstd over both, a checksum a page."""
    fields = SCHEMAS[channel].fields
    counting = ["seq", "n", "avail", *(field.name for field in fields if field.time)]
    repeating = [f"{field.name}.list.element" if field.kind.is_list else field.name for field in fields]
    plain = {field.name for field in fields if field.kind is Kind.BOOL}
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in ("epoch", *repeating) if name not in counting and name not in plain],
        "column_encoding": dict.fromkeys(counting, "DELTA_BINARY_PACKED"),
        "write_page_checksum": True,
    }


class _Span:
    """What the manifest says of a segment, gathered while it is written."""

    def __init__(self) -> None:
        self.rows = 0
        self._ends: dict[str, tuple[int, int]] = {}

    def add(self, group: pa.Table) -> None:
        self.rows += len(group)
        for name in ("seq", "ts", "avail"):
            for chunk in group.column(name).chunks:
                values = numbers_from_arrow(chunk, np.int64, 0)
                low, high = int(values.min()), int(values.max())
                least, greatest = self._ends.get(name, (low, high))
                self._ends[name] = (min(least, low), max(greatest, high))

    def segment(self, channel: str, generation: int, epoch: int, size: int, sha256: str) -> Segment:
        return Segment(
            channel=channel,
            file=segment_file(channel, generation),
            generation=generation,
            epoch=epoch,
            rows=self.rows,
            size=size,
            sha256=sha256,
            first_seq=self._ends["seq"][0],
            last_seq=self._ends["seq"][1],
            first_ts=self._ends["ts"][0],
            last_ts=self._ends["ts"][1],
            first_avail=self._ends["avail"][0],
            last_avail=self._ends["avail"][1],
        )


# ------------------------------------------------------------------------------------------------------------ reading


def check_size(directory: Path, segment: Segment) -> None:
    """Raise SourceError where a segment's file is missing or is not as long as the manifest says."""
    path = directory / segment.file
    try:
        size = path.stat().st_size
    except OSError as error:
        problem = f"segment cannot be read: {error.strerror}; the manifest says it has {segment.rows} rows"
        raise SourceError(problem, file=str(path)) from None
    if size != segment.size:
        raise SourceError(f"{size} bytes, but the manifest says {segment.size}: truncated or changed", file=str(path))


def segment_batches(
    directory: Path, segment: Segment, *, avail: int | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """A segment's record batches, each with the number of its first row, from 1.

    Row groups that end before the available time `avail` are passed over. Raises SourceError for a file that is
    damaged (pages carry checksums) or is not what the manifest says.
    """
    path = directory / segment.file
    row = 1
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            check_schema(file.schema_arrow, segment.channel, file=str(path))
            if file.metadata.num_rows != segment.rows:
                problem = f"{file.metadata.num_rows} rows, but the manifest says {segment.rows}"
                raise SourceError(problem, file=str(path))
            skipped = _row_groups_before(file.metadata, avail)
            row += sum(file.metadata.row_group(group).num_rows for group in range(skipped))
            groups = list(range(skipped, file.metadata.num_row_groups))
            for batch in file.iter_batches(READ_ROWS, row_groups=groups) if groups else ():
                yield row, batch
                row += batch.num_rows
    except DAMAGED as error:
        raise SourceError(f"damaged Parquet file: {told_of(error)}", file=str(path), row=row) from None


def _row_groups_before(metadata: pq.FileMetaData, avail: int | None) -> int:
    """How many row groups end before `avail`."""
    if avail is None:
        return 0
    column = next(i for i in range(metadata.num_columns) if metadata.schema.column(i).path == "avail")
    groups = int(metadata.num_row_groups)
    for group in range(groups):
        statistics = metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max or statistics.max >= avail:
            return group
    return groups

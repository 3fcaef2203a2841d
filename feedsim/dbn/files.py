"""DBN files, plain or zstd: what they say of themselves, and their records as arrays, block by block."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from feedsim.dbn.layout import SCHEMAS, WORD_BYTES, Schema
from feedsim.dbn.package import databento_dbn
from feedsim.errors import SourceError

SUFFIXES = (".dbn", ".dbn.zst")
MAGIC = b"DBN"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PREFIX = 8  # bytes: magic, version, length of the rest of the metadata
MOST_METADATA = 64 << 20
BLOCK = 1 << 20  # bytes read at once

Records = npt.NDArray[Any]


@dataclass(frozen=True)
class DbnFile:
    """One file with records of one schema."""

    path: Path
    schema: Schema
    version: int
    start_ns: int
    stamped: bool
    names: dict[int, str]
    """Raw symbols (or what was asked for instead of them) by instrument id."""
    header: int
    """Bytes before the first record."""

    @property
    def record(self) -> np.dtype[Any]:
        """As they are in the file, with the time of sending where it has that."""
        if not self.stamped:
            return self.schema.record
        return np.dtype([*_described(self.schema.record), ("ts_out", "<u8")])


def _described(dtype: np.dtype[Any]) -> list[Any]:
    assert dtype.names is not None
    assert dtype.fields is not None
    return [(name, dtype.fields[name][0]) for name in dtype.names]


def read_head(path: Path) -> DbnFile:
    """Raises SourceError for what is no DBN file, or one of a schema that cannot be replayed."""
    where = str(path)
    with _opened(path) as file:
        prefix = _exactly(file, PREFIX, where)
        if prefix[:3] != MAGIC:
            raise SourceError("expected a DBN file: it does not begin with DBN", file=where)
        length = int.from_bytes(prefix[4:], "little")
        if length > MOST_METADATA:
            raise SourceError(f"metadata of {length:,} bytes", file=where)
        head = prefix + _exactly(file, length, where)
    dbn = databento_dbn()
    try:
        metadata = dbn.Metadata.decode(head)
    except Exception as error:
        raise SourceError(f"metadata that cannot be read: {error}", file=where) from None
    if metadata.schema not in SCHEMAS:
        known = ", ".join(SCHEMAS)
        raise SourceError(f"schema {metadata.schema or '(several)'}: expected one of {known}", file=where)
    return DbnFile(
        path=path,
        schema=SCHEMAS[metadata.schema],
        version=prefix[3],
        start_ns=metadata.start,
        stamped=metadata.ts_out,
        names=_names(metadata),
        header=len(head),
    )


def _names(metadata: Any) -> dict[int, str]:
    return {
        int(interval["symbol"]): name
        for name, intervals in metadata.mappings.items()
        for interval in intervals
        if interval["symbol"].isdecimal()
    }


def blocks(file: DbnFile, *, skip: int = 0) -> Iterator[Records]:
    """The records from number `skip` on. Raises SourceError (file, row) for what is none."""
    dtype = file.record
    at = skip
    with _opened(file.path) as opened:
        _pass_over(opened, file.header + skip * dtype.itemsize)
        size = max(BLOCK // dtype.itemsize, 1) * dtype.itemsize
        while data := _up_to(opened, size, str(file.path)):
            whole = len(data) // dtype.itemsize
            records = np.frombuffer(data, dtype, whole)
            _check(file, records, at)
            if whole * dtype.itemsize != len(data):
                raise SourceError("the last record is cut off", file=str(file.path), row=at + whole + 1)
            at += whole
            yield records


def _check(file: DbnFile, records: Records, at: int) -> None:
    wrong = (records["rtype"] != file.schema.rtype) | (records["length"] != file.record.itemsize // WORD_BYTES)
    if wrong.any():
        row = int(wrong.argmax())
        found = records[row]
        raise SourceError(
            f"expected records of {file.schema.name} (type {file.schema.rtype}), not type {found['rtype']}",
            file=str(file.path),
            row=at + row + 1,
        )


def definitions_in(file: DbnFile) -> dict[int, str]:
    """Raw symbols by instrument id, of a file of definitions of any version."""
    dbn = databento_dbn()
    decoder = dbn.DBNDecoder()
    names: dict[int, str] = {}
    with _opened(file.path) as opened:
        while data := _up_to(opened, BLOCK, str(file.path)):
            for record in decoder.write_and_decode(data):
                if isinstance(record, dbn.InstrumentDefMsg):
                    names[record.instrument_id] = record.raw_symbol
    return names


# ------------------------------------------------------------------------------------------------------------ bytes


def _opened(path: Path) -> BinaryIO:
    """The file's bytes, out of zstd where it is compressed."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(error.strerror or str(error), file=str(path)) from None
    if file.read(len(ZSTD_MAGIC)) != ZSTD_MAGIC:
        file.seek(0)
        return file
    import zstandard

    file.seek(0)
    reader: BinaryIO = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=True)
    return reader


def _up_to(file: BinaryIO, size: int, where: str) -> bytes:
    """So many bytes, or what there is."""
    parts = io.BytesIO()
    try:
        while parts.tell() < size and (data := file.read(size - parts.tell())):
            parts.write(data)
    except Exception as error:  # zstandard's own error, whatever its version calls it
        raise SourceError(f"compressed data that cannot be read: {error}", file=where) from None
    return parts.getvalue()


def _exactly(file: BinaryIO, size: int, where: str) -> bytes:
    data = _up_to(file, size, where)
    if len(data) != size:
        raise SourceError("the file ends within its metadata", file=where)
    return data


def _pass_over(file: BinaryIO, size: int) -> None:
    if isinstance(file, io.BufferedReader):
        file.seek(size)
        return
    while size and (data := file.read(min(size, BLOCK))):
        size -= len(data)

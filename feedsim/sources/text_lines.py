"""Text files by blocks of whole lines: plain, gzip or zstd, with the row and the byte at which each block starts.

A plain file has the length that it had when it was opened: what is appended meanwhile is not read. A compressed file
that ends before its stream does is a SourceError, as is a line that is absurdly long.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, NamedTuple, cast

from feedsim.errors import SourceError

BLOCK_BYTES = 1 << 19
LONGEST_LINE = 1 << 24  # bytes; a file without newlines must not end up in memory
_CODECS = {".gz": "gzip", ".zst": "zstd"}


class Block(NamedTuple):
    """Whole lines; only the last line of a file may lack its newline."""

    data: bytes
    offset: int
    """Of the first byte in the (uncompressed) file."""
    row: int
    """Number of the first line, from 1."""


class LineFile:
    """A forward reader that can be put back to any block's start."""

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        self.path = path
        self.block_bytes = block_bytes
        self.offset = 0
        self.row = 1
        self._rest = b""
        self._file: IO[bytes] | None = None
        self._codec = _CODECS.get(path.suffix.lower(), "")
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror}", file=str(path)) from error

    def read(self) -> Block | None:
        """The next block, or None at the end."""
        parts = [self._rest]
        length = len(self._rest)
        while True:
            data = self._read_some()
            cut = data.rfind(b"\n") + 1
            if cut or not data:
                break
            parts.append(data)
            length += len(data)
            if length > LONGEST_LINE:
                raise SourceError(f"a line is longer than {LONGEST_LINE} bytes", file=str(self.path), row=self.row)
        self._rest = data[cut:]
        whole = b"".join((*parts, data[:cut]))
        if not whole:
            return None
        block = Block(whole, self.offset, self.row)
        self.offset += len(whole)
        self.row += whole.count(b"\n")
        return block

    def seek(self, offset: int, row: int) -> None:
        """Go to a block's start, which an earlier Block told."""
        self.close()
        self.offset, self.row, self._rest = offset, row, b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_some(self) -> bytes:
        try:
            if self._file is None:
                self._file = self._open()
            if self._codec:
                return self._file.read(self.block_bytes)
            left = self.size - self._file.tell()
            data = self._file.read(min(self.block_bytes, left))
        except OSError as error:
            raise SourceError(f"damaged or cut off: {error}", file=str(self.path), row=self.row) from error
        if left and not data:
            raise SourceError("became shorter while it was read", file=str(self.path), row=self.row)
        return data

    def _open(self) -> IO[bytes]:
        if not self._codec:
            file: IO[bytes] = self.path.open("rb", buffering=0)
            file.seek(self.offset)
            return file
        import pyarrow as pa  # only for compressed files: a tenth of a second that others need not pay

        # Unlike the readers of `gzip` and `zstandard` together, Arrow's tells of a cut in both formats.
        file = cast("IO[bytes]", pa.input_stream(str(self.path), compression=self._codec))
        left = self.offset
        while left:
            skipped = len(file.read(min(left, BLOCK_BYTES)))
            if not skipped:
                raise OSError("became shorter while it was read")
            left -= skipped
        return file

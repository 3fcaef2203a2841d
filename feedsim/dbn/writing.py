"""A DBN file in the making: records of one schema, plain or zstd by its name; it has its name only when it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from feedsim.dbn.before import Before
from feedsim.dbn.listing import Listing
from feedsim.dbn.messages import definitions, metadata
from feedsim.dbn.records import Part, Scene, parts
from feedsim.errors import ConfigError
from feedsim.events import Chunk

ZSTD_LEVEL = 3


class DbnWriter:
    """Writes chunks of a tape, in order, as one schema. Raises OSError when that cannot be done."""

    def __init__(self, path: Path, schema: str, listing: Listing, *, start_ns: int, end_ns: int | None) -> None:
        """`end_ns` is the end of the session, if it has one."""
        self.path, self.schema = path, schema
        self.rows = 0
        self._listing = listing
        self._before = Before.nothing(len(listing.instruments))
        self._told: tuple[Chunk, int] | None = None
        """The chunk that was added last, and how much of it."""
        self._part = path.with_name(path.name + ".part")
        self._file = self._part.open("wb")
        self._out: Any = _compressed(self._file) if path.name.endswith(".zst") else self._file
        self._out.write(metadata(start_ns=start_ns, end_ns=end_ns, schema=schema, symbols=listing.instruments))
        if schema == "definition":
            self._write(definitions(listing.instruments, ts_ns=start_ns))

    def add(self, chunk: Chunk, lo: int = 0, hi: int | None = None) -> None:
        """The events at positions [lo, hi) of a chunk. Its rest need not come: another may have taken its place."""
        hi = len(chunk) if hi is None else hi
        self._move_to(chunk)
        for part in merged(parts(self.schema, Scene(chunk, self._before, self._listing)), lo, hi):
            self._write(part)
        self._told = (chunk, hi)

    def _move_to(self, chunk: Chunk) -> None:
        """What was told of the chunk before this one is what is remembered of it."""
        if self._told is not None and self._told[0] is not chunk:
            before, until = self._told
            self._before = self._before.after(before if until == len(before) else before.part(0, until))

    def _write(self, records: npt.NDArray[Any]) -> None:
        self._out.write(records.tobytes())
        self.rows += len(records)

    def close(self) -> None:
        """Give the file its name."""
        self._end()
        self._part.replace(self.path)

    def leave(self) -> None:
        """Leave the file without its name."""
        self._end()

    def abandon(self) -> None:
        """Leave nothing."""
        self._end()
        self._part.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._out is not self._file:
            self._out.close()
        self._file.close()


def merged(told: Sequence[Part], lo: int, hi: int) -> Iterator[npt.NDArray[Any]]:
    """The records of data in parts of one schema, in the order of their positions in [lo, hi)."""
    data = [part for part in told if part.data]
    if not data:
        return
    at = np.concatenate([part.at for part in data])
    order = np.argsort(at, kind="stable")
    order = order[slice(*np.searchsorted(at[order], (lo, hi)))]
    yield np.concatenate([part.records for part in data])[order]


@contextmanager
def writing(path: Path, schema: str, listing: Listing, *, start_ns: int, end_ns: int | None) -> Iterator[DbnWriter]:
    """A writer whose file is there afterwards if nothing went wrong. Raises ConfigError where it cannot be written."""
    try:
        writer = DbnWriter(path, schema, listing, start_ns=start_ns, end_ns=end_ns)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", field="dbn") from None
    try:
        yield writer
    except OSError as error:
        writer.abandon()
        raise ConfigError(f"{path}: {error.strerror}", field="dbn") from None
    except BaseException:
        writer.abandon()
        raise
    writer.close()


def _compressed(file: BinaryIO) -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).stream_writer(file, closefd=False)

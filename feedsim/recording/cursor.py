"""Reads the rows of one channel and epoch through the files that hold them, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa

from feedsim.errors import SourceError
from feedsim.recording.schema import Rows, from_batch


class Piece(Protocol):
    """A file's rows of one channel and epoch."""

    @property
    def file(self) -> str: ...

    @property
    def first_avail(self) -> int: ...

    @property
    def last_avail(self) -> int: ...

    def batches(self, avail: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Record batches with the number of their first row; may pass over rows before the available time `avail`."""
        ...


class Cursor:
    """Reads one channel of one epoch from front to back, and finds a time in it.

    Raises SourceError (file, row) for rows that are wrong.
    """

    def __init__(self, channel: str, pieces: tuple[Piece, ...], symbols: tuple[str, ...]) -> None:
        self.channel = channel
        self._pieces = pieces
        self._symbols = symbols
        self._reading: Generator[Rows] | None = None
        self.seek(None)

    def close(self) -> None:
        """Let go of the file that is open."""
        if self._reading is not None:
            self._reading.close()

    def seek(self, avail: int | None) -> None:
        """Go to the first row whose available time is at or after `avail`; None goes to the front."""
        self.close()
        self._held: Rows | None = None
        self._at = 0
        self._last: tuple[int, int] | None = None
        """Seq and available time of the last row that was checked."""
        self._failure: SourceError | None = None
        self._reading = self._read(avail)
        while avail is not None and self._fill():
            assert self._held is not None
            self._at = int(np.searchsorted(self._held.table.avail, avail))
            if self._at < len(self._held):
                break

    def _read(self, avail: int | None) -> Generator[Rows]:
        for piece in self._pieces:
            if avail is not None and piece.last_avail < avail:
                continue
            for row, batch in piece.batches(avail):
                if batch.num_rows:
                    yield self._checked(batch, piece.file, row)

    def _checked(self, batch: pa.RecordBatch, file: str, row: int) -> Rows:
        rows = from_batch(batch, self.channel, self._symbols, file=file, row=row)
        first = int(rows.seq[0]), int(rows.table.avail[0])
        if self._last is not None and (first[0] <= self._last[0] or first[1] < self._last[1]):
            problem = f"seq and avail {first} after {self._last}, expected rows in the tape's order"
            raise SourceError(problem, file=file, row=row)
        self._last = int(rows.seq[-1]), int(rows.table.avail[-1])
        return rows

    def _fill(self) -> bool:
        """Hold at least one row that was not taken; False at the end. What failed once fails again."""
        if self._failure is not None:
            raise self._failure
        if self._held is None or self._at >= len(self._held):
            assert self._reading is not None
            try:
                self._held, self._at = next(self._reading, None), 0
            except SourceError as error:
                self._failure = error
                raise
        return self._held is not None

    def held_to(self) -> int | None:
        """The seq of the last row that is in memory; None at the end."""
        return int(self._held.seq[-1]) if self._fill() and self._held is not None else None

    def take_seq(self, below: int) -> Rows | None:
        """The rows not taken yet whose seq is below this; None where there are none."""
        return self._take(below, by_seq=True)

    def take_avail(self, before: int) -> Rows | None:
        """The rows not taken yet that were available before this time (ns); None where there are none."""
        return self._take(before, by_seq=False)

    def _take(self, bound: int, *, by_seq: bool) -> Rows | None:
        parts: list[Rows] = []
        while self._fill():
            assert self._held is not None
            end = int(np.searchsorted(self._held.seq if by_seq else self._held.table.avail, bound))
            if end > self._at:
                parts.append(self._held.slice(self._at, end))
                self._at = end
            if end < len(self._held):
                break
        return Rows.concatenate(parts) if parts else None

"""A place in a DBN file: gives its records up to a time, and can be put back to any of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from feedsim.dbn.files import DbnFile, Records, blocks
from feedsim.errors import SourceError
from feedsim.events.columns import Int64
from feedsim.sources.dbn.files import available


class Cursor:
    """Memory is one block, and what is taken. Raises SourceError when what it reads is wrong.

    A record that was received before the one that it follows in the file is available with that one.
    """

    def __init__(self, file: DbnFile) -> None:
        self.file = file
        self.go_to(0, 0)

    def go_to(self, position: int, last_ns: int) -> None:
        """To the record behind so many; `last_ns` is when the one before it was available."""
        self.position = position
        """Records that were taken."""
        self.last_ns = last_ns
        """When the last of these was available."""
        self._blocks: Iterator[Records] = blocks(self.file, skip=position)
        self._records: Records = np.empty(0, self.file.record)
        self._times: Int64 = np.empty(0, np.int64)

    def take(self, until_ns: int) -> tuple[Records, Int64]:
        """The next records that are available before a time, and when each is."""
        records, times = [self._records[:0]], [self._times[:0]]
        while (len(self._records) or self._next_block()) and self._times[0] < until_ns:
            end = int(np.searchsorted(self._times, until_ns))
            records.append(self._records[:end])
            times.append(self._times[:end])
            self.last_ns = int(self._times[end - 1])
            self.position += end
            self._records, self._times = self._records[end:], self._times[end:]
        return np.concatenate(records), np.concatenate(times)

    def _next_block(self) -> bool:
        records = next(self._blocks, None)
        if records is None:
            return False
        times = available(records, self.file)
        if (times <= 0).any():
            row = self.position + 1 + int((times <= 0).argmax())
            raise SourceError("a record without a time", file=str(self.file.path), row=row)
        self._records = records
        self._times = np.maximum.accumulate(np.maximum(times, self.last_ns))
        return True

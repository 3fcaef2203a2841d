"""Records of several schemas as one stream of bytes, in the tape's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.records import Part
from feedsim.events.columns import Int64

WORD = 8  # bytes; every record's length is a multiple of it


class Woven:
    """The records of a chunk, side by side. What belongs to one event is in the order of the parts."""

    __slots__ = ("_stream", "at", "stamped", "sums", "words")

    def __init__(self, parts: Sequence[Part], *, stamped: bool = False) -> None:
        """`stamped`: every record ends with the time at which it is sent."""
        self.stamped = stamped
        parts = [part for part in parts if len(part.at)]
        if len(parts) == 1:
            self._take_one(parts[0])
        else:
            self._weave(parts)

    def _take_one(self, part: Part) -> None:
        matrix = as_words(part.records, stamped=self.stamped)
        self.at = part.at
        self.words = np.arange(len(matrix) + 1) * matrix.shape[1]
        self.sums = np.arange(len(matrix) + 1) * int(part.data)
        self._stream = matrix.reshape(-1)

    def _weave(self, parts: Sequence[Part]) -> None:
        matrices = [as_words(part.records, stamped=self.stamped) for part in parts]
        counts = [len(part.at) for part in parts]
        at = np.concatenate([part.at for part in parts]) if parts else np.empty(0, np.int64)
        order = _order(at, parts)
        widths = np.repeat(np.array([matrix.shape[1] for matrix in matrices], np.int64), counts)[order]
        data = np.repeat(np.array([int(part.data) for part in parts], np.int64), counts)[order]
        self.at = at[order]
        self.words, self.sums = _running(widths), _running(data)
        place = np.empty(len(order), np.int64)
        place[order] = self.words[:-1]
        woven = np.empty(int(self.words[-1]), np.uint64)
        first = 0
        for matrix, count in zip(matrices, counts, strict=True):
            where = place[first : first + count, None] + np.arange(matrix.shape[1])
            woven[where] = matrix
            first += count
        self._stream = woven

    def __len__(self) -> int:
        return len(self.at)

    def rows(self, lo: int, hi: int) -> tuple[int, int]:
        """Which records belong to positions [lo, hi) of the chunk."""
        first, last = np.searchsorted(self.at, (lo, hi))
        return int(first), int(last)

    def count(self, first: int, last: int) -> int:
        """How many records of data are among records [first, last)."""
        return int(self.sums[last] - self.sums[first])

    def bytes(self, first: int, last: int, *, sent_ns: int = 0) -> bytes:
        """Records [first, last)."""
        words = self._stream[self.words[first] : self.words[last]]
        if self.stamped and len(words):
            words = words.copy()
            words[self.words[first + 1 : last + 1] - self.words[first] - 1] = sent_ns
        return words.tobytes()


def as_words(records: npt.NDArray[Any], *, stamped: bool) -> npt.NDArray[np.uint64]:
    """A row of words a record; with room for the time of sending, which the record's length counts."""
    width = records.dtype.itemsize // WORD
    matrix = np.ascontiguousarray(records).view(np.uint64).reshape(-1, width)
    if not stamped:
        return matrix
    wide = np.zeros((len(matrix), width + 1), np.uint64)
    wide[:, :width] = matrix
    wide.view(np.uint8)[:, 0] = (width + 1) * WORD // 4
    return wide


def _order(at: Int64, parts: Sequence[Part]) -> npt.NDArray[np.intp]:
    """By position, then by turn, then by part."""
    if all(part.turn is None for part in parts):
        return np.argsort(at, kind="stable")
    turns = [np.zeros(len(part.at), np.int64) if part.turn is None else part.turn for part in parts]
    return np.lexsort((np.concatenate(turns), at))


def _running(values: Int64) -> Int64:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums

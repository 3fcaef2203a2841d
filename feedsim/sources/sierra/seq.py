"""A chart's seq counter: which records are new, and whether those that come again are what they were.

After a restart the study writes its last few thousand records again. A record is new if its seq is above all before
it; one that is not must be no later than those, and equal to its original where the file still has it. Only at the
start of a new file may the counter begin again.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.errors import SourceError
from feedsim.events.columns import Int64
from feedsim.sources.sierra.lines import CONTENT, Line, Lines, Records, decode_block, is_tick, records_of
from feedsim.sources.text_lines import Block

LONG_AGO = -(1 << 62)
LOOK_BACK = 1 << 20  # bytes at first; the study's 5,000 records take 750 kB
FARTHEST_LOOK_BACK = 1 << 25


class Seen(NamedTuple):
    """For each record, whether its seq came before, and whether it is later than all before it nevertheless."""

    again: npt.NDArray[np.bool_]
    restarted: npt.NDArray[np.bool_]


class Counter(msgspec.Struct, array_like=True):
    """How far a chart's seq has come."""

    last: int = -1
    newest: int = LONG_AGO
    """The latest time of a new record."""
    new_file: bool = False
    again: int = 0
    """Records that were written again so far."""

    def take(self, seq: Int64, ts: Int64) -> Seen:
        """Tell the new records, in the order of the file, from those that came before."""
        if not self.new_file:
            return self._take(seq, ts)
        later = np.flatnonzero(ts > self.newest)
        if not len(later):
            return self._take(seq, ts)
        first = int(later[0])
        old = self._take(seq[:first], ts[:first])
        self.new_file = False
        if seq[first] <= self.last:
            self.last = int(seq[first]) - 1
        new = self._take(seq[first:], ts[first:])
        return Seen(*(np.concatenate(pair) for pair in zip(old, new, strict=True)))

    def _take(self, seq: Int64, ts: Int64) -> Seen:
        if not len(seq):
            return Seen(np.zeros(0, np.bool_), np.zeros(0, np.bool_))
        highest = np.maximum.accumulate(np.concatenate(([self.last], seq)))
        again = seq <= highest[:-1]
        newest = np.maximum.accumulate(np.concatenate(([self.newest], np.where(again, LONG_AGO, ts))))
        self.last, self.newest = int(highest[-1]), int(newest[-1])
        self.again += int(again.sum())
        return Seen(again, again & (ts > newest[:-1]))


def check_again(path: Path, block: Block, source: Lines, indices: list[int], found: Records, seen: Seen) -> None:
    """Compare the records of one chart in a block that came again with their originals. Raises SourceError.

    A record whose original is not in the file (the study knew more than the file has) cannot be compared.
    """
    if seen.restarted.any():
        row = int(np.argmax(seen.restarted))
        problem = f"seq {found['key'][row]} comes again at a later time: the counter began again inside the file"
        raise source.error(problem, indices[row])
    again = np.flatnonzero(seen.again)
    copies = found[again]
    originals = _originals(path, block.offset + len(block.data), copies, source.lines[indices[0]])
    keys, first = np.unique(originals["key"], return_index=True)
    place = np.minimum(np.searchsorted(keys, copies["key"]), len(keys) - 1)
    known = keys[place] == copies["key"]
    was = originals[first[place]]
    differs = known & np.logical_or.reduce([was[name] != copies[name] for name in CONTENT])
    if differs.any():
        row = int(np.argmax(differs))
        problem = f"seq {copies['key'][row]} comes again with other content than before"
        raise source.error(problem, indices[int(again[row])])


def _originals(path: Path, end: int, copies: Records, like: Line) -> Records:
    """The records of a line's chart in the file before `end`, back to the first of the copies if it is not too far.

    The first record of a seq in it is the original, or, out of reach, a copy that is equal to itself.
    """
    size = LOOK_BACK
    wanted = int(copies["key"].min())
    while True:
        start = max(0, end - size)
        found = _records_between(path, start, end, like)
        if start == 0 or size >= FARTHEST_LOOK_BACK or (len(found) and found["key"][0] <= wanted):
            return found
        size *= 4


def _records_between(path: Path, start: int, end: int, like: Line) -> Records:
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file=str(path)) from error
    data = data[data.find(b"\n") + 1 :] if start else data
    source = decode_block(Block(data, start, 1), str(path))
    chart = (like.chart, like.graph)
    ticks = [i for i, line in enumerate(source.lines) if is_tick(line) and (line.chart, line.graph) == chart]
    return records_of(source, ticks)

"""The files of one chart and type, day after day, as queues: quotes and trades by chart, batches of what is by minute.

A feed is pulled block by block and can be put back: it remembers its state before the oldest block that has anything
left in a queue, and how much of it was taken. What is told depends on the files alone, not on how they are pulled.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.instruments import NS_PER_MINUTE, root_of
from feedsim.sources.sierra.changes import Change, change_of
from feedsim.sources.sierra.clock import bar_start
from feedsim.sources.sierra.files import NO_CHART, ChartFile
from feedsim.sources.sierra.folds import Batch
from feedsim.sources.sierra.lines import MINUTE_LINES, Line, Lines, Records, decode_block, is_tick, records_of, times_ns
from feedsim.sources.sierra.routes import Routes
from feedsim.sources.sierra.seq import LONG_AGO, Counter, check_again
from feedsim.sources.text_lines import Block, LineFile

LAG_NS = 60_000_000_000
"""A line is at most this much older than the newest above it in its file; one that is even older is told as if it were
not. So a file of many charts need not be read to its end to know what one of them did."""
DAY_SHIFT = 40  # bits of a record's key that hold its seq


class _State(msgspec.Struct, array_like=True):
    file: int = 0
    offset: int = 0
    row: int = 1
    ended: bool = False
    newest: int = LONG_AGO
    """The latest time of a quote or trade so far."""
    counters: dict[int, Counter] = {}
    bars: dict[int, tuple[int, int]] = {}
    """Start and told end of each chart's newest bar, by the lines that hang on it."""
    open: dict[str, Batch] = {}
    counts: dict[str, int] = {}
    """Lines that were left out, by reason."""


class _Saved(msgspec.Struct, array_like=True):
    mark: bytes
    taken: dict[str, int]


@dataclass(slots=True)
class _Piece:
    """What one block gave: the state before it and how much of it went into each queue."""

    mark: bytes
    counts: dict[str, int] = field(default_factory=dict)


class Feed:
    """Files of one chart and type (or of all) by day; `days` numbers them."""

    def __init__(self, files: Sequence[ChartFile], days: Sequence[str], routes: Routes) -> None:
        self.files = files
        self.days = days
        self.routes = routes
        self.has_ticks = any(file.has_ticks for file in files)
        self.has_minutes = any(file.has_minutes for file in files)
        self.ticks: dict[int, list[Records]] = {}
        self.batches: dict[str, deque[Batch]] = {}
        self.last_key: dict[int, int] = {}
        self._high: dict[int, int] = {}
        self._pieces: deque[_Piece] = deque()
        self._taken: dict[str, int] = {}
        self._skip: dict[str, int] = {}
        self._state = _State()
        self._reader: LineFile | None = None

    # ----------------------------------------------------------------------------------------------- what is queued

    @property
    def ended(self) -> bool:
        return self._state.ended

    @property
    def counts(self) -> dict[str, int]:
        return self._state.counts

    @property
    def counters(self) -> dict[int, Counter]:
        return self._state.counters

    def covers_ticks(self, chart: int, until_ns: int) -> bool:
        """Whether all of a chart's records that can be available before `until_ns` are queued."""
        return self.ended or self._high.get(chart, LONG_AGO) >= until_ns or self._state.newest - LAG_NS >= until_ns

    def covers_minutes(self, until_ns: int) -> bool:
        """Whether all batches that end before `until_ns` are queued."""
        if self.ended or _settled(self._state.newest) >= until_ns:
            return True
        if self.files[0].chart == NO_CHART or not self._state.bars:
            return False
        return min(end for _, end in self._state.bars.values()) >= until_ns

    def take_ticks(self, chart: int) -> list[Records]:
        """Everything queued; it counts as taken only when `taken` says so."""
        return self.ticks.pop(chart, [])

    def taken(self, key: str, count: int) -> None:
        """So many of a queue were told."""
        self._taken[key] = self._taken.get(key, 0) + count
        self._forget()

    def _forget(self) -> None:
        while self._pieces and all(self._taken.get(key, 0) >= count for key, count in self._pieces[0].counts.items()):
            for key, count in self._pieces.popleft().counts.items():
                self._taken[key] -= count

    # ------------------------------------------------------------------------------------------------------- reading

    def pull(self) -> None:
        """Read one more block into the queues."""
        self._pieces.append(_Piece(msgspec.msgpack.encode(self._state)))
        block = self._next_block()
        if block is None:
            self._state.ended = True
            self._close_batches(None)
        else:
            self._route(block)
            self._close_batches(_settled(self._state.newest))
        self._forget()

    def _next_block(self) -> Block | None:
        state = self._state
        while state.file < len(self.files):
            if self._reader is None:
                self._reader = LineFile(self.files[state.file].path)
                self._reader.size = self.files[state.file].size
                self._reader.seek(state.offset, state.row)
            block = self._reader.read()
            if block is not None:
                state.offset, state.row = self._reader.offset, self._reader.row
                return block
            self.close()
            state.file, state.offset, state.row = state.file + 1, 0, 1
            for counter in state.counters.values():
                counter.new_file = True
        return None

    def _route(self, block: Block) -> None:
        file = self.files[self._state.file]
        source = decode_block(block, str(file.path))
        if source.torn:
            self._count("torn", 1)
        ticks: list[int] = []
        minutes: list[int] = []
        for index, line in enumerate(source.lines):
            if is_tick(line):
                ticks.append(index)
            elif line.type in MINUTE_LINES:
                minutes.append(index)
        before = self._state.newest
        kept, newest = self._add_ticks(source, ticks, block) if ticks and self.has_ticks else ([], [])
        if minutes and self.has_minutes:
            self._add_minutes(source, minutes, [before, *newest], kept)

    def _chart_of(self, line: Line) -> int:
        if line.chart >= 0:
            return line.chart
        return line.graph if line.graph >= 0 else self.files[self._state.file].chart

    def _count(self, reason: str, count: int) -> None:
        self._state.counts[reason] = self._state.counts.get(reason, 0) + count

    # ------------------------------------------------------------------------------------------------ quotes, trades

    def _add_ticks(self, source: Lines, indices: list[int], block: Block) -> tuple[list[int], list[int]]:
        """Queue the records that are new; their indices and the newest time after each."""
        roots, charts = self._wanted(source, indices)
        if not indices:
            return [], []
        found = records_of(source, indices)
        code = {symbol: number for number, symbol in enumerate(self.routes.symbols)}
        found["symbol"] = [code[root] for root in roots]
        chart_of = np.array(charts)
        fresh = np.ones(len(found), np.bool_)
        for chart in sorted(set(charts)):
            rows = np.flatnonzero(chart_of == chart)
            fresh[rows] = self._fresh(chart, found[rows], source, [indices[row] for row in rows.tolist()], block)
        found, chart_of = found[fresh], chart_of[fresh]
        kept = np.array(indices)[fresh].tolist()
        newest = np.maximum.accumulate(np.concatenate(([self._state.newest], found["ts"])))
        np.maximum(found["ts"], newest[:-1] - LAG_NS, out=found["avail"])
        self._state.newest = int(newest[-1])
        found["key"] += self.days.index(self.files[self._state.file].day) << DAY_SHIFT
        for chart in sorted(set(charts)):
            self._queue_ticks(chart, found[chart_of == chart])
        return kept, newest[1:].tolist()

    def _wanted(self, source: Lines, indices: list[int]) -> tuple[list[str], list[int]]:
        """Root and chart of the lines whose chart tells their symbol; cuts `indices` down to these."""
        names = [source.lines[index].sym for index in indices]
        if None in names:
            raise source.error("sym is missing", indices[names.index(None)])
        root_by_name = {name: root_of(name) for name in set(names) if name is not None}
        roots = [root_by_name[name] for name in names if name is not None]
        charts = [self._chart_of(source.lines[index]) for index in indices]
        told = self.routes.ticks
        wanted = [at for at, (root, chart) in enumerate(zip(roots, charts, strict=True)) if told.get(root) == chart]
        if len(wanted) < len(indices):
            self._count("other", len(indices) - len(wanted))
            indices[:] = [indices[at] for at in wanted]
        return [roots[at] for at in wanted], [charts[at] for at in wanted]

    def _fresh(
        self, chart: int, found: Records, source: Lines, indices: list[int], block: Block
    ) -> npt.NDArray[np.bool_]:
        seen = self._state.counters.setdefault(chart, Counter()).take(found["key"], found["ts"])
        if seen.again.any():
            check_again(self.files[self._state.file].path, block, source, indices, found, seen)
        return ~seen.again

    def _queue_ticks(self, chart: int, found: Records) -> None:
        if not len(found):
            return
        self.last_key[chart] = int(found["key"][-1])
        self._high[chart] = max(self._high.get(chart, LONG_AGO), int(found["avail"].max()))
        found = found[self._skipped(tick_key(chart), len(found)) :]
        if len(found):
            self.ticks.setdefault(chart, []).append(found)

    def _skipped(self, key: str, count: int) -> int:
        """Note that a block gave so many of a queue; how many of them were told before `restore`."""
        counts = self._pieces[-1].counts
        counts[key] = counts.get(key, 0) + count
        skip = min(self._skip.get(key, 0), count)
        if skip:
            self._skip[key] -= skip
        return skip

    # ------------------------------------------------------------------------------------- what is known by the minute

    def _add_minutes(self, source: Lines, indices: list[int], newest: list[int], ticks: list[int]) -> None:
        """Put lines into their bar's batch; `newest` is the newest time before, and after each of the ticks."""
        stamps = times_ns(source, indices).tolist()
        for index, stamp in zip(indices, stamps, strict=True):
            line = source.lines[index]
            chart = self._chart_of(line)
            change = change_of(source, index, chart, self.routes)
            if change is None:
                self._count("other", 1)
            else:
                self._add_change(chart, stamp, newest[bisect_left(ticks, index)], change)

    def _add_change(self, chart: int, stamp: int, newest: int, change: Change) -> None:
        clock = self.routes.clock(self.files[self._state.file].day, chart)
        if clock is None:
            self._count("no clock", 1)
            return
        start = bar_start(stamp) - clock.offset_ns
        before = self._state.bars.get(chart)
        if before is not None and start < before[0]:
            self._count("late", 1)
            return
        end = max(start, _settled(newest) - NS_PER_MINUTE) + clock.bar_ns
        if before is None or end > before[1]:
            self._close_batches(end, chart)
        self._state.bars[chart] = (start, end)
        batch = self._state.open.get(change.queue)
        if batch is not None and batch.end_ns < end:
            self._close(change.queue)
            batch = None
        if batch is None:
            batch = self._state.open[change.queue] = Batch(end, chart, {})
        batch.set(change.key, change.values)

    def _close_batches(self, before_ns: int | None, chart: int | None = None) -> None:
        """Queue the batches that end before a time (None: all), to which no line can come any more."""
        for queue, batch in list(self._state.open.items()):
            if (before_ns is None or batch.end_ns < before_ns) and (chart is None or batch.chart == chart):
                self._close(queue)

    def _close(self, queue: str) -> None:
        batch = self._state.open.pop(queue)
        if not self._skipped(queue, 1):
            self.batches.setdefault(queue, deque()).append(batch)

    # ------------------------------------------------------------------------------------------------------ positions

    def save(self) -> bytes:
        mark = self._pieces[0].mark if self._pieces else msgspec.msgpack.encode(self._state)
        return msgspec.msgpack.encode(_Saved(mark, {key: count for key, count in self._taken.items() if count}))

    def restore(self, saved: bytes) -> None:
        state = msgspec.msgpack.decode(saved, type=_Saved)
        self.close()
        self._state = msgspec.msgpack.decode(state.mark, type=_State)
        self._taken = dict(state.taken)
        self._skip = dict(state.taken)
        self.ticks, self.batches, self.last_key, self._high = {}, {}, {}, {}
        self._pieces.clear()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def tick_key(chart: int) -> str:
    """The queue of a chart's quotes and trades."""
    return f"ticks/{chart}"


def _settled(newest: int) -> int:
    """No batch that is still to come ends before this, once a quote or trade of time `newest` was written."""
    return (newest - LAG_NS) // NS_PER_MINUTE * NS_PER_MINUTE

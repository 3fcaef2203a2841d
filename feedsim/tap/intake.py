"""The queue between a session and its tap: what is to be written, and the account of what is missing.

Every event that a tap is told is either in the queue once, or already recorded, or in a hole.
"""

from __future__ import annotations

import structlog

from feedsim.events import Chunk, Event
from feedsim.recording.manifest import Hole
from feedsim.tap.slices import EVENT_BYTES, ChunkSlice, EventSlice, Slice

log = structlog.get_logger(__name__)

LIMIT_BYTES = 16 << 20  # more than this is not kept in memory: a hole

Item = Slice | Hole


class Intake:
    """Starts behind the event `last_seq` of `epoch`; (0, 0) where nothing is recorded yet."""

    def __init__(
        self,
        *,
        epoch: int,
        last_seq: int,
        last_avail: int,
        symbols: tuple[str, ...],
        filtered: bool,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self.epoch = epoch
        self.next_seq = last_seq + 1
        """What comes next, if nothing is missing."""
        self.pending_bytes = 0
        """In the queue, as far as that can be counted quickly."""
        self.holes = 0
        self.problem: str | None = None
        """Why nothing is taken any more."""
        self.frozen_seq: int | None = None
        """The seq before this epoch's first hole."""
        self._missing_seq: int | None = None
        """The newest seq, where it and what came since `next_seq` was not taken."""
        self._lost: list[Hole] = []
        """Holes in earlier epochs that the manifest does not have yet."""
        self._queue: list[Item] = []
        self._last: ChunkSlice | None = None
        self._row_bytes = 0
        self._last_avail = last_avail
        self._symbols, self._filtered = symbols, filtered
        self._limit_bytes = limit_bytes

    def __bool__(self) -> bool:
        return bool(self._queue)

    def append(self, chunk: Chunk, lo: int, hi: int) -> None:
        """Take the events at positions [lo, hi) of a chunk, less those that are recorded already."""
        last = self._last
        if last is not None and last.chunk is chunk and last.hi == lo and self.pending_bytes < self._limit_bytes:
            last.hi = hi
            self.next_seq += hi - lo
            self.pending_bytes += (hi - lo) * self._row_bytes
        elif hi > lo and self._accept(chunk.epoch, chunk.first_seq + lo, chunk.first_seq + hi - 1):
            lo = max(lo, self.next_seq - chunk.first_seq)
            self._row_bytes = chunk.nbytes // len(chunk) + 1
            self._last = item = ChunkSlice(chunk, lo, hi)
            self._put(item, (hi - lo) * self._row_bytes)

    def append_events(self, epoch: int, events: list[Event]) -> None:
        """Take events in the order of their seq, less those that are recorded already."""
        if epoch == self.epoch:
            events = [event for event in events if event.seq > self._newest]
        if events and self._accept(epoch, events[0].seq, events[-1].seq):
            item = EventSlice(epoch, events, self._symbols, not_before=self._last_avail)
            self._last = None
            self._last_avail = item.last_avail
            self._put(item, len(events) * EVENT_BYTES)

    @property
    def _newest(self) -> int:
        """The last seq that was told, taken or not; what comes again is passed over."""
        return self.next_seq - 1 if self._missing_seq is None else self._missing_seq

    def _put(self, item: Slice, size: int) -> None:
        self._queue.append(item)
        self.next_seq = item.last_seq + 1
        self.pending_bytes += size

    def _accept(self, epoch: int, first_seq: int, last_seq: int) -> bool:
        """Whether there is something to record in these events; a gap before them becomes a hole."""
        if (epoch, last_seq) <= (self.epoch, self._newest):
            return False
        if epoch > self.epoch:
            self._begin(epoch, first_seq)
        if self.problem is not None or self.pending_bytes >= self._limit_bytes:
            self._freeze()
            self._last = None
            self._missing_seq = last_seq
            return False
        first_seq = max(first_seq, self._newest + 1)
        if self._missing_seq is not None or (first_seq > self.next_seq and not self._filtered):
            self._queue.append(self._hole(first_seq - 1))
            self.next_seq = first_seq
        return True

    def _begin(self, epoch: int, first_seq: int) -> None:
        """An epoch starts with the first event that is told of it; whether that is its first, its seq says."""
        self.end()
        self.epoch, self.next_seq, self._last_avail = epoch, first_seq, 0
        self.frozen_seq = None

    def end(self) -> None:
        """Nothing more comes of this epoch."""
        if self._missing_seq is not None:
            hole = self._hole(self._missing_seq)
            (self._queue if self.problem is None else self._lost).append(hole)

    def _hole(self, last_seq: int) -> Hole:
        self._freeze()
        reason = self.problem or ("not received" if self._missing_seq is None else "the disk was too slow")
        self._missing_seq = None
        self.holes += 1
        log.error("events are missing in the recording", epoch=self.epoch, first_seq=self.next_seq, last_seq=last_seq)
        return Hole(epoch=self.epoch, first_seq=self.next_seq, last_seq=last_seq, reason=reason)

    def _freeze(self) -> None:
        if self.frozen_seq is None:
            self.frozen_seq = self.next_seq - 1

    def take(self) -> list[Item]:
        """All of the queue; `written` tells when it is no longer pending."""
        items, self._queue, self._last = self._queue, [], None
        return items

    def written(self, size: int) -> None:
        self.pending_bytes = max(self.pending_bytes - size, 0)

    # -------------------------------------------------------------------------------------------------- when it fails

    def stop(self, problem: str, taken: list[Item], durable: tuple[int, int]) -> None:
        """Take nothing any more; of what was taken and is queued only that up to `durable` is recorded."""
        self.problem = problem
        items = taken + self.take()
        self.pending_bytes = 0
        for item in items:
            last_seq = item.last_seq or item.first_seq
            if (item.epoch, last_seq) > durable:
                first_seq = max(item.first_seq, durable[1] + 1) if item.epoch == durable[0] else item.first_seq
                self._lose(item.epoch, first_seq, last_seq)

    def _lose(self, epoch: int, first_seq: int, last_seq: int) -> None:
        if epoch == self.epoch:
            if self._missing_seq is None or first_seq < self.next_seq:
                self.next_seq = first_seq
            self._missing_seq = max(last_seq, self._missing_seq or 0)
            self.frozen_seq = first_seq - 1 if self.frozen_seq is None else min(first_seq - 1, self.frozen_seq)
        elif self._lost and self._lost[-1].epoch == epoch:
            self._lost[-1].last_seq = last_seq
        else:
            self._lost.append(Hole(epoch=epoch, first_seq=first_seq, last_seq=last_seq, reason=self.problem or ""))

    def lost(self, *, ended: bool) -> list[Hole]:
        """What is missing since the tap stopped; unless the session has ended, nobody knows how much."""
        if self.problem is None or (ended and self._missing_seq is None):
            return list(self._lost)
        last_seq = self._missing_seq if ended else None
        return [*self._lost, Hole(epoch=self.epoch, first_seq=self.next_seq, last_seq=last_seq, reason=self.problem)]

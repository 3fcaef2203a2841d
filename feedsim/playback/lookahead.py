"""What is read of a tape before it is due: the chunk that is being told, those behind it, and places to come back to.

Where orders are taken the tape can be put back to any time that is not told yet, so that they change what follows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from feedsim.events import Chunk
from feedsim.instruments import NS_PER_S
from feedsim.observe.steps import Steps
from feedsim.playback.tape import Checkpoint, Tape
from feedsim.sources.base import Tables

CHECKPOINT_ROWS = 1 << 16
MAX_CHECKPOINTS = 32
LEAST_SPAN_S = 1e-3

T = TypeVar("T")


def _ignore(*_: object) -> None:
    """Where nobody listens."""


class _Read(NamedTuple):
    chunk: Chunk
    place: Checkpoint | None
    """Where the tape was before it; None where it must not be read again: an order was entered behind it."""


class Lookahead:
    """A tape that is told chunk by chunk: `current` is the chunk to tell from, `position` what of it is told."""

    def __init__(self, tape: Tape, *, takes_orders: bool = False, keep_places: bool = True) -> None:
        """`takes_orders`: `amend` may be called; `keep_places` as the attribute, before the first time."""
        self.tape = tape
        self.keep_places = takes_orders and keep_places
        """Keep where each chunk was read from, so that an amendment reads little again. Else the first one reads again
        from the newest checkpoint on; from then on they are kept."""
        self.position = 0
        """How much of the current chunk is told."""
        self.checkpoints: list[Checkpoint] = []
        """Ever sparser in a long session."""
        self.checkpoint_rows = CHECKPOINT_ROWS
        self.rows_since = 0
        """Rows read since the newest checkpoint."""
        self.rate = 0.0
        """Events a second of session time, of the newest chunk."""
        self.on_read: Callable[[Chunk], None] = _ignore
        """Gets each chunk before it is due."""
        self.on_told: Callable[[Chunk], None] = _ignore
        """Gets each chunk when all of it is told."""
        self.on_amended: Callable[[int, Chunk, Chunk], None] = _ignore
        """What was read and not told was read anew: gets the first seq whose chunks are void, and the events in their
        place, first those that are told already."""
        self._current: _Read | None = None
        self._times: list[int] | None = None
        self._ahead: deque[_Read] = deque()
        self._reading: Steps[None] | None = None
        """The chunk that is being read."""
        self._finished_seq = 0
        """The last seq that `on_told` got."""
        self._finished_ns = 0
        self._takes_orders = takes_orders
        self._behind: Checkpoint | None = None
        """The place before the chunk that was told last, or behind the newest change."""

    @property
    def chunk(self) -> Chunk | None:
        """The chunk that is being told."""
        return None if self._current is None else self._current.chunk

    @property
    def told_seq(self) -> int:
        """The seq of what was told last; 0 before that."""
        return self._finished_seq if self._current is None else self._current.chunk.first_seq + self.position - 1

    @property
    def told_ns(self) -> int:
        """The available time of what was told last; 0 before that."""
        if self._current is None or not self.position:
            return self._finished_ns
        return int(self._current.chunk.avail[self.position - 1])

    @property
    def hungry(self) -> bool:
        """Whether nothing is read beyond the current chunk, and there is more."""
        return not self._ahead and (self._reading is not None or not self.tape.ended)

    def current(self, rows: int) -> Chunk | None:
        """The chunk that is being told, or the next one if it is all told; None at the end of the tape.

        `rows` is how many are to be read at once, about.
        """
        if self._current is not None and self.position == len(self._current.chunk):
            self._finish(self._current.chunk)
            self._behind = self._current.place or self._behind
            self._begin(None)
        if self._current is None:
            if not self._ahead:
                self.read(rows)
            if self._ahead:
                self._begin(self._ahead.popleft())
        return self.chunk

    def times(self) -> list[int]:
        """The available times of the current chunk."""
        if self._times is None:
            assert self._current is not None
            self._times = self._current.chunk.avail.tolist()
        return self._times

    def read(self, rows: int) -> None:
        """The next chunk, of about so many rows, or the rest of the one that is begun."""
        self.read_on(rows)
        self.settle()

    def read_on(self, rows: int) -> None:
        """Take one step to the next chunk. Until it is read, or `settle` is called, nothing else may use the tape."""
        if self._reading is None:
            self._reading = self._next(rows)
        try:
            next(self._reading)
        except StopIteration:
            self._reading = None
        except BaseException:
            self._reading = None
            raise

    def settle(self) -> None:
        """Read the rest of the chunk that is begun."""
        while self._reading is not None:
            self.read_on(0)

    def _next(self, rows: int) -> Steps[None]:
        self._checkpoint_if_due()
        place = self.tape.checkpoint() if self.keep_places else None
        chunk = yield from self.tape.advancing(rows)
        if chunk is None:
            return
        yield
        self.rows_since += len(chunk)
        span_s = max((int(chunk.avail[-1]) - int(chunk.avail[0])) / NS_PER_S, LEAST_SPAN_S)
        self.rate = len(chunk) / span_s
        self._ahead.append(_Read(chunk, place))
        self.on_read(chunk)

    def restart(self) -> None:
        """A new epoch: forget what was read and not told."""
        self._ahead.clear()
        self._begin(None)
        self._behind, self._finished_seq, self._finished_ns = None, 0, 0

    def not_all_told(self, before_ns: int) -> list[Tables]:
        """What was read of the tape before a time, in chunks that are not, or not all, told."""
        chunk = self.chunk
        begun = [chunk] if chunk is not None and self.position < len(chunk) else []
        return [
            {name: part.table.take(part.table.avail < before_ns) for name, part in chunk.tables.items()}
            for chunk in (*begun, *(read.chunk for read in self._ahead))
        ]

    def amend(self, ns: int, change: Callable[[int], T]) -> T:
        """Put the tape back to `ns`, later than everything told, change something in its source, and go on from there.

        What is told stays as it is; what was read at or after `ns` is read anew. `change` gets the time from which the
        source was read again, up to `ns`.
        """
        assert self._takes_orders, "places are kept for sessions whose source takes orders"
        self.settle()
        self.keep_places = True
        reads = [*([] if self._current is None else [self._current]), *self._ahead]
        if self.tape.position_ns > ns:
            self.tape.restore(self._newest_place(reads, ns))
        again_ns = self.tape.position_ns
        kept = [read for read in reads if read.chunk.last_seq <= self.tape.seq]
        void = max(self.tape.seq, self._finished_seq) + 1
        again = self.tape.read(ns)
        result = change(again_ns)
        self._behind = self.tape.checkpoint()
        self.checkpoints = [point for point in self.checkpoints if point.position_ns < ns] + [self._behind]
        self.rows_since = 0
        self._put(kept, again, void)
        return result

    def _newest_place(self, reads: list[_Read], ns: int) -> Checkpoint:
        """From where the least is read again up to a time."""
        places = [self._behind, *(read.place for read in reads)]
        places += [point for point in self.checkpoints if point.epoch == self.tape.epoch]
        known = (place for place in places if place is not None and place.position_ns <= ns)
        return max(known, key=lambda place: place.position_ns)

    def _put(self, kept: list[_Read], again: Chunk, void: int) -> None:
        """These, and then what was read again, are what is told next."""
        first = void - again.first_seq if len(again) else 0
        split = max(self.told_seq - again.first_seq + 1, first) if len(again) else 0
        told, rest = again.part(first, split), again.part(split, len(again))
        fixed = [_Read(read.chunk, None) for read in kept] + ([_Read(rest, None)] if len(rest) else [])
        if kept and kept[0].chunk is self.chunk:
            self._current = fixed.pop(0)
        else:
            if len(told):
                self._finish(told)
            self._begin(None)
        self._ahead = deque(fixed)
        self.on_amended(void, told, rest)

    def _begin(self, read: _Read | None) -> None:
        self._current, self._times, self.position = read, None, 0

    def _finish(self, chunk: Chunk) -> None:
        self._finished_seq, self._finished_ns = chunk.last_seq, int(chunk.avail[-1])
        self.on_told(chunk)

    # ---------------------------------------------------------------------------------------------------- checkpoints

    def _checkpoint_if_due(self) -> None:
        if self.checkpoints and self.rows_since < self.checkpoint_rows:
            return
        self.checkpoints.append(self.tape.checkpoint())
        self.rows_since = 0
        if len(self.checkpoints) > MAX_CHECKPOINTS:
            self.checkpoints = self._thinned(self.checkpoints)
            self.checkpoint_rows *= 2

    def _thinned(self, points: list[Checkpoint]) -> list[Checkpoint]:
        """Half of them, the oldest and this epoch's start among them: a long session has ever sparser places."""
        first = next(at for at, point in enumerate(points) if (point.epoch, point.seq) == (self.tape.epoch, 0))
        return [point for at, point in enumerate(points) if at in (0, first) or at % 2 == 0]

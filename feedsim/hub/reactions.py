"""How long after an event an order came: when every event left, by wake-up, and a row for each order.

Bounded memory, a few appends a wake-up, nothing an event. What the rows tell is left to the lab.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feedsim.events import CHANNELS
from feedsim.hub.departures import Departures, Undrained
from feedsim.hub.ring import Ring
from feedsim.wire.reactions import Reaction, Reactions

if TYPE_CHECKING:
    from feedsim.hub.audience import Audience
    from feedsim.hub.cursor import Cursor

KEPT_WAKEUPS = 16_384  # at least; twice as many at most
KEPT_WRITES = 256  # of a reader that is told apart from the others: because it was behind, or conflates
KEPT_ROWS = 10_000
KEPT_WINDOWS = 256
NS = 1_000_000_000


class _Looked(NamedTuple):
    """Up to `seq` the newest event for an audience is `found`, (seq, channel)."""

    audience: Audience
    seq: int
    found: tuple[int, str]


class _Minded(NamedTuple):
    """A client's number, and when its connection began to be looked at whenever something is written to it."""

    number: int
    since_s: float


class ReactionLog:
    """The rows of all sessions of one server: the newest of them, and somewhere else each, if `on_row` wants it."""

    def __init__(self, server: str = "") -> None:
        self.server = server
        self.rows: deque[Reaction] = deque(maxlen=KEPT_ROWS)
        self.last_n = 0
        self.wakeups = 0
        self.undrained_wakeups = 0
        self.undrained_s = 0.0
        self.undrained_longest_s = 0.0
        self.on_row: Callable[[Reaction], None] | None = None
        self._sessions = 0
        self._clients = 0

    def name_session(self, *, private: bool) -> str:
        self._sessions += private
        return f"private-{self._sessions}" if private else "live"

    def next_client(self) -> int:
        self._clients += 1
        return self._clients

    def add(self, row: Reaction) -> None:
        self.last_n = row.n
        self.rows.append(row)
        if self.on_row is not None:
            self.on_row(row)

    def on_undrained(self, more_s: float, stretch_s: float) -> None:
        """A client's buffer has not been empty for `stretch_s`, `more_s` of which are new."""
        self.undrained_wakeups += 1
        self.undrained_s += more_s
        self.undrained_longest_s = max(self.undrained_longest_s, stretch_s)

    def head(self) -> Reactions:
        return Reactions(
            server=self.server,
            last_n=self.last_n,
            first_n=self.last_n + 1 - len(self.rows),
            wakeups=self.wakeups,
            undrained_wakeups=self.undrained_wakeups,
            undrained_s=self.undrained_s,
            undrained_longest_s=self.undrained_longest_s,
        )

    def after(self, n: int) -> list[Reaction]:
        """The rows behind the n-th, oldest first."""
        new = min(max(self.last_n - n, 0), len(self.rows))
        return list(islice(self.rows, len(self.rows) - new, None))


class Stopwatch:
    """Times one session's orders. `now` is the clock that its player is paced by, in seconds."""

    def __init__(
        self,
        log: ReactionLog,
        ring: Ring,
        *,
        now: Callable[[], float],
        readers: Callable[[], int],
        clock_is: Callable[[], str],
        private: bool,
    ) -> None:
        """`readers` counts them; `clock_is` says `paused` or `held`, or nothing where the clock runs."""
        self.log = log
        self.session = log.name_session(private=private)
        self._ring = ring
        self._now = now
        self._readers = readers
        self._clock_is = clock_is
        self._left = Departures(KEPT_WAKEUPS, columns=3)
        """Written; due (NaN where nothing is); taken by the kernel (NaN as long as that is not known)."""
        self._due_s = math.nan
        self._clients: dict[Cursor, _Minded] = {}
        """Readers that have sent an order."""
        self._looked: dict[Cursor, _Looked] = {}
        self._windows: deque[tuple[float, float, str]] = deque(maxlen=KEPT_WINDOWS)

    # --------------------------------------------------------------------------------------------------- wake-ups

    def on_late(self, seconds: float) -> None:
        """The wake-up that is going on was due so many seconds ago."""
        self._due_s = self._now() - seconds

    def on_written(self, before: int, head: int) -> None:
        """The events behind `before` and up to `head` were handed to all who are up to date."""
        self.log.wakeups += 1
        now = self._now()
        some_wait = any(cursor.sink.buffered() for cursor in self._clients)
        self._left.add(before, head, now, self._due_s, math.nan if some_wait or not self._clients else now)
        self._due_s = math.nan
        if some_wait:  # a loop may write again when all that is ready has run
            asyncio.get_running_loop().call_soon(self._on_flushed, head)

    def _on_flushed(self, head: int) -> None:
        at = self._left.find(head)
        if at is not None:
            self._left.times[2][at] = self._now()

    def on_written_to(self, cursor: Cursor, after: int, seq: int) -> None:
        """One reader got the events behind `after` and up to `seq`, at another time than the others."""
        if seq > after:
            if cursor.departures is None:
                cursor.departures = Departures(KEPT_WRITES)
            cursor.departures.add(after, seq, self._now())

    def minds(self, cursor: Cursor) -> bool:
        """Whether a reader's connection is to be looked at whenever something is written to it."""
        return cursor in self._clients

    def on_undrained(self, cursor: Cursor) -> None:
        """At a wake-up the kernel had not taken all yet that was written to a reader before."""
        log, now = self.log, self._now()
        stretch = cursor.undrained
        if stretch is None or stretch.wakeup < log.wakeups - 1:
            written = self._left.times[0]
            stretch = cursor.undrained = Undrained(written[-1] if written else now)
        log.on_undrained(now - stretch.last_s, now - stretch.since_s)
        stretch.last_s, stretch.wakeup = now, log.wakeups

    def restart(self) -> None:
        """A new epoch: seqs begin again."""
        self._left.clear()
        self._looked.clear()

    def leave(self, cursor: Cursor) -> None:
        """A reader is gone; its last order is still timed."""
        asyncio.get_running_loop().call_soon(self._forget, cursor)

    def _forget(self, cursor: Cursor) -> None:
        self._clients.pop(cursor, None)
        self._looked.pop(cursor, None)

    # ---------------------------------------------------------------------------------------------------- windows

    def open_window(self, name: str) -> None:
        """From now on, until the next, orders are of this window; an empty name closes it."""
        now = self._now()
        if self._windows and math.isinf(self._windows[-1][1]):
            since, _, before = self._windows.pop()
            self._windows.append((since, now, before))
        if name:
            self._windows.append((now, math.inf, name))

    def _window(self, cursor: Cursor, written: float, arrived: float) -> str:
        for moment in (written, arrived):
            for since, until, name in reversed(self._windows):
                if since <= moment < until:
                    return name
        return self._clock_is() or ("behind" if cursor.catching_up else "")

    # ----------------------------------------------------------------------------------------------------- orders

    def on_order(self, cursor: Cursor, op: str, seen_seq: int | None, arrived: float) -> None:
        """An order has come; it is looked at once what it leads to was written, so that this holds nobody up."""
        loop, epoch = asyncio.get_running_loop(), self._ring.epoch
        loop.call_soon(self._time, cursor, op, seen_seq, arrived, cursor.seq, epoch)

    def _time(self, cursor: Cursor, op: str, seen_seq: int | None, arrived: float, got: int, epoch: int) -> None:
        if epoch != self._ring.epoch:
            return
        inferred = seen_seq is None or not 0 < seen_seq <= got
        seq, channel = self._newest(cursor, got) if inferred else (seen_seq or 0, self._channel(seen_seq or 0))
        times = self._times(cursor, seq)
        if times is None:
            return  # nothing was sent yet, or so long ago that nobody knows
        written, due, taken = times
        self.log.add(
            Reaction(
                n=self.log.last_n + 1,
                session=self.session,
                client=self._client(cursor),
                op=op,
                seq=seq,
                channel=channel,
                inferred=inferred,
                written_ns=_ns(written),
                arrived_ns=_ns(arrived),
                due_ns=None if math.isnan(due) else _ns(written - due),
                kernel_ns=None if math.isnan(taken) else _ns(min(taken, arrived) - written),
                window=self._window(cursor, written, arrived),
                clients=self._readers(),
                rate=self._rate(arrived),
            )
        )

    def _client(self, cursor: Cursor) -> int:
        if cursor not in self._clients:
            self._clients[cursor] = _Minded(self.log.next_client(), self._now())
            cursor.step_aside()
        return self._clients[cursor].number

    def _times(self, cursor: Cursor, seq: int) -> tuple[float, float, float] | None:
        """(written, due, taken by the kernel) of an event to a reader."""
        own = cursor.departures
        at = None if own is None else own.find(seq)
        if own is not None and at is not None:
            return own.times[0][at], math.nan, math.nan
        at = self._left.find(seq)
        if at is None:
            return None
        written, due, taken = (column[at] for column in self._left.times)
        stretch = cursor.undrained
        if stretch is not None and stretch.since_s <= written < stretch.last_s:
            taken = stretch.last_s
        elif cursor not in self._clients or written < self._clients[cursor].since_s:
            taken = math.nan  # nobody looked then
        return written, due, taken

    def _channel(self, seq: int) -> str:
        block = self._ring.find(seq)
        return "unknown" if block is None else CHANNELS[int(block.chunk.rank[seq - block.first_seq])]

    def _newest(self, cursor: Cursor, got: int) -> tuple[int, str]:
        """(seq, channel) of the newest event up to `got` that is of the reader's subscription; (0, unknown) without."""
        audience = cursor.audience
        if not audience.channels:
            return 0, "unknown"
        before = self._looked.get(cursor)
        after, found = (0, (0, "unknown")) if before is None or before.audience is not audience else before[1:]
        for block in reversed(self._ring.blocks):
            if block.last_seq <= after:
                break
            lo, hi = (max(seq + 1 - block.first_seq, 0) for seq in (after, got))
            there = np.flatnonzero(audience.wants(block.chunk)[block.chunk.stream[lo:hi]])
            if len(there):
                position = lo + int(there[-1])
                found = block.first_seq + position, CHANNELS[int(block.chunk.rank[position])]
                break
        self._looked[cursor] = _Looked(audience, got, found)
        return found

    def _rate(self, arrived: float) -> int:
        """Events that were told in the second before."""
        written = self._left.times[0]
        first, last = bisect_right(written, arrived - 1.0), bisect_right(written, arrived)
        return self._left.seq[last - 1] - self._left.after[first] if last > first else 0


def _ns(seconds: float) -> int:
    return round(seconds * NS)

"""Trading on one session: brings orders to its exchange in session time, and to each account what it has to hear.

What an account hears goes to its connections alone, at once, beside the ring: it is never skipped, and a connection
that does not even take this is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from feedsim.events import Chunk
from feedsim.hub.cursor import Cursor
from feedsim.hub.ring import Ring
from feedsim.playback.lookahead import Lookahead
from feedsim.playback.player import Player
from feedsim.wire.codec import CODECS, SCALE
from feedsim.wire.frames import event_frames, frame
from feedsim.wire.messages import AnyOrder, Error, Private

_replace = msgspec.structs.replace

MAX_WAITING = 512 * 1024  # bytes that a connection may leave unread before it is closed
LEAST_WAIT_S = 0.0002  # a timer that fires early is set again for no less than this


class Exchange(Protocol):
    """Where orders are entered and filled; it knows session time only."""

    @property
    def next_due_ns(self) -> int | None:
        """When something that is delayed is due."""
        ...

    def first_that_matters(self, chunk: Chunk, lo: int, hi: int) -> int:
        """The first event at positions [lo, hi) with which something may happen: to an order, or because it is due; hi
        where there is none."""
        ...

    def open_account(self, account: str) -> None: ...
    def knows(self, account: str) -> bool: ...
    def enter(self, account: str, request: AnyOrder, *, now_ns: int, head_seq: int) -> None: ...
    def on_told(self, chunk: Chunk, lo: int, hi: int) -> None: ...
    def advance(self, now_ns: int) -> None: ...
    def on_idle(self) -> None: ...
    def take(self) -> Sequence[tuple[str, Private | Error]]: ...
    def since(self, account: str, n: int) -> Sequence[Private]: ...
    def cancel_on_disconnect(self, account: str, *, now_ns: int, head_seq: int) -> None: ...
    def on_epoch(self, epoch: int) -> None: ...
    def on_end(self) -> None: ...


def tell_to_news(
    exchange: Exchange, ahead: Lookahead, chunk: Chunk, lo: int, hi: int
) -> tuple[int, list[tuple[str, Private | Error]]]:
    """Tell events at positions [lo, hi) of the current chunk, up to the first after which an account has to hear of
    something or an order has entered the market: what comes behind it may be another then.

    The position behind what was told, which is the look-ahead's too, and what accounts hear.
    """
    while lo < hi:
        until = min(exchange.first_that_matters(chunk, lo, hi) + 1, hi)
        ahead.position = until
        exchange.on_told(chunk, lo, until)
        heard = list(exchange.take())
        if heard or ahead.chunk is not chunk:
            return until, heard
        lo = until
    return hi, []


def _ignore(*_: object) -> None:
    """Where nobody keeps it."""


class Desk:
    """The accounts of one session and the connections that they are reached by."""

    def __init__(self, exchange: Exchange, player: Player, ring: Ring, *, wall_us: Callable[[], int]) -> None:
        self.exchange = exchange
        self._player = player
        self._ring = ring
        self._wall_us = wall_us
        self._cursors: dict[str, set[Cursor]] = {}
        self._heard: list[tuple[str, Private | Error]] = []
        """What the exchange gave while the events that made it were not told yet."""
        self._told_ahead = False
        self._timer: asyncio.TimerHandle | None = None
        self.on_heard: Callable[[str, Private | Error], None] = _ignore
        """Gets what each account hears."""
        player.on_clock, player.on_idle = self._on_clock, exchange.on_idle

    # ------------------------------------------------------------------------------------------ connections

    def knows(self, account: str) -> bool:
        return self.exchange.knows(account)

    def join(self, account: str, cursor: Cursor) -> None:
        """What this account hears goes to this connection too."""
        self._cursors.setdefault(account, set()).add(cursor)

    def leave(self, account: str, cursor: Cursor) -> None:
        """A connection is gone; with the last one go the open orders of an account that asked for that."""
        cursors = self._cursors.get(account, set())
        cursors.discard(cursor)
        if not cursors:
            self._cursors.pop(account, None)
            if self.exchange.knows(account):
                now_ns, head_seq = self._player.session_ns, self._ring.head
                self.exchange.cancel_on_disconnect(account, now_ns=now_ns, head_seq=head_seq)
                self._deliver()

    def tell_again(self, account: str, cursor: Cursor, after_n: int) -> None:
        """Everything that the account heard after its n-th event; a request's number meant something to the line that
        is gone only."""
        again = self.exchange.since(account, after_n)
        self._write(cursor, [_replace(event, id=None) if hasattr(event, "id") else event for event in again])

    def enter(self, account: str, request: AnyOrder) -> None:
        """An operation of a client, at the session's time."""
        self.exchange.open_account(account)
        self.exchange.enter(account, request, now_ns=self._player.session_ns, head_seq=self._ring.head)
        self._deliver()

    # ------------------------------------------------------------------------------------------ the session

    def on_told(self, chunk: Chunk, lo: int, hi: int) -> None:
        """These events were told: what they fill, and what was due before them, is told after them."""
        if not self._told_ahead:
            self.exchange.on_told(chunk, lo, hi)
        self._told_ahead = False
        self._deliver()

    def tell_ahead(self, chunk: Chunk, lo: int, hi: int) -> int:
        """Give the exchange events that are about to be told, as `tell_to_news`; the position behind the last."""
        self._told_ahead = True
        until, heard = tell_to_news(self.exchange, self._player.lookahead, chunk, lo, hi)
        self._heard += heard
        return until

    @property
    def has_news(self) -> bool:
        """Whether an account will hear of something once what is about to be told is told."""
        return bool(self._heard)

    def advance(self, now_ns: int) -> None:
        """The clock is here, and nothing else was told."""
        self.exchange.advance(now_ns)
        self._deliver()

    def on_epoch(self, epoch: int) -> None:
        self.exchange.on_epoch(epoch)
        self._deliver()

    def on_end(self) -> None:
        self.exchange.on_end()
        self._deliver()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------------------------------------ delays

    def _on_clock(self) -> None:
        """The clock was stopped, started or runs at another speed."""
        self.close()
        self._arm()

    def _arm(self) -> None:
        """Be there when what is delayed is due, unless an event comes before."""
        due_ns, clock = self.exchange.next_due_ns, self._player.clock
        if due_ns is None or clock.paused or clock.unpaced or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = clock.deadline(due_ns) - self._player.pacer.now()
        self._timer = loop.call_later(max(wait_s, LEAST_WAIT_S), self._on_timer, due_ns)

    def _on_timer(self, due_ns: int) -> None:
        self._timer = None
        if self._player.session_ns >= due_ns:
            self.exchange.advance(self._player.session_ns)
        self._deliver()

    # ------------------------------------------------------------------------------------------ telling

    def _deliver(self) -> None:
        heard = self.exchange.take()
        if self._heard:
            heard, self._heard = [*self._heard, *heard], []
        by_account: dict[str, list[Private | Error]] = {}
        for account, message in heard:
            self.on_heard(account, message)
            by_account.setdefault(account, []).append(message)
        for account, messages in by_account.items():
            for cursor in tuple(self._cursors.get(account, ())):
                self._write(cursor, messages)
        if self.exchange.next_due_ns is not None:
            self._arm()

    def _write(self, cursor: Cursor, messages: Sequence[Private | Error]) -> None:
        sink, encoding = cursor.sink, cursor.audience.encoding
        if sink.buffered() > MAX_WAITING:
            sink.close(1008, "too slow: it does not even take what its account has to hear")
            return
        encode, scale, shift = CODECS[encoding].encode, SCALE[cursor.audience.subscription.ts], self._ring.shift_ns
        data: list[bytes] = []
        items: list[bytes] = []
        for message in messages:
            if isinstance(message, Private):
                items.append(encode(_replace(message, ts=(message.ts + shift) // scale)))
                continue
            if items:
                data.append(event_frames(items, self._wall_us(), encoding))
                items = []
            data.append(frame(encode(message), encoding))
        if items:
            data.append(event_frames(items, self._wall_us(), encoding))
        sink.write(b"".join(data))

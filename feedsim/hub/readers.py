"""The readers of one session: who gets what, and the hot path that gives it to all who are up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from feedsim.errors import ProtocolError, ResumeError
from feedsim.hub.audience import MAX_BUFFERED, Audience
from feedsim.hub.backlog import Backlog
from feedsim.hub.counters import Counters
from feedsim.hub.cursor import Cursor, Sink
from feedsim.hub.reactions import Stopwatch
from feedsim.hub.ring import Block, Ring
from feedsim.wire.codec import CODECS, SUBPROTOCOLS, Encoding
from feedsim.wire.frames import frame
from feedsim.wire.protocol import Subscription

MAX_FORMS = 12  # ways of writing an event (encoding, time unit, depth) that one session pays for
STALL_S = 30.0  # a client that the clock waits for and that takes nothing for this long is disconnected


class Readers:
    """Cursors by audience. Per wake-up an audience frames once, and each of its clients gets one write."""

    def __init__(
        self,
        ring: Ring,
        backlog: Backlog,
        *,
        wall_us: Callable[[], int],
        counters: Counters,
        stopwatch: Stopwatch,
    ) -> None:
        self._ring = ring
        self._backlog = backlog
        self._wall_us = wall_us
        self._counters = counters
        self._stopwatch = stopwatch
        self._audiences: dict[tuple[Subscription, Encoding], Audience] = {}
        self._cursors: set[Cursor] = set()

    def __len__(self) -> int:
        return len(self._cursors)

    def positions(self) -> list[int]:
        """The last seq that each reader has got."""
        return [cursor.seq for cursor in self._cursors]

    # ----------------------------------------------------------------------------------------------- coming and going

    def attach(self, sink: Sink, encoding: Encoding, subscription: Subscription) -> Cursor:
        """A new reader, from now on."""
        cursor = Cursor(sink, self._audience(subscription, encoding), self._ring.head)
        cursor.audience.enter(cursor)
        sink.on_closing = cursor.step_aside
        self._cursors.add(cursor)
        return cursor

    def detach(self, cursor: Cursor) -> None:
        """A reader is gone; nothing happens where it was before."""
        if not cursor.closed:
            cursor.closed = True
            self._cursors.discard(cursor)
            self._leave(cursor)
            self._stopwatch.leave(cursor)

    def subscribe(self, cursor: Cursor, subscription: Subscription, *, from_seq: int | None) -> None:
        """Another subscription: live and with a snapshot, or after `from_seq` without loss.

        A seq ahead of the head is waited for: the session began again. Nothing is written before `follow`.
        Raises ResumeError for a seq that cannot be served, ProtocolError for one form too many.
        """
        if from_seq is not None and from_seq < self._backlog.oldest:
            first, last = self._backlog.oldest, self._ring.head
            message = f"epoch {self._ring.epoch} can be told after seq {first} at the earliest, not {from_seq}"
            raise ResumeError(message, first=first, last=last)
        self.narrow(cursor, subscription)
        self.prepare()
        if from_seq is None:
            cursor.wants_snapshot = True
            cursor.seq = min(cursor.seq, self._ring.head)  # what was ahead is not waited for any more
        else:
            cursor.seq, cursor.lost, cursor.wants_snapshot = from_seq, {}, False

    def narrow(self, cursor: Cursor, subscription: Subscription) -> None:
        """Another subscription from where the reader is, with no streams that it did not have."""
        audience = self._audience(subscription, cursor.audience.encoding)
        if audience is not cursor.audience:  # else the last one to leave it would end it
            self._leave(cursor)
            audience.enter(cursor)

    def follow(self, cursor: Cursor) -> None:
        """Deliver what `subscribe` promised, once its answer was written."""
        if cursor.seq < self._ring.head:
            self._backlog.bring_on(cursor)
        elif not cursor.catching_up:
            self._backlog.settle(cursor)

    def _audience(self, subscription: Subscription, encoding: Encoding) -> Audience:
        key = (subscription, encoding)
        if key not in self._audiences:
            audience = Audience(subscription, encoding)
            paid = {other.form for other in self._audiences.values() if other.channels}
            if audience.channels and len(paid | {audience.form}) > MAX_FORMS:
                raise ProtocolError("limit_exceeded", f"more than {MAX_FORMS} combinations of encoding, ts and depth")
            self._audiences[key] = audience
        return self._audiences[key]

    def _leave(self, cursor: Cursor) -> None:
        audience = cursor.audience
        audience.leave(cursor)
        if not audience:
            self._audiences.pop((audience.subscription, audience.encoding), None)

    # -------------------------------------------------------------------------------------------------- the hot path

    def prepare(self, block: Block | None = None) -> None:
        """Encode a block (or all that are waiting) for those who are here, before it is due."""
        blocks = [block] if block is not None else [b for b in self._ring.blocks if b.last_seq > self._ring.head]
        for audience in self._audiences.values():
            for waiting in blocks:
                audience.prepare(waiting)

    def publish(self, block: Block, lo: int, hi: int) -> None:
        """Positions [lo, hi) of a block are due: they become the head, and go to every reader that is up to date."""
        before = self._ring.head
        head = self._ring.head = block.first_seq + hi - 1
        sent_us = self._wall_us()
        for audience in self._audiences.values():
            if audience.subscription.conflate_ms:
                self._flush_later(audience)
                continue
            count, data = audience.framed(block, lo, hi, sent_us)
            written = audience.pour(data, head)
            if audience.aside:
                written += self._write_aside(audience, data, before, head)
            if data and written:
                self._counters.on_sent(written * count, written * len(data))

    def _write_aside(self, audience: Audience, data: bytes, before: int, head: int) -> int:
        """The same for those that have to be looked at; to how many of them it was written."""
        written, size = 0, len(data)
        for cursor in tuple(audience.aside):
            if cursor.seq != before or cursor.catching_up:
                if before < cursor.seq < head:  # it resumed ahead of a session that began again
                    self._backlog.bring_on(cursor)
                continue
            waiting = cursor.sink.buffered()
            if size:
                if waiting:
                    self._stopwatch.on_undrained(cursor)
                if waiting + size > MAX_BUFFERED:
                    self._backlog.bring_on(cursor)
                    continue
                cursor.sink.write(data)
                written += 1
            cursor.seq = head
            if not waiting and not self._stopwatch.minds(cursor):
                audience.let_flow(cursor)
        return written

    def drop_old(self) -> None:
        """Keep the ring within its bytes; who had not got what goes loses it by the policy that it chose."""
        for block in self._ring.overfull():
            for cursor in [c for c in self._cursors if self._backlog.loses(c, block)]:
                if cursor.audience.subscription.policy == "disconnect":
                    self._disconnect(cursor, "too slow")
            self._backlog.drop(block, list(self._cursors))

    def end_epoch(self) -> None:
        self.flush()
        self._backlog.end_epoch(list(self._cursors))

    # ----------------------------------------------------------------------------------------------------- conflation

    def _flush_later(self, audience: Audience) -> None:
        if not audience.flush_due:
            audience.flush_due = True
            delay_s = audience.subscription.conflate_ms / 1000
            asyncio.get_running_loop().call_later(delay_s, self._flush_audience, audience)

    def flush(self) -> None:
        """Send what conflation holds back."""
        for audience in self._audiences.values():
            if audience.flush_due:
                self._flush_audience(audience)

    def _flush_audience(self, audience: Audience) -> None:
        audience.flush_due = False
        framed: dict[int, tuple[int, bytes]] = {}
        for cursor in tuple(audience.aside):
            if cursor.catching_up or cursor.seq >= self._ring.head:
                continue
            if cursor.seq not in framed:
                items = audience.conflate(self._ring, cursor.seq)
                framed[cursor.seq] = len(items), audience.frames(items, self._wall_us())
            count, data = framed[cursor.seq]
            if cursor.sink.buffered() + len(data) > MAX_BUFFERED:
                self._backlog.bring_on(cursor)
                continue
            if data:
                cursor.sink.write(data)
                self._counters.on_sent(count, len(data))
                self._stopwatch.on_written_to(cursor, cursor.seq, self._ring.head)
            cursor.seq = self._ring.head
            self._backlog.settle(cursor)

    # ------------------------------------------------------------------------------------------- pace and messages

    @property
    def some_wait(self) -> bool:
        """Whether the session has to wait for any reader."""
        return any(audience.subscription.policy == "wait" for audience in self._audiences.values())

    async def ready(self) -> None:
        """Return when every reader that may hold the session up can take more."""
        for cursor in [c for c in self._cursors if c.audience.subscription.policy == "wait"]:
            try:
                async with asyncio.timeout(STALL_S):
                    while not cursor.closed and (cursor.catching_up or cursor.sink.buffered() > MAX_BUFFERED // 4):
                        await cursor.sink.drain()
                        await asyncio.sleep(0)
            except TimeoutError:
                self._disconnect(cursor, "the session waited too long for this client")
            except ConnectionError:
                self.detach(cursor)

    def disconnect_all(self, code: int, reason: str) -> None:
        for cursor in list(self._cursors):
            cursor.sink.close(code, reason)
            self.detach(cursor)

    def _disconnect(self, cursor: Cursor, reason: str) -> None:
        cursor.sink.close(1008, reason)
        self.detach(cursor)

    def tell(self, cursor: Cursor, message: msgspec.Struct) -> None:
        """A message to one reader, once it has got everything that was published."""
        if cursor.catching_up or cursor.seq < self._ring.head:
            cursor.waiting.append(message)
        else:
            self._backlog.send(cursor, message)

    def broadcast(self, message: msgspec.Struct, *, after_events: bool, may_drop: bool = False) -> None:
        """A message to all, encoded once: at once, or for readers that are behind when they have caught up.

        `may_drop`: those whose buffers are full can do without it.
        """
        framed: dict[Encoding, bytes] = {
            encoding: frame(CODECS[encoding].encode(message), encoding) for encoding in SUBPROTOCOLS.values()
        }
        for cursor in list(self._cursors):
            data = framed.get(cursor.audience.encoding)
            if data is None:
                continue
            if cursor.sink.buffered() > 2 * MAX_BUFFERED:
                self._disconnect(cursor, "too slow: it does not even take what must be said")
            elif after_events and (cursor.catching_up or cursor.seq < self._ring.head):
                cursor.waiting.append(message)
            elif not may_drop or cursor.sink.buffered() + len(data) <= MAX_BUFFERED:
                cursor.sink.write(data)

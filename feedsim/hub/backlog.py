"""Readers that are behind: brought on from the ring, or from the tape read again, or told exactly what they lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from feedsim.hub.counters import Counters
from feedsim.hub.cursor import Cursor
from feedsim.hub.memory import Latest
from feedsim.hub.reactions import Stopwatch
from feedsim.hub.ring import Block, Ring
from feedsim.hub.tasks import Tasks
from feedsim.playback.tape import Checkpoint, Tape
from feedsim.wire.codec import CODECS, SCALE, SUBPROTOCOLS
from feedsim.wire.frames import frame
from feedsim.wire.messages import AnyEvent, Skipped, Snapshot

READ_AGAIN_ROWS = 1000
READ_AGAIN_PART = 200  # of these leave in one write


class Backlog:
    """Brings cursors from where they are to the head, each in a task of its own, as fast as its client takes it."""

    def __init__(
        self,
        ring: Ring,
        *,
        make_tape: Callable[[], Tape],
        checkpoints: Callable[[], list[Checkpoint]],
        wall_us: Callable[[], int],
        counters: Counters,
        stopwatch: Stopwatch,
    ) -> None:
        """`checkpoints` gives the places of the ring's epoch from which the tape can be read again."""
        self._ring = ring
        self._make_tape = make_tape
        self._checkpoints = checkpoints
        self._wall_us = wall_us
        self._counters = counters
        self._stopwatch = stopwatch
        self._latest = Latest()
        self._tasks = Tasks("feedsim catch up")

    @property
    def oldest(self) -> int:
        """The lowest seq after which everything can still be told."""
        return min([*(point.seq for point in self._checkpoints()), self._ring.first_seq - 1])

    async def stop(self) -> None:
        await self._tasks.stop()

    # --------------------------------------------------------------------------------------------------- bringing on

    def bring_on(self, cursor: Cursor) -> None:
        """Let a cursor catch up; until it has, nobody else writes events to it."""
        if not cursor.catching_up:
            cursor.catching_up = True
            self._tasks.start(self._bring_on(cursor))

    async def _bring_on(self, cursor: Cursor) -> None:
        ring = self._ring
        try:
            while not cursor.closed and cursor.seq < ring.head:
                await cursor.sink.drain()
                if cursor.lost:
                    self._skip_ahead(cursor)
                elif cursor.seq + 1 < ring.first_seq:
                    await self._read_again(cursor)
                else:
                    self._write_from_ring(cursor)
                await asyncio.sleep(0)
        except ConnectionError:
            return  # whoever owns the connection detaches the cursor
        finally:
            cursor.catching_up = False
        self.settle(cursor)

    def settle(self, cursor: Cursor) -> None:
        """A cursor is at the head: give it the snapshot and the messages that had to wait for that."""
        if cursor.closed:
            return
        if cursor.wants_snapshot:
            self._send_snapshot(cursor)
        waiting, cursor.waiting = cursor.waiting, []
        for message in waiting:
            self.send(cursor, message)

    def _write_from_ring(self, cursor: Cursor) -> None:
        audience = cursor.audience
        if audience.subscription.conflate_ms:
            items, reached = audience.conflate(self._ring, cursor.seq), self._ring.head
        else:
            items, reached = audience.collect(self._ring, cursor.seq)
        self._write_items(cursor, items, reached)

    async def _read_again(self, cursor: Cursor) -> None:
        """What the ring has dropped, from the tape of the same source, up to where the ring begins."""
        ring, epoch = self._ring, self._ring.epoch
        tape = self._make_tape()
        try:
            tape.restore(max((p for p in self._checkpoints() if p.seq <= cursor.seq), key=lambda point: point.seq))
            while cursor.seq + 1 < ring.first_seq:
                chunk = tape.advance(READ_AGAIN_ROWS)
                assert chunk is not None
                block = Block(chunk, shift_ns=ring.shift_ns)
                while cursor.seq < min(chunk.last_seq, ring.head):
                    await cursor.sink.drain()
                    if cursor.closed or ring.epoch != epoch:
                        return
                    self._write_part(cursor, block)
                await asyncio.sleep(0)
        finally:
            tape.close()

    def _write_part(self, cursor: Cursor, block: Block) -> None:
        lo = cursor.seq + 1 - block.first_seq
        hi = min(lo + READ_AGAIN_PART, len(block.chunk), self._ring.head + 1 - block.first_seq)
        self._write_items(cursor, cursor.audience.items(block, lo, hi), block.first_seq + hi - 1)

    def _write_items(self, cursor: Cursor, items: list[bytes], reached: int) -> None:
        if items:
            data = cursor.audience.frames(items, self._wall_us())
            cursor.sink.write(data)
            self._counters.on_sent(len(items), len(data))
            self._stopwatch.on_written_to(cursor, cursor.seq, reached)
        cursor.seq = reached

    # ------------------------------------------------------------------------------------------------ what gets lost

    def loses(self, cursor: Cursor, block: Block) -> bool:
        """Whether a reader would lose what a block has, were it dropped: not if it is being told from the tape."""
        resumes = cursor.catching_up and cursor.seq + 1 < block.first_seq and not cursor.lost
        return cursor.seq < block.last_seq and not resumes

    def drop(self, block: Block, cursors: list[Cursor]) -> None:
        """The ring has dropped a block: who had not got it loses it, unless it is being told from the tape again."""
        self._latest.on_drop(block, self._ring)
        for cursor in cursors:
            if self.loses(cursor, block):
                self._note_lost(cursor, block)
                cursor.seq = block.last_seq
                self.bring_on(cursor)

    def end_epoch(self, cursors: list[Cursor]) -> None:
        """Nothing of this epoch will be kept: name what each reader has not got of it."""
        for cursor in cursors:
            if cursor.seq < self._ring.head:
                self._note_lost_in_ring(cursor)
                self._write_skipped(cursor)
            cursor.seq, cursor.lost, cursor.departures = 0, {}, None
        self._latest.clear()

    def _note_lost(self, cursor: Cursor, block: Block) -> None:
        """Remember the first missing n of each stream that the reader has not got in a block."""
        wanted = cursor.audience.wants(block.chunk)
        last = min(self._ring.head + 1 - block.first_seq, len(block.chunk))
        for at in range(max(cursor.seq + 1 - block.first_seq, 0), last):
            stream = int(block.chunk.stream[at])
            if wanted[stream] and stream not in cursor.lost:
                cursor.lost[stream] = int(block.chunk.n[at])

    def _note_lost_in_ring(self, cursor: Cursor) -> None:
        for block in self._ring.blocks:
            if block.last_seq > cursor.seq:
                self._note_lost(cursor, block)

    def _skip_ahead(self, cursor: Cursor) -> None:
        """Name everything from the first loss to now as skipped, then go on live with a snapshot."""
        self._note_lost_in_ring(cursor)
        self._write_skipped(cursor)
        cursor.seq = self._ring.head
        self._send_snapshot(cursor)

    def _write_skipped(self, cursor: Cursor) -> None:
        keys = self._ring.blocks[-1].chunk.streams.keys
        counts = self._latest.counts(self._ring)
        for stream in sorted(cursor.lost):
            key = keys[stream]
            first, last = cursor.lost[stream], counts[stream]
            name = [key.channel, key.symbol, key.tf_s] if key.tf_s else [key.channel, key.symbol]
            self.send(cursor, Skipped(stream=name, first_n=first, last_n=last, reason="slow_consumer"))
            self._counters.on_skipped(last - first + 1)
        cursor.lost = {}

    def _send_snapshot(self, cursor: Cursor) -> None:
        cursor.wants_snapshot = False
        if cursor.audience.encoding not in SUBPROTOCOLS.values():
            return
        subscription = cursor.audience.subscription
        events = self._latest.events(
            self._ring, subscription.wants, scale=SCALE[subscription.ts], depth=subscription.depth
        )
        self.send(
            cursor, Snapshot(epoch=self._ring.epoch, seq=self._ring.head, events=cast("Sequence[AnyEvent]", events))
        )

    def send(self, cursor: Cursor, message: msgspec.Struct) -> None:
        encoding = cursor.audience.encoding
        cursor.sink.write(frame(CODECS[encoding].encode(message), encoding))

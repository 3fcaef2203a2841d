"""The clients with one encoding and one subscription: what they get is chosen and framed once for all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from feedsim.events import Chunk, Streams
from feedsim.hub.cursor import Cursor
from feedsim.hub.ring import Block, Ring
from feedsim.wire.codec import Encoding
from feedsim.wire.frames import MAX_BYTES, MAX_EVENTS, event_frames, joined_frame
from feedsim.wire.protocol import Subscription

CONFLATED = ("l1", "l2")
MAX_BUFFERED = 256 * 1024  # bytes that one client may have waiting; what does not fit stays in the ring
PART = 50  # events by which a frame's worth is measured out


class Audience:
    """Chooses and frames for its cursors, and writes to those that flow.

    A cursor flows while it is at the head and its connection took everything at the last look. What is written between
    two looks is bounded, so that nobody's buffer has to be asked for at each write; all others are `aside`.
    """

    def __init__(self, subscription: Subscription, encoding: Encoding) -> None:
        self.subscription = subscription
        self.encoding = encoding
        self.form = subscription.form(encoding)
        self.channels = frozenset(channel for channel, _ in subscription.streams)
        self.aside: set[Cursor] = set()
        self.flowing: dict[Cursor, Callable[[bytes], None]] = {}
        """And what to write with."""
        self.head = 0
        """The seq up to which all who flow have got everything."""
        self._unseen = 0
        """Bytes that each of them was given since the last look."""
        self.flush_due = False
        """With conflation: a timer will send what waits."""
        self._most = MAX_EVENTS  # that are encoded together: as many as fit a frame
        self._streams: Streams | None = None
        self._wanted = np.empty(0, np.bool_)
        self._chosen: tuple[Block | None, list[int] | None] = (None, None)

    # ------------------------------------------------------------------------------------------------ who is here

    def __len__(self) -> int:
        return len(self.aside) + len(self.flowing)

    def enter(self, cursor: Cursor) -> None:
        cursor.audience = self
        self.aside.add(cursor)

    def leave(self, cursor: Cursor) -> None:
        self.set_aside(cursor)
        self.aside.discard(cursor)

    def set_aside(self, cursor: Cursor) -> None:
        """It has to be looked at from now on."""
        if cursor in self.flowing:
            cursor._seq = self.head  # its other half
            del self.flowing[cursor]
            self.aside.add(cursor)

    def let_flow(self, cursor: Cursor) -> None:
        """It is where all are who flow, and its connection has taken everything but what this wake-up brought."""
        self.aside.discard(cursor)
        self.flowing[cursor] = cursor.sink.write

    def pour(self, data: bytes, head: int) -> int:
        """Give all who flow what takes them to `head`; how many they are."""
        size = len(data)
        if self._unseen + size > MAX_BUFFERED // 8:
            self._look(size)
        if size:
            self._unseen += size
            for write in self.flowing.values():
                write(data)
        self.head = head
        return len(self.flowing)

    def _look(self, size: int) -> None:
        """Set aside whose connection has not taken all, and all for whom so much is too much at once."""
        for cursor in list(self.flowing):
            if size > MAX_BUFFERED or cursor.sink.buffered():
                self.set_aside(cursor)
        self._unseen = 0

    # --------------------------------------------------------------------------------------------- what they get

    def wants(self, chunk: Chunk) -> npt.NDArray[np.bool_]:
        """Which of the epoch's streams these clients get, by stream number."""
        if self._streams is not chunk.streams or len(self._wanted) < len(chunk.streams):
            self._streams = chunk.streams
            self._wanted = np.array([self.subscription.wants(key) for key in chunk.streams.keys], np.bool_)
        return self._wanted

    def positions(self, block: Block) -> list[int] | None:
        """The positions in a block that these clients get; None for all of them."""
        if self._chosen[0] is not block:
            mask = self.wants(block.chunk)[block.chunk.stream]
            self._chosen = (block, None if bool(mask.all()) else np.flatnonzero(mask).tolist())
        return self._chosen[1]

    def prepare(self, block: Block) -> None:
        """Encode a block before it is due."""
        block.encode(self.form, self.channels)

    def items(self, block: Block, lo: int, hi: int) -> list[bytes]:
        """The encoded events of positions [lo, hi) that these clients get."""
        encoded = block.encode(self.form, self.channels)
        positions = self.positions(block)
        if positions is None:
            return encoded[lo:hi]
        return [encoded[at] for at in positions[bisect_left(positions, lo) : bisect_left(positions, hi)]]

    def framed(self, block: Block, lo: int, hi: int, sent_us: int) -> tuple[int, bytes]:
        """How many events of positions [lo, hi) these clients get, and their frames."""
        apart = self.encoding == "lines" or not self.subscription.batch
        if apart or self.form in block.items or self.positions(block) is not None:
            items = self.items(block, lo, hi)
            return len(items), self.frames(items, sent_us)
        most, parts = self._most, []
        for start in range(lo, hi, most):
            joined = block.together(self.form, start, min(start + most, hi))
            if len(joined) > MAX_BYTES and most > 1:
                self._most = most // 2
                return self.framed(block, lo, hi, sent_us)
            parts.append(joined_frame(joined, sent_us, self.encoding))
            if 4 * len(joined) < MAX_BYTES and most < MAX_EVENTS:
                self._most = min(2 * most, MAX_EVENTS)
        return hi - lo, b"".join(parts)

    def frames(self, items: list[bytes], sent_us: int) -> bytes:
        """Encoded events ready to be written; empty where there are none."""
        return event_frames(items, sent_us, self.encoding, batch=self.subscription.batch) if items else b""

    def collect(self, ring: Ring, after: int) -> tuple[list[bytes], int]:
        """Published events after a seq, at most a frame's worth, and the seq that they reach."""
        items: list[bytes] = []
        reached, size = after, 0
        while reached < ring.head and len(items) <= MAX_EVENTS - PART and size < MAX_BYTES // 2:
            block = ring.find(reached + 1)
            if block is None:
                break
            lo = reached + 1 - block.first_seq
            hi = min(lo + PART, ring.head + 1 - block.first_seq, len(block.chunk))
            part = self.items(block, lo, hi)
            items += part
            size += sum(map(len, part))
            reached = block.first_seq + hi - 1
        return items, reached

    def conflate(self, ring: Ring, after: int) -> list[bytes]:
        """Published events after a seq without the l1 and l2 that a later one of their stream replaces."""
        kept: list[bytes] = []
        newest: set[int] = set()
        reached = ring.head
        while reached > after:
            block = ring.find(reached)
            if block is None:
                break
            encoded = block.encode(self.form, self.channels)
            wanted = self.wants(block.chunk)
            chunk = block.chunk
            for at in range(reached - block.first_seq, max(after - block.first_seq, -1), -1):
                stream = int(chunk.stream[at])
                if wanted[stream] and stream not in newest:
                    kept.append(encoded[at])
                    if chunk.streams.keys[stream].channel in CONFLATED:
                        newest.add(stream)
            reached = block.first_seq - 1
        return kept[::-1]

"""The newest part of a session, bounded in bytes: chunks, and each chunk's events in the forms that clients want."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from feedsim.events import CHANNELS, Chunk, Event
from feedsim.wire.codec import CODECS, SCALE, Form

# What CPython adds to the payload of one bytes object in a list: header, terminating zero and the pointer.
ITEM_OVERHEAD = 41


class Block:
    """One chunk and its encoded events. Only what an audience asked for is encoded, once for each form."""

    __slots__ = ("_done", "_events", "_together", "chunk", "items", "nbytes", "shift_ns")

    def __init__(self, chunk: Chunk, *, shift_ns: int = 0) -> None:
        self.chunk = chunk
        self.shift_ns = shift_ns
        """Added to all times on the wire (rebase)."""
        self.items: dict[Form, list[bytes]] = {}
        """By position in the chunk; empty bytes where the channel was not asked for yet."""
        self._done: dict[Form, set[str]] = {}
        self._events: tuple[tuple[str, int], list[Event]] | None = None
        self._together: dict[Form, tuple[int, int, bytes]] = {}
        self.nbytes = chunk.nbytes

    @property
    def first_seq(self) -> int:
        return self.chunk.first_seq

    @property
    def last_seq(self) -> int:
        return self.chunk.last_seq

    def encode(self, form: Form, channels: frozenset[str]) -> list[bytes]:
        """The events in a form, by position; those of other channels may be empty."""
        items = self.items.get(form)
        if items is None:
            items = self.items[form] = [b""] * len(self.chunk)
            self._done[form] = set()
            self.nbytes += 8 * len(items)
        done = self._done[form]
        for channel in CHANNELS:
            if channel in channels and channel not in done and channel in self.chunk.tables:
                done.add(channel)
                self._encode_channel(form, channel, items)
        return items

    def together(self, form: Form, lo: int, hi: int) -> bytes:
        """All events of positions [lo, hi) as one encoded list, kept until the next is asked for.

        Cheaper than one by one where nothing was encoded ahead of its time and all is wanted.
        """
        last = self._together.get(form)
        if last is None or last[:2] != (lo, hi):
            events = self._structs(form)[lo:hi]
            last = self._together[form] = (lo, hi, CODECS[form.encoding].encode_together(events))
        return last[2]

    def _structs(self, form: Form) -> list[Event]:
        """All events; those of the last form are kept while its parts are asked for."""
        key = (form.ts, form.depth)
        if self._events is None or self._events[0] != key:
            events = self.chunk.events(scale=SCALE[form.ts], shift_ns=self.shift_ns, depth=form.depth)
            self._events = (key, events)
        return self._events[1]

    def forget_together(self) -> None:
        """All of it is published: whoever asks from now on is late, and gets the events one by one."""
        self._events = None
        self._together.clear()

    def _encode_channel(self, form: Form, channel: str, items: list[bytes]) -> None:
        part = self.chunk.tables[channel]
        events = part.events(scale=SCALE[form.ts], shift_ns=self.shift_ns, depth=form.depth)
        encoded = CODECS[form.encoding].encode_events(events)
        if len(part) == len(items):
            items[:] = encoded
        else:
            for position, item in zip((part.seq - self.first_seq).tolist(), encoded, strict=True):
                items[position] = item
        self.nbytes += sum(map(len, encoded)) + ITEM_OVERHEAD * len(encoded)


class Ring:
    """Blocks by seq. What was published last is kept within `max_bytes`; what is not published yet is always kept."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.blocks: deque[Block] = deque()
        self.epoch = 1
        self.head = 0
        """The last seq that was published in this epoch."""
        self.shift_ns = 0
        """Added to the wire's times of the blocks to come."""

    @property
    def first_seq(self) -> int:
        """The oldest seq that is still here; head + 1 where nothing is."""
        return min(self.blocks[0].first_seq, self.head + 1) if self.blocks else self.head + 1

    @property
    def nbytes(self) -> int:
        return sum(block.nbytes for block in self.blocks)

    def add(self, chunk: Chunk) -> Block:
        """The next chunk, ahead of its time."""
        block = Block(chunk, shift_ns=self.shift_ns)
        self.blocks.append(block)
        return block

    def cut_off(self, seq: int) -> None:
        """Forget the blocks from the one that begins at or has this seq on: they will be added anew."""
        while self.blocks and self.blocks[-1].last_seq >= seq:
            self.blocks.pop()

    def restart(self, epoch: int) -> None:
        """A new epoch: nothing of the old one is kept."""
        self.epoch = epoch
        self.blocks.clear()
        self.head = 0

    def find(self, seq: int) -> Block | None:
        """The block that has `seq`."""
        for block in reversed(self.blocks):
            if block.first_seq <= seq:
                return block if seq <= block.last_seq else None
        return None

    def overfull(self) -> Iterator[Block]:
        """Take out the oldest blocks, all published, until the rest fits; the newest published one always stays."""
        excess = self.nbytes - self.max_bytes
        while excess > 0 and len(self.blocks) > 1 and self.blocks[0].last_seq < self.head:
            block = self.blocks.popleft()
            excess -= block.nbytes
            yield block

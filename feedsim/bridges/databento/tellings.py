"""The blocks of a session as DBN records: told once for all clients, or again for one that is behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

import numpy as np

from feedsim.dbn.before import Before
from feedsim.dbn.listing import Listing
from feedsim.dbn.records import Part, Scene, parts
from feedsim.dbn.resting import Resting
from feedsim.dbn.weaving import Woven
from feedsim.hub.ring import Block
from feedsim.hub.session import Session

SKIPPED = ("mbp-1", "mbp-10", "bbo-1s", "bbo-1m")
"""Schemas of which a slow reader may miss records: each tells the whole state."""
KEPT_BLOCKS = 3  # whose records are kept ready
READ_AGAIN_ROWS = 1000
PIECE = 200  # events that are told at once to a client that is behind


class Wanted(NamedTuple):
    """What a client gets: symbols' codes by schema, sorted; and whether records have their time of sending."""

    schemas: tuple[tuple[str, tuple[int, ...]], ...] = ()
    stamped: bool = False

    def with_(self, schema: str, codes: tuple[int, ...]) -> Wanted:
        """This and some more."""
        by_schema = dict(self.schemas)
        by_schema[schema] = tuple(sorted({*by_schema.get(schema, ()), *codes}))
        return Wanted(tuple(sorted(by_schema.items())), self.stamped)

    def split(self) -> tuple[Wanted, Wanted]:
        """What must not be lost, and what a slow reader may miss."""
        kept = tuple(item for item in self.schemas if item[0] not in SKIPPED)
        skipped = tuple(item for item in self.schemas if item[0] in SKIPPED)
        return Wanted(kept, self.stamped), Wanted(skipped, self.stamped)


class Piece(NamedTuple):
    """Positions [lo, hi) of a block that was found or read again."""

    block: Block
    before: Before
    lo: int
    hi: int


class Tellings:
    """Makes records of a session's blocks, and finds blocks that were told before."""

    def __init__(self, session: Session, listing: Listing) -> None:
        self._session = session
        self.listing = listing
        self._nothing = Before.nothing(len(listing.instruments))
        self._before: dict[int, tuple[int, Before]] = {1: (0, self._nothing)}
        """By the seq of the event that comes next, with the first seq of the block before it: of the ring's blocks, and
        of places to read again from."""
        self._made: dict[int, tuple[Block, Scene, dict[str, list[Part]]]] = {}
        """Records of the newest blocks, by first seq."""
        self._has_orders = "mbo" in session.tape.channels
        self._resting: tuple[Block | None, Resting] = (None, Resting())
        """The block that was told last, and the orders that rested before it."""

    # ------------------------------------------------------------------------------------------------- being told

    def take(self, block: Block) -> None:
        """A block is told: what is behind it can be told then."""
        after = block.last_seq + 1
        if self._before.get(after, (-1, None))[0] != block.first_seq:
            self._before[after] = (block.first_seq, self.before(block.first_seq).after(block.chunk))
            if len(self._before) > 2 * len(self._session.ring.blocks) + 64:
                self._forget()
        if self._has_orders and self._resting[0] is not block:
            self._resting = (block, self._rested(block.first_seq))

    def resting(self) -> Resting:
        """The orders that rest at the head."""
        return self._rested(self._session.ring.head + 1)

    def _rested(self, seq: int) -> Resting:
        """The orders that rest before an event of the block that was told last, or of the next."""
        block, before = self._resting
        if block is None or "mbo" not in block.chunk.tables:
            return before
        rows = block.chunk.rows_within("mbo", 0, min(seq - block.first_seq, len(block.chunk)))
        return before.after(block.chunk.tables["mbo"].table.take(rows))

    def restart(self) -> None:
        self._before = {1: (0, self._nothing)}
        self._made.clear()
        self._resting = (None, Resting())

    def before(self, seq: int) -> Before:
        """The state before an event that begins a block, or a place to read again from."""
        known = self._before.get(seq)
        if known is not None:
            return known[1]
        # What was read ahead has been made again: it begins where no block did.
        block = self._session.ring.find(seq - 1)
        if block is None:
            return self._nothing
        return self.before(block.first_seq).after(block.chunk.part(0, seq - block.first_seq))

    def _forget(self) -> None:
        places = {1, *(point.seq + 1 for point in self._session.checkpoints())}
        oldest = self._session.ring.first_seq
        self._before = {seq: state for seq, state in self._before.items() if seq >= oldest or seq in places}

    # --------------------------------------------------------------------------------------------------- telling

    def weave(self, block: Block, wanted: Wanted) -> Woven:
        """What a block of the ring tells; its records are made once for all who want them."""
        known = self._made.get(block.first_seq)
        if known is None or known[0] is not block:
            known = self._made[block.first_seq] = (block, self._scene(block, self.before(block.first_seq)), {})
            while len(self._made) > KEPT_BLOCKS:
                del self._made[min(self._made)]
        return self._woven(*known[1:], wanted, {})

    def weave_again(self, piece: Piece, wanted: Wanted, since: Mapping[str, int]) -> Woven:
        """What a piece's block tells, without records of a schema that were before the time in `since`."""
        return self._woven(self._scene(piece.block, piece.before), {}, wanted, since)

    def _scene(self, block: Block, before: Before) -> Scene:
        return Scene(block.chunk, before, self.listing, block.shift_ns)

    def _woven(self, scene: Scene, made: dict[str, list[Part]], wanted: Wanted, since: Mapping[str, int]) -> Woven:
        chosen: list[Part] = []
        for schema, codes in wanted.schemas:
            if schema not in made:
                made[schema] = parts(schema, scene)
            for part in made[schema]:
                part = _of(part, codes, len(self.listing.instruments))
                chosen.append(_since(part, since[schema]) if schema in since else part)
        return Woven(chosen, stamped=wanted.stamped)

    # -------------------------------------------------------------------------------------------------- once more

    def place(self, start_ns: int) -> int:
        """A seq after which everything from a time of the session on is still told."""
        ring = self._session.ring
        in_ring = [block.first_seq - 1 for block in ring.blocks if int(block.chunk.avail[0]) < start_ns]
        if in_ring:
            return in_ring[-1]
        points = self._session.checkpoints()
        earlier = [point.seq for point in points if point.position_ns <= start_ns]
        return max(earlier, default=min((point.seq for point in points), default=0))

    async def pieces(self, after: int, until: int) -> AsyncIterator[Piece]:
        """What is from a seq up to another, from the ring or from the tape read again."""
        ring = self._session.ring
        while after < until:
            block = ring.find(after + 1)
            if block is None:
                async for piece in self._read_again(after, min(until, ring.first_seq - 1)):
                    yield piece
                    after = piece.block.first_seq + piece.hi - 1
                continue
            lo = after + 1 - block.first_seq
            hi = min(lo + PIECE, len(block.chunk), until + 1 - block.first_seq)
            yield Piece(block, self.before(block.first_seq), lo, hi)
            after = block.first_seq + hi - 1

    async def _read_again(self, after: int, until: int) -> AsyncIterator[Piece]:
        point = max((p for p in self._session.checkpoints() if p.seq <= after), key=lambda point: point.seq)
        before = self.before(point.seq + 1)
        tape = self._session.make_tape()
        try:
            tape.restore(point)
            while after < until:
                chunk = tape.advance(READ_AGAIN_ROWS)
                assert chunk is not None
                block = Block(chunk, shift_ns=self._session.ring.shift_ns)
                while after < min(chunk.last_seq, until):
                    lo = after + 1 - chunk.first_seq
                    hi = min(lo + PIECE, len(chunk), until + 1 - chunk.first_seq)
                    yield Piece(block, before, lo, hi)
                    after = chunk.first_seq + hi - 1
                before = before.after(chunk)
        finally:
            tape.close()


def _of(part: Part, codes: tuple[int, ...], symbols: int) -> Part:
    if len(codes) == symbols:
        return part
    return part.take(np.isin(part.symbol, (*codes, -1)))


def _since(part: Part, start_ns: int) -> Part:
    """By the time by which a record is found: when it was received or, of bars, where it begins."""
    names = part.records.dtype.names or ()
    times = part.records["ts_recv" if "ts_recv" in names else "ts_event"]
    return part.take(times >= start_ns if part.data else times > start_ns)

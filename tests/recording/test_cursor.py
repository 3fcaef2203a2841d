"""A cursor reads a channel through its files in any steps, and finds any time in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import Chunk
from feedsim.recording.cursor import Cursor, Piece
from feedsim.recording.schema import to_batch
from tests.support.chunks import SYMBOLS, quotes

CHUNKS = quotes(5, 12)
AVAIL = [avail for chunk in CHUNKS for avail in chunk.avail.tolist()]


@dataclass
class Held:
    """A file that is in memory; counts how often it was begun."""

    chunk: Chunk
    file: str
    opened: list[str] = field(default_factory=list)

    @property
    def first_avail(self) -> int:
        return int(self.chunk.avail[0])

    @property
    def last_avail(self) -> int:
        return int(self.chunk.avail[-1])

    def batches(self, avail: int | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        assert avail is None or avail <= self.last_avail
        self.opened.append(self.file)
        batch = to_batch(self.chunk.tables["l1"], 1)
        yield 1, batch.slice(0, 5)
        yield 6, batch.slice(5)


def pieces(order: tuple[int, ...] = (0, 1, 2, 3, 4)) -> tuple[Piece, ...]:
    """A file a chunk."""
    return tuple(Held(CHUNKS[number], f"file {number}") for number in order)


def seqs(cursor: Cursor, below: int) -> list[int]:
    """What it takes."""
    rows = cursor.take_seq(below)
    return [] if rows is None else rows.seq.tolist()


@given(st.lists(st.integers(0, 70)))
def test_any_steps_take_each_row_once(steps: list[int]) -> None:
    """In order, none beyond what was asked for."""
    cursor = Cursor("l1", pieces(), SYMBOLS)
    taken: list[int] = []
    furthest = 1
    for below in steps:
        taken += seqs(cursor, below)
        furthest = max(furthest, below)
        assert taken == list(range(1, min(furthest, 61)))
    assert taken + seqs(cursor, 10**9) == list(range(1, 61))
    assert cursor.held_to() is None


@given(ns=st.sampled_from([*AVAIL, *(avail + 1 for avail in AVAIL), 0]), before=st.integers(0, 70))
def test_a_time_is_found(ns: int, before: int) -> None:
    """Wherever the cursor was: the next row is the first that was available then or later."""
    cursor = Cursor("l1", pieces(), SYMBOLS)
    cursor.take_seq(before)
    cursor.seek(ns)
    rows = cursor.take_avail(1 << 62)
    found = [] if rows is None else rows.table.avail.tolist()
    assert found == [avail for avail in AVAIL if avail >= ns]


def test_files_that_end_before_a_time_are_not_opened() -> None:
    """Seeking in a long recording is quick."""
    files = pieces()
    cursor = Cursor("l1", files, SYMBOLS)
    cursor.seek(int(CHUNKS[3].avail[0]))
    assert cursor.held_to() is not None
    assert [file for piece in files if isinstance(piece, Held) for file in piece.opened] == ["file 3"]


def test_files_out_of_order_are_refused_again_and_again() -> None:
    """With the file and the row; a second try does not pass over what was wrong."""
    cursor = Cursor("l1", pieces((0, 2, 1)), SYMBOLS)
    assert len(seqs(cursor, CHUNKS[0].last_seq)) == CHUNKS[0].last_seq - 1
    for _ in range(2):
        with pytest.raises(SourceError, match=r"file 1, row 1: seq and avail .* expected rows in the tape's order"):
            cursor.take_seq(10**9)


def test_a_closed_cursor_can_be_put_anywhere_again() -> None:
    """Closing lets go of the file only."""
    cursor = Cursor("l1", pieces(), SYMBOLS)
    cursor.take_seq(10)
    cursor.close()
    cursor.seek(None)
    assert len(seqs(cursor, 10**9)) == 60

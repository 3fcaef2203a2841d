"""Depth lines folded into books."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from feedsim.sources.sierra.folds import ASK, BID, Batch, Book, level_key

Line = tuple[int, int, float, int]


def _lines() -> st.SearchStrategy[list[Line]]:
    """(side, level, price, size), with prices that often contradict the levels."""
    price = st.integers(-12, 12).map(lambda ticks: 100 + 0.25 * ticks)
    return st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 6), price, st.integers(0, 9)), max_size=40)


def _apply(book: Book, lines: list[Line]) -> None:
    batch = Batch(0, 3, {})
    for side, level, price, size in lines:
        batch.set(level_key(side, level), [side, level, price, size])
    book.apply(batch)


@given(lines=_lines())
def test_books_are_ordered(lines: list[Line]) -> None:
    """Whatever was written, prices get strictly worse from the best level on, and no level is empty."""
    book = Book()
    _apply(book, lines)
    for side, worse in ((BID, -1), (ASK, 1)):
        levels = book.side(side)
        assert all((second - first) * worse > 0 for (first, _), (second, _) in itertools.pairwise(levels))
        assert all(size > 0 for _, size in levels)


@given(lines=_lines())
def test_the_newest_level_stands(lines: list[Line]) -> None:
    """What was written last is in the book."""
    book = Book()
    _apply(book, lines)
    if lines and lines[-1][3] > 0:
        side, _, price, size = lines[-1]
        assert (price, size) in book.side(side)


@given(lines=_lines(), cut=st.integers(0, 40))
def test_batches_make_no_difference(lines: list[Line], cut: int) -> None:
    """One bar's lines in two batches make the same book."""
    whole, parts = Book(), Book()
    _apply(whole, lines)
    _apply(parts, lines[:cut])
    _apply(parts, lines[cut:])
    assert [whole.side(side) for side in (BID, ASK)] == [parts.side(side) for side in (BID, ASK)]

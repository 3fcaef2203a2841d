"""The heat map of resting sizes against a plain dictionary."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.lab.heat import HeatMap

COLUMNS = 6

Books = list[tuple[int, dict[int, int]]]
"""(column, size by price in ticks) of each book, in the order of time."""

books = st.lists(
    st.tuples(st.integers(0, COLUMNS - 1), st.dictionaries(st.integers(-500, 500), st.integers(1, 99), max_size=5)),
    max_size=12,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def _filled(rows: Books, *, max_rows: int) -> HeatMap:
    heat = HeatMap(COLUMNS, max_rows=max_rows)
    for column, levels in rows:
        ticks, sizes = np.array(list(levels), np.int64), np.array(list(levels.values()), np.int64)
        heat.add(np.array([column]), np.full(len(levels), column), ticks, sizes)
    return heat


@given(rows=books, max_rows=st.sampled_from([4, 64, 2048]))
def test_every_cell_is_the_mean_of_the_books(rows: Books, max_rows: int) -> None:
    """A cell holds the sum of the sizes in its bin over the number of books in its column."""
    heat = _filled(rows, max_rows=max_rows)
    image = heat.image(carry=0)
    sums: dict[tuple[int, int], int] = defaultdict(int)
    counts: dict[int, int] = defaultdict(int)
    for column, levels in rows:
        counts[column] += 1
        for tick, size in levels.items():
            sums[column, tick // heat.bin_ticks] += size
    shown = {(column, row + heat.first_bin): image[column, row] for column, row in zip(*np.nonzero(image), strict=True)}
    assert shown == {key: total / counts[key[0]] for key, total in sums.items()}
    assert image.shape[1] <= max_rows


@given(rows=books)
def test_all_at_once_is_as_one_by_one(rows: Books) -> None:
    """Books that come together give the same map as books that come alone."""
    together = HeatMap(COLUMNS)
    columns = np.array([column for column, _ in rows], np.int64)
    lengths = [len(levels) for _, levels in rows]
    ticks = np.array([tick for _, levels in rows for tick in levels], np.int64)
    sizes = np.array([size for _, levels in rows for size in levels.values()], np.int64)
    together.add(columns, np.repeat(columns, lengths), ticks, sizes)
    alone = _filled(rows, max_rows=1024)
    assert np.array_equal(together.image(carry=0), alone.image(carry=0))


def test_a_book_is_shown_until_it_is_too_old() -> None:
    """Columns without books show the last one before them, for as many columns as was said."""
    heat = _filled([(1, {10: 5})], max_rows=8)
    assert heat.image(carry=2)[:, 0].tolist() == [0, 5, 5, 5, 0, 0]

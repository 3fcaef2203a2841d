"""What stood at regular times: found by looking at every row, whatever the parts in which rows come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import Ragged, Table
from feedsim.instruments import NS_PER_S
from feedsim.mia.grid import Grid, Sampler, values_of

SYMBOLS = ("ES", "NQ")
NINE_THIRTY_NS = 1_755_783_000 * NS_PER_S


def quotes(rows: list[tuple[int, int]]) -> Table:
    """(ns, symbol); the bid is the row's number."""
    ts = np.array([ns for ns, _ in rows], np.int64)
    number = np.arange(len(rows))
    columns = {
        "ts": ts,
        "symbol": np.array([code for _, code in rows], np.int64),
        "bid": number,
        "ask": number + 1,
        "bid_size": number,
        "ask_size": number,
    }
    return Table.build("l1", SYMBOLS, columns)


@given(
    later=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 1))),
    every=st.integers(1, 30),
    cut=st.integers(1, 99),
)
def test_each_time_has_the_newest_row_of_each_symbol(later: list[tuple[int, int]], every: int, cut: int) -> None:
    """A row at the time itself is seen; cutting the rows at any time changes nothing."""
    rows = [(0, 0), (0, 1), *sorted(later)]
    expected = [
        max(number for number, (ns, code) in enumerate(rows) if ns <= time and code == symbol)
        for time in range(0, 100, every)
        for symbol in range(2)
    ]
    table, sampler = quotes(rows), Sampler(2, ("bid",))
    for since, until in ((0, cut), (cut, 100)):
        part = table.take((table.avail >= since) & (table.avail < until))
        sampler.take(part if len(part) else None, np.arange(-(-since // every) * every, until, every))
    columns = sampler.columns()
    assert columns["bid"].tolist() == expected
    assert columns["ts"].tolist() == np.repeat(range(0, 100, every), 2).tolist()
    assert columns["symbol"].tolist() == [0, 1] * (len(expected) // 2)


@pytest.mark.parametrize("cuts", [[0, 10], [0, 3, 3, 7, 10]])
def test_a_grid_is_counted_from_its_start(cuts: list[int]) -> None:
    """Whatever the parts that are asked for."""
    grid = Grid(NINE_THIRTY_NS, 3 * NS_PER_S // 2)
    times = [grid.within(NINE_THIRTY_NS + a * NS_PER_S, NINE_THIRTY_NS + b * NS_PER_S) for a, b in zip(cuts, cuts[1:])]  # noqa: B905, RUF007 (cuts are short)
    assert ((np.concatenate(times) - NINE_THIRTY_NS) / NS_PER_S).tolist() == [0, 1.5, 3, 4.5, 6, 7.5, 9]


def test_a_grid_has_no_times_in_the_break() -> None:
    """From 17:00 on and before 18:00 New York time."""
    five = NINE_THIRTY_NS + 27_000 * NS_PER_S
    hours = (
        Grid(five - 3600 * NS_PER_S, 1800 * NS_PER_S).within(five - 3600 * NS_PER_S, five + 5401 * NS_PER_S) - five
    ) // NS_PER_S
    assert hours.tolist() == [-3600, -1800, 3600, 5400]


def test_lists_of_one_length_are_a_matrix() -> None:
    """Others are lists; nulls stay nulls."""
    even, uneven = (Ragged.from_lists(rows, np.int64) for rows in ([[1, 2], [3, 4]], [[1], None, [2, 3]]))
    assert values_of(even, [1]).tolist() == [[3, 4]]
    assert values_of(uneven, slice(None)).tolist() == [[1], None, [2, 3]]

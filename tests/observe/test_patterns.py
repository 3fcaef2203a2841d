"""Patterns: what prices say against slow loops, and scores at the values that their definitions name."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.observe import patterns
from feedsim.observe.seconds import Cells

PAST = patterns.PAST_S
Deal = tuple[int, int, int, int]


def _cells(deals: list[Deal]) -> Cells:
    return Cells(*(np.array([deal[k] for deal in deals], np.int64) for k in range(4)))


def _lots(deals: list[Deal], last: int, length: int) -> dict[int, tuple[int, int]]:
    """Bought and sold by price in the `length` seconds up to `last`."""
    found: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for second, price, bought, sold in deals:
        if last - length < second <= last:
            found[price] = (found[price][0] + bought, found[price][1] + sold)
    return found


def _longest(lots: dict[int, tuple[int, int]], least: int) -> int:
    """The longest stack by walking up the prices."""
    traded = [sum(both) for both in lots.values() if sum(both)]
    enough = max(least, sum(traded) / len(traded)) if traded else least
    best = 0
    for mine, other, away in ((0, 1, -1), (1, 0, 1)):
        run = 0
        for price in range(min(lots, default=0), max(lots, default=0) + 1):
            here = lots.get(price, (0, 0))[mine]
            there = lots.get(price + away, (0, 0))[other]
            run = run + 1 if here >= 3 * max(there, 1) and here >= enough else 0
            best = max(best, run)
    return best


deals = st.lists(
    st.tuples(
        st.integers(0, PAST + 149), st.sampled_from((0, 1, 2, 4, 5, 7, 9, 10)), st.integers(0, 30), st.integers(0, 30)
    ),
    max_size=120,
).map(sorted)


@given(found=deals)
@settings(max_examples=30)
def test_levels_are_the_last_minute_s(found: list[Deal]) -> None:
    """The most traded price, the usual one and the longest stack, second by second."""
    told = patterns.levels(_cells(found), 150, least=10)
    for at in (*range(0, 150, 9), 127, 128):
        minute = [sum(both) for both in _lots(found, PAST + at, 60).values() if sum(both)]
        assert told.largest[at] == max(minute, default=0)
        assert told.usual[at] == pytest.approx(sum(minute) / max(len(minute), 1))
        expected = min(_longest(_lots(found, PAST + at, 30), 10), len(patterns.stacked(np.arange(6))))
        assert told.run[at] == expected


def test_a_price_that_did_not_trade_is_between() -> None:
    """Sales two ticks below do not weigh against purchases; nor do stacks go over a gap."""
    found = [
        (PAST, price, bought, sold) for price, bought, sold in ((100, 0, 20), (102, 30, 0), (103, 30, 0), (104, 30, 0))
    ]
    assert patterns.levels(_cells(found), 1, least=10).run.tolist() == [3]
    apart = [(PAST, price, 30, 0) for price in (102, 103, 105)]
    assert patterns.levels(_cells(apart), 1, least=10).run.tolist() == [2]


def one(*values: float) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return [np.array([value], np.float64) for value in values]


@pytest.mark.parametrize(
    ("largest", "move", "delta", "score"),
    [(300, 0, 0.25, 1.0), (300, 1, 0.25, 1.0), (300, 2, 0.25, 0.0), (150, 0, 0.5, 0.0), (300, 0, 0.0, 0.0)],
)
def test_absorption(largest: float, move: float, delta: float, score: float) -> None:
    """Three times the usual, within a tick, a quarter of it one-sided."""
    assert patterns.absorption(*one(largest, 100, move, 1, delta)).tolist() == [score]


def test_three_neighbours_make_a_stack() -> None:
    """Fewer score less than half."""
    scores = patterns.stacked(np.arange(8)).tolist()
    assert scores == sorted(scores)
    assert max(scores[:3]) < 0.5 <= scores[3]
    assert scores[-1] == 1.0


def test_a_move_that_dries_up_is_exhausted() -> None:
    """At two deviations with nothing behind it, wholly; with as much as before, not at all."""
    assert patterns.exhaustion(*one(8, 4, 10, 0)).tolist() == [1.0]
    assert patterns.exhaustion(*one(8, 4, 10, 10)).tolist() == [0.0]


def test_a_drive_needs_delta_the_same_way() -> None:
    """A large move on strong delta and volume; against the delta none, nor on no more than the usual volume."""
    assert patterns.initiative(*one(6, 2, 0.5, 2)).tolist() == [1.0]
    assert patterns.initiative(*one(6, 2, -0.5, 2)).tolist() == [0.0]
    assert patterns.initiative(*one(6, 2, 0.5, 1)).tolist() == [0.0]

"""Metrics of books and orders on sessions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import ADD, CANCEL, FILL, MODIFY
from feedsim.lab.realism.depth import Depth, Placement, lives
from tests.lab.realism.made import START_NS, books, orders, quotes, session

STILL = quotes([(0, 100, 101, 9, 9)])


def test_levels_against_the_best() -> None:
    """Time means; one empty tick among eleven."""
    depth = Depth()
    depth.add(books([10, 20, 20, 20, 30, 20, 20, 20, 20, 40], skip=1), START_NS + 40 * NS_PER_S)
    found = depth.values()
    assert (found["L2_L1"], found["L5_L1"], found["L10_L1"]) == (2, 3, 4)
    assert found["gap_top10"] == pytest.approx(1 / 11)


def test_where_orders_come_and_go() -> None:
    """At the best price, behind, or inside the spread, which is neither."""
    rows = []
    for at in range(0, 500, 5):
        rows += [(at + 1, ADD, at, 0, 100, 1), (at + 2, ADD, at + 1, 1, 105, 3), (at + 3, ADD, at + 2, 1, 102, 2)]
        rows += [(at + 4, CANCEL, at, 0, 100, 1)]
    placement = Placement()
    placement.add(session(1, quotes=quotes([(0, 100, 103, 9, 9)]), orders=orders(rows)))
    found = placement.values()
    names = ("lo_at_best", "cx_at_best", "lo_cx_ratio", "lo_size_mean", "lo_p1")
    assert [found[name] for name in names] == pytest.approx([1 / 3, 1.0, 3.0, 2.0, 1 / 3])


def test_a_level_that_comes_into_the_window_is_no_decision() -> None:
    """Orders of one time, and those of the start, are not counted."""
    rows = [(0, ADD, 9999, 0, 100, 50)]
    for at in range(40):
        rows += [(10 * at + 5, ADD, 3 * at, 0, 100, 1)]
        rows += [(10 * at + 8, ADD, 3 * at + 1, 0, 87, 9), (10 * at + 8, ADD, 3 * at + 2, 0, 87, 9)]
    placement = Placement()
    placement.add(session(1, quotes=STILL, orders=orders(rows)))
    assert placement.values()["lo_size_mean"] == 1


def test_lives() -> None:
    """To the cancellation, or the trade that takes the last lot; what still rests has none."""
    log = orders(
        [
            (10, ADD, 1, 0, 100, 2),
            (20, ADD, 2, 1, 101, 5),
            (25, ADD, 3, 1, 101, 1),
            (30, MODIFY, 2, 1, 101, 1),
            (50, CANCEL, 1, 0, 100, 2),
            (60, FILL, 2, 1, 101, 3),
            (90, FILL, 2, 1, 101, 1),
            (95, CANCEL, 77, 1, 101, 1),
        ]
    )
    assert sorted(lives(log, log.kind == ADD).tolist()) == [40, 70]
    assert lives(log, np.zeros(len(log), np.bool_)).tolist() == []

"""Quantiles of spreads from counts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import Ragged
from feedsim.lab.tallies import Spreads, tick_of, top


@given(parts=st.lists(st.lists(st.integers(-900, 9000), max_size=20), max_size=4), share=st.floats(0.01, 1))
def test_a_quantile_is_the_least_spread_that_enough_do_not_exceed(parts: list[list[int]], share: float) -> None:
    """By its definition, for spreads of whole tenths, in whatever parts they come."""
    spreads = Spreads()
    for part in parts:
        spreads.add(np.array(part, np.float64) / 10)
    values = sorted(value for part in parts for value in part)
    if not values:
        assert spreads.quantile(share) is None
        return
    enough = [value for value in values if sum(other <= value for other in values) >= share * len(values)]
    assert spreads.quantile(share) == enough[0] / 10
    assert (spreads.least, spreads.most) == (values[0] / 10, values[-1] / 10)


def test_spreads_beyond_all_reason_are_counted_at_the_end() -> None:
    """Memory is bounded whatever comes; least and most are exact."""
    spreads = Spreads()
    spreads.add(np.array([1e9, -1e9]))
    assert (spreads.quantile(0.5), spreads.quantile(1.0)) == (-1000.0, 1000.0)
    assert (spreads.least, spreads.most) == (-1e9, 1e9)


def test_the_top_of_a_side() -> None:
    """The first level, where there is one."""
    side = Ragged.from_lists([[1.0, 2.0], [], None, [3.0]], np.float64)
    assert np.array_equal(top(side), [1.0, np.nan, np.nan, 3.0], equal_nan=True)


def test_ticks_of_symbols() -> None:
    """Those that are known."""
    assert (tick_of("ES"), tick_of("XYZ")) == (0.25, None)

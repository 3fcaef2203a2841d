"""The session's running sums: carried from window to window without a difference."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.observe.anchor import Anchor, Sums, running_sums

prints = st.lists(
    st.tuples(st.floats(1, 1e5), st.integers(1, 500), st.sampled_from([-1, 0, 1]), st.integers(0, 1)),
    max_size=40,
)


def sums(anchor: Anchor, found: list[tuple[float, int, int, int]]) -> Sums:
    price = np.array([row[0] for row in found], np.float64)
    size, side, later = np.array([row[1:] for row in found], np.int64).reshape(-1, 3).T
    return running_sums(anchor, np.arange(len(found)), price, size, side, later * 1000)


@given(found=prints, cut=st.integers(0, 40))
def test_carried_sums(found: list[tuple[float, int, int, int]], cut: int) -> None:
    """The sums after a cut are those without it, bit by bit, whatever the prices."""
    found.sort(key=lambda row: row[3])
    assert sums(sums(Anchor(), found[:cut]).last(), found[cut:]).last() == sums(Anchor(), found).last()


def test_a_new_session_starts_from_nothing() -> None:
    """A session's sums have nothing of the one before; the reference is its own first price."""
    last = sums(Anchor(), [(5000.25, 3, 1, 0), (5001.0, 2, -1, 1), (5002.0, 1, 1, 1)]).last()
    assert last == Anchor(session=1000, reference=5001.0, volume=3, pv=1.0, pv2=1.0, delta=-1)

"""Confluence: more agreement is a higher score, whichever way it points."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.observe.confluence import Views, score, where_agreed

signed = st.floats(-1, 1)
views = st.builds(
    lambda v, f, le, o, p: Views(*(np.array([x]) for x in (v, f, le, o, p))),
    signed,
    signed,
    signed,
    signed,
    st.floats(0, 1),
)


@given(found=views)
def test_up_and_down_are_alike(found: Views) -> None:
    """Mirrored views have the same score, in 0 … 1."""
    mirrored = Views(-found.vwap, -found.flow, -found.leader, -found.options, found.pattern)
    for symbol in ("ES", "NQ"):
        assert abs(score(found, symbol)[0] - score(mirrored, symbol)[0]) < 1e-12
        assert 0 <= score(found, symbol)[0] <= 1


def test_all_agreed_is_more_than_half_disagreed() -> None:
    """Everything up with a pattern is near the top; flow alone is not high."""
    up, none = np.array([1.0]), np.array([0.0])
    best = score(Views(up, up, up, up, up), "ES")[0]
    assert best > 0.95
    assert score(Views(none, up, none, none, none), "ES")[0] < 0.6
    assert score(Views(none, none, none, none, none), "ES")[0] < 0.3


def test_a_view_counts_where_another_agrees() -> None:
    """Its own size, or nothing."""
    assert where_agreed(np.array([0.5, 0.5, 0.2, 0.0]), np.array([3, -1, 0, 1])).tolist() == [0.5, 0.0, 0.0, 0.0]


def test_a_micro_is_scored_as_its_big_contract() -> None:
    """Thin books have a scale of their own, whichever contract shows them."""
    some = Views(*(np.array([0.5]) for _ in range(5)))
    assert score(some, "MES") == score(some, "ES") != score(some, "NQ") == score(some, "MNQ")

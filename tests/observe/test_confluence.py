"""Confluence: more agreement is a higher score, whichever way it points."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.observe.confluence import Views, both, score

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
    assert abs(score(found)[0] - score(mirrored)[0]) < 1e-12
    assert 0 <= score(found)[0] <= 1


def test_all_agreed_is_more_than_half_disagreed() -> None:
    """Everything up with a pattern is near the top; VWAP against the rest costs."""
    up, none = np.array([1.0]), np.array([0.0])
    best = score(Views(up, up, up, up, up))[0]
    assert best > 0.95
    assert score(Views(-up, up, up, up, up))[0] < best
    assert score(Views(none, none, none, none, none))[0] < 0.3


def test_both_is_nothing_where_they_disagree() -> None:
    """The mean where they agree."""
    assert both(np.array([0.5, 0.5, 0.0]), np.array([1.0, -1.0, 1.0])).tolist() == [0.75, 0.0, 0.0]

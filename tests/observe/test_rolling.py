"""Sums, averages and the exponential against slow readings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.observe.rolling import Average, ago, decayed, exponential, summed, tanh


@given(values=st.lists(st.integers(-(2**40), 2**40), min_size=6, max_size=30), length=st.integers(1, 5))
def test_sums_and_what_was_before(values: list[int], length: int) -> None:
    """Each of the last rows by a slice."""
    rows = len(values) - length
    column = np.array(values, np.int64)
    ends = range(length + 1, len(values) + 1)
    assert summed(column, length, rows).tolist() == [sum(values[end - length : end]) for end in ends]
    assert ago(column, length, rows).tolist() == [values[end - 1 - length] for end in ends]


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), cut=st.integers(1, 19))
def test_an_average_goes_on_where_it_was(values: list[float], cut: int) -> None:
    """In two parts the same bits as in one; a mean of what counted."""
    whole = decayed(1.5, np.array(values), 0.75)
    first = decayed(1.5, np.array(values[:cut]), 0.75)
    rest = decayed(float(first[-1]), np.array(values[cut:]), 0.75)
    assert np.concatenate((first, rest)).tolist() == whole.tolist()
    counted = np.arange(len(values)) > 0
    mean = Average().take(np.array(values), counted, 1.0)
    assert mean[0] == 0.0
    assert mean[-1] == pytest.approx(sum(values[1:]) / (len(values) - 1), abs=1e-6)


@given(x=st.floats(-30, 5))
def test_exponential_and_tanh(x: float) -> None:
    """As good as six decimals need."""
    assert exponential(np.array([x]))[0] == pytest.approx(math.exp(x), rel=1e-9)
    assert tanh(np.array([x / 3]))[0] == pytest.approx(math.tanh(x / 3), abs=1e-9)

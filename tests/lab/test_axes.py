"""Marks on axes of time and of values."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import NS_PER_S
from feedsim.lab.axes import TIME_STEPS_S, round_marks, time_marks
from tests.support.chunks import START_NS


@given(span_s=st.integers(1, 40 * 86_400), most=st.integers(2, 15), start_s=st.integers(0, 86_400))
def test_time_marks_are_few_and_inside(span_s: int, most: int, start_s: int) -> None:
    """Marks lie in the span, evenly, at most one more than was asked for."""
    start = START_NS + start_s * NS_PER_S
    end = start + span_s * NS_PER_S
    places = [ns for ns, _ in time_marks(start, end, most)]
    assert all(start <= ns <= end for ns in places)
    assert len(places) <= most + 1
    assert len({later - earlier for earlier, later in pairwise(places)}) <= 1


def test_time_marks_tell_new_york_time() -> None:
    """Half past nine in New York is a mark, and labels have seconds only where marks are seconds apart."""
    assert [label for _, label in time_marks(START_NS, START_NS + 120 * NS_PER_S, 4)] == [
        "09:30:00",
        "09:30:30",
        "09:31:00",
        "09:31:30",
        "09:32:00",
    ]
    ns, label = time_marks(START_NS, START_NS + 7200 * NS_PER_S, 4)[0]
    assert (datetime.fromtimestamp(ns / NS_PER_S, UTC).hour, label) == (13, "09:30")
    assert tuple(sorted(TIME_STEPS_S)) == TIME_STEPS_S


def test_time_marks_are_round_in_new_york() -> None:
    """A mark every six hours is at midnight, six, noon and six, and every day at midnight."""
    day = 86_400 * NS_PER_S
    assert [label for _, label in time_marks(START_NS, START_NS + day, 4)] == ["12:00", "18:00", "00:00", "06:00"]
    days = time_marks(START_NS, START_NS + 4 * day, 4)
    assert [label for _, label in days] == ["08-22", "08-23", "08-24", "08-25"]
    assert all((ns // NS_PER_S - 4 * 3600) % 86_400 == 0 for ns, _ in days)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), most=st.integers(2, 12))
def test_round_marks_lie_inside(low: float, span: float, most: int) -> None:
    """Marks are between the ends, rising, and no more than were asked for and one."""
    high = low + span
    marks = round_marks(low, high, most)
    assert all(low - 1e-9 * abs(low) <= mark <= high + 1e-9 * abs(high) for mark in marks)
    assert marks == sorted(set(marks))
    assert len(marks) <= most + 1


def test_round_marks_are_round() -> None:
    """Prices are marked at quarters, halves and their decimal kin."""
    assert round_marks(4999.3, 5001.2, 9) == pytest.approx([4999.5, 4999.75, 5000, 5000.25, 5000.5, 5000.75, 5001])
    assert round_marks(3.0, 3.0, 5) == [3.0]

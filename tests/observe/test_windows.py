"""Windows and sessions against the calendar in New York."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import NS_PER_S
from feedsim.observe.windows import Sessions, last_told, open_windows, runs
from tests.observe.cases import has_open_time, ns, session_open

# A year with both changes of the clock.
YEAR = (ns("2025-01-01T00:00:00"), ns("2026-01-01T00:00:00"))


@given(times=st.lists(st.integers(*YEAR), min_size=1, max_size=5).map(sorted))
def test_session_of_a_time(times: list[int]) -> None:
    """A time belongs to the session that opened last, also in breaks, at weekends and where the clock changes."""
    assert Sessions().opened_at(np.array(times)).tolist() == [session_open(at) for at in times]


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        ("2019-04-21T17:59:59", "2019-04-17T18:00:00"),  # Good Friday had no session
        ("2023-12-25T17:59:59", "2023-12-21T18:00:00"),  # Christmas Day was a Monday
        ("2025-11-27T17:59:59", "2025-11-26T18:00:00"),  # Thanksgiving's session closed at 13:00
    ],
)
def test_session_of_a_holiday(at: str, opened: str) -> None:
    """It is the one that closed last, however long ago it opened."""
    assert Sessions().opened_at(np.array([ns(at)])).tolist() == [ns(opened)]


def test_the_epoch_has_a_session() -> None:
    """Times that start at 0 work: somebody's test data does."""
    assert Sessions().opened_at(np.array([0, NS_PER_S])).tolist() == [session_open(0)] * 2


@given(at=st.integers(*YEAR), count=st.integers(0, 80), tf_s=st.sampled_from([1800, 3600, 7200, 86_400]))
def test_windows_with_open_hours(at: int, count: int, tf_s: int) -> None:
    """Those and only those windows are named that overlap with open hours, once each."""
    length = tf_s * NS_PER_S
    first = at // length
    found = open_windows(Sessions(), first, first + count - 1, length).tolist()
    assert found == [w for w in range(first, first + count) if has_open_time(w * length, length)]


@given(until=st.integers(1, 10**6), length=st.integers(1, 10**4))
def test_last_window_that_is_told(until: int, length: int) -> None:
    """The end of the last window told is before `until`, that of the next is not."""
    last = last_told(until, length)
    assert (last + 1) * length < until <= (last + 2) * length


@given(pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=20))
def test_runs(pairs: list[tuple[int, int]]) -> None:
    """Runs cover all rows; both keys are equal inside of each and one of them changes between two."""
    keys = np.array(pairs, np.int64).reshape(-1, 2).T
    found = runs(keys[0], keys[1])
    assert [row for lo, hi in found for row in range(lo, hi)] == list(range(len(pairs)))
    assert all(len(set(pairs[lo:hi])) == 1 for lo, hi in found)
    assert all(pairs[lo - 1] != pairs[lo] for lo, _ in found[1:])


@pytest.mark.parametrize("last", [4, 3])
def test_no_windows(last: int) -> None:
    """An empty range of windows has none."""
    assert len(open_windows(Sessions(), 5, last, NS_PER_S)) == 0

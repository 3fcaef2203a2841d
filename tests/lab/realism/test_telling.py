"""What sessions tell, and how fine their times are."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Session
from feedsim.lab.realism.telling import tells
from tests.lab.realism.made import DAY, START_NS, books, moving, orders, quotes, session, trades

UNEVEN = quotes([(at * at * 7, 100, 101, 1 + at % 3, 1) for at in range(100)])


def test_every_part_has_its_word() -> None:
    """Quotes, trades and their sides, books, orders."""
    rows = [(7, 101, 1, 0)]
    assert tells(session(1)) == set()
    assert tells(session(1, quotes=UNEVEN)) == {"quotes", "day", "changes", "milliseconds", "microseconds"}
    assert "sides" not in tells(session(1, trades=trades(rows)))
    assert {"trades", "sides"} <= tells(session(1, trades=trades([(7, 101, 1, 1)])))
    assert "books" in tells(session(1, books=books([1] * 10)))
    assert "orders" in tells(session(1, orders=orders([(1, 0, 1, 0, 100, 1)])))


@pytest.mark.parametrize(("step_ns", "fine"), [(1000, 2), (900_000, 1), (86_400_000, 0)])
def test_how_fine_times_are(step_ns: int, fine: int) -> None:
    """By the shortest gap."""
    times = np.array([0, 1, 3, 7, 12, 20]) * step_ns
    told = tells(session(60, quotes=quotes([(int(at), 100, 101, 1 + at % 5, 2) for at in times])))
    assert len(told & {"milliseconds", "microseconds"}) == fine


def test_quotes_on_an_interval_are_not_changes() -> None:
    """Every 200 ms, or at times that nobody chose."""
    assert "changes" not in tells(session(60, quotes=moving(np.arange(100), step_ns=NS_PER_S // 5)))
    assert "changes" in tells(session(60, quotes=UNEVEN))


@pytest.mark.parametrize(
    ("start_s", "seconds", "told"),
    [(-600, 300, {"night"}), (-300, 600, {"day", "night"}), (60, 60, {"day"}), (390 * 60, 60, {"night"})],
)
def test_day_or_night(start_s: int, seconds: int, told: set[str]) -> None:
    """By regular trading of the session's day."""
    start_ns = START_NS + start_s * NS_PER_S
    of = Session(start_ns=start_ns, end_ns=start_ns + seconds * NS_PER_S, quotes=UNEVEN, day=DAY)
    assert tells(of) & {"day", "night"} == told

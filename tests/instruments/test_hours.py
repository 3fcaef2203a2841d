"""Hours against the exchange's rules written down by hand: the wall clock in New York and a year's holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedsim.instruments import (
    has_session,
    is_open,
    legacy_halt,
    next_rth_open,
    session_at,
    trading_day,
    trading_days_from,
)
from tests.support.globex import EARLY_2025, NO_SESSION_2025

NEW_YORK = ZoneInfo("America/New_York")
NS = 10**9


def ns(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    """A wall-clock time as nanoseconds UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("time", "open_"),
    [
        ("2025-08-20T16:59:59", True),  # a Wednesday
        ("2025-08-20T17:00:00", False),
        ("2025-08-20T17:59:59", False),
        ("2025-08-20T18:00:00", True),
        ("2025-08-21T03:00:00", True),
        ("2025-08-22T16:59:59", True),  # a Friday
        ("2025-08-22T17:00:00", False),
        ("2025-08-22T18:00:00", False),
        ("2025-08-23T12:00:00", False),
        ("2025-08-24T17:59:59", False),  # a Sunday
        ("2025-08-24T18:00:00", True),
        ("2025-08-25T00:00:00", True),
        ("2025-07-04T12:59:59", True),  # Independence Day, a Friday
        ("2025-07-04T13:00:00", False),
        ("2025-11-27T12:59:59", True),  # Thanksgiving, a Thursday
        ("2025-11-27T17:59:59", False),
        ("2025-11-27T18:00:00", True),
        ("2025-12-24T13:00:00", False),
        ("2025-12-24T18:00:00", False),  # there is no session on Christmas Day
        ("2025-12-25T17:59:59", False),
        ("2025-12-25T18:00:00", True),
    ],
)
def test_open_hours(time: str, open_: bool) -> None:
    """The daily break from 17:00 to 18:00, the weekend, early closes and a day without a session."""
    assert is_open(ns(time)) is open_


@pytest.mark.parametrize(
    ("day", "opens", "rth_opens", "rth_closes", "closes"),
    [
        # Daylight saving began on Sunday, 2025-03-09, and ended on Sunday, 2025-11-02.
        (date(2025, 3, 7), "2025-03-06T23:00", "2025-03-07T14:30", "2025-03-07T21:00", "2025-03-07T22:00"),
        (date(2025, 3, 10), "2025-03-09T22:00", "2025-03-10T13:30", "2025-03-10T20:00", "2025-03-10T21:00"),
        (date(2025, 10, 31), "2025-10-30T22:00", "2025-10-31T13:30", "2025-10-31T20:00", "2025-10-31T21:00"),
        (date(2025, 11, 3), "2025-11-02T23:00", "2025-11-03T14:30", "2025-11-03T21:00", "2025-11-03T22:00"),
        # The day after Thanksgiving, and Good Friday, which has no regular trading.
        (date(2025, 11, 28), "2025-11-27T23:00", "2025-11-28T14:30", "2025-11-28T18:00", "2025-11-28T18:00"),
        (date(2025, 4, 18), "2025-04-17T22:00", "2025-04-18T13:15", "2025-04-18T13:15", "2025-04-18T13:15"),
    ],
)
def test_sessions_in_utc(day: date, opens: str, rth_opens: str, rth_closes: str, closes: str) -> None:
    """New York's wall clock decides, so UTC moves by an hour; an early close ends regular trading too."""
    session = trading_day(day)
    assert (session.open_ns, session.rth_open_ns) == (utc(opens), utc(rth_opens))
    assert (session.rth_close_ns, session.close_ns) == (utc(rth_closes), utc(closes))
    assert session.closes_early is (day in EARLY_2025)


@pytest.mark.parametrize("day", [date(2025, 8, 23), date(2025, 8, 24), date(2025, 12, 25)])
def test_a_day_without_a_session(day: date) -> None:
    """Saturdays, Sundays and full holidays have none, and asking for it is an error that names the day."""
    assert not has_session(day)
    with pytest.raises(ValueError, match=day.isoformat()):
        trading_day(day)


times = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 # the zone follows
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * NS
)
times_2025 = st.integers(ns("2025-01-01T00:00:00"), ns("2026-01-01T00:00:00") - 1)


@given(times_2025)
@example(ns("2025-04-18T09:15:00"))
@example(ns("2025-11-27T15:00:00"))
def test_open_by_the_wall_clock(at: int) -> None:
    """Open is what New York's weekday, hour and holidays say."""
    local = datetime.fromtimestamp(at // NS, NEW_YORK)
    day = (local + timedelta(hours=6)).date()  # what is after 18:00 belongs to the next day
    has_one = day.weekday() < 5 and day not in NO_SESSION_2025
    closed = local.date() == day and local.time() >= EARLY_2025.get(day, time(17))
    assert is_open(at) is (has_one and not closed)


@given(times)
def test_sessions_follow_each_other(at: int) -> None:
    """In order, each of a weekday, none that has closed, the first one now or next."""
    sessions = list(islice(trading_days_from(at), 6))
    assert sessions[0] == session_at(at)
    assert sessions[0].close_ns > at
    assert all(session.date.weekday() < 5 for session in sessions)
    for first, second in pairwise(sessions):
        assert first.open_ns < first.rth_open_ns <= first.rth_close_ns <= first.close_ns < second.open_ns
        assert timedelta(1) <= second.date - first.date <= timedelta(4)
    before = session_at(sessions[0].open_ns - 1)
    assert before == sessions[0]
    assert is_open(at) is (sessions[0].open_ns <= at)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2025-08-21T09:29:59", "2025-08-21T09:30:00"),
        ("2025-08-21T09:30:00", "2025-08-22T09:30:00"),
        ("2025-04-17T12:00:00", "2025-04-21T09:30:00"),  # over Good Friday
        ("2025-12-24T09:30:00", "2025-12-26T09:30:00"),  # over Christmas Day
    ],
)
def test_the_next_regular_opening(at: str, opening: str) -> None:
    """After a time, not at it; days without regular trading are passed over."""
    assert next_rth_open(ns(at)) == ns(opening)


def test_the_halt_of_former_years() -> None:
    """16:15-16:30 until 2021-06-25, on full sessions only; in ns, in the summer four hours behind UTC."""
    assert legacy_halt(trading_day(date(2021, 6, 25))) == (utc("2021-06-25T20:15"), utc("2021-06-25T20:30"))
    assert legacy_halt(trading_day(date(2021, 6, 28))) is None
    assert legacy_halt(trading_day(date(2020, 11, 27))) is None

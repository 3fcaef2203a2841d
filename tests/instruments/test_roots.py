"""Ticks and hours, against the exchange's rules written down by hand and by another library's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import INSTRUMENTS, is_open, root_of, session_at, trading_day, trading_days_from

NEW_YORK = ZoneInfo("America/New_York")
NS = 10**9


def ns(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    """A wall-clock time as nanoseconds UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("root", "tick", "multiplier", "tick_value"),
    [("ES", 0.25, 50, 12.5), ("NQ", 0.25, 20, 5.0), ("MES", 0.25, 5, 1.25), ("MNQ", 0.25, 2, 0.5)],
)
def test_contract_specifications(root: str, tick: float, multiplier: float, tick_value: float) -> None:
    """As CME publishes them."""
    instrument = INSTRUMENTS[root]
    assert (instrument.root, instrument.tick, instrument.multiplier) == (root, tick, multiplier)
    assert instrument.tick_value == tick_value


@pytest.mark.parametrize(
    ("raw", "root"),
    [
        ("ES", "ES"),
        ("ESZ5", "ES"),
        ("ESZ25", "ES"),
        ("ESZ25_FUT_CME", "ES"),
        ("NQH26-CME", "NQ"),
        ("MESU25.CME", "MES"),
        ("MNQM6", "MNQ"),
        ("MNQ", "MNQ"),
        ("6EZ5", "6E"),
        ("SPX", "SPX"),
        ("ESZ2025", "ESZ2025"),
        ("", ""),
        ("esz5", "esz5"),
    ],
)
def test_roots(raw: str, root: str) -> None:
    """Root, month letter, one or two digits of the year, and what platforms add; other names are their own."""
    assert root_of(raw) == root


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
    ],
)
def test_open_hours(time: str, open_: bool) -> None:
    """The daily break from 17:00 to 18:00 and the weekend from Friday's close to Sunday's opening."""
    assert is_open(ns(time)) is open_


@pytest.mark.parametrize(
    ("day", "opens", "rth_opens", "rth_closes", "closes"),
    [
        # Daylight saving began on Sunday, 2025-03-09, and ended on Sunday, 2025-11-02.
        (date(2025, 3, 7), "2025-03-06T23:00", "2025-03-07T14:30", "2025-03-07T21:00", "2025-03-07T22:00"),
        (date(2025, 3, 10), "2025-03-09T22:00", "2025-03-10T13:30", "2025-03-10T20:00", "2025-03-10T21:00"),
        (date(2025, 10, 31), "2025-10-30T22:00", "2025-10-31T13:30", "2025-10-31T20:00", "2025-10-31T21:00"),
        (date(2025, 11, 3), "2025-11-02T23:00", "2025-11-03T14:30", "2025-11-03T21:00", "2025-11-03T22:00"),
    ],
)
def test_hours_on_both_sides_of_daylight_saving(
    day: date, opens: str, rth_opens: str, rth_closes: str, closes: str
) -> None:
    """New York's wall clock decides, so UTC moves by an hour."""
    session = trading_day(day)
    assert (session.open_ns, session.rth_open_ns) == (utc(opens), utc(rth_opens))
    assert (session.rth_close_ns, session.close_ns) == (utc(rth_closes), utc(closes))


times = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 # the zone follows
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * NS
)


@given(times)
def test_open_by_the_wall_clock(at: int) -> None:
    """Open is what New York's weekday and hour say."""
    local = datetime.fromtimestamp(at // NS, NEW_YORK)
    minutes = local.hour * 60 + local.minute
    weekday = local.weekday()
    break_ = 17 * 60 <= minutes < 18 * 60
    weekend = (weekday == 4 and minutes >= 17 * 60) or weekday == 5 or (weekday == 6 and minutes < 18 * 60)
    assert is_open(at) is not (break_ or weekend)


@given(times)
def test_sessions_follow_each_other(at: int) -> None:
    """In order, each of a weekday, none that has closed, the first one now or next."""
    sessions = list(islice(trading_days_from(at), 6))
    assert sessions[0] == session_at(at)
    assert sessions[0].close_ns > at
    assert all(session.date.weekday() < 5 for session in sessions)
    for first, second in pairwise(sessions):
        assert first.open_ns < first.rth_open_ns < first.rth_close_ns < first.close_ns < second.open_ns
        assert second.date - first.date in (timedelta(1), timedelta(3))
    before = session_at(sessions[0].open_ns - 1)
    assert before == sessions[0]
    assert is_open(at) is (sessions[0].open_ns <= at)

"""The table of special days against pandas-market-calendars."""

from __future__ import annotations

from datetime import date, timedelta

from feedsim.instruments import TradingDay, has_session, legacy_halt, trading_day
from tests.instruments import make_holidays

# Before, sessions were shorter on every day.
PRESENT_HOURS = date(2012, 11, 19)


def ours() -> dict[date, TradingDay]:
    """Every session of the table's years in which the hours are those of today."""
    span = (make_holidays.LAST - PRESENT_HOURS).days + 1
    days = [PRESENT_HOURS + timedelta(days=n) for n in range(span)]
    return {day: trading_day(day) for day in days if has_session(day)}


def test_the_table_is_the_one_that_is_made() -> None:
    """Byte for byte; if the source has learnt something, `make holidays` takes it over."""
    assert make_holidays.TABLE.read_text("utf-8") == make_holidays.text()


def test_every_session_is_the_source_s() -> None:
    """The same dates, opening and closing times; the mended days alone differ."""
    schedule = make_holidays.schedule()
    theirs = {
        day.date(): (opens.value, closes.value)
        for day, opens, closes in zip(schedule.index, schedule["market_open"], schedule["market_close"], strict=True)
        if day.date() >= PRESENT_HOURS
    }
    mine = {day: (session.open_ns, session.close_ns) for day, session in ours().items()}
    differing = {day for day in mine.keys() | theirs.keys() if mine.get(day) != theirs.get(day)}
    assert differing == {day for day in make_holidays.MENDED if day >= PRESENT_HOURS}


def test_every_halt_is_the_source_s() -> None:
    """The daily halt of former years on the same dates, at the same times."""
    schedule = make_holidays.schedule()
    theirs = {
        day.date(): (start.value, end.value)
        for day, start, end in zip(schedule.index, schedule["break_start"], schedule["break_end"], strict=True)
        if day.date() >= PRESENT_HOURS and start < end
    }
    assert {day: halt for day, session in ours().items() if (halt := legacy_halt(session))} == theirs

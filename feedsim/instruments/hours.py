"""When CME Globex trades equity index futures, as sessions of int64 nanoseconds UTC.

Sunday to Friday 18:00-17:00 New York time, a daily break of one hour, regular trading 09:30-16:00; on holidays no
session or an early close. These are the hours since 2012-11-19, and earlier years are given the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from feedsim.instruments.holidays import closes

NS_PER_S = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_S
NS_PER_MS = 1_000_000
EXCHANGE_TZ = ZoneInfo("America/New_York")

_OPEN = time(18)  # on the evening before
_RTH_OPEN, _RTH_CLOSE, _CLOSE = time(9, 30), time(16), time(17)
_SATURDAY = 5
_HALT = time(16, 15), time(16, 30)
_LAST_HALT = date(2021, 6, 25)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One Globex session: opens at 18:00 New York time on the evening before `date`, closes at 17:00 on it or early.

    Windows are half-open. Where the close is not after 09:30 there is no regular trading: it opens and closes with it.
    """

    date: date
    open_ns: int
    rth_open_ns: int
    rth_close_ns: int
    close_ns: int
    closes_early: bool = False


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, EXCHANGE_TZ).timestamp()) * NS_PER_S


def has_session(day: date) -> bool:
    """Whether Globex has a session of this date: a weekday that is no holiday."""
    return day.weekday() < _SATURDAY and closes().get(day, _CLOSE) is not None


@lru_cache(maxsize=512)
def trading_day(day: date) -> TradingDay:
    """The session of a date. Raises ValueError for one that `has_session` denies."""
    if not has_session(day):
        raise ValueError(f"{day}: Globex has no session on this {day:%A}")
    close = closes().get(day) or _CLOSE
    return TradingDay(
        date=day,
        open_ns=_at(day - timedelta(days=1), _OPEN),
        rth_open_ns=_at(day, min(_RTH_OPEN, close)),
        rth_close_ns=_at(day, min(_RTH_CLOSE, close)),
        close_ns=_at(day, close),
        closes_early=close < _CLOSE,
    )


def trading_days_from(ns: int) -> Iterator[TradingDay]:
    """The sessions that close after `ns`, in order, without end."""
    day = datetime.fromtimestamp(ns / NS_PER_S, EXCHANGE_TZ).date() - timedelta(days=1)
    while True:
        if has_session(day):
            session = trading_day(day)
            if session.close_ns > ns:
                yield session
        day += timedelta(days=1)


def session_at(ns: int) -> TradingDay:
    """The session that is open at `ns` or, in a break, on a holiday or at a weekend, the next one to open."""
    return next(trading_days_from(ns))


def next_rth_open(ns: int) -> int:
    """The first opening of regular trading after `ns`; sessions that close before 09:30 have none."""
    return next(day.rth_open_ns for day in trading_days_from(ns) if ns < day.rth_open_ns < day.rth_close_ns)


def is_open(ns: int) -> bool:
    """Whether Globex has a session at `ns`; halts within it count as open."""
    return session_at(ns).open_ns <= ns


def legacy_halt(day: TradingDay) -> tuple[int, int] | None:
    """The daily halt 16:15-16:30 of a session as [start, end) in ns: there was one until 2021-06-25."""
    if day.closes_early or day.date > _LAST_HALT:
        return None
    start, end = _HALT
    return _at(day.date, start), _at(day.date, end)


def format_ns(ns: int) -> str:
    """A time for people: New York time with its offset, to the second."""
    return datetime.fromtimestamp(ns // NS_PER_S, EXCHANGE_TZ).isoformat(sep=" ")

"""The futures that feedsim knows: tick, multiplier, tick value and trading hours.

Hours are CME Globex equity index hours: Sunday to Friday 18:00-17:00 New York time, a daily break of one hour,
regular trading 09:30-16:00. Holidays are not in this table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
EXCHANGE_TZ = ZoneInfo("America/New_York")

# Root, month letter, one or two digits of the year, then what a platform adds: ESZ5, ESZ25_FUT_CME, NQH26-CME.
_CONTRACT = re.compile(r"^(?P<root>[A-Z0-9]{1,4}?)[FGHJKMNQUVXZ]\d{1,2}(?:[_\-. ].*)?$")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One futures root. `tick` in index points, `multiplier` in dollars a point."""

    root: str
    name: str
    tick: float
    multiplier: float

    @property
    def tick_value(self) -> float:
        """Dollars a tick."""
        return self.tick * self.multiplier


INSTRUMENTS: dict[str, Instrument] = {
    instrument.root: instrument
    for instrument in (
        Instrument("ES", "E-mini S&P 500", tick=0.25, multiplier=50.0),
        Instrument("NQ", "E-mini Nasdaq-100", tick=0.25, multiplier=20.0),
        Instrument("MES", "Micro E-mini S&P 500", tick=0.25, multiplier=5.0),
        Instrument("MNQ", "Micro E-mini Nasdaq-100", tick=0.25, multiplier=2.0),
    )
}


def root_of(raw: str) -> str:
    """The root of a raw contract name (`ESZ25_FUT_CME` → `ES`); a name that is no contract is its own root."""
    if raw in INSTRUMENTS:
        return raw
    match = _CONTRACT.match(raw)
    return match["root"] if match else raw


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One Globex session: opens at 18:00 New York time on the evening before `date`, closes at 17:00 on it.

    All times are int64 nanoseconds UTC; windows are half-open.
    """

    date: date
    open_ns: int
    rth_open_ns: int
    rth_close_ns: int
    close_ns: int


def _at(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime.combine(day, time(hour, minute), EXCHANGE_TZ).timestamp()) * NS_PER_S


@lru_cache(maxsize=64)
def trading_day(day: date) -> TradingDay:
    """The session of a date (Monday to Friday)."""
    return TradingDay(
        date=day,
        open_ns=_at(day - timedelta(days=1), 18),
        rth_open_ns=_at(day, 9, 30),
        rth_close_ns=_at(day, 16),
        close_ns=_at(day, 17),
    )


def trading_days_from(ns: int) -> Iterator[TradingDay]:
    """The sessions that close after `ns`, in order, without end."""
    day = datetime.fromtimestamp(ns / NS_PER_S, EXCHANGE_TZ).date() - timedelta(days=1)
    while True:
        if day.weekday() < 5:
            session = trading_day(day)
            if session.close_ns > ns:
                yield session
        day += timedelta(days=1)


def session_at(ns: int) -> TradingDay:
    """The session that is open at `ns` or, in a break or at a weekend, the next one to open."""
    return next(trading_days_from(ns))


def is_open(ns: int) -> bool:
    """Whether Globex trades at `ns`."""
    return session_at(ns).open_ns <= ns

"""Makes feedsim/instruments/holidays.toml from the calendar CME_Equity of pandas-market-calendars: `make holidays`.

What that calendar says is kept, except on the days of MENDED, where the exchange's own notices say otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time
from functools import cache
from pathlib import Path

import pandas as pd
import pandas_market_calendars

import feedsim.instruments

TABLE = Path(feedsim.instruments.__file__).with_name("holidays.toml")
FIRST, LAST = date(2010, 1, 1), date(2030, 12, 31)
NEW_YORK = "America/New_York"

MENDED = {
    # The stock exchanges were closed, futures traded through the night.
    date(2012, 10, 29): time(9, 15),  # Hurricane Sandy
    date(2012, 10, 30): time(9, 15),
    date(2018, 12, 5): time(9, 30),  # days of mourning: "closing after overnight trading at 8:30 a.m. Central Time"
    date(2025, 1, 9): time(9, 30),
}

_HEAD = """\
# Special days of CME Globex equity index futures, {first} to {last}, in New York time.
# Made by `make holidays` from pandas-market-calendars (CME_Equity); not to be edited by hand.
"""


@cache
def schedule() -> pd.DataFrame:
    """The source's sessions, one row a date, in New York time."""
    calendar = pandas_market_calendars.get_calendar("CME_Equity")
    found: pd.DataFrame = calendar.schedule(FIRST.isoformat(), LAST.isoformat(), tz=NEW_YORK)
    return found


def source_closes() -> dict[date, time | None]:
    """When special days close by the source, None without a session; 16:15 was the usual close until November 2012."""
    closes = schedule()["market_close"]
    closing = {day.date(): at.time() for day, at in zip(schedule().index, closes, strict=True)}
    weekdays = [day.date() for day in pd.bdate_range(FIRST, LAST)]
    return {day: closing.get(day) for day in weekdays if closing.get(day, time.min) < time(16, 15)}


def text() -> str:
    """The table as it should be."""
    closed: list[date] = []
    early: dict[str, list[date]] = defaultdict(list)
    for day, closing in sorted({**source_closes(), **MENDED}.items()):
        (closed if closing is None else early[f"{closing:%H:%M}"]).append(day)
    head = _HEAD.format(first=FIRST, last=LAST)
    parts = [f'"{closing}" = {_days(early[closing])}' for closing in sorted(early)]
    body = ["# No session.", f"closed = {_days(closed)}", "", "[early] # by the time of the close", *parts]
    return "\n".join([head, *body, ""])


def _days(days: list[date]) -> str:
    """A TOML array, one year a line."""
    years: dict[int, list[str]] = defaultdict(list)
    for day in days:
        years[day.year].append(day.isoformat())
    return "\n".join(["[", *(f"    {', '.join(each)}," for each in years.values()), "]"])


if __name__ == "__main__":
    TABLE.write_text(text(), "utf-8")

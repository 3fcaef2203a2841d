"""Random trades for the observers, ways to cut them into windows, and a slow reading of the calendar beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from feedsim.events import Ragged, Table
from feedsim.instruments import EXCHANGE_TZ, NS_PER_S
from feedsim.observe import Observer
from tests.support.globex import EARLY_2025, NO_SESSION_2025

SYMBOLS = ("ES", "NQ")


class Deal(NamedTuple):
    """One trade."""

    at: int
    symbol: int
    price: float
    size: int
    side: int


def ns(text: str) -> int:
    """New York time as nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=EXCHANGE_TZ).timestamp()) * NS_PER_S


def table(deals: Sequence[Deal]) -> Table:
    columns = {name: [getattr(deal, name) for deal in deals] for name in ("symbol", "price", "size", "side")}
    at = np.array([deal.at for deal in deals], np.int64)
    # The exchange's time is earlier and may jump: only the available time may decide.
    return Table.build("trade", SYMBOLS, {**columns, "ts": at - 7_000_000_000, "trade_id": range(len(at))}, avail=at)


# Where windows, sessions and weeks meet: a Thursday's and a Friday's last minutes, and the openings that follow.
ANCHORS = [ns(t) for t in ("2025-08-21T15:59:30", "2025-08-21T16:59:00", "2025-08-21T18:00:00", "2025-08-22T16:59:58")]
ANCHORS += [ns(t) for t in ("2025-08-24T18:00:00", "2025-08-24T18:02:00", "2025-08-25T15:58:00", "2025-08-25T16:59:59")]
RANGE = (ns("2025-08-21T15:59:00"), ns("2025-08-25T18:30:00"))

times = st.builds(
    lambda anchor, s, rest: anchor + s * NS_PER_S + rest,
    st.sampled_from(ANCHORS),
    st.integers(0, 150),
    st.sampled_from([0, 0, 1, 500_000_000, 999_999_999]),
)
close_times = st.builds(
    lambda s, rest: ANCHORS[0] + s * NS_PER_S + rest, st.integers(0, 90), st.sampled_from([0, 1, 999_999_999])
)


def deals(
    at: st.SearchStrategy[int] = times, *, tick: float = 0.25, sides: Sequence[int] = (-1, 0, 1)
) -> st.SearchStrategy[list[Deal]]:
    """Trades in time order, few prices so that ties happen."""
    one = st.builds(
        Deal,
        at=at,
        symbol=st.integers(0, 1),
        price=st.integers(0, 12).map(lambda k: 5000 + k * tick),
        size=st.integers(1, 5),
        side=st.sampled_from(sides),
    )
    return st.lists(one, max_size=40).map(lambda found: sorted(found, key=lambda deal: deal.at))


cuts = st.lists(
    st.one_of(times, times.map(lambda at: at // NS_PER_S * NS_PER_S), st.sampled_from(ANCHORS)), max_size=12
).map(sorted)


def run(observer: Observer, trades: Table, untils: Sequence[int]) -> list[Table]:
    """What an observer tells, window by window."""
    told, row = [], 0
    for until in untils:
        upto = int(np.searchsorted(trades.avail, until))
        told.append(observer.observe(trades.take(slice(row, upto)), until))
        row = max(row, upto)
    return told


def rows(*tables: Table) -> list[dict[str, Any]]:
    """Rows as dicts, with the available time; NaN as None, so that they can be compared."""
    found: list[dict[str, Any]] = []
    for part in tables:
        columns: dict[str, list[Any]] = {"avail": part.avail.tolist(), "own": part.own.tolist()}
        for name, column in part.columns.items():
            columns[name] = column.lists() if isinstance(column, Ragged) else column.tolist()
        found += [
            {name: None if value != value else value for name, value in zip(columns, row, strict=True)}
            for row in zip(*columns.values(), strict=True)
        ]
    return found


@lru_cache(maxsize=4096)
def session_open(at: int) -> int:
    """When the session of a time opened: the last 18:00 in New York on the eve of a day that has one (2025)."""
    local = datetime.fromtimestamp(at // NS_PER_S, EXCHANGE_TZ)
    day = local.replace(hour=18, minute=0, second=0, microsecond=0)
    while day > local or not _has_session(day + timedelta(days=1)):
        day -= timedelta(days=1)
    return int(day.timestamp()) * NS_PER_S


@lru_cache(maxsize=4096)
def open_at(at: int) -> bool:
    """Whether Globex trades: from 18:00 on the eve of a day that has a session to its close, New York time (2025)."""
    local = datetime.fromtimestamp(at // NS_PER_S, EXCHANGE_TZ)
    if local.hour >= 18:
        return _has_session(local + timedelta(days=1))
    return _has_session(local) and local.time() < EARLY_2025.get(local.date(), time(17))


def _has_session(day: datetime) -> bool:
    return day.weekday() < 5 and day.date() not in NO_SESSION_2025


def has_open_time(start: int, length: int) -> bool:
    """Whether a window has open hours in it: openings are on whole hours, so a window that has some has an hour's."""
    step = min(length, 3600 * NS_PER_S)
    return any(open_at(start + offset) for offset in range(0, length, step))

"""Profiles against one made from all trades anew at every row, and value areas against the rule's own words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import EXCHANGE_TZ, NS_PER_S
from feedsim.observe import Profiles
from feedsim.observe.profile import value_area
from tests.observe.cases import RANGE, SYMBOLS, Deal, deals, has_open_time, ns, rows, run, session_open, table

END = RANGE[1]
LENGTH = 600 * NS_PER_S


def naive_area(volume: dict[float, int]) -> tuple[float, float, float]:
    """POC, VAH and VAL of lots by price."""
    levels = sorted(volume)
    total = sum(volume.values())
    vwap = sum(Fraction(level) * lots for level, lots in volume.items()) / total
    poc = min(levels, key=lambda level: (-volume[level], abs(Fraction(level) - vwap), level))
    inside = [poc]
    while sum(volume[level] for level in inside) * 10 < total * 7:
        above = [level for level in levels if level > max(inside)][:2]
        below = [level for level in levels if level < min(inside)][-2:]
        up, down = (sum(volume[level] for level in pair) for pair in (above, below))
        inside += above if above and (up >= down or not below) else below
    return poc, max(inside), min(inside)


def naive_row(own: Sequence[Deal], end: int) -> dict[str, Any]:
    """The profile of one symbol at a time, from its trades before it."""
    by_session: dict[int, list[Deal]] = {}
    for deal in own:
        by_session.setdefault(session_open(deal.at), []).append(deal)
    current = session_open(end - 1)
    now = by_session.pop(current, [])
    prior = by_session[max(by_session)] if by_session else []
    close = _regular_close(current)
    before_close = [deal.price for deal in now if deal.at < close]
    shape, old = _shape(now), _shape(prior)
    return {
        **{name: shape[name] for name in ("poc", "vah", "val", "high", "low")},
        "settlement": before_close[-1] if before_close and end >= close else None,
        **{f"prior_{name}": old[name] for name in ("high", "low", "close", "poc", "vah", "val")},
    }


def _shape(found: Sequence[Deal]) -> dict[str, float | None]:
    names = ("poc", "vah", "val", "high", "low", "close")
    if not found:
        return dict.fromkeys(names)
    volume = Counter[float]()
    for deal in found:
        volume[deal.price] += deal.size
    return dict(zip(names, (*naive_area(volume), max(volume), min(volume), found[-1].price), strict=True))


def _regular_close(opened: int) -> int:
    """16:00 on the day after the session's opening at 18:00."""
    local = datetime.fromtimestamp(opened // NS_PER_S, EXCHANGE_TZ)
    return ns(f"{datetime.fromordinal(local.toordinal() + 1).date()}T16:00:00")


def naive_profiles(found: Sequence[Deal], length: int, until: int) -> list[dict[str, Any]]:
    told = []
    for symbol in range(len(SYMBOLS)):
        own = [deal for deal in found if deal.symbol == symbol]
        traded = {deal.at // length * length for deal in own}
        start = min(traded, default=until)
        while (end := start + length) < until:
            if start in traded or has_open_time(start, length):
                row = naive_row([deal for deal in own if deal.at < end], end)
                told.append({"ts": end, "avail": end, "own": -1, "symbol": symbol, **row})
            start = end
    return sorted(told, key=lambda row: (row["avail"], row["symbol"]))


@given(found=deals())
def test_profiles_over_days(found: list[Deal]) -> None:
    """Every row, over a daily break, a weekend and the regular close, is what the trades before it make."""
    told = rows(*run(Profiles(SYMBOLS, every_s=LENGTH // NS_PER_S), table(found), [END]))
    assert told == naive_profiles(found, LENGTH, END)


@given(found=deals(st.sampled_from([ns("2025-08-21T19:30:00"), ns("2025-08-22T14:00:00"), ns("2025-08-21T15:59:59")])))
def test_rows_longer_than_the_break(found: list[Deal]) -> None:
    """A row whose window has two sessions in it tells the later one's profile and the former one as prior."""
    length = 14_400 * NS_PER_S
    told = rows(*run(Profiles(SYMBOLS, every_s=14_400), table(found), [END]))
    assert told == naive_profiles(found, length, END)


@given(lots=st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_value_area(lots: list[int]) -> None:
    """Pairs above and below the POC are taken by their volume until 70 % is inside."""
    volume = {5000 + index * 0.25: size for index, size in enumerate(lots)}
    poc, low, high = value_area(np.array(list(volume)), np.array(lots))
    levels = list(volume)
    if sum(lots):
        assert (levels[poc], levels[high], levels[low]) == naive_area(volume)
        assert sum(lots[low : high + 1]) >= 0.7 * sum(lots)
    else:
        assert (poc, low, high) == (0, 0, 0)


def test_settlement_is_the_last_trade_before_the_close() -> None:
    """The settlement is null before 16:00; a trade at 16:00 sharp is too late for it."""
    close = ns("2025-08-21T16:00:00")
    times = (close - 90 * NS_PER_S, close - 1, close)
    found = [Deal(at, 0, price, 1, 1) for at, price in zip(times, (5000.0, 5001.0, 5002.0), strict=True)]
    told = rows(*run(Profiles(SYMBOLS), table(found), [close + 61 * NS_PER_S]))
    assert [row["settlement"] for row in told] == [None, 5001.0, 5001.0]
    assert [row["high"] for row in told] == [5000.0, 5001.0, 5002.0]


def test_prior_day_waits_for_the_next_session() -> None:
    """The prior day is null in the first session and known with the first row of the next, which has no trades yet."""
    found = [Deal(ns("2025-08-21T16:58:10"), 0, 5000.0, 1, 1), Deal(ns("2025-08-21T16:59:10"), 0, 5000.5, 2, -1)]
    told = rows(*run(Profiles(SYMBOLS), table(found), [ns("2025-08-21T18:01:00") + 1]))
    assert [row["prior_close"] for row in told] == [None, None, 5000.5]
    assert [row["close"] if "close" in row else row["poc"] for row in told] == [5000.0, 5000.5, None]
    assert math.isclose(told[-1]["prior_poc"], 5000.5)

"""Activity and volatility through a session, against what was measured on the exchange."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from statistics import fmean

import pytest

from feedsim.instruments import NS_PER_MINUTE, trading_day
from feedsim.market.seasons import CLOSING, RTH, SESSION_MINUTES, busy, minute_of_season, swing

ROOTS = ("ES", "NQ")

# Volume by half-hours of regular trading, mean 1; 27 days of 2026.
VOLUME = {
    "ES": (1.66, 1.30, 1.15, 1.05, 0.95, 0.80, 0.74, 0.74, 0.73, 0.70, 0.63, 0.75, 1.80),
    "NQ": (2.00, 1.50, 1.28, 1.06, 0.92, 0.75, 0.72, 0.78, 0.70, 0.67, 0.65, 0.70, 1.23),
}
# The same of the standard deviation of a minute's return.
VOLATILITY = (1.55, 1.25, 1.10, 1.03, 0.98, 0.90, 0.82, 0.92, 0.88, 0.80, 0.72, 0.80, 1.02)
# Volume by hours from 18:00 without 09:00, the hour from 15:00 is 1; ES, April 2025.
HOURS = (
    *(0.055, 0.033, 0.044, 0.041, 0.029, 0.026, 0.021, 0.024, 0.040, 0.063, 0.059, 0.046, 0.070, 0.084, 0.155),
    *(0.865, 0.677, 0.561, 0.527, 0.478, 1.0, 0.276),
)


def half_hours(values: list[float]) -> list[float]:
    regular = values[RTH]
    return [fmean(regular[start : start + 30]) for start in range(0, len(regular), 30)]


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("season", [busy, swing])
def test_every_minute_of_a_session(season: Callable[[str], list[float]], root: str) -> None:
    """A session lasts 23 hours, is never dead, and regular trading has a mean of 1."""
    values = season(root)
    assert len(values) == SESSION_MINUTES == 1380
    assert min(values) > 0
    assert fmean(values[RTH]) == pytest.approx(1)


@pytest.mark.parametrize("root", ROOTS)
def test_volume_is_a_u(root: str) -> None:
    """Each half-hour of regular trading has what was measured."""
    assert half_hours(busy(root)) == pytest.approx(VOLUME[root], rel=0.02)


@pytest.mark.parametrize(("root", "first", "last", "at_close"), [("ES", 2.4, 5.0, 10.0), ("NQ", 3.4, 2.8, 5.0)])
def test_the_open_and_the_close_are_bursts(root: str, first: float, last: float, at_close: float) -> None:
    """The first five minutes, the last five, and the last two, in which closing orders are done."""
    regular = busy(root)[RTH]
    assert fmean(regular[:5]) == pytest.approx(first, rel=0.02)
    assert fmean(regular[-5:]) == pytest.approx(last, rel=0.02)
    assert fmean(regular[-2:]) == pytest.approx(at_close, rel=0.05)


@pytest.mark.parametrize(("root", "share"), [("ES", 0.81), ("NQ", 0.81)])
def test_the_share_of_regular_trading(root: str, share: float) -> None:
    """In a session's volume."""
    values = busy(root)
    assert sum(values[RTH]) / sum(values) == pytest.approx(share)


def test_volume_by_hours() -> None:
    """The night's hours are in proportion to each other as measured, and near that to the day's."""
    values = busy("ES")
    hours = [fmean(values[start : start + 60]) for start in range(0, SESSION_MINUTES, 60)]
    del hours[15]  # 09:00: half night, half day
    measured = [hour / HOURS[0] for hour in HOURS[:15]]
    assert [hour / hours[0] for hour in hours[:15]] == pytest.approx(measured, rel=0.03)
    assert [hour / hours[20] for hour in hours] == pytest.approx(HOURS, rel=0.20)


@pytest.mark.parametrize("root", ROOTS)
def test_volatility_is_a_u(root: str) -> None:
    """Each half-hour of regular trading has what was measured."""
    mean = fmean(VOLATILITY)
    assert half_hours(swing(root)) == pytest.approx([value / mean for value in VOLATILITY], rel=0.01)


def test_the_night_has_half_the_volatility() -> None:
    """0.4 to 0.6 of that of regular trading; most after 08:30, when figures come."""
    values = swing("ES")
    night, evening = values[: RTH.start], values[RTH.stop :]
    assert 0.4 < fmean([*night, *evening]) < 0.6
    assert max(night) == values[14 * 60 + 30]


def test_an_early_close_has_the_closing_half_hour() -> None:
    """Minute by minute the last half hour of a whole day; before it, and on other days, the minute itself."""
    whole, half, stub = (trading_day(date(2025, *day)) for day in ((11, 26), (11, 28), (4, 18)))
    assert (stub.rth_open_ns, half.closes_early) == (stub.rth_close_ns, True)
    for day in (whole, half, stub):
        minutes = range((day.close_ns - day.open_ns) // NS_PER_MINUTE)
        found = [minute_of_season(day, day.open_ns + minute * NS_PER_MINUTE) for minute in minutes]
        assert minute_of_season(day, day.close_ns - 1) == found[-1]
        if day is half:
            assert found[-CLOSING:] == list(range(RTH.stop - CLOSING, RTH.stop))
            found, minutes = found[:-CLOSING], minutes[:-CLOSING]
        assert found == list(minutes)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("season", [busy, swing])
def test_curves_are_smooth(season: Callable[[str], list[float]], root: str) -> None:
    """From minute to minute little changes except at 08:30, 09:30, the closing orders and the close."""
    values = season(root)
    steps = [minute for minute, (one, other) in enumerate(pairwise(values), 1) if not 0.75 < other / one < 1.33]
    assert set(steps) <= {14 * 60 + 30, RTH.start, RTH.stop - 2, RTH.stop}
    assert {14 * 60 + 30, RTH.start, RTH.stop} <= set(steps)

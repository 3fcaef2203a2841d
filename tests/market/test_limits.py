"""Price limits against the exchange's published rules."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.instruments import NS_PER_S, trading_day
from feedsim.market.limits import (
    LIMITS,
    Halt,
    dynamic_bands,
    dynamic_halt,
    limit_bands,
    limit_halt,
    phase_at,
    velocity_bands,
    velocity_halt,
)

REFERENCE = 24_000  # ticks: 6,000 points
DAY = trading_day(date(2025, 8, 21))
HALF_DAY = trading_day(date(2025, 11, 28))
references = st.integers(4, 200_000)
phases = st.sampled_from(sorted(LIMITS))


@pytest.mark.parametrize(
    ("minutes", "phase"),
    [
        (0, "overnight"),
        (929, "overnight"),
        (930, "regular"),  # 08:30 in Chicago
        (1284, "regular"),
        (1285, "late"),  # 14:25
        (1319, "late"),
        (1320, "evening"),  # 15:00
        (1379, "evening"),
    ],
)
def test_phases_of_a_session(minutes: int, phase: str) -> None:
    """Each from its first minute on, counted from 18:00 in New York."""
    assert phase_at(DAY, DAY.open_ns + minutes * 60 * NS_PER_S) == phase


def test_phases_of_a_half_day() -> None:
    """With a close at 13:00 level 3 alone holds from 12:25."""
    assert phase_at(HALF_DAY, HALF_DAY.close_ns - 35 * 60 * NS_PER_S) == "late"
    assert phase_at(HALF_DAY, HALF_DAY.close_ns - 35 * 60 * NS_PER_S - 1) == "regular"


@pytest.mark.parametrize(
    ("phase", "level", "low", "high"),
    [
        ("overnight", 0, 22_320, 25_680),  # ±7 %
        ("regular", 0, 22_320, math.inf),  # −7 %, nothing above
        ("regular", 1, 20_880, math.inf),  # −13 %
        ("regular", 2, 19_200, math.inf),  # −20 %
        ("regular", 3, 19_200, math.inf),
        ("late", 0, 19_200, math.inf),
        ("late", 2, 19_200, math.inf),
        ("evening", 0, 22_320, 25_680),
        ("evening", 2, 22_320, 25_680),
    ],
)
def test_limits(phase: str, level: int, low: float, high: float) -> None:
    """By the time of day and the level at which trading has halted already."""
    assert limit_bands(REFERENCE, phase, level=level) == (low, high)


def test_the_evening_goes_no_lower_than_the_day() -> None:
    """After a fall of 15 % the evening's limit is the day's 20 %, not 7 % more."""
    close = REFERENCE * 85 // 100
    assert limit_bands(close, "evening", day_reference=REFERENCE) == (19_200, math.floor(close * 1.07))
    assert limit_bands(REFERENCE, "evening", day_reference=REFERENCE)[0] == 22_320


@pytest.mark.parametrize(
    ("phase", "level", "seconds"),
    [
        ("regular", 0, 900),
        ("regular", 1, 900),
        ("regular", 2, None),
        ("late", 0, None),
        ("late", 1, None),
    ],
)
def test_halts_of_the_day(phase: str, level: int, seconds: int | None) -> None:
    """A quarter of an hour at levels 1 and 2, the rest of the session at level 3."""
    halt = limit_halt(phase, level=level)
    assert halt is not None
    assert halt.seconds == seconds
    assert halt.reason.endswith(str(3 if seconds is None else level + 1))


@pytest.mark.parametrize("phase", ["overnight", "evening"])
def test_the_night_has_no_halts(phase: str) -> None:
    """At its limits trading goes on."""
    assert limit_halt(phase) is None


def test_dynamic_circuit_breaker() -> None:
    """3.5 % from the highest or the lowest price of the hour, two minutes, outside regular hours alone."""
    assert dynamic_bands(20_000, 20_000, "overnight") == (19_300, 20_700)
    assert dynamic_bands(20_000, 20_400, "evening") == (19_686, 20_700)
    assert dynamic_bands(20_000, 20_400, "regular") == dynamic_bands(1, 2, "late") == (-math.inf, math.inf)
    assert dynamic_halt() == Halt("dynamic circuit breaker", 120)


def test_velocity_logic() -> None:
    """It holds all day and pauses for 5 to 10 s, longer at night."""
    assert velocity_bands(20_000, 20_000, "regular") == (19_900, 20_100)
    assert [velocity_halt(phase).seconds for phase in ("regular", "late", "overnight")] == [5, 5, 10]


@given(reference=references, phase=phases, level=st.integers(0, 3))
def test_limits_are_ticks_within_the_rule(reference: int, phase: str, level: int) -> None:
    """Whole ticks, no farther from the reference than allowed, less than a tick nearer, and lower at higher levels."""
    low, high = limit_bands(reference, phase, level=level)
    shares = [percent for percent in (7, 13, 20) if 0 <= low * 100 - reference * (100 - percent) < 100]
    assert shares
    assert low.is_integer()
    assert low <= reference <= high
    if math.isfinite(high):
        assert high.is_integer()
        assert 0 <= reference * 107 - high * 100 < 100
    assert limit_bands(reference, phase, level=min(level + 1, 3))[0] <= low


@given(lowest=references, width=st.integers(0, 5000), phase=phases)
def test_a_wider_range_pauses_sooner(lowest: int, width: int, phase: str) -> None:
    """The farther prices have gone, the less room is left on both sides; velocity logic leaves least."""
    highest = lowest + width
    for bands in (dynamic_bands, velocity_bands):
        assert bands(lowest, highest, phase)[0] >= bands(lowest, lowest, phase)[0]
        assert bands(lowest, highest, phase)[1] <= bands(highest, highest, phase)[1]
    assert velocity_bands(lowest, highest, phase)[0] >= dynamic_bands(lowest, highest, phase)[0]

"""Price limits and trading pauses of CME equity index futures, as pure functions of prices and the time of day.

Prices are in ticks. The rules of today (until 2020 the night had 5 %), from the exchange's FAQs on price limits and on
dynamic circuit breakers; the numbers are in `LIMITS`. Who asks decides what happens to a book at a limit or in a pause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

from feedsim.instruments import NS_PER_MINUTE, TradingDay

LATE_NS = 35 * NS_PER_MINUTE  # 15:25-16:00: the stock exchanges halt at level 3 only
DYNAMIC_WINDOW_S = 3600
VELOCITY_WINDOW_S = 1
LEVEL_3 = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLimits:
    """What holds in one part of a session; shares are in percent of the reference price."""

    down: tuple[float, ...]
    """The limits below it, each in force until trading has halted at it; the last stays."""
    first_level: int = 0
    """The level of the first of them; 0 where trading goes on at the limit."""
    up: float | None = None
    """The limit above it."""
    dynamic: float | None = None
    """A move within DYNAMIC_WINDOW_S that pauses trading, in percent of where it began."""
    velocity: float = 0.5
    """The same within VELOCITY_WINDOW_S; an estimate, the exchange sets it by product and time."""
    velocity_pause_s: int = 5


LIMITS = MappingProxyType(
    {
        "overnight": PhaseLimits(down=(7.0,), up=7.0, dynamic=3.5, velocity_pause_s=10),  # 18:00-09:30
        "regular": PhaseLimits(down=(7.0, 13.0, 20.0), first_level=1),  # 09:30-15:25
        "late": PhaseLimits(down=(20.0,), first_level=LEVEL_3),  # 15:25-16:00
        "evening": PhaseLimits(down=(7.0,), up=7.0, dynamic=3.5, velocity_pause_s=10),  # 16:00-17:00
    }
)
DAY_FLOOR = 20.0  # percent below the reference of the day: no limit of the evening is lower
LEVEL_HALT_S = 15 * 60  # levels 1 and 2, with the stock exchanges; level 3 ends the session
DYNAMIC_PAUSE_S = 2 * 60


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading stops for a time; `seconds` is None until the session's close."""

    reason: str
    seconds: int | None


def phase_at(day: TradingDay, ns: int) -> str:
    """Which of `LIMITS` holds at a time of a session; on early closes the late part is as long as ever."""
    if ns < day.rth_open_ns:
        return "overnight"
    if ns >= day.rth_close_ns:
        return "evening"
    return "regular" if ns < day.rth_close_ns - LATE_NS else "late"


def limit_bands(
    reference: float, phase: str, *, level: int = 0, day_reference: float | None = None
) -> tuple[float, float]:
    """The lowest and the highest price that may trade, whole ticks; ∞ where there is no upper limit.

    `reference` is the prior session's price at 16:00 (VWAP of its last 30 s), in the evening that of the same day;
    then `day_reference` is the one before. `level` is the highest at which trading has already halted in this session.
    """
    limits = LIMITS[phase]
    rank = max(level + 1, limits.first_level) - limits.first_level if limits.first_level else 0
    low = _below(reference, limits.down[min(rank, len(limits.down) - 1)])
    if day_reference is not None:
        low = max(low, _below(day_reference, DAY_FLOOR))
    return low, math.inf if limits.up is None else _above(reference, limits.up)


def limit_halt(phase: str, *, level: int = 0) -> Halt | None:
    """What follows when the lower limit of `limit_bands(…, phase, level=level)` is reached; None if trading goes on."""
    first = LIMITS[phase].first_level
    if not first:
        return None
    reached = min(max(level + 1, first), LEVEL_3)
    return Halt(limit_reason(reached), None if reached == LEVEL_3 else LEVEL_HALT_S)


def limit_reason(level: int) -> str:
    """What is said of a halt at a limit, 1 to LEVEL_3."""
    return f"limit down, level {level}"


def dynamic_bands(lowest: float, highest: float, phase: str) -> tuple[float, float]:
    """Beyond which prices trading pauses, by the extremes of the last DYNAMIC_WINDOW_S; infinite in regular hours."""
    share = LIMITS[phase].dynamic
    return (-math.inf, math.inf) if share is None else (_below(highest, share), _above(lowest, share))


def dynamic_halt() -> Halt:
    """The pause of a dynamic circuit breaker."""
    return Halt("dynamic circuit breaker", DYNAMIC_PAUSE_S)


def velocity_bands(lowest: float, highest: float, phase: str) -> tuple[float, float]:
    """Beyond which prices velocity logic pauses trading, by the extremes of the last VELOCITY_WINDOW_S."""
    share = LIMITS[phase].velocity
    return _below(highest, share), _above(lowest, share)


def velocity_halt(phase: str) -> Halt:
    """The pause of velocity logic: the book stays and trading goes on with an auction."""
    return Halt("velocity logic", LIMITS[phase].velocity_pause_s)


def _below(price: float, percent: float) -> float:
    """The last tick that is no more than so far below: + − × ÷ alone, exact for whole ticks."""
    return float(math.ceil(price * (100.0 - percent) / 100.0))


def _above(price: float, percent: float) -> float:
    return float(math.floor(price * (100.0 + percent) / 100.0))

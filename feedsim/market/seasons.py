"""How busy and how volatile the market is through a Globex session, minute by minute from 18:00 New York time.

Both are in units of regular trading (mean 1 over 09:30-16:00) and long-run means; what chance adds is elsewhere.
Stretches of a session have a given mean; within and across them the curve is smooth.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import MappingProxyType

from feedsim.instruments import NS_PER_MINUTE, TradingDay
from feedsim.market.chance import total

SESSION_MINUTES = 23 * 60
RTH = slice(15 * 60 + 30, 22 * 60)  # minutes of regular trading
CLOSING = 30  # of these in which the close comes near

# Tables are of (minutes, mean) in order; JUMP parts stretches between which the curve is not continuous.
Table = Sequence[tuple[int, float]]
JUMP = (0, 0.0)

# Volume before regular trading, and after it, by hours of 2025; their level against regular trading is in _SHARE.
_NIGHT: Table = (
    *((10, 0.10), (50, 0.046), (60, 0.033)),  # 18:00
    *((60, 0.044), (60, 0.041), (60, 0.029), (60, 0.026)),  # 20:00, Asia
    *((60, 0.021), (60, 0.024), (60, 0.040)),  # 00:00
    *((60, 0.063), (60, 0.059), (60, 0.046), (60, 0.070), (60, 0.084)),  # 03:00, Europe
    *((30, 0.120), JUMP, (10, 0.24), (20, 0.165), (20, 0.155), (10, 0.21)),  # 08:00, figures at 08:30
)
_EVENING: Table = ((5, 1.2), (10, 0.35), (15, 0.20), (30, 0.17))  # 16:00
_SHARE = MappingProxyType({"ES": 0.81, "NQ": 0.81})
"""Of regular trading in a session's volume."""

_REGULAR: MappingProxyType[str, Table] = MappingProxyType(
    {
        "ES": (
            *((5, 2.4), (10, 1.72), (15, 1.375)),  # 09:30
            *((30, 1.30), (30, 1.15), (30, 1.05), (30, 0.95), (30, 0.80), (30, 0.74)),  # 10:00
            *((30, 0.74), (30, 0.73), (30, 0.70), (30, 0.63), (30, 0.75)),  # 13:00
            *((15, 1.0), (10, 1.4), (3, 1.67), JUMP, (2, 10.0)),  # 15:30, market-on-close orders
        ),
        "NQ": (
            *((5, 3.4), (10, 1.90), (15, 1.60)),
            *((30, 1.50), (30, 1.28), (30, 1.06), (30, 0.92), (30, 0.75), (30, 0.72)),
            *((30, 0.78), (30, 0.70), (30, 0.67), (30, 0.65), (30, 0.70)),
            *((15, 0.84), (10, 1.03), (3, 1.3), JUMP, (2, 5.05)),
        ),
    }
)

# Volatility, the same for both: the night has about half that of the day.
_NIGHT_SWING: Table = (
    *((10, 0.65), (50, 0.45), (60, 0.42)),
    *((60, 0.45), (60, 0.42), (60, 0.36), (60, 0.33)),
    *((60, 0.33), (60, 0.36), (60, 0.45)),
    *((60, 0.58), (60, 0.52), (60, 0.46), (60, 0.48), (60, 0.53)),
    *((30, 0.55), JUMP, (10, 0.95), (20, 0.72), (30, 0.65)),
)
_REGULAR_SWING: Table = (
    *((5, 2.0), (10, 1.6), (15, 1.367)),
    *((30, 1.25), (30, 1.10), (30, 1.03), (30, 0.98), (30, 0.90), (30, 0.82)),
    *((30, 0.92), (30, 0.88), (30, 0.80), (30, 0.72), (30, 0.80)),
    *((20, 0.96), (10, 1.14)),
)
_EVENING_SWING: Table = ((15, 0.70), (15, 0.50), (30, 0.42))


def busy(root: str) -> list[float]:
    """Volume, and so the rate of orders, in each minute of a session of ES or NQ."""
    regular = _level(_smooth(_REGULAR[root]))
    night, evening = _smooth(_NIGHT), _smooth(_EVENING)
    share = _SHARE[root]
    scale = len(regular) * (1 - share) / share / (total(night) + total(evening))
    return [*(scale * value for value in night), *regular, *(scale * value for value in evening)]


def swing(root: str) -> list[float]:  # noqa: ARG001 # one measurement serves both roots until there is another
    """Standard deviation of a minute's return in each minute of a session."""
    return [*_smooth(_NIGHT_SWING), *_level(_smooth(_REGULAR_SWING)), *_smooth(_EVENING_SWING)]


def minute_of_season(day: TradingDay, ns: int) -> int:
    """The minute of a whole session whose season a time of this one has; an early close has the closing half hour."""
    left = -((ns - day.rth_close_ns) // NS_PER_MINUTE)
    if day.closes_early and left <= CLOSING and ns >= day.rth_open_ns:
        return RTH.stop - left
    return (ns - day.open_ns) // NS_PER_MINUTE


def _level(values: list[float]) -> list[float]:
    """The curve with a mean of 1."""
    mean = total(values) / len(values)
    return [value / mean for value in values]


def _smooth(table: Table) -> list[float]:
    """A continuous curve through the stretches between jumps that keeps their means: a parabola in each."""
    values: list[float] = []
    piece: list[tuple[int, float]] = []
    for stretch in (*table, JUMP):
        if stretch != JUMP:
            piece.append(stretch)
            continue
        values += _parabolas(piece)
        piece = []
    return values


def _parabolas(piece: Table) -> list[float]:
    means = [mean for _, mean in piece]
    inner = [(low + high) / 2 for low, high in pairwise(means)]
    # At its ends a piece is a straight line.
    edges = [2 * means[0] - inner[0], *inner, 2 * means[-1] - inner[-1]] if inner else [means[0]] * 2
    values: list[float] = []
    for (minutes, mean), (start, end) in zip(piece, pairwise(edges), strict=True):
        bulge = 6 * (mean - (start + end) / 2)
        values += [_parabola(start, end, bulge, minute, minutes) for minute in range(minutes)]
    return values


def _parabola(start: float, end: float, bulge: float, minute: int, minutes: int) -> float:
    """The mean over one minute of start + (end − start)·x + bulge·x·(1 − x), x from 0 to 1 over the stretch."""
    x, width = (minute + 0.5) / minutes, 1 / minutes
    return start + (end - start) * x + bulge * (x * (1 - x) - width * width / 12)

"""Where an axis of New York time or of prices has its marks."""

from __future__ import annotations

from datetime import datetime

from feedsim.instruments import EXCHANGE_TZ, NS_PER_S

TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def time_marks(start_ns: int, end_ns: int, most: int) -> list[tuple[int, str]]:
    """(ns, label) at round New York times; the label has seconds, or the date, only where they tell something."""
    span_s = (end_ns - start_ns) / NS_PER_S
    step = next((step for step in TIME_STEPS_S if span_s / step <= most), 86_400 * (1 + int(span_s / 86_400 / most)))
    offset = datetime.fromtimestamp(start_ns // NS_PER_S, EXCHANGE_TZ).utcoffset()
    offset_s = 0 if offset is None else int(offset.total_seconds())
    first = -(-(start_ns // NS_PER_S + offset_s) // step) * step - offset_s
    marks = range(first, end_ns // NS_PER_S + 1, step)
    shown = "%m-%d" if step >= 86_400 else "%H:%M:%S" if step < 60 else "%H:%M"
    return [
        (second * NS_PER_S, datetime.fromtimestamp(second, EXCHANGE_TZ).strftime(shown))
        for second in marks
        if second * NS_PER_S >= start_ns
    ]


def round_marks(low: float, high: float, most: int) -> list[float]:
    """Round values in [low, high], at most about `most` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** _floor_log10(rough)
    step = next(nice * power for nice in NICE if nice * power >= rough * 0.999)
    first = -int(-low // step)
    return [index * step for index in range(first, int(high // step) + 1)]


def _floor_log10(value: float) -> int:
    exponent = 0
    while value >= 10:
        value, exponent = value / 10, exponent + 1
    while value < 1:
        value, exponent = value * 10, exponent - 1
    return exponent


def day_of(ns: int) -> str:
    """A date for people, in New York."""
    return datetime.fromtimestamp(ns // NS_PER_S, EXCHANGE_TZ).strftime("%A %d %B %Y")

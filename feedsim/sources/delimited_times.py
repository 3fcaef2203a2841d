"""Times in text: counts of s, ms, us or ns since the epoch, or dates with times, to exact nanoseconds UTC.

Which of them a file has is seen in its first row; every other row must have the same. A date is year first: whether
03/04/2025 is in March or in April cannot be known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from feedsim.errors import ConfigError, SourceError
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S

UNITS = {"s": NS_PER_S, "ms": 1_000_000, "us": 1_000, "ns": 1}
EARLIEST_NS, LATEST_NS = 315_532_800 * NS_PER_S, 7_258_118_400 * NS_PER_S
"""1980 and 2200."""
TEXT = "text"
_EXPECTED = "expected YYYY-MM-DD HH:MM:SS.fffffffff, or a whole or decimal count of s, ms, us or ns since the epoch"
_COUNT = re.compile(r"(\d+)(?:\.(\d*))?", re.ASCII)
_TIME = re.compile(
    r"(?P<date>(\d{4})([-/]?)(\d{1,2})\3(\d{1,2}))"
    r"(?:[T ] *(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r" *(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)


def check_unit(unit: str | None) -> None:
    """Raises ConfigError."""
    if unit is not None and unit not in UNITS:
        raise ConfigError(f"{unit!r}: expected one of {', '.join(UNITS)}", field="option time_unit")


def format_of(text: str, unit: str | None) -> str:
    """`text`, or the unit of a count: the one that is given, else the one in which it is a time of our age."""
    match = _COUNT.fullmatch(text)
    if match is None or len(match[1]) == 8:  # 20250821 is a date
        if unit is not None or _TIME.fullmatch(text) is None:
            raise SourceError(f"{text!r} is no time: {_EXPECTED}", row=0)
        return TEXT
    units = [unit] if unit is not None else list(UNITS)
    for name in units:
        if EARLIEST_NS <= int(match[1]) * UNITS[name] < LATEST_NS:
            return name
    raise SourceError(f"{text!r} is no time from 1980 to 2200 in {' or '.join(units)}", row=0)


def parse_times(texts: Sequence[str], form: str) -> Int64:
    """Nanoseconds UTC of texts in one format. Raises SourceError; its row counts from 0."""
    found = _text_times(texts) if form == TEXT else _counts(texts, form)
    outside = (found < EARLIEST_NS) | (found >= LATEST_NS)
    if outside.any():
        row = int(np.argmax(outside))
        raise SourceError(f"{texts[row]!r} is no time from 1980 to 2200 {_as(form)}", row=row)
    return found


def has_zone(text: str) -> bool:
    """Whether a time says that it is UTC, or how far from it."""
    match = _TIME.fullmatch(text)
    return match is not None and match["zone"] is not None


def _as(form: str) -> str:
    return "as text" if form == TEXT else f"in {form}"


def _counts(texts: Sequence[str], unit: str) -> Int64:
    scale = UNITS[unit]
    most = len(str(LATEST_NS // scale))
    digits = len(str(scale)) - 1
    found = np.empty(len(texts), np.int64)
    for row, text in enumerate(texts):
        match = _COUNT.fullmatch(text)
        if match is None or len(match[1].lstrip("0")) > most:
            raise SourceError(f"{text!r} is no time: expected a count of {unit} since the epoch, as above", row=row)
        whole, fraction = match.groups()
        count = int(whole) * scale + (int((fraction + "0" * digits)[:digits] or 0) if fraction else 0)
        found[row] = _bounded(count)
    return found


def _text_times(texts: Sequence[str]) -> Int64:
    found = np.empty(len(texts), np.int64)
    days: dict[str, int] = {}
    for row, text in enumerate(texts):
        match = _TIME.fullmatch(text)
        if match is None:
            raise SourceError(f"{text!r} is no time: expected YYYY-MM-DD HH:MM:SS.fffffffff, as above", row=row)
        try:
            found[row] = _bounded(_ns(match, days))
        except ValueError as error:
            raise SourceError(f"{text!r} is no time: {error}", row=row) from None
    return found


def _bounded(ns: int) -> int:
    """What is outside the times that are taken stays outside, and fits 64 bits."""
    return min(max(ns, EARLIEST_NS - 1), LATEST_NS)


def _ns(match: re.Match[str], days: dict[str, int]) -> int:
    day, year, _, month, day_of_month, hour, minute, second, fraction, zone = match.groups()
    if day not in days:
        days[day] = (date(int(year), int(month), int(day_of_month)) - date(1970, 1, 1)).days * 86_400
    seconds = int(second or 0)
    if int(hour or 0) > 23 or int(minute or 0) > 59 or seconds > 59:
        raise ValueError("hours are up to 23, minutes and seconds up to 59")
    seconds += days[day] + int(hour or 0) * 3600 + int(minute or 0) * 60
    if zone is not None and zone[0] in "+-":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:] if len(zone) > 3 else 0) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds * NS_PER_S + (int(fraction.ljust(9, "0")) if fraction else 0)

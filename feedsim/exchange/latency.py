"""How long an order travels and a report comes back: seeded draws in session nanoseconds.

`0`, `2ms` · `lognormal:MEDIAN:SIGMA` · `histogram:FILE`, lines of a delay and a weight · `feed:DELAY:RATE`, so long
while the feed tells at most RATE events a second, in proportion longer when it tells more. Units are ns, us, ms and s.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from feedsim.errors import ConfigError
from feedsim.exchange.draws import uniform

Delay = Callable[[int, int, int, int], int]
"""(seed, number of the stream, number of the draw, session time in ns) → nanoseconds."""
Rate = Callable[[int], float]
"""Events that the feed told in the second before a session time."""

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s)")
_LONGEST_NS = 60_000_000_000
ALLOWED = (
    "allowed: 0, a time such as 2ms, lognormal:2ms:0.5 (median, sigma), feed:2ms:500 (delay, events a second),"
    " histogram:FILE; at most 60s"
)


def read_latency(text: str, field: str, rate: Rate = lambda _: 0.0) -> Delay:
    """The delays that a text describes. Raises ConfigError, naming the field."""
    kind, _, rest = text.partition(":")
    if kind == "feed":
        delay, _, events = rest.partition(":")
        return _with_feed(_duration(delay, text, field), _events(events, text, field), rate)
    if kind == "lognormal":
        median, _, sigma = rest.partition(":")
        return _lognormal(_duration(median, text, field), _sigma(sigma, text, field))
    if kind == "histogram":
        return _histogram(rest, field)
    fixed = 0 if text == "0" else _duration(text, text, field)
    return lambda *_: fixed


def _duration(part: str, text: str, field: str) -> int:
    match = _DURATION.fullmatch(part.strip())
    ns = round(float(match[1]) * _UNITS[match[2]]) if match else -1
    if not 0 <= ns <= _LONGEST_NS:
        raise ConfigError(f"{text!r}: {ALLOWED}", field=field)
    return ns


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _sigma(part: str, text: str, field: str) -> float:
    sigma = _number(part)
    if not 0 <= sigma <= 5:
        raise ConfigError(f"{text!r}: sigma is a number from 0 to 5; {ALLOWED}", field=field)
    return sigma


def _events(part: str, text: str, field: str) -> float:
    events = _number(part)
    if not 0 < events < math.inf:
        raise ConfigError(f"{text!r}: events a second are a number above 0; {ALLOWED}", field=field)
    return events


def _with_feed(delay_ns: int, events: float, rate: Rate) -> Delay:
    return lambda _seed, _stream, _number, ns: min(int(delay_ns * max(rate(ns) / events, 1.0)), _LONGEST_NS)


def _lognormal(median_ns: int, sigma: float) -> Delay:
    # The market's own exp and log are the same on every machine; they are loaded only where they are needed.
    from feedsim.market.chance import exp, log

    def draw(seed: int, stream: int, number: int, _ns: int) -> int:
        """By the polar method of Marsaglia (1964), a new pair of numbers until one is within the circle."""
        attempt = 0
        while True:
            x = 2.0 * uniform(seed, stream, number, attempt, 0) - 1.0
            y = 2.0 * uniform(seed, stream, number, attempt, 1) - 1.0
            r = x * x + y * y
            if 0.0 < r < 1.0:
                normal = x * math.sqrt(-2.0 * log(r) / r)
                return min(int(median_ns * exp(sigma * normal)), _LONGEST_NS)
            attempt += 1

    return draw


def _histogram(file: str, field: str) -> Delay:
    delays, weights = _read_histogram(file, field)
    edges = list(accumulate(weights))
    last = len(edges) - 1
    return lambda seed, stream, number, _: delays[
        bisect_right(edges, uniform(seed, stream, number) * edges[-1], hi=last)
    ]


def _read_histogram(file: str, field: str) -> tuple[list[int], list[float]]:
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise ConfigError(f"cannot be read: {reason}", file=file, field=field) from None
    delays, weights = [], []
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        weight = float(words[1]) if len(words) == 2 and re.fullmatch(r"\d+(\.\d+)?", words[1]) else -1.0
        if weight < 0:
            raise ConfigError(f"line {number}: expected a delay and a weight, such as 2ms 10", file=file, field=field)
        delays.append(_duration(words[0], line, field))
        weights.append(weight)
    if sum(weights) <= 0:
        raise ConfigError("no line has a weight above 0", file=file, field=field)
    return delays, weights

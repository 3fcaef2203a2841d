"""Lengths of time as people write them: `800us`, `5ms`, `1.5s`."""

from __future__ import annotations

import re

_UNITS_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s)")
LENGTHS = "a number with ns, us, ms or s"


def parse_ns(text: str) -> int | None:
    """Nanoseconds; None for what is no length of time."""
    match = _LENGTH.fullmatch(text.strip())
    return None if match is None else round(float(match[1]) * _UNITS_NS[match[2]])


def shown(ns: float) -> str:
    """Three digits and the unit that suits them."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size * 0.9995:
            value = ns / size
            return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
    return f"{ns:,.0f} ns"

"""Gates: `p99<5ms`, `corrected.max<=1s`; several with commas."""

from __future__ import annotations

import re
from dataclasses import dataclass

from feedsim.errors import ConfigError
from feedsim.lab.latency.result import Result
from feedsim.lab.latency.units import LENGTHS, parse_ns, shown

_CHECK = re.compile(r"(?:(?P<key>[\w:]+)\.)?(?P<what>p\d{1,2}(?:\.\d+)?|max)\s*(?P<sign><=?)\s*(?P<limit>\S+)")
FORM = f"[series.]p50, p99, p99.9 … or max, then < or <=, then {LENGTHS}, as p99<5ms"


@dataclass(frozen=True, slots=True)
class Check:
    """One limit."""

    text: str
    key: str
    """Of the series; empty for the result's own."""
    percent: float
    """100 for the largest."""
    limit_ns: int
    inclusive: bool

    def holds(self, result: Result) -> tuple[bool, str]:
        """Whether it does, and in words. Raises ConfigError for a series that there is not."""
        series = result.find(self.key or result.gate)
        if series is None:
            there = ", ".join(series.key for series in result.series)
            raise ConfigError(f"{self.text!r}: there is no series {self.key!r} here; there are: {there}", field="check")
        value_ns = series.latencies.percentiles([self.percent])[0]
        good = value_ns <= self.limit_ns if self.inclusive else value_ns < self.limit_ns
        if not series.latencies.count:
            return False, f"{self.text}: not kept, nothing was measured of {series.name}"
        return good, f"{self.text}: {'kept' if good else 'not kept'}, {series.name} has {shown(value_ns)}"


def parse_checks(text: str) -> list[Check]:
    """The limits of a `--check`. Raises ConfigError."""
    return [_parse(part.strip()) for part in text.split(",") if part.strip()]


def _parse(text: str) -> Check:
    match = _CHECK.fullmatch(text)
    limit_ns = None if match is None else parse_ns(match["limit"])
    if match is None or limit_ns is None:
        raise ConfigError(f"{text!r}: expected {FORM}", field="check")
    percent = 100.0 if match["what"] == "max" else float(match["what"][1:])
    return Check(text, match["key"] or "", percent, limit_ns, match["sign"] == "<=")

"""Latencies in an HdrHistogram: from a nanosecond to an hour, to three digits, in memory that does not grow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

import msgspec
from hdrh.histogram import HdrHistogram

LONGEST_NS = 3_600_000_000_000
DIGITS = 3
NS_PER_MS = 1_000_000
QUANTILES = (50.0, 90.0, 99.0, 99.9, 99.99)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of latencies, in nanoseconds."""

    count: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p99_9_ns: int
    p99_99_ns: int
    max_ns: int


class Latencies:
    """What was measured of one kind. Below zero, as clocks that disagree have it, counts as zero."""

    def __init__(self) -> None:
        self._hdr = HdrHistogram(1, LONGEST_NS, DIGITS)
        self.negative = 0

    @property
    def count(self) -> int:
        return int(self._hdr.total_count)

    @property
    def max_ns(self) -> int:
        return int(self._hdr.get_max_value()) if self.count else 0

    def add(self, ns: int, count: int = 1) -> None:
        self.negative += count if ns < 0 else 0
        self._hdr.record_value(min(max(ns, 0), LONGEST_NS), count)

    def add_corrected(self, ns: int, interval_ns: int) -> None:
        """One that held up what should have been measured every `interval_ns` meanwhile: that is added, as
        HdrHistogram's `record_corrected_value` does."""
        self._hdr.record_corrected_value(min(max(ns, 0), LONGEST_NS), interval_ns)

    def percentiles(self, wanted: Sequence[float]) -> list[int]:
        """The least value that so many percent do not exceed, in ns, for each; 0 where nothing was measured."""
        if not self.count:
            return [0] * len(wanted)
        found = self._hdr.get_percentile_to_value_dict([percent for percent in wanted if percent < 100])
        most = self.max_ns
        return [min(int(found[percent]), most) if percent < 100 else most for percent in wanted]

    def summary(self) -> Summary:
        p50, p90, p99, p99_9, p99_99 = self.percentiles(QUANTILES)
        return Summary(
            count=self.count,
            p50_ns=p50,
            p90_ns=p90,
            p99_ns=p99,
            p99_9_ns=p99_9,
            p99_99_ns=p99_99,
            max_ns=self.max_ns,
        )

    def shares(self, bounds_ns: Sequence[float]) -> list[float]:
        """The share of all that lies between each bound and the next."""
        counts = [0.0] * (len(bounds_ns) - 1)
        at = 0
        for step in self._hdr.get_recorded_iterator() if self.count else ():
            while at < len(counts) - 1 and step.value_iterated_to >= bounds_ns[at + 1]:
                at += 1
            counts[at] += step.count_at_value_iterated_to
        return [count / max(self.count, 1) for count in counts]

    def hgrm(self) -> bytes:
        """The percentile distribution in ms, in the text that HdrHistogram's plotters read (.hgrm)."""
        text = BytesIO()
        self._hdr.output_percentile_distribution(text, NS_PER_MS)
        # The library scales everything but the deviation.
        deviation = b"StdDeviation   = %12.3f" % (self._hdr.get_stddev() / NS_PER_MS if self.count else 0.0)
        return re.sub(rb"StdDeviation   = +[\d.]+", deviation, text.getvalue())

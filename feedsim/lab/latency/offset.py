"""How far the server's wall clock is ahead of ours, from round trips, as NTP does it: with an error that is known.

Of a round trip that left at t0 and was back at t3, and that the server stamped t1, the offset is t1 − (t0 + t3) / 2,
within half of t3 − t0, however the trip was divided. The shortest trips tell most (RFC 5905, clock filter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trip:
    """Microseconds of wall clocks: ours at both ends, the server's between."""

    left_us: int
    stamped_us: int
    back_us: int

    @property
    def offset_us(self) -> float:
        return self.stamped_us - (self.left_us + self.back_us) / 2

    @property
    def error_us(self) -> float:
        return (self.back_us - self.left_us) / 2 + 1  # a stamp is a whole microsecond


@dataclass(frozen=True, slots=True)
class Offset:
    """The server's clock less ours, at `at_us` and after; it drifts by a straight line."""

    at_us: int
    offset_us: float
    error_us: float
    drift: float = 0.0
    """Microseconds a microsecond."""

    def at(self, ours_us: float) -> float:
        """What to take off a time of the server's to have ours."""
        return self.offset_us + self.drift * (ours_us - self.at_us)


SAME_CLOCK = Offset(0, 0.0, 0.0)
"""Both ends on one host."""


def estimate(before: Sequence[Trip], after: Sequence[Trip]) -> Offset:
    """From trips before and after what is measured: the best of each, and the drift between them where it is more than
    the two errors can explain."""
    first, last = (min(trips, key=lambda trip: trip.error_us) for trips in (before, after or before))
    error_us = max(first.error_us, last.error_us)
    length_us = last.back_us - first.back_us
    moved_us = last.offset_us - first.offset_us
    if length_us > 0 and abs(moved_us) > first.error_us + last.error_us:
        return Offset(first.back_us, first.offset_us, error_us, moved_us / length_us)
    best = min((first, last), key=lambda trip: trip.error_us)
    return Offset(best.back_us, best.offset_us, best.error_us)

"""The session's clock: a straight line from a monotonic real clock to session time, re-anchored when it changes.

Session time is int64 nanoseconds UTC, real time is seconds of any monotonic clock, given as an argument.
"""

from __future__ import annotations

import math

NS_PER_S = 1_000_000_000


class Clock:
    """virtual = anchor + speed × (real − real anchor); it stands while paused and never runs backwards.

    At `speed` infinity the clock does not lead: it is moved to what was delivered, and everything is due.
    """

    def __init__(self, start_ns: int, speed: float = 1.0, *, now: float) -> None:
        self._anchor_ns = start_ns
        self._anchor = now
        self.speed = speed
        self.paused = False
        self._held: float | None = None

    @property
    def unpaced(self) -> bool:
        return math.isinf(self.speed)

    def session_ns(self, now: float) -> int:
        """The session time at real time `now`."""
        if self.paused or self.unpaced:
            return self._anchor_ns
        if self._held is not None:
            now = max(self._held, self._anchor)
        return self._anchor_ns + int((now - self._anchor) * self.speed * NS_PER_S)

    def deadline(self, session_ns: int) -> float:
        """The real time at which a running clock shows `session_ns`."""
        if self.unpaced:
            return self._anchor
        return self._anchor + (session_ns - self._anchor_ns) / (self.speed * NS_PER_S)

    def set_speed(self, speed: float, now: float) -> None:
        """Run at another speed from here. Raises ValueError unless 0 < speed."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._hold(now)
        self.speed = speed

    def pause(self, now: float) -> None:
        self._hold(now)
        self.paused = True

    def resume(self, now: float) -> None:
        self._hold(now)
        self.paused = False

    def advance_to(self, session_ns: int, now: float) -> None:
        """Show at least `session_ns` now: a closed market was jumped over, or an unpaced event delivered."""
        self._hold(now)
        self._anchor_ns = max(self._anchor_ns, session_ns)

    def hold(self, now: float) -> None:
        """Stand, from now until `release`: a reader holds the session up, and that stretch is left out."""
        self._held = now

    def release(self, now: float) -> None:
        assert self._held is not None
        # Shifted, not anchored anew: thousands of short stretches must not add up to a drift.
        self._anchor = now if self._anchor > self._held else self._anchor + (now - self._held)
        self._held = None

    def restart(self, session_ns: int, now: float) -> None:
        """A new epoch starts at `session_ns`, earlier or later."""
        self._anchor_ns = session_ns
        self._anchor = now

    def _hold(self, now: float) -> None:
        self._anchor_ns = self.session_ns(now)
        self._anchor = max(self._anchor, now)

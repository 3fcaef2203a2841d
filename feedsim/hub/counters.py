"""What happens in the sessions, counted in plain numbers; whoever publishes metrics reads them."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from feedsim.events import CHANNELS, Chunk

LATE_BOUNDS_S = (20e-6, 50e-6, 100e-6, 200e-6, 300e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.5, 1.0)


class Counters:
    """Totals since the server started, over all sessions."""

    def __init__(self) -> None:
        self.published = 0
        self.by_channel = np.zeros(len(CHANNELS), np.int64)
        self.sent_events = 0
        self.sent_bytes = 0
        self.skipped = 0
        self.late = [0] * (len(LATE_BOUNDS_S) + 1)
        """Wake-ups by how late they were; the last bucket is beyond all bounds."""
        self.late_sum_s = 0.0
        self.refused: dict[str, int] = {}
        """Connections and requests that were refused, by reason."""

    def on_published(self, chunk: Chunk, lo: int, hi: int) -> None:
        self.published += hi - lo
        if hi == len(chunk):
            self.by_channel += np.bincount(chunk.rank, minlength=len(CHANNELS))

    def on_sent(self, events: int, size: int) -> None:
        self.sent_events += events
        self.sent_bytes += size

    def on_skipped(self, events: int) -> None:
        self.skipped += events

    def on_late(self, seconds: float) -> None:
        self.late[bisect_left(LATE_BOUNDS_S, seconds)] += 1
        self.late_sum_s += seconds

    def on_refused(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

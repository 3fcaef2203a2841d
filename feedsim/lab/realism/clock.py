"""When things happen: gaps between book events and between trades, and how their counts vary."""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_S
from feedsim.lab.realism.arrays import Aggressors, Int64, Session
from feedsim.lab.realism.sums import LEAST, Fano, Mean

DECADES = 12
A_DECADE = 20
SMOOTH = 5  # bins, a quarter of a decade
MS_NS = 1_000_000


class Clock:
    """Metrics of times; `book` ones only of sessions that tell every order."""

    def __init__(self) -> None:
        self.by_log10_gap = np.zeros(DECADES * A_DECADE, np.int64)
        """Book gaps by log10 of ns, twenty bins a decade."""
        self._short = Mean()
        self._book_gap, self._trade_gap = Mean(), Mean()
        self._book, self._trade = Fano(NS_PER_S), Fano(NS_PER_S)
        self._events = self._trades = 0

    def add_trades(self, session: Session, orders: Aggressors) -> None:
        self._trade.add(orders.ts, session.start_ns, session.end_ns)
        self._trade_gap.add(np.diff(orders.ts))

    def add_book(self, session: Session, orders: Aggressors | None) -> None:
        events = session.book_events()
        self._book.add(events, session.start_ns, session.end_ns)
        gaps = np.diff(events)
        self._book_gap.add(gaps)
        self._short.add(gaps < MS_NS)
        self._count(gaps)
        if orders is not None:
            self._events += len(events)
            self._trades += len(orders)

    def _count(self, gaps: Int64) -> None:
        at = (np.log10(np.maximum(gaps, 1)) * A_DECADE).astype(np.int64)
        self.by_log10_gap += np.bincount(np.minimum(at, len(self.by_log10_gap) - 1), minlength=len(self.by_log10_gap))

    def mode(self) -> float:
        """log10 of the most usual gap in ns: the middle of the fullest quarter of a decade."""
        if self.by_log10_gap.sum() < LEAST:
            return np.nan
        full = np.convolve(self.by_log10_gap, np.ones(SMOOTH), "same")
        return float((np.flatnonzero(full == full.max()).mean() + 0.5) / A_DECADE)

    def values(self) -> dict[str, float]:
        return {
            "book_iat_cv": self._book_gap.variation,
            "trade_iat_cv": self._trade_gap.variation,
            "trade_fano_1s": self._trade.factor,
            "book_fano_1s": self._book.factor,
            "submsec_book_gap_share": self._short.mean,
            "log10dt_mode_ns": self.mode(),
            "msgs_per_trade": self._events / self._trades if self._trades >= LEAST else np.nan,
        }

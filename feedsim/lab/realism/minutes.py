"""Returns, ranges and volumes of minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedsim.instruments import NS_PER_MINUTE
from feedsim.lab.realism.arrays import Float64, Session
from feedsim.lab.realism.sums import Autocorrelation, Regression

LEAST = 100  # minutes
RETURN_LAGS = (1, 2, 3, 5, 10, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Whole minutes of one session from its start: log return of the mid, high − low of the trades, lots."""

    start_ns: int
    close: Float64
    """Mid in ticks at the end of each."""
    returns: Float64
    ranges: Float64
    volume: Float64

    def __len__(self) -> int:
        return len(self.returns)


def minutes_of(session: Session) -> Minutes:
    """Of a session with quotes; without trades ranges and volumes are NaN."""
    mids = session.mids(NS_PER_MINUTE)
    count = len(mids) - 1
    ranges, volume = np.full(count, np.nan), np.full(count, np.nan)
    if session.trades is not None:
        trades = session.trades
        at = (trades.ts - session.start_ns) // NS_PER_MINUTE
        inside = (at >= 0) & (at < count)
        at, price = at[inside], trades.price[inside].astype(np.float64)
        volume = np.bincount(at, weights=trades.size[inside], minlength=count)
        high, low = np.full(count, -np.inf), np.full(count, np.inf)
        np.maximum.at(high, at, price)
        np.minimum.at(low, at, price)
        ranges = np.where(volume > 0, high - low, 0.0)
    return Minutes(session.start_ns, mids[1:], np.diff(np.log(mids)), ranges, volume)


class MinuteFacts:
    """Metrics of minutes."""

    def __init__(self) -> None:
        self._returns = np.zeros(5)
        self.signed, self.absolute, self.log_volume = (Autocorrelation(RETURN_LAGS, LEAST) for _ in range(3))
        self._size_volume, self._range_volume = Regression(LEAST), Regression(LEAST)

    def add(self, minutes: Minutes) -> None:
        known = np.isfinite(minutes.returns)
        r, volume, ranges = minutes.returns[known], minutes.volume[known], minutes.ranges[known]
        self._returns += [float(np.sum(r**power)) for power in range(5)]
        self.signed.add(r)
        self.absolute.add(np.abs(r))
        if np.isfinite(volume).all():
            self.log_volume.add(np.log(np.maximum(volume, 1)))
            self._size_volume.add(np.abs(r), volume)
            self._range_volume.add(ranges, volume)

    @property
    def count(self) -> int:
        return int(self._returns[0])

    def kurtosis(self) -> float:
        """Excess; NaN with too few minutes."""
        if self.count < LEAST:
            return np.nan
        m1, m2, m3, m4 = (self._returns[1:] / self._returns[0]).tolist()
        variance = m2 - m1**2
        fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
        return float(fourth / variance**2 - 3) if variance > 0 else np.nan

    def values(self) -> dict[str, float]:
        found = {
            "kurt_1m": self.kurtosis(),
            "acf1_1m": self.signed.at(1),
            "corr_absr_v": self._size_volume.correlation,
            "corr_range_v": self._range_volume.correlation,
        }
        found |= {f"absacf_1m.{lag}": self.absolute.at(lag) for lag in RETURN_LAGS}
        found |= {f"logv_acf_1m.{lag}": self.log_volume.at(lag) for lag in RETURN_LAGS}
        return found

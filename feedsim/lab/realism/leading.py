"""Which of two symbols moves first: their lagged covariances, as Hoffmann, Rosenbaum and Yoshida (2013) compare them.

U(θ) is the correlation of one's changes with the other's θ later: Hayashi and Yoshida's estimator on mids that are read
at the same times. Positive θ: the first leads.
"""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_MS
from feedsim.lab.realism.arrays import Float64, Session

STEP_NS = 10 * NS_PER_MS
LONGEST = 100
"""Steps: lags up to a second."""
LEAST_CHANGES = 1000
"""Of the quieter one: with fewer the noise of 200 lags outweighs them."""
LAGS_MS: Float64 = np.arange(-LONGEST, LONGEST + 1, dtype=np.float64) * (STEP_NS / NS_PER_MS)


class Leading:
    """Sums of products at each lag, over sessions."""

    def __init__(self) -> None:
        self._products = np.zeros(2 * LONGEST + 1)
        self._first = self._second = 0.0
        self._changes = 0

    def add(self, first: Session, second: Session) -> None:
        """Both over the same time, with quotes."""
        logs = [np.log(session.mids(STEP_NS)) for session in (first, second)]
        rows = min(map(len, logs))
        mine, its = (np.nan_to_num(np.diff(log[:rows])) for log in logs)
        if len(mine) <= 2 * LONGEST:
            return
        middle = mine[LONGEST:-LONGEST]
        last = len(its) - 2 * LONGEST
        self._products += [float(middle @ its[lag : lag + last]) for lag in range(2 * LONGEST + 1)]
        self._first += float(mine @ mine)
        self._second += float(its @ its)
        self._changes += int(min(np.count_nonzero(mine), np.count_nonzero(its)))

    @property
    def contrast(self) -> Float64:
        """U at `LAGS_MS`; NaN where too little changed."""
        if self._changes < LEAST_CHANGES:
            return np.full(len(self._products), np.nan)
        contrast: Float64 = self._products / np.sqrt(self._first * self._second)
        return contrast

    @property
    def argmax_ms(self) -> float:
        """θ at which |U| is largest."""
        size = np.abs(self.contrast)
        return float(LAGS_MS[int(np.argmax(size))]) if np.isfinite(size).all() else np.nan

    @property
    def ratio(self) -> float:
        """LLR of Huth and Abergel (2014): ΣU² over positive lags by that over negative ones."""
        squares = np.square(self.contrast)
        return float(squares[LONGEST + 1 :].sum() / squares[:LONGEST].sum())

    @property
    def late_ms(self) -> float:
        """The mean lag of what one has at a lag and the other has not, with its sign: where a part is told late and
        the rest at once, as `argmax_ms` is 0 then.
        """
        late = self.contrast[LONGEST + 1 :] - self.contrast[:LONGEST][::-1]
        lags = LAGS_MS[LONGEST + 1 :]
        return float((lags @ late) / late.sum() * np.sign(late.sum()))

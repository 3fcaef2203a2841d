"""ES and NQ together, and ES with the VIX."""

from __future__ import annotations

import numpy as np

from feedsim.instruments import NS_PER_MINUTE, NS_PER_S
from feedsim.lab.realism.arrays import Float64, Session
from feedsim.lab.realism.leading import Leading
from feedsim.lab.realism.minutes import LEAST as LEAST_MINUTES
from feedsim.lab.realism.sums import LEAST, Regression

STEP_NS = NS_PER_S // 10
HORIZONS = {"100ms": 1, "1s": 10, "5s": 50, "30s": 300, "2m": 1200, "5m": 3000}
"""Steps by name."""
STRIDE = 10  # steps between the starts of returns that overlap
TWO_MINUTES = "2m"


class Pair:
    """Correlations of log returns of the mids, overlapping beyond a second; NQ on ES; who moves first."""

    def __init__(self) -> None:
        self.by_horizon = {name: Regression(_least(steps)) for name, steps in HORIZONS.items()}
        self._es_first, self._nq_first = (Regression(_least(HORIZONS[TWO_MINUTES])) for _ in range(2))
        self.leading = Leading()

    def add(self, es: Session, nq: Session) -> None:
        """Both over the same time, with quotes."""
        first, second = np.log(es.mids(STEP_NS)), np.log(nq.mids(STEP_NS))
        rows = min(len(first), len(second))
        first, second = first[:rows], second[:rows]
        for name, steps in HORIZONS.items():
            stride = min(steps, STRIDE)
            mine, its = _returns(first, steps, stride), _returns(second, steps, stride)
            self.by_horizon[name].add(mine, its)
            if name == TWO_MINUTES:
                later = steps // stride
                self._es_first.add(mine[:-later], its[later:])
                self._nq_first.add(mine[later:], its[:-later])
        self.leading.add(es, nq)

    def values(self) -> dict[str, float]:
        found = {f"corr_{name}": self.by_horizon[name].correlation for name in ("2m", "5m", "1s", "100ms")}
        found["beta_log"] = self.by_horizon[TWO_MINUTES].slope
        found["asym_2m"] = self._es_first.correlation - self._nq_first.correlation
        found["hy_argmax_ms"], found["hy_llr"] = self.leading.argmax_ms, self.leading.ratio
        return found


def _least(steps: int) -> int:
    """Pairs that are as good as LEAST which do not overlap."""
    return LEAST * max(steps // STRIDE, 1)


def _returns(logs: Float64, steps: int, stride: int) -> Float64:
    return (logs[steps:] - logs[:-steps])[::stride]


class Fear:
    """The VIX by the minute against ES."""

    def __init__(self) -> None:
        self._minute = Regression(LEAST_MINUTES)

    def add(self, es: Session) -> None:
        """A session with quotes and a VIX."""
        assert es.vix is not None
        returns = np.diff(np.log(es.mids(NS_PER_MINUTE)))
        times = es.grid(NS_PER_MINUTE)
        row = np.searchsorted(es.vix.ts, times, side="right") - 1
        vix = np.where(row < 0, np.nan, es.vix.vix[row])
        self._minute.add(returns, np.diff(vix))

    def values(self) -> dict[str, float]:
        return {"corr_1m": self._minute.correlation}

"""Statistics that grow session by session and need no more memory for more of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feedsim.lab.realism.arrays import Float64, Int64

LEAST = 30  # values below which a statistic is not told
Values = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.bool_]


class Mean:
    """Mean, variance and coefficient of variation of values, weighted or not."""

    def __init__(self, least: int = LEAST) -> None:
        self._least = least
        self.count = 0
        self._weight = self._sum = self._squares = 0.0

    def add(self, values: Values, weights: Values | None = None) -> None:
        w = np.ones(len(values)) if weights is None else weights
        self.count += len(values)
        self._weight += float(np.sum(w))
        self._sum += float(np.sum(w * values))
        self._squares += float(np.sum(w * np.square(values, dtype=np.float64)))

    @property
    def mean(self) -> float:
        return self._sum / self._weight if self.count >= self._least and self._weight > 0 else np.nan

    @property
    def variance(self) -> float:
        return max(self._squares / self._weight - self.mean**2, 0.0) if self.count >= self._least else np.nan

    @property
    def variation(self) -> float:
        """Standard deviation / mean."""
        return self.variance**0.5 / self.mean if self.mean > 0 else np.nan


class Regression:
    """y on x, by least squares with a constant."""

    def __init__(self, least: int = LEAST) -> None:
        self._least = least
        self._sums = np.zeros(6)

    def add(self, x: Values, y: Values) -> None:
        """Pairs; those with a NaN are left out."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        self._sums += np.array((len(x), np.sum(x), np.sum(y), np.sum(x * x), np.sum(x * y), np.sum(y * y)))

    def _moments(self) -> tuple[float, float, float]:
        n, x, y, xx, xy, yy = self._sums.tolist()
        if n < self._least:
            return np.nan, np.nan, np.nan
        return xx - x * x / n, xy - x * y / n, yy - y * y / n

    @property
    def slope(self) -> float:
        xx, xy, _ = self._moments()
        return xy / xx if xx > 0 else np.nan

    @property
    def correlation(self) -> float:
        xx, xy, yy = self._moments()
        return float(xy / np.sqrt(xx * yy)) if xx > 0 and yy > 0 else np.nan

    @property
    def r2(self) -> float:
        return self.correlation**2


class Autocorrelation:
    """Of values in a row, at some lags; nothing is paired across sessions, but the mean is that of all."""

    def __init__(self, lags: Sequence[int], least: int = LEAST) -> None:
        self.lags = tuple(lags)
        self._least = least
        self._all = np.zeros(3)
        self._pairs = np.zeros((len(self.lags), 4))

    def add(self, values: Values) -> None:
        x = np.asarray(values, np.float64)
        self._all += np.array((len(x), np.sum(x), np.sum(x * x)))
        for row, lag in enumerate(self.lags):
            if len(x) > lag:
                head, tail = x[:-lag], x[lag:]
                self._pairs[row] += np.array((len(head), np.sum(head), np.sum(tail), np.sum(head * tail)))

    def at(self, lag: int) -> float:
        """NaN where there are too few pairs."""
        count, total, squares = self._all.tolist()
        pairs, head, tail, product = self._pairs[self.lags.index(lag)].tolist()
        if pairs < self._least:
            return np.nan
        mean = total / count
        variance = squares / count - mean**2
        covariance = (product - mean * (head + tail)) / pairs + mean**2
        return covariance / variance if variance > 0 else np.nan


class Fano:
    """Variance / mean of counts in windows of `step_ns`, each session's counts about their own mean."""

    def __init__(self, step_ns: int) -> None:
        self._step_ns = step_ns
        self._variance = self._mean = 0.0
        self._windows = 0

    def add(self, times: Int64, start_ns: int, end_ns: int) -> None:
        windows = (end_ns - start_ns) // self._step_ns
        if windows < 2:
            return
        at = (times - start_ns) // self._step_ns
        counts = np.bincount(at[(at >= 0) & (at < windows)], minlength=windows)
        self._windows += windows
        self._variance += float(counts.var(ddof=1)) * windows
        self._mean += float(counts.mean()) * windows

    @property
    def factor(self) -> float:
        return self._variance / self._mean if self._windows >= LEAST and self._mean > 0 else np.nan


class Logit:
    """Slope k of P(yes) = 1 / (1 + exp(−k·x)) with x in [−1, 1], by maximum likelihood on narrow bins of x."""

    BINS = 201

    def __init__(self) -> None:
        self.count = np.zeros(self.BINS)
        self.yes = np.zeros(self.BINS)

    def add(self, x: Float64, yes: npt.NDArray[np.bool_]) -> None:
        at = np.clip(np.rint((x + 1) / 2 * (self.BINS - 1)).astype(np.int64), 0, self.BINS - 1)
        self.count += np.bincount(at, minlength=self.BINS)
        self.yes += np.bincount(at, weights=yes, minlength=self.BINS)

    @property
    def x(self) -> Float64:
        return np.linspace(-1, 1, self.BINS)

    @property
    def slope(self) -> float:
        """NaN with too few values, or where x decides alone."""
        x, n, yes = self.x, self.count, self.yes
        if n.sum() < LEAST or not 0 < yes.sum() < n.sum():
            return np.nan
        slope = 0.0
        for _ in range(50):
            p = 1 / (1 + np.exp(-slope * x))
            information = float((n * p * (1 - p) * x * x).sum())
            if information < 1e-9:
                return np.nan
            step = float(((yes - n * p) * x).sum()) / information
            slope += min(max(step, -2.0), 2.0)
            if abs(step) < 1e-9:
                break
        return slope


def quantile_of(counts: Int64, share: float) -> float:
    """The least value that at least this share of all is not above, from counts by value 0, 1, 2, …"""
    total = counts.sum()
    if total < LEAST:
        return np.nan
    return float(np.searchsorted(np.cumsum(counts), share * total))


def counted(into: Int64, values: Int64) -> None:
    """Count values 0, 1, 2, …; what is beyond the last counts as the last."""
    into += np.bincount(np.clip(values, 0, len(into) - 1), minlength=len(into))

"""Whole sessions: how volume and volatility go through the day, and what the VIX does from day to day."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from feedsim.instruments import NS_PER_MINUTE, TradingDay
from feedsim.lab.realism.arrays import Float64, Session
from feedsim.lab.realism.minutes import Minutes
from feedsim.lab.realism.sums import Regression
from feedsim.lab.realism.targets import HALF_HOURS

REGULAR = 390  # minutes
HALF_HOUR, EDGE = 30, 5  # minutes
LEAST_DAYS = 3
LEAST_VIX_DAYS = 10
LEAST_HALF_LIFE_DAYS = 250
"""Of a series that halves in 13.5 days the estimate lies between 6 and 40 days 9 times in 10; with 20 days 1 in 6."""
YEAR_DAYS = 252
STEP = 2  # minutes of a return of the pair


class Days:
    """One symbol's sessions that have all of regular trading."""

    def __init__(self) -> None:
        self._volume, self._squares = np.zeros(REGULAR), np.zeros(REGULAR)
        self._all = 0.0
        self.count = 0

    def add(self, minutes: Minutes, day: TradingDay) -> bool:
        """Whether the session was one; others are not counted."""
        rows = regular_rows(minutes, day)
        if rows is None or not np.isfinite(minutes.returns[rows]).all():
            return False
        self.count += 1
        self._volume += np.nan_to_num(minutes.volume[rows])
        self._all += float(np.nansum(minutes.volume))
        self._squares += minutes.returns[rows] ** 2
        return True

    def shape(self, what: str) -> Float64:
        """By half hours: volume, or standard deviation of a minute's return, of their mean; NaN with too few days."""
        values = self._volume if what == "volU_30m" else self._squares
        parts = values.reshape(-1, HALF_HOUR).mean(axis=1)
        parts = parts if what == "volU_30m" else np.sqrt(parts)
        enough = self.count >= LEAST_DAYS and parts.mean() > 0
        return parts / parts.mean() if enough else np.full(len(parts), np.nan)

    def values(self) -> dict[str, float]:
        found = {
            f"{what}.{clock}": value
            for what in ("volU_30m", "sigU_30m")
            for clock, value in zip(HALF_HOURS, self.shape(what).tolist(), strict=True)
        }
        regular = float(self._volume.sum())
        enough = self.count >= LEAST_DAYS and regular > 0
        mean = regular / REGULAR * EDGE
        found["rth_volume_share"] = regular / self._all if enough else np.nan
        found["first5"] = float(self._volume[:EDGE].sum()) / mean if enough else np.nan
        found["last5"] = float(self._volume[-EDGE:].sum()) / mean if enough else np.nan
        return found


def regular_rows(minutes: Minutes, day: TradingDay) -> slice | None:
    """Where regular trading is in a session's minutes; None where some of it is missing."""
    first = (day.rth_open_ns - minutes.start_ns) // NS_PER_MINUTE
    whole = day.rth_close_ns - day.rth_open_ns == REGULAR * NS_PER_MINUTE
    if not whole or first < 0 or first + REGULAR > len(minutes):
        return None
    return slice(first, first + REGULAR)


class PairDays:
    """ES and NQ within each day."""

    def __init__(self) -> None:
        self._correlations: list[float] = []

    def add(self, es: Minutes, nq: Minutes, day: TradingDay) -> None:
        mine, its = regular_rows(es, day), regular_rows(nq, day)
        if mine is None or its is None:
            return
        regression = Regression()
        regression.add(_two_minutes(es.returns[mine]), _two_minutes(nq.returns[its]))
        self._correlations.append(regression.correlation)

    def values(self) -> dict[str, float]:
        enough = len(self._correlations) >= LEAST_DAYS
        return {
            f"daily_intraday_corr.q{share:02}": float(np.quantile(self._correlations, share / 100))
            if enough
            else np.nan
            for share in (5, 50, 95)
        }


def _two_minutes(returns: Float64) -> Float64:
    return np.asarray(returns.reshape(-1, STEP).sum(axis=1))


class VixDays:
    """ES and the VIX at the close of regular trading, day by day in a row."""

    def __init__(self) -> None:
        self._price: list[float] = []
        self._vix: list[float] = []

    def add(self, session: Session, minutes: Minutes, day: TradingDay) -> None:
        rows, vix = regular_rows(minutes, day), session.vix
        if rows is None or vix is None:
            return
        at = int(np.searchsorted(vix.ts, day.rth_close_ns)) - 1
        if at >= 0 and np.isfinite(vix.vix[at]):
            self._price.append(float(minutes.close[rows][-1]))
            self._vix.append(float(vix.vix[at]))

    def values(self) -> dict[str, float]:
        """NaN with too few days."""
        names = ("corr_day_r_dvix", "beta_pts_per_pct", "dlogvix_per_pct", "halflife_days", "vix_over_realised")
        if len(self._vix) < LEAST_VIX_DAYS:
            return dict.fromkeys(names, np.nan)
        returns, vix = np.diff(np.log(self._price)), np.array(self._vix)
        points, logs = _regressed(returns, np.diff(vix)), _regressed(returns, np.diff(np.log(vix)))
        realised = float(returns.std(ddof=1)) * 100 * YEAR_DAYS**0.5
        values = (
            points.correlation,
            points.slope / 100,
            logs.slope / 100,
            _half_life(np.log(vix)),
            float(vix.mean()) / realised if realised > 0 else np.nan,
        )
        return dict(zip(names, values, strict=True))


def _half_life(values: Float64) -> float:
    """In days; NaN where too few tell it, infinite where nothing goes back."""
    if len(values) < LEAST_HALF_LIFE_DAYS:
        return np.nan
    kept = _persistence(values)
    return float(np.log(2) / -np.log(kept)) if 0 < kept < 1 else np.inf


def _persistence(values: Float64) -> float:
    """The slope of a series on itself a step before, without its bias of −(1 + 3·slope) / n (Kendall 1954)."""
    slope, n = _regressed(values[:-1], values[1:]).slope, len(values) - 1
    return (n * slope + 1) / (n - 3)


def _regressed(x: Iterable[float], y: Iterable[float]) -> Regression:
    regression = Regression(LEAST_VIX_DAYS - 1)
    regression.add(np.asarray(x), np.asarray(y))
    return regression

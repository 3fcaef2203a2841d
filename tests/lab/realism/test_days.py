"""Whole sessions whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.instruments import NS_PER_MINUTE, NS_PER_S
from feedsim.lab.realism.arrays import Vix
from feedsim.lab.realism.days import (
    LEAST_DAYS,
    LEAST_HALF_LIFE_DAYS,
    LEAST_VIX_DAYS,
    REGULAR,
    Days,
    PairDays,
    VixDays,
    _persistence,
)
from feedsim.lab.realism.minutes import Minutes
from feedsim.lab.realism.targets import HALF_HOURS
from tests.lab.realism.made import DAY, session

MINUTES = (DAY.close_ns - DAY.open_ns) // NS_PER_MINUTE
FIRST = (DAY.rth_open_ns - DAY.open_ns) // NS_PER_MINUTE


def whole(volume: np.ndarray, returns: np.ndarray | None = None, close: float = 5000.0) -> Minutes:
    returns = np.full(MINUTES, 1e-4) if returns is None else returns
    return Minutes(DAY.open_ns, np.full(MINUTES, close), returns, np.zeros(MINUTES), volume)


def measured(minutes: Minutes, days: int = LEAST_DAYS) -> dict[str, float]:
    found = Days()
    for _ in range(days):
        assert found.add(minutes, DAY)
    return found.values()


def test_a_flat_day() -> None:
    """All half hours are the mean, five minutes are five minutes, and the share is that of the time."""
    found = measured(whole(np.full(MINUTES, 10.0)))
    assert [found[f"volU_30m.{clock}"] for clock in HALF_HOURS] == pytest.approx([1.0] * 13)
    assert [found[f"sigU_30m.{clock}"] for clock in HALF_HOURS] == pytest.approx([1.0] * 13)
    assert (found["first5"], found["last5"]) == pytest.approx((1, 1))
    assert found["rth_volume_share"] == pytest.approx(REGULAR / MINUTES)


def test_a_busy_open_and_close() -> None:
    """Twice the volume in the first half hour, seven times in the last five minutes, nothing at night."""
    volume = np.zeros(MINUTES)
    volume[FIRST : FIRST + REGULAR] = 10
    volume[FIRST : FIRST + 30] = 20
    volume[FIRST + REGULAR - 5 : FIRST + REGULAR] = 70
    found = measured(whole(volume))
    assert found["volU_30m.09:30"] / found["volU_30m.10:00"] == pytest.approx(2)
    mean = volume[FIRST : FIRST + REGULAR].mean()
    assert (found["first5"], found["last5"]) == pytest.approx((20 / mean, 70 / mean))
    assert found["rth_volume_share"] == 1


def test_a_part_of_a_day_is_none() -> None:
    """Regular trading must be there from its start to its end; too few days tell nothing."""
    volume = np.full(MINUTES, 10.0)
    part = whole(volume)
    cut = Minutes(part.start_ns, *(getattr(part, name)[:-120] for name in ("close", "returns", "ranges", "volume")))
    days = Days()
    assert not days.add(cut, DAY)
    assert np.isnan(measured(part, LEAST_DAYS - 1)["first5"])


def test_correlation_within_each_day() -> None:
    """Its quantiles over days: here all days are alike."""
    rng = np.random.default_rng(1)
    es, own = rng.normal(0, 1e-4, (2, MINUTES))
    pair = PairDays()
    volume = np.ones(MINUTES)
    for _ in range(LEAST_DAYS):
        pair.add(whole(volume, es), whole(volume, es + own), DAY)
    found = pair.values()
    assert found["daily_intraday_corr.q05"] == found["daily_intraday_corr.q95"]
    assert found["daily_intraday_corr.q50"] == pytest.approx(0.5**0.5, abs=0.12)


def test_a_vix_that_follows_a_law() -> None:
    """−1.5 points for each per cent, exactly; then one at 1.2 times the volatility."""
    rng = np.random.default_rng(2)
    returns = rng.normal(0, 0.01, 40)
    prices = 5000 * np.exp(np.cumsum(returns))
    found = of_days(prices, 60 - 150 * np.log(prices / 5000))
    assert found["corr_day_r_dvix"] == pytest.approx(-1)
    assert found["beta_pts_per_pct"] == pytest.approx(-1.5)
    assert found["dlogvix_per_pct"] < 0
    level = of_days(prices, np.full(40, returns[1:].std(ddof=1) * 252**0.5 * 100 * 1.2) + np.arange(40) * 1e-9)
    assert level["vix_over_realised"] == pytest.approx(1.2)


@pytest.mark.parametrize("days", [25, 2000])
def test_half_life_of_an_autoregression(days: int) -> None:
    """ln 2 / −ln φ; φ is right in the mean of many samples also where each is short, but one of those tells nothing."""
    rng, kept = np.random.default_rng(3), []
    for _ in range(50_000 // days if days < 1000 else 2):
        logs = np.zeros(days + 100)
        for at in range(1, len(logs)):
            logs[at] = 0.8 * logs[at - 1] + rng.normal(0, 0.05)
        kept.append(_persistence(logs[100:]))
    assert np.mean(kept) == pytest.approx(0.8, abs=0.03)
    vix = 15 * np.exp(logs[100:])
    found = of_days(5000 * np.exp(rng.normal(0, 0.01, days)), vix)["halflife_days"]
    told = np.log(2) / -np.log(_persistence(np.log(vix))) if days >= LEAST_HALF_LIFE_DAYS else np.nan
    assert found == pytest.approx(told, nan_ok=True)


def test_few_days_of_a_vix_tell_nothing() -> None:
    """Not a number."""
    assert np.isnan(
        list(of_days(np.arange(1, LEAST_VIX_DAYS) + 5000.0, np.full(LEAST_VIX_DAYS - 1, 15)).values())
    ).all()


def of_days(prices: np.ndarray, vix: np.ndarray) -> dict[str, float]:
    days = VixDays()
    for price, points in zip(prices.tolist(), vix.tolist(), strict=True):
        told = Vix(np.array([DAY.rth_close_ns - NS_PER_S, DAY.rth_close_ns]), np.array([points, 99.0]))
        days.add(session(1, vix=told), whole(np.ones(MINUTES), close=price), DAY)
    return days.values()

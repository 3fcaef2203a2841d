"""How far a user's metaorders move the price, by the same seeds without them: market.md's T15 in one table.

A metaorder is a market order every ten seconds, a tenth of all volume, for 2 to 40 minutes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.report import Figure, beside, within
from feedsim.market.config import START_NS, MarketConfig
from feedsim.market.factors import SHARES
from feedsim.market.injection import ticks_a_root_lot
from feedsim.market.market import SymbolMarket
from feedsim.market.schedule import Schedule
from feedsim.market.shape import UNDERLYING
from feedsim.market.sheets import Sheets

SEEDS = 12
MINUTES = (2, 5, 10, 20, 40)
PARTICIPATION = 0.1
EVERY_S = 10
SETTLE_S = 5  # over which a price is averaged
SECOND_NS = 1_000_000_000
FROM_NS = START_NS + 45 * 60 * SECOND_NS  # 10:15, when the open is over

Floats = npt.NDArray[np.float64]


class _Path(NamedTuple):
    """The mid by second, and the lots of all trades and of the user's until the metaorder's end."""

    mid: Floats
    lots: int
    user: int


class _Impact(NamedTuple):
    """Means over the seeds: lots, ticks at the end, its standard error, share that is left as long after it."""

    lots: float
    ticks: float
    error: float
    left: float
    participation: float


def run() -> list[Figure]:
    return [figure for symbol in UNDERLYING for figure in _symbol(symbol)]


def _symbol(symbol: str) -> list[Figure]:
    found = [_impact(symbol, minutes) for minutes in MINUTES]
    lots, ticks = np.array([each.lots for each in found]), np.array([each.ticks for each in found])
    exponent = float(np.polyfit(np.log(lots), np.log(ticks), 1)[0])
    sizes = ticks / (_sigma_over_root_volume(symbol) * np.sqrt(lots))
    left = [each.left for each in found]
    shown = ", ".join(f"{each.ticks:.1f}±{each.error:.1f}" for each in found)
    return [
        within(f"{symbol}: exponent of I ~ Q^δ", exponent, 0.4, 0.7),
        within(f"{symbol}: smallest Y of I = Y σ √(Q / V)", float(sizes.min()), 0.3, 1.5),
        within(f"{symbol}: largest Y", float(sizes.max()), 0.3, 1.5),
        within(f"{symbol}: smallest share left at 2T", min(left), 0.4, 0.85),
        within(f"{symbol}: largest share left at 2T", max(left), 0.4, 0.85),
        beside(f"{symbol}: ticks after {', '.join(map(str, MINUTES))} min", shown),
        beside(f"{symbol}: participation", ", ".join(f"{each.participation:.1%}" for each in found)),
    ]


def _sigma_over_root_volume(symbol: str) -> float:
    """σ / √V of a day, in ticks."""
    config = MarketConfig(symbols=(symbol,))
    preset = config.preset(symbol)
    relative = SHARES[UNDERLYING.index(symbol)][2] * preset.volatility
    return ticks_a_root_lot(config.price(symbol) / config.tick(symbol), config.vix, relative, preset.daily_lots)


def _impact(symbol: str, minutes: int) -> _Impact:
    length_s = minutes * 60
    moved, lots, shares = [], [], []
    for seed in range(SEEDS):
        without = _play(symbol, seed, length_s, 0)
        child = max(round(without.lots * PARTICIPATION / (1 - PARTICIPATION) * EVERY_S / length_s), 1)
        traded = _play(symbol, seed, length_s, child)
        moved.append((traded.mid - without.mid) * _sign(seed))
        lots.append(traded.user)
        shares.append(traded.user / traded.lots)
    path = np.array(moved)
    peaks = path[:, length_s : length_s + SETTLE_S].mean(axis=1)
    later = path[:, 2 * length_s : 2 * length_s + SETTLE_S].mean(axis=1)
    error = float(peaks.std() / SEEDS**0.5)
    left = float(later.mean() / peaks.mean())
    return _Impact(float(np.mean(lots)), float(peaks.mean()), error, left, float(np.mean(shares)))


def _sign(seed: int) -> int:
    return 1 if seed % 2 == 0 else -1


def _play(symbol: str, seed: int, length_s: int, child: int) -> _Path:
    """A session with a metaorder of `child` lots every EVERY_S, or with none; twice as long as that and a little."""
    config = MarketConfig(symbols=(symbol,))
    schedule = Schedule(config.find(), seed=seed, minutes=None)
    market = SymbolMarket(symbol, config, schedule, seed=seed, start_ns=FROM_NS)
    sheets = Sheets()
    quotes: list[npt.NDArray[np.int64]] = []
    volume = user = 0
    side = 0 if _sign(seed) > 0 else 1

    for at_s in range(EVERY_S, length_s + 1, EVERY_S):
        volume += _run(market, FROM_NS + at_s * SECOND_NS, sheets, quotes)
        if child:
            entered = market.order(FROM_NS + at_s * SECOND_NS, -1, side, child)
            user += int(entered.rows[entered.rows[:, 6] == 1, 5].sum())
    _run(market, FROM_NS + (2 * length_s + SETTLE_S + 1) * SECOND_NS, sheets, quotes)
    l1 = np.concatenate(quotes)
    seconds = FROM_NS + np.arange(1, 2 * length_s + SETTLE_S + 1) * SECOND_NS
    last = np.searchsorted(l1[:, 0], seconds) - 1
    return _Path((l1[last, 1] + l1[last, 2]) / 2, volume, user)


def _run(market: SymbolMarket, until_ns: int, sheets: Sheets, quotes: list[npt.NDArray[np.int64]]) -> int:
    """The lots that traded up to a time; its quotes are added to `quotes`."""
    volume = 0
    for trades, l1, *_ in market.run(until_ns, sheets):
        quotes.append(l1[:, :3].copy())
        volume += int(trades[:, 2].sum())
    return volume

"""The VIX, second by second: it falls when ES rises, goes back to its mean, and has a noise of its own."""

from __future__ import annotations

from feedsim.market.chance import UInt64, exp, log, normal
from feedsim.market.compiling import compiled

LEVERAGE = 0.08
"""How much log VIX falls when ES rises by 1 %; by a quarter more when ES falls (2014-18)."""
ASYMMETRY = 1.25
HALF_LIFE_S = 13.5 * 23400.0
OWN_NOISE = 0.057 / 23400.0**0.5
"""Of log VIX in a second: 0.86 points a day at 15."""
LOWEST, HIGHEST = 9.0, 90.0
LN2 = 0.6931471805599453


@compiled
def next_vix(chance: UInt64, vix: float, mean: float, es_percent: float, drift: float) -> float:
    """The VIX a second later: `es_percent` is ES's move in that second, `drift` a scenario's, in points an hour."""
    felt = es_percent * (ASYMMETRY if es_percent < 0.0 else 1.0)
    level = log(vix)
    level += (LN2 / HALF_LIFE_S) * (log(mean) - level) - LEVERAGE * felt + OWN_NOISE * normal(chance)
    return min(max(exp(level) + drift / 3600.0, LOWEST), HIGHEST)

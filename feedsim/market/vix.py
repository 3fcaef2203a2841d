"""The VIX, second by second: it falls when ES rises, goes back to its mean, and has a noise of its own."""

from __future__ import annotations

from feedsim.market.chance import UInt64, exp, log, normal
from feedsim.market.compiling import compiled

LEVERAGE = 0.09
"""How much log VIX falls when ES rises by 1 %, in the mean (2014-18)."""
ASYMMETRY = 0.11
"""Share by which a fall is felt more, and a rise less."""
HALF_LIFE_S = 13.5 * 23400.0
OWN_NOISE = 0.057 / 23400.0**0.5
"""Of log VIX in a second: 0.86 points a day at 15."""
LOWEST, HIGHEST = 9.0, 90.0
LN2 = 0.6931471805599453


@compiled
def next_vix(chance: UInt64, vix: float, mean: float, es_percent: float, usual: float, drift: float) -> float:
    """The VIX a second later: `es_percent` is ES's move in that second, `drift` a scenario's, in points an hour.

    `usual` is the mean size of such moves of late: without it the greater weight of falls would let the VIX rise always.
    """
    felt = es_percent - ASYMMETRY * (abs(es_percent) - usual)
    level = log(vix)
    level += (LN2 / HALF_LIFE_S) * (log(mean) - level) - LEVERAGE * felt + OWN_NOISE * normal(chance)
    return min(max(exp(level) + drift / 3600.0, LOWEST), HIGHEST)

"""The VIX, second by second: it falls when ES rises, goes back to its mean, and has a noise of its own."""

from __future__ import annotations

import math

from feedsim.market.chance import LN2, UInt64, exp, log, normal
from feedsim.market.compiling import compiled
from feedsim.market.config import VIX_BOUNDS

LEVERAGE = 0.09
"""How much log VIX falls when ES rises by 1 %, in the mean, and …"""
MEASURED_AT = 15.0
"""… at which VIX (2014-18). Above, it falls less, by the root: midway between so much a percent and so many points a
percent. As ES moves more with the VIX, it would else run away."""
ASYMMETRY = 0.11
"""Share by which a fall is felt more, and a rise less."""
HALF_LIFE_S = 13.5 * 23.0 * 3600.0
"""13.5 sessions."""
OWN_NOISE = 0.68 * LEVERAGE * 1.2533
"""Deviation of what log VIX does by itself, for each percent of the usual size of ES's moves (1.2533 times a mean size
is a deviation): 0.68 of what it hears from ES at any hour, which gives a correlation of -0.83 by the minute and day."""
LOWEST, HIGHEST = VIX_BOUNDS


@compiled
def next_vix(chance: UInt64, vix: float, mean: float, es_percent: float, usual: float, drift: float) -> float:
    """The VIX a second later: `es_percent` is ES's move in that second, `drift` a scenario's, in points an hour.

    `usual` is the mean size of such moves of late: the scale of the noise, and what keeps the greater weight of falls
    from letting the VIX rise always.
    """
    felt = LEVERAGE * (es_percent - ASYMMETRY * (abs(es_percent) - usual))
    own = OWN_NOISE * usual * normal(chance)
    level = log(vix)
    level += (LN2 / HALF_LIFE_S) * (log(mean) - level) + math.sqrt(MEASURED_AT / vix) * (own - felt)
    return min(max(exp(level) + drift / 3600.0, LOWEST), HIGHEST)

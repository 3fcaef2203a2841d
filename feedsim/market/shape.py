"""What does not change of the factors that steer one symbol's book, as one record of SHAPE."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.config import FOLLOWS, MarketConfig
from feedsim.market.factors import SHAPE, STEPS_A_SECOND
from feedsim.market.seasons import busy, swing

UNDERLYING = ("ES", "NQ")
"""The indices whose latent prices the factors have, in their order."""
LATE = 1.25
"""The share that a follower hears late, for each of `strength`: the books blur what they follow, and with the share
itself the ratio that `python -m benchmarks leadlag` sees in their mids falls a little short of 1 + 1.5 `strength`."""


def shape_of(symbol: str, config: MarketConfig) -> npt.NDArray[Any]:
    """One record of SHAPE."""
    preset = config.preset(symbol)
    followed = FOLLOWS[symbol]
    shape = np.zeros(1, SHAPE)
    shape["follows"] = UNDERLYING.index(followed)
    shape["scale"] = config.tick(followed) / config.tick(symbol)
    shape["volatility"] = preset.volatility
    shape["busy_fast"], shape["busy_slow"] = preset.fast_sd, preset.slow_sd
    shape["strength"] = [LATE * strength for strength in config.strengths()]
    shape["tick"] = [config.tick(name) for name in UNDERLYING]
    shape["vix_mean"] = config.vix
    shape["lag"] = round(config.lag_ms * STEPS_A_SECOND / 1000)
    shape["busy"] = busy(followed)
    shape["swing"] = [swing(name) for name in UNDERLYING]
    return shape

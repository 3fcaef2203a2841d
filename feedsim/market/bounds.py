"""The price limits that hold in one minute of a session, as one record for the latent prices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import TradingDay
from feedsim.market.factors import BOUNDS
from feedsim.market.limits import dynamic_bands, limit_bands, limit_halt, phase_at, velocity_bands, velocity_halt

FAR = 1e12  # instead of infinity, which no price is either


def price_bounds(factors: Any, day: TradingDay, minute_ns: int) -> npt.NDArray[Any]:
    """One record of BOUNDS; `factors` is one of FACTORS."""
    phase = phase_at(day, minute_ns)
    level = int(factors["level"])
    bounds = np.zeros(1, BOUNDS)
    halt = limit_halt(phase, level=level)
    bounds["halt_s"] = 0 if halt is None else -1 if halt.seconds is None else halt.seconds
    for one in range(2):
        low, high = limit_bands(float(factors["reference"][one]), phase, level=level)
        bounds["low"][0, one], bounds["high"][0, one] = low, min(high, FAR)
        lowest, highest = float(factors["lowest"][one].min()), float(factors["highest"][one].max())
        low, high = dynamic_bands(lowest, highest, phase)
        bounds["dynamic_low"][0, one] = max(low, -FAR)
        bounds["dynamic_high"][0, one] = FAR if math.isinf(high) else high
        x = float(factors["x"][one])
        bounds["velocity"][0, one] = max(velocity_bands(x, x, phase)[1] - x, 1.0)
    bounds["velocity_s"] = velocity_halt(phase).seconds
    return bounds

"""How the latent price reacts to the trades of users: the square-root law, its decay, and what stays.

A kick decays as (1 + t / RECENT_S) ** -1/2 (Bouchaud et al. 2004), here a sum of exponentials; a share of the highest
level that the kicks reached stays (Bershova and Rakhlin 2013). Without trades of users nothing here does anything.
"""

from __future__ import annotations

import math
from typing import Any

from feedsim.instruments import NS_PER_S
from feedsim.market.chance import exp
from feedsim.market.compiling import compiled
from feedsim.market.factors import STEP_NS

RECENT_S = 20.0
"""What a user trades within this time counts as one order: cutting it into pieces does not change its impact."""
STAYS = 1.0 / 3.0
BETAS = (1.19, 0.76)
"""How far the other latent price goes with that of ES, of NQ, in relative terms: their regressions on each other."""
TAUS_S = (5.0, 20.0, 80.0, 320.0, 1280.0, 5120.0, 20480.0, 81920.0)
WEIGHTS = (0.0336, 0.2832, 0.3058, 0.184, 0.0952, 0.0513, 0.0152, 0.0317)
"""Least squares of the relative error, .3 % at most up to a session of 6.5 h."""

REACTION = [
    ("leaning", "i8"),
    ("kicked_ns", "i8"),
    ("kicks", "f8", len(TAUS_S)),
    ("stays", "f8"),
    ("recent", "f8"),
    ("leant_at", "i8"),
    ("leant", "f8"),
]
"""Whether there was any trade of a user; when the latest was, the parts of the kicks then, the extreme that they
reached, and the lots (buys less sells) of late; the ticks that the latent price leans in a step of STEP_NS."""


@compiled
def leaning(state: Any, now: int) -> float:
    """Ticks that are added to the latent price."""
    step = now // STEP_NS
    if state.leant_at != step:
        age_s = max(step * STEP_NS - state.kicked_ns, 0) / NS_PER_S
        total = 0.0
        for part in range(len(TAUS_S)):
            total += state.kicks[part] * exp(-age_s / TAUS_S[part])
        state.leant = (1.0 - STAYS) * total + STAYS * state.stays
        state.leant_at = step
    ticks: float = state.leant
    return ticks


@compiled
def react(state: Any, now: int, lots: float, ticks_a_root_lot: float) -> float:
    """A user bought (or sold, below 0) so many lots; the ticks of the kick."""
    _age(state, now)
    before = _root(state.recent)
    state.recent += lots
    ticks: float = ticks_a_root_lot * (_root(state.recent) - before)
    kick(state, now, ticks)
    return ticks


@compiled
def kick(state: Any, now: int, ticks: float) -> None:
    """Kick the latent price. What stays follows the kicks to their extreme, and back by the kicks against it."""
    _age(state, now)
    total = 0.0
    for part in range(len(TAUS_S)):
        state.kicks[part] += WEIGHTS[part] * ticks
        total += state.kicks[part]
    if ticks > 0.0:
        state.stays = min(state.stays + ticks, max(state.stays, total))
    else:
        state.stays = max(state.stays + ticks, min(state.stays, total))


@compiled
def _age(state: Any, now: int) -> None:
    age_s = (now - state.kicked_ns) / NS_PER_S if state.leaning else 0.0
    for part in range(len(TAUS_S)):
        state.kicks[part] *= exp(-age_s / TAUS_S[part])
    state.recent *= exp(-age_s / RECENT_S)
    state.leaning = 1
    state.kicked_ns = now
    state.leant_at = -1


@compiled
def _root(lots: float) -> float:
    return math.sqrt(lots) if lots >= 0.0 else -math.sqrt(-lots)

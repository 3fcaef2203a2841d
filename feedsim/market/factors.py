"""The latent prices of ES and NQ, and how busy one symbol is: what steers a book, minute by minute.

Both latent prices follow one common factor, each with a little of its own, under one stochastic volatility; the one
that follows hears a share of the common factor late. Every market of a seed computes the same latent prices.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import NS_PER_S
from feedsim.market.chance import LN2, exp, normal, stream
from feedsim.market.compiling import compiled
from feedsim.market.limits import DYNAMIC_PAUSE_S, DYNAMIC_WINDOW_S
from feedsim.market.modulators import (
    ACTIVITY,
    HALT,
    JUMP,
    MU,
    PIN,
    REVERT,
    SIGMA,
    TO_VWAP,
    VIX_DRIFT,
)
from feedsim.market.options import options_minute, options_second, tell_options, volatility_of_regime
from feedsim.market.seasons import SESSION_MINUTES
from feedsim.market.vix import next_vix

HOUR = DYNAMIC_WINDOW_S // 60
"""Minutes whose extremes are kept."""
USUAL_S = 300.0
STEPS_A_SECOND = 20
MINUTE_S = 60
STEPS = MINUTE_S * STEPS_A_SECOND
STEP_NS = NS_PER_S // STEPS_A_SECOND
LATEST = 201
"""Steps of which what is still to be heard is kept: ten seconds, and the one that runs."""

# Correlation .952 over minutes; NQ moves 1.19 % when ES moves 1 % (2024-25).
SHARES = ((0.97, 0.03, 1.0), (0.935, 0.065, 1.25))
"""For ES and NQ: common and own share of the variance, and volatility relative to ES in relative terms."""
VOLATILITIES = ((20.0, 0.10), (300.0, 0.12), (3600.0, 0.15), (86400.0, 0.20))
"""Of log volatility: time constant in seconds, variance."""
BUSY_WITH_VOLATILITY = 0.7
ACTIVITIES_S = (1.5, 40.0)
REFERENCE = 0.75
"""Ticks a square-root second of ES at 5,000 points and a VIX of 15: what a scenario's `mu` is relative to."""
PIN_HALF_LIFE_S = 480.0
"""Of the distance to the strike that holds the price on a pinned day …"""
HELD_HALF_LIFE_S = 720.0
"""… and on any other, at full pin strength above the gamma flip."""
VIX_OF_DAY = 100.0 * 1.37 * math.sqrt(252.0)
"""The VIX by this is the relative volatility of a day: it is 1.37 times what is realised."""
VIX_TO_SECOND = math.sqrt(0.70 / (390.0 * 60.0)) / VIX_OF_DAY
"""The VIX times this is that of a second of regular trading, into which 70 % of a day's variance falls."""

SHAPE = np.dtype(
    [
        ("follows", "i8"),
        ("scale", "f8"),
        ("volatility", "f8"),
        ("busy_fast", "f8"),
        ("busy_slow", "f8"),
        ("strength", "f8", 2),
        ("lag", "i8"),
        ("tick", "f8", 2),
        ("vix_mean", "f8"),
        ("busy", "f8", SESSION_MINUTES),
        ("swing", "f8", (2, SESSION_MINUTES)),
    ],
    align=True,
)
"""What does not change: which latent price the symbol follows and its ticks in one of the symbol's, volatility against
the VIX, deviations of its log activity, the share that each latent price hears late and how many steps late, the ticks
of ES and NQ, where the VIX goes back to, and the seasons by minute of the session."""

FACTORS = np.dtype(
    [
        ("common", "u8", 4),
        ("own", "u8", (2, 4)),
        ("mood", "u8", 4),
        ("activity", "u8", 4),
        ("fear", "u8", 4),
        ("x", "f8", 2),
        ("before", "f8", 2),
        ("late", "f8", (2, LATEST)),
        ("place", "i8"),
        ("mood_level", "f8", len(VOLATILITIES)),
        ("busy_level", "f8", 2),
        ("vwap", "f8", 2),
        ("weight", "f8"),
        ("anchor", "f8", 2),
        ("anchored", "i8"),
        ("vix", "f8"),
        ("usual", "f8"),
        ("reference", "f8", 2),
        ("halted", "i8", 2),
        ("why", "i8", 2),
        ("level", "i8"),
        ("lowest", "f8", (2, HOUR)),
        ("highest", "f8", (2, HOUR)),
    ],
    align=True,
)
"""Random streams; latent prices in ticks, those a second before, and what they heard late of the common factor in the
latest steps, in a ring with the place of the next; moods and log activity; VWAP of the latent prices and its weight;
where a range began; the VIX and the usual size of moves of ES; the price that limits refer to, seconds that trading
still stands (-1: to the close) and why, the limit that was reached, extremes of the latest minutes."""

BOUNDS = np.dtype(
    [
        ("low", "f8", 2),
        ("high", "f8", 2),
        ("halt_s", "i8"),
        ("dynamic_low", "f8", 2),
        ("dynamic_high", "f8", 2),
        ("velocity", "f8", 2),
        ("velocity_s", "i8"),
    ],
    align=True,
)
"""Of a minute: the price limits and how long trading stands at the lower one (0: it goes on, -1: to the close); the
bounds of the dynamic circuit breaker; the largest move of a second, in ticks, and how long trading stands after a
larger one. No bound is infinite."""

LIMIT, DYNAMIC, VELOCITY, PLANNED, DAILY = 1, 4, 5, 6, 7
"""Why trading stands: LIMIT is the first of three levels, PLANNED is a scenario's, DAILY the halt of former years."""


def new_factors(symbol: str, seed: int, x: tuple[float, float], vix: float) -> npt.NDArray[Any]:
    """One record of FACTORS; `x` are the latent prices of ES and NQ in ticks."""
    factors = np.zeros(1, FACTORS)
    factors["common"] = stream(seed, "common factor")
    factors["own"] = [stream(seed, f"own factor {name}") for name in ("ES", "NQ")]
    factors["mood"] = stream(seed, "volatility")
    factors["activity"] = stream(seed, f"activity {symbol}")
    factors["fear"] = stream(seed, "VIX")
    factors["x"] = factors["before"] = factors["vwap"] = factors["reference"] = x
    factors["lowest"] = factors["highest"] = np.array(x)[:, None]
    factors["vix"] = vix
    factors["usual"] = 80.0 * vix * VIX_TO_SECOND
    _begin(factors.view(np.recarray)[0])
    return factors


@compiled
def _begin(factors: Any) -> None:
    """Moods and activity where chance has them in the long run; the slowest mood is the session's own."""
    for index in range(len(VOLATILITIES)):
        factors.mood_level[index] = math.sqrt(VOLATILITIES[index][1]) * normal(factors.mood)
    for index in range(2):
        factors.busy_level[index] = normal(factors.activity)


@compiled
def open_day(factors: Any, closed_s: float) -> None:
    """The market was closed: the latent prices move on, by the volatility of quiet hours, and VWAP begins again."""
    common = normal(factors.common)
    for one in range(2):
        own = normal(factors.own[one])
        shared, alone, relative = SHARES[one]
        move = math.sqrt(shared) * common + math.sqrt(alone) * own
        sigma = factors.vix * VIX_TO_SECOND * relative * 0.4
        factors.x[one] += factors.x[one] * sigma * math.sqrt(closed_s) * move
        factors.before[one] = factors.vwap[one] = factors.x[one]
        factors.reference[one] = factors.x[one]
        factors.lowest[one, :] = factors.x[one]
        factors.highest[one, :] = factors.x[one]
        factors.halted[one] = 0
    factors.weight = 0.0
    factors.level = 0


@compiled
def advance_minute(
    factors: Any,
    shape: Any,
    bounds: Any,
    es: Any,
    nq: Any,
    rows: Any,
    minute: int,
    season: int,
    days_left: float,
    x: Any,
    busy: Any,
    context: Any,
) -> None:
    """The next minute: `rows` are its modulators, one a second; fills `x` (ticks) and `busy` of the symbol, STEPS long.

    `es` and `nq` are the options on both; `context` gets a row a second of VIX and options, as known at its beginning.
    `minute` is that of the session, `season` the one whose season it has, `days_left` the part of the regular day still
    to come. Where trading stands, the modulator `halt` of `rows` says why.
    """
    options_minute(es, factors.x[0] * shape.tick[0], factors.vix, days_left, rows[0, PIN])
    options_minute(nq, factors.x[1] * shape.tick[1], factors.vix, days_left, rows[0, PIN])
    for one in range(2):
        factors.lowest[one, minute % HOUR] = factors.highest[one, minute % HOUR] = factors.x[one]
    step_s = 1.0 / STEPS_A_SECOND
    root = math.sqrt(step_s)
    variance = 0.0
    for _, each in VOLATILITIES:
        variance += each
    for second in range(MINUTE_S):
        row = rows[second]
        _know_options(factors, shape, es, nq, row)
        context[second, 0] = factors.vix
        tell_options(es if shape.follows == 0 else nq, context[second, 1:])
        _move_moods(factors)
        mood = 0.0
        for index in range(len(VOLATILITIES)):
            mood += factors.mood_level[index]
        stir = exp(mood - variance) * row[SIGMA]
        regimes = volatility_of_regime(es), volatility_of_regime(nq)
        _anchor(factors, row[REVERT])
        _stand(factors, shape, row)
        level = exp(BUSY_WITH_VOLATILITY * (mood - 0.5 * BUSY_WITH_VOLATILITY * variance)) * row[ACTIVITY]
        level *= shape.busy[season]
        for part in range(STEPS_A_SECOND):
            common = normal(factors.common)
            step = second * STEPS_A_SECOND + part
            # With its small tick NQ's book is a step ahead of that of ES in what it makes of its latent price. So it is
            # told of the one at the step's beginning, and of a balanced pair neither mid leads.
            if shape.follows == 1:
                x[step] = factors.x[1] * shape.scale
            for one in range(2):
                shared, alone, relative = SHARES[one]
                base = factors.vix * VIX_TO_SECOND * relative * factors.x[one]
                sigma = base * shape.swing[one, season] * shape.volatility * stir * regimes[one] * root
                heard = sigma * math.sqrt(shared) * common
                heard += (row[MU] + row[JUMP]) * step_s * base / REFERENCE
                late = shape.strength[one] * heard
                factors.late[one, factors.place] = late
                now = factors.late[one, (factors.place + LATEST - shape.lag) % LATEST]
                move = heard - late + now + sigma * math.sqrt(alone) * normal(factors.own[one])
                move -= _pull(factors, shape, es if one == 0 else nq, row, one) * step_s
                if not factors.halted[one]:
                    factors.x[one] = min(max(factors.x[one] + move, bounds.low[one]), bounds.high[one])
            factors.place = (factors.place + 1) % LATEST
            _move_busy(factors)
            if shape.follows == 0:
                x[step] = factors.x[0] * shape.scale
            busy[step] = level * exp(
                shape.busy_fast * (factors.busy_level[0] - 0.5 * shape.busy_fast)
                + shape.busy_slow * (factors.busy_level[1] - 0.5 * shape.busy_slow)
            )
        _watch(factors, bounds, minute, 0, factors.x[0] - factors.before[0])
        _watch(factors, bounds, minute, 1, factors.x[1] - factors.before[1])
        _move_vwap(factors, shape.busy[season] * row[ACTIVITY])


@compiled
def _stand(factors: Any, shape: Any, row: Any) -> None:
    """Tell the book of a second in which trading stands, and count it."""
    if row[HALT]:
        row[HALT] = DAILY if row[HALT] == DAILY else PLANNED
    elif factors.halted[shape.follows]:
        row[HALT] = factors.why[shape.follows]
    for one in range(2):
        if factors.halted[one] > 0:
            factors.halted[one] -= 1


@compiled
def _watch(factors: Any, bounds: Any, minute: int, one: int, moved: float) -> None:
    """After a second: whether one of the latent prices reached what makes trading stand. The limit of ES halts both."""
    x = factors.x[one]
    factors.lowest[one, minute % HOUR] = min(factors.lowest[one, minute % HOUR], x)
    factors.highest[one, minute % HOUR] = max(factors.highest[one, minute % HOUR], x)
    if factors.halted[one]:
        return
    if one == 0 and bounds.halt_s and x <= bounds.low[0]:
        factors.level += 1
        for each in range(2):
            _halt(factors, each, bounds.halt_s, LIMIT + min(factors.level, 3) - 1)
    elif x <= bounds.dynamic_low[one] or x >= bounds.dynamic_high[one]:
        _halt(factors, one, DYNAMIC_PAUSE_S, DYNAMIC)
    elif abs(moved) >= bounds.velocity[one]:
        _halt(factors, one, bounds.velocity_s, VELOCITY)


@compiled
def _halt(factors: Any, one: int, seconds: int, why: int) -> None:
    factors.halted[one] = seconds
    factors.why[one] = why
    factors.lowest[one, :] = factors.x[one]
    factors.highest[one, :] = factors.x[one]


@compiled
def _move_moods(factors: Any) -> None:
    """Each log volatility goes back to its mean and wanders, once a second."""
    for index in range(len(VOLATILITIES)):
        tau_s, variance = VOLATILITIES[index]
        keep = 1.0 - 1.0 / tau_s
        stir = math.sqrt(variance * (1.0 - keep * keep))
        factors.mood_level[index] = keep * factors.mood_level[index] + stir * normal(factors.mood)


@compiled
def _move_busy(factors: Any) -> None:
    """The same for log activity, of deviation 1, every step."""
    for index in range(2):
        keep = 1.0 - 1.0 / (ACTIVITIES_S[index] * STEPS_A_SECOND)
        stir = math.sqrt(1.0 - keep * keep)
        factors.busy_level[index] = keep * factors.busy_level[index] + stir * normal(factors.activity)


@compiled
def _anchor(factors: Any, revert: float) -> None:
    """The price to which a range goes back is where the range began."""
    if revert > 0.0 and not factors.anchored:
        for one in range(2):
            factors.anchor[one] = factors.x[one]
    factors.anchored = 1 if revert > 0.0 else 0


@compiled
def _know_options(factors: Any, shape: Any, es: Any, nq: Any, row: Any) -> None:
    """VIX and options as of the second that is over."""
    moved_es = 100.0 * (factors.x[0] - factors.before[0]) / factors.before[0]
    moved_nq = 100.0 * (factors.x[1] - factors.before[1]) / factors.before[1]
    factors.vix = next_vix(factors.fear, factors.vix, shape.vix_mean, moved_es, factors.usual, row[VIX_DRIFT])
    factors.usual += (abs(moved_es) - factors.usual) / USUAL_S
    options_second(es, factors.x[0] * shape.tick[0], moved_es, row[PIN])
    options_second(nq, factors.x[1] * shape.tick[1], moved_nq, row[PIN])
    for one in range(2):
        factors.before[one] = factors.x[one]


@compiled
def _pull(factors: Any, shape: Any, options: Any, row: Any, one: int) -> float:
    """Ticks a second back to what holds the price."""
    x = factors.x[one]
    pull: float = row[REVERT] * (x - factors.anchor[one]) + row[TO_VWAP] * (x - factors.vwap[one])
    held = row[PIN] * (LN2 / PIN_HALF_LIFE_S)
    if x * shape.tick[one] > options.gamma_flip:
        held += options.pin_strength * (LN2 / HELD_HALF_LIFE_S)
    pull += held * (x - options.pin_level / shape.tick[one])
    return pull


@compiled
def _move_vwap(factors: Any, weight: float) -> None:
    factors.weight += weight
    for one in range(2):
        factors.vwap[one] += (factors.x[one] - factors.vwap[one]) * weight / factors.weight

"""The options on one index: open interest by strike, dealers' gamma by strike, and the levels that follow from it.

Dealers are taken to be long the calls and short the puts (the usual naive convention). Open interest is drawn at a
session's start around the prior close; nothing later is known. Prices are in index points, gamma in dollars a percent.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.chance import exp, logistic, normal, stream
from feedsim.market.compiling import compiled

STRIKES = 256
LISTED = 3
MONEYNESS = 800
WIDEST = 0.2
"""Of log moneyness: MONEYNESS steps from -WIDEST to WIDEST are tabled."""
EXPIRIES = ((0.0, 0.30), (2.0, 0.20), (7.0, 0.25), (30.0, 0.25))
"""Trading days to each expiry and its share of the open interest; the share of today's grows through the day."""
YEAR_DAYS = 252.0
SHORTEST_DAYS = 0.04
SPREAD_OF_INTEREST = 1.6
"""Standard deviation of log open interest from strike to strike."""
LIKED_BY_BOTH = 0.7
"""Share of that which calls and puts have in common."""
CALLS = (0.012, 0.025)
PUTS = (-0.018, 0.035)
"""Where open interest is centred, and how wide, relative to the prior close."""
PUTS_TO_CALLS = 1.25
CONTRACTS = 2000.0
ROUND = ((20.0, 6.0), (10.0, 3.5), (5.0, 2.0))
"""Strikes that are multiples of so many steps (of ES: 100, 50 and 25 points) have so much more."""
NARROWEST_CHAIN, WIDEST_CHAIN = 0.08, 0.5
"""How far from the spot the strikes reach on each side: where a symbol's step does not give that, it is doubled or
halved."""
SCAN, SCAN_STEPS = 0.06, 60
PIN_REACH, PIN_DECAY, PROXIMITY = 0.005, 0.0015, 0.0025
STAYS = 1.5
"""What the strike that holds the price counts more than others, so that it does not change to and fro."""
PUT_CALL, PUT_CALL_S, PUT_CALL_MOVE, PUT_CALL_NOISE = 0.95, 1200.0, 0.15, 0.0014
LOWEST_PUT_CALL, HIGHEST_PUT_CALL = 0.7, 1.3
PIN_BOOST = 5.0
"""How much more open interest the strike of a pinned day has than any other nearby."""

OPTIONS = np.dtype(
    [
        ("chance", "u8", 4),
        ("step", "f8"),
        ("multiplier", "f8"),
        ("volatility", "f8"),
        ("strike", "f8", STRIKES),
        ("calls", "f8", STRIKES),
        ("puts", "f8", STRIKES),
        ("gamma", "f8", MONEYNESS + 1),
        ("pinned", "i8"),
        ("days_left", "f8"),
        ("gamma_flip", "f8"),
        ("call_walls", "f8", LISTED),
        ("put_walls", "f8", LISTED),
        ("pin_levels", "f8", LISTED),
        ("pin_level", "f8"),
        ("pin_strength", "f8"),
        ("put_call_ratio", "f8"),
        ("gamma_exposure", "f8"),
        ("dealer_position", "f8"),
        ("vol_trigger", "f8"),
    ],
    align=True,
)
"""The chain (distance of strikes and dollars a point, volatility relative to the VIX, open interest by strike), gamma
by moneyness as of the minute, and what is told of it."""

SYMBOLS = {"ES": (5.0, 50.0, 1.0), "NQ": (25.0, 20.0, 1.25)}
CONTEXT_WIDTH = 9 + 3 * LISTED
"""Columns of what `tell_options` fills, in the order of the channel's fields behind the VIX."""


def new_options(symbol: str, seed: int, spot: float) -> npt.NDArray[Any]:
    """One record of OPTIONS for ES or NQ, opened at a spot price."""
    options = np.zeros(1, OPTIONS)
    options["chance"] = stream(seed, f"options {symbol}")
    options["step"], options["multiplier"], options["volatility"] = SYMBOLS[symbol]
    options["put_call_ratio"] = PUT_CALL
    open_options(options.view(np.recarray)[0], spot)
    return options


@compiled
def open_options(options: Any, spot: float) -> None:
    """Draw the open interest of a session around the prior close."""
    while options.step * (STRIKES // 2) > WIDEST_CHAIN * spot:
        options.step *= 0.5
    while options.step * (STRIKES // 2) < NARROWEST_CHAIN * spot:
        options.step *= 2.0
    lowest = math.floor(spot / options.step) - STRIKES // 2
    for index in range(STRIKES):
        strike = (lowest + index) * options.step
        options.strike[index] = strike
        away = (strike - spot) / spot
        many = CONTRACTS
        for steps, times in ROUND:
            if (lowest + index) % steps == 0.0:
                many *= times
                break
        liked = math.sqrt(LIKED_BY_BOTH) * normal(options.chance)
        for side in range(2):
            centre, width = CALLS if side == 0 else PUTS
            z = (away - centre) / width
            noise = liked + math.sqrt(1.0 - LIKED_BY_BOTH) * normal(options.chance)
            here = many * exp(SPREAD_OF_INTEREST * noise - 0.5 * z * z)
            if side == 0:
                options.calls[index] = here
            else:
                options.puts[index] = here
    calls, puts = 0.0, 0.0
    for index in range(STRIKES):
        calls += options.calls[index]
        puts += options.puts[index]
    for index in range(STRIKES):
        options.puts[index] *= PUTS_TO_CALLS * calls / puts
    options.pinned = 0


@compiled
def options_minute(options: Any, spot: float, vix: float, days_left: float, pin_weight: float) -> None:
    """What changes slowly: gamma by moneyness, the flip, the walls. `days_left`: the part of the day still to come."""
    if pin_weight > 0.0 and not options.pinned:
        _pin(options, spot)
    options.days_left = days_left
    _table_gamma(options, vix)
    _find_flip(options, spot)
    _find_walls(options, spot)


@compiled
def options_second(options: Any, spot: float, percent: float, pin_weight: float) -> None:
    """What changes fast; `percent` is the move of the last second, `pin_weight` above 0 on a pinned day."""
    calls, puts = _exposure(options, spot)
    options.gamma_exposure = abs(calls - puts) + 1.0
    options.dealer_position = (calls - puts) / (calls + puts + 1.0)
    options.vol_trigger = logistic((options.gamma_flip - spot) / (PROXIMITY * spot))
    _find_pin(options, spot, pin_weight)
    ratio = options.put_call_ratio + (PUT_CALL - options.put_call_ratio) / PUT_CALL_S
    ratio += PUT_CALL_NOISE * normal(options.chance) - PUT_CALL_MOVE * percent
    options.put_call_ratio = min(max(ratio, LOWEST_PUT_CALL), HIGHEST_PUT_CALL)


@compiled
def volatility_of_regime(options: Any) -> float:
    """Long gamma damps, short gamma amplifies: a factor of volatility, about 1 on an ordinary day."""
    position: float = options.dealer_position
    return 1.0 - (0.25 if position > 0.0 else 0.4) * position


@compiled
def tell_options(options: Any, row: Any) -> None:
    """Fill CONTEXT_WIDTH columns."""
    row[0] = options.gamma_flip
    row[1] = options.call_walls[0]
    row[2] = options.put_walls[0]
    row[3] = options.pin_strength
    row[4] = options.put_call_ratio
    row[5] = options.gamma_exposure
    row[6] = options.dealer_position
    row[7] = options.gamma_flip
    for index in range(LISTED):
        row[8 + index] = options.pin_levels[index]
        row[8 + LISTED + index] = options.call_walls[index]
        row[8 + 2 * LISTED + index] = options.put_walls[index]
    row[8 + 3 * LISTED] = options.vol_trigger


# --------------------------------------------------------------------------------------------------------------- gamma


@compiled
def _table_gamma(options: Any, vix: float) -> None:
    """Black-Scholes gamma times the spot, over all expiries by their share, at each step of log moneyness ln(S/K)."""
    sigma = vix / 100.0 * options.volatility
    for at in range(MONEYNESS + 1):
        moneyness = WIDEST * (2.0 * at / MONEYNESS - 1.0)
        total = 0.0
        for days, share in EXPIRIES:
            weight = share * (1.5 - options.days_left) if days == 0.0 else share
            years = max(days + options.days_left, SHORTEST_DAYS) / YEAR_DAYS
            width = sigma * math.sqrt(years)
            d1 = moneyness / width + 0.5 * width
            if abs(d1) < 6.0:
                total += weight * exp(-0.5 * d1 * d1) * 0.3989422804014327 / width
        options.gamma[at] = total


@compiled
def _gamma(options: Any, spot: float, index: int) -> float:
    """From the table, by the logarithm's first terms: strikes are near the spot."""
    ratio = (spot - options.strike[index]) / (spot + options.strike[index])
    moneyness = 2.0 * ratio * (1.0 + ratio * ratio / 3.0)
    place = (moneyness / WIDEST + 1.0) * (0.5 * MONEYNESS)
    if place < 0.0 or place >= MONEYNESS:
        return 0.0
    at = int(place)
    rest = place - at
    between: float = options.gamma[at] * (1.0 - rest) + options.gamma[at + 1] * rest
    return between


@compiled
def _exposure(options: Any, spot: float) -> Any:
    """Dollars of delta that a move of 1 % makes dealers trade: for the calls, for the puts."""
    calls, puts = 0.0, 0.0
    for index in range(STRIKES):
        gamma = _gamma(options, spot, index)
        calls += options.calls[index] * gamma
        puts += options.puts[index] * gamma
    scale = options.multiplier * spot * 0.01
    return calls * scale, puts * scale


@compiled
def _find_flip(options: Any, spot: float) -> None:
    """The price nearest to the spot where the total changes sign, else the end of the scan that is nearer to zero."""
    step = 2.0 * SCAN * spot / SCAN_STEPS
    lowest = spot * (1.0 - SCAN)
    calls, puts = _exposure(options, lowest)
    before = calls - puts
    nearest, smallest, flip = 1e18, abs(before), lowest
    found = False
    for at in range(1, SCAN_STEPS + 1):
        price = lowest + at * step
        calls, puts = _exposure(options, price)
        net = calls - puts
        if (before < 0.0) != (net < 0.0):
            zero = price - step * net / (net - before)
            if abs(zero - spot) < nearest:
                nearest, flip, found = abs(zero - spot), zero, True
        elif not found and abs(net) < smallest:
            smallest, flip = abs(net), price
        before = net
    options.gamma_flip = flip


@compiled
def _find_walls(options: Any, spot: float) -> None:
    """The strikes with the most gamma of calls above the spot, and of puts below it; the first is the wall.

    A wall stays one until the spot is half a strike beyond it.
    """
    for side in range(2):
        walls = options.call_walls if side == 0 else options.put_walls
        sign = 1.0 if side == 0 else -1.0
        last, stands = 1e300, walls[0]
        for rank in range(LISTED):
            best, level = -1.0, spot
            for index in range(STRIKES):
                strike = options.strike[index]
                beyond = sign * (strike - spot)
                if beyond > 0.0 or (strike == stands and beyond >= -0.5 * options.step):
                    interest = options.calls[index] if side == 0 else options.puts[index]
                    here = interest * _gamma(options, spot, index)
                    if best < here < last:
                        best, level = here, strike
            walls[rank] = level
            last = best


# ----------------------------------------------------------------------------------------------------------------- pin


@compiled
def _pin(options: Any, spot: float) -> None:
    """A pinned day: the round strike nearest to the spot has most of the open interest nearby."""
    best = 0
    for index in range(STRIKES):
        if abs(options.strike[index] - spot) < abs(options.strike[best] - spot):
            best = index
    most = 0.0
    for index in range(max(best - 6, 0), min(best + 7, STRIKES)):
        most = max(most, options.calls[index], options.puts[index])
    options.calls[best] += PIN_BOOST * most
    options.pinned = 1


@compiled
def _find_pin(options: Any, spot: float, pin_weight: float) -> None:
    """The strikes within reach with the most net gamma, and how strongly the first one holds the price.

    The first one stays until another has half as much again, or the spot is a fifth beyond its reach.
    """
    reach = max(PIN_REACH * spot, 1.5 * options.step)
    stands = options.pin_levels[0]
    last, total, held = 1e300, 0.0, 0.0
    for rank in range(LISTED):
        best, level = -1.0, spot
        for index in range(STRIKES):
            strike = options.strike[index]
            stood = strike == stands
            if abs(strike - spot) <= (1.2 * reach if stood else reach):
                here = abs(options.calls[index] - options.puts[index]) * _gamma(options, spot, index)
                if rank == 0:
                    total += here
                if stood:
                    here *= STAYS
                if best < here < last:
                    best, level = here, strike
        options.pin_levels[rank] = level
        last = best
        if rank == 0:
            held = best / STAYS if level == stands else best
    options.pin_level = options.pin_levels[0]
    share = held / total if total > 0.0 else 0.0
    near = exp(-abs(spot - options.pin_level) / (PIN_DECAY * spot))
    late = max(math.sqrt(max(1.0 - options.days_left, 0.0)), min(pin_weight, 1.0))
    options.pin_strength = min(max(share * near * late, 0.0), 1.0)

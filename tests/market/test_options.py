"""The options: formulas by math, levels as they were defined, and sessions in which they behave."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events.columns import SCHEMAS
from feedsim.market import options as room
from feedsim.market.chance import normal, stream
from feedsim.market.compiling import compiled
from feedsim.market.options import (
    new_options,
    open_options,
    options_minute,
    options_second,
    tell_options,
    volatility_of_regime,
)

Floats = npt.NDArray[np.float64]
SPOTS = {"ES": 5000.0, "NQ": 18000.0}
A_SECOND = {"ES": 0.0038, "NQ": 0.0047}  # percent, regular trading at a VIX of 15
VIX = 15.0
MINUTES = 390
FIELDS = (
    *("spot", "gamma_flip", "call_wall", "put_wall", "pin_level", "pin_strength"),
    *("put_call_ratio", "dealer_position", "vol_trigger", "gamma_exposure"),
)

every_symbol = pytest.mark.parametrize("symbol", ["ES", "NQ"])
seeds = st.integers(0, 2**64 - 1)


def _one(options: npt.NDArray[Any]) -> Any:
    return options.view(np.recarray)[0]


def _at(
    symbol: str = "ES",
    *,
    seed: int = 1,
    spot: float | None = None,
    left: float = 0.5,
    pin: float = 0.0,
    vix: float = VIX,
) -> Any:
    """Options that were opened at the usual price and are known at `spot`."""
    options = _one(new_options(symbol, seed, SPOTS[symbol]))
    spot = SPOTS[symbol] if spot is None else spot
    options_minute(options, spot, vix, left, pin)
    options_second(options, spot, 0.0, pin)
    return options


@compiled
def _walk(options: Any, moves: Any, spot: float, pin_weight: float, told: Any) -> float:
    """Fill `told` with FIELDS of each second as known at its beginning; `moves` are in percent, whole minutes."""
    before = 0.0
    for second in range(len(moves)):
        if second % 60 == 0:
            options_minute(options, spot, 15.0, 1.0 - second / (390.0 * 60.0), pin_weight)
        options_second(options, spot, before, pin_weight)
        told[second] = (
            *(spot, options.gamma_flip, options.call_walls[0], options.put_walls[0], options.pin_level),
            *(options.pin_strength, options.put_call_ratio, options.dealer_position, options.vol_trigger),
            options.gamma_exposure,
        )
        before = moves[second]
        spot *= 1.0 + before / 100.0
    return spot


def _moves(symbol: str, seed: int, minutes: int = MINUTES) -> Floats:
    chance = stream(seed, "moves")
    return np.array([A_SECOND[symbol] * normal(chance) for _ in range(60 * minutes)])


def _session(symbol: str, seed: int, minutes: int = MINUTES) -> Floats:
    told = np.empty((60 * minutes, len(FIELDS)))
    _walk(_one(new_options(symbol, seed, SPOTS[symbol])), _moves(symbol, seed, minutes), SPOTS[symbol], 0.0, told)
    return told


@lru_cache(maxsize=2)
def _sessions(symbol: str) -> dict[str, Floats]:
    """FIELDS by (session, second) of sixteen days of regular trading; read only."""
    told = np.stack([_session(symbol, seed) for seed in range(16)])
    return {name: told[:, :, at] for at, name in enumerate(FIELDS)}


# ------------------------------------------------------------------------------------------------------------ formulas


def _by_strike(options: Any, symbol: str, spot: float, left: float, vix: float = VIX) -> tuple[Floats, Floats]:
    """Dollars a percent, of calls and of puts: Black-Scholes by the book, gamma · interest · multiplier · S² · .01."""
    multiplier, relative = {"ES": (50.0, 1.0), "NQ": (20.0, 1.25)}[symbol]
    sigma = vix / 100.0 * relative
    gamma = np.zeros(room.STRIKES)
    for days, share in room.EXPIRIES:
        root = sigma * math.sqrt(max(days + left, room.SHORTEST_DAYS) / 252.0)
        weight = share * (1.5 - left) if days == 0.0 else share
        for at, strike in enumerate(options.strike):
            d1 = math.log(spot / strike) / root + root / 2.0
            gamma[at] += weight * math.exp(-d1 * d1 / 2.0) / math.sqrt(2.0 * math.pi) / (spot * root)
    dollars = gamma * multiplier * spot * spot * 0.01
    return options.calls * dollars, options.puts * dollars


@given(
    symbol=st.sampled_from(["ES", "NQ"]),
    seed=seeds,
    away=st.floats(-0.03, 0.03),
    left=st.floats(0.0, 1.0),
    vix=st.floats(10.0, 50.0),
)
def test_exposure_is_black_scholes(symbol: str, seed: int, away: float, left: float, vix: float) -> None:
    """Within 3 % of all gamma (from a table), whatever price, hour and VIX; the sign is with the dealers."""
    spot = SPOTS[symbol] * (1.0 + away)
    options = _at(symbol, seed=seed, spot=spot, left=left, vix=vix)
    calls, puts = (side.sum() for side in _by_strike(options, symbol, spot, left, vix))
    assert options.gamma_exposure == pytest.approx(abs(calls - puts), abs=0.03 * (calls + puts) + 1.0)
    assert options.dealer_position == pytest.approx((calls - puts) / (calls + puts), abs=0.03)
    assert options.gamma_exposure > 0.0


@given(symbol=st.sampled_from(["ES", "NQ"]), seed=seeds)
def test_flip_is_where_the_total_is_zero(symbol: str, seed: int) -> None:
    """Of the zeros within 6 %, the nearest; between prices .2 % apart the total is taken as a straight line."""
    spot = SPOTS[symbol]
    options = _at(symbol, seed=seed)
    prices = spot * (1.0 + np.linspace(-0.06, 0.06, 61))
    totals = np.array(
        [np.subtract(*(side.sum() for side in _by_strike(options, symbol, price, 0.5))) for price in prices]
    )
    changes = np.flatnonzero(np.sign(totals[1:]) != np.sign(totals[:-1]))
    zeros = prices[changes] - totals[changes] * np.diff(prices)[changes] / np.diff(totals)[changes]
    if len(zeros):
        nearest = zeros[np.argmin(np.abs(zeros - spot))]
        assert abs(options.gamma_flip - spot) == pytest.approx(abs(nearest - spot), abs=0.0005 * spot)
    assert abs(options.gamma_flip - spot) <= 0.0601 * spot


@given(symbol=st.sampled_from(["ES", "NQ"]), seed=seeds)
def test_walls_have_the_most_gamma(symbol: str, seed: int) -> None:
    """Three strikes above the spot by the gamma of their calls, three below it by that of their puts, most first."""
    spot = SPOTS[symbol] + 0.25
    options = _at(symbol, seed=seed, spot=spot)
    calls, puts = _by_strike(options, symbol, spot, 0.5)
    for walls, dollars, beyond in (
        (options.call_walls, calls, options.strike > spot),
        (options.put_walls, puts, options.strike < spot),
    ):
        ranked = np.sort(dollars[beyond])[::-1]
        told = [float(dollars[beyond & (options.strike == wall)].sum()) for wall in walls]
        assert told == pytest.approx(ranked[: room.LISTED], rel=0.02)
        assert len(set(walls.tolist())) == room.LISTED


# --------------------------------------------------------------------------------------------------------------- chain


@every_symbol
def test_puts_outnumber_calls(symbol: str) -> None:
    """By a quarter, in every session."""
    for seed in range(20):
        options = _one(new_options(symbol, seed, SPOTS[symbol]))
        assert options.puts.sum() / options.calls.sum() == pytest.approx(1.25)


@pytest.mark.parametrize(("symbol", "round_points", "points"), [("ES", 100.0, 5.0), ("NQ", 500.0, 25.0)])
def test_round_strikes_are_liked(symbol: str, round_points: float, points: float) -> None:
    """Around the spot, the log of the interest at round strikes is ln 6 above that of ordinary ones."""
    spot = SPOTS[symbol]
    logs: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(150):
        options = _one(new_options(symbol, seed, spot))
        assert np.diff(options.strike) == pytest.approx(points)
        for at in np.flatnonzero(np.abs(options.strike - spot) <= 0.02 * spot):
            strike = options.strike[at]
            if strike % round_points == 0.0:
                logs[True].append(math.log(options.calls[at]))
            elif strike % (round_points / 4) != 0.0:
                logs[False].append(math.log(options.calls[at]))
    assert np.mean(logs[True]) - np.mean(logs[False]) == pytest.approx(math.log(6.0), abs=0.35)


@every_symbol
@given(spot=st.floats(2.0, 1e6), seed=seeds)
def test_any_price_has_a_chain(symbol: str, spot: float, seed: int) -> None:
    """Strikes above 0 on both sides, three pins near, and nothing that is no number."""
    options = _one(new_options(symbol, seed, spot))
    told = np.empty((120, len(FIELDS)))
    _walk(options, np.full(120, 0.01), spot, 0.0, told)
    assert np.isfinite(told).all()
    assert options.strike[0] > 0.0
    assert options.strike[0] < spot * 0.93
    assert options.strike[-1] > spot * 1.07
    assert len(set(options.pin_levels.tolist())) == room.LISTED


@every_symbol
def test_a_crash_leaves_the_chain(symbol: str) -> None:
    """Far below its strikes all is still a number, and bounded."""
    options = _at(symbol, spot=SPOTS[symbol] * 0.7)
    row = np.empty(room.CONTEXT_WIDTH)
    tell_options(options, row)
    assert np.isfinite(row).all()
    assert 0.0 <= options.pin_strength <= 1.0
    assert -1.0 <= options.dealer_position <= 1.0


def test_symbols_have_chains_of_their_own() -> None:
    """Under one seed, ES and NQ differ, as do two seeds of one symbol; one seed is one chain."""
    chains = [new_options(*key)["calls"][0] for key in (("ES", 1, 5000.0), ("NQ", 1, 5000.0), ("ES", 2, 5000.0))]
    chains = [chain / chain.max() for chain in chains]
    assert not any(np.allclose(chains[one], chains[other]) for one, other in ((0, 1), (0, 2), (1, 2)))
    assert new_options("ES", 1, 5000.0).tobytes() == new_options("ES", 1, 5000.0).tobytes()


def test_a_new_session_is_drawn_around_its_price() -> None:
    """Another open interest, with its strikes around the close, and not pinned."""
    options = _at(pin=1.0)
    before = options.calls.copy()
    open_options(options, 5400.0)
    assert not options.pinned
    assert not np.array_equal(options.calls, before)
    assert options.strike[room.STRIKES // 2] == 5400.0


# ------------------------------------------------------------------------------------------------------------ sessions


@every_symbol
def test_price_is_between_the_walls(symbol: str) -> None:
    """At least nine tenths of the time."""
    told = _sessions(symbol)
    assert ((told["put_wall"] < told["spot"]) & (told["spot"] < told["call_wall"])).mean() >= 0.90


@every_symbol
def test_flip_is_near(symbol: str) -> None:
    """Within 3 %, but for one minute in fifty."""
    told = _sessions(symbol)
    assert (np.abs(told["gamma_flip"] / told["spot"] - 1.0) <= 0.03).mean() >= 0.98


@every_symbol
@pytest.mark.parametrize("level", ["gamma_flip", "call_wall", "put_wall", "pin_level"])
def test_levels_stand(symbol: str, level: str) -> None:
    """No level changes more than once a minute, over a session; those at strikes less than once in five minutes."""
    changes = (np.diff(_sessions(symbol)[level], axis=1) != 0.0).sum(axis=1) / MINUTES
    assert changes.max() <= (1.0 if level == "gamma_flip" else 0.2)


@every_symbol
def test_told_in_bounds(symbol: str) -> None:
    """Shares and scores in [0, 1], the position in [−1, 1], the ratio in [.7, 1.3], and all of them numbers."""
    told = _sessions(symbol)
    assert all(np.isfinite(values).all() for values in told.values())
    bounds = {"pin_strength": (0, 1), "vol_trigger": (0, 1), "dealer_position": (-1, 1), "put_call_ratio": (0.7, 1.3)}
    for name, (low, high) in bounds.items():
        assert low <= told[name].min()
        assert told[name].max() <= high
    assert told["gamma_exposure"].min() > 0.0


@every_symbol
def test_put_call_ratio_goes_back(symbol: str) -> None:
    """Around .95, forgetting in 20 minutes: minutes later by as many, e^−1 of a deviation is left (±.15)."""
    ratio = _sessions(symbol)["put_call_ratio"][:, 1200:] - 0.95
    assert abs(ratio.mean()) <= 0.02
    left = (ratio[:, 1200:] * ratio[:, :-1200]).mean() / (ratio**2).mean()
    assert left == pytest.approx(math.exp(-1.0), abs=0.15)


def test_put_call_ratio_falls_when_the_price_rises() -> None:
    """By .15 for 1 %."""
    ratios = []
    for percent in (0.0, 1.0):
        options = _at()
        options_second(options, 5050.0, percent, 0.0)
        ratios.append(float(options.put_call_ratio))
    assert ratios[0] - ratios[1] == pytest.approx(0.15)


@every_symbol
def test_the_price_is_less_sure_below_the_flip(symbol: str) -> None:
    """Far above the flip the trigger is near 0, at it a half, far below near 1."""
    options = _at(symbol)
    flip = float(options.gamma_flip)
    triggers = []
    for price in (flip * 1.02, flip, flip * 0.98):
        options_second(options, price, 0.0, 0.0)
        triggers.append(float(options.vol_trigger))
    assert triggers == pytest.approx([0.0, 0.5, 1.0], abs=0.001)


@given(symbol=st.sampled_from(["ES", "NQ"]), seed=seeds, away=st.floats(-0.1, 0.1))
def test_long_gamma_damps(symbol: str, seed: int, away: float) -> None:
    """Volatility is multiplied by .75 to 1 where dealers are long, by 1 to 1.4 where they are short."""
    options = _at(symbol, seed=seed, spot=SPOTS[symbol] * (1.0 + away))
    low, high = (0.75, 1.0) if options.dealer_position > 0.0 else (1.0, 1.4)
    assert low <= volatility_of_regime(options) <= high


# ----------------------------------------------------------------------------------------------------------------- pin


@every_symbol
def test_a_pinned_day_holds_at_the_nearest_strike(symbol: str) -> None:
    """From its first minute on: the strike nearest to the price, stronger than a half while the price is near."""
    for seed in range(30):
        spot = SPOTS[symbol] * 1.0013
        options = _at(symbol, seed=seed, spot=spot, left=1.0, pin=1.0)
        level = float(options.pin_level)
        assert abs(level - spot) <= options.step / 2
        strengths = []
        for ticks in range(-6, 7):
            options_second(options, level + 0.25 * ticks, 0.0, 1.0)
            assert options.pin_level == level
            strengths.append(float(options.pin_strength))
        assert np.mean(strengths) >= 0.5
        assert max(strengths) <= 1.0


@every_symbol
def test_pins_grow_through_the_day_and_with_nearness(symbol: str) -> None:
    """At a price, the later the stronger; at an hour, the nearer the stronger."""
    late = []
    for left in (0.9, 0.6, 0.3, 0.05):
        options = _at(symbol, left=left)
        options_second(options, float(options.pin_level), 0.0, 0.0)
        late.append(float(options.pin_strength))
    assert late == sorted(late)
    options = _at(symbol, pin=1.0)
    level = float(options.pin_level)
    near = []
    for away in (0.002, 0.001, 0.0005, 0.0):
        options_second(options, level * (1.0 + away), 0.0, 1.0)
        assert options.pin_level == level
        near.append(float(options.pin_strength))
    assert near == sorted(near)


# ------------------------------------------------------------------------------------------------------------- the rest


@every_symbol
def test_nothing_is_known_before_it_happens(symbol: str) -> None:
    """What is told up to a second is the same whatever the price does after it."""
    moves = _moves(symbol, 3, 20)
    other = moves.copy()
    other[630:] = 0.05
    told = []
    for path in (moves, other):
        rows = np.empty((1200, len(FIELDS)))
        _walk(_one(new_options(symbol, 3, SPOTS[symbol])), path, SPOTS[symbol], 0.0, rows)
        told.append(rows)
    assert np.array_equal(told[0][:631], told[1][:631])
    assert not np.array_equal(told[0][631], told[1][631])


@every_symbol
def test_the_record_is_the_whole_state(symbol: str) -> None:
    """Restored from bytes between minutes, options tell and become the same, to the byte."""
    options, spot = new_options(symbol, 4, SPOTS[symbol]), SPOTS[symbol]
    moves, rows = _moves(symbol, 4, 20), np.empty((600, len(FIELDS)))
    spot = _walk(_one(options), moves[:600], spot, 0.0, rows)
    restored = np.frombuffer(options.tobytes(), room.OPTIONS).copy()
    again = np.empty_like(rows)
    ends = [_walk(_one(each), moves[600:], spot, 0.0, into) for each, into in ((options, rows), (restored, again))]
    assert ends[0] == ends[1]
    assert rows.tobytes() == again.tobytes()
    assert options.tobytes() == restored.tobytes()


def test_a_row_is_as_the_channel_names_it() -> None:
    """`tell_options` fills the fields of the channel behind the VIX in their order, lists three wide."""
    options, row = _at(seed=9, spot=5012.0), np.full(room.CONTEXT_WIDTH, np.nan)
    tell_options(options, row)
    named = {
        "call_wall": options.call_walls[0],
        "put_wall": options.put_walls[0],
        "gamma_flip_level": options.gamma_flip,
    }
    names = SCHEMAS["context"].names
    expected: list[float] = []
    for name in names[names.index("vix") + 1 :]:
        value = named[name] if name in named else options[name]
        expected += np.atleast_1d(value).tolist()
    assert row.tolist() == expected
    assert options.pin_level == options.pin_levels[0]

"""Parameter sets of the book's law, one for each instrument and time: the numbers that a calibration finds.

Probabilities are per event, rates per second at the mean activity of regular trading, sizes in lots, prices in ticks.
A new instrument is a new `Preset`, most simply `replace(PRESETS["es_2019"], …)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

Weights = Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How orders come to one instrument's book."""

    about: str

    # ---------------------------------------------------------------- the clock
    hum: float
    """Events a second that come by themselves; each may start a burst."""
    burst: float
    """Probability that an event is followed at once by another."""
    burst_after: float
    """The same after a trade or a move of a best price."""
    burst_trade: float
    """Mean number of events that surely follow a trade at once."""
    burst_move: float
    """Mean number of events that surely follow a move of a best price at once."""
    wide_log10_ns: float
    """Mean of log10 of the gap, in ns, to the next event while the spread is wide (large-tick instruments; 0: none)."""
    wide_slow: float
    """Probability that such a gap is a hundred to ten thousand times longer."""
    fast_sd: float
    """Standard deviation of log activity that comes and goes in 1.5 s."""
    slow_sd: float
    """The same in 40 s."""

    # ------------------------------------------------------------- market orders
    trade: float
    """Probability that an event is a market order, with nothing exciting it."""
    excitation: float
    """How much more probable one is just after another, and at once."""
    excitation_decay: float
    """What is left of that after each event."""
    sign_imbalance: float
    """Weight of the queue imbalance in the log odds of a buy."""
    sign_memory: float
    """Weight of the last three signs."""
    sign_steering: float
    """Weight of the distance of the latent price."""
    take_all: float
    """Probability that a market order takes exactly the best queue, as that becomes small …"""
    take_all_lots: float
    """… against this size."""
    trade_size: Weights
    trade_tail: float
    """Exponent of the sizes beyond, a Pareto law …"""
    trade_tail_from: float
    trade_cap: int
    through: float
    """Probability that a market order larger than the best queue goes on to the next price."""

    # -------------------------------------------------- limit orders, cancellations
    depth: tuple[float, ...]
    """Lots that levels 1 to 10 of a side tend to."""
    at_best: float
    """Share of limit orders and cancellations at the best price."""
    behind: tuple[float, ...]
    """Weights of levels 2, 3, …"""
    birth_exponent: float
    """A queue of q lots grows with probability 1 / (1 + (q / depth) ** birth_exponent)."""
    tilt_imbalance: float
    """Log tilt of the depth at the best prices by the queue imbalance."""
    tilt_steering: float
    """The same by the distance of the latent price."""
    order_size: Weights
    modify: float
    """Share of cancellations that only make an order smaller."""
    cancel_last: float
    """Probability that a cancellation may empty a level."""
    refill: float
    """Probability that an event of a burst after a move goes to the new best price."""

    # ---------------------------------------------------------------- the spread
    step_up: float
    """Probability that the side opposite the emptied one follows, so that the price moves."""
    step_steering: float
    """Weight of the distance of the latent price in the log odds of that."""
    inside: float
    """Probability that an event while the spread is wide is an order inside it (times the ticks inside, squared)."""
    inside_size: Weights
    chase: float
    """How much more probable that is for each tick that the latent price steers."""
    pull: float
    """Probability, for each such tick, that an event pulls an order out of the best queue in the price's way."""
    steering_limit: float
    """Ticks beyond which the latent price steers no more strongly."""
    dead_zone: float
    """Ticks within which it does not steer at all."""

    # ------------------------------------------------------------------- volatility
    volatility: float
    """Of the latent price, as a share of what the VIX says."""


_ORDERS = {1: 600, 2: 140, 3: 70, 4: 30, 5: 80, 8: 15, 10: 45, 15: 6, 20: 10, 30: 4}

_ES_2019 = Preset(
    about="E-mini S&P 500, August 2019: deep queues, a spread of one tick",
    hum=18.61,
    burst=0.8438,
    burst_after=0.7168,
    burst_trade=3.467,
    burst_move=10.33,
    wide_log10_ns=3.927,
    wide_slow=0.002575,
    fast_sd=0.1586,
    slow_sd=0.7029,
    trade=0.01672,
    excitation=19.52,
    excitation_decay=0.2635,
    sign_imbalance=3.408,
    sign_memory=0.77,
    sign_steering=1.459,
    take_all=0.5026,
    take_all_lots=22.85,
    trade_size={1: 660.2, 2: 90.83, 3: 69.83, 5: 65.2, 10: 27.99},
    trade_tail=1.021,
    trade_tail_from=12.86,
    trade_cap=300,
    through=0.2636,
    depth=(83.43, 150.1, 187.6, 217.7, 222.9, 215.4, 222.2, 236.4, 248.4, 267.9),
    at_best=0.728,
    behind=(10, 3.5, 3, 2.5, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5),
    birth_exponent=1.047,
    tilt_imbalance=0.04218,
    tilt_steering=1.598,
    order_size={1: 600, 2: 203.6, 3: 45.27, 4: 8.494, 5: 109.1, 8: 15, 10: 34.79, 15: 4.949, 20: 12.59, 30: 3.873},
    modify=0.1275,
    cancel_last=0.02192,
    refill=0.1569,
    step_up=0.8336,
    step_steering=1.204,
    chase=0.06004,
    pull=0.0009664,
    inside=0.2683,
    inside_size={1: 25, 2: 25, 4: 25},
    steering_limit=1.552,
    dead_zone=0.7767,
    volatility=0.8,
)
_NQ_2025 = Preset(
    about="E-mini Nasdaq-100, autumn 2025: queues of a few lots, a spread of two ticks",
    hum=45.9,
    burst=0.02091,
    burst_after=0.7919,
    burst_trade=1.226,
    burst_move=7.925,
    wide_log10_ns=0.0,
    wide_slow=0.0,
    fast_sd=0.2544,
    slow_sd=0.4729,
    trade=0.04241,
    excitation=1.629,
    excitation_decay=0.22,
    sign_imbalance=3.7,
    sign_memory=2.64,
    sign_steering=0.86,
    take_all=0.04536,
    take_all_lots=11.48,
    trade_size={1: 470.4, 2: 107.1, 3: 132.3, 4: 25.5, 5: 64.92},
    trade_tail=0.9513,
    trade_tail_from=0.3541,
    trade_cap=40,
    through=0.4438,
    depth=(1.153, 3.451, 3.511, 3.689, 3.689, 3.749, 3.511, 3.511, 3.451, 3.511),
    at_best=0.6439,
    behind=(10, 5, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2),
    birth_exponent=3.15,
    tilt_imbalance=1.402,
    tilt_steering=0.6623,
    order_size={1: 457.4, 2: 122.7, 3: 46.41, 5: 20.37},
    modify=0.5233,
    cancel_last=0.2213,
    refill=0.1274,
    step_up=0.7929,
    step_steering=0.5516,
    chase=0.3621,
    pull=0.006117,
    inside=0.02366,
    inside_size={1: 25},
    steering_limit=1.413,
    dead_zone=0.4545,
    volatility=0.8,
)
_ES_2025 = replace(
    _ES_2019,
    about="E-mini S&P 500, summer 2025: three times the orders of 2019, a little less depth",
    hum=_ES_2019.hum * 2.7,
    depth=tuple(0.83 * lots for lots in _ES_2019.depth),
)
_ES_STRESS_2022 = replace(
    _ES_2025,
    about="E-mini S&P 500, January 2022: a VIX of 30, fourteen lots at the best price, a spread that opens",
    depth=(14.0, 23.0, 27.6, 30.7, 25.5, 29.4, 33.6, 36.4, 35.0, 37.8),
    wide_slow=0.3,
)
_SMALL = {1: 700, 2: 150, 3: 60, 5: 60, 10: 20}

PRESETS = MappingProxyType(
    {
        "es_2019": _ES_2019,
        "es_2025": _ES_2025,
        "es_stress_2022": _ES_STRESS_2022,
        "nq_2025": _NQ_2025,
        "mes": replace(_ES_2025, about="Micro E-mini S&P 500: ES in small lots", order_size=_SMALL, trade_size=_SMALL),
        "mnq": replace(_NQ_2025, about="Micro E-mini Nasdaq-100: NQ in small lots", order_size=_SMALL),
    }
)
"""By name; the default ones are in config.py."""

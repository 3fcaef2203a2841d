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
    hum=16.54,
    burst=0.8768,
    burst_after=0.05418,
    burst_trade=2.968,
    burst_move=8.883,
    wide_log10_ns=3.927,
    wide_slow=0.08539,
    fast_sd=0.5202,
    slow_sd=0.4783,
    trade=0.01941,
    excitation=15.19,
    excitation_decay=0.2371,
    sign_imbalance=5.04,
    sign_memory=0.7723,
    sign_steering=0.7197,
    take_all=0.474,
    take_all_lots=31.65,
    trade_size={1: 527.9, 2: 100, 3: 61.55, 5: 66.38, 10: 15},
    trade_tail=1.165,
    trade_tail_from=5.933,
    trade_cap=300,
    through=0.1227,
    depth=(91.7, 182.5, 228.1, 264.7, 271, 261.9, 270.1, 287.5, 302.1, 325.8),
    at_best=0.7975,
    behind=(10, 3.5, 3, 2.5, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5),
    birth_exponent=1.622,
    tilt_imbalance=0.3648,
    tilt_steering=0.6537,
    order_size={1: 600, 2: 140, 3: 70, 4: 29.53, 5: 89.34, 8: 15, 10: 34.79, 15: 4.949, 20: 8.276, 30: 4},
    modify=0.1067,
    cancel_last=0.06829,
    refill=0.7073,
    step_up=0.8555,
    step_steering=1.206,
    chase=0.01,
    pull=0.001,
    inside=0.8151,
    inside_size={1: 25, 2: 25, 4: 25, 9: 25},
    steering_limit=2.725,
    dead_zone=0.5714,
    volatility=0.8,
)
_NQ_2025 = Preset(
    about="E-mini Nasdaq-100, autumn 2025: queues of a few lots, a spread of two ticks",
    hum=20.31,
    burst=0.4619,
    burst_after=0.5461,
    burst_trade=2.586,
    burst_move=6.43,
    wide_log10_ns=0.0,
    wide_slow=0.0,
    fast_sd=0.61,
    slow_sd=0.6389,
    trade=0.05334,
    excitation=2.279,
    excitation_decay=0.4872,
    sign_imbalance=3.308,
    sign_memory=2.451,
    sign_steering=2.564,
    take_all=0.5357,
    take_all_lots=5.153,
    trade_size={1: 453.1, 2: 150, 3: 73.63, 4: 30, 5: 50},
    trade_tail=1.991,
    trade_tail_from=0.9265,
    trade_cap=40,
    through=0.3937,
    depth=(1.8, 5.605, 5.702, 5.992, 5.992, 6.089, 5.702, 5.702, 5.605, 5.702),
    at_best=0.5676,
    behind=(10, 5, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2),
    birth_exponent=0.6852,
    tilt_imbalance=2.019,
    tilt_steering=0.7353,
    order_size={1: 607.8, 2: 122.3, 3: 27.39, 5: 40},
    modify=0.2022,
    cancel_last=0.1652,
    refill=0.001251,
    step_up=0.6899,
    step_steering=0.5244,
    chase=0.5,
    pull=0.03,
    inside=0.02123,
    inside_size={1: 25},
    steering_limit=4.249,
    dead_zone=0.2076,
    volatility=0.8,
)
_SMALL = {1: 700, 2: 150, 3: 60, 5: 60, 10: 20}

PRESETS = MappingProxyType(
    {
        "es_2019": _ES_2019,
        "nq_2025": _NQ_2025,
        "mes": replace(_ES_2019, about="Micro E-mini S&P 500: ES in small lots", order_size=_SMALL),
        "mnq": replace(_NQ_2025, about="Micro E-mini Nasdaq-100: NQ in small lots", order_size=_SMALL),
    }
)

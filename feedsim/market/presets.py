"""Parameter sets of the book's law, one for each instrument and time: the numbers that a calibration finds.

Probabilities are per event, rates per second at the mean activity of regular trading, sizes in lots, prices in ticks.
A new instrument is a new `Preset`, most simply `replace(PRESETS["es_2019"], …)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

Weights = dict[int, int]


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
    hum=8.93,
    burst=0.8696,
    burst_after=0.7897,
    burst_trade=3.629,
    burst_move=8.475,
    wide_log10_ns=3.927,
    wide_slow=0.09487,
    fast_sd=0.5171,
    slow_sd=0.4982,
    trade=0.02545,
    excitation=16.81,
    excitation_decay=0.683,
    sign_imbalance=3.884,
    sign_memory=0.8003,
    sign_steering=0.9866,
    take_all=0.6493,
    take_all_lots=37.15,
    trade_size={1: 500, 2: 100, 3: 40, 5: 55, 10: 15},
    trade_tail=1.35,
    trade_tail_from=4.0,
    trade_cap=300,
    through=0.15,
    depth=(105, 200, 250, 290, 297, 287, 296, 315, 331, 357),
    at_best=0.7961,
    behind=(10, 3.5, 3, 2.5, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5),
    birth_exponent=2.215,
    tilt_imbalance=0.4328,
    tilt_steering=0.5673,
    order_size=_ORDERS,
    modify=0.28,
    cancel_last=0.1,
    refill=0.5302,
    step_up=0.6027,
    step_steering=0.9866,
    inside=0.999,
    inside_size={1: 30, 2: 20, 3: 10, 5: 20, 10: 15},
    steering_limit=2.0,
    dead_zone=0.4,
    volatility=0.8,
)
_NQ_2025 = Preset(
    about="E-mini Nasdaq-100, autumn 2025: queues of a few lots, a spread of two ticks",
    hum=18.4,
    burst=0.7375,
    burst_after=0.7635,
    burst_trade=2.021,
    burst_move=4.394,
    wide_log10_ns=0.0,
    wide_slow=0.0,
    fast_sd=0.6497,
    slow_sd=0.4633,
    trade=0.03591,
    excitation=4.13,
    excitation_decay=0.8264,
    sign_imbalance=0.9773,
    sign_memory=2.636,
    sign_steering=2.056,
    take_all=0.2865,
    take_all_lots=4.138,
    trade_size={1: 700, 2: 150, 3: 60, 4: 30, 5: 50},
    trade_tail=2.0,
    trade_tail_from=3.0,
    trade_cap=40,
    through=0.15,
    depth=(3.9, 5.8, 5.9, 6.2, 6.2, 6.3, 5.9, 5.9, 5.8, 5.9),
    at_best=0.549,
    behind=(10, 5, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2),
    birth_exponent=1.987,
    tilt_imbalance=0.7774,
    tilt_steering=0.2718,
    order_size={1: 800, 2: 120, 3: 40, 5: 40},
    modify=0.2,
    cancel_last=0.5,
    refill=0.0,
    step_up=0.7,
    step_steering=2.056,
    inside=0.02466,
    inside_size={1: 85, 2: 15},
    steering_limit=2.0,
    dead_zone=0.2233,
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

"""Parameter sets of the book's law, one for each instrument and time: the numbers that a calibration finds.

Probabilities are per event, rates per second at the mean activity of regular trading, sizes in lots, prices in ticks.
A new instrument is a new `Preset`, most simply `replace(PRESETS["es_2019"], …)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

Weights = Mapping[int, float]
Share = float
"""Between 0 and 1."""
Amount = float
"""Above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How orders come to one instrument's book."""

    about: str

    # ---------------------------------------------------------------- the clock
    hum: Amount
    """Events a second that come by themselves; each may start a burst."""
    urgency: Amount
    """How much busier it is for each tick that the latent price steers: who trades both markets hurries."""
    burst: Share
    """Probability that an event is followed at once by another."""
    burst_after: Share
    """The same after a trade or a move of a best price."""
    burst_trade: Amount
    """Mean number of events that surely follow a trade at once."""
    burst_move: Amount
    """Mean number of events that surely follow a move of a best price at once."""
    wide_log10_ns: float
    """Mean of log10 of the gap, in ns, to the next event while the spread is wide (large-tick instruments; 0: none)."""
    wide_slow: Share
    """Probability that such a gap is a hundred to ten thousand times longer, at the mean activity of regular trading;
    it goes with the square of how quiet it is: at night nobody may be there to step in."""
    fast_sd: Amount
    """Standard deviation of log activity that comes and goes in 1.5 s."""
    slow_sd: Amount
    """The same in 40 s."""

    # ------------------------------------------------------------- market orders
    trade: Share
    """Probability that an event is a market order, with nothing exciting it."""
    excitation: Amount
    """How much more probable one is just after another, and at once."""
    excitation_decay: Share
    """What is left of that after each event."""
    sign_imbalance: Amount
    """Weight of the queue imbalance in the log odds of a buy."""
    sign_memory: Amount
    """Weight of the last three signs."""
    sign_steering: Amount
    """Weight of the distance of the latent price."""
    take_all: Share
    """Probability that a market order takes exactly the best queue, as that becomes small …"""
    take_all_lots: Amount
    """… against this size."""
    trade_size: Weights
    trade_tail: float
    """Exponent of the sizes beyond, a Pareto law …"""
    trade_tail_from: float
    trade_cap: int
    through: Share
    """Probability that a market order larger than the best queue goes on to the next price."""

    # -------------------------------------------------- limit orders, cancellations
    depth: tuple[float, ...]
    """Lots that levels 1 to 10 of a side tend to."""
    at_best: Share
    """Share of limit orders and cancellations at the best price."""
    behind: tuple[float, ...]
    """Weights of levels 2, 3, …"""
    birth_exponent: Amount
    """A queue of q lots grows with probability 1 / (1 + (q / depth) ** birth_exponent)."""
    tilt_imbalance: Amount
    """Log tilt of the depth at the best prices by the queue imbalance."""
    tilt_steering: Amount
    """The same by the distance of the latent price."""
    order_size: Weights
    modify: Share
    """Share of cancellations that only make an order smaller."""
    cancel_last: Share
    """Probability that a cancellation may empty a level."""
    refill: Share
    """Probability that an event of a burst after a move goes to the new best price."""

    # ---------------------------------------------------------------- the spread
    step_up: Share
    """Probability that the side opposite the emptied one follows, so that the price moves."""
    step_steering: Amount
    """Weight of the distance of the latent price in the log odds of that."""
    inside: Share
    """Probability that an event while the spread is wide is an order inside it (times the ticks inside, squared)."""
    inside_size: Weights
    chase: Amount
    """How much more probable that is for each tick that the latent price steers."""
    pull: Share
    """Probability, for each such tick, that an event pulls an order out of the best queue in the price's way."""
    steering_limit: Amount
    """Ticks beyond which the latent price steers no more strongly."""
    dead_zone: Amount
    """Ticks within which it does not steer at all."""

    # ------------------------------------------------------------------- volatility
    volatility: float
    """Of the latent price, as a share of what the VIX says."""

    # ----------------------------------------------------------------- what users do
    daily_lots: float = 1_950_000.0
    """The volume of an ordinary day, against which the impact of a user's orders is measured."""


SHARES = tuple(field.name for field in fields(Preset) if field.type == "Share")
AMOUNTS = tuple(field.name for field in fields(Preset) if field.type == "Amount")
"""The names of the numbers of each kind: what the law takes and what a calibration may change."""

_ES_2025 = Preset(
    about="E-mini S&P 500, summer 2025: queues of some eighty lots, a spread of one tick",
    hum=27.45,
    urgency=1.5,
    burst=0.8024,
    burst_after=0.6741,
    burst_trade=1.865,
    burst_move=19.32,
    wide_log10_ns=3.927,
    wide_slow=0.008,
    fast_sd=0.3011,
    slow_sd=0.08055,
    trade=0.02024,
    excitation=14.63,
    excitation_decay=0.3741,
    sign_imbalance=3.069,
    sign_memory=0.9609,
    sign_steering=5.8,
    take_all=0.76,
    take_all_lots=23.8,
    trade_size={1: 634, 2: 90.83, 3: 104.6, 5: 60.79, 10: 27.48},
    trade_tail=0.5605,
    trade_tail_from=15.32,
    trade_cap=150,
    through=0.1309,
    depth=(100.6, 174.2, 217.8, 252.6, 258.7, 250, 257.9, 274.4, 288.4, 311),
    at_best=0.765,
    behind=(10, 3.5, 3, 2.5, 2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5),
    birth_exponent=1.318,
    tilt_imbalance=0.07017,
    tilt_steering=2.959,
    order_size={1: 600, 2: 148.9, 3: 35.12, 4: 8.494, 5: 109.1, 8: 12.94, 10: 42.61, 15: 4.874, 20: 6.095, 30: 2.368},
    modify=0.0449,
    cancel_last=0.1501,
    refill=0.1073,
    step_up=0.9568,
    step_steering=1.323,
    chase=0.1055,
    pull=0.001292,
    inside=0.09495,
    inside_size={2: 25, 4: 25, 9: 25, 18: 25},
    steering_limit=2.252,
    dead_zone=0.09432,
    volatility=0.85,
)
_NQ_2025 = Preset(
    about="E-mini Nasdaq-100, autumn 2025: queues of a few lots, a spread of two ticks",
    hum=35.23,
    urgency=2.0,
    burst=0.01359,
    burst_after=0.5236,
    burst_trade=1.525,
    burst_move=7.75,
    wide_log10_ns=0.0,
    wide_slow=0.0,
    fast_sd=0.1705,
    slow_sd=0.9313,
    trade=0.05039,
    excitation=0.8982,
    excitation_decay=0.03319,
    sign_imbalance=2.461,
    sign_memory=1.747,
    sign_steering=0.8396,
    take_all=0.0111,
    take_all_lots=6.485,
    trade_size={1: 536.2, 2: 104.8, 3: 138.1, 4: 25.18, 5: 47.65},
    trade_tail=0.4016,
    trade_tail_from=0.6431,
    trade_cap=40,
    through=0.2741,
    depth=(1.923, 4.805, 4.888, 5.136, 5.136, 5.22, 4.888, 4.888, 4.805, 4.888),
    at_best=0.839,
    behind=(10, 5, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2),
    birth_exponent=1.231,
    tilt_imbalance=0.7639,
    tilt_steering=2.147,
    order_size={1: 429.8, 2: 67.75, 3: 47.69, 5: 21.16},
    modify=0.1367,
    cancel_last=0.09747,
    refill=0.07695,
    step_up=0.577,
    step_steering=1.054,
    chase=0.3422,
    pull=0.03,
    inside=0.01608,
    inside_size={1: 25},
    steering_limit=1.466,
    dead_zone=0.4396,
    volatility=0.85,
    daily_lots=380000.0,
)
_ES_2019 = replace(
    _ES_2025,
    about="E-mini S&P 500, August 2019: a third of the orders, a little more depth",
    hum=_ES_2025.hum * 0.37,
    depth=tuple(1.2 * lots for lots in _ES_2025.depth),
    daily_lots=680_000.0,
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
        "mes": replace(
            _ES_2025,
            about="Micro E-mini S&P 500: ES in small lots",
            order_size=_SMALL,
            trade_size=_SMALL,
            daily_lots=1_200_000.0,
        ),
        "mnq": replace(_NQ_2025, about="Micro E-mini Nasdaq-100: NQ in small lots", order_size=_SMALL),
    }
)
"""By name; the default ones are in config.py."""

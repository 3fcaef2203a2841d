"""What a scenario may lean on, by name: the columns of a schedule, a row a second.

A modulator is a factor of 1 or an addend of 0 where nothing leans.
"""

from __future__ import annotations

from types import MappingProxyType

NEUTRAL = MappingProxyType(
    {
        "mu": 0.0,
        "sigma_mult": 1.0,
        "act_mult": 1.0,
        "flow_bias": 0.0,
        "imbalance_mult": 1.0,
        "quote_tilt": 0.0,
        "depth_bid": 1.0,
        "depth_ask": 1.0,
        "cancel_empty": 0.0,
        "inside_mult": 1.0,
        "trade_mult": 1.0,
        "lot_mult": 1.0,
        "jump": 0.0,
        "pin_weight": 0.0,
        "revert": 0.0,
        "to_vwap": 0.0,
        "vix_drift": 0.0,
        "iceberg": 0.0,
        "iceberg_side": 0.0,
        "iceberg_offset": 0.0,
        "iceberg_reserve": 0.0,
        "iceberg_refresh": 0.0,
        "halt": 0.0,
    }
)
"""Every modulator and its neutral value."""

LEANABLE = tuple(name for name in NEUTRAL if not name.startswith("iceberg"))
"""Those that a phase may name; an iceberg has words of its own."""

(
    MU,
    SIGMA,
    ACTIVITY,
    FLOW_BIAS,
    IMBALANCE,
    QUOTE_TILT,
    DEPTH_BID,
    DEPTH_ASK,
    CANCEL_EMPTY,
    INSIDE,
    TRADES,
    LOTS,
    JUMP,
    PIN,
    REVERT,
    TO_VWAP,
    VIX_DRIFT,
    ICEBERG,
    ICEBERG_SIDE,
    ICEBERG_OFFSET,
    ICEBERG_RESERVE,
    ICEBERG_REFRESH,
    HALT,
) = range(len(NEUTRAL))

"""What the orders of a run did to its prices: the market with them beside the same seed without."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from feedsim.events.columns import Float64, Int64
from feedsim.lab.trading.history import Fill
from feedsim.lab.trading.prices import Prices


class Impact(msgspec.Struct, kw_only=True, frozen=True):
    """Of one symbol: mids in points at some times, and their difference in ticks. Null: no mid."""

    symbol: str
    ends_ns: list[int]
    with_orders: list[float | None]
    without_orders: list[float | None]
    impact_ticks: list[float | None]
    net_lots: int
    """Bought less sold."""
    first_ns: int
    """Of the first fill; before it both are the same."""
    peak_ticks: float
    peak_ns: int
    end_ticks: float
    mean_ticks: float
    """From the first fill to the end, in the direction of the first fill, as the peak and the end."""


def impact_of(fills: Sequence[Fill], told: Prices, without: Prices, *, ends_ns: Int64) -> Impact:
    """Impact at time t = mid with the orders − mid without them, at the same seed and time.

    `fills` are those in this symbol, in order, at least one.
    """
    one, other = told.mid.at_ns(ends_ns), without.mid.at_ns(ends_ns)
    moved = one - other
    first = fills[0]
    after = ends_ns >= first.at.ns
    signed = np.where(after & np.isfinite(moved), first.side * moved, 0.0)
    peak = int(np.argmax(signed))
    known = signed[after]
    return Impact(
        symbol=told.symbol,
        ends_ns=ends_ns.tolist(),
        with_orders=_listed(one * told.tick),
        without_orders=_listed(other * told.tick),
        impact_ticks=_listed(moved),
        net_lots=sum(fill.side * fill.lots for fill in fills),
        first_ns=first.at.ns,
        peak_ticks=float(signed[peak]),
        peak_ns=int(ends_ns[peak]),
        end_ticks=float(signed[-1]),
        mean_ticks=float(known.mean()) if len(known) else 0.0,
    )


def _listed(values: Float64) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]

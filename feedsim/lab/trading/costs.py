"""What fills cost against the market, and how long they waited.

Slippage of a fill in ticks a lot is side × (price − reference): above 0 it cost, below 0 it gained. The reference is
the mid just before the fill, when the order went to work (arrival), or at the event that it reacted to (decision).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from feedsim.exchange.venue import PER_DOLLAR
from feedsim.instruments import NS_PER_S
from feedsim.lab.trading.history import Fill, Products
from feedsim.lab.trading.prices import Prices


@dataclass(slots=True, frozen=True)
class Priced:
    """A fill beside the mids (ticks) that it is measured against; None where there was none."""

    fill: Fill
    mid: float | None
    arrival: float | None
    decision: float | None

    def slip(self, reference: str) -> float | None:
        """Ticks a lot against `mid`, `arrival` or `decision`."""
        price: float | None = getattr(self, reference)
        return None if price is None else self.fill.side * (self.fill.price - price)


def priced(fills: Iterable[Fill], prices: dict[str, Prices]) -> list[Priced]:
    """Each with its references."""
    found = []
    for fill in fills:
        order = fill.order
        entered = None if order.entered is None else order.entered.seq
        seen = order.seen_seq if entered is not None and (order.seen_seq or entered + 1) <= entered else None
        mids = (_mid(prices[fill.symbol], seq) for seq in (fill.at.seq, entered, seen))
        found.append(Priced(fill, *mids))
    return found


def _mid(prices: Prices, seq: int | None) -> float | None:
    value = np.nan if seq is None else float(prices.mid.at(seq))
    return value if np.isfinite(value) else None


class Slippage(msgspec.Struct, kw_only=True, frozen=True):
    """Of some fills: means by lot in ticks and sums in dollars, of those whose reference is known."""

    lots: int
    against_mid: float | None
    against_arrival: float | None
    against_decision: float | None
    mid_dollars: float | None
    arrival_dollars: float | None
    decision_dollars: float | None


def slippage(fills: Sequence[Priced], products: Products) -> Slippage:
    ticks, money = {}, {}
    for reference in ("mid", "arrival", "decision"):
        known = [(fill.fill, slip) for fill in fills if (slip := fill.slip(reference)) is not None]
        lots = sum(fill.lots for fill, _ in known)
        ticks[reference] = sum(fill.lots * slip for fill, slip in known) / lots if lots else None
        cost = sum(fill.lots * slip * products[fill.symbol].tick_value for fill, slip in known)
        money[reference] = cost / PER_DOLLAR if lots else None
    return Slippage(
        lots=sum(fill.fill.lots for fill in fills),
        against_mid=ticks["mid"],
        against_arrival=ticks["arrival"],
        against_decision=ticks["decision"],
        mid_dollars=money["mid"],
        arrival_dollars=money["arrival"],
        decision_dollars=money["decision"],
    )


class Waits(msgspec.Struct, kw_only=True, frozen=True):
    """Seconds from an order's place in the queue to each of its fills as a maker."""

    fills: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None


def waits(fills: Iterable[Fill]) -> Waits:
    waited = np.array([fill.waited_ns for fill in fills if fill.waited_ns is not None], np.float64) / NS_PER_S
    if not len(waited):
        return Waits(fills=0, median_s=None, p90_s=None, longest_s=None)
    median, p90, longest = (float(np.quantile(waited, share)) for share in (0.5, 0.9, 1.0))
    return Waits(fills=len(waited), median_s=median, p90_s=p90, longest_s=longest)

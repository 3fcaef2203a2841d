"""What one future's market is made of, as numbers: rates, sizes, depth and volatility.

Rates are per second at the mean activity of regular trading; prices and distances are in ticks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.market.seasons import SESSION_MINUTES, activity

CHOICES = 256
FARTHEST = 24  # ticks from the opposite best price at which orders are still placed

Weights = dict[int, int]

LAW = np.dtype(
    [
        ("orders", "f8"),
        ("trades", "f8"),
        ("cancel_best", "f8"),
        ("cancel_deep", "f8"),
        ("pull", "f8"),
        ("anchor", "f8"),
        ("volatility", "f8"),
        ("gap", "f8"),
        ("reversion", "f8"),
        ("activity", "f8", SESSION_MINUTES),
        ("swing", "f8", SESSION_MINUTES),
        ("placement", "i8", CHOICES),
        ("order_size", "i8", CHOICES),
        ("trade_size", "i8", CHOICES),
        ("depth", "i8", FARTHEST),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One symbol's market."""

    value_of: str
    """Whose value its price follows: a micro follows that of its big contract."""
    anchor: int
    """The price around which the value moves in the long run."""
    volatility: float
    """Standard deviation of the value's move in a second."""
    gap: float
    """The same of its move while the market is closed."""
    half_life_h: float = 12.0
    """Of the value's distance from the anchor."""
    pull: float
    """How strongly orders lean towards the value, per tick of distance."""
    orders: float
    """Limit orders a second, both sides together."""
    placement: Weights
    """Where they are placed: ticks from the opposite best price."""
    order_size: Weights
    """Lots of a limit order."""
    trades: float
    """Market orders a second, both sides together."""
    trade_size: Weights
    """Lots of a market order; it takes no more than the best queue has."""
    cancel_best: float
    """Cancellations a second for each order in the best queues."""
    cancel_deep: float
    """The same for each order behind them."""

    def record(self) -> npt.NDArray[Any]:
        """As one record of LAW, for compiled code."""
        law = np.zeros(1, LAW)
        for name in ("orders", "trades", "cancel_best", "cancel_deep", "pull", "anchor", "volatility", "gap"):
            law[name] = getattr(self, name)
        law["reversion"] = 0.6931471805599453 / (3600.0 * self.half_life_h)  # ln 2 by the half-life in seconds
        law["activity"] = busy = activity()
        law["swing"] = [math.sqrt(value) for value in busy]
        for name in ("placement", "order_size", "trade_size"):
            law[name] = choices(getattr(self, name))
        law["depth"] = self.depth()
        return law

    def depth(self) -> list[int]:
        """Orders in a new book by distance from the opposite best price: as many as come while one leaves."""
        total = sum(self.placement.values())
        arriving = [self.orders / 2 * self.placement.get(ticks, 0) / total for ticks in range(1, FARTHEST + 1)]
        leaving = [self.cancel_best, *[self.cancel_deep] * (FARTHEST - 1)]
        return [min(max(round(rate / each), 1), 40) for rate, each in zip(arriving, leaving, strict=True)]


def choices(weights: Weights) -> list[int]:
    """The values by their weights, as CHOICES equally likely entries."""
    total, reached = sum(weights.values()), 0
    entries: list[int] = []
    for value, weight in weights.items():
        reached += weight
        until = (2 * CHOICES * reached + total) // (2 * total)
        entries += [value] * (until - len(entries))
    return entries


_DEEP = range(9, FARTHEST + 1)
_SMALL = {1: 62, 2: 16, 3: 7, 4: 3, 5: 7, 10: 4, 20: 1}

_ES = Law(
    value_of="ES",
    anchor=25_600,
    volatility=0.9,
    gap=12.0,
    pull=1.0,
    orders=85.0,
    placement={1: 800, **dict.fromkeys(range(2, FARTHEST + 1), 20)},
    order_size={1: 54, 2: 14, 3: 8, 4: 4, 5: 8, 8: 2, 10: 5, 15: 2, 20: 2, 25: 1},
    trades=9.0,
    trade_size={1: 48, 2: 12, 3: 7, 4: 5, 5: 7, 7: 3, 10: 6, 15: 3, 20: 4, 30: 2, 50: 2, 80: 1},
    cancel_best=1.3,
    cancel_deep=0.03,
)
_NQ = Law(
    value_of="NQ",
    anchor=93_200,
    volatility=4.0,
    gap=60.0,
    pull=0.3,
    orders=130.0,
    placement={1: 110, 2: 300, 3: 260, 4: 150, 5: 80, 6: 60, 7: 50, 8: 45, **dict.fromkeys(_DEEP, 40)},
    order_size={1: 76, 2: 12, 3: 5, 4: 2, 5: 4, 10: 1},
    trades=9.0,
    trade_size={1: 66, 2: 15, 3: 7, 4: 3, 5: 5, 8: 2, 10: 2},
    cancel_best=7.0,
    cancel_deep=0.35,
)
LAWS = MappingProxyType(
    {
        "ES": _ES,
        "NQ": _NQ,
        "MES": replace(_ES, order_size=_SMALL, trade_size=_SMALL),
        "MNQ": replace(_NQ, order_size=_SMALL, trade_size=_SMALL),
    }
)

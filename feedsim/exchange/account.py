"""What an account has: cash and positions in whole numbers, first in, first out.

Equity is cash and what open positions would give at the mark; the two ways to it, by fills and by lots, agree exactly.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from feedsim.exchange.venue import Product


@dataclass(slots=True)
class Position:
    """One symbol's. Money in 1/10,000 dollar."""

    product: Product
    lots: deque[tuple[int, int]] = field(default_factory=deque)
    """(signed lots, price in ticks), oldest first; all of one sign."""
    quantity: int = 0
    realized: int = 0
    """Of what was closed, without fees."""
    fees: int = 0

    def fill(self, side: int, lots: int, price: int) -> None:
        """Close the oldest lots of the other side, then open."""
        self.fees += lots * self.product.fee
        self.quantity += side * lots
        while lots and self.lots and self.lots[0][0] * side < 0:
            held, paid = self.lots[0]
            part = min(lots, abs(held))
            self.realized += (paid - price) * side * part * self.product.tick_value
            lots -= part
            if part == abs(held):
                self.lots.popleft()
            else:
                self.lots[0] = (held + side * part, paid)
        if lots:
            self.lots.append((side * lots, price))

    def unrealized(self, mark: int | None) -> int:
        """At a price in ticks; nothing where there is none yet."""
        if not self.quantity or mark is None:
            return 0
        return (mark * self.quantity - sum(held * paid for held, paid in self.lots)) * self.product.tick_value

    @property
    def average_price(self) -> float | None:
        """Of the open lots, in points."""
        if not self.quantity:
            return None
        return sum(held * paid for held, paid in self.lots) / self.quantity * self.product.tick


@dataclass(slots=True)
class Ledger:
    """An account's money."""

    paid_in: int
    positions: dict[str, Position] = field(default_factory=dict)

    def position(self, product: Product) -> Position:
        if product.symbol not in self.positions:
            self.positions[product.symbol] = Position(product)
        return self.positions[product.symbol]

    def quantity(self, symbol: str) -> int:
        position = self.positions.get(symbol)
        return position.quantity if position else 0

    @property
    def realized(self) -> int:
        return sum(position.realized for position in self.positions.values())

    @property
    def fees(self) -> int:
        return sum(position.fees for position in self.positions.values())

    @property
    def balance(self) -> int:
        return self.paid_in + self.realized - self.fees

"""Stops that wait for a trade at their price or beyond, by symbol."""

from __future__ import annotations

from feedsim.exchange.order import Order


class Stops:
    """One symbol's; the oldest is triggered first."""

    __slots__ = ("_above", "_below", "orders")

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._above: int | None = None
        """The lowest stop that buys."""
        self._below: int | None = None

    def add(self, order: Order) -> None:
        self.orders.append(order)
        self._bound()

    def remove(self, order: Order) -> None:
        self.orders = [other for other in self.orders if other is not order]
        self._bound()

    def reached(self, price: int) -> list[Order]:
        """Those that a trade triggers."""
        above, below = self._above, self._below
        if (above is None or price < above) and (below is None or price > below):
            return []
        return [order for order in self.orders if is_reached(order, price)]

    def _bound(self) -> None:
        self._above = min((_price(order) for order in self.orders if order.side > 0), default=None)
        self._below = max((_price(order) for order in self.orders if order.side < 0), default=None)


def _price(order: Order) -> int:
    assert order.stop_price is not None
    return order.stop_price


def is_reached(order: Order, price: int) -> bool:
    """Whether a trade at a price triggers it."""
    return (price - _price(order)) * order.side >= 0

"""One account: its money, its orders, and what it has used of its limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from feedsim.exchange.account import Ledger
from feedsim.exchange.order import Order
from feedsim.instruments import NS_PER_S

REMEMBERED = 10_000  # orders that are over, an account


@dataclass(slots=True, eq=False)
class Trader:
    """`orders` are the open ones by client order id, in the order of entry."""

    name: str
    number: int
    ledger: Ledger
    day_equity: int
    """What the day began with."""
    orders: dict[str, Order] = field(default_factory=dict)
    done: dict[str, Order] = field(default_factory=dict)
    day_close_ns: int = 0
    closing_only: bool = False
    cancel_on_disconnect: bool = False
    _second: int = -1
    _requests: int = 0

    def find(self, client_order_id: str) -> Order | None:
        return self.orders.get(client_order_id) or self.done.get(client_order_id)

    def free_id(self, word: str) -> str:
        """An id that no order of it has, for one that the exchange makes."""
        number = 1
        while self.find(f"{word}.{number}"):
            number += 1
        return f"{word}.{number}"

    def finish(self, order: Order) -> None:
        """It is over, and remembered for as long as there is room."""
        del self.orders[order.client_order_id]
        self.done[order.client_order_id] = order
        if len(self.done) > REMEMBERED:
            del self.done[next(iter(self.done))]

    def of(self, symbol: str | None) -> Iterator[Order]:
        """Its open orders, of one symbol or all."""
        return (order for order in list(self.orders.values()) if symbol is None or order.symbol == symbol)

    def request(self, ns: int, limit: int) -> bool:
        """Count a request; False for one more than its second of session may have."""
        if ns // NS_PER_S != self._second:
            self._second, self._requests = ns // NS_PER_S, 0
        self._requests += 1
        return not limit or self._requests <= limit

"""Orders from a feed: sent with what they react to, answered by their own events, and kept as they now stand."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from typing import TypedDict, Unpack

import msgspec

from feedsim.errors import ProtocolError
from feedsim.wire import messages as m

OPEN = ("new", "partially_filled", "replaced")
"""The states of an order that can still trade."""


_TYPES: dict[tuple[bool, bool], m.OrderType] = {
    (False, False): "market",
    (True, False): "limit",
    (False, True): "stop",
    (True, True): "stop_limit",
}
"""By whether there are a limit and a stop."""


class OrderTerms(TypedDict, total=False):
    """What may be said of an order beside its side, symbol and quantity."""

    limit: float | None
    stop: float | None
    tif: m.TimeInForce
    post_only: bool
    reduce_only: bool
    stop_loss: float | None
    take_profit: float | None
    client_order_id: str | None
    """Its name; one is made where there is none."""
    seen_seq: int | None
    """What it reacts to; the event that was yielded last where it does not say."""


class OrderRejected(ProtocolError):  # noqa: N818 # what happened, as traders say it
    """The venue does not take an order: `order` has its code (`reason`) and a sentence (`message`)."""

    def __init__(self, order: m.OrderEvent) -> None:
        self.order = order
        super().__init__(order.reason or "order_rejected", order.message, id=order.id)


class Trading(ABC):
    """What a feed knows of its account, and what it can do with it."""

    def __init__(self) -> None:
        self.account: m.AccountEvent | None = None
        """The account as it was told last."""
        self.orders: dict[str, m.OrderEvent] = {}
        """The open orders, by client_order_id."""
        self.positions: dict[str, m.PositionEvent] = {}
        """The newest of each symbol that was traded."""
        self.heard_n = 0
        """The last private event that came."""
        self.seen_seq = 0
        """The event that was yielded last: what an order reacts to, unless it says otherwise."""
        self._names = (f"order-{number}" for number in itertools.count(1))

    @abstractmethod
    async def _ask(self, request: m.Request) -> msgspec.Struct:
        """Send a request and return its answer. Raises ProtocolError when the server refuses."""

    async def buy(self, symbol: str, quantity: float, **terms: Unpack[OrderTerms]) -> m.OrderEvent:
        """Buy: at the market, or with a `limit`, a `stop`, or both. Returns the first event of the order.

        `stop_loss` and `take_profit` make a bracket. Raises OrderRejected; ProtocolError when nobody trades here.
        """
        return await self.send(self._order(symbol, "buy", quantity, terms))

    async def sell(self, symbol: str, quantity: float, **terms: Unpack[OrderTerms]) -> m.OrderEvent:
        """Sell; as `buy`."""
        return await self.send(self._order(symbol, "sell", quantity, terms))

    def _order(self, symbol: str, side: m.Side, quantity: float, terms: OrderTerms) -> m.OrderNew:
        limit, stop = terms.get("limit"), terms.get("stop")
        stop_loss, take_profit = terms.get("stop_loss"), terms.get("take_profit")
        with_bracket = stop_loss is not None or take_profit is not None
        return m.OrderNew(
            client_order_id=terms.get("client_order_id") or next(self._names),
            symbol=symbol,
            side=side,
            type=_TYPES[limit is not None, stop is not None],
            quantity=quantity,
            price=limit,
            stop_price=stop,
            tif=terms.get("tif", "day"),
            post_only=terms.get("post_only", False),
            reduce_only=terms.get("reduce_only", False),
            bracket=m.Bracket(stop_loss=stop_loss, take_profit=take_profit) if with_bracket else None,
            seen_seq=terms.get("seen_seq"),
        )

    async def send(self, order: m.OrderNew) -> m.OrderEvent:
        """An order as it is written on the wire. Raises OrderRejected, ProtocolError."""
        if order.seen_seq is None:
            order.seen_seq = self.seen_seq or None
        return _taken(await self._ask(order))

    async def replace(
        self,
        client_order_id: str,
        *,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
    ) -> m.OrderEvent:
        """Change an open order; what is None stays. Raises OrderRejected, ProtocolError."""
        request = m.OrderReplace(
            client_order_id=client_order_id,
            quantity=quantity,
            price=limit,
            stop_price=stop,
            seen_seq=self.seen_seq or None,
        )
        return _taken(await self._ask(request))

    async def cancel(self, client_order_id: str) -> m.OrderEvent:
        """Take an open order out. Raises ProtocolError where there is none (any more)."""
        return _taken(await self._ask(m.OrderCancel(client_order_id=client_order_id, seen_seq=self.seen_seq or None)))

    async def cancel_all(self, symbol: str | None = None) -> m.AccountEvent:
        """Take all open orders out; what becomes of them is told as events before the answer."""
        return _account(await self._ask(m.CancelAll(symbol=symbol)))

    async def flatten(self, symbol: str | None = None) -> m.AccountEvent:
        """Take all open orders out and close all positions at the market."""
        return _account(await self._ask(m.Flatten(symbol=symbol)))

    async def query_account(self, *, orders: bool = False, cancel_on_disconnect: bool | None = None) -> m.AccountEvent:
        """The account as it stands now; with `orders`, all open orders and positions are told again before it."""
        request = m.AccountQuery(orders=orders, cancel_on_disconnect=cancel_on_disconnect)
        return _account(await self._ask(request))

    def _hear(self, event: m.AnyPrivate) -> bool:
        """Keep what the account hears; False if it is known."""
        if event.n <= self.heard_n:
            return False
        self.heard_n = event.n
        if isinstance(event, m.OrderEvent):
            if event.state in OPEN:
                self.orders[event.client_order_id] = event
            elif event.state != "rejected" or event.remaining == 0:
                self.orders.pop(event.client_order_id, None)
        elif isinstance(event, m.PositionEvent):
            self.positions[event.symbol] = event
        elif isinstance(event, m.AccountEvent):
            self.account = event
        return True

    def _begin_account(self) -> None:
        """Another account, which has heard nothing yet."""
        self.account, self.heard_n = None, 0
        self.orders.clear()
        self.positions.clear()


def _taken(answer: msgspec.Struct) -> m.OrderEvent:
    assert isinstance(answer, m.OrderEvent)
    if answer.state == "rejected":
        raise OrderRejected(answer)
    return answer


def _account(answer: msgspec.Struct) -> m.AccountEvent:
    assert isinstance(answer, m.AccountEvent)
    return answer

"""An order as the exchange keeps it: whole ticks and lots, and what its owner is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from feedsim.exchange.book import ASK, BID
from feedsim.exchange.venue import Product
from feedsim.wire.messages import OrderEvent, OrderState, OrderType, Side, TimeInForce


class Moment(NamedTuple):
    """Where something happens: session time, and the last event before it."""

    ns: int
    seq: int


class Exits(NamedTuple):
    """A bracket's prices in ticks."""

    stop_loss: int | None
    take_profit: int | None


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """One order of one account. `side` is 1 for buy, -1 for sell."""

    number: int
    """From 1 in the order of entry, over all accounts."""
    account: str
    client_order_id: str
    product: Product
    side: int
    type: OrderType
    quantity: int
    price: int | None = None
    stop_price: int | None = None
    tif: TimeInForce = "day"
    post_only: bool = False
    reduce_only: bool = False
    exits: Exits | None = None
    parent: Order | None = None
    children: list[Order] = field(default_factory=list)
    filled: int = 0
    triggered: bool = False
    state: OrderState = "new"
    reason: str = ""
    message: str = ""

    @property
    def symbol(self) -> str:
        return self.product.symbol

    @property
    def word(self) -> Side:
        return "buy" if self.side > 0 else "sell"

    @property
    def left(self) -> int:
        return self.quantity - self.filled

    @property
    def open(self) -> bool:
        return self.state in ("new", "partially_filled", "replaced")

    @property
    def waits(self) -> bool:
        """A stop that has not been triggered: the book does not know it."""
        return self.stop_price is not None and not self.triggered

    @property
    def own(self) -> int:
        """The side of the book that it rests on."""
        return BID if self.side > 0 else ASK

    @property
    def other(self) -> int:
        """The side of the book that it trades with."""
        return ASK if self.side > 0 else BID

    def takes(self, price: int) -> bool:
        """Whether it may trade with the other side at a price."""
        return self.price is None or (self.price - price) * self.side >= 0

    def event(self, moment: Moment, id: int | None = None) -> OrderEvent:
        price = self.product.price
        return OrderEvent(
            n=0,
            after_seq=moment.seq,
            ts=moment.ns,
            id=id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.word,
            order_type=self.type,
            state=self.state,
            quantity=self.quantity,
            filled=self.filled,
            remaining=self.left if self.open else 0,
            price=None if self.price is None else price(self.price),
            stop_price=None if self.stop_price is None else price(self.stop_price),
            tif=self.tif,
            triggered=self.triggered,
            parent=None if self.parent is None else self.parent.client_order_id,
            reason=self.reason,
            message=self.message,
        )

"""What each account did, epoch by epoch, from what it heard and what took effect: its orders, fills, statements.

Money is whole 1/10,000ths of a dollar and prices are whole ticks, as in the exchange.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from feedsim.errors import SourceError
from feedsim.exchange.log import LogEntry
from feedsim.exchange.venue import Product, money
from feedsim.wire.messages import AccountEvent, FillEvent, OrderEvent, OrderNew, Private

Products = Mapping[str, Product]


class Moment(NamedTuple):
    """Session time, and the last event of the tape before it."""

    ns: int
    seq: int


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """One order. `entered` is when it went to work: a stop's is when it was triggered."""

    id: str
    symbol: str
    side: int
    type: str
    asked: int
    """Lots that it was for, as last changed."""
    price: float | None = None
    filled: int = 0
    state: str = "new"
    reason: str = ""
    parent: str | None = None
    seen_seq: int | None = None
    """The event that it reacted to, where the client named it."""
    entered: Moment | None = None
    placed_ns: int | None = None
    """When it took its place in the queue that it has."""


@dataclass(slots=True, frozen=True, eq=False)
class Fill:
    """A part of an order that traded."""

    order: Order
    number: int
    price: int
    lots: int
    fee: int
    maker: bool
    at: Moment
    waited_ns: int | None
    """Of a maker: since the order took its place in the queue."""

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def side(self) -> int:
        return self.order.side


class Statement(NamedTuple):
    """What the exchange said of the account after so many of its fills."""

    fills: int
    event: AccountEvent


@dataclass(slots=True)
class History:
    """One account in one epoch. Positions and cash of an epoch before it are in `before`, where they were kept."""

    account: str
    epoch: int
    paid_in: int
    before: list[Fill] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    """Those that were accepted."""
    rejected: int = 0
    """Orders that were refused."""
    fills: list[Fill] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    @property
    def traded(self) -> list[Fill]:
        """With those of epochs before: what makes the account's money."""
        return [*self.before, *self.fills]

    @property
    def symbols(self) -> list[str]:
        """What it traded, or held from before."""
        return list(dict.fromkeys(fill.symbol for fill in self.traded))


def read_histories(
    entries: Iterable[LogEntry],
    heard: Iterable[tuple[str, Private]],
    products: Products,
    *,
    balance: float,
    keep: bool = False,
) -> list[History]:
    """Every account's epochs, accounts numbered in the order in which they were opened: their names are secrets.

    `balance` (dollars) is what each began with; `keep`: positions and cash outlive an epoch. Raises SourceError where
    a symbol was traded that the venue does not list.
    """
    opened: dict[str, int] = {}
    epochs: list[int] = []
    seen: dict[tuple[str, int, str], int | None] = {}
    for entry in entries:
        if entry.what == "open":
            opened.setdefault(entry.account, entry.epoch)
        elif entry.into is not None:
            epochs.append(entry.into)
        if isinstance(entry.request, OrderNew):
            seen.setdefault((entry.account, entry.epoch, entry.request.client_order_id), entry.request.seen_seq)
    told: defaultdict[str, list[Private]] = defaultdict(list)
    for account, event in heard:
        told[account].append(event)
    histories = []
    for number, (account, first) in enumerate(opened.items(), 1):
        later = iter([epoch for epoch in epochs if epoch > first])
        named = {(epoch, order): seq for (owner, epoch, order), seq in seen.items() if owner == account}
        reader = _Reader(History(f"account {number}", first, money(balance)), products, named)
        for event in told[account]:
            reader.add(event)
            if isinstance(event, AccountEvent) and event.reason == "epoch" and (into := next(later, None)) is not None:
                histories.append(reader.history)
                reader = reader.after(into, keep=keep)
        histories.append(reader.history)
    return histories


class _Reader:
    """Reads one account's events of one epoch."""

    def __init__(self, history: History, products: Products, seen: Mapping[tuple[int, str], int | None]) -> None:
        self.history = history
        self._products, self._seen = products, seen

    def after(self, epoch: int, *, keep: bool) -> _Reader:
        """For the epoch that follows."""
        old = self.history
        before = old.traded if keep else []
        return _Reader(History(old.account, epoch, old.paid_in, before), self._products, self._seen)

    def add(self, event: Private) -> None:
        if isinstance(event, OrderEvent):
            self._order(event)
        elif isinstance(event, FillEvent):
            self._fill(event)
        elif isinstance(event, AccountEvent) and event.reason != "epoch":
            self.history.statements.append(Statement(len(self.history.fills), event))

    def _order(self, event: OrderEvent) -> None:
        history, at = self.history, Moment(event.ts, event.after_seq)
        if event.state == "rejected":
            history.rejected += 1
            return
        order = history.orders.get(event.client_order_id)
        if order is None:
            order = history.orders[event.client_order_id] = self._begun(event)
        waits = event.stop_price is not None and not event.triggered
        if order.entered is None and not waits and event.state not in ("cancelled", "expired"):
            order.entered, order.placed_ns = at, at.ns
        elif event.state == "replaced" and (event.price != order.price or event.quantity > order.asked):
            order.placed_ns = at.ns
        order.asked, order.price = int(event.quantity), event.price
        order.state, order.reason = event.state, event.reason

    def _begun(self, event: OrderEvent) -> Order:
        return Order(
            id=event.client_order_id,
            symbol=event.symbol,
            side=1 if event.side == "buy" else -1,
            type=event.order_type,
            asked=int(event.quantity),
            price=event.price,
            parent=event.parent,
            seen_seq=self._seen.get((self.history.epoch, event.client_order_id)),
        )

    def _fill(self, event: FillEvent) -> None:
        order, product = self.history.orders[event.client_order_id], self._products.get(event.symbol)
        price = None if product is None else product.ticks(event.price)
        if price is None:
            raise SourceError(f"{event.symbol} at {event.price:g} was traded, which the venue does not list")
        maker = event.liquidity == "maker"
        waited = event.ts - order.placed_ns if maker and order.placed_ns is not None else None
        at = Moment(event.ts, event.after_seq)
        order.filled += event.quantity
        self.history.fills.append(
            Fill(order, event.fill_id, price, event.quantity, money(event.fee), maker, at, waited)
        )

"""Trade accounts: what clients ask of orders goes to the session's desk, what an account hears comes back as updates.

An account is reached by its name, from any connection of the bridge; it is the desk's account of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from feedsim.bridges.dtc.enums import BuySell, OrderStatus, OrderType, TimeInForce, UpdateReason
from feedsim.bridges.dtc.market import seconds, whole_seconds
from feedsim.bridges.dtc.messages import Message
from feedsim.bridges.dtc.order_messages import AccountBalanceUpdate, OrderUpdate, PositionUpdate
from feedsim.hub.audience import Audience
from feedsim.hub.cursor import Cursor
from feedsim.hub.desk import Desk
from feedsim.wire.messages import (
    AccountEvent,
    AccountQuery,
    AnyOrder,
    Error,
    FillEvent,
    OrderCancel,
    OrderEvent,
    OrderReplace,
    PositionEvent,
)
from feedsim.wire.protocol import Subscription

MOST_FINISHED = 1000  # orders of an account that are remembered after they have ended

log = structlog.get_logger()

_STATES = {
    "new": (OrderStatus.OPEN, UpdateReason.NEW_ORDER_ACCEPTED),
    "partially_filled": (OrderStatus.PARTIALLY_FILLED, UpdateReason.ORDER_FILLED_PARTIALLY),
    "filled": (OrderStatus.FILLED, UpdateReason.ORDER_FILLED),
    "cancelled": (OrderStatus.CANCELED, UpdateReason.ORDER_CANCELED),
    "replaced": (OrderStatus.OPEN, UpdateReason.ORDER_CANCEL_REPLACE_COMPLETE),
    "rejected": (OrderStatus.REJECTED, UpdateReason.NEW_ORDER_REJECTED),
    "expired": (OrderStatus.CANCELED, UpdateReason.ORDER_CANCELED),
}
ENDED = ("filled", "cancelled", "rejected", "expired")
_decoder = msgspec.json.Decoder(OrderEvent | FillEvent | PositionEvent | AccountEvent | Error)


class _Fills(NamedTuple):
    """Of one order so far."""

    lots: int = 0
    value: float = 0.0
    """Price times lots, summed."""


class Asked(NamedTuple):
    """A cancel or replace that is not answered yet."""

    client_order_id: str
    refused: UpdateReason


class TradeAccount:
    """One account; `tell` gets every message for its clients. The desk writes lines to it, as to any `Sink`."""

    def __init__(self, name: str, desk: Desk, sym: Callable[[str], str], tell: Callable[[Message], None]) -> None:
        self.name = name
        self.orders: dict[str, OrderEvent] = {}
        """The newest state of each order, the oldest first."""
        self.positions: dict[str, PositionEvent] = {}
        self.balance: AccountEvent | None = None
        self._key = f"dtc:{name}"
        self._desk, self._sym, self._tell = desk, sym, tell
        self.on_closing: Callable[[], None] = lambda: None
        """Part of a `Sink`; nobody but the desk writes to this one, and it keeps nothing."""
        self._fills: dict[str, _Fills] = {}
        self._asked: dict[int, Asked] = {}
        self._number = 0
        self._cursor = Cursor(self, Audience(Subscription(ts="ns"), "lines"), 0)
        desk.join(self._key, self._cursor)
        self.enter(AccountQuery())

    def leave(self) -> None:
        self._desk.leave(self._key, self._cursor)

    def enter(self, request: AnyOrder, *, refused: UpdateReason = UpdateReason.UNSET) -> None:
        """An operation; `refused` is what is told of a cancel or replace that the exchange refuses."""
        self._number += 1
        request.id = self._number
        if isinstance(request, OrderCancel | OrderReplace):
            self._asked[self._number] = Asked(request.client_order_id, refused)
        self._desk.enter(self._key, request)

    # ------------------------------------------------------------------------------------------------ what it hears

    def write(self, data: bytes) -> None:
        for line in data.splitlines():
            self._hear(_decoder.decode(line))

    def buffered(self) -> int:
        return 0

    async def drain(self) -> None:
        """Nothing waits here: clients have buffers of their own."""

    def close(self, code: int, reason: str) -> None:
        log.error("a trade account is cut off", account=self.name, code=code, reason=reason)

    def _hear(self, event: OrderEvent | FillEvent | PositionEvent | AccountEvent | Error) -> None:
        match event:
            case FillEvent():
                self._on_fill(event)
            case OrderEvent():
                self._on_order(event)
            case PositionEvent():
                self.positions[event.symbol] = event
                self._tell(self.position_update(event, unsolicited=1))
            case AccountEvent():
                self._asked.pop(event.id or 0, None)
                self.balance = event
                self._tell(self.balance_update(event, unsolicited=1))
            case Error():
                self._on_refused(event)

    def _on_order(self, event: OrderEvent) -> None:
        known = self.orders.pop(event.client_order_id, None)
        self._asked.pop(event.id or 0, None)
        if event.state != "rejected" or known is None:
            self.orders[event.client_order_id] = event
        else:  # another order with a name that is taken
            self.orders[event.client_order_id] = known
        self._forget()
        if event.state not in ("partially_filled", "filled"):  # the fill has told that already
            self._tell(self.order_update(event))

    def _forget(self) -> None:
        """The oldest orders that have ended, beyond what is kept."""
        if len(self.orders) > 2 * MOST_FINISHED:
            ended = [name for name, order in self.orders.items() if order.state in ENDED][:-MOST_FINISHED]
            for name in ended:
                del self.orders[name]
                self._fills.pop(name, None)

    def _on_fill(self, event: FillEvent) -> None:
        order = self.orders.get(event.client_order_id)
        if order is None:
            return
        before = self._fills.get(event.client_order_id, _Fills())
        fills = _Fills(before.lots + event.quantity, before.value + event.quantity * event.price)
        self._fills[event.client_order_id] = fills
        order.filled, order.remaining = fills.lots, max(int(order.quantity) - fills.lots, 0)
        order.state = "partially_filled" if order.remaining else "filled"
        update = self.order_update(order)
        update.last_fill_price, update.last_fill_quantity = event.price, float(event.quantity)
        update.last_fill_execution_id = str(event.fill_id)
        update.last_fill_date_time, update.latest_transaction_date_time = whole_seconds(event.ts), seconds(event.ts)
        self._tell(update)

    def _on_refused(self, error: Error) -> None:
        asked = self._asked.pop(error.id or 0, None)
        if asked is not None:
            self._tell(self.refusal(asked.client_order_id, asked.refused, error.message))
            return
        log.warning("an order operation over DTC is refused", account=self.name, problem=error.message)

    # ------------------------------------------------------------------------------------------------- what it says

    def order_update(self, event: OrderEvent, reason: UpdateReason | None = None) -> OrderUpdate:
        """The state of an order as the protocol tells it."""
        status, usual = _STATES[event.state]
        fills = self._fills.get(event.client_order_id, _Fills())
        stop, limit = event.stop_price, event.price
        first, second = (stop, limit) if event.order_type in ("stop", "stop_limit") else (limit, None)
        if status is OrderStatus.OPEN and event.filled:
            status = OrderStatus.PARTIALLY_FILLED
        return OrderUpdate(
            symbol=self._sym(event.symbol),
            server_order_id=event.client_order_id,
            client_order_id=event.client_order_id,
            exchange_order_id=event.client_order_id,
            order_status=status,
            order_update_reason=usual if reason is None else reason,
            order_type=OrderType[event.order_type.upper()],
            buy_sell=BuySell[event.side.upper()],
            price_1=msgspec.UNSET if first is None else first,
            price_2=msgspec.UNSET if second is None else second,
            time_in_force=TimeInForce[event.tif.upper()],
            order_quantity=float(event.quantity),
            filled_quantity=float(event.filled),
            remaining_quantity=float(event.remaining),
            average_fill_price=fills.value / fills.lots if fills.lots else msgspec.UNSET,
            trade_account=self.name,
            info_text=": ".join(filter(None, (event.reason, event.message))),
            parent_server_order_id=event.parent or "",
            latest_transaction_date_time=seconds(event.ts),
        )

    def refusal(self, client_order_id: str, reason: UpdateReason, text: str) -> OrderUpdate:
        """A request that was not obeyed; the order, if there is one, stands as it was."""
        known = self.orders.get(client_order_id)
        if known is not None and reason is not UpdateReason.NEW_ORDER_REJECTED:
            update = self.order_update(known, reason)
            update.info_text = text
            return update
        rejected = reason is UpdateReason.NEW_ORDER_REJECTED
        return OrderUpdate(
            client_order_id=client_order_id,
            server_order_id="" if rejected else client_order_id,
            order_status=OrderStatus.REJECTED if rejected else OrderStatus.UNSPECIFIED,
            order_update_reason=reason,
            trade_account=self.name,
            info_text=text,
        )

    def open_orders(self) -> list[OrderEvent]:
        return [order for order in self.orders.values() if order.state not in ENDED]

    def position_update(self, event: PositionEvent, *, unsolicited: int = 0) -> PositionUpdate:
        return PositionUpdate(
            symbol=self._sym(event.symbol),
            quantity=float(event.quantity),
            average_price=event.average_price or 0.0,
            position_identifier=event.symbol,
            trade_account=self.name,
            unsolicited=unsolicited,
            open_profit_loss=event.unrealized,
        )

    def balance_update(self, event: AccountEvent, *, unsolicited: int = 0) -> AccountBalanceUpdate:
        return AccountBalanceUpdate(
            cash_balance=event.balance,
            balance_available_for_new_positions=event.free,
            trade_account=self.name,
            securities_value=event.equity,
            margin_requirement=event.margin,
            unsolicited=unsolicited,
            open_positions_profit_loss=event.unrealized,
            daily_profit_loss=event.realized - event.fees,
            info_text=event.reason,
        )

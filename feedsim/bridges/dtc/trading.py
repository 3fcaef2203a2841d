"""What a client asks of orders, positions and balances. Answers are the protocol's own messages, refusals too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import structlog

from feedsim.bridges.dtc import messages as m
from feedsim.bridges.dtc import order_messages as o
from feedsim.bridges.dtc.accounts import TradeAccount
from feedsim.bridges.dtc.enums import UpdateReason
from feedsim.bridges.dtc.orders import LONGEST_ID, new_order, replacement
from feedsim.wire.messages import Flatten, OrderCancel

ACCOUNT = "SIM1"  # of clients that name none
FLATTENS = "Type 209 is SUBMIT_FLATTEN_POSITION_ORDER; send Type 203 (CANCEL_ORDER) to cancel an order"
NO_ACCOUNT = "there is no such trade account"

log = structlog.get_logger()


class Trader(Protocol):
    """A client, as far as trading needs it."""

    name: str

    def send(self, message: m.Message) -> None: ...

    def named(self, text: str) -> str | None: ...

    def unknown(self, text: str) -> str: ...


class TradingHouse(Protocol):
    """What trading needs of a bridge."""

    @property
    def trading(self) -> bool:
        """Whether anybody may."""
        ...

    def account(self, name: str, client: Trader) -> TradeAccount | None:
        """The account of that name, which the client hears of from now on; None where nobody may have another."""
        ...

    def on_refused(self, reason: str) -> None: ...


class Trading:
    """Of one client."""

    def __init__(self, house: TradingHouse, client: Trader) -> None:
        self.account_name = ""
        """The account of requests that name none."""
        self._house, self._client = house, client
        self._account: TradeAccount | None = None
        self._warned = False
        self.handlers: dict[type[m.Message], Callable[[Any], None]] = {
            o.SubmitNewSingleOrder: self._new_order,
            o.CancelReplaceOrder: self._replace,
            o.CancelOrder: self._cancel,
            o.SubmitFlattenPositionOrder: self._flatten,
            o.FlattenPositionsForTradeAccount: self._flatten_all,
            o.OpenOrdersRequest: self._open_orders,
            o.CurrentPositionsRequest: self._positions,
            o.TradeAccountsRequest: self._accounts,
            o.AccountBalanceRequest: self._balance,
        }

    def _trade_account(self, name: str) -> TradeAccount | None:
        """The account that a request names, or else the client's first."""
        if not self._house.trading:
            return None
        wanted = name or self.account_name or ACCOUNT
        if self._account is None or self._account.name != wanted:
            account = self._house.account(wanted, self._client)
            self._account = account or self._account
            return account
        return self._account

    def _reject_order(self, client_order_id: str, reason: UpdateReason, text: str, name: str = "") -> None:
        self._house.on_refused("order")
        account = self._trade_account(name)
        if account is not None:
            self._client.send(account.refusal(client_order_id, reason, text))
            return
        why = text if self._house.trading else "nobody trades here"
        self._client.send(o.OrderUpdate(client_order_id=client_order_id, order_update_reason=reason, info_text=why))

    def _new_order(self, message: o.SubmitNewSingleOrder) -> None:
        account = self._trade_account(message.trade_account)
        symbol = self._client.named(message.symbol)
        try:
            if account is None:
                raise ValueError(NO_ACCOUNT)
            if symbol is None:
                raise ValueError(self._client.unknown(message.symbol))
            request = new_order(message, symbol)
        except ValueError as error:
            reason = UpdateReason.NEW_ORDER_REJECTED
            self._reject_order(message.client_order_id, reason, str(error), message.trade_account)
            return
        account.enter(request)

    def _cancel(self, message: o.CancelOrder) -> None:
        account = self._trade_account(message.trade_account)
        order_id = message.server_order_id or message.client_order_id
        reason = UpdateReason.ORDER_CANCEL_REJECTED
        if account is None or not 1 <= len(order_id) <= LONGEST_ID:
            text = "ServerOrderID: expected that of an order"
            self._reject_order(order_id[:LONGEST_ID], reason, text, message.trade_account)
            return
        account.enter(OrderCancel(client_order_id=order_id), refused=reason)

    def _replace(self, message: o.CancelReplaceOrder) -> None:
        account = self._trade_account("")
        order_id = (message.server_order_id or message.client_order_id)[:LONGEST_ID]
        known = None if account is None else account.orders.get(order_id)
        reason = UpdateReason.ORDER_CANCEL_REPLACE_REJECTED
        if account is None or known is None:
            self._reject_order(order_id, reason, f"no order has the ServerOrderID {order_id!r}")
            return
        account.enter(replacement(message, known), refused=reason)

    def _flatten(self, message: o.SubmitFlattenPositionOrder) -> None:
        account = self._trade_account(message.trade_account)
        named = [name for name in (message.server_order_id, message.client_order_id) if name]
        order_id = next((name for name in named if account is not None and name in account.orders), "")
        symbol = self._client.named(message.symbol)
        if order_id or message.server_order_id or not message.symbol:
            self._warn()
            reason = UpdateReason.ORDER_CANCEL_REJECTED
            self._reject_order(order_id or next(iter(named), ""), reason, FLATTENS, message.trade_account)
        elif account is None or symbol is None:
            text, reason = self._client.unknown(message.symbol), UpdateReason.NEW_ORDER_REJECTED
            self._reject_order(message.client_order_id, reason, text, message.trade_account)
        else:
            account.enter(Flatten(symbol=symbol))

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning("a DTC client takes flatten for cancel", client=self._client.name, problem=FLATTENS)

    def _flatten_all(self, message: o.FlattenPositionsForTradeAccount) -> None:
        account = self._trade_account(message.trade_account)
        if account is None:
            self._reject_order(message.client_order_id, UpdateReason.NEW_ORDER_REJECTED, NO_ACCOUNT)
        else:
            account.enter(Flatten())

    # ------------------------------------------------------------------------------------- what an account has

    def _open_orders(self, request: o.OpenOrdersRequest) -> None:
        account = self._trade_account(request.trade_account)
        if account is None:
            self._client.send(o.OpenOrdersReject(request_id=request.request_id, reject_text=NO_ACCOUNT))
            return
        reason = UpdateReason.OPEN_ORDERS_REQUEST_RESPONSE
        orders = [account.order_update(order, reason) for order in account.open_orders()]
        if not request.request_all_orders:
            orders = [order for order in orders if order.server_order_id == request.server_order_id]
        for number, update in enumerate(orders or [o.OrderUpdate(no_orders=1, order_update_reason=reason)], 1):
            update.request_id, update.total_num_messages, update.message_number = (
                request.request_id,
                max(len(orders), 1),
                number,
            )
            self._client.send(update)

    def _positions(self, request: o.CurrentPositionsRequest) -> None:
        account = self._trade_account(request.trade_account)
        if account is None:
            text = NO_ACCOUNT
            self._client.send(o.CurrentPositionsReject(request_id=request.request_id, reject_text=text))
            return
        held = [account.position_update(event) for event in account.positions.values() if event.quantity]
        for number, update in enumerate(held or [o.PositionUpdate(no_positions=1, trade_account=account.name)], 1):
            update.request_id, update.total_number_messages = request.request_id, max(len(held), 1)
            update.message_number = number
            self._client.send(update)

    def _accounts(self, request: o.TradeAccountsRequest) -> None:
        account = self._trade_account("")
        name = "" if account is None else account.name
        self._client.send(o.TradeAccountResponse(trade_account=name, request_id=request.request_id))

    def _balance(self, request: o.AccountBalanceRequest) -> None:
        account = self._trade_account(request.trade_account)
        if account is None or account.balance is None:
            text = NO_ACCOUNT
            self._client.send(o.AccountBalanceReject(request_id=request.request_id, reject_text=text))
            return
        update = account.balance_update(account.balance)
        update.request_id = request.request_id
        self._client.send(update)

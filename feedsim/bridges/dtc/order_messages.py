"""The protocol's messages about orders, positions and accounts; see `messages` for how they are written."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from feedsim.bridges.dtc.enums import BuySell, OrderStatus, OrderType, TimeInForce, UpdateReason
from feedsim.bridges.dtc.messages import Double, Message, Word


class SubmitNewSingleOrder(Message, tag=208, kw_only=True):
    symbol: str = ""
    exchange: str = ""
    trade_account: str = ""
    client_order_id: str = ""
    order_type: Word = 0
    buy_sell: Word = 0
    price_1: float | None = msgspec.field(default=None, name="Price1")
    price_2: float | None = msgspec.field(default=None, name="Price2")
    quantity: float = 0.0
    time_in_force: Word = 0
    order_quantity: float = 0.0

    BESIDE = frozenset(["OrderQuantity"])


class CancelReplaceOrder(Message, tag=204, kw_only=True):
    server_order_id: str = ""
    client_order_id: str = ""
    price_1: float | None = msgspec.field(default=None, name="Price1")
    price_2: float | None = msgspec.field(default=None, name="Price2")
    quantity: float = 0.0
    price_1_is_set: int | bool | None = msgspec.field(default=None, name="Price1IsSet")
    price_2_is_set: int | bool | None = msgspec.field(default=None, name="Price2IsSet")


class CancelOrder(Message, tag=203, kw_only=True):
    server_order_id: str = ""
    client_order_id: str = ""
    trade_account: str = ""


class SubmitFlattenPositionOrder(Message, tag=209, kw_only=True):
    symbol: str = ""
    exchange: str = ""
    trade_account: str = ""
    client_order_id: str = ""
    server_order_id: str = ""

    BESIDE = frozenset(["ServerOrderID"])


class FlattenPositionsForTradeAccount(Message, tag=210, kw_only=True):
    client_order_id: str = ""
    free_form_text: str = ""
    is_automated_order: int | bool = 0
    trade_account: str = ""


class OpenOrdersRequest(Message, tag=300, kw_only=True):
    request_id: int = 0
    request_all_orders: int = 1
    server_order_id: str = ""
    trade_account: str = ""


class OrderUpdate(Message, tag=301, kw_only=True):
    request_id: int = 0
    total_num_messages: int = 1
    message_number: int = 1
    symbol: str = ""
    exchange: str = ""
    previous_server_order_id: str = ""
    server_order_id: str = ""
    client_order_id: str = ""
    exchange_order_id: str = ""
    order_status: OrderStatus = OrderStatus.UNSPECIFIED
    order_update_reason: UpdateReason = UpdateReason.UNSET
    order_type: OrderType = OrderType.UNSET
    buy_sell: BuySell = BuySell.UNSET
    price_1: Double = msgspec.field(default=UNSET, name="Price1")
    price_2: Double = msgspec.field(default=UNSET, name="Price2")
    time_in_force: TimeInForce = TimeInForce.UNSET
    good_till_date_time: int = 0
    order_quantity: Double = UNSET
    filled_quantity: Double = UNSET
    remaining_quantity: Double = UNSET
    average_fill_price: Double = UNSET
    last_fill_price: Double = UNSET
    last_fill_date_time: int = 0
    last_fill_quantity: Double = UNSET
    last_fill_execution_id: str = ""
    trade_account: str = ""
    info_text: str = ""
    no_orders: int = 0
    parent_server_order_id: str = ""
    oco_linked_order_server_order_id: str = ""
    open_or_close: int = 0
    previous_client_order_id: str = ""
    free_form_text: str = ""
    order_received_date_time: int = 0
    latest_transaction_date_time: float = 0.0


class CurrentPositionsRequest(Message, tag=305, kw_only=True):
    request_id: int = 0
    trade_account: str = ""


class PositionUpdate(Message, tag=306, kw_only=True):
    request_id: int = 0
    total_number_messages: int = 1
    message_number: int = 1
    symbol: str = ""
    exchange: str = ""
    quantity: float = 0.0
    average_price: float = 0.0
    position_identifier: str = ""
    trade_account: str = ""
    no_positions: int = 0
    unsolicited: int = 0
    margin_requirement: float = 0.0
    entry_date_time: int = 0
    open_profit_loss: float = 0.0


class TradeAccountsRequest(Message, tag=400, kw_only=True):
    request_id: int = 0


class TradeAccountResponse(Message, tag=401, kw_only=True):
    total_number_messages: int = 1
    message_number: int = 1
    trade_account: str
    request_id: int


class AccountBalanceRequest(Message, tag=601, kw_only=True):
    request_id: int = 0
    trade_account: str = ""


class AccountBalanceUpdate(Message, tag=600, kw_only=True):
    request_id: int = 0
    cash_balance: float
    balance_available_for_new_positions: float
    account_currency: str = "USD"
    trade_account: str
    securities_value: float
    margin_requirement: float
    total_number_messages: int = 1
    message_number: int = 1
    no_account_balances: int = 0
    unsolicited: int = 0
    open_positions_profit_loss: float = 0.0
    daily_profit_loss: float = 0.0
    info_text: str = ""


# Requests about orders, positions and accounts where nobody trades.


class OpenOrdersReject(Message, tag=302, kw_only=True):
    request_id: int
    reject_text: str


class CurrentPositionsReject(Message, tag=307, kw_only=True):
    request_id: int
    reject_text: str


class AccountBalanceReject(Message, tag=602, kw_only=True):
    request_id: int
    reject_text: str

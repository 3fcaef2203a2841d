"""The protocol's messages as Structs: fields in the protocol's order, which compact JSON depends on.

Only what is understood or sent here; a client's message may have more fields, which are passed over. Prices that are
not set are left out in JSON, and are the largest double in compact JSON. Times are seconds since 1970.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from feedsim.bridges.dtc.enums import AtBidOrAsk

PROTOCOL_VERSION = 8
Double = float | UnsetType
Word = int | str
"""A number that stands for a word, or the word."""
_WORDS = {"id": "ID", "oco": "OCO"}


def _dtc_name(field: str) -> str:
    parts = (f"_{part}" if part.isdigit() else _WORDS.get(part) or part.capitalize() for part in field.split("_"))
    return "".join(parts)


class Message(msgspec.Struct, tag_field="Type", kw_only=True, rename=_dtc_name):
    """What all messages have: a type."""

    BESIDE: ClassVar[frozenset[str]] = frozenset()
    """Names that are not the protocol's: they have no place in compact JSON."""


# --------------------------------------------------------------------------------------------------------- connections


class EncodingRequest(Message, tag=6, kw_only=True):
    protocol_version: int = PROTOCOL_VERSION
    encoding: Word = 0
    protocol_type: str = "DTC"


class EncodingResponse(Message, tag=7, kw_only=True):
    protocol_version: int = PROTOCOL_VERSION
    encoding: int
    protocol_type: str = "DTC"


class LogonRequest(Message, tag=1, kw_only=True):
    protocol_version: int = 0
    username: str = ""
    password: str = ""
    general_text_data: str = ""
    integer_1: int = 0
    integer_2: int = 0
    heartbeat_interval_in_seconds: int = 0
    unused_1: int = 0
    trade_account: str = ""
    hardware_identifier: str = ""
    client_name: str = ""
    market_data_transmission_interval: int = 0


class LogonResponse(Message, tag=2, kw_only=True):
    protocol_version: int = PROTOCOL_VERSION
    result: int
    result_text: str
    reconnect_address: str = ""
    integer_1: int = 0
    server_name: str
    market_depth_updates_best_bid_and_ask: int = 0
    trading_is_supported: int = 0
    oco_orders_supported: int = 0
    order_cancel_replace_supported: int = 0
    symbol_exchange_delimiter: str = ""
    security_definitions_supported: int = 1
    historical_price_data_supported: int = 0
    resubscribe_when_market_data_feed_available: int = 0
    market_depth_is_supported: int = 1
    one_historical_price_data_request_per_connection: int = 0
    bracket_orders_supported: int = 0
    unused_1: int = 0
    uses_multiple_positions_per_symbol_and_trade_account: int = 0
    market_data_supported: int = 1


class Heartbeat(Message, tag=3, kw_only=True):
    num_dropped_messages: int = 0
    current_date_time: int = 0


class Logoff(Message, tag=5, kw_only=True):
    reason: str = ""
    do_not_reconnect: int = 0


class GeneralLogMessage(Message, tag=701, kw_only=True):
    message_text: str


# --------------------------------------------------------------------------------------------------------- market data


class MarketDataRequest(Message, tag=101, kw_only=True):
    request_action: Word = 1
    symbol_id: int = 0
    symbol: str = ""
    exchange: str = ""
    interval_for_snapshot_updates_in_milliseconds: int = 0


class MarketDataReject(Message, tag=103, kw_only=True):
    symbol_id: int
    reject_text: str


class MarketDataSnapshot(Message, tag=104, kw_only=True):
    symbol_id: int
    session_settlement_price: Double = UNSET
    session_open_price: Double = UNSET
    session_high_price: Double = UNSET
    session_low_price: Double = UNSET
    session_volume: Double = UNSET
    session_num_trades: int = 0
    open_interest: int = 2**32 - 1
    """Not known."""
    bid_price: Double = UNSET
    ask_price: Double = UNSET
    ask_quantity: Double = UNSET
    bid_quantity: Double = UNSET
    last_trade_price: Double = UNSET
    last_trade_volume: Double = UNSET
    last_trade_date_time: float = 0.0
    bid_ask_date_time: float = 0.0
    session_settlement_date_time: int = 0
    trading_session_date: int = 0
    trading_status: int = 0
    market_depth_update_date_time: float = 0.0


class MarketDataUpdateTrade(Message, tag=107, kw_only=True):
    symbol_id: int
    at_bid_or_ask: AtBidOrAsk
    price: float
    volume: float
    date_time: float


class MarketDataUpdateBidAsk(Message, tag=108, kw_only=True):
    symbol_id: int
    bid_price: float
    bid_quantity: float
    ask_price: float
    ask_quantity: float
    date_time: int


class MarketDataFeedSymbolStatus(Message, tag=116, kw_only=True):
    symbol_id: int
    status: int


class MarketDepthRequest(Message, tag=102, kw_only=True):
    request_action: Word = 1
    symbol_id: int = 0
    symbol: str = ""
    exchange: str = ""
    num_levels: int = 0


class MarketDepthReject(Message, tag=121, kw_only=True):
    symbol_id: int
    reject_text: str


class MarketDepthSnapshotLevel(Message, tag=122, kw_only=True):
    symbol_id: int
    side: AtBidOrAsk
    price: float
    quantity: float
    level: int
    is_first_message_in_batch: int
    is_last_message_in_batch: int
    date_time: float
    num_orders: int = 0


class MarketDepthUpdateLevel(Message, tag=106, kw_only=True):
    symbol_id: int
    side: AtBidOrAsk
    price: float
    quantity: float
    update_type: int
    date_time: float
    num_orders: int = 0
    final_update_in_batch: int = 0


class SecurityDefinitionForSymbolRequest(Message, tag=506, kw_only=True):
    request_id: int = 0
    symbol: str = ""
    exchange: str = ""


class SecurityDefinitionResponse(Message, tag=507, kw_only=True):
    request_id: int
    symbol: str
    exchange: str = ""
    security_type: int = 1
    description: str
    min_price_increment: float
    price_display_format: int = 2
    currency_value_per_increment: float
    is_final_message: int = 1
    float_to_int_price_multiplier: float = 1.0
    int_to_float_price_divisor: float = 1.0
    underlying_symbol: str
    updates_bid_ask_only: int = 0
    strike_price: Double = UNSET
    put_or_call: int = 0
    short_interest: int = 0
    security_expiration_date: int = 0
    buy_rollover_interest: float = 0.0
    sell_rollover_interest: float = 0.0
    earnings_per_share: float = 0.0
    shares_outstanding: int = 0
    int_to_float_quantity_divisor: float = 1.0
    has_market_depth_data: int = 1


class SecurityDefinitionReject(Message, tag=509, kw_only=True):
    request_id: int
    reject_text: str

"""Orders as the protocol has them, as requests to the session's exchange. What cannot be is a ValueError."""

from __future__ import annotations

from typing import Literal, NamedTuple

from feedsim.bridges.dtc.enums import BuySell, OrderType, TimeInForce, read
from feedsim.bridges.dtc.order_messages import CancelReplaceOrder, SubmitNewSingleOrder
from feedsim.wire.messages import OrderEvent, OrderNew, OrderReplace

LONGEST_ID = 64

_TYPES: dict[OrderType, Literal["market", "limit", "stop", "stop_limit"]] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
}
_TIMES: dict[TimeInForce, Literal["day", "gtc", "ioc", "fok"]] = {
    TimeInForce.UNSET: "day",
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}


class Prices(NamedTuple):
    """Of an order: Price1 is a stop's stop price, Price2 its limit."""

    limit: float | None
    stop: float | None


def new_order(message: SubmitNewSingleOrder, symbol: str) -> OrderNew:
    """Raises ValueError."""
    if not 1 <= len(message.client_order_id) <= LONGEST_ID:
        raise ValueError(f"ClientOrderID: expected 1 to {LONGEST_ID} characters")
    order_type, side = read(OrderType, message.order_type), read(BuySell, message.buy_sell)
    if order_type not in _TYPES:
        raise ValueError(f"OrderType is not set; there are {', '.join(kind.name for kind in _TYPES)}")
    if side is BuySell.UNSET:
        raise ValueError("BuySell is not set; expected BUY (1) or SELL (2)")
    tif = read(TimeInForce, message.time_in_force)
    if tif not in _TIMES:
        raise ValueError(f"TimeInForce {tif.name} is not served; there are {', '.join(kind.name for kind in _TIMES)}")
    prices = _prices(order_type, message.price_1, message.price_2)
    return OrderNew(
        client_order_id=message.client_order_id,
        symbol=symbol,
        side="buy" if side is BuySell.BUY else "sell",
        type=_TYPES[order_type],
        quantity=message.quantity or message.order_quantity,
        price=prices.limit,
        stop_price=prices.stop,
        tif=_TIMES[tif],
    )


def replacement(message: CancelReplaceOrder, order: OrderEvent) -> OrderReplace:
    """What of a known order is to change."""
    first = message.price_1 if message.price_1_is_set in (None, True, 1) else None
    second = message.price_2 if message.price_2_is_set in (None, True, 1) else None
    prices = _prices(OrderType[order.order_type.upper()], first, second)
    return OrderReplace(
        client_order_id=order.client_order_id,
        quantity=message.quantity or None,
        price=prices.limit,
        stop_price=prices.stop,
    )


def _prices(kind: OrderType, first: float | None, second: float | None) -> Prices:
    """A price of 0 is one that is not set."""
    first, second = first or None, second or None
    if kind is OrderType.MARKET:
        return Prices(None, None)
    if kind is OrderType.LIMIT:
        return Prices(first, None)
    return Prices(second if kind is OrderType.STOP_LIMIT else None, first)

"""Every code with which an order is refused or ends, and what it means. docs/trading.md has the same table."""

from __future__ import annotations

from types import MappingProxyType

from feedsim.errors import OrderError

REFUSED = MappingProxyType(
    {
        "unknown_symbol": "nobody trades this symbol here",
        "no_market": "no bid or offer is known yet",
        "quantity": "not a whole number of lots from 1 on",
        "quantity_limit": "more lots than the venue takes in one order",
        "price": "a price is missing, not wanted, or not above zero",
        "off_tick": "a price that is no multiple of the tick",
        "stop_side": "a stop that the last price has already passed",
        "bracket": "an exit on the wrong side of the order, or none at all",
        "post_only": "the order would trade at once",
        "reduce_only": "the order would do more than close the position",
        "tif": "the time in force does not fit the order",
        "duplicate_id": "the client order id belongs to another order",
        "unknown_order": "no order has this client order id",
        "too_late": "the order is no longer open",
        "no_change": "nothing is asked to be changed, or what cannot be",
        "halted": "trading is halted",
        "closed": "the market is closed, or the session is over",
        "auction": "only limit orders that may rest are taken before the opening",
        "price_band": "a price too far through the market",
        "price_limit": "a price beyond the daily price limits",
        "throttle": "too many requests in a second of the session",
        "too_many_orders": "too many open orders",
        "position_limit": "the position could become larger than allowed",
        "margin": "not enough free equity for the margin",
        "closing_only": "the account may only close positions until the session is over",
        "epoch": "the session moved before the request took effect",
    }
)
"""Why a request is refused."""

ENDED = MappingProxyType(
    {
        "request": "its owner took it out",
        "ioc": "what could not trade at once is gone",
        "fok": "not all of it could trade at once",
        "oco": "the other exit of its bracket closed the position",
        "position_closed": "a reduce-only order has nothing left to close",
        "flatten": "its owner went flat",
        "disconnect": "its owner's last connection is gone",
        "closing_only": "the daily loss limit was reached",
        "day": "the trading day is over",
        "session_end": "the session is over",
        "epoch": "the session moved",
    }
)
"""Why an order that was open no longer is."""


def refuse(code: str, sentence: str) -> OrderError:
    """The error of a code of REFUSED."""
    assert code in REFUSED, code
    return OrderError(code, sentence)

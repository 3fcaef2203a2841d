"""The protocol's numbers that stand for words. Clients may send the words as text, with or without their prefix."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

E = TypeVar("E", bound=IntEnum)


class Encoding(IntEnum):
    """How messages are written."""

    BINARY = 0
    BINARY_WITH_VARIABLE_LENGTH_STRINGS = 1
    JSON = 2
    JSON_COMPACT = 3
    PROTOCOL_BUFFERS = 4


class LogonStatus(IntEnum):
    """Whether a client may stay."""

    SUCCESS = 1
    ERROR = 2
    ERROR_NO_RECONNECT = 3


class RequestAction(IntEnum):
    """What a client wants of market data."""

    SUBSCRIBE = 1
    UNSUBSCRIBE = 2
    SNAPSHOT = 3
    SNAPSHOT_WITH_INTERVAL_UPDATES = 4


class AtBidOrAsk(IntEnum):
    """Which side a trade hit, or a level is on."""

    UNSET = 0
    BID = 1
    ASK = 2


class DepthUpdate(IntEnum):
    """What happens to a level."""

    INSERT_UPDATE = 1
    DELETE = 2


class FinalUpdate(IntEnum):
    """Whether a level is the last of those that changed at one time."""

    TRUE = 1
    FALSE = 2


class FeedStatus(IntEnum):
    """Whether market data comes."""

    UNAVAILABLE = 1
    AVAILABLE = 2


class OrderType(IntEnum):
    """ORDER_TYPE_…"""

    UNSET = 0
    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4


class BuySell(IntEnum):
    """The side of an order."""

    UNSET = 0
    BUY = 1
    SELL = 2


class TimeInForce(IntEnum):
    """TIF_…"""

    UNSET = 0
    DAY = 1
    GTC = 2
    GTD = 3
    IOC = 4
    AON = 5
    FOK = 6


class OrderStatus(IntEnum):
    """ORDER_STATUS_…"""

    UNSPECIFIED = 0
    OPEN = 4
    FILLED = 7
    CANCELED = 8
    REJECTED = 9
    PARTIALLY_FILLED = 10


class UpdateReason(IntEnum):
    """Why an order's state is told."""

    UNSET = 0
    OPEN_ORDERS_REQUEST_RESPONSE = 1
    NEW_ORDER_ACCEPTED = 2
    GENERAL_ORDER_UPDATE = 3
    ORDER_FILLED = 4
    ORDER_FILLED_PARTIALLY = 5
    ORDER_CANCELED = 6
    ORDER_CANCEL_REPLACE_COMPLETE = 7
    NEW_ORDER_REJECTED = 8
    ORDER_CANCEL_REJECTED = 9
    ORDER_CANCEL_REPLACE_REJECTED = 10


def read(kind: type[E], value: int | str) -> E:
    """A number or a word (`LIMIT`, `ORDER_TYPE_LIMIT`, `"2"`). Raises ValueError with what is allowed."""
    text = str(value).strip().upper()
    for member in sorted(kind, key=lambda member: -len(member.name)):  # ORDER_TYPE_STOP_LIMIT is no LIMIT
        if text == str(member.value) or text == member.name or text.endswith(f"_{member.name}"):
            return member
    allowed = ", ".join(f"{member.name} ({member.value})" for member in kind)
    raise ValueError(f"{value!r}: expected {allowed}")

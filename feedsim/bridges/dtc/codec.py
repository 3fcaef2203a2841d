"""Messages to bytes and back, in both forms of JSON. A message says itself in which form it is."""

from __future__ import annotations

import sys
from typing import Any, get_args

import msgspec

from feedsim.bridges.dtc import messages as m
from feedsim.bridges.dtc import order_messages as o
from feedsim.bridges.dtc.enums import Encoding
from feedsim.bridges.dtc.messages import Message

AnyRequest = (
    m.EncodingRequest
    | m.LogonRequest
    | m.Heartbeat
    | m.Logoff
    | m.MarketDataRequest
    | m.MarketDepthRequest
    | m.SecurityDefinitionForSymbolRequest
    | o.SubmitNewSingleOrder
    | o.CancelReplaceOrder
    | o.CancelOrder
    | o.SubmitFlattenPositionOrder
    | o.FlattenPositionsForTradeAccount
    | o.OpenOrdersRequest
    | o.CurrentPositionsRequest
    | o.TradeAccountsRequest
    | o.AccountBalanceRequest
)
"""What clients may send."""
DBL_MAX = sys.float_info.max
"""Stands for a price or quantity that is not set, in compact JSON."""

_REQUESTS: dict[int, type[Message]] = {kind.__struct_config__.tag: kind for kind in get_args(AnyRequest)}


class GarbageError(Exception):
    """What is no message at all: its connection ends."""


class NotServedError(Exception):
    """A message that is one, of a type that is not served here."""

    def __init__(self, type: int) -> None:
        self.type = type
        super().__init__(type)


class _Head(msgspec.Struct):
    type: int = msgspec.field(name="Type")
    values: list[Any] | None = msgspec.field(name="F", default=None)


_heads = msgspec.json.Decoder(_Head)


def decode(data: bytes) -> tuple[Encoding, Message]:
    """A client's message and the form that it is in. Raises GarbageError or NotServedError."""
    try:
        head = _heads.decode(data)
        kind = _REQUESTS.get(head.type)
        if kind is None:
            raise NotServedError(head.type)
        if head.values is None:
            return Encoding.JSON, msgspec.json.decode(data, type=kind, strict=False)
        names = [name for name in kind.__struct_encode_fields__ if name not in kind.BESIDE]
        named = dict(zip(names, map(_set, head.values), strict=False))
        return Encoding.JSON_COMPACT, msgspec.convert({"Type": head.type, **named}, kind, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GarbageError(str(error)) from None


def _set(value: Any) -> Any:
    return 0.0 if value == DBL_MAX else value


def encode(message: Message, encoding: Encoding) -> bytes:
    """A message in a form, without the end that a transport gives it."""
    if encoding is Encoding.JSON:
        return msgspec.json.encode(message)
    values = [DBL_MAX if value is msgspec.UNSET else value for value in msgspec.structs.astuple(message)]
    return msgspec.json.encode({"Type": message.__struct_config__.tag, "F": values})

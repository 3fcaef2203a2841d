"""Messages in both forms of JSON: names, places, what is not set, and what is no message."""

from __future__ import annotations

import json
import sys
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.bridges.dtc import messages as m
from feedsim.bridges.dtc import order_messages as o
from feedsim.bridges.dtc.codec import AnyRequest, GarbageError, NotServedError, decode, encode
from feedsim.bridges.dtc.enums import BuySell, Encoding, OrderType, TimeInForce, read
from tests.bridges.dtc.scripted import PLACES

REQUESTS = get_args(AnyRequest)


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("encoding", [Encoding.JSON, Encoding.JSON_COMPACT])
def test_a_request_is_the_same_in_both_forms(kind: type[m.Message], encoding: Encoding) -> None:
    """What is sent by names and by places is read as the same message."""
    values: dict[str, Any] = {}
    names = [name for name in kind.__struct_encode_fields__ if name not in kind.BESIDE]
    by_name = decode(json.dumps({"Type": kind.__struct_config__.tag}).encode())[1]
    for place, name in enumerate(names):
        field = kind.__struct_fields__[kind.__struct_encode_fields__.index(name)]
        values[name] = {str: f"x{place}", float: place + 0.5}.get(type(getattr(by_name, field)), place)
    data = {"F": list(values.values())} if encoding is Encoding.JSON_COMPACT else values
    form, message = decode(json.dumps({"Type": kind.__struct_config__.tag, **data}).encode())
    assert form is encoding
    told = json.loads(encode(message, Encoding.JSON))
    assert {name: told[name] for name in names} == values


IN_THE_HEADER = [kind for kind in m.Message.__subclasses__() if kind is not o.FlattenPositionsForTradeAccount]


@pytest.mark.parametrize("kind", IN_THE_HEADER, ids=lambda kind: kind.__name__)
def test_places_are_the_vendors(kind: type[m.Message]) -> None:
    """Each field is where the vendor's header has it, as far as that goes: newer versions have more."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, int)
    ours = [name for name in kind.__struct_encode_fields__ if name not in kind.BESIDE]
    both = min(len(ours), len(PLACES[tag]))
    assert both
    assert ours[:both] == PLACES[tag][:both]


def test_names_are_the_protocols() -> None:
    """With capitals, ID, OCO, and numbers as the protocol has them."""
    logon = json.loads(encode(m.LogonResponse(result=1, result_text="", server_name=""), Encoding.JSON))
    assert {"ProtocolVersion", "Integer_1", "OCOOrdersSupported", "MarketDepthUpdatesBestBidAndAsk"} <= set(logon)
    update = json.loads(encode(o.OrderUpdate(price_1=1.5), Encoding.JSON))
    assert {"Price1", "ServerOrderID", "LastFillExecutionID", "TotalNumMessages"} <= set(update)


def test_prices_that_are_not_set_are_absent_or_the_largest_double() -> None:
    """And are read back as not set."""
    snapshot = m.MarketDataSnapshot(symbol_id=3, bid_price=5000.25)
    assert "AskPrice" not in json.loads(encode(snapshot, Encoding.JSON))
    places = json.loads(encode(snapshot, Encoding.JSON_COMPACT))["F"]
    assert (places[0], places[8], places[9]) == (3, 5000.25, sys.float_info.max)
    order = json.dumps({"Type": 208, "F": ["ES", "", "", "a", 1, 1, sys.float_info.max, 0, 1]}).encode()
    message = decode(order)[1]
    assert isinstance(message, o.SubmitNewSingleOrder)
    assert (message.price_1, message.quantity) == (0.0, 1.0)


def test_places_beyond_the_known_ones_are_passed_over() -> None:
    """And never taken for names that are not the protocol's."""
    data = json.dumps({"Type": 208, "F": ["ES", "", "", "a", 1, 1, 0, 0, 1, 1, 1700000000, 1]}).encode()
    message = decode(data)[1]
    assert isinstance(message, o.SubmitNewSingleOrder)
    assert message.order_quantity == 0


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_noise_is_garbage_and_nothing_worse(data: bytes) -> None:
    """No other error comes out of it."""
    with pytest.raises((GarbageError, NotServedError)):
        decode(data)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["SymbolID", "Symbol", "RequestAction", "F", "Price1", "Quantity", "HeartbeatIntervalInSeconds"]
)


@given(st.sampled_from([kind.__struct_config__.tag for kind in REQUESTS]), st.dictionaries(FIELDS, JSONISH, max_size=4))
def test_fields_of_any_kind_are_a_message_or_garbage(type: int, fields: dict[str, Any]) -> None:
    """As a hostile client would have them."""
    try:
        _, message = decode(json.dumps({"Type": type, **fields}).encode())
    except GarbageError:
        return
    assert message.__struct_config__.tag == type


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        (OrderType, "LIMIT", OrderType.LIMIT), (OrderType, "ORDER_TYPE_STOP_LIMIT", OrderType.STOP_LIMIT),
        (OrderType, "stop", OrderType.STOP), (OrderType, 1, OrderType.MARKET), (OrderType, "1", OrderType.MARKET),
        (BuySell, "SELL", BuySell.SELL), (TimeInForce, "TIF_IOC", TimeInForce.IOC),
    ],
)  # fmt: skip
def test_words_are_read_as_numbers_and_names(kind: Any, text: Any, meant: Any) -> None:
    """With or without their prefix."""
    assert read(kind, text) is meant


def test_a_word_that_is_none_says_what_is_allowed() -> None:
    """By name and number."""
    with pytest.raises(ValueError, match=r"'HOLD': expected .*SELL \(2\)"):
        read(BuySell, "HOLD")

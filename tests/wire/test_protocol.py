"""The sans-IO core: what may be asked gets through, everything else is one documented refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import ProtocolError
from feedsim.events import CHANNELS, StreamKey
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, Encoding, Form
from feedsim.wire.protocol import BURST, OPS, RATE, REFUSED_IN_A_ROW, Offer, ServerProtocol, Subscription
from tests.wire.samples import ASKED

OFFER = Offer(
    channels=("status", "bar", "trade", "l1", "l2"),
    symbols=("ES", "NQ"),
    tf_s=(1, 60),
    sources=("live", "other"),
    controllable=True,
    may_wait=True,
    default_policy="wait",
    trading=True,
    lockstep=True,
)
SHARED = replace(OFFER, controllable=False, may_wait=False, default_policy="skip", trading=False, lockstep=False)
CODES = {
    "bad_request",
    "unauthorized",
    "forbidden",
    "unknown_channel",
    "unknown_symbol",
    "unknown_source",
    "not_controllable",
    "resume_too_old",
    "limit_exceeded",
    "order_rejected",
}


def protocol(
    encoding: Encoding = "json", offer: Offer = OFFER, *, token: str | None = None, authorized: bool = False
) -> ServerProtocol:
    return ServerProtocol(encoding, offer, token=token, authorized=authorized, now=0.0)


def written(encoding: Encoding, message: Any) -> str | bytes:
    """As a foreign client writes it."""
    return json.dumps(message) if encoding == "json" else bytes(msgpack.packb(message))


def refusal(message: Any, offer: Offer = OFFER, encoding: Encoding = "json") -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        protocol(encoding, offer).receive(written(encoding, message), 0.0)
    return refused.value


# ----------------------------------------------------------------------------------------------- what is let through


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("request_", ASKED, ids=lambda request: type(request).__name__)
def test_requests_that_are_allowed_come_through(encoding: Encoding, request_: m.Request) -> None:
    """Each as the Struct that it is."""
    data = CODECS[encoding].encode(request_)
    assert protocol(encoding).receive(data.decode() if encoding == "json" else data, 0.0) == request_


def test_every_op_is_named() -> None:
    """What an error lists is what there is."""
    assert set(OPS) == {str(type(request).__struct_config__.tag) for request in ASKED}


# -------------------------------------------------------------------------------------------------- what is refused

ORDER = {"client_order_id": "a", "symbol": "ES", "side": "buy", "quantity": 1}
BAD: list[tuple[Any, str, str]] = [
    ({"op": "nothing"}, "bad_request", "subscribe"),
    ({}, "bad_request", "op"),
    ({"op": 5}, "bad_request", "op"),
    ([], "bad_request", "array"),
    (None, "bad_request", "null"),
    ("subscribe", "bad_request", "str"),
    ({"op": "ping", "extra": 1}, "bad_request", "extra"),
    ({"op": "ping", "id": "a"}, "bad_request", "id"),
    ({"op": "ping", "id": 1.5}, "bad_request", "id"),
    ({"op": "auth"}, "bad_request", "token"),
    ({"op": "subscribe", "channels": "l1"}, "bad_request", "channels"),
    ({"op": "subscribe", "channels": ["l3"]}, "unknown_channel", "l1"),
    ({"op": "subscribe", "channels": ["l1", "L1"]}, "unknown_channel", "L1"),
    ({"op": "subscribe", "channels": ["l1"] * 65}, "bad_request", "64"),
    ({"op": "subscribe", "symbols": ["ESZ25"]}, "unknown_symbol", "ES, NQ"),
    ({"op": "subscribe", "symbols": ["*", "YM"]}, "unknown_symbol", "YM"),
    ({"op": "subscribe", "symbols": [5]}, "bad_request", "symbols"),
    ({"op": "subscribe", "tf_s": [5]}, "bad_request", "1, 60"),
    ({"op": "subscribe", "tf_s": [10**30]}, "bad_request", "tf_s"),
    ({"op": "subscribe", "depth": 0}, "bad_request", "depth"),
    ({"op": "subscribe", "depth": 21}, "bad_request", "depth"),
    ({"op": "subscribe", "depth": 10**400}, "bad_request", ""),
    ({"op": "subscribe", "conflate_ms": -1}, "bad_request", "conflate_ms"),
    ({"op": "subscribe", "conflate_ms": 60_001}, "bad_request", "conflate_ms"),
    ({"op": "subscribe", "ts": "s"}, "bad_request", "ts"),
    ({"op": "subscribe", "batch": 1}, "bad_request", "batch"),
    ({"op": "subscribe", "policy": "never"}, "bad_request", "policy"),
    ({"op": "subscribe", "from_seq": -1}, "bad_request", "from_seq"),
    ({"op": "unsubscribe", "channels": ["l3"]}, "unknown_channel", "l3"),
    ({"op": "unsubscribe", "symbols": ["YM"]}, "unknown_symbol", "YM"),
    ({"op": "history", "channel": "l3", "symbol": "ES"}, "unknown_channel", "l3"),
    ({"op": "history", "channel": "bar", "symbol": "YM"}, "unknown_symbol", "YM"),
    ({"op": "history", "channel": "*", "symbol": "ES"}, "bad_request", "one channel"),
    ({"op": "history", "channel": "bar", "symbol": "*"}, "bad_request", "one symbol"),
    ({"op": "history", "channel": "bar", "symbol": "ES", "tf_s": 7}, "bad_request", "1, 60"),
    ({"op": "history", "channel": "bar", "symbol": "ES", "count": 0}, "bad_request", "count"),
    ({"op": "history", "channel": "bar", "symbol": "ES", "count": 5001}, "bad_request", "count"),
    ({"op": "history", "channel": "bar"}, "bad_request", "symbol"),
    ({"op": "replay", "source": "/etc/passwd"}, "unknown_source", "live, other"),
    ({"op": "replay", "speed": 0}, "bad_request", "speed"),
    ({"op": "replay", "speed": "fast"}, "bad_request", "speed"),
    ({"op": "replay", "seed": -1}, "bad_request", "seed"),
    ({"op": "replay", "seed": 2**63}, "bad_request", "seed"),
    ({"op": "replay", "start": 10**30}, "bad_request", "start"),
    ({"op": "replay", "end": -1}, "bad_request", "end"),
    ({"op": "replay.speed", "speed": -1}, "bad_request", "speed"),
    ({"op": "replay.speed", "speed": 1e300}, "bad_request", "speed"),
    ({"op": "replay.speed", "speed": 1e-300}, "bad_request", "speed"),
    ({"op": "replay.speed", "speed": True}, "bad_request", "speed"),
    ({"op": "replay.seek"}, "bad_request", "ts"),
    ({"op": "replay.seek", "ts": 10**19}, "bad_request", "ts"),
    ({"op": "replay.seek", "ts": 1.5}, "bad_request", "ts"),
    ({"op": "replay.step", "count": 0}, "bad_request", "count"),
    ({"op": "replay.step", "count": 100_001}, "bad_request", "count"),
    ({"op": "replay.step", "unit": "day"}, "bad_request", "unit"),
    ({"op": "replay.jump", "to": "lunch"}, "bad_request", "to"),
    ({"op": "resume", "session_id": "live", "epoch": 1, "seq": -1}, "bad_request", "seq"),
    ({"op": "resume", "epoch": 1, "seq": 1}, "bad_request", "session_id"),
    ({"op": "order.new", **ORDER, "side": "long"}, "bad_request", "side"),
    ({"op": "order.new", **ORDER, "type": "iceberg"}, "bad_request", "type"),
    ({"op": "order.new", **ORDER, "tif": "gtd"}, "bad_request", "tif"),
    ({"op": "order.new", **ORDER, "quantity": "2"}, "bad_request", "quantity"),
    ({"op": "order.new", **ORDER, "quantity": 1e300}, "bad_request", "quantity"),
    ({"op": "order.new", **ORDER, "price": -1e10}, "bad_request", "price"),
    ({"op": "order.new", **ORDER, "client_order_id": ""}, "bad_request", "client_order_id"),
    ({"op": "order.new", **ORDER, "client_order_id": "a" * 65}, "bad_request", "client_order_id"),
    ({"op": "order.new", **ORDER, "symbol": "A" * 33}, "bad_request", "symbol"),
    ({"op": "order.new", **ORDER, "bracket": {"stop": 1}}, "bad_request", "stop"),
    ({"op": "order.cancel"}, "bad_request", "client_order_id"),
    ({"op": "ack", "until": -1}, "bad_request", "until"),
]


@pytest.mark.parametrize(("message", "code", "named"), BAD, ids=str)
def test_refusals_say_what_is_wrong(message: Any, code: str, named: str) -> None:
    """The documented code, the field or what is allowed, and the connection goes on."""
    error = refusal(message)
    assert (error.code, error.close_code) == (code, None)
    assert named in error.message
    assert len(error.message) < 600


@pytest.mark.parametrize("field", ["quantity", "price", "stop_price"])
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_orders_have_real_numbers(field: str, value: float) -> None:
    """What only MessagePack can write is no price and no quantity."""
    assert refusal({"op": "order.new", **ORDER, field: value}, encoding="msgpack").code == "bad_request"


def test_orders_where_nobody_trades_and_acks_where_no_clock_waits() -> None:
    """Refused, with why."""
    assert "without an exchange" in refusal({"op": "order.new", **ORDER}, SHARED).message
    assert refusal({"op": "flatten"}, SHARED).code == "order_rejected"
    assert "lock-step" in refusal({"op": "ack", "until": 5}, SHARED).message


def test_acks_are_not_counted_where_the_clock_waits_for_them() -> None:
    """A lock-step client sets the pace; everything else that it sends is limited as ever."""
    core = protocol()
    ack, ping = written("json", {"op": "ack", "until": 5}), written("json", {"op": "ping"})
    for _ in range(5 * int(BURST)):
        assert isinstance(received(core, ack), m.Ack)
    outcomes = [received(core, ping) for _ in range(int(BURST) + 1)]
    assert isinstance(outcomes[-2], m.Ping)
    assert isinstance(outcomes[-1], ProtocolError)


@pytest.mark.parametrize("speed", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_only_messagepack_has(speed: float) -> None:
    """No speed is infinite or no number; the word is `max`."""
    assert refusal({"op": "replay.speed", "speed": speed}, encoding="msgpack").code == "bad_request"


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_refusal_repeats_the_number_of_the_request(encoding: Encoding) -> None:
    """Whether it could be decoded or not."""
    assert refusal({"op": "subscribe", "id": 7, "symbols": ["YM"]}, encoding=encoding).id == 7
    assert refusal({"op": "subscribe", "id": 7, "depth": "x"}, encoding=encoding).id == 7
    assert refusal({"op": "subscribe", "id": "7", "depth": "x"}, encoding=encoding).id is None


def test_long_names_are_not_thrown_back() -> None:
    """An error stays short, whatever was sent."""
    assert len(refusal({"op": "subscribe", "symbols": ["A" * 60_000]}).message) < 600
    assert len(refusal({"op": "replay", "source": "A" * 60_000}).message) < 600


def test_what_is_not_here_is_named_with_what_is() -> None:
    """The kind of name, the name, and the names that there are."""
    everything = "status, bar, footprint, profile, context, leadership, truth, mbo, trade, l1, l2"
    named = {
        "channel 'x' is not here; there are: " + everything: {"op": "unsubscribe", "channels": ["x"]},
        "symbol 'x' is not here; there are: ES, NQ": {"op": "subscribe", "symbols": ["x"]},
        "tf_s 7 is not here; there are: 1, 60": {"op": "subscribe", "tf_s": [7]},
        "source 'x' is not here; there are: live, other": {"op": "replay", "source": "x"},
    }
    for says, request in named.items():
        assert refusal(request).message == says
    asked = {"op": "history", "channel": "bar", "symbol": "ES", "tf_s": 7}
    assert refusal(asked).message == "tf_s 7 is not here; there are: 1, 60"
    assert refusal({"op": "replay", "source": "x"}, replace(OFFER, sources=())).message.endswith("there are: none")


@pytest.mark.parametrize(("encoding", "data"), [("json", b"{}"), ("msgpack", "{}")])
def test_the_wrong_kind_of_frame_ends_the_connection(encoding: Encoding, data: str | bytes) -> None:
    """1003, and what should have been sent."""
    with pytest.raises(ProtocolError, match="frames") as refused:
        protocol(encoding).receive(data, 0.0)
    assert (refused.value.code, refused.value.close_code) == ("bad_request", 1003)


# ----------------------------------------------------------------------------------------------------------- fuzzing

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
NAMES = sorted({name for request in ASKED for name in type(request).__struct_fields__})
likely = st.sampled_from(
    ["*", "l1", "bar", "ES", "NQ", "live", "max", "open", "ns", "skip", 60, 1, 0, -1, 2**63, 2**64]
)
requests = st.builds(
    lambda op, fields: {"op": op, **fields},
    st.sampled_from(OPS),
    st.dictionaries(st.sampled_from(NAMES), json_values | likely | st.lists(likely, max_size=3), max_size=5),
)


def received(core: ServerProtocol, data: str | bytes, now: float = 0.0) -> m.AnyRequest | ProtocolError:
    """The request, or its refusal; anything else that is raised fails the test."""
    try:
        return core.receive(data, now)
    except ProtocolError as error:
        return error


def only_refuses(encoding: Encoding, data: str | bytes) -> None:
    """Either a request or a documented refusal that can be told to the client."""
    core = protocol(encoding, SHARED, token="t", authorized=True)
    outcome = received(core, data)
    if isinstance(outcome, ProtocolError):
        assert outcome.code in CODES
        assert outcome.close_code is None
        answer = m.Error(id=outcome.id, code=outcome.code, message=outcome.message)  # type: ignore[arg-type] # it is one
        assert CODECS[encoding].decode_message(CODECS[encoding].encode(answer)) == answer
    elif isinstance(outcome, m.Subscribe):
        core.subscribe(outcome)
    elif isinstance(outcome, m.Unsubscribe):
        core.unsubscribe(outcome)
    else:
        assert isinstance(outcome, get_args(m.AnyRequest))


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Nothing but requests and refusals comes of it."""
    only_refuses("json", text)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Nothing but requests and refusals comes of them."""
    only_refuses("msgpack", data)


@given(json_values | requests)
def test_any_json(value: Any) -> None:
    """Well formed or nearly so: requests and refusals."""
    only_refuses("json", json.dumps(value))


@given(requests, st.data())
def test_any_messagepack(value: Any, data: st.DataObject) -> None:
    """Whole, cut short, or with a byte changed."""
    try:
        packed = bytearray(msgpack.packb(value))
    except OverflowError:
        return
    only_refuses("msgpack", bytes(packed))
    only_refuses("msgpack", bytes(packed[: data.draw(st.integers(0, len(packed)))]))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    only_refuses("msgpack", bytes(packed))


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("json", "[" * 60_000),
        ("json", '{"op":' + "[" * 60_000),
        ("json", '{"a":' * 10_000),
        ("json", '{"op":"auth","token":"\\ud800"}'),
        ("json", '{"op":"ping","id":' + "9" * 60_000 + "}"),
        ("msgpack", b"\x91" * 60_000),
        ("msgpack", b"\x81\xa1a" * 20_000),
        ("msgpack", b"\xdf\xff\xff\xff\xff"),
        ("msgpack", b"\xc6\xff\xff\xff\xff"),
        ("msgpack", b"\x82\xa2op\xa4auth\xa5token\xa1\xff"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_made_to_hurt(encoding: Encoding, data: str | bytes) -> None:
    """Deep nesting, huge numbers, lengths that are not there, text that is none."""
    only_refuses(encoding, data)


# ------------------------------------------------------------------------------------------------------ subscriptions


def subscribed(core: ServerProtocol, **fields: Any) -> Subscription:
    request = core.receive(json.dumps({"op": "subscribe", **fields}), 0.0)
    assert isinstance(request, m.Subscribe)
    return core.subscribe(request)


def unsubscribed(core: ServerProtocol, **fields: Any) -> Subscription:
    request = core.receive(json.dumps({"op": "unsubscribe", **fields}), 0.0)
    assert isinstance(request, m.Unsubscribe)
    return core.unsubscribe(request)


def test_all_is_all_but_truth_and_orders() -> None:
    """`*` names every channel that a bot usually trades on; truth and mbo must be named."""
    assert {channel for channel, _ in subscribed(protocol()).streams} == set(CHANNELS) - {"truth", "mbo"}
    both = subscribed(protocol(), channels=["*", "truth", "mbo"], symbols=["NQ"])
    assert both.streams == {(channel, "NQ") for channel in CHANNELS}


def test_streams_add_up_and_options_are_the_last() -> None:
    """A second subscribe adds its streams; depth, policy and the like become those of all."""
    core = protocol()
    subscribed(core, channels=["l1"], symbols=["ES"], depth=3, policy="skip", tf_s=[1])
    both = subscribed(core, channels=["bar"], symbols=["NQ"], ts="ns")
    assert both.streams == {("l1", "ES"), ("bar", "NQ")}
    assert (both.depth, both.policy, both.ts, both.tf_s) == (10, "wait", "ns", None)
    assert core.subscription == both
    assert both.form("msgpack") == Form("msgpack", "ns", 10)


@pytest.mark.parametrize(
    ("option", "asked", "kept"),
    [
        ("tf_s", [1], frozenset({1})),
        ("depth", 3, 3),
        ("conflate_ms", 250, 250),
        ("ts", "us", "us"),
        ("batch", False, False),
        ("policy", "disconnect", "disconnect"),
    ],
)
def test_every_option_is_kept(option: str, asked: Any, kept: Any) -> None:
    """As it was asked for, and no other is touched."""
    subscription = subscribed(protocol(), channels=["l1"], symbols=["ES"], **{option: asked})
    plain = Subscription(frozenset({("l1", "ES")}), policy="wait")
    assert subscription == replace(plain, **{option: kept})
    assert subscription.form("json") == Form("json", subscription.ts, subscription.depth)


def test_unsubscribe_takes_away_what_it_names() -> None:
    """Streams that were not there are no error; options stay."""
    core = protocol()
    subscribed(core, channels=["l1", "bar"], depth=3)
    assert unsubscribed(core, channels=["l1"], symbols=["ES"]).streams == {("l1", "NQ"), ("bar", "ES"), ("bar", "NQ")}
    assert unsubscribed(core, channels=["trade"]).streams == {("l1", "NQ"), ("bar", "ES"), ("bar", "NQ")}
    assert unsubscribed(core, symbols=["NQ"]) == Subscription(frozenset({("bar", "ES")}), depth=3, policy="wait")
    subscribed(core, channels=["truth"])
    assert unsubscribed(core).streams == frozenset()


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        (StreamKey("bar", "ES", 60), True),
        (StreamKey("bar", "ES", 1), False),
        (StreamKey("bar", "NQ", 60), False),
        (StreamKey("l1", "ES"), True),
        (StreamKey("l2", "ES"), False),
    ],
)
def test_what_a_subscription_wants(key: StreamKey, wanted: bool) -> None:
    """Channel and symbol, and of bars and footprints the length."""
    subscription = Subscription(frozenset({("bar", "ES"), ("l1", "ES")}), tf_s=frozenset({60}))
    assert subscription.wants(key) is wanted
    if key.tf_s:
        assert replace(subscription, tf_s=None).wants(key) is (key.symbol == "ES")


def test_another_session_starts_with_nothing() -> None:
    """After `attach` the offer is the new one, and the subscription empty with its default policy."""
    core = protocol()
    subscribed(core)
    core.attach(replace(SHARED, symbols=("MES",)))
    assert core.subscription == Subscription(policy="skip")
    assert {symbol for _, symbol in subscribed(core).streams} == {"MES"}


def test_waiting_is_for_sessions_that_may_wait() -> None:
    """A shared session at a pace does not wait for anybody."""
    refused = refusal({"op": "subscribe", "policy": "wait"}, SHARED)
    assert refused.code == "bad_request"
    assert refused.message == "policy wait is for private sessions and for speed max"


CONTROLS = [request for request in ASKED if type(request).__name__ in {kind.__name__ for kind in get_args(m.Control)}]


@pytest.mark.parametrize("request_", CONTROLS, ids=lambda request: type(request).__name__)
def test_the_shared_session_is_not_for_everybody_to_control(request_: m.Request) -> None:
    """not_controllable, and what to do instead."""
    with pytest.raises(ProtocolError) as refused:
        protocol(offer=SHARED).receive(CODECS["json"].encode(request_).decode(), 0.0)
    assert refused.value.code == "not_controllable"
    assert "private" in refused.value.message


# ------------------------------------------------------------------------------------------------- tokens and rates


def test_without_the_token_only_auth_and_ping_are_obeyed() -> None:
    """Everything else is unauthorized until the token was shown; a wrong one ends the connection."""
    for request in ASKED:
        core = protocol(token="secret")
        if isinstance(request, m.Ping):
            core.receive(CODECS["json"].encode(request).decode(), 0.0)
        elif not isinstance(request, m.Auth):
            with pytest.raises(ProtocolError) as refused:
                core.receive(CODECS["json"].encode(request).decode(), 0.0)
            assert (refused.value.code, refused.value.close_code) == ("unauthorized", None)
            assert refused.value.message == "this server wants a token: send auth first"
    core = protocol(token="secret")
    with pytest.raises(ProtocolError) as refused:
        core.receive('{"op":"auth","token":"secre"}', 0.0)
    assert (refused.value.code, refused.value.close_code, core.authorized) == ("unauthorized", 1008, False)
    assert refused.value.message == "the token is wrong"
    core.receive('{"op":"auth","token":"secret"}', 0.0)
    assert core.authorized
    core.receive('{"op":"subscribe"}', 0.0)


def test_who_brought_the_token_is_let_in() -> None:
    """By a header; and where there is no token, everybody."""
    for core in (protocol(token="secret", authorized=True), protocol()):
        core.receive('{"op":"subscribe"}', 0.0)


@given(st.lists(st.floats(0, 0.05), min_size=300, max_size=900))
def test_the_rate_of_requests_is_bounded(waits: list[float]) -> None:
    """Never more than the burst and the rate together."""
    core, now, obeyed = protocol(), 0.0, 0
    for wait in waits:
        now += wait
        outcome = received(core, '{"op":"ping"}', now)
        if isinstance(outcome, ProtocolError):
            assert outcome.code == "limit_exceeded"
        else:
            obeyed += 1
    assert obeyed <= BURST + RATE * now + 1


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    """However long; a burst at once on top is allowed after a quiet while."""
    core = protocol()
    for tick in range(5000):
        core.receive('{"op":"ping"}', tick * 1.001 / RATE)
    for _ in range(int(BURST)):
        core.receive('{"op":"ping"}', 1000.0)


def test_a_flood_ends_the_connection() -> None:
    """After so many refusals in a row, and not before; one pause for breath starts the count again."""
    core = protocol()
    outcomes = [received(core, '{"op":"ping"}') for _ in range(int(BURST) + REFUSED_IN_A_ROW)]
    codes = [outcome.close_code for outcome in outcomes if isinstance(outcome, ProtocolError)]
    assert codes == [None] * (REFUSED_IN_A_ROW - 1) + [1008]
    core.receive('{"op":"ping"}', 1.0)
    outcomes = [received(core, '{"op":"ping"}', 1.0) for _ in range(int(RATE) + 1)]
    assert isinstance(outcomes[-1], ProtocolError)
    assert outcomes[-1].close_code is None

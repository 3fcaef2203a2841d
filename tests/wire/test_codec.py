"""Both encodings of every message, read by other libraries than the one that wrote them."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS, Event
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS, SCALE, SUBPROTOCOLS, Encoding, as_bytes
from tests.wire.samples import ASKED, HEARD, SAID, any_event

encodings = pytest.mark.parametrize("encoding", ["json", "msgpack"])


def read_by_others(encoding: Encoding, data: bytes) -> Any:
    return json.loads(data) if encoding == "json" else msgpack.unpackb(data)


def test_nothing_is_left_out() -> None:
    """Every message and request that there is has a sample."""
    assert {type(message) for message in SAID} == set(get_args(m.AnyMessage))
    assert {type(request) for request in ASKED} == set(get_args(m.AnyRequest))
    assert {type(event) for event in HEARD} == set(get_args(m.AnyPrivate))


@encodings
def test_what_an_account_hears(encoding: Encoding) -> None:
    """Private events come back equal from an events frame, and are told apart from those of the tape."""
    message = m.Events(sent=1, events=HEARD)
    read = CODECS[encoding].decode_message(CODECS[encoding].encode(message))
    assert read == message
    assert message.of_the_tape == []


@encodings
@pytest.mark.parametrize("message", SAID, ids=lambda message: type(message).__name__)
def test_what_a_server_says(encoding: Encoding, message: Any) -> None:
    """It comes back equal, and other libraries read the same fields under its type."""
    codec = CODECS[encoding]
    data = codec.encode(message)
    assert codec.decode_message(data) == message
    read = read_by_others(encoding, data)
    assert read.pop("type") == type(message).__struct_config__.tag
    assert read == {
        name: msgspec.to_builtins(getattr(message, name))
        if not isinstance(getattr(message, name), (list, tuple))
        else json.loads(json.dumps(getattr(message, name)))
        for name in message.__struct_fields__
    }


@encodings
@pytest.mark.parametrize("request_", ASKED, ids=lambda request: type(request).__name__)
def test_what_a_client_asks(encoding: Encoding, request_: Any) -> None:
    """It comes back equal, also when another library wrote it."""
    codec = CODECS[encoding]
    data = codec.encode(request_)
    assert codec.decode_request(data) == request_
    read = read_by_others(encoding, data)
    assert codec.decode_request(json.dumps(read) if encoding == "json" else msgpack.packb(read)) == request_


@given(event=any_event)
def test_events(event: Event) -> None:
    """Every value of every field comes through both encodings, and both say the same."""
    for codec in CODECS.values():
        (data,) = codec.encode_events([event])
        whole = codec.encode(m.Events(sent=1, events=[event]))  # type: ignore[list-item] # a member of the union
        assert data in whole
        message = codec.decode_message(whole)
        assert isinstance(message, m.Events)
        assert repr(message.events[0]) == repr(event)
    # JSON has one kind of number: 5.0 and 5 are the same there.
    assert json.loads(CODECS["json"].encode(event)) == msgpack.unpackb(CODECS["msgpack"].encode(event))


@given(events=st.lists(any_event, max_size=5))
def test_events_one_by_one_are_the_parts_of_a_list(events: list[Event]) -> None:
    """Joined by commas they are the JSON list of all."""
    parts = CODECS["json"].encode_events(events)
    assert b"[" + b",".join(parts) + b"]" == msgspec.json.encode(events)
    assert [json.loads(part)["type"] in CHANNELS for part in parts] == [True] * len(events)


@pytest.mark.parametrize("encoding", sorted({*get_args(Encoding)} - {"lines"}))
def test_every_encoding_of_frames_has_a_subprotocol(encoding: Encoding) -> None:
    """And a name says its encoding; lines are for pipes."""
    (name,) = [name for name, value in SUBPROTOCOLS.items() if value == encoding]
    assert name == f"feedsim.v1.{encoding}"


def test_units_of_time() -> None:
    """A unit's nanoseconds."""
    assert {unit: 10**9 // SCALE[unit] for unit in get_args(m.TimeUnit)} == {"ms": 10**3, "us": 10**6, "ns": 10**9}


def test_text_that_is_no_utf_8() -> None:
    """A lone surrogate is a UnicodeError, for whoever decodes to explain."""
    with pytest.raises(UnicodeError):
        as_bytes("\ud800")

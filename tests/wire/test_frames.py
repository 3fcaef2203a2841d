"""Prebuilt frames, read back by the parser of `websockets`, which knows RFC 6455 and nothing of ours."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from feedsim.events import Trade
from feedsim.wire.codec import CODECS, Encoding
from feedsim.wire.frames import MAX_EVENTS, event_frames, frame, joined_frame
from tests.support.frames import parsed

LIMIT_BYTES = 256 * 1024
OPCODES = {"json": Opcode.TEXT, "msgpack": Opcode.BINARY}

encodings = pytest.mark.parametrize("encoding", ["json", "msgpack"])


def opened(encoding: Encoding, data: bytes) -> dict[str, Any]:
    return dict(json.loads(data) if encoding == "json" else msgpack.unpackb(data))


@encodings
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_a_message_is_one_whole_unmasked_frame(encoding: Encoding, size: int) -> None:
    """At every length at which the header changes."""
    payload = bytes(size)
    (one,) = parsed(frame(payload, encoding))
    assert (one.opcode, bytes(one.data), one.fin) == (OPCODES[encoding], payload, True)
    assert frame(payload, encoding) == Frame(OPCODES[encoding], payload).serialize(mask=False)


def trades(count: int, size: int) -> list[Trade]:
    """Events of about `size` bytes each."""
    return [Trade(n, n, n, "S" * size, 5000.25, 1, -1, n) for n in range(1, count + 1)]


@encodings
@given(
    sizes=st.lists(st.integers(0, 2000), min_size=1, max_size=40),
    copies=st.integers(1, 80),
    sent=st.integers(0, 2**63),
)
@settings(max_examples=40)
def test_batches_are_within_the_limits_and_lose_nothing(
    encoding: Encoding, sizes: list[int], copies: int, sent: int
) -> None:
    """At most 1,000 events and 256 KiB a frame; together all events in order, each frame with its `sent`."""
    events = [trade for size in sizes for trade in trades(copies, size)]
    items = CODECS[encoding].encode_events(events)
    frames = parsed(event_frames(items, sent, encoding))
    told: list[Any] = []
    for one in frames:
        assert len(one.data) <= LIMIT_BYTES
        message = opened(encoding, bytes(one.data))
        assert (message["type"], message["sent"], set(message)) == ("events", sent, {"type", "sent", "events"})
        assert 0 < len(message["events"]) <= MAX_EVENTS
        told += message["events"]
    assert told == [opened(encoding, item) for item in items]


@encodings
@pytest.mark.parametrize("count", [1, 15, 16, 999, 1000, 1001, 2000, 2001])
def test_as_few_frames_as_the_limit_of_events_allows(encoding: Encoding, count: int) -> None:
    """Small events: a thousand to a frame; arrays of every kind of header."""
    items = CODECS[encoding].encode_events(trades(count, 1))
    frames = parsed(event_frames(items, 1, encoding))
    assert len(frames) == -(-count // 1000)
    assert [event["n"] for one in frames for event in opened(encoding, bytes(one.data))["events"]] == [
        *range(1, count + 1)
    ]


@encodings
@pytest.mark.parametrize("count", [1, 15, 16, 1000])
def test_events_that_were_encoded_together_make_the_same_frame(encoding: Encoding, count: int) -> None:
    """Byte for byte that of the events one by one."""
    events = trades(count, 1)
    codec = CODECS[encoding]
    joined = joined_frame(codec.encode_together(events), 7, encoding)
    assert joined == event_frames(codec.encode_events(events), 7, encoding)


@encodings
def test_an_event_that_is_larger_than_a_frame_goes_alone(encoding: Encoding) -> None:
    """It is not lost, and those around it are framed as ever."""
    events = [*trades(2, 1), *trades(1, 300_000), *trades(2, 1)]
    frames = parsed(event_frames(CODECS[encoding].encode_events(events), 1, encoding))
    assert [len(opened(encoding, bytes(one.data))["events"]) for one in frames] == [2, 1, 2]


@encodings
def test_without_batches_each_event_has_its_frame(encoding: Encoding) -> None:
    """One event a frame, in one write."""
    items = CODECS[encoding].encode_events(trades(20, 1))
    frames = parsed(event_frames(items, 7, encoding, batch=False))
    assert [opened(encoding, bytes(one.data))["events"] for one in frames] == [
        [opened(encoding, item)] for item in items
    ]

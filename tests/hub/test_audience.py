"""What an audience frames: the same events whether a block was encoded ahead or is encoded as it is told."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS
from feedsim.hub import audience as audiences
from feedsim.hub.audience import Audience
from feedsim.hub.ring import Block
from feedsim.wire.codec import Encoding
from feedsim.wire.protocol import Subscription
from tests.support.chunks import session
from tests.support.frames import parsed

ENVELOPE = 100


def everything(block: Block) -> Subscription:
    return Subscription(streams=frozenset((key.channel, key.symbol) for key in block.chunk.streams.keys))


def told(payload: Any, encoding: Encoding) -> list[Any]:
    read = json.loads if encoding == "json" else msgpack.unpackb
    return list(read(bytes(payload))["events"])


def all_told(frames: bytes, encoding: Encoding) -> list[Any]:
    return [event for one in parsed(frames) for event in told(one.data, encoding)]


@given(
    seed=st.integers(0, 2**32),
    encoding=st.sampled_from(["json", "msgpack"]),
    most_bytes=st.integers(1, 20_000),
    data=st.data(),
)
def test_ahead_or_as_it_is_told(seed: int, encoding: Encoding, most_bytes: int, data: st.DataObject) -> None:
    """Any stretch, however small frames must be; no frame of several events is larger than they may be."""
    (chunk,) = session(seed, windows=1)
    lo = data.draw(st.integers(0, len(chunk) - 1))
    hi = data.draw(st.integers(lo + 1, len(chunk)))
    ahead, late = Block(chunk), Block(chunk)
    audience = Audience(everything(ahead), encoding)
    ahead.encode(audience.form, frozenset(CHANNELS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audiences, "MAX_BYTES", most_bytes)
        count, frames = audience.framed(late, lo, hi, 7)
    expected, one_by_one = audience.framed(ahead, lo, hi, 7)
    assert (count, all_told(frames, encoding)) == (expected, all_told(one_by_one, encoding))
    for one in parsed(frames):
        assert len(one.data) <= most_bytes + ENVELOPE or len(told(one.data, encoding)) == 1

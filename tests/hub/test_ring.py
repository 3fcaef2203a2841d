"""The ring: bounded in bytes, found by seq, each event written once for each form."""

from __future__ import annotations

import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS
from feedsim.hub.ring import Block, Ring
from feedsim.wire.codec import CODECS, SCALE, Form
from tests.support.chunks import session

ALL = frozenset(CHANNELS)


@given(seed=st.integers(0, 2**32), windows=st.integers(1, 8), room=st.floats(0, 1), told=st.floats(0, 1))
def test_it_is_bounded_and_loses_only_the_oldest(seed: int, windows: int, room: float, told: float) -> None:
    """After `overfull` what is published fits, but for its newest block; nothing that is to be published is gone."""
    chunks = session(seed, windows=windows)
    max_bytes = max(int(room * sum(chunk.nbytes for chunk in chunks)), 1)
    ring = Ring(max_bytes)
    blocks = [ring.add(chunk) for chunk in chunks]
    ring.head = int(blocks[-1].last_seq * told)
    dropped = list(ring.overfull())
    assert [*dropped, *ring.blocks] == blocks
    assert all(block.last_seq < ring.head for block in dropped)
    others = [block for block in ring.blocks if block.last_seq < ring.head]
    assert not others or ring.nbytes <= max_bytes or len(ring.blocks) == 1
    assert ring.nbytes == sum(block.nbytes for block in ring.blocks)
    assert not dropped or ring.nbytes + dropped[-1].nbytes > max_bytes


@given(seed=st.integers(0, 2**32), told=st.floats(0, 1))
def test_a_block_is_found_by_seq(seed: int, told: float) -> None:
    """Every seq from first_seq on that was added; none before, none after."""
    ring = Ring(1)
    blocks = [ring.add(chunk) for chunk in session(seed)]
    ring.head = int(blocks[-1].last_seq * told)
    list(ring.overfull())
    assert ring.first_seq == min(ring.blocks[0].first_seq, ring.head + 1)
    for seq in range(blocks[-1].last_seq + 2):
        expected = next((block for block in ring.blocks if block.first_seq <= seq <= block.last_seq), None)
        assert ring.find(seq) is expected


def test_a_ring_that_is_exactly_full_keeps_all() -> None:
    """One byte less, and the oldest goes, and only that."""
    chunks = session(5)
    for missing in (0, 1):
        ring = Ring(sum(chunk.nbytes for chunk in chunks) - missing)
        blocks = [ring.add(chunk) for chunk in chunks]
        ring.head = blocks[-1].last_seq
        assert list(ring.overfull()) == blocks[:missing]
    assert ring.epoch == 1


def test_an_empty_ring() -> None:
    """Has nothing, and begins after its head; a new epoch begins empty."""
    ring = Ring(10**6)
    assert (ring.first_seq, ring.find(1), ring.nbytes) == (1, None, 0)
    ring.add(session(1)[0])
    ring.head = 1
    ring.restart(7)
    assert (ring.epoch, ring.head, ring.first_seq, len(ring.blocks)) == (7, 0, 1, 0)


forms = st.builds(Form, st.sampled_from(["json", "msgpack"]), st.sampled_from(["ms", "us", "ns"]), st.integers(1, 20))


@given(
    seed=st.integers(0, 2**32),
    form=forms,
    shift_ns=st.sampled_from([0, 10**9]),
    asked=st.sets(st.sampled_from(CHANNELS)),
)
def test_events_are_written_as_they_are(seed: int, form: Form, shift_ns: int, asked: set[str]) -> None:
    """By position: each event of the channels asked for so far in the form, times shifted and scaled."""
    (chunk,) = session(seed, windows=1)
    block = Block(chunk, shift_ns=shift_ns)
    events = chunk.events(scale=SCALE[form.ts], shift_ns=shift_ns, depth=form.depth)
    expected = CODECS[form.encoding].encode_events(events)
    channels = [CHANNELS[rank] for rank in chunk.rank]
    items = block.encode(form, frozenset(asked))
    assert [item for item, channel in zip(items, channels, strict=True) if channel in asked] == [
        item for item, channel in zip(expected, channels, strict=True) if channel in asked
    ]
    assert block.encode(form, ALL) == expected
    assert block.encode(form, frozenset()) is items


@given(seed=st.integers(0, 2**32))
def test_what_a_block_takes_is_counted(seed: int) -> None:
    """Columns, a pointer an event for each form, and each written event with what Python adds to it."""
    block = Ring(1).add(session(seed)[0])
    for form in (Form("json"), Form("msgpack", "ns", 3)):
        before = block.nbytes
        items = block.encode(form, frozenset(("l1", "bar")))
        written = [item for item in items if item]
        assert block.nbytes == before + 8 * len(items) + sum(sys.getsizeof(item) + 8 for item in written)
    assert block.shift_ns == 0


def test_each_event_is_written_once_for_each_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for; a second form is paid for, and counted."""
    (chunk,) = session(3, windows=1)
    block = Block(chunk)
    written: list[object] = []
    codec = CODECS["json"]
    encode = msgspec.json.Encoder().encode
    monkeypatch.setattr(codec, "_encoder", _Counting(written, encode))
    before = block.nbytes
    for channels in (frozenset({"l1"}), ALL, ALL, frozenset({"l1"})):
        block.encode(Form("json"), channels)
    assert len(written) == len(chunk)
    once = block.nbytes - before
    assert once >= sum(map(len, block.encode(Form("json"), ALL)))
    block.encode(Form("json", "ns"), ALL)
    assert len(written) == 2 * len(chunk)
    assert block.nbytes - before >= 1.9 * once


@given(seed=st.integers(0, 2**32), form=forms, shift_ns=st.sampled_from([0, 10**9]), data=st.data())
def test_what_is_written_together_is_the_same(seed: int, form: Form, shift_ns: int, data: st.DataObject) -> None:
    """Any stretch of positions as one list has the events that are written one by one, also after it was forgotten."""
    (chunk,) = session(seed, windows=1)
    block = Block(chunk, shift_ns=shift_ns)
    decode = msgspec.json.decode if form.encoding == "json" else msgspec.msgpack.decode
    alone = [decode(item) for item in Block(chunk, shift_ns=shift_ns).encode(form, ALL)]
    for _ in range(3):
        lo = data.draw(st.integers(0, len(chunk)))
        hi = data.draw(st.integers(lo, len(chunk)))
        assert decode(block.together(form, lo, hi)) == alone[lo:hi]
        if data.draw(st.booleans()):
            block.forget_together()
    assert form not in block.items


class _Counting:
    """An encoder that notes what it writes."""

    def __init__(self, written: list[object], encode: object) -> None:
        self.written, self._encode = written, encode

    def encode(self, event: object) -> bytes:
        self.written.append(event)
        assert callable(self._encode)
        return bytes(self._encode(event))

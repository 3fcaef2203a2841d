"""The digest: the same however a session was cut or encoded, another when anything in it is another."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedsim.events import CHANNELS, INT_NULL, L1, L2, SCHEMAS, Chunk, Digest, Event, Kind, Status, Trade
from feedsim.wire import messages as m
from feedsim.wire.codec import CODECS
from tests.support.chunks import cut, session
from tests.wire.samples import any_event

seeds = st.integers(0, 2**32)


def of_chunks(chunks: list[Chunk]) -> Digest:
    digest = Digest()
    for chunk in chunks:
        digest.update(chunk)
    return digest


def of_events(events: list[Any]) -> Digest:
    digest = Digest()
    digest.update_events(events)
    return digest


def events_of(chunks: list[Chunk]) -> list[Event]:
    return [event for chunk in chunks for event in chunk.events()]


# ---------------------------------------------------------------------------------------------------------- the same


@given(seeds, seeds)
def test_it_does_not_depend_on_how_the_session_is_cut(seed: int, cuts: int) -> None:
    """In one go, in slices of any size, and asked for in between."""
    chunks = session(seed)
    digest = Digest()
    for slice_ in cut(chunks, cuts, most=20):
        digest.update(*slice_)
        digest.hexdigest()
    whole = of_chunks(chunks)
    assert digest.hexdigest() == whole.hexdigest()
    assert digest.streams() == whole.streams()
    assert digest.count == whole.count == chunks[-1].last_seq


@given(seeds)
def test_structs_have_the_digest_of_their_columns(seed: int) -> None:
    """With nulls, NaN, negative zero and odd text."""
    chunks = session(seed)
    assert of_events(events_of(chunks)).hexdigest() == of_chunks(chunks).hexdigest()
    assert of_events(events_of(chunks)).streams() == of_chunks(chunks).streams()


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@given(seed=seeds)
@settings(max_examples=30)
def test_a_client_computes_the_same(encoding: Any, seed: int) -> None:
    """From what comes over the wire with times in nanoseconds, in either encoding."""
    chunks, codec = session(seed), CODECS[encoding]
    message = codec.decode_message(codec.encode(m.Events(sent=1, events=events_of(chunks))))  # type: ignore[arg-type] # members of the union
    assert isinstance(message, m.Events)
    assert of_events(list(message.events)).hexdigest() == of_chunks(chunks).hexdigest()


@given(st.lists(any_event, max_size=12))
def test_units_are_scaled_to_nanoseconds(events: list[Any]) -> None:
    """Whole milliseconds, told as such, have the digest of their nanoseconds."""
    for event in events:
        event.ts %= 10**12
        if hasattr(event, "bar_start_ts"):
            event.bar_start_ts %= 10**12
    digest = Digest()
    digest.update_events(events, scale=10**6)
    for event in events:
        event.ts *= 10**6
        if hasattr(event, "bar_start_ts"):
            event.bar_start_ts *= 10**6
    assert digest.hexdigest() == of_events(events).hexdigest()


def test_negative_zero_is_zero_and_null_is_null() -> None:
    """Values count as what they mean: -0.0 like 0.0, whatever NaN like null."""

    def trade(price: float) -> Trade:
        return Trade(1, 1, 1, "ES", price, 1, 1, 1)

    assert of_events([trade(-0.0)]).hexdigest() == of_events([trade(0.0)]).hexdigest()
    other_nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000123))[0]
    assert of_events([trade(other_nan)]).hexdigest() == of_events([trade(float("nan"))]).hexdigest()


def test_by_hand() -> None:
    """One trade, hashed as the docs say, with nothing but hashlib and struct."""
    columns = {
        "ts": struct.pack("<q", 1_000),
        "price": struct.pack("<d", 5000.25),
        "size": struct.pack("<q", 2),
        "side": struct.pack("<q", -1),
        "trade_id": struct.pack("<q", 9),
    }
    stream = hashlib.sha256()
    for name, data in columns.items():
        stream.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    total = hashlib.sha256()
    total.update(f"trade/ES {stream.hexdigest()}\n".encode())
    total.update(f"order {hashlib.sha256(struct.pack('<H', 0)).hexdigest()} trade/ES\n".encode())
    assert of_events([Trade(1, 1, 1_000, "ES", 5000.25, 2, -1, 9)]).hexdigest() == total.hexdigest()


def test_a_copy_goes_its_own_way() -> None:
    """What is added to one is not in the other."""
    first, second = session(5, windows=2)
    digest = of_chunks([first])
    copy = digest.copy()
    before = digest.hexdigest()
    copy.update(second)
    assert digest.hexdigest() == before
    assert copy.hexdigest() == of_chunks([first, second]).hexdigest()
    assert (digest.count, copy.count) == (len(first), len(first) + len(second))


# ------------------------------------------------------------------------------------------------------------ another


def _other(value: Any, kind: Kind, nullable: bool) -> list[Any]:
    """Values near to this one that mean something else."""
    if value is None:
        return [{Kind.INT: 0, Kind.FLOAT: 0.0, Kind.TEXT: "", Kind.INT_LIST: [], Kind.FLOAT_LIST: []}[kind]]
    null = [None] if nullable else []
    if kind is Kind.BOOL:
        return [not value]
    if kind is Kind.TEXT:
        return [value + "x", "x" + value, *null]
    if kind.is_list:
        longer = [*value, 0 if kind is Kind.INT_LIST else 0.0]
        return [longer, *([value[:-1]] if value else []), *null]
    if kind is Kind.INT:
        return [value - 1 if value > 0 else value + 1, *null]
    return [float(np.nextafter(value, np.inf if value < 0 else -np.inf)), *null]


@given(seeds, st.data())
def test_any_other_value_is_another_digest(seed: int, data: st.DataObject) -> None:
    """One field of one event changed by the least that there is; null is not zero, no list is no empty list."""
    events = events_of(session(seed, windows=1))
    before = of_events(events).hexdigest()
    event = data.draw(st.sampled_from(events))
    fields = [f for f in SCHEMAS[str(type(event).__struct_config__.tag)].fields if f.name not in ("symbol", "tf_s")]
    field = data.draw(st.sampled_from(fields))
    value = getattr(event, field.name)
    for other in _other(value, field.kind, field.nullable):
        setattr(event, field.name, other)
        assert of_events(events).hexdigest() != before
    setattr(event, field.name, value)
    assert of_events(events).hexdigest() == before


@given(seeds, st.data())
def test_any_other_order_is_another_digest(seed: int, data: st.DataObject) -> None:
    """Two neighbours of different streams swapped, one left out, one told twice, one moved to another symbol."""
    events = events_of(session(seed, windows=1))
    before = of_events(events).hexdigest()
    at = data.draw(st.integers(0, len(events) - 1))
    without = events[:at] + events[at + 1 :]
    twice = [*events[: at + 1], events[at], *events[at + 1 :]]
    assert len({before, of_events(without).hexdigest(), of_events(twice).hexdigest()}) == 3
    if at + 1 < len(events):
        first, second = events[at : at + 2]
        swapped = [*events[:at], second, first, *events[at + 2 :]]
        if repr(first).split("ts=", 1)[1] != repr(second).split("ts=", 1)[1] or type(first) is not type(second):
            assert of_events(swapped).hexdigest() != before
    events[at].symbol = "ES" if events[at].symbol == "NQ" else "NQ"
    assert of_events(events).hexdigest() != before


def test_which_stream_speaks_first_is_in_the_digest() -> None:
    """Two streams that speak once each, and change places."""
    es, nq = (Status(1, 1, 1, symbol, "open", "", "") for symbol in ("ES", "NQ"))
    assert of_events([es, nq]).hexdigest() != of_events([nq, es]).hexdigest()


def test_values_do_not_run_into_each_other() -> None:
    """Texts and lists of neighbours are kept apart."""

    def pair(first: Any, second: Any, name: str) -> str:
        texts = {"phase": "", "reason": "", "contract": ""}
        rows = [Status(1, 1, 1, "ES", **{**texts, name: first}), Status(2, 2, 2, "ES", **{**texts, name: second})]
        return of_events(rows).hexdigest()

    assert pair("ab", "c", "reason") != pair("a", "bc", "reason")
    assert pair("a", "", "phase") != pair("", "a", "phase")

    def books(first: list[float], second: list[float]) -> str:
        return of_events(
            [L2(n, n, n, "ES", 1, px, [], [], [], None, None) for n, px in ((1, first), (2, second))]
        ).hexdigest()

    assert books([1.0, 2.0], [3.0]) != books([1.0], [2.0, 3.0])


@given(seeds)
def test_streams_have_digests_of_their_own(seed: int) -> None:
    """Equal for a recording that was filtered and the whole one."""
    events = events_of(session(seed))
    whole = of_events(events).streams()
    for channel in CHANNELS:
        part = [event for event in events if type(event).__struct_config__.tag == channel]
        streams = of_events(part).streams()
        assert streams == {name: value for name, value in whole.items() if name.split("/")[0] == channel}


def test_null_is_its_own_number() -> None:
    """A null integer is hashed as -2**63, in columns and in Structs."""
    row = L1(1, 1, 1, "ES", 1.0, 2.0, None, 1, 1, None)
    null = L1(1, 1, 1, "ES", 1.0, 2.0, None, 1, 1, INT_NULL)
    assert of_events([row]).hexdigest() == of_events([null]).hexdigest()

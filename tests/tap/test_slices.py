"""What a tap is told becomes the same columns, whether it is chunks or events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import TapError
from feedsim.events import Bar, Chunk, Digest, Footprint
from feedsim.instruments import NS_PER_S
from feedsim.tap.slices import ChunkSlice, EventSlice, describe
from tests.support.chunks import SYMBOLS, same_column, session


@given(seed=st.integers(0, 2**32), data=st.data())
def test_events_become_the_columns_that_they_came_from(seed: int, data: st.DataObject) -> None:
    """Rows, places, streams and digest are those of the chunk."""
    (chunk,) = session(seed, windows=1, rows=8)
    lo = data.draw(st.integers(0, len(chunk) - 1))
    hi = data.draw(st.integers(lo + 1, len(chunk)))
    columns, events = ChunkSlice(chunk, lo, hi), EventSlice(1, chunk.events(lo, hi), SYMBOLS, not_before=0)
    assert (events.first_seq, events.last_seq, events.rows) == (columns.first_seq, columns.last_seq, columns.rows)
    left, right = columns.parts(), events.parts()
    assert list(left) == list(right)
    for channel, part in left.items():
        assert part.seq.tolist() == right[channel].seq.tolist()
        assert part.n.tolist() == right[channel].n.tolist()
        for name, column in part.table.columns.items():
            assert same_column(column, right[channel].table.columns[name])
        names = [columns.streams.keys[code] for code in part.stream]
        assert names == [events.streams.keys[code] for code in right[channel].stream]
    digests = [Digest(), Digest()]
    columns.hash_into(digests[0])
    events.hash_into(digests[1])
    assert digests[0].hexdigest() == digests[1].hexdigest()


def bars(chunk: Chunk) -> list[Bar | Footprint]:
    """Those of its events that cover a window."""
    return [event for event in chunk.events() if isinstance(event, (Bar, Footprint))]


def test_an_event_is_available_when_it_can_have_been_known() -> None:
    """A bar at its end, and nothing before what came before it."""
    (chunk,) = session(81, windows=1, channels=("bar", "footprint", "l1"))
    events = chunk.events()
    earliest = 1_700_000_000 * NS_PER_S
    parts = EventSlice(1, events, SYMBOLS, not_before=earliest).parts()
    avail = {int(s): int(a) for part in parts.values() for s, a in zip(part.seq, part.table.avail, strict=True)}
    told = [avail[event.seq] for event in events]
    assert told == sorted(told)
    assert min(told) >= earliest
    for event in bars(chunk):
        start = event.ts if isinstance(event, Bar) else event.bar_start_ts
        assert avail[event.seq] >= min(start + event.tf_s * NS_PER_S, 2**63 - 1)


def test_an_unknown_symbol_is_refused() -> None:
    """The header says which there are."""
    (chunk,) = session(82, windows=1, channels=("l1",))
    with pytest.raises(TapError, match=r"(ES|NQ) is not in the recording, which has CL"):
        EventSlice(1, chunk.events(), ("CL",), not_before=0).parts()


def test_errors_are_one_line() -> None:
    """Whatever they are."""
    assert describe(OSError(28, "No space left on device")) == "no space left on device"
    assert describe(ValueError("first\nsecond")) == "first"
    assert describe(ValueError()) == "ValueError"

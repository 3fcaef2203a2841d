"""Chunks: events by position, a part as a chunk of its own, streams that are numbered as they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS, Chunk, StreamKey, Streams
from tests.support.chunks import session


def texts(chunk: Chunk, lo: int = 0, hi: int | None = None) -> list[str]:
    return list(map(repr, chunk.events(lo, hi)))


seeds = st.integers(0, 2**32)
spans = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@given(seeds, spans, st.sets(st.sampled_from(CHANNELS)))
def test_events_by_position(seed: int, span: list[float], channels: set[str]) -> None:
    """Those at [lo, hi) in order of seq; only some channels' if that is asked for."""
    chunk = session(seed, windows=2)[1]
    lo, hi = (int(part * len(chunk)) for part in span)
    events = chunk.events()
    assert [event.seq for event in events] == list(range(chunk.first_seq, chunk.last_seq + 1))
    assert texts(chunk, lo, hi) == list(map(repr, events[lo:hi]))
    wanted = [event for event in events[lo:hi] if type(event).__struct_config__.tag in channels]
    assert list(map(repr, chunk.events(lo, hi, channels=frozenset(channels)))) == list(map(repr, wanted))
    assert [event.n for event in events] == chunk.n.tolist()


@given(seeds, spans)
def test_a_part_is_a_chunk_of_its_own(seed: int, span: list[float]) -> None:
    """The same events under the same seqs, its own columns consistent, and no memory of the whole."""
    chunk = session(seed, windows=2)[1]
    lo, hi = (int(part * len(chunk)) for part in span)
    part = chunk.part(lo, hi)
    assert (len(part), part.first_seq, part.epoch) == (hi - lo, chunk.first_seq + lo, chunk.epoch)
    assert texts(part) == texts(chunk, lo, hi)
    assert part.n.tolist() == chunk.n[lo:hi].tolist()
    assert part.avail.tolist() == chunk.avail[lo:hi].tolist()
    for position in range(len(part)):
        rows = part.tables[CHANNELS[part.rank[position]]]
        assert rows.seq[part.row[position]] == part.first_seq + position
    assert part.avail.base is None
    assert all(len(rows) for rows in part.tables.values())


@given(st.lists(st.builds(StreamKey, st.sampled_from(CHANNELS), st.sampled_from(["ES", "NQ"]), st.integers(0, 2))))
def test_streams_are_numbered_as_they_become_known(keys: list[StreamKey]) -> None:
    """From 0, each once; what is not known is not found."""
    streams = Streams()
    codes = [streams.code(key) for key in keys]
    first = list(dict.fromkeys(keys))
    assert codes == [first.index(key) for key in keys]
    assert (len(streams), streams.keys) == (len(first), first)
    again = Streams(tuple(first))
    assert [again.find(key) for key in keys] == codes
    assert again.find(StreamKey("bar", "YM", 60)) is None


def test_names_of_streams() -> None:
    """With the length where there is one."""
    assert str(StreamKey("l1", "ES")) == "l1/ES"
    assert str(StreamKey("bar", "NQ", 60)) == "bar/NQ/60s"


def test_size_counts_all_columns() -> None:
    """At least eight bytes for every number of every event."""
    chunk = session(1, windows=1)[0]
    fields = sum(len(part) * len(part.table.columns) for part in chunk.tables.values())
    assert chunk.nbytes >= 8 * fields

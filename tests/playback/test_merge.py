"""Law 1: one dense order over all channels, against a list that is sorted row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS, RANK, Chunk, StreamKey, Table
from feedsim.events.columns import Int64
from feedsim.playback.merge import Merger
from tests.support.chunks import SYMBOLS, table, told

Windows = list[dict[str, Table]]
Place = tuple[int, int, int, int, int]
"""(avail, own, rank, symbol, row): what the order is by."""


def own_orders(kind: str, avail: Int64, rng: np.random.Generator) -> Int64:
    """Orders of a source's own for all rows of a window: for none, for some, one sequence over all, one of pairs, or
    one that does not go with the time.
    """
    if kind == "none":
        return np.full(len(avail), -1)
    if kind == "some":
        return np.where(rng.random(len(avail)) < 0.3, -1, rng.integers(0, 5, len(avail)))
    if kind == "against":
        return rng.permutation(len(avail))
    sequence = np.empty(len(avail), np.int64)
    sequence[np.lexsort((rng.random(len(avail)), avail))] = np.arange(len(avail))
    return sequence // 2 if kind == "pairs" else sequence


def window(seed: int, kind: str, sizes: Sequence[int], start_ns: int) -> dict[str, Table]:
    """A window of all channels within 20 ns, so that nearly everything happens at once."""
    rng = np.random.default_rng(seed)
    avail = start_ns + rng.integers(0, 20, sum(sizes))
    own = own_orders(kind, avail, rng)
    tables, first = {}, 0
    for channel, rows in zip(CHANNELS, sizes, strict=True):
        made = table(channel, rows, int(rng.integers(2**32)))
        made.avail, made.own = avail[first : first + rows], own[first : first + rows]
        tables[channel] = made.take(np.lexsort((made.own, made.avail)))
        first += rows
    return tables


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    count = draw(st.integers(1, 4))
    sizes = st.lists(st.integers(0, 12), min_size=len(CHANNELS), max_size=len(CHANNELS))
    kind = draw(st.sampled_from(["none", "some", "sequence", "pairs", "against"]))
    return [window(draw(st.integers(0, 2**32)), kind, draw(sizes), 10**18 + 20 * at) for at in range(count)]


def sorted_places(tables: dict[str, Table]) -> list[Place]:
    """Every row's place, sorted as the law says."""
    return sorted(
        (avail, own, RANK[channel], symbol, row)
        for channel, made in tables.items()
        for row, (avail, own, symbol) in enumerate(
            zip(made.avail.tolist(), made.own.tolist(), made.array("symbol").tolist(), strict=True)
        )
    )


def key_of(made: Table, row: int) -> StreamKey:
    tf_s = int(made.array("tf_s")[row]) if "tf_s" in made.columns else 0
    return StreamKey(made.channel, made.symbols[made.array("symbol")[row]], tf_s)


def expected(all_windows: Windows) -> list[tuple[int, int, StreamKey, int, str]]:
    """(seq, n, stream, avail, the event's text) by sorting and counting."""
    counts: Counter[StreamKey] = Counter()
    rows: list[tuple[int, int, StreamKey, int, str]] = []
    for tables in all_windows:
        for avail, _, rank, _, row in sorted_places(tables):
            made = tables[CHANNELS[rank]]
            key = key_of(made, row)
            counts[key] += 1
            (event,) = Merger(SYMBOLS).merge({made.channel: made.take(slice(row, row + 1))}).events()
            event.seq, event.n = len(rows) + 1, counts[key]
            rows.append((event.seq, event.n, key, avail, repr(event)))
    return rows


def merged(chunks: list[Chunk]) -> list[tuple[int, int, StreamKey, int, str]]:
    return [
        (event.seq, n, chunk.streams.keys[stream], avail, repr(event))
        for chunk in chunks
        for event, n, stream, avail in zip(
            chunk.events(), chunk.n.tolist(), chunk.stream.tolist(), chunk.avail.tolist(), strict=True
        )
    ]


@given(windows())
def test_the_order_is_that_of_the_sorted_rows(all_windows: Windows) -> None:
    """seq, n, stream, available time and every value, as sorting all rows one by one gives them."""
    merger = Merger(SYMBOLS)
    assert merged([merger.merge(tables) for tables in all_windows]) == expected(all_windows)


@given(windows())
def test_per_position_columns_agree_with_the_tables(all_windows: Windows) -> None:
    """rank and row of a position lead to the row of the table that has its seq; tables are in the tape's order."""
    merger = Merger(SYMBOLS)
    for tables in all_windows:
        chunk = merger.merge(tables)
        assert chunk.last_seq == merger.seq
        for position in range(len(chunk)):
            part = chunk.tables[CHANNELS[chunk.rank[position]]]
            row = chunk.row[position]
            assert part.seq[row] == chunk.first_seq + position
            assert part.table.avail[row] == chunk.avail[position]
            assert part.stream[row] == chunk.stream[position]
        for part in chunk.tables.values():
            assert bool((np.diff(part.seq) > 0).all())


@given(windows(), st.integers(0, 2**32))
def test_windows_do_not_matter(all_windows: Windows, seed: int) -> None:
    """The same rows, split at any time between two of them, get the same places."""
    rng = np.random.default_rng(seed)
    whole, split = Merger(SYMBOLS), Merger(SYMBOLS)
    one, other = [], []
    for tables in all_windows:
        one.append(whole.merge(tables))
        times = np.concatenate([made.avail for made in tables.values()])
        at = int(rng.choice(times)) if len(times) else 0
        other.append(split.merge({channel: made.take(made.avail < at) for channel, made in tables.items()}))
        other.append(split.merge({channel: made.take(made.avail >= at) for channel, made in tables.items()}))
    assert told(one) == told(other)


@given(windows(), st.integers(0, 3))
def test_saved_and_restored_it_goes_on_as_if_nothing_had_been(all_windows: Windows, at: int) -> None:
    """Another merger that takes over between two windows numbers on."""
    first, second = Merger(SYMBOLS, epoch=3), Merger(SYMBOLS)
    before = [first.merge(tables) for tables in all_windows[:at]]
    second.restore(first.save())
    after = [second.merge(tables) for tables in all_windows[at:]]
    assert second.epoch == 3
    assert merged([*before, *after]) == expected(all_windows)


@given(windows(), st.data())
def test_back_in_its_epoch_a_stream_keeps_its_number(all_windows: Windows, data: st.DataObject) -> None:
    """Whatever of what follows comes first then: chunks of before and after are of the same streams."""
    merger = Merger(SYMBOLS, epoch=3)
    at = data.draw(st.integers(0, len(all_windows) - 1))
    before = [merger.merge(tables) for tables in all_windows[:at]]
    place = merger.save()
    once = [merger.merge(tables) for tables in all_windows[at:]]
    merger.restore(place)
    one_channel = [{name: tables[name]} for tables in all_windows[at:] for name in sorted(tables)]
    again = [merger.merge(tables) for tables in one_channel]
    assert {id(chunk.streams) for chunk in (*before, *once, *again)} == {id(merger.streams)}
    merger.restore(place)
    assert merged([*before, *(merger.merge(tables) for tables in all_windows[at:])]) == expected(all_windows)


def test_rows_that_have_no_order_of_their_own_come_first() -> None:
    """At equal time: computed rows (a bar at its end) before what the source numbered, whatever their channel."""
    trade, l2 = table("trade", 1, 1), table("l2", 1, 2)
    trade.own[:] = 0
    l2.avail = trade.avail.copy()
    chunk = Merger(SYMBOLS).merge({"trade": trade, "l2": l2})
    assert [CHANNELS[rank] for rank in chunk.rank] == ["l2", "trade"]


def test_a_window_without_rows_is_an_empty_chunk() -> None:
    """Nothing is numbered, and the next window starts where it would have."""
    merger = Merger(SYMBOLS)
    empty = merger.merge({"trade": Table.empty("trade", SYMBOLS)})
    assert (len(empty), empty.last_seq, empty.tables) == (0, 0, {})
    assert merger.merge({"trade": table("trade", 1, 1)}).first_seq == 1

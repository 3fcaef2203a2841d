"""Events as columns: every value of every channel there and back, and rows taken, joined and cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.events import CHANNELS, EVENT_TYPES, INT_NULL, SCHEMAS, Event, Field, Kind, Ragged, Table
from feedsim.events.columns import to_events
from tests.support.chunks import SYMBOLS, same_column, same_table, table
from tests.wire.samples import events

channels = pytest.mark.parametrize("channel", CHANNELS)


def of_symbols(event: Event) -> Event:
    event.symbol = SYMBOLS[event.seq % len(SYMBOLS)]
    return event


def as_table(channel: str, rows: list[Event]) -> Table:
    """Structs as columns, field by field, as a source would hand them over."""
    columns: dict[str, Any] = {}
    for field in SCHEMAS[channel].fields:
        values = [getattr(row, field.name) for row in rows]
        if field.name == "symbol":
            values = [SYMBOLS.index(row.symbol) for row in rows]
        elif field.kind is Kind.INT:
            values = [INT_NULL if value is None else value for value in values]
        elif field.kind is Kind.FLOAT:
            values = [np.nan if value is None else value for value in values]
        columns[field.name] = values
    return Table.build(channel, SYMBOLS, columns)


# ------------------------------------------------------------------------------------------------------- round trips


@channels
@given(data=st.data())
def test_structs_to_columns_and_back(channel: str, data: st.DataObject) -> None:
    """Every field with its nulls, empty lists and odd numbers; seq and n are those that were given."""
    rows = data.draw(st.lists(events(channel).map(of_symbols), max_size=6))
    made = as_table(channel, rows)
    back = to_events(made, [row.seq for row in rows], [row.n for row in rows])
    assert list(map(repr, back)) == list(map(repr, rows))


@channels
def test_fields_are_read_off_the_struct(channel: str) -> None:
    """In its order, without seq and n; times, nulls and optional fields as annotated."""
    schema = SCHEMAS[channel]
    assert ("seq", "n", *schema.names) == EVENT_TYPES[channel].__struct_fields__
    assert [field.name for field in schema.fields if field.time] == [
        name for name in schema.names if name in ("ts", "bar_start_ts")
    ]
    optional = {
        info.name for info in msgspec.structs.fields(EVENT_TYPES[channel]) if info.default is not msgspec.NODEFAULT
    }
    assert {field.name for field in schema.fields if field.optional} == optional
    assert schema.field("ts") == Field("ts", Kind.INT, nullable=False, time=True, optional=False)


@pytest.mark.parametrize(
    ("channel", "name", "kind", "nullable"),
    [
        ("trade", "price", Kind.FLOAT, False),
        ("l1", "last_price", Kind.FLOAT, True),
        ("l1", "last_size", Kind.INT, True),
        ("l2", "bid_px", Kind.FLOAT_LIST, False),
        ("l2", "bid_ct", Kind.INT_LIST, True),
        ("l2", "coarse", Kind.BOOL, False),
        ("truth", "outcome", Kind.TEXT, True),
        ("footprint", "bid_volume", Kind.INT_LIST, False),
    ],
)
def test_kinds(channel: str, name: str, kind: Kind, nullable: bool) -> None:
    """Some fields by hand, one of each kind."""
    field = SCHEMAS[channel].field(name)
    assert (field.kind, field.nullable) == (kind, nullable)


@channels
@given(
    rows=st.integers(0, 20),
    seed=st.integers(0, 2**32),
    scale=st.sampled_from([1, 1000, 10**6]),
    shift_ns=st.integers(-(10**15), 10**15),
)
def test_times_are_shifted_then_scaled(channel: str, rows: int, seed: int, scale: int, shift_ns: int) -> None:
    """Every time field, by whole division; nothing else changes."""
    made = table(channel, rows, seed)
    if channel == "footprint":
        made.columns["bar_start_ts"] = made.array("ts") - 7
    plain = to_events(made, range(rows), range(rows))
    moved = to_events(made, range(rows), range(rows), scale=scale, shift_ns=shift_ns)
    for before, after in zip(plain, moved, strict=True):
        for name in ("ts", "bar_start_ts"):
            if hasattr(before, name):
                setattr(before, name, (getattr(before, name) + shift_ns) // scale)
        assert repr(after) == repr(before)


@given(rows=st.integers(0, 20), seed=st.integers(0, 2**32), depth=st.integers(0, 5))
def test_depth_cuts_the_levels_of_books_alone(rows: int, seed: int, depth: int) -> None:
    """The first `depth` of each list; null stays null, and `levels` says what the source had."""
    made = table("l2", rows, seed)
    for whole, cut in zip(
        to_events(made, range(rows), range(rows)), to_events(made, range(rows), range(rows), depth=depth), strict=True
    ):
        for field in SCHEMAS["l2"].fields:
            value = getattr(whole, field.name)
            expected = value[:depth] if isinstance(value, list) else value
            assert repr(getattr(cut, field.name)) == repr(expected)
    footprints = table("footprint", rows, seed)
    assert list(map(repr, to_events(footprints, range(rows), range(rows), depth=1))) == list(
        map(repr, to_events(footprints, range(rows), range(rows)))
    )


# ------------------------------------------------------------------------------------------------------------ tables


@channels
@given(rows=st.integers(0, 30), seed=st.integers(0, 2**32), data=st.data())
def test_rows_taken_are_those_rows(channel: str, rows: int, seed: int, data: st.DataObject) -> None:
    """By slice, mask or indices (repeated and in any order): as taking them from a list of Structs."""
    made = table(channel, rows, seed)
    made.own = np.arange(rows)
    lo, hi = sorted(data.draw(st.tuples(st.integers(0, rows), st.integers(0, rows))))
    indices = data.draw(st.lists(st.integers(0, rows - 1), max_size=40)) if rows else []
    mask = np.random.default_rng(seed).random(rows) < 0.5
    for which in (slice(lo, hi), np.array(indices, np.intp), mask):
        taken = made.take(which)
        expected = np.arange(rows)[which].tolist()
        whole = list(map(repr, to_events(made, [0] * rows, [0] * rows)))
        assert list(map(repr, to_events(taken, [0] * len(taken), [0] * len(taken)))) == [whole[at] for at in expected]
        assert taken.own.tolist() == expected
        assert taken.avail.tolist() == made.avail[which].tolist()


@channels
@given(rows=st.integers(0, 30), seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_parts_joined_are_the_whole(channel: str, rows: int, seed: int, cuts: list[int]) -> None:
    """Cut anywhere, empty parts among them, and put end to end."""
    made = table(channel, rows, seed)
    edges = [0, *sorted(min(cut, rows) for cut in cuts), rows]
    parts = [made.take(slice(lo, hi)) for lo, hi in pairwise(edges)]
    whole = Table.concatenate(parts)
    assert same_table(whole, made)
    assert whole.own.tolist() == made.own.tolist()


@channels
def test_an_empty_table_has_all_columns(channel: str) -> None:
    """Of the right kinds, so that it can be joined with any other."""
    empty = Table.empty(channel, SYMBOLS)
    assert len(empty) == 0
    assert tuple(empty.columns) == SCHEMAS[channel].names
    made = table(channel, 5, 1)
    assert same_table(Table.concatenate([empty, made, empty]), made)


def test_build_fills_what_may_be_absent_and_asks_for_the_rest() -> None:
    """Nullable fields become nulls, optional ones their default; a required one that is missing is a KeyError."""
    columns = {
        "ts": [5, 6],
        "symbol": [0, 1],
        "bid": [1.0, 2.0],
        "ask": [2.0, 3.0],
        "bid_size": [1, 1],
        "ask_size": [1, 1],
    }
    made = Table.build("l1", SYMBOLS, columns)
    assert np.isnan(made.array("last_price")).all()
    assert made.array("last_size").tolist() == [INT_NULL, INT_NULL]
    assert made.avail.tolist() == [5, 6]
    assert made.own.tolist() == [-1, -1]
    with pytest.raises(KeyError, match="bid_size"):
        Table.build("l1", SYMBOLS, {name: column for name, column in columns.items() if name != "bid_size"})


def test_a_book_that_is_not_coarse_does_not_say_so() -> None:
    """What has its default is left off the wire, null counts are too."""
    made = table("l2", 1, 3)
    made.columns["coarse"], made.columns["bid_ct"] = np.zeros(1, np.bool_), Ragged.nulls(1, np.int64)
    (event,) = to_events(made, [1], [1])
    assert {"coarse", "bid_ct"} & set(msgspec.to_builtins(event)) == set()


# ------------------------------------------------------------------------------------------------------------ ragged

lists = st.lists(st.none() | st.lists(st.integers(-5, 5), max_size=4), max_size=12)


@given(lists, st.data())
def test_ragged_columns_are_lists(rows: list[list[int] | None], data: st.DataObject) -> None:
    """Made of lists, taken from and cut as lists are, also when their values lie apart."""
    column = Ragged.from_lists(rows, np.int64)
    assert column.lists() == rows
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=12)) if rows else []
    chosen = [rows[at] for at in indices]
    for taken in (
        column.take(np.array(indices, np.intp)),
        Ragged(column.values, column.length[indices], column.start[indices]),
    ):
        assert taken.lists() == chosen
        assert taken.lists(2) == [row and row[:2] if row is not None else None for row in chosen]
        assert same_column(taken, Ragged.from_lists(chosen, np.int64))
        assert len(taken.packed().values) == sum(len(row or ()) for row in chosen)


@given(st.lists(lists, min_size=1, max_size=4))
def test_ragged_columns_joined(parts: list[list[list[int] | None]]) -> None:
    """End to end, nulls and empty lists kept apart."""
    whole = Ragged.concatenate([Ragged.from_lists(part, np.int64) for part in parts])
    assert whole.lists() == [row for part in parts for row in part]


def test_ragged_from_a_matrix() -> None:
    """Rows of equal length, in any memory order."""
    matrix = np.arange(6).reshape(2, 3)
    assert Ragged.from_matrix(matrix).lists() == matrix.tolist()
    assert Ragged.from_matrix(matrix.T).lists() == matrix.T.tolist()
    assert Ragged.from_matrix(matrix[:, :0]).lists() == [[], []]

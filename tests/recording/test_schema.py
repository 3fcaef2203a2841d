"""Rows as record batches, and what is refused when they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedsim.errors import SourceError
from feedsim.events import CHANNELS, SCHEMAS, Kind
from feedsim.events.chunk import Ordered
from feedsim.recording.schema import arrow_schema, check_schema, from_batch, to_batch
from tests.support.chunks import SYMBOLS, same_table, session, table

REQUIRED = [
    (channel, field.name)
    for channel in CHANNELS
    for field in SCHEMAS[channel].fields
    if not (field.nullable or field.optional)
]


def ordered(channel: str, rows: int, seed: int = 1) -> Ordered:
    """Rows with a place on the tape."""
    made = table(channel, rows, seed)
    seq: npt.NDArray[np.int64] = np.arange(1, rows + 1) * 3
    return Ordered(made, seq, np.arange(1, rows + 1), np.zeros(rows, np.int32))


def batch_with(channel: str, name: str, values: Any) -> pa.RecordBatch:
    """Three good rows but for one column."""
    batch = to_batch(ordered(channel, 3), 1)
    index = batch.schema.get_field_index(name)
    return batch.set_column(index, name, pa.array(values, batch.schema.field(index).type))


def refused(batch: pa.RecordBatch, channel: str) -> SourceError:
    """What reading it raises."""
    with pytest.raises(SourceError) as caught:
        from_batch(batch, channel, SYMBOLS, file="f.parquet", row=100)
    return caught.value


@pytest.mark.parametrize("channel", CHANNELS)
@given(rows=st.integers(0, 40), seed=st.integers(0, 2**32), epoch=st.integers(1, 2**31 - 1))
def test_rows_come_back_as_they_were(channel: str, rows: int, seed: int, epoch: int) -> None:
    """Every channel, with nulls, ragged lists, -0.0 and the ends of the integers."""
    part = ordered(channel, rows, seed)
    batch = to_batch(part, epoch)
    batch.validate(full=True)
    check_schema(batch.schema, channel, file="f")
    back = from_batch(batch, channel, SYMBOLS, file="f", row=1)
    assert same_table(back.table, part.table)
    assert back.seq.tolist() == part.seq.tolist()
    assert back.n.tolist() == part.n.tolist()
    assert batch.column(0).to_pylist() == [epoch] * rows


def test_columns_are_the_place_and_then_the_fields_in_order() -> None:
    """As the Struct has them, with the unit of times in the metadata."""
    schema = arrow_schema("footprint")
    assert schema.names == ["epoch", "seq", "n", "avail", *SCHEMAS["footprint"].names]
    assert {f.name for f in schema if f.metadata} == {"avail", "ts", "bar_start_ts"}
    assert schema.field("ts").type == pa.int64()


@pytest.mark.parametrize(("channel", "name"), REQUIRED)
def test_a_null_in_a_required_field_is_refused(channel: str, name: str) -> None:
    """With the file and the row, and not only in its first row."""
    batch = to_batch(ordered(channel, 3), 1)
    good = batch.column(name).to_pylist()
    error = refused(batch_with(channel, name, [good[0], None, good[2]]), channel)
    assert (error.file, error.row) == ("f.parquet", 101)
    assert name in error.problem


@pytest.mark.parametrize(("channel", "name"), [(c, n) for c, n in REQUIRED if SCHEMAS[c].field(n).kind is Kind.FLOAT])
def test_a_nan_in_a_required_field_is_refused(channel: str, name: str) -> None:
    """NaN is no price."""
    assert refused(batch_with(channel, name, [1.0, 2.0, float("nan")]), channel).row == 102


def test_a_nan_or_a_null_in_a_book_is_refused() -> None:
    """A level of a book has a price."""
    assert refused(batch_with("l2", "bid_px", [[1.0], [], [2.0, float("nan")]]), "l2").row == 102
    assert refused(batch_with("l2", "bid_px", [[1.0], [], [2.0, None]]), "l2").row == 102


def test_rows_out_of_order_are_refused() -> None:
    """seq must rise and the available time must not fall."""
    assert refused(batch_with("l1", "seq", [3, 3, 6]), "l1").row == 101
    assert refused(batch_with("l1", "avail", [3, 4, 2]), "l1").row == 102


def test_an_unknown_symbol_is_refused() -> None:
    """The manifest names all symbols."""
    error = refused(batch_with("l1", "symbol", ["ES", "NQ", "CL"]), "l1")
    assert error.row == 102
    assert "ES, NQ" in error.problem


def test_a_column_of_another_type_is_refused() -> None:
    """Names what was expected."""
    schema = arrow_schema("l1")
    wrong = schema.set(schema.get_field_index("bid"), pa.field("bid", pa.float32()))
    with pytest.raises(SourceError, match="bid is float, expected double"):
        check_schema(wrong, "l1", file="f")


def test_only_a_required_column_must_be_there() -> None:
    """A later version may have added nullable fields; columns that are not known are left alone."""
    part = ordered("l1", 3)
    batch = to_batch(part, 1)
    older = batch.drop_columns(["last_price"]).append_column("mine", pa.array([1, 2, 3]))
    check_schema(older.schema, "l1", file="f")
    back = from_batch(older, "l1", SYMBOLS, file="f", row=1)
    assert np.isnan(back.table.array("last_price")).all()
    with pytest.raises(SourceError, match="column bid of l1 is missing"):
        check_schema(batch.drop_columns(["bid"]).schema, "l1", file="f")


def test_chunks_of_a_tape_become_batches_channel_by_channel() -> None:
    """What a merge made is what is stored."""
    for chunk in session(5):
        for channel, part in chunk.tables.items():
            back = from_batch(to_batch(part, chunk.epoch), channel, SYMBOLS, file="f", row=1)
            assert same_table(back.table, part.table)
            assert back.seq.tolist() == part.seq.tolist()

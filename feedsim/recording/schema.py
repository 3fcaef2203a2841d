"""The columns of a recorded channel: `epoch, seq, n, avail`, then the fields of the channel's Struct in order.

Times are int64 nanoseconds UTC (the field's metadata says `unit: ns`), symbols and text are plain strings, lists are
Arrow lists. What is read is checked: a null where there may be none is a SourceError, not an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa

from feedsim.errors import SourceError
from feedsim.events.chunk import Ordered
from feedsim.events.columns import INT_NULL, SCHEMAS, Column, Field, Int64, Kind, Ragged, Table, null_column
from feedsim.recording.arrays import (
    arrow_type,
    codes_from_arrow,
    from_arrow,
    nulls_of,
    numbers_from_arrow,
    numbers_to_arrow,
    picked,
    strings_to_arrow,
    to_arrow,
)

PLACE = ("epoch", "seq", "n", "avail")
_NS = {"unit": "ns since 1970-01-01 UTC"}


@cache
def arrow_schema(channel: str) -> pa.Schema:
    """The Arrow schema of a channel's segments and of its part of the journal."""
    fields = [
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("avail", pa.int64(), nullable=False, metadata=_NS),
    ]
    # Nullable all of them: a recorder stores what was sent, the reader says what is wrong with it.
    fields += [
        pa.field(field.name, arrow_type(field.kind), metadata=_NS if field.time else None)
        for field in SCHEMAS[channel].fields
    ]
    return pa.schema(fields, metadata={"feedsim.channel": channel})


def to_batch(part: Ordered, epoch: int) -> pa.RecordBatch:
    """Rows with their place on the tape as a record batch."""
    table = part.table
    columns = [
        numbers_to_arrow(np.full(len(part), epoch, np.int32)),
        numbers_to_arrow(part.seq),
        numbers_to_arrow(part.n),
        numbers_to_arrow(table.avail),
    ]
    for field in table.schema.fields:
        if field.name == "symbol":
            columns.append(picked(strings_to_arrow(list(table.symbols)), table.array("symbol")))
        else:
            columns.append(to_arrow(table.columns[field.name], field))
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(table.channel))


@dataclass(slots=True)
class Rows:
    """Recorded rows of one channel and epoch: `table.own` is the seq that each had on the tape."""

    table: Table
    n: Int64

    def __len__(self) -> int:
        return len(self.n)

    @property
    def seq(self) -> Int64:
        return self.table.own

    def slice(self, start: int, stop: int) -> Rows:
        return Rows(self.table.take(slice(start, stop)), self.n[start:stop])

    @staticmethod
    def concatenate(parts: list[Rows]) -> Rows:
        if len(parts) == 1:
            return parts[0]
        return Rows(Table.concatenate([part.table for part in parts]), np.concatenate([part.n for part in parts]))


def check_schema(found: pa.Schema, channel: str, *, file: str) -> None:
    """Raise SourceError unless the columns are those of a channel; a nullable field may be absent, others added."""
    required = {field.name for field in SCHEMAS[channel].fields if not (field.nullable or field.optional)}
    for field in arrow_schema(channel):
        index = found.get_field_index(field.name)
        if index < 0:
            if field.name in required or field.name in PLACE:
                raise SourceError(f"column {field.name} of {channel} is missing", file=file)
        elif found.field(index).type != field.type:
            problem = f"column {field.name} is {found.field(index).type}, expected {field.type}"
            raise SourceError(problem, file=file)


def from_batch(batch: pa.RecordBatch, channel: str, symbols: tuple[str, ...], *, file: str, row: int) -> Rows:
    """A record batch whose schema was checked as rows; `row` is the number of its first row in `file`, from 1."""
    try:
        place = {name: _place(batch.column(name), name) for name in PLACE[1:]}
        _ascending(place["seq"], "seq", strictly=True)
        _ascending(place["avail"], "avail", strictly=False)
        columns = {field.name: _column(batch, field, symbols) for field in SCHEMAS[channel].fields}
    except SourceError as error:
        raise SourceError(error.problem, file=file, row=row + (error.row or 0)) from None
    return Rows(Table(channel, symbols, columns, place["avail"], place["seq"]), place["n"])


def _place(array: pa.Array, name: str) -> Int64:
    _no_nulls(array, name)
    return numbers_from_arrow(array, np.int64, 0)


def _column(batch: pa.RecordBatch, field: Field, symbols: tuple[str, ...]) -> Column:
    index = batch.schema.get_field_index(field.name)
    if index < 0:
        return null_column(field, batch.num_rows)
    array = batch.column(index)
    if not field.nullable:
        _no_nulls(array, field.name)
    if field.name == "symbol":
        codes = codes_from_arrow(array, strings_to_arrow(list(symbols)))
        _refuse(codes < 0, f"symbol is none of {', '.join(symbols)}")
        return codes
    if field.kind.is_list and (null := nulls_of(array.values)) is not None:
        offsets = numbers_from_arrow(array.offsets, np.int32, 0)
        at = int(np.searchsorted(offsets, null.argmax(), side="right")) - 1
        raise SourceError(f"a null inside the list {field.name}", row=at)
    column = from_arrow(array, field)
    if not (field.nullable or field.optional):
        _no_missing(column, field)
    return column


def _no_nulls(array: pa.Array, name: str) -> None:
    if (null := nulls_of(array)) is not None:
        _refuse(null, f"{name} is null, expected a value")


def _no_missing(column: Column, field: Field) -> None:
    if isinstance(column, Ragged):
        if field.kind is Kind.FLOAT_LIST and (missing := np.isnan(column.values)).any():
            at = int(np.searchsorted(column.start + np.maximum(column.length, 0), missing.argmax(), side="right"))
            raise SourceError(f"a NaN in the list {field.name}", row=at)
    elif field.kind is Kind.FLOAT:
        _refuse(np.isnan(column), f"{field.name} is NaN, expected a number")
    elif field.kind is Kind.INT:
        _refuse(column == INT_NULL, f"{field.name} is {INT_NULL}, which stands for no value")


def _ascending(values: Int64, name: str, *, strictly: bool) -> None:
    wrong = values[1:] <= values[:-1] if strictly else values[1:] < values[:-1]
    if wrong.any():
        at = int(wrong.argmax())
        raise SourceError(f"{name} {values[at + 1]} after {values[at]}, expected rows in the tape's order", row=at + 1)


def _refuse(wrong: Any, problem: str) -> None:
    """Raise for the first row that is wrong, counted from 0 in its batch."""
    if wrong.any():
        raise SourceError(problem, row=int(cast("int", wrong.argmax())))

"""Events in bulk: per channel a table of NumPy columns whose fields and kinds are read off the channel's Struct.

Nulls are NaN in float columns, INT_NULL in integer ones, None in text and a length of -1 in lists.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events.types import EVENT_TYPES, Event, Time

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

INT_NULL = np.iinfo(np.int64).min


class Kind(enum.Enum):
    """How a field is held in a column."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    TEXT = "text"
    INT_LIST = "int list"
    FLOAT_LIST = "float list"

    @property
    def is_list(self) -> bool:
        return self in (Kind.INT_LIST, Kind.FLOAT_LIST)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the column, or of a list column's values."""
        dtype: np.dtype[Any] = np.dtype(_DTYPES[self])
        return dtype


_DTYPES: dict[Kind, Any] = {
    Kind.INT: np.int64,
    Kind.FLOAT: np.float64,
    Kind.BOOL: np.bool_,
    Kind.TEXT: object,
    Kind.INT_LIST: np.int64,
    Kind.FLOAT_LIST: np.float64,
}
_KINDS: dict[Any, Kind] = {
    int: Kind.INT,
    float: Kind.FLOAT,
    bool: Kind.BOOL,
    str: Kind.TEXT,
    list[int]: Kind.INT_LIST,
    list[float]: Kind.FLOAT_LIST,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a channel: `time` marks fields that are converted to the reader's time unit."""

    name: str
    kind: Kind
    nullable: bool
    time: bool
    optional: bool
    """Left off the wire while it has its default."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a channel, in the order of its Struct's fields, without seq and n (the tape adds those)."""

    channel: str
    event_type: type[Event]
    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def _field(name: str, hint: Any, *, optional: bool) -> Field:
    """Read kind, null and time off a Struct field's annotation."""
    time = nullable = False
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            time = time or hint == Time
            hint = typing.get_args(hint)[0]
        elif origin in (Union, types.UnionType):
            nullable = True
            (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
        else:
            return Field(name, _KINDS[hint], nullable, time, optional)


def _schema(channel: str, event_type: type[Event]) -> Schema:
    hints = typing.get_type_hints(event_type, include_extras=True)
    fields = (
        _field(info.name, hints[info.name], optional=info.default is not msgspec.NODEFAULT)
        for info in msgspec.structs.fields(event_type)
        if info.name not in ("seq", "n")
    )
    return Schema(channel, event_type, tuple(fields))


SCHEMAS: dict[str, Schema] = {channel: _schema(channel, event_type) for channel, event_type in EVENT_TYPES.items()}


class Ragged:
    """A column of lists: row i is values[start[i] : start[i] + length[i]]; a length of -1 is a null."""

    __slots__ = ("length", "start", "values")

    def __init__(self, values: npt.NDArray[Any], length: Int64, start: Int64 | None = None) -> None:
        self.values = values
        self.length = length
        if start is None:
            start = np.zeros(len(length), np.int64)
            np.cumsum(np.maximum(length[:-1], 0), out=start[1:])
        self.start = start

    @classmethod
    def from_lists(cls, rows: Sequence[Sequence[float] | None], dtype: npt.DTypeLike) -> Ragged:
        length = np.array([-1 if row is None else len(row) for row in rows], np.int64)
        return cls(np.array([value for row in rows if row is not None for value in row], dtype), length)

    @classmethod
    def from_matrix(cls, matrix: npt.NDArray[Any]) -> Ragged:
        """Rows of equal length."""
        rows, width = matrix.shape
        return cls(np.ascontiguousarray(matrix).reshape(-1), np.full(rows, width, np.int64))

    @classmethod
    def nulls(cls, rows: int, dtype: npt.DTypeLike) -> Ragged:
        return cls(np.empty(0, dtype), np.full(rows, -1, np.int64))

    def __len__(self) -> int:
        return len(self.length)

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.length.nbytes + self.start.nbytes

    def take(self, rows: Any) -> Ragged:
        """Some rows (a slice, mask or index array), with no values but theirs."""
        return Ragged(self.values, self.length[rows], self.start[rows]).packed()

    def packed(self) -> Ragged:
        """The same rows with their values side by side in row order, and none besides."""
        length = np.maximum(self.length, 0)
        total = int(length.sum())
        if total == len(self.values) and _is_dense(self.start, length):
            return self
        ends = np.cumsum(length)
        index = np.arange(total) - np.repeat(ends - length - self.start, length)
        return Ragged(self.values[index], self.length)

    def lists(self, limit: int | None = None) -> list[list[Any] | None]:
        """The rows as Python lists, each cut to its first `limit` values."""
        packed = self.packed()
        rows, width = len(packed), int(packed.length[0]) if len(packed) else 0
        if width > 0 and len(packed.values) == rows * width and bool((packed.length == width).all()):
            matrix = packed.values.reshape(rows, width)
            return typing.cast("list[list[Any] | None]", matrix[:, :limit].tolist())
        values = packed.values.tolist()
        return [
            None if length < 0 else values[start : start + (length if limit is None else min(length, limit))]
            for start, length in zip(packed.start.tolist(), packed.length.tolist(), strict=True)
        ]

    @staticmethod
    def concatenate(parts: Sequence[Ragged]) -> Ragged:
        packed = [part.packed() for part in parts]
        return Ragged(
            np.concatenate([part.values for part in packed]), np.concatenate([part.length for part in packed])
        )


def _is_dense(start: Int64, length: Int64) -> bool:
    filled = length > 0
    start, length = start[filled], length[filled]
    return len(start) == 0 or (start[0] == 0 and bool((start[1:] == start[:-1] + length[:-1]).all()))


Column = npt.NDArray[Any] | Ragged


def concatenate(parts: Sequence[Column]) -> Column:
    """Columns of one kind, end to end."""
    if isinstance(parts[0], Ragged):
        return Ragged.concatenate(typing.cast("Sequence[Ragged]", parts))
    return np.concatenate(typing.cast("Sequence[npt.NDArray[Any]]", parts))


def take(column: Column, rows: Any) -> Column:
    """Some rows of a column, as a slice, mask or index array names them."""
    return column.take(rows) if isinstance(column, Ragged) else column[rows]


def null_column(field: Field, rows: int) -> Column:
    """`rows` nulls; a field that cannot be null has none."""
    if field.kind.is_list:
        return Ragged.nulls(rows, field.kind.dtype)
    if field.kind is Kind.BOOL:
        return np.zeros(rows, np.bool_)
    return np.full(rows, {Kind.INT: INT_NULL, Kind.FLOAT: np.nan, Kind.TEXT: None}[field.kind], field.kind.dtype)


class Table:
    """Rows of one channel, in the order of their source.

    `columns` has every field of the channel's schema; `ts` and all times are int64 nanoseconds UTC and `symbol` holds
    indices into `symbols`, which is sorted by name. `avail` is the time at which a live feed could have known the row;
    `own` is the source's own order among rows of equal `avail` (-1 where it has none: such rows come first).
    """

    __slots__ = ("avail", "channel", "columns", "own", "symbols")

    def __init__(
        self,
        channel: str,
        symbols: tuple[str, ...],
        columns: dict[str, Column],
        avail: Int64,
        own: Int64 | None = None,
    ) -> None:
        self.channel = channel
        self.symbols = symbols
        self.columns = columns
        self.avail = avail
        self.own = np.full(len(avail), -1, np.int64) if own is None else own

    def __len__(self) -> int:
        return len(self.avail)

    def __repr__(self) -> str:
        return f"Table({self.channel}, {len(self)} rows)"

    @property
    def schema(self) -> Schema:
        return SCHEMAS[self.channel]

    @property
    def nbytes(self) -> int:
        return self.avail.nbytes + self.own.nbytes + sum(column.nbytes for column in self.columns.values())

    def array(self, name: str) -> npt.NDArray[Any]:
        """A column that holds one value a row."""
        column = self.columns[name]
        assert not isinstance(column, Ragged)
        return column

    def ragged(self, name: str) -> Ragged:
        """A column that holds one list a row."""
        column = self.columns[name]
        assert isinstance(column, Ragged)
        return column

    def take(self, rows: Any) -> Table:
        """Some rows: a slice, mask or index array."""
        columns = {name: take(column, rows) for name, column in self.columns.items()}
        return Table(self.channel, self.symbols, columns, self.avail[rows], self.own[rows])

    @staticmethod
    def concatenate(parts: Sequence[Table]) -> Table:
        """Tables of one channel and the same symbols, end to end."""
        first = parts[0]
        if len(parts) == 1:
            return first
        columns = {name: concatenate([part.columns[name] for part in parts]) for name in first.columns}
        return Table(
            first.channel,
            first.symbols,
            columns,
            np.concatenate([part.avail for part in parts]),
            np.concatenate([part.own for part in parts]),
        )

    @staticmethod
    def empty(channel: str, symbols: tuple[str, ...]) -> Table:
        columns = {field.name: null_column(field, 0) for field in SCHEMAS[channel].fields}
        columns["symbol"] = np.empty(0, np.int64)
        return Table(channel, symbols, columns, np.empty(0, np.int64))

    @staticmethod
    def build(
        channel: str,
        symbols: tuple[str, ...],
        columns: dict[str, Any],
        *,
        avail: Int64 | None = None,
        own: Int64 | None = None,
    ) -> Table:
        """A table from the columns at hand: converts them to their kinds and fills the nullable ones that are absent.

        `symbol` holds indices into `symbols`; `avail` defaults to `ts`. Raises KeyError for a required column.
        """
        rows = len(columns["ts"])
        full: dict[str, Column] = {}
        for field in SCHEMAS[channel].fields:
            if field.name == "symbol":
                full["symbol"] = np.asarray(columns["symbol"], np.int64)
            elif field.name in columns:
                full[field.name] = as_column(columns[field.name], field)
            elif field.nullable or field.optional:
                full[field.name] = null_column(field, rows)
            else:
                raise KeyError(field.name)
        ts = full["ts"]
        assert not isinstance(ts, Ragged)
        return Table(channel, symbols, full, ts if avail is None else avail, own)


def as_column(values: Any, field: Field) -> Column:
    """Array-likes to a column of the field's kind; lists may be a Ragged, a matrix or a sequence of sequences."""
    if isinstance(values, Ragged):
        return values
    if field.kind.is_list:
        if isinstance(values, np.ndarray) and values.ndim == 2:
            return Ragged.from_matrix(values.astype(field.kind.dtype, copy=False))
        return Ragged.from_lists(values, field.kind.dtype)
    return np.asarray(values, field.kind.dtype)


# ---------------------------------------------------------------------------------------------- to Python objects


def to_python(
    column: Column, field: Field, *, scale: int = 1, shift_ns: int = 0, depth: int | None = None
) -> list[Any]:
    """A column as a list of Python values with None for nulls.

    Times are moved by `shift_ns`, then divided by `scale`; lists are cut to their first `depth` values.
    """
    if isinstance(column, Ragged):
        return column.lists(depth)
    if field.kind is Kind.INT:
        if field.time and (scale != 1 or shift_ns):
            column = (column + shift_ns if shift_ns else column) // scale
        if field.nullable and bool((null := column == INT_NULL).any()):
            return _with_nulls(column.tolist(), null)
    elif field.kind is Kind.FLOAT and field.nullable and bool((null := np.isnan(column)).any()):
        return _with_nulls(column.tolist(), null)
    return typing.cast("list[Any]", column.tolist())


def _names(symbols: tuple[str, ...], codes: Int64) -> list[Any]:
    if len(symbols) == 1:
        return [symbols[0]] * len(codes)
    return typing.cast("list[Any]", np.array(symbols, object)[codes].tolist())


def _with_nulls(values: list[Any], null: npt.NDArray[np.bool_]) -> list[Any]:
    for row in np.flatnonzero(null).tolist():
        values[row] = None
    return values


def to_events(
    table: Table,
    seq: Iterable[int],
    n: Iterable[int],
    *,
    scale: int = 1,
    shift_ns: int = 0,
    depth: int | None = None,
) -> Iterator[Event]:
    """A table as Structs, made as they are asked for.

    Times are moved by `shift_ns` and told in units of `scale` ns; `depth` cuts the levels of l2.
    """
    schema = table.schema
    if schema.channel != "l2":
        depth = None
    fields = [
        _names(table.symbols, table.array("symbol"))
        if field.name == "symbol"
        else to_python(table.columns[field.name], field, scale=scale, shift_ns=shift_ns, depth=depth)
        for field in schema.fields
    ]
    make = typing.cast("Callable[..., Event]", schema.event_type)
    return map(make, seq, n, *fields)

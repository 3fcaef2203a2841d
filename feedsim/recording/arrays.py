"""NumPy columns to Arrow arrays and back, column at a time, on their buffers.

`pyarrow.array()` and `to_numpy()` would do, but both import pandas (0.2-0.4 s) wherever it is installed.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feedsim.events.columns import INT_NULL, Column, Field, Kind, Ragged

Mask = npt.NDArray[np.bool_]

_VALUE_TYPES: dict[Kind, Any] = {
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.INT_LIST: pa.list_(pa.int64()),
    Kind.FLOAT_LIST: pa.list_(pa.float64()),
}

DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises over bytes that are not what they should be; names may be no UTF-8."""


def told_of(error: Exception) -> str:
    """What Arrow says of it, in one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def arrow_type(kind: Kind) -> pa.DataType:
    """How a kind of column is stored."""
    return _VALUE_TYPES[kind]


# ------------------------------------------------------------------------------------------------------ NumPy → Arrow


def to_arrow(column: Column, field: Field) -> pa.Array:
    """A column as an Arrow array: NaN, INT_NULL, None and a list length of -1 become nulls where a field may be null.

    In a field that may not, NaN and INT_NULL are stored as the values that they are.
    """
    if isinstance(column, Ragged):
        return _lists_to_arrow(column, field.kind)
    if field.kind is Kind.TEXT:
        return text_to_arrow(column.tolist())
    if field.kind is Kind.BOOL:
        bits = np.packbits(column, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(column), [None, pa.py_buffer(bits)])
    valid = None
    if field.nullable:
        valid = ~np.isnan(column) if field.kind is Kind.FLOAT else column != INT_NULL
    return numbers_to_arrow(column, valid)


def numbers_to_arrow(values: npt.NDArray[Any], valid: Mask | None = None) -> pa.Array:
    """int32, int64 or float64 values; those that are not valid are null."""
    buffers = [_bitmap(valid), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def text_to_arrow(values: list[str | None]) -> pa.Array:
    """Text: each distinct value is encoded once."""
    distinct = [value for value in dict.fromkeys(values) if value is not None]
    code: dict[str | None, int] = {value: index for index, value in enumerate(distinct)}
    code[None] = -1
    return picked(strings_to_arrow(distinct), np.array(list(map(code.__getitem__, values)), np.int32))


def strings_to_arrow(values: list[str]) -> pa.Array:
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    data = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), data)


def picked(strings: pa.Array, codes: npt.NDArray[Any]) -> pa.Array:
    """strings[codes], null for a code of -1."""
    codes = codes.astype(np.int32, copy=False)
    return pc.take(strings, numbers_to_arrow(codes, codes >= 0))


def _lists_to_arrow(column: Ragged, kind: Kind) -> pa.Array:
    packed = column.packed()
    offsets = np.zeros(len(packed) + 1, np.int32)
    np.cumsum(np.maximum(packed.length, 0), out=offsets[1:])
    buffers = [_bitmap(packed.length >= 0), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(arrow_type(kind), len(packed), buffers, children=[numbers_to_arrow(packed.values)])


def _bitmap(valid: Mask | None) -> pa.Buffer | None:
    if valid is None or bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


# ------------------------------------------------------------------------------------------------------ Arrow → NumPy


def from_arrow(array: pa.Array, field: Field) -> Column:
    """An Arrow array of the field's type as a column, with nulls the way columns hold them."""
    if field.kind.is_list:
        return _lists_from_arrow(array, field.kind)
    if field.kind is Kind.TEXT:
        return text_from_arrow(array)
    if field.kind is Kind.BOOL:
        return _bits(array.buffers()[1], array.offset, len(array))
    return numbers_from_arrow(array, field.kind.dtype, np.nan if field.kind is Kind.FLOAT else INT_NULL)


def numbers_from_arrow(array: pa.Array, dtype: npt.DTypeLike, null: float) -> npt.NDArray[Any]:
    """The values; a view of Arrow's memory where none is null."""
    if not len(array):
        return np.empty(0, dtype)
    dtype = np.dtype(dtype)
    values = np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)
    if (invalid := nulls_of(array)) is None:
        return values
    values = values.copy()
    values[invalid] = null
    return values


def text_from_arrow(array: pa.Array) -> npt.NDArray[np.object_]:
    """Object array of str and None; rows of equal text share one str."""
    encoded = pc.dictionary_encode(array)
    distinct = np.array([*encoded.dictionary.to_pylist(), None], object)
    return cast("npt.NDArray[np.object_]", distinct[numbers_from_arrow(encoded.indices, np.int32, -1)])


def codes_from_arrow(array: pa.Array, names: pa.Array) -> npt.NDArray[np.int64]:
    """The index of each text in `names`, -1 where it is not there."""
    codes = pc.index_in(array, value_set=names)
    return numbers_from_arrow(codes, np.int32, -1).astype(np.int64)


def nulls_of(array: pa.Array) -> Mask | None:
    """Where an array is null; None where it nowhere is."""
    if array.null_count == 0:
        return None
    return ~_bits(array.buffers()[0], array.offset, len(array))


def _lists_from_arrow(array: pa.Array, kind: Kind) -> Ragged:
    offsets = numbers_from_arrow(array.offsets, np.int32, 0).astype(np.int64)
    length = np.diff(offsets)
    if (invalid := nulls_of(array)) is not None:
        length[invalid] = -1
    first = int(offsets[0]) if len(offsets) else 0
    last = int(offsets[-1]) if len(offsets) else 0
    values = numbers_from_arrow(array.values.slice(first, last - first), kind.dtype, np.nan)
    return Ragged(values, length, offsets[:-1] - first)


def _bits(buffer: pa.Buffer | None, offset: int, rows: int) -> Mask:
    if buffer is None or not rows:
        return np.zeros(rows, np.bool_)
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8), count=offset + rows, bitorder="little")
    return cast("Mask", bits[offset:].astype(np.bool_))

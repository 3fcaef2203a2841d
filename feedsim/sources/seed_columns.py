"""Columns of a foreign Parquet file as columns of a field's kind: exact conversions only, all else is an error.

Nulls and NaN become the kind's null where the field may be null. A SourceError's row counts from 0 in the array.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feedsim.errors import SourceError
from feedsim.events import INT_NULL, Column, Field, Kind, Ragged
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_MS
from feedsim.recording.arrays import from_arrow, nulls_of, numbers_from_arrow

EARLIEST_MS, LATEST_MS = 315_532_800_000, 7_258_118_400_000
"""1980 and 2200: other numbers are times in another unit."""
EXACT = 1 << 53  # from here on a float cannot hold every whole number


def refuse(wrong: npt.NDArray[np.bool_], problem: str) -> None:
    """Raise for the first row that is wrong."""
    if wrong.any():
        raise SourceError(problem, row=int(np.argmax(wrong)))


# ------------------------------------------------------------------------------------------------------------- types


def type_problem(found: pa.DataType, field: Field) -> str | None:
    """Why a column of this type cannot hold the field; None where it can."""
    if field.time:
        fits = pa.types.is_timestamp(found) or _is_number(found)
    elif field.kind.is_list:
        # A single value is a list of one, as the footprints of the exports have it.
        fits = _is_number(found.value_type if _is_list(found) else found)
    elif field.kind is Kind.TEXT:
        fits = _is_text(found)
    else:
        fits = _is_number(found)
    return None if fits or pa.types.is_null(found) else f"column {field.name} is {found}, expected {_wanted(field)}"


def _wanted(field: Field) -> str:
    return "epoch milliseconds" if field.time else "text" if field.kind is Kind.TEXT else f"{field.kind.value}s"


def _is_number(found: pa.DataType) -> bool:
    return bool(pa.types.is_integer(found) or pa.types.is_floating(found))


def _is_text(found: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        return _is_text(found.value_type)
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))


def _is_list(found: pa.DataType) -> bool:
    return bool(pa.types.is_list(found) or pa.types.is_large_list(found) or pa.types.is_fixed_size_list(found))


# ------------------------------------------------------------------------------------------------------------ columns


def column_of(array: pa.Array, field: Field) -> Column:
    """A column whose type `type_problem` accepts. Raises SourceError for the first row that has no such value."""
    if field.kind.is_list:
        return _lists(array, field)
    if field.kind is Kind.TEXT:
        texts = from_arrow(array.cast(pa.string()), field)
        if not field.nullable:
            refuse(_missing(array), f"{field.name} is null, expected text")
        return texts
    numbers = _integers(array, field.name) if field.kind is Kind.INT else _floats(array, field.name)
    if not field.nullable:
        missing = np.isnan(numbers) if field.kind is Kind.FLOAT else numbers == INT_NULL
        refuse(missing, f"{field.name} is null or NaN, expected a number")
    return numbers


def times_of(array: pa.Array, name: str) -> Int64:
    """Nanoseconds UTC of epoch milliseconds, or of timestamps. Raises SourceError for what is no time."""
    refuse(_missing(array), f"{name} is null, expected epoch milliseconds")
    if pa.types.is_timestamp(array.type):
        ns = _cast(array, pa.timestamp("ns", tz=array.type.tz), name)
        return numbers_from_arrow(ns.view(pa.int64()), np.int64, 0)
    ms = _integers(array, name)
    outside = (ms < EARLIEST_MS) | (ms > LATEST_MS)
    if outside.any():
        at = int(np.argmax(outside))
        shown = "NaN" if ms[at] == INT_NULL else ms[at]
        raise SourceError(f"{name} is {shown}, expected epoch milliseconds (1980 to 2200)", row=at)
    return ms * NS_PER_MS


def _missing(array: pa.Array) -> npt.NDArray[np.bool_]:
    null = nulls_of(array)
    return np.zeros(len(array), np.bool_) if null is None else null


def _integers(array: pa.Array, name: str) -> Int64:
    """Whole numbers, INT_NULL for null and NaN."""
    if not pa.types.is_floating(array.type):
        return numbers_from_arrow(_cast(array, pa.int64(), name), np.int64, INT_NULL)
    values = _floats(array, name)
    missing = np.isnan(values)
    whole = missing | ((np.floor(values) == values) & (np.abs(values) < EXACT))
    if not whole.all():
        at = int(np.argmin(whole))
        raise SourceError(f"{name} is {values[at]}, expected a whole number", row=at)
    return np.where(missing, INT_NULL, np.where(missing, 0, values).astype(np.int64))


def _floats(array: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """Numbers, NaN for null. Neither JSON nor a market has an infinite one."""
    values = numbers_from_arrow(_cast(array, pa.float64(), name), np.float64, np.nan)
    refuse(np.isinf(values), f"{name} is infinite, expected a number")
    return values


def _cast(array: pa.Array, to: pa.DataType, name: str) -> pa.Array:
    try:
        return array.cast(to)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{name} is no {to}: {str(error).splitlines()[0]}") from None


def _lists(array: pa.Array, field: Field) -> Column:
    kind = Kind.FLOAT if field.kind is Kind.FLOAT_LIST else Kind.INT
    if not _is_list(array.type) and not pa.types.is_null(array.type):
        single = Field(field.name, kind, nullable=False, time=False, optional=False)
        values = column_of(array, single)
        assert not isinstance(values, Ragged)
        return Ragged(values, np.ones(len(array), np.int64))
    lists = array.cast(pa.list_(pa.null() if pa.types.is_null(array.type) else array.type.value_type))
    length = numbers_from_arrow(pc.list_value_length(lists), np.int32, -1).astype(np.int64)
    if not (field.nullable or field.optional):
        refuse(length < 0, f"{field.name} is null, expected a list")
    flat = lists.flatten()
    ends = np.cumsum(np.maximum(length, 0))
    try:
        values = _floats(flat, field.name) if kind is Kind.FLOAT else _integers(flat, field.name)
        refuse(np.isnan(values) if kind is Kind.FLOAT else values == INT_NULL, f"{field.name} has a null or NaN in it")
    except SourceError as error:
        row = int(np.searchsorted(ends, error.row or 0, side="right"))
        raise SourceError(error.problem, row=row) from None
    return Ragged(values, length)

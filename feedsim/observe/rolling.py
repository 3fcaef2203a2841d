"""Sums and changes over the last so many seconds, and averages that forget: the same to the bit however time is cut.

Columns are whole numbers with their past before them, so that running sums are exact; averages are carried on from
value to value in their order. Only + − × ÷ √ are used here, and e^x made of them.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Float64, Int64

# Enough for results that are told with six decimals.
_HALVINGS, _TERMS = 10, 6


def summed(column: Int64, length: int, rows: int) -> Int64:
    """The sums of the last `length` values at each of the last `rows`; `column` has as many before them."""
    sums = np.zeros(length + rows, np.int64)
    np.cumsum(column[len(column) - rows - length + 1 :], out=sums[1:])
    return sums[length:] - sums[:rows]


def ago(column: npt.NDArray[Any], length: int, rows: int) -> npt.NDArray[Any]:
    """The values `length` places before each of the last `rows`."""
    last = len(column) - length
    return column[last - rows : last]


def decayed(carried: float, values: Float64, keep: float) -> Float64:
    """`sum × keep + value`, after each value, from the sum that was carried."""
    sums = accumulate(values.tolist(), lambda total, value: total * keep + value, initial=carried)
    return np.fromiter(sums, np.float64, len(values) + 1)[1:]


class Average(msgspec.Struct, array_like=True):
    """A mean that forgets: of the values that counted, newer ones weigh more."""

    total: float = 0.0
    weight: float = 0.0

    def take(self, values: npt.NDArray[Any], counted: npt.NDArray[np.bool_], keep: float) -> Float64:
        """The mean after each value, 0 before any counted."""
        totals = decayed(self.total, np.where(counted, values, 0).astype(np.float64), keep)
        weights = decayed(self.weight, counted.astype(np.float64), keep)
        self.total, self.weight = float(totals[-1]), float(weights[-1])
        return totals / np.where(weights > 0, weights, 1.0)


def unit(values: Float64) -> Float64:
    """Cut to 0 … 1."""
    return np.minimum(np.maximum(values, 0.0), 1.0)


def exponential(x: Float64) -> Float64:
    """e^x for |x| ≤ 40 (larger ones are cut): the series at x / 2^10, then squared ten times."""
    small = np.minimum(np.maximum(x, -40.0), 40.0) / 2.0**_HALVINGS
    value = np.ones_like(small)
    for term in range(_TERMS, 0, -1):
        value = 1.0 + value * small / term
    for _ in range(_HALVINGS):
        value = value * value
    return value


def tanh(x: Float64) -> Float64:
    """The hyperbolic tangent, of |x| ≤ 20."""
    square = exponential(2.0 * x)
    return (square - 1.0) / (square + 1.0)

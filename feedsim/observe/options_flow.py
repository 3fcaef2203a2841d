"""What the options context says beside the price: bias of the flow, and how near the next level is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Float64, Int64
from feedsim.observe.rolling import exponential, tanh
from feedsim.observe.waiting import Waiting

NAMES = ("vix", "gamma_flip", "call_wall", "put_wall", "pin_level", "put_call_ratio")
_LEVELS = ("gamma_flip", "call_wall", "put_wall", "pin_level")
_NEAR = 0.005
"""Of the price: the distance at which proximity is 1/e."""

Rows = dict[str, Float64]


class Told:
    """A symbol's newest context at any time; NaN for what is not known."""

    def __init__(self) -> None:
        self._waiting = Waiting((np.int64, *(np.float64,) * len(NAMES)))
        self._last = [np.nan] * len(NAMES)

    def hear(self, context: Table, rows: npt.NDArray[np.intp]) -> None:
        if len(rows):
            columns = [
                _first_pins(context, rows) if name == "pin_level" else context.array(name)[rows] for name in NAMES
            ]
            self._waiting.add(context.avail[rows], *columns)

    def at(self, ends: Int64) -> Rows:
        """As told at or before each time: context comes first where times are equal."""
        avail, *columns = self._waiting.before(int(ends[-1]) + 1)
        row = np.searchsorted(avail, ends, side="right")
        values = [np.concatenate(([last], column)) for last, column in zip(self._last, columns, strict=True)]
        self._last = [float(column[-1]) for column in values]
        return {name: column[row] for name, column in zip(NAMES, values, strict=True)}

    def save(self) -> tuple[list[float], list[bytes]]:
        return self._last, self._waiting.save()

    def restore(self, last: Sequence[float], waiting: list[bytes]) -> None:
        self._last = list(last)
        self._waiting.restore(waiting)


def _first_pins(context: Table, rows: npt.NDArray[np.intp]) -> Float64:
    """The strongest pin strike of each row."""
    pins = context.ragged("pin_levels")
    there = pins.length[rows] > 0
    values = np.append(pins.values, np.nan)
    return values[np.where(there, pins.start[rows], len(values) - 1)]


def bias(rows: Rows) -> Float64:
    """−1 … 1: calls outweigh puts; 0 where no ratio is told."""
    ratio = rows["put_call_ratio"]
    return tanh(2.0 * (1.0 - np.where(np.isnan(ratio), 1.0, ratio)))


def proximity(rows: Rows, price: Float64) -> Float64:
    """e^(−|S − L| / 0.5 % of S), L the nearest of flip, walls and pin strike; 0 where no level or no price is known."""
    nearest = np.full(len(price), np.inf)
    for name in _LEVELS:
        nearest = np.fmin(nearest, np.abs(price - rows[name]))
    known = (price > 0) & np.isfinite(nearest)
    distance = np.where(known, nearest, 0.0) / np.where(known, price, 1.0)
    return np.where(known, exponential(-distance / _NEAR), 0.0)


def side(rows: Rows, price: Float64) -> Float64:
    """−1 … 1: below or above the gamma flip, with the bias of the flow; 0 where nothing is told."""
    flip = rows["gamma_flip"]
    known = (price > 0) & ~np.isnan(flip)
    away = np.where(known, price - np.where(known, flip, 0.0), 0.0) / np.where(known, price, 1.0)
    return (np.minimum(np.maximum(away / _NEAR, -1.0), 1.0) + bias(rows)) / 2.0

"""How much the last minute looks like a pattern of order flow: the largest of four scores from 0 to 1.

Absorption: at one price far more trades than at a usual one, one side does most of it, and the price stays. Stacked
imbalance: at neighbouring prices one side trades three times what the other does a tick away. Exhaustion: a move runs
on while the volume behind it dries up. Initiative drive: price and delta go one way on more than the usual volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedsim.events.columns import Float64, Int64
from feedsim.observe.rolling import unit
from feedsim.observe.seconds import Cells

ABSORPTION_S, STACKED_S = 60, 30
PAST_S = ABSORPTION_S
"""Seconds of cells that must stand before the first second's."""
_AT_ONCE = 128
"""Seconds whose prices are laid out as one matrix: more of them cross more prices."""
_RATIO = 3
_STACK_SCORES = np.array([0.0, 0.05, 0.2, 0.5, 0.75, 1.0])
"""By the longest run of imbalanced prices; three make a stack."""

Lots = npt.NDArray[np.float64]


@dataclass(slots=True)
class Levels:
    """What single prices say, by second."""

    largest: Float64
    """Lots at the most traded price of the last minute."""
    usual: Float64
    """Lots a price, of those that traded in it."""
    run: Int64
    """Prices in the longest stack of buy or sell imbalances of the last half minute."""


def levels(cells: Cells, seconds: int, *, least: int) -> Levels:
    """Of the last `seconds`; cells count theirs from `PAST_S` before the first. `least` lots make an imbalance."""
    parts = [_levels(part, count, least) for part, count in _in_parts(cells, seconds)]
    return Levels(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _in_parts(cells: Cells, seconds: int) -> Iterator[tuple[Cells, int]]:
    for first in range(0, seconds, _AT_ONCE):
        count = min(_AT_ONCE, seconds - first)
        lo, hi = np.searchsorted(cells.second, (first, first + PAST_S + count))
        yield (
            Cells(cells.second[lo:hi] - first, cells.price[lo:hi], cells.bought[lo:hi], cells.sold[lo:hi]),
            count,
        )


def _levels(cells: Cells, seconds: int, least: int) -> tuple[Float64, Float64, Int64]:
    prices, column = np.unique(cells.price, return_inverse=True)
    if not len(prices):
        return np.zeros(seconds), np.zeros(seconds), np.zeros(seconds, np.int64)
    place = (cells.second + 1) * len(prices) + column
    bought = _running(place, cells.bought, seconds, len(prices))
    sold = _running(place, cells.sold, seconds, len(prices))
    both = (bought + sold)[PAST_S + 1 :] - (bought + sold)[1 : seconds + 1]
    traded = np.count_nonzero(both, axis=1)
    usual = both.sum(axis=1) / np.maximum(traded, 1)
    late = PAST_S - STACKED_S + 1
    run = _longest_run(
        bought[PAST_S + 1 :] - bought[late : late + seconds],
        sold[PAST_S + 1 :] - sold[late : late + seconds],
        np.diff(prices) == 1,
        least,
    )
    return both.max(axis=1), usual, run


def _running(place: Int64, lots: Int64, seconds: int, prices: int) -> Lots:
    """Lots so far by second (the first row: none) and price; whole numbers, which floats hold exactly."""
    rows = PAST_S + seconds + 1
    return np.cumsum(np.bincount(place, lots, rows * prices).reshape(rows, prices), axis=0)


def _longest_run(bought: Lots, sold: Lots, touching: npt.NDArray[np.bool_], least: int) -> Int64:
    """The most neighbouring prices with a buy imbalance against the bids a tick below, or a sell one mirrored.

    Lots must be at least `least` and at least a usual price's, or thin books would be full of imbalances.
    """
    below, above = np.zeros_like(sold), np.zeros_like(bought)
    below[:, 1:] = sold[:, :-1] * touching
    above[:, :-1] = bought[:, 1:] * touching
    both = bought + sold
    usual = both.sum(axis=1) / np.maximum(np.count_nonzero(both, axis=1), 1)
    enough = np.maximum(usual, least)[:, None]
    buys = (bought >= _RATIO * np.maximum(below, 1)) & (bought >= enough)
    sells = (sold >= _RATIO * np.maximum(above, 1)) & (sold >= enough)
    longest = np.zeros(len(bought), np.int64)
    for imbalanced in (buys, sells):
        run, length = imbalanced, 1
        while length < len(_STACK_SCORES) and run.any():
            longest = np.where(run.any(axis=1), np.maximum(longest, length), longest)
            run = run[:, 1:] & imbalanced[:, : imbalanced.shape[1] - length] & _all_touching(touching, length)
            length += 1
    return longest


def _all_touching(touching: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """Whether the `length` steps from each price up are one tick each."""
    count = len(touching) - length + 1
    steps: npt.NDArray[np.bool_] = np.all([touching[k : k + count] for k in range(length)], axis=0)
    return steps


# -------------------------------------------------------------------------------------------------------------- scores


def absorption(largest: Float64, usual: Float64, move: Float64, deviation: Float64, delta: Float64) -> Float64:
    """All of the last minute: `usual` lots a price by long experience, `move` in ticks, `delta` as a share of volume.

    1 where a price trades three times the usual, the price stays within a tick (or a quarter of `deviation`), and the
    delta is a quarter of the volume.
    """
    crowded = unit((largest / np.maximum(usual, 1.0) - 1.5) / 1.5)
    stays = unit(2.0 - np.abs(move) / np.maximum(1.0, 0.25 * deviation))
    return crowded * stays * unit(np.abs(delta) / 0.25)


def stacked(run: Int64) -> Float64:
    return _STACK_SCORES[np.minimum(run, len(_STACK_SCORES) - 1)]


def exhaustion(move: Float64, deviation: Float64, with_move: Float64, lately: Float64) -> Float64:
    """A move of a minute (ticks, against its `deviation`); lots a second in its direction, and in the last ten."""
    dried = unit(1.0 - lately / np.maximum(with_move, 0.1))
    return unit(np.abs(move) / (2.0 * deviation)) * dried


def initiative(move: Float64, deviation: Float64, delta: Float64, activity: Float64) -> Float64:
    """A move that the delta (a share of volume) agrees with, on `activity` times the usual volume.

    1 from one `deviation`, a delta of .15 (its own deviation in half a minute of ES) and half as much volume again on.
    """
    agrees = np.sign(move) == np.sign(delta)
    drive = unit(np.abs(move) / deviation) * unit(np.abs(delta) / 0.15)
    return np.where(agrees, drive * unit((activity - 1.0) / 0.5), 0.0)

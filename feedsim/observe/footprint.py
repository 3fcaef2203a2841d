"""Footprints: the volume of each price inside one bar, by aggressor; told at the bar's end, for bars with trades.

The levels add up to the bar: Σ(bid_volume + ask_volume) is its volume. Volume of unknown side is split into halves,
lots left over going to ask and bid in turn from the lowest price up, so that it leaves the delta as it is (or one lot
off where it is odd) instead of guessing a direction.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.events import Ragged, Table
from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S
from feedsim.observe.windows import by_symbol, last_told, starts_of_runs

Rows = dict[str, npt.NDArray[Any]]
"""Levels, columns by name: window, price, and the lots sold, bought and of unknown side."""
_VOLUMES = ("sold", "bought", "unknown")


class _State(msgspec.Struct, array_like=True):
    begun: list[list[dict[str, list[int | float]]]]
    """By symbol and length: the levels of the bar that is not over yet."""


class Footprints:
    """All lengths `tf_s` (seconds that divide a day) of all symbols."""

    channel = "footprint"

    def __init__(self, symbols: tuple[str, ...], tf_s: tuple[int, ...]) -> None:
        self.symbols = symbols
        self.tf_s = tuple(sorted(set(tf_s)))
        self._begun = [[_no_levels() for _ in self.tf_s] for _ in symbols]

    def observe(self, trades: Table, until_ns: int) -> Table:
        parts: list[Table] = []
        for code, rows in enumerate(by_symbol(trades)):
            single = _single(trades, rows)
            for index, tf_s in enumerate(self.tf_s):
                length = tf_s * NS_PER_S
                begun = self._begun[code][index]
                if len(rows) == 0 and len(begun["window"]) == 0:
                    continue
                levels = _joined(begun, {"window": trades.avail[rows] // length, **single})
                count = int(np.searchsorted(levels["window"], last_told(until_ns, length), side="right"))
                self._begun[code][index] = {name: column[count:] for name, column in levels.items()}
                if count:
                    over = {name: column[:count] for name, column in levels.items()}
                    parts.append(self._table(code, tf_s, over))
        if not parts:
            return Table.empty("footprint", self.symbols)
        table = Table.concatenate(parts)
        return table.take(np.lexsort((table.array("tf_s"), table.array("symbol"), table.avail)))

    def _table(self, code: int, tf_s: int, levels: Rows) -> Table:
        starts = starts_of_runs(levels["window"])
        length = np.diff(np.append(starts, len(levels["window"])))
        bid, ask = _sides(levels, starts, length)
        start_ns = levels["window"][starts] * (tf_s * NS_PER_S)
        columns = {
            "ts": start_ns,
            "symbol": np.full(len(starts), code),
            "bar_start_ts": start_ns,
            "tf_s": np.full(len(starts), tf_s),
            "price_level": Ragged(levels["price"], length),
            "bid_volume": Ragged(bid, length),
            "ask_volume": Ragged(ask, length),
            "delta": np.add.reduceat(ask - bid, starts),
            "poc": levels["price"][most_traded(levels["price"], bid + ask, starts, length)],
        }
        return Table.build("footprint", self.symbols, columns, avail=start_ns + tf_s * NS_PER_S)

    def save(self) -> bytes:
        begun = [[{name: column.tolist() for name, column in levels.items()} for levels in row] for row in self._begun]
        return msgspec.msgpack.encode(_State(begun))

    def restore(self, state: bytes) -> None:
        kinds = {name: column.dtype for name, column in _no_levels().items()}
        self._begun = [
            [{name: np.array(levels[name], kind) for name, kind in kinds.items()} for levels in row]
            for row in msgspec.msgpack.decode(state, type=_State).begun
        ]


def most_traded(price: Float64, volume: Int64, starts: Int64, length: Int64) -> Int64:
    """The row of each bar's point of control: the most volume, then nearest to the bar's VWAP, then the lowest price.

    Bars are runs of `length` rows at `starts`, prices ascending in each. Distances are compared without a division, so
    that ties of on-tick prices are exact.
    """
    relative = price - np.repeat(price[starts], length)
    total = np.repeat(np.add.reduceat(volume, starts), length)
    weighted = np.repeat(np.add.reduceat(relative * volume, starts), length)
    distance = np.abs(relative * total - weighted)
    distance[volume < np.repeat(np.maximum.reduceat(volume, starts), length)] = np.inf
    nearest = distance == np.repeat(np.minimum.reduceat(distance, starts), length)
    rows = np.flatnonzero(nearest)
    bar = np.repeat(np.arange(len(starts)), length)[rows]
    return rows[starts_of_runs(bar)]


def _no_levels() -> Rows:
    return {"window": np.empty(0, np.int64), "price": np.empty(0), **{name: np.empty(0, np.int64) for name in _VOLUMES}}


def _single(trades: Table, rows: npt.NDArray[np.intp]) -> Rows:
    """Each trade as a level."""
    size, side = trades.array("size")[rows], trades.array("side")[rows]
    lots = {name: np.where(side == of, size, 0) for name, of in zip(_VOLUMES, (-1, 1, 0), strict=True)}
    return {"price": trades.array("price")[rows], **lots}


def _joined(begun: Rows, single: Rows) -> Rows:
    """One row a window and price, both ascending."""
    rows = {name: np.concatenate((begun[name], single[name])) for name in begun}
    order = np.lexsort((rows["price"], rows["window"]))
    window, price = rows["window"][order], rows["price"][order]
    is_new = np.concatenate(([True], (window[1:] != window[:-1]) | (price[1:] != price[:-1])))
    starts = np.flatnonzero(is_new)
    lots = {name: np.add.reduceat(rows[name][order], starts) for name in _VOLUMES}
    return {"window": window[starts], "price": price[starts], **lots}


def _sides(levels: Rows, starts: Int64, length: Int64) -> tuple[Int64, Int64]:
    """Bid and ask volume a level, with the volume of unknown side split."""
    unknown = levels["unknown"]
    upto = np.cumsum(unknown)
    upto -= np.repeat(upto[starts] - unknown[starts], length)
    half = upto // 2 - (upto - unknown) // 2
    return levels["sold"] + half, levels["bought"] + unknown - half

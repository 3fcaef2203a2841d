"""The last minutes of one symbol's seconds, so that every new second can look back; a session begins with none."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import msgspec
import numpy as np

from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S
from feedsim.observe import leadlag, patterns
from feedsim.observe.rolling import ago, summed
from feedsim.observe.seconds import Cells, Seconds, Track

LENGTH = 310
"""Seconds that are kept: five minutes, and a step before them."""
_STEP_S = 10
_CARRIED = ("path", "squares", "bought", "sold", "volume", "ofi", "lots", "lots_price")
_CELLS = ("second", "price", "bought", "sold")


@dataclass(slots=True)
class Stretch:
    """Some seconds with `LENGTH` before them; `columns` have both, the rest the seconds alone."""

    rows: int
    age: Int64
    """Seconds since the session's first quote."""
    mid: Int64
    """Half ticks; 0 before any quote."""
    price: Float64
    """The mid in index points."""
    lots_price2: Int64
    reference: int
    columns: dict[str, Int64]
    """`path` is the mid from an arbitrary zero, half ticks; `squares` its squared changes over ten seconds; `lots` and
    `lots_price` are sums since the session's open."""
    moves: Int64
    """Ten a second, with `leadlag.PAST` before them."""
    cells: Cells
    """With `patterns.PAST_S` seconds before, from which their seconds are counted."""

    def latest(self, name: str) -> Int64:
        return self.columns[name][-self.rows :]

    def total(self, name: str, length: int) -> Int64:
        """The sum over the last `length` seconds."""
        return summed(self.columns[name], length, self.rows)

    def a_second(self, name: str, length: int) -> Float64:
        """The mean of the last `length` seconds, or of those that there are."""
        mean: Float64 = self.total(name, length) / np.minimum(np.maximum(self.age, 1), length)
        return mean

    def move(self, length: int) -> Float64:
        """The change of the mid over `length` seconds, ticks."""
        change: Float64 = (self.latest("path") - ago(self.columns["path"], length, self.rows)) / 2.0
        return change

    def delta(self, length: int) -> Float64:
        """Bought minus sold as a share of the volume of the last `length` seconds."""
        delta = self.total("bought", length) - self.total("sold", length)
        share: Float64 = delta / np.maximum(self.total("volume", length), 1)
        return share

    def mean_price(self, length: int) -> Float64:
        """The mean price of the last `length` seconds' lots, ticks above `reference`; without any, the session's."""
        lots, price = (
            self.latest(name) - ago(self.columns[name], length, self.rows) for name in ("lots", "lots_price")
        )
        session = self.latest("lots_price") / np.maximum(self.latest("lots"), 1)
        return np.where(lots > 0, price / np.maximum(lots, 1), session)


class _State(msgspec.Struct, array_like=True):
    track: bytes
    opened_ns: int
    columns: list[bytes]
    moves: bytes
    cells: list[bytes]


class Past:
    """Puts the past before what a symbol's track tells."""

    def __init__(self, symbol: str, *, origin_ns: int) -> None:
        self.track = Track(symbol, origin_ns=origin_ns)
        self._forget(0)

    def _forget(self, ns: int) -> None:
        self._opened_ns = ns
        self._columns = {name: np.zeros(LENGTH, np.int64) for name in _CARRIED}
        self._moves = np.zeros(leadlag.PAST, np.int64)
        self._cells = Cells(*(np.empty(0, np.int64) for _ in _CELLS))

    def open_session(self, ns: int) -> None:
        """The first second that will be told starts at `ns`."""
        self.track.open_session(ns)
        self._forget(ns)

    def tell(self, ends: Int64) -> Stretch:
        """The next seconds, by their ends."""
        count = len(ends)
        told = self.track.tell(int(ends[0]) - NS_PER_S, count)
        age = self._age(ends)
        columns = self._extended(told, age)
        moves = np.concatenate((self._moves, told.moves))
        cells = self._with_past(told.cells)
        self._columns = {name: values[-LENGTH:].copy() for name, values in columns.items()}
        self._moves = moves[-leadlag.PAST :].copy()
        kept = int(np.searchsorted(cells.second, count))
        self._cells = Cells(
            cells.second[kept:] - count, cells.price[kept:].copy(), cells.bought[kept:].copy(), cells.sold[kept:].copy()
        )
        return Stretch(
            rows=count,
            age=age,
            mid=told.mid,
            price=told.mid.astype(np.float64) * (self.track.tick / 2.0),
            lots_price2=told.lots_price2,
            reference=told.reference,
            columns=columns,
            moves=moves,
            cells=cells,
        )

    def _age(self, ends: Int64) -> Int64:
        first = self.track.first_ns
        if first is None:
            return np.zeros(len(ends), np.int64)
        return np.maximum(ends - max(first, self._opened_ns), 0) // NS_PER_S

    def _extended(self, told: Seconds, age: Int64) -> dict[str, Int64]:
        moves = told.moves.reshape(len(age), -1).sum(axis=1)
        path = np.concatenate((self._columns["path"], self._columns["path"][-1] + np.cumsum(moves)))
        change = path[LENGTH:] - ago(path, _STEP_S, len(age))
        new = {
            "squares": np.where(age >= _STEP_S, change * change, 0),
            "bought": told.bought,
            "sold": told.sold,
            "volume": told.volume,
            "ofi": told.ofi,
            "lots": told.lots,
            "lots_price": told.lots_price,
        }
        return {"path": path, **{name: np.concatenate((self._columns[name], values)) for name, values in new.items()}}

    def _with_past(self, told: Cells) -> Cells:
        before = self._cells
        return Cells(
            np.concatenate((before.second, told.second + patterns.PAST_S)),
            np.concatenate((before.price, told.price)),
            np.concatenate((before.bought, told.bought)),
            np.concatenate((before.sold, told.sold)),
        )

    def save(self) -> bytes:
        state = _State(
            self.track.save(),
            self._opened_ns,
            [self._columns[name].tobytes() for name in _CARRIED],
            self._moves.tobytes(),
            [getattr(self._cells, name).tobytes() for name in _CELLS],
        )
        return zlib.compress(msgspec.msgpack.encode(state), 1)

    def restore(self, saved: bytes) -> None:
        state = msgspec.msgpack.decode(zlib.decompress(saved), type=_State)
        self.track.restore(state.track)
        self._opened_ns = state.opened_ns
        columns = [_numbers(values) for values in state.columns]
        self._columns = dict(zip(_CARRIED, columns, strict=True))
        self._moves = _numbers(state.moves)
        self._cells = Cells(*(_numbers(values) for values in state.cells))


def _numbers(values: bytes) -> Int64:
    return np.frombuffer(values, np.int64).copy()

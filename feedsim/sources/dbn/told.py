"""What a DBN source remembers of what it told: the last quote, book and trade of each symbol, and some counts."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.dbn.layout import DEPTH, LEVEL
from feedsim.events import Table
from feedsim.events.columns import Int64

WIDTHS = {"l1": 4, "l2": DEPTH * LEVEL.itemsize // 8}


class _Saved(msgspec.Struct, array_like=True):
    records: int
    trades: bytes
    sales: bytes
    last: dict[str, bytes]


class Told:
    """The memory of one source."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.records = 0
        """How many were told."""
        self.sales = np.full((len(symbols), 2), np.nan)
        """Price and size of each symbol's last trade."""
        self._trades = np.zeros(len(symbols), np.int64)
        self._last = {name: np.full((len(symbols), width), -1, np.int64) for name, width in WIDTHS.items()}

    def number_trades(self, codes: Int64) -> Int64:
        """Each symbol's trades from 1 on."""
        numbers = np.empty(len(codes), np.int64)
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            numbers[rows] = self._trades[code] + np.arange(1, len(rows) + 1)
            self._trades[code] += len(rows)
        return numbers

    def keep_sales(self, trades: Table | None) -> None:
        if trades is not None:
            for code in np.unique(trades.array("symbol")).tolist():
                last = np.flatnonzero(trades.array("symbol") == code)[-1]
                self.sales[code] = trades.array("price")[last], trades.array("size")[last]

    def changed(self, what: str, rows: Int64, codes: Int64) -> npt.NDArray[np.intp]:
        """Which rows differ from the row of their symbol before them; the last of each symbol is remembered."""
        found = [np.empty(0, np.intp)]
        for code in np.unique(codes).tolist():
            mine = np.flatnonzero(codes == code)
            theirs = rows[mine]
            before = np.concatenate((self._last[what][code][None], theirs[:-1]))
            found.append(mine[(theirs != before).any(axis=1)])
            self._last[what][code] = theirs[-1]
        return np.sort(np.concatenate(found))

    def save(self) -> bytes:
        last = {name: values.tobytes() for name, values in self._last.items()}
        return msgspec.msgpack.encode(_Saved(self.records, self._trades.tobytes(), self.sales.tobytes(), last))

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=_Saved)
        self.records = saved.records
        self._trades = np.frombuffer(saved.trades, np.int64).copy()
        self.sales = np.frombuffer(saved.sales).reshape(-1, 2).copy()
        for name, values in saved.last.items():
            self._last[name] = np.frombuffer(values, np.int64).reshape(-1, WIDTHS[name]).copy()

"""One symbol's market through all its sessions, run forward in time and put back to where it was."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.instruments import session_at
from feedsim.market.flow import L1_FIELDS, L2_WIDTH, STATE, TRADE_FIELDS, advance, new_state, open_session
from feedsim.market.laws import LAWS

Rows = npt.NDArray[np.int64]


class Sheets:
    """Room for the rows that one step of a market tells; markets that run one after the other share it."""

    def __init__(self, *, trades: int = 4096, l1: int = 8192, l2: int = 1024) -> None:
        self.trades = np.empty((trades, len(TRADE_FIELDS)), np.int64)
        self.l1 = np.empty((l1, len(L1_FIELDS)), np.int64)
        self.l2 = np.empty((l2, L2_WIDTH), np.int64)


class SymbolMarket:
    """The market of one symbol from `start_ns` on; closed hours have nothing. L2 is told every `l2_every_ns`."""

    def __init__(self, symbol: str, *, seed: int, start_ns: int, l2_every_ns: int) -> None:
        law = LAWS[symbol]
        self._l2_every_ns = l2_every_ns
        self._law: Any = law.record().view(np.recarray)[0]
        self._states = new_state(law, symbol, seed)
        self._state: Any = self._states.view(np.recarray)[0]
        self.orders = 0
        """How many orders came or went since this object was made."""
        self._open(start_ns)

    def run(self, until_ns: int, sheets: Sheets) -> Iterator[tuple[Rows, Rows, Rows]]:
        """What happens before `until_ns`, part by part: rows of trades, L1 and L2 that are overwritten by the next."""
        with np.errstate(over="ignore"):  # random streams wrap around, which NumPy warns of where nothing is compiled
            yield from self._session(until_ns, sheets)
            while until_ns > self._state.close_ns:
                opening = session_at(int(self._state.close_ns)).open_ns
                if until_ns <= opening:
                    return
                self._open(opening)
                yield from self._session(until_ns, sheets)

    def _session(self, until_ns: int, sheets: Sheets) -> Iterator[tuple[Rows, Rows, Rows]]:
        """The same within the session that is open."""
        tables = (sheets.trades, sheets.l1, sheets.l2)
        while True:
            *told, orders = advance(self._state, self._law, until_ns, self._l2_every_ns, *tables)
            self.orders += orders
            trades, l1, l2 = (table[:rows] for table, rows in zip(tables, told, strict=True))
            yield trades, l1, l2
            if all(rows < len(table) for table, rows in zip(tables, told, strict=True)):
                return

    def _open(self, ns: int) -> None:
        """Open the session that `ns` lies in or before, at `ns` or at its opening."""
        day = session_at(ns)
        with np.errstate(over="ignore"):
            open_session(self._state, self._law, day.open_ns, day.close_ns, max(ns, day.open_ns))

    def save(self) -> bytes:
        return zlib.compress(self._states.tobytes(), 1)

    def restore(self, state: bytes) -> None:
        self._states[:] = np.frombuffer(zlib.decompress(state), STATE)

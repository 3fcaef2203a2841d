"""Law 4 at the touch: each trade against the quote before it, and which quote was in force at any row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feedsim.events import Table
from feedsim.events.columns import Float64, Int64
from feedsim.lab.report import TradeFacts

QUOTE = ("bid", "ask", "bid_size", "ask_size")


class Quotes:
    """One symbol's l1 by seq: those of a chunk and the last one before it."""

    def __init__(self) -> None:
        self._seq: Int64 = np.zeros(1, np.int64)
        self._columns: dict[str, Float64] = {name: np.full(1, np.nan) for name in QUOTE}

    def take(self, rows: Table | None, seq: Int64) -> None:
        """Go on to the next chunk, whose l1 rows are these (None: it has none)."""
        self._seq = np.append(self._seq[-1:], seq)
        for name, column in self._columns.items():
            new = np.empty(0) if rows is None else rows.array(name).astype(np.float64)
            self._columns[name] = np.append(column[-1:], new)

    def before(self, seq: Int64) -> dict[str, Float64]:
        """The quote in force just before each seq of this chunk; NaN where there was none yet."""
        at = np.searchsorted(self._seq, seq) - 1
        return {name: column[at] for name, column in self._columns.items()}


class TradeTally:
    """One symbol's trades."""

    def __init__(self, symbol: str) -> None:
        self.facts = TradeFacts(
            symbol=symbol, trades=0, volume=0, bought=0, sold=0, at_touch=0, inside=0, through=0, unquoted=0
        )

    def add(self, rows: Table, quotes: dict[str, Float64]) -> None:
        """Trades in the tape's order, and the quotes in force before each."""
        price, side, size = rows.array("price"), rows.array("side"), rows.array("size")
        facts = self.facts
        facts.trades += len(rows)
        facts.volume += int(size.sum())
        facts.bought += int(size[side > 0].sum())
        facts.sold += int(size[side < 0].sum())
        place = _place(price, side, quotes["bid"], quotes["ask"])
        sweeps = _goes_on(rows)
        at_touch = (place == AT) | ((place == BEYOND) & sweeps)
        facts.at_touch += int(at_touch.sum())
        facts.inside += int((place == INSIDE).sum())
        facts.through += int(((place == BEYOND) & ~at_touch).sum())
        facts.unquoted += int((place == UNKNOWN).sum())


UNKNOWN, INSIDE, AT, BEYOND = range(4)


def _goes_on(rows: Table) -> npt.NDArray[np.bool_]:
    """Trades that go on with the aggressor before them: same time and side, and no better a price.

    It has eaten the level that the quote tells, so it prints at the next one. A tape never cuts within one time.
    """
    at, side, price = rows.avail, rows.array("side"), rows.array("price")
    goes_on = np.zeros(len(rows), np.bool_)
    goes_on[1:] = (at[1:] == at[:-1]) & (side[1:] == side[:-1]) & (side[1:] != 0)
    goes_on[1:] &= (price[1:] - price[:-1]) * side[1:] >= 0
    return goes_on


def _place(price: Float64, side: Int64, bid: Float64, ask: Float64) -> npt.NDArray[np.int64]:
    """Where a trade printed: at the touch that its aggressor takes, better for it, or beyond."""
    at = ((side >= 0) & (price == ask)) | ((side <= 0) & (price == bid))
    beyond = ((side >= 0) & (price > ask)) | ((side <= 0) & (price < bid))
    place = np.where(at, AT, np.where(beyond, BEYOND, INSIDE))
    return np.where(np.isfinite(bid) & np.isfinite(ask), place, UNKNOWN)

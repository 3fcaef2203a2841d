"""Markets run for tests: their rows as lists of named fields, and whole runs cut at any times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.market.flow import L1_FIELDS, L2_WIDTH, TRADE_FIELDS
from feedsim.market.market import Sheets, SymbolMarket

Rows = npt.NDArray[np.int64]

NINE_THIRTY_NS = 1_755_783_000_000_000_000  # 2025-08-21 in New York
SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
L2_EVERY_NS = 100_000_000
WIDTHS = (len(TRADE_FIELDS), len(L1_FIELDS), L2_WIDTH)


class Told(NamedTuple):
    """All rows of a run."""

    trades: Rows
    l1: Rows
    l2: Rows

    def same(self, other: Told) -> bool:
        return all(np.array_equal(mine, its) for mine, its in zip(self, other, strict=True))


def market(symbol: str = "ES", *, seed: int = 7, start_ns: int = NINE_THIRTY_NS) -> SymbolMarket:
    return SymbolMarket(symbol, seed=seed, start_ns=start_ns, l2_every_ns=L2_EVERY_NS)


def run(of: SymbolMarket, times: Iterable[int], sheets: Sheets | None = None) -> Told:
    """Everything that a market tells when it is run up to each of some times."""
    sheets = sheets or Sheets()
    parts = [tuple(rows.copy() for rows in told) for ns in times for told in of.run(ns, sheets)]
    empty = tuple(np.empty((0, width), np.int64) for width in WIDTHS)
    return Told(*(np.concatenate(rows) for rows in zip(empty, *parts, strict=True)))

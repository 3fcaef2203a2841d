"""Markets run for tests: their rows as lists of named fields, and whole runs cut at any times."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feedsim.market.book import ORDER_FIELDS
from feedsim.market.config import MarketConfig
from feedsim.market.kernel import LOG_ROOM
from feedsim.market.market import SymbolMarket
from feedsim.market.schedule import Schedule
from feedsim.market.sheets import Sheets
from feedsim.market.telling import L1_FIELDS, L2_WIDTH, TRADE_FIELDS

Rows = npt.NDArray[np.int64]

NINE_THIRTY_NS = 1_755_783_000_000_000_000  # 2025-08-21 in New York
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
L2_EVERY_NS = 100_000_000
SYMBOLS = ("ES", "MES", "MNQ", "NQ")
WIDTHS = (len(TRADE_FIELDS), len(L1_FIELDS), L2_WIDTH, len(ORDER_FIELDS))
NORMAL = MarketConfig()


class Told(NamedTuple):
    """All rows of a run."""

    trades: Rows
    l1: Rows
    l2: Rows
    orders: Rows

    def same(self, other: Told) -> bool:
        return all(np.array_equal(mine, its) for mine, its in zip(self, other, strict=True))

    def before(self, ns: int) -> Told:
        return Told(*(rows[rows[:, 0] < ns] for rows in self))


def market(
    symbol: str = "ES",
    *,
    seed: int = 7,
    start_ns: int = NINE_THIRTY_NS,
    minutes: float | None = None,
    config: MarketConfig = NORMAL,
) -> SymbolMarket:
    schedule = Schedule(config.find(), seed=seed, minutes=minutes, start_ns=start_ns)
    return SymbolMarket(symbol, config, schedule, seed=seed, start_ns=start_ns)


def logging_sheets() -> Sheets:
    """Room for the log of orders as well."""
    return Sheets(orders=4 * LOG_ROOM)


def run(of: SymbolMarket, times: Iterable[int], sheets: Sheets | None = None) -> Told:
    """Everything that a market tells when it is run up to each of some times."""
    sheets = sheets or Sheets()
    parts = [tuple(rows.copy() for rows in told) for ns in times for told in of.run(ns, sheets)]
    empty = tuple(np.empty((0, width), np.int64) for width in WIDTHS)
    return Told(*(np.concatenate(rows) for rows in zip(empty, *parts, strict=True)))


@lru_cache(maxsize=4)
def session(symbol: str, scenario: str, minutes: float, seed: int = 7) -> Told:
    """A short session of a scenario from 09:30 on, with its log; read only."""
    config = MarketConfig(scenario=scenario)
    of = market(symbol, seed=seed, minutes=minutes, config=config)
    return run(of, [NINE_THIRTY_NS + round(minutes * MINUTE_NS)], logging_sheets())

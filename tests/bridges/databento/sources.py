"""Sessions in memory for the gateway: trades, quotes and books, and rows of mbo with values in all their fields."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from feedsim.events import Table
from feedsim.instruments import NS_PER_S
from feedsim.sources.base import Tables
from tests.support.memory_source import START_NS, TICK, MemorySource, small_tables

SYMBOLS = ("ES", "NQ")
CONTRACTS = {"ES": "ESU25", "NQ": "NQU25"}


def orders(count: int, seed: int, span_ns: int) -> Table:
    """Rows of every kind that mbo has, which build no book."""
    rng = np.random.default_rng(seed)
    action = rng.choice([ord(letter) for letter in "ACMTFR"], count)
    columns = {
        "ts": START_NS + np.sort(rng.integers(0, span_ns, count)),
        "symbol": rng.integers(0, 2, count),
        "action": action,
        "side": rng.integers(-1, 2, count),
        "price": np.where(action == ord("R"), np.nan, rng.integers(20_000, 21_000, count) * TICK),
        "size": rng.integers(0, 500, count),
        "order_id": rng.integers(1, 2**62, count),
        "flags": rng.integers(0, 256, count),
        "sequence": rng.integers(0, 2**32, count),
        "ts_in_delta": rng.integers(-(2**31), 2**31, count),
        "channel_id": rng.integers(0, 256, count),
    }
    return Table.build("mbo", SYMBOLS, columns)


@lru_cache(maxsize=4)
def tables(seconds: int, rate: float) -> Tables:
    made = small_tables(seconds=seconds, rate=rate, seed=3)
    return {**made, "mbo": orders(int(seconds * rate / 2), 4, seconds * NS_PER_S)}


def source(seconds: int, rate: float) -> MemorySource:
    end_ns = START_NS + seconds * NS_PER_S
    return MemorySource(tables(seconds, rate), SYMBOLS, start_ns=START_NS, end_ns=end_ns, contracts=CONTRACTS)


LONG = partial(source, 6000, 4.0)
SHORT = partial(source, 100, 20.0)

"""Bars from a session's start on, where trades are few: flat ones before the first trade, and between trades."""

from __future__ import annotations

import numpy as np
import pytest

from feedsim.events import Table
from feedsim.instruments import NS_PER_MS
from feedsim.mia.bars import BarTables

SYMBOLS = ("ES", "NQ")
START_NS = 1_755_783_000 * 1000 * NS_PER_MS


def trades(rows: list[tuple[int, int, float, int, int]]) -> Table:
    """(ms after the start, symbol, price, size, side)."""
    ms, symbol, price, size, side = zip(*rows, strict=True)
    columns = {
        "ts": START_NS + np.array(ms) * NS_PER_MS,
        "symbol": symbol,
        "price": price,
        "size": size,
        "side": side,
        "trade_id": range(len(rows)),
    }
    return Table.build("trade", SYMBOLS, columns)


FEW = trades(
    [
        (2100, 0, 5000.25, 3, 1),
        (2999, 0, 5000.0, 1, -1),
        (3000, 1, 18001.0, 2, 1),
        (5500, 0, 5001.0, 5, 1),
    ]
)


@pytest.mark.parametrize("cuts_ms", [[6000], [1000, 2500, 3000, 6000], [*range(1, 6001, 499), 6000]])
def test_every_second_has_a_bar(cuts_ms: list[int]) -> None:
    """Flat at the starting price, then at the last close; a trade at a bar's end is in the next one."""
    tables = BarTables(SYMBOLS, 1, START_NS)
    since_ns = START_NS
    for ms in cuts_ms:
        until_ns = START_NS + ms * NS_PER_MS
        part = FEW.take((FEW.avail >= since_ns) & (FEW.avail < until_ns))
        tables.take(part if len(part) else None, until_ns)
        since_ns = until_ns
    bars = tables.bars({0: 4999.75, 1: 18000.0})
    assert bars["symbol"].tolist() == [0, 1] * 6
    assert ((bars["ts"] - START_NS) // NS_PER_MS).tolist() == np.repeat(range(0, 6000, 1000), 2).tolist()
    es, nq = ({name: column[code::2].tolist() for name, column in bars.items()} for code in (0, 1))
    assert es["close"] == [4999.75, 4999.75, 5000.0, 5000.0, 5000.0, 5001.0]
    assert es["high"] == [4999.75, 4999.75, 5000.25, 5000.0, 5000.0, 5001.0]
    assert es["volume"] == [0, 0, 4, 0, 0, 5]
    assert es["delta"] == [0, 0, 2, 0, 0, 5]
    assert es["vwap"] == pytest.approx([4999.75, 4999.75, *[5000.1875] * 3, (4 * 5000.1875 + 5 * 5001.0) / 9])
    assert nq["close"] == [18000.0] * 3 + [18001.0] * 3
    assert nq["volume"] == [0, 0, 0, 2, 0, 0]


def test_a_row_of_the_footprint_for_each_bar() -> None:
    """All of a bar's volume beside its fullest price; a bar without trades at its close."""
    tables = BarTables(SYMBOLS, 1, START_NS)
    tables.take(FEW, START_NS + 6000 * NS_PER_MS)
    pivots = tables.pivots(tables.bars({0: 4999.75, 1: 18000.0}))
    assert pivots["price_level"][::2].tolist() == [4999.75, 4999.75, 5000.25, 5000.25 - 0.25, 5000.0, 5001.0]
    assert pivots["bid_volume"][::2].tolist() == [0, 0, 1, 0, 0, 0]
    assert pivots["ask_volume"][::2].tolist() == [0, 0, 3, 0, 0, 5]


def test_only_bars_that_are_over_are_told() -> None:
    """Five and a half seconds have one bar of five seconds, counted from the start."""
    tables = BarTables(SYMBOLS, 5, START_NS + 500 * NS_PER_MS)
    tables.take(FEW, START_NS + 6000 * NS_PER_MS)
    bars = tables.bars({0: 4999.75, 1: 18000.0})
    assert bars["ts"].tolist() == [START_NS + 500 * NS_PER_MS] * 2
    assert bars["volume"].tolist() == [4, 2]

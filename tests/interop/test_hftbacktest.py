"""hftbacktest, by its own Databento converter, has our book at a thousand instants.

Skipped where it is not installed: it needs an older NumPy than the newest.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedsim.app.exporting import export_dbn
from feedsim.config import SourceSettings
from feedsim.sources.dbn.source import DbnSource

hftbacktest: Any = pytest.importorskip("hftbacktest")

MINUTES, SEED, TICK = 1.0, 21, 0.25
INSTANTS = 1000
APART_NS = 2000  # the converter passes times through floats, which moves them by up to 256 ns


def test_its_book_is_ours_at_a_thousand_instants(tmp_path: Path) -> None:
    """Ten levels a side: prices and lots."""
    from hftbacktest.data.utils.databento import convert

    path = tmp_path / "orders.dbn.zst"
    export_dbn(SourceSettings(minutes=MINUTES, seed=SEED, option={"mbo": "yes"}), path, "mbo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = convert(str(path), "ESU5")
    source = DbnSource(path)
    assert source.info.end_ns is not None
    books = source.read(source.info.end_ns)["l2"]
    books = books.take(books.array("symbol") == 0)
    depth = _backtest(data)
    compared = 0
    for row in _instants(books.avail):
        ns = int(books.avail[row]) + APART_NS // 2
        book = depth(ns)
        for side in ("bid", "ask"):
            levels = zip(
                books.ragged(f"{side}_px").take(slice(row, row + 1)).values.tolist(),
                books.ragged(f"{side}_sz").take(slice(row, row + 1)).values.tolist(),
                strict=True,
            )
            at_tick = book.bid_qty_at_tick if side == "bid" else book.ask_qty_at_tick
            for price, size in levels:
                assert at_tick(round(price / TICK)) == size
        assert book.best_bid == books.ragged("bid_px").take(slice(row, row + 1)).values[0]
        assert book.best_ask == books.ragged("ask_px").take(slice(row, row + 1)).values[0]
        compared += 1
    assert compared == INSTANTS


def _instants(times: Any) -> list[int]:
    """Rows behind which nothing happens for a while."""
    quiet = np.flatnonzero(np.diff(times) > APART_NS)
    return quiet[np.linspace(0, len(quiet) - 1, INSTANTS).astype(int)].tolist()  # type: ignore[no-any-return]


def _backtest(data: Any) -> Any:
    asset = (
        hftbacktest.BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .l3_fifo_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0, 0)
        .tick_size(TICK)
        .lot_size(1)
    )
    backtest = hftbacktest.HashMapMarketDepthBacktest([asset])
    backtest.elapse(1)  # to the first event

    def depth_at(ns: int) -> Any:
        assert backtest.elapse(ns - int(backtest.current_timestamp)) == 0
        return backtest.depth(0)

    return depth_at

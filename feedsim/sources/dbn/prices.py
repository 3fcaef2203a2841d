"""Rows of trades, quotes and books from records of trades, tbbo, mbp-1 and mbp-10, in their order.

A record of a trade shows what was there before it: that is told first. A quote or a book is told where it differs from
the one that was told before, and a quote only where both sides have a price.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.dbn.files import Records
from feedsim.dbn.layout import ASK, BID, PRICE_SCALE, TRADED, UNDEF_PRICE
from feedsim.events import INT_NULL, Ragged, Table
from feedsim.events.columns import Int64
from feedsim.sources.base import Tables
from feedsim.sources.dbn.told import Told


def tables_of(records: Records, times: Int64, codes: Int64, told: Told) -> Tables:
    """What records tell, by channel; `told` remembers what was told last, and how many records there were."""
    if not len(records):
        return {}
    own = 2 * (told.records + np.arange(len(records)))
    told.records += len(records)
    tables: Tables = {}
    names = records.dtype.names or ()
    sold = (records["action"] == TRADED) & (records["price"] != UNDEF_PRICE)
    if sold.any():
        tables["trade"] = trades_of(records[sold], times[sold], codes[sold], own[sold] + 1, told)
    if "levels" in names:
        levels = records["levels"]
        own_of_levels = own + ~sold
        if levels.shape[1] > 1:
            tables |= books_of(records["ts_event"], levels, times, codes, own_of_levels, told)
        sales = last_sales(tables.get("trade"), own_of_levels, codes, told)
        tables |= quotes_of(records["ts_event"], levels[:, 0], times, codes, own_of_levels, sales, told)
    told.keep_sales(tables.get("trade"))
    return {channel: table for channel, table in tables.items() if len(table)}


def trades_of(records: Records, times: Int64, codes: Int64, own: Int64, told: Told) -> Table:
    columns = {
        "ts": records["ts_event"].astype(np.int64),
        "symbol": codes,
        "price": records["price"] / PRICE_SCALE,
        "size": records["size"].astype(np.int64),
        "side": (records["side"] == BID).astype(np.int64) - (records["side"] == ASK),
        "trade_id": told.number_trades(codes),
    }
    return Table.build("trade", told.symbols, columns, avail=times, own=own)


def last_sales(trades: Table | None, own: Int64, codes: Int64, told: Told) -> npt.NDArray[np.float64]:
    """Price and size of the last trade before each of some places; NaN before the first."""
    sales = told.sales[codes]
    if trades is not None:
        theirs = trades.array("symbol")
        pairs = np.stack((trades.array("price"), trades.array("size").astype(np.float64)), axis=1)
        for code in np.unique(theirs).tolist():
            rows, mine = np.flatnonzero(theirs == code), np.flatnonzero(codes == code)
            last = np.searchsorted(trades.own[rows], own[mine]) - 1
            known = last >= 0
            sales[mine[known]] = pairs[rows[last[known]]]
    return sales


def quotes_of(
    ts: npt.NDArray[Any],
    levels: npt.NDArray[Any],
    times: Int64,
    codes: Int64,
    own: Int64,
    sales: npt.NDArray[np.float64],
    told: Told,
) -> Tables:
    """Rows of l1 where the best prices or their sizes changed."""
    whole = np.flatnonzero((levels["bid_px"] != UNDEF_PRICE) & (levels["ask_px"] != UNDEF_PRICE))
    shown = np.stack(
        [levels[name][whole].astype(np.int64) for name in ("bid_px", "ask_px", "bid_sz", "ask_sz")], axis=1
    )
    rows = whole[told.changed("l1", shown, codes[whole])]
    if not len(rows):
        return {}
    sold = ~np.isnan(sales[rows, 0])
    columns = {
        "ts": ts[rows].astype(np.int64),
        "symbol": codes[rows],
        "bid": levels["bid_px"][rows] / PRICE_SCALE,
        "ask": levels["ask_px"][rows] / PRICE_SCALE,
        "last_price": sales[rows, 0],
        "bid_size": levels["bid_sz"][rows].astype(np.int64),
        "ask_size": levels["ask_sz"][rows].astype(np.int64),
        "last_size": np.where(sold, np.where(sold, sales[rows, 1], 0).astype(np.int64), INT_NULL),
    }
    return {"l1": Table.build("l1", told.symbols, columns, avail=times[rows], own=own[rows])}


def books_of(
    ts: npt.NDArray[Any], levels: npt.NDArray[Any], times: Int64, codes: Int64, own: Int64, told: Told
) -> Tables:
    """Rows of l2 where any level changed."""
    plain = np.ascontiguousarray(levels).view(np.uint8).reshape(len(levels), -1)
    rows = told.changed("l2", plain.view(np.int64), codes)
    if not len(rows):
        return {}
    levels = levels[rows]
    columns: dict[str, Any] = {"ts": ts[rows].astype(np.int64), "symbol": codes[rows]}
    depth = np.zeros(len(rows), np.int64)
    for side in ("bid", "ask"):
        there = levels[f"{side}_px"] != UNDEF_PRICE
        counts = there.sum(axis=1)
        depth = np.maximum(depth, counts)
        columns[f"{side}_px"] = Ragged(levels[f"{side}_px"][there] / PRICE_SCALE, counts)
        for kind in ("sz", "ct"):
            columns[f"{side}_{kind}"] = Ragged(levels[f"{side}_{kind}"][there].astype(np.int64), counts)
    bid, ask = (levels[f"{side}_px"][:, 0] for side in ("bid", "ask"))
    whole = (bid != UNDEF_PRICE) & (ask != UNDEF_PRICE)
    bid, ask = bid / PRICE_SCALE, ask / PRICE_SCALE
    columns |= {
        "levels": depth,
        "mid": np.where(whole, (bid + ask) / 2, np.nan),
        "spread": np.where(whole, ask - bid, np.nan),
    }
    return {"l2": Table.build("l2", told.symbols, columns, avail=times[rows], own=own[rows])}

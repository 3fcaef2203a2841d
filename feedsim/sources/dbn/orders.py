"""Rows of mbo, trades, quotes and books from market-by-order records: quotes and books are folded from the orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from feedsim.dbn.files import Records
from feedsim.dbn.layout import ASK, BID, DEPTH, F_LAST, LEVEL, PRICE_SCALE, TRADED, UNDEF_PRICE
from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.sources.base import Tables
from feedsim.sources.dbn.prices import books_of, last_sales, quotes_of, trades_of
from feedsim.sources.dbn.told import Told

if TYPE_CHECKING:
    from feedsim.sources.dbn.folding import Book


def tables_of(
    records: Records, times: Int64, codes: Int64, told: Told, books: dict[int, Book], *, marked: bool
) -> Tables:
    """What records tell. `marked`: they say where events end, and only there the books are told."""
    if not len(records):
        return {}
    own = told.records + np.arange(len(records))
    told.records += len(records)
    tables = {"mbo": _orders(records, times, codes, own, told)}
    sold = (records["action"] == TRADED) & (records["price"] != UNDEF_PRICE) & (records["size"] > 0)
    if sold.any():
        tables["trade"] = trades_of(records[sold], times[sold], codes[sold], own[sold], told)
    ends = (records["flags"] & F_LAST) > 0 if marked else np.ones(len(records), np.bool_)
    at = np.flatnonzero(ends)
    levels = _folded(records, codes, ends, books)
    ts = records["ts_event"][at]
    tables |= books_of(ts, levels, times[at], codes[at], own[at], told)
    sales = last_sales(tables.get("trade"), own[at] + 1, codes[at], told)
    tables |= quotes_of(ts, levels[:, 0], times[at], codes[at], own[at], sales, told)
    told.keep_sales(tables.get("trade"))
    return tables


def _orders(records: Records, times: Int64, codes: Int64, own: Int64, told: Told) -> Table:
    priced = records["price"] != UNDEF_PRICE
    columns = {
        "ts": records["ts_event"].astype(np.int64),
        "symbol": codes,
        "action": records["action"].astype(np.int64),
        "side": _sides(records),
        "price": np.where(priced, records["price"] / PRICE_SCALE, np.nan),
        "order_id": records["order_id"].view(np.int64),
    }
    for name in ("size", "flags", "sequence", "ts_in_delta", "channel_id"):
        columns[name] = records[name].astype(np.int64)
    return Table.build("mbo", told.symbols, columns, avail=times, own=own)


def _sides(records: Records) -> Int64:
    sides: Int64 = (records["side"] == BID).astype(np.int64) - (records["side"] == ASK)
    return sides


def _folded(
    records: Records, codes: Int64, ends: npt.NDArray[np.bool_], books: dict[int, Book]
) -> npt.NDArray[np.void]:
    """The levels behind every record that ends an event."""
    levels = np.zeros((int(ends.sum()), DEPTH), LEVEL)
    place = np.cumsum(ends) - 1
    sides = _sides(records)
    rows = np.stack(
        (
            records["action"].astype(np.int64),
            np.where(sides == 0, -1, (1 - sides) // 2),
            records["price"],
            records["size"].astype(np.int64),
            records["order_id"].view(np.int64),
        ),
        axis=1,
    )
    for code in np.unique(codes).tolist():
        mine = np.flatnonzero(codes == code)
        shown = books[code].fold(np.ascontiguousarray(rows[mine]), ends[mine])
        where = place[mine[ends[mine]]]
        for number, side in enumerate(("bid", "ask")):
            for index, kind in enumerate(("px", "sz", "ct")):
                levels[f"{side}_{kind}"][where] = shown[:, number, :, index]
    return levels

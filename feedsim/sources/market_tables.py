"""Tables of events from the rows that synthetic markets tell: ticks become prices, symbols come together in time.

The source imports it where compiled code is kept, so that what it imports itself is kept too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from feedsim.events import Ragged, Table
from feedsim.events.columns import INT_NULL, SCHEMAS
from feedsim.instruments import session_at
from feedsim.market.book import SHOWN
from feedsim.market.options import LISTED
from feedsim.market.sheets import Rows
from feedsim.market.telling import L2_FIELDS
from feedsim.sources.base import Tables
from feedsim.sources.market_orders import MBO_FIELDS, NO_PRICE


def named_context(rows: npt.NDArray[np.float64]) -> dict[str, Any]:
    """The columns of the context channel from the rows of a market."""
    columns: dict[str, Any] = {}
    at = 0
    for name in SCHEMAS["context"].names[2:]:
        if SCHEMAS["context"].field(name).kind.is_list:
            columns[name] = Ragged.from_matrix(rows[:, at : at + LISTED])
            at += LISTED
        else:
            columns[name] = rows[:, at].copy()
            at += 1
    return columns


def when_open(times: Rows) -> npt.NDArray[np.bool_]:
    """Which of some times in order lie in a session."""
    there = np.zeros(len(times), np.bool_)
    at = int(times[0]) if len(times) else 0
    while len(times) and at <= times[-1]:
        day = session_at(at)
        there |= (times >= day.open_ns) & (times < day.close_ns)
        at = day.close_ns
    return there


def _in_time(parts: list[tuple[int, Rows]]) -> tuple[Rows, Rows]:
    """The symbols' indices and the rows, by (time, symbol)."""
    symbol = np.repeat([code for code, _ in parts], [len(rows) for _, rows in parts])
    rows = np.concatenate([rows for _, rows in parts])
    order = np.argsort(rows[:, 0], kind="stable")
    return symbol[order], rows[order]


def _trades(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    ts, price, size, side, trade_id = rows.T
    columns = {
        "ts": ts.copy(),
        "symbol": symbol,
        "price": price * ticks[symbol],
        "size": size.copy(),
        "side": side.copy(),
        "trade_id": trade_id.copy(),
    }
    return Table.build("trade", symbols, columns)


def _quotes(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    ts, bid, ask, bid_size, ask_size, last_price, last_size = rows.T
    tick = ticks[symbol]
    columns = {
        "ts": ts.copy(),
        "symbol": symbol,
        "bid": bid * tick,
        "ask": ask * tick,
        "last_price": np.where(last_size > 0, last_price * tick, np.nan),
        "bid_size": bid_size.copy(),
        "ask_size": ask_size.copy(),
        "last_size": np.where(last_size > 0, last_size, INT_NULL),
    }
    return Table.build("l1", symbols, columns)


def _books(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    tick = ticks[symbol]
    levels = {
        name: Ragged.from_matrix(values * tick[:, None] if name.endswith("px") else values)
        for name, values in zip(L2_FIELDS[1:], np.split(rows[:, 1:], len(L2_FIELDS) - 1, axis=1), strict=True)
    }
    bid, ask = rows[:, 1] * tick, rows[:, 1 + 3 * SHOWN] * tick
    columns = {
        "ts": rows[:, 0].copy(),
        "symbol": symbol,
        "levels": np.full(len(rows), SHOWN),
        "mid": (bid + ask) / 2,
        "spread": ask - bid,
        **levels,
    }
    return Table.build("l2", symbols, columns)


def _orders(symbols: tuple[str, ...], ticks: Any, symbol: Rows, rows: Rows) -> Table:
    columns: dict[str, Any] = dict(zip(MBO_FIELDS, (column.copy() for column in rows.T), strict=True))
    priced = columns["price"] != NO_PRICE
    columns["price"] = np.where(priced, columns["price"] * priced * ticks[symbol], np.nan)
    zeros = np.zeros(len(rows), np.int64)
    columns.update(symbol=symbol, ts_in_delta=zeros, channel_id=zeros)
    return Table.build("mbo", symbols, columns)


_MAKERS = {"mbo": _orders, "trade": _trades, "l1": _quotes, "l2": _books}


def told_tables(symbols: tuple[str, ...], ticks: Any, told: Mapping[str, list[tuple[int, Rows]]]) -> Tables:
    """Tables by channel, orders to books, from the rows of markets, each with its symbol's index."""
    return {channel: _MAKERS[channel](symbols, ticks, *_in_time(parts)) for channel, parts in told.items() if parts}

"""Sessions of the synthetic market as arrays, with every order that came and went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from feedsim.instruments import NS_PER_MINUTE, TradingDay
from feedsim.lab.realism.arrays import LEVELS, Books, Int64, Orders, Quotes, Session, Trades, Vix
from feedsim.market.config import LONGEST_INTERVAL_MS, MarketConfig
from feedsim.sources import numba_cache

with numba_cache.kept():
    from feedsim.market.kernel import LOG_ROOM
    from feedsim.market.market import SymbolMarket
    from feedsim.market.schedule import Schedule
    from feedsim.market.sheets import Sheets


def sheets_with_log() -> Sheets:
    """Room for what a market tells, its log of orders included."""
    return Sheets(orders=4 * LOG_ROOM)


def generated(config: MarketConfig, *, seed: int, start_ns: int, minutes: float, sheets: Sheets) -> dict[str, Session]:
    """One session by symbol."""
    end_ns = start_ns + round(minutes * NS_PER_MINUTE)
    schedule = Schedule(config.find(), seed=seed, minutes=minutes, start_ns=start_ns)
    return {
        symbol: session_of(
            SymbolMarket(symbol, config, schedule, seed=seed, start_ns=start_ns), start_ns, end_ns, sheets
        )
        for symbol in config.symbols
    }


def session_of(market: SymbolMarket, start_ns: int, end_ns: int, sheets: Sheets) -> Session:
    """What a market tells from where it stands up to `end_ns`."""
    parts: tuple[list[Int64], ...] = ([], [], [], [])
    for told in market.run(end_ns, sheets):
        for part, rows in zip(parts, told, strict=True):
            if len(rows):
                part.append(rows.copy())
    trades, l1, l2, orders = parts
    quotes = Quotes(*_columns(l1)[:5]) if l1 else None
    return Session(
        start_ns=start_ns,
        end_ns=end_ns,
        trades=_trades(_columns(trades), quotes) if trades else None,
        quotes=quotes,
        books=_books(l2) if l2 else None,
        orders=Orders(*_columns(orders)) if orders else None,
        vix=_vix(market),
    )


def _columns(parts: list[Int64]) -> list[Int64]:
    """The rows of all parts, a column at a time: no more than one copy of them."""
    return [np.concatenate([part[:, at] for part in parts]) for at in range(parts[0].shape[1])]


def _trades(columns: list[Int64], quotes: Quotes | None) -> Trades:
    ts, price, size, side = columns[:4]
    quote = np.full(len(ts), -1) if quotes is None else quotes.before(ts)
    return Trades(ts, price, size, side, quote)


def _books(parts: list[Int64]) -> Books:
    """Rows have the time, then prices, sizes and counts of ten bids, then of ten asks."""
    fields = (slice(1 + LEVELS * at, 1 + LEVELS * (at + 1)) for at in (0, 1, 3, 4))
    ts = np.concatenate([part[:, 0] for part in parts])
    return Books(ts, *(np.concatenate([part[:, field] for part in parts]) for field in fields))


def _vix(market: SymbolMarket) -> Vix | None:
    if not market.context:
        return None
    times, rows = (np.concatenate(part) for part in zip(*market.context, strict=True))
    market.context = []
    return Vix(times, rows[:, 0].copy())


def generated_days(
    config: MarketConfig, *, seed: int, days: Iterable[TradingDay]
) -> Iterator[tuple[dict[str, Session], TradingDay]]:
    """Whole sessions of one market, one after the other: trades, quotes and the VIX only."""
    config = replace(config, l2_interval_ms=LONGEST_INTERVAL_MS)
    sheets, markets = Sheets(), list[SymbolMarket]()
    for day in days:
        if not markets:
            schedule = Schedule(config.find(), seed=seed, minutes=None, start_ns=day.open_ns)
            markets = [SymbolMarket(name, config, schedule, seed=seed, start_ns=day.open_ns) for name in config.symbols]
        found = {market.symbol: session_of(market, day.open_ns, day.close_ns, sheets) for market in markets}
        yield {name: replace(session, books=None, day=day) for name, session in found.items()}, day

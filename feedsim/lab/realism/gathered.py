"""Sessions of a tape as arrays: what any source tells, one stretch a trading day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from feedsim.events import Chunk, Table
from feedsim.events.chunk import Ordered
from feedsim.instruments import NS_PER_MINUTE, TradingDay, session_at
from feedsim.lab.realism.arrays import LEVELS, Books, Float64, Int64, Quotes, Session, Trades, Vix
from feedsim.lab.tallies import ON_TICK, tick_of
from feedsim.playback.tape import Tape

CHUNK_ROWS = 65_536
ALIGNED_NS = 60 * NS_PER_MINUTE
"""Stretches of this length begin at a whole minute, so that their minutes are those of the clock."""
CHANNELS = ("trade", "l1", "l2", "context")

Part = tuple[Table, Int64]
"""Rows of one symbol and their places on the tape."""


class Gathering:
    """Reads a tape once; `off_tick` counts prices that are not on it and were taken as the nearest."""

    def __init__(self, tape: Tape, *, on_chunk: Callable[[Chunk], None] | None = None) -> None:
        self._tape = tape
        self._on_chunk = on_chunk
        self.prices = self.off_tick = 0

    def stretches(self) -> Iterator[dict[str, Session]]:
        """The sessions of each trading day by symbol, in time. The tape must have an end."""
        self._tape.skip_to_start()
        kept: dict[tuple[str, int], list[Part]] = {}
        day: TradingDay | None = None
        while (chunk := self._tape.advance(CHUNK_ROWS)) is not None:
            for day_now, lo, hi in _by_day(chunk):
                if day is not None and day_now != day and kept:
                    yield self._sessions(day, kept)
                    kept = {}
                day = day_now
                _keep(kept, chunk, lo, hi, len(self._tape.symbols))
            if self._on_chunk is not None:
                self._on_chunk(chunk)
        if day is not None and kept:
            yield self._sessions(day, kept)

    def _sessions(self, day: TradingDay, kept: dict[tuple[str, int], list[Part]]) -> dict[str, Session]:
        assert self._tape.end_ns is not None
        start_ns = max(self._tape.start_ns, day.open_ns)
        end_ns = max(min(self._tape.end_ns, day.close_ns), start_ns + 1)
        if end_ns - start_ns >= ALIGNED_NS:
            start_ns = -(-start_ns // NS_PER_MINUTE) * NS_PER_MINUTE
        found = {}
        for code, symbol in enumerate(self._tape.symbols):
            rows = {channel: _joined(kept[channel, code]) for channel in CHANNELS if (channel, code) in kept}
            if rows:
                found[symbol] = self._session(rows, symbol, day, start_ns, end_ns)
        return found

    def _session(self, rows: dict[str, Part], symbol: str, day: TradingDay, start_ns: int, end_ns: int) -> Session:
        tick = tick_of(symbol) or _guessed_tick(rows)
        quotes, quote_seq = self._quotes(rows["l1"], tick) if "l1" in rows else (None, np.empty(0, np.int64))
        return Session(
            start_ns=start_ns,
            end_ns=end_ns,
            trades=self._trades(rows["trade"], tick, quote_seq) if "trade" in rows else None,
            quotes=quotes,
            books=_books(rows["l2"][0], tick) if "l2" in rows else None,
            vix=_vix(rows["context"][0]) if "context" in rows else None,
            day=day,
        )

    def _quotes(self, part: Part, tick: float) -> tuple[Quotes, Int64]:
        """Two-sided quotes that are not crossed, without repetitions."""
        rows, seq = part
        bid, ask = self._ticks(rows.array("bid"), tick), self._ticks(rows.array("ask"), tick)
        bid_size, ask_size = rows.array("bid_size"), rows.array("ask_size")
        sides = np.stack((bid, ask, bid_size, ask_size))
        good = np.isfinite(rows.array("bid")) & np.isfinite(rows.array("ask")) & (bid <= ask)
        good &= (bid_size > 0) & (ask_size > 0)
        found = np.flatnonzero(good)
        changed = np.ones(len(found), np.bool_)
        changed[1:] = (np.diff(sides[:, found]) != 0).any(axis=0)
        found = found[changed]
        return Quotes(rows.avail[found], *(column[found] for column in sides)), seq[found]

    def _trades(self, part: Part, tick: float, quote_seq: Int64) -> Trades:
        rows, seq = part
        quote = np.searchsorted(quote_seq, seq) - 1
        return Trades(rows.avail, self._ticks(rows.array("price"), tick), rows.array("size"), rows.array("side"), quote)

    def _ticks(self, prices: Float64, tick: float) -> Int64:
        known = np.isfinite(prices)
        exact = np.where(known, prices, 0.0) / tick
        ticks = np.rint(exact)
        self.prices += int(known.sum())
        self.off_tick += int((np.abs(exact - ticks) > ON_TICK).sum())
        return ticks.astype(np.int64)


def _by_day(chunk: Chunk) -> Iterator[tuple[TradingDay, int, int]]:
    """The trading days of a chunk and which of its positions are of each."""
    lo = 0
    while lo < len(chunk):
        day = session_at(int(chunk.avail[lo]))
        hi = max(int(np.searchsorted(chunk.avail, day.close_ns)), lo + 1)
        yield day, lo, hi
        lo = hi


def _keep(kept: dict[tuple[str, int], list[Part]], chunk: Chunk, lo: int, hi: int, symbols: int) -> None:
    for channel in CHANNELS:
        part = chunk.tables.get(channel)
        if part is None:
            continue
        part = part.take(chunk.rows_within(channel, lo, hi))
        for code in range(symbols):
            mine = part.table.array("symbol") == code
            if mine.any():
                rows: Ordered = part.take(mine)
                kept.setdefault((channel, code), []).append((rows.table, rows.seq))


def _joined(parts: list[Part]) -> Part:
    return Table.concatenate([table for table, _ in parts]), np.concatenate([seq for _, seq in parts])


def _books(rows: Table, tick: float) -> Books | None:
    """Of books that tell ten levels and when they were so."""
    columns: list[Any] = [rows.ragged(name) for name in ("bid_px", "bid_sz", "ask_px", "ask_sz")]
    whole = np.flatnonzero(~rows.array("coarse") & np.all([column.length >= LEVELS for column in columns], axis=0))
    if not len(whole):
        return None
    taken = [column.take(whole) for column in columns]
    bid_px, bid_sz, ask_px, ask_sz = (column.values[column.start[:, None] + np.arange(LEVELS)] for column in taken)
    bids, asks = (np.rint(prices / tick).astype(np.int64) for prices in (bid_px, ask_px))
    return Books(rows.avail[whole], bids, bid_sz, asks, ask_sz)


def _vix(rows: Table) -> Vix | None:
    known = np.isfinite(rows.array("vix"))
    return Vix(rows.avail[known], rows.array("vix")[known]) if known.any() else None


def _guessed_tick(rows: dict[str, Part]) -> float:
    """The smallest step between prices that occur."""
    names = (("trade", "price"), ("l1", "bid"), ("l1", "ask"))
    prices = np.concatenate(
        [np.empty(0), *(rows[channel][0].array(name) for channel, name in names if channel in rows)]
    )
    steps = np.diff(np.unique(np.round(prices[np.isfinite(prices)], 8)))
    return float(steps.min()) if len(steps) else 1.0

"""Reads the tape's rows for the exchange: one by one where somebody has to do with a symbol, else only the newest.

Both ways leave the same books. While nobody trades, a chunk costs one look at its streams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from feedsim.events import RANK, Chunk, StreamKey, Table
from feedsim.exchange.book import Book, Level
from feedsim.exchange.matching import L1, L2

CHANNELS = ("status", "profile", "trade", "l1", "l2")
TRADE, QUOTE, DEPTH, STATUS, PROFILE = (RANK[channel] for channel in ("trade", "l1", "l2", "status", "profile"))
NOTHING = Level(0, 0)


class Rows:
    """A chunk's rows as Python values, each channel made when it is first needed."""

    def __init__(self, chunk: Chunk, ticks: Mapping[str, float]) -> None:
        self.chunk = chunk
        self.rank: list[int] = chunk.rank.tolist()
        self.row: list[int] = chunk.row.tolist()
        self.stream: list[int] = chunk.stream.tolist()
        self._ticks = ticks
        self._trades: list[tuple[int, int, int]] | None = None
        self._quotes: list[tuple[int, int, int, int]] | None = None

    def trade(self, row: int) -> tuple[int, int, int]:
        """Price in ticks, size, side."""
        if self._trades is None:
            table = self.chunk.tables["trade"].table
            price = in_ticks(table.array("price"), self._tick(table))
            self._trades = list(
                zip(price.tolist(), table.array("size").tolist(), table.array("side").tolist(), strict=True)
            )
        return self._trades[row]

    def quote(self, row: int) -> tuple[int, int, int, int]:
        """Bid, its size, ask, its size."""
        if self._quotes is None:
            table = self.chunk.tables["l1"].table
            tick = self._tick(table)
            columns = [
                quoted
                for side in ("bid", "ask")
                for quoted in _side(table.array(side), table.array(f"{side}_size"), tick)
            ]
            self._quotes = list(zip(*columns, strict=True))
        return self._quotes[row]

    def _tick(self, table: Table) -> Any:
        return np.array([self._ticks.get(symbol, 1.0) for symbol in table.symbols])[table.array("symbol")]


def in_ticks(price: Any, tick: Any) -> Any:
    """Prices as whole ticks; what is none (a null) as 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(price), np.rint(price / tick), 0).astype(np.int64)


def _side(price: Any, size: Any, tick: Any) -> tuple[list[int], list[int]]:
    there = np.isfinite(price) & (size > 0)
    return in_ticks(price, tick).tolist(), np.where(there, size, 0).tolist()


def depth(table: Table, row: int, tick: float) -> tuple[list[Level], list[Level], bool]:
    """Bids, offers, and whether the book is a coarse one."""
    return _levels(table, "bid", row, tick), _levels(table, "ask", row, tick), bool(table.array("coarse")[row])


def _levels(table: Table, side: str, row: int, tick: float) -> list[Level]:
    prices, sizes = table.ragged(f"{side}_px"), table.ragged(f"{side}_sz")
    price = prices.values[(start := int(prices.start[row])) : start + max(int(prices.length[row]), 0)]
    size = sizes.values[(start := int(sizes.start[row])) : start + max(int(sizes.length[row]), 0)]
    ticks = in_ticks(price, tick).tolist()
    return [Level(price, lots) for price, lots in zip(ticks, size.tolist(), strict=False) if lots > 0]


class Reading:
    """The books of some symbols, and how far each has read."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self.books = books
        self.chunk: Chunk | None = None
        self.hi = 0
        """Everything before this position of the chunk has been told."""
        self._ticks = {symbol: book.product.tick for symbol, book in books.items()}
        self._at = dict.fromkeys(books, 0)
        """Up to where in the chunk each book has read."""
        self._rows: Rows | None = None
        self._codes: dict[str, dict[int, int]] = {}
        self._known_streams = -1

    def to(self, chunk: Chunk, hi: int) -> None:
        """Events of this chunk up to a position have been told."""
        if chunk is not self.chunk:
            self._leave()
            self.chunk, self._rows = chunk, None
        self.hi = hi

    def forget(self, *, keep_last: bool) -> None:
        """A new epoch: what was told before is not the market of now; its last prices may still value positions."""
        for book in self.books.values():
            book.forget(keep_last=keep_last)
        self.chunk, self._rows, self._codes, self._known_streams = None, None, {}, -1
        self._at = dict.fromkeys(self.books, 0)

    def _leave(self) -> None:
        for symbol in self.books:
            self.catch_up(symbol)
        self._at = dict.fromkeys(self.books, 0)

    def codes(self, symbol: str) -> dict[int, int]:
        """The numbers of a symbol's streams, by rank of the channel; -1 for those that have not spoken."""
        assert self.chunk is not None
        streams = self.chunk.streams
        if len(streams) != self._known_streams:
            self._known_streams = len(streams)
            self._codes = {
                name: {RANK[channel]: _code(streams.find(StreamKey(channel, name))) for channel in CHANNELS}
                for name in self.books
            }
        return self._codes[symbol]

    # ---------------------------------------------------------------------------------------------- only the newest

    def catch_up(self, symbol: str) -> Book:
        """The book of a symbol as of what was told."""
        book = self.books[symbol]
        lo, hi = self._at[symbol], self.hi
        if self.chunk is None or lo >= hi:
            return book
        self._at[symbol] = hi
        codes = self.codes(symbol)
        stream = self.chunk.stream[lo:hi]
        last = {rank: lo + _last(stream, code) for rank, code in codes.items() if code >= 0}
        depth_at, quote_at = last.get(DEPTH, -1), last.get(QUOTE, -1)
        if depth_at >= lo and self._show_depth(book, depth_at):
            depth_at = lo - 1
        if quote_at > depth_at and quote_at >= lo:
            self._show_quote(book, quote_at)
        if last.get(STATUS, -1) >= lo:
            self._show_status(book, last[STATUS])
        if last.get(TRADE, -1) >= lo:
            self._show_trades(book, codes[TRADE], max(depth_at, quote_at, lo - 1), last[TRADE])
        return book

    def _show_trades(self, book: Book, code: int, after: int, newest: int) -> None:
        """Those after the newest quote change the book; of those before, the newest is the last price."""
        assert self.chunk is not None
        table = self.chunk.tables["trade"].table
        first = newest if newest < after else after + 1
        for at in (first + np.flatnonzero(self.chunk.stream[first : newest + 1] == code)).tolist():
            row = int(self.chunk.row[at])
            price = int(in_ticks(table.array("price")[row], book.product.tick))
            if newest < after:
                book.last = price
            else:
                book.on_trade(
                    price, int(table.array("size")[row]), book.aggressor(price, int(table.array("side")[row]))
                )

    def _show_depth(self, book: Book, at: int) -> bool:
        """True for a coarse one, which leaves the best prices to quotes."""
        assert self.chunk is not None
        bids, asks, coarse = depth(self.chunk.tables["l2"].table, int(self.chunk.row[at]), book.product.tick)
        book.on_l2(bids, asks, coarse=coarse)
        return coarse

    def _show_quote(self, book: Book, at: int) -> None:
        assert self.chunk is not None
        table, row = self.chunk.tables["l1"].table, int(self.chunk.row[at])
        sides = []
        for side in ("bid", "ask"):
            price, size = float(table.array(side)[row]), int(table.array(f"{side}_size")[row])
            there = np.isfinite(price) and size > 0
            sides.append(Level(int(in_ticks(price, book.product.tick)), size if there else 0))
        book.on_l1(*sides)

    def _show_status(self, book: Book, at: int) -> None:
        assert self.chunk is not None
        book.phase = phase_of(self.chunk, int(self.chunk.row[at]), book.phase)

    # --------------------------------------------------------------------------------------------------- one by one

    def rows(self) -> Rows:
        assert self.chunk is not None
        if self._rows is None:
            self._rows = Rows(self.chunk, self._ticks)
        return self._rows

    def read_to(self, hi: int, hot: list[str], on_event: Callable[[Book, int, tuple[int, ...], int], None]) -> None:
        """Show the books of `hot` what was told since, and call on_event(book, rank, values, position) after each."""
        assert self.chunk is not None
        lo = self._at[hot[0]]
        wanted: list[Book | None] = [None] * len(self.chunk.streams)
        for symbol in hot:
            assert self._at[symbol] == lo
            for code in self.codes(symbol).values():
                if code >= 0:
                    wanted[code] = self.books[symbol]
        rows = self.rows()
        streams, ranks, numbers = rows.stream, rows.rank, rows.row
        for at in range(lo, hi):
            book = wanted[streams[at]]
            if book is None:
                continue
            rank = ranks[at]
            if rank == QUOTE:
                bid, bid_size, ask, ask_size = rows.quote(numbers[at])
                book.on_l1(Level(bid, bid_size), Level(ask, ask_size))
                on_event(book, rank, (), at)
            elif rank == TRADE:
                price, size, side = rows.trade(numbers[at])
                side = side or book.aggressor(price, 0)
                book.on_trade(price, size, side)
                on_event(book, rank, (price, size, side), at)
            elif rank == DEPTH:
                self._show_depth(book, at)
                on_event(book, rank, (), at)
            elif rank == STATUS:
                self._show_status(book, at)
                on_event(book, rank, (), at)
        for symbol in hot:
            self._at[symbol] = hi


def phase_of(chunk: Chunk, row: int, before: str) -> str:
    """A status row's phase; an epoch's begin says nothing of the market."""
    phase = str(chunk.tables["status"].table.array("phase")[row])
    return before if phase == "epoch" else phase


def _code(found: int | None) -> int:
    return -1 if found is None else found


def _last(stream: Any, code: int) -> int:
    """The last place of a code; far below 0 for none."""
    places = np.flatnonzero(stream == code)
    return int(places[-1]) if len(places) else -(1 << 62)


TOLD = {QUOTE: L1, DEPTH: L2}

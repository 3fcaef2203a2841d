"""Reads the tape's rows for the exchange: one by one where somebody has to do with a symbol, else only the newest.

Both ways leave the same books. While nobody trades, a chunk costs one look at its streams.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from feedsim.events import RANK, Chunk, StreamKey, Table
from feedsim.exchange.book import Book, Level
from feedsim.exchange.matching import L1, L2

Slice = tuple[Chunk, int, int]
"""Positions [lo, hi) of a chunk."""

MOST_UNREAD = 8  # chunks that are kept for a book that nobody looks at
CHANNELS = ("status", "trade", "l1", "l2")
STATUS, TRADE, QUOTE, DEPTH = (RANK[channel] for channel in CHANNELS)


class Rows:
    """A chunk's rows as Python values, each channel made when it is first needed."""

    def __init__(self, chunk: Chunk, ticks: Mapping[str, float]) -> None:
        self.chunk = chunk
        self.rank: list[int] = chunk.rank.tolist()
        self.row: list[int] = chunk.row.tolist()
        self.stream: list[int] = chunk.stream.tolist()
        self._ticks = ticks
        self._trades: list[tuple[int, int, int]] | None = None
        self._quotes: list[tuple[Level, Level]] | None = None

    def trade(self, row: int) -> tuple[int, int, int]:
        """Price in ticks, size, side."""
        if self._trades is None:
            table = self.chunk.tables["trade"].table
            price = in_ticks(table.array("price"), self._tick(table))
            self._trades = list(
                zip(price.tolist(), table.array("size").tolist(), table.array("side").tolist(), strict=True)
            )
        return self._trades[row]

    def quote(self, row: int) -> tuple[Level, Level]:
        """Best bid and offer."""
        if self._quotes is None:
            table = self.chunk.tables["l1"].table
            tick = self._tick(table)
            bids, asks = (_side(table.array(side), table.array(f"{side}_size"), tick) for side in ("bid", "ask"))
            self._quotes = list(zip(bids, asks, strict=True))
        return self._quotes[row]

    def _tick(self, table: Table) -> Any:
        return np.array([self._ticks.get(symbol, 1.0) for symbol in table.symbols])[table.array("symbol")]


def in_ticks(price: Any, tick: Any) -> Any:
    """Prices as whole ticks; what is none (a null) as 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(price), np.rint(price / tick), 0).astype(np.int64)


def _side(price: Any, size: Any, tick: Any) -> list[Level]:
    there = np.isfinite(price) & (size > 0)
    return list(map(Level, in_ticks(price, tick).tolist(), np.where(there, size, 0).tolist()))


def _levels(table: Table, side: str, row: int, tick: float) -> list[Level]:
    prices, sizes = table.ragged(f"{side}_px"), table.ragged(f"{side}_sz")
    price = prices.values[(start := int(prices.start[row])) : start + max(int(prices.length[row]), 0)]
    size = sizes.values[(start := int(sizes.start[row])) : start + max(int(sizes.length[row]), 0)]
    # Ten levels are too few for NumPy.
    levels = zip(price.tolist(), size.tolist(), strict=False)
    return [Level(round(price / tick), lots) for price, lots in levels if lots > 0 and math.isfinite(price)]


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
        self._unread: dict[str, list[Slice]] = {symbol: [] for symbol in books}
        """What of earlier chunks each has not."""
        self._wanted: set[str] = set()
        """Symbols whose book somebody asked for in this epoch."""
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
        for symbol, book in self.books.items():
            self._caught_up(symbol)
            book.forget(keep_last=keep_last)
        self._wanted.clear()
        self.chunk, self._rows, self._codes, self._known_streams = None, None, {}, -1
        self._at = dict.fromkeys(self.books, 0)

    def _leave(self) -> None:
        for symbol, at in self._at.items():
            unread = self._unread[symbol]
            if self.chunk is not None and at < self.hi:
                unread.append((self.chunk, at, self.hi))
                self._at[symbol] = self.hi
                if len(unread) == MOST_UNREAD:
                    self._caught_up(symbol)
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
        self._wanted.add(symbol)
        return self._caught_up(symbol)

    def keep_up(self) -> None:
        """The same, of those that somebody wanted before: whoever wants them next does not wait."""
        for symbol in self._wanted:
            self._caught_up(symbol)

    def _caught_up(self, symbol: str) -> Book:
        book, slices = self.books[symbol], self._unread[symbol]
        if self.chunk is not None and self._at[symbol] < self.hi:
            slices.append((self.chunk, self._at[symbol], self.hi))
            self._at[symbol] = self.hi
        if slices:
            self._unread[symbol] = []
            wanted = self.codes(symbol)
            first = self._pass_over(book, slices, wanted)
            for chunk, lo, hi in slices:
                if chunk.first_seq + hi > first:
                    self._show_all(book, chunk, max(lo, first - chunk.first_seq), hi, wanted)
        return book

    def _pass_over(self, book: Book, slices: list[Slice], codes: dict[int, int]) -> int:
        """Show the phase and last price before the newest l2, or of a source that tells none the newest l1, which says
        all else; of one that tells neither the newest of both. The seq from which on everything is to be shown."""
        newest = depth = _newest(slices, codes[DEPTH])
        if newest is None and not book.with_depth:
            newest = _newest(slices, codes[QUOTE])
        if newest is None and (book.with_depth or any(book.sides)):
            return 0
        last, _, end = slices[-1]
        seq = last.first_seq + end if newest is None else newest[0].first_seq + newest[1]
        before = [(chunk, lo, min(hi, seq - chunk.first_seq)) for chunk, lo, hi in slices if chunk.first_seq + lo < seq]
        for rank in (STATUS, TRADE):
            found = _newest(before, codes[rank])
            if found is not None:
                chunk, at = found
                if rank == STATUS:
                    show_status(book, chunk, at)
                else:
                    book.last = trade_at(book, chunk, at)[0]
        if depth is not None and depth[0].tables["l2"].table.array("coarse")[int(depth[0].row[depth[1]])]:
            found = _newest(before, codes[QUOTE])
            if found is not None:
                show_quote(book, *found)
        return seq

    def _show_all(self, book: Book, chunk: Chunk, lo: int, hi: int, codes: dict[int, int]) -> None:
        wanted = set(codes.values())
        for at, stream in enumerate(chunk.stream[lo:hi].tolist(), lo):
            if stream not in wanted:
                continue
            rank = int(chunk.rank[at])
            if rank == QUOTE:
                show_quote(book, chunk, at)
            elif rank == TRADE:
                price, size, side = trade_at(book, chunk, at)
                book.on_trade(price, size, side or book.aggressor(price, 0))
            elif rank == DEPTH:
                show_depth(book, chunk, at)
            else:
                show_status(book, chunk, at)

    # --------------------------------------------------------------------------------------------------- one by one

    def rows(self) -> Rows:
        assert self.chunk is not None
        if self._rows is None:
            self._rows = Rows(self.chunk, self._ticks)
        return self._rows

    def first_of(self, chunk: Chunk, lo: int, hi: int, channels: Mapping[str, Sequence[str]]) -> int:
        """The first event of some channels, named by symbol, at positions [lo, hi), all before which is told; hi where
        there is none."""
        self.to(chunk, lo)
        wanted = {self.codes(symbol)[RANK[channel]] for symbol, names in channels.items() for channel in names}
        streams = self.rows().stream
        return next((at for at in range(lo, hi) if streams[at] in wanted), hi)

    def read(
        self, lo: int, hi: int, symbols: Iterable[str], on_event: Callable[[Book, int, tuple[int, ...], int], None]
    ) -> None:
        """Show the books of some symbols what was told at positions [lo, hi).

        After each event on_event(book, rank, values, position) is called; whoever then looks at another book
        sees it as of that event.
        """
        assert self.chunk is not None
        self.hi = lo
        wanted: list[Book | None] = [None] * len(self.chunk.streams)
        for symbol in symbols:
            self.catch_up(symbol)
            self._at[symbol] = hi
            for code in self.codes(symbol).values():
                if code >= 0:
                    wanted[code] = self.books[symbol]
        rows = self.rows()
        streams, ranks = rows.stream, rows.rank
        for at in range(lo, hi):
            book = wanted[streams[at]]
            if book is not None:
                self.hi = at + 1
                on_event(book, ranks[at], self._show(book, rows, at), at)
        self.hi = hi

    def _show(self, book: Book, rows: Rows, at: int) -> tuple[int, ...]:
        """The event at a position; of a trade price, size and side, of others nothing."""
        rank = rows.rank[at]
        if rank == QUOTE:
            book.on_l1(*rows.quote(rows.row[at]))
        elif rank == TRADE:
            price, size, side = rows.trade(rows.row[at])
            side = side or book.aggressor(price, 0)
            book.on_trade(price, size, side)
            return price, size, side
        elif rank == DEPTH:
            show_depth(book, rows.chunk, at)
        elif rank == STATUS:
            show_status(book, rows.chunk, at)
        return ()


def show_quote(book: Book, chunk: Chunk, at: int) -> None:
    table, row = chunk.tables["l1"].table, int(chunk.row[at])
    sides = []
    for side in ("bid", "ask"):
        price, size = float(table.array(side)[row]), int(table.array(f"{side}_size")[row])
        there = math.isfinite(price) and size > 0
        sides.append(Level(_ticks(price, book), size if there else 0))
    book.on_l1(*sides)


def show_depth(book: Book, chunk: Chunk, at: int) -> None:
    table, row = chunk.tables["l2"].table, int(chunk.row[at])
    bids, asks = (_levels(table, side, row, book.product.tick) for side in ("bid", "ask"))
    book.on_l2(bids, asks, coarse=bool(table.array("coarse")[row]))


def trade_at(book: Book, chunk: Chunk, at: int) -> tuple[int, int, int]:
    """Price in ticks, size, side."""
    table, row = chunk.tables["trade"].table, int(chunk.row[at])
    price = _ticks(float(table.array("price")[row]), book)
    return price, int(table.array("size")[row]), int(table.array("side")[row])


def _ticks(price: float, book: Book) -> int:
    """As `in_ticks`, of one price."""
    return round(price / book.product.tick) if math.isfinite(price) else 0


def show_status(book: Book, chunk: Chunk, at: int) -> None:
    """An epoch's begin says nothing of the market."""
    phase = str(chunk.tables["status"].table.array("phase")[int(chunk.row[at])])
    if phase != "epoch":
        book.phase = phase


def _newest(slices: list[Slice], code: int) -> tuple[Chunk, int] | None:
    """The last event of a stream."""
    for chunk, lo, hi in reversed(slices):
        places = np.flatnonzero(chunk.stream[lo:hi] == code)
        if len(places):
            return chunk, lo + int(places[-1])
    return None


def _code(found: int | None) -> int:
    """-1, which no event has, for a stream that has not spoken."""
    return -1 if found is None else found


TOLD = {QUOTE: L1, DEPTH: L2}

"""Batches of all feeds, as they end, folded into l2 and context rows; the state is what was told so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from feedsim.sources.base import Tables
from feedsim.sources.sierra.feed import Feed
from feedsim.sources.sierra.folds import ASK, BID, Batch, Book, BookRow, OptionLevels, book_table, context_table

Ended = tuple[int, str, Batch]
"""(available time, queue, batch)"""


class _State(msgspec.Struct, array_like=True):
    books: list[dict[str, list[float]]]
    vix: float | None
    levels: list[dict[str, float]]


class Minutes:
    """What a source knows by the minute; nothing is available outside [start_ns, last_ns]."""

    def __init__(self, feeds: Sequence[Feed], symbols: tuple[str, ...], start_ns: int, last_ns: int) -> None:
        self.feeds = feeds
        self.symbols = symbols
        self.start_ns, self.last_ns = start_ns, last_ns
        self._books = [Book() for _ in symbols]
        self._levels = OptionLevels(symbols)

    def take(self, until_ns: int) -> Tables:
        """The rows not told yet that are available before `until_ns`."""
        ended = sorted(self._ended(until_ns), key=lambda taken: (taken[0], taken[2].end_ns, taken[1]))
        tables: Tables = {}
        if books := self._book_rows([taken for taken in ended if taken[1].startswith("depth/")]):
            tables["l2"] = book_table(books, self.symbols)
        if context := self._context_rows([taken for taken in ended if not taken[1].startswith("depth/")]):
            tables["context"] = context_table(context, self.symbols)
        return tables

    def _ended(self, until_ns: int) -> Iterator[Ended]:
        for feed in self.feeds:
            while not feed.covers_minutes(until_ns):
                feed.pull()
            for queue, batches in feed.batches.items():
                while batches and (avail := self._avail(batches[0])) < until_ns:
                    yield avail, queue, batches.popleft()
                    feed.taken(queue, 1)

    def _avail(self, batch: Batch) -> int:
        return min(max(batch.end_ns, self.start_ns), self.last_ns)

    def _book_rows(self, ended: Sequence[Ended]) -> list[BookRow]:
        rows: list[BookRow] = []
        for avail, queue, batch in ended:
            symbol = _symbol(queue)
            assert symbol is not None
            book = self._books[symbol]
            book.apply(batch)
            rows.append(BookRow(avail, symbol, book.side(BID), book.side(ASK)))
        return sorted(rows, key=lambda row: (row.avail, row.symbol))

    def _context_rows(self, ended: Sequence[Ended]) -> list[tuple[int, int, dict[str, Any]]]:
        """One row for each symbol that something changed for, at each time."""
        rows: list[tuple[int, int, dict[str, Any]]] = []
        for avail, group in groupby(ended, key=lambda taken: taken[0]):
            concerned: set[int] = set()
            for _, queue, batch in group:
                concerned |= self._levels.apply(_symbol(queue), batch)
            rows += [(avail, symbol, self._levels.row(symbol)) for symbol in sorted(concerned)]
        return rows

    def save(self) -> bytes:
        state = _State([book.levels for book in self._books], self._levels.vix, self._levels.levels)
        return msgspec.msgpack.encode(state)

    def restore(self, saved: bytes) -> None:
        state = msgspec.msgpack.decode(saved, type=_State)
        for book, levels in zip(self._books, state.books, strict=True):
            book.levels = levels
        self._levels.vix, self._levels.levels = state.vix, state.levels


def _symbol(queue: str) -> int | None:
    """The symbol that a queue is of; None for the VIX."""
    _, _, code = queue.partition("/")
    return int(code) if code else None

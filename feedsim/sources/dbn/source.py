"""DBN files as a source: mbo, mbp-10, mbp-1, tbbo, trades and ohlcv; times and their order are the files' own.

Of what several schemas tell the fullest is told. Quotes and books of mbo are folded from its orders. Bars are told only
where there are no trades; else `own_bars` gives them for comparison.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from feedsim.dbn.files import DbnFile, Records, blocks
from feedsim.dbn.layout import PRICE_SCALE
from feedsim.events import CHANNELS, Table
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S
from feedsim.sources import numba_cache
from feedsim.sources.base import SourceInfo, Tables
from feedsim.sources.dbn.cursor import Cursor
from feedsim.sources.dbn.files import available, identity, recognise, survey
from feedsim.sources.dbn.told import Told

if TYPE_CHECKING:
    from feedsim.sources.dbn.folding import Book

__all__ = ["DbnSource", "recognise"]

STRIDE_NS = 60 * NS_PER_S  # at most this much is read at once while seeking
_CHANNELS = {
    "mbo": ("mbo", "trade", "l1", "l2"),
    "mbp-10": ("trade", "l1", "l2"),
    "mbp-1": ("trade", "l1"),
    "tbbo": ("trade", "l1"),
    "trades": ("trade",),
    "": ("bar",),
}


class _State(msgspec.Struct, array_like=True):
    position_ns: int
    places: list[tuple[int, int]]
    told: bytes
    books: dict[int, tuple[bytes, bytes, bytes]]


class DbnSource:
    """A file, or the files of a folder. Raises SourceError (file, row) for what is wrong in them."""

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        found = survey(path)
        self._survey = found
        self._symbols = found.symbols
        start_ns = min(content.first_ns for content in found.told)
        self.instrument_ids = {found.symbols[code]: number for number, code in sorted(found.code_of.items())}
        """By symbol."""
        self._info = SourceInfo(
            kind="dbn",
            name=str(path),
            symbols=found.symbols,
            channels=tuple(channel for channel in CHANNELS if channel in _CHANNELS[found.schema]),
            start_ns=start_ns,
            end_ns=max(content.last_ns for content in found.told) + 1,
            identity=identity(path, [*found.events, *found.bars]),
            contracts=dict(sorted(found.contracts.items())),
            notes=tuple(found.notes),
        )
        self._codes = _lookup(found.code_of)
        self._marked = any(content.marked for content in found.told)
        self._cursors = [Cursor(content.file) for content in found.told]
        self._told = Told(found.symbols)
        self._books = _new_books(len(found.symbols)) if found.schema == "mbo" else {}
        self._position_ns = start_ns
        self._initial = self.save()

    @property
    def info(self) -> SourceInfo:
        return self._info

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that are available before `until_ns`; see `feedsim.sources.base.Source`."""
        self._position_ns = max(self._position_ns, until_ns)
        if not self._survey.schema:
            return self._bars(until_ns)
        records, times = _merged([cursor.take(until_ns) for cursor in self._cursors])
        codes = self._code(records)
        if self._survey.schema == "mbo":
            from feedsim.sources.dbn import orders

            return orders.tables_of(records, times, codes, self._told, self._books, marked=self._marked)
        from feedsim.sources.dbn import prices

        return prices.tables_of(records, times, codes, self._told)

    def _bars(self, until_ns: int) -> Tables:
        parts = [self._bars_of(cursor.file, *cursor.take(until_ns)) for cursor in self._cursors]
        parts = [part for part in parts if len(part)]
        return {"bar": _in_time(Table.concatenate(parts))} if parts else {}

    def _bars_of(self, file: DbnFile, records: Records, times: Int64) -> Table:
        columns = {
            "ts": records["ts_event"].astype(np.int64),
            "symbol": self._code(records),
            "tf_s": np.full(len(records), file.schema.interval_s),
            "volume": records["volume"].astype(np.int64),
            **{name: records[name] / PRICE_SCALE for name in ("open", "high", "low", "close")},
        }
        return Table.build("bar", self._symbols, columns, avail=times)

    def own_bars(self) -> Table:
        """The bars of the files, by (end, symbol)."""
        parts = [
            self._bars_of(content.file, records, available(records, content.file))
            for content in self._survey.bars
            for records in blocks(content.file)
        ]
        return _in_time(Table.concatenate(parts)) if parts else Table.empty("bar", self._symbols)

    def _code(self, records: Records) -> Int64:
        ids, codes = self._codes
        found: Int64 = codes[np.searchsorted(ids, records["instrument_id"])]
        return found

    def seek(self, ns: int) -> None:
        """Go to the first row at or after `ns`: what is before it is read, from the start if it lies behind."""
        if ns < self._position_ns:
            self.restore(self._initial)
        assert self._info.end_ns is not None
        ns = min(ns, self._info.end_ns)
        while self._position_ns < ns:
            self.read(min(self._position_ns + STRIDE_NS, ns))

    # ------------------------------------------------------------------------------------------------------ position

    def save(self) -> bytes:
        places = [(cursor.position, cursor.last_ns) for cursor in self._cursors]
        books = {code: book.save() for code, book in self._books.items()}
        return msgspec.msgpack.encode(_State(self._position_ns, places, self._told.save(), books))

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=_State)
        self._position_ns = saved.position_ns
        for cursor, place in zip(self._cursors, saved.places, strict=True):
            cursor.go_to(*place)
        self._told.restore(saved.told)
        for code, book in saved.books.items():
            self._books[code].restore(book)

    def close(self) -> None:
        """Files are closed when they are read to their ends, or let go of."""


def _lookup(code_of: dict[int, int]) -> tuple[Int64, Int64]:
    """Instrument ids in order, and the code of each."""
    ids = sorted(code_of)
    return np.array(ids, np.int64), np.array([code_of[number] for number in ids], np.int64)


def _new_books(symbols: int) -> dict[int, Book]:
    with numba_cache.kept():
        from feedsim.sources.dbn.folding import Book

    return {code: Book() for code in range(symbols)}


def _merged(parts: list[tuple[Records, Int64]]) -> tuple[Records, Int64]:
    """The records of all files by when they are available; at one time in the order of the files."""
    filled = [part for part in parts if len(part[1])] or parts[:1]
    if len(filled) == 1:
        return filled[0]
    times = np.concatenate([times for _, times in filled])
    order = np.argsort(times, kind="stable")
    return np.concatenate([records for records, _ in filled])[order], times[order]


def _in_time(table: Table) -> Table:
    return table.take(np.lexsort((table.array("symbol"), table.avail)))

"""Trades and quotes in a delimited text file (.csv, .csv.gz, .csv.zst) as a source, in the order of the file.

Rows must be in the order of time. A quote on the row of a trade was there before it. Which column is what is read off
the header where its names are usual, else said by options. Memory is one block of lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from feedsim.errors import SourceError
from feedsim.events import INT_NULL, Table
from feedsim.events.columns import Int64
from feedsim.sources.base import SourceInfo, Tables
from feedsim.sources.delimited_header import QUOTE
from feedsim.sources.delimited_rows import Rows, cells_of, parse_rows
from feedsim.sources.delimited_survey import survey_of
from feedsim.sources.text_lines import Block, LineFile

_SUFFIXES = (".csv", ".csv.gz", ".csv.zst")
_CHANNELS = {"trade": ("trade",), "quote": ("l1",), "both": ("trade", "l1")}
_LONG_AGO = -(1 << 63)


def recognise(path: Path) -> bool:
    """Whether a path is a file that is named as delimited text."""
    return path.name.lower().endswith(_SUFFIXES) and path.is_file()


class _State(msgspec.Struct, array_like=True):
    offset: int = 0
    row: int = 1
    """Of the block that was read last, or comes next."""
    before_ns: int = _LONG_AGO
    """The available time of the last row before it."""
    next_row: int = 2
    """The first row that was not told."""
    left_out: int = 0
    last: dict[int, tuple[float, int]] = {}
    """Price and size of each symbol's last trade."""


class DelimitedSource:
    """One file. Raises SourceError (file, row, what was expected) when it is opened, and when rows are read."""

    def __init__(
        self,
        path: Path | str,
        columns: Mapping[str, str] | None = None,
        *,
        symbol: str | None = None,
        time_unit: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Read the file's symbols and its first and last time.

        columns: headers by field, over what the headers say; symbol: of all rows where no column has one, else those
        to tell, with commas between; time_unit: s, ms, us or ns of times that are counts; kind: trade, quote or both.
        Raises ConfigError for options that there are not.
        """
        self.path = Path(path)
        options = {f"column.{name}": header for name, header in sorted((columns or {}).items())}
        options |= {
            name: value for name, value in (("symbol", symbol), ("time_unit", time_unit), ("kind", kind)) if value
        }
        self._survey = survey = survey_of(self.path, columns or {}, symbol, time_unit, kind)
        self._code = {root: code for code, root in enumerate(survey.symbols)}
        self._reader = LineFile(self.path)
        self._state = _State()
        self._before_ns = _LONG_AGO
        self._pending: Rows | None = None
        self._ended = False
        self._info = SourceInfo(
            kind="csv",
            name=str(path),
            symbols=survey.symbols,
            channels=_CHANNELS[survey.layout.kind],
            start_ns=survey.first_ns,
            end_ns=survey.last_ns + 1,
            identity={"kind": "csv", "path": str(self.path.absolute()), "options": options} | survey.identity,
            contracts=survey.contracts,
            notes=survey.notes,
        )

    @property
    def info(self) -> SourceInfo:
        count = self._state.left_out
        more = (f"{count:,} rows are left out: of other symbols, or neither a trade nor a quote",) if count else ()
        return replace(self._info, notes=(*self._info.notes, *more))

    # ------------------------------------------------------------------------------------------------------- reading

    def read(self, until_ns: int) -> Tables:
        """The rows not read yet that are available before `until_ns`; `own` is twice their row, and one for a trade."""
        parts: list[Tables] = []
        while (rows := self._rows()) is not None:
            count = int(np.searchsorted(rows.avail, until_ns))
            if count:
                parts.append(self._tables(rows.cut(0, count)))
                self._state.next_row = int(rows.number[count - 1]) + 1
            if count < len(rows):
                self._pending = rows.cut(count)
                break
            self._pending = None
        joined: Tables = {}
        for channel in self._info.channels:
            if found := [tables[channel] for tables in parts if channel in tables]:
                joined[channel] = Table.concatenate(found)
        return joined

    def _rows(self) -> Rows | None:
        """Rows that were not told: what is left of a block, else the next that has any."""
        while self._pending is None and not self._ended:
            self._state.offset, self._state.row = self._reader.offset, self._reader.row
            block = self._reader.read()
            if block is None:
                self._ended = True
            else:
                self._pending = self._parse(block)
        return self._pending

    def _parse(self, block: Block) -> Rows | None:
        survey = self._survey
        cells, number = cells_of(block, survey.layout, str(self.path))
        if not cells:
            return None
        rows = parse_rows(cells, number, survey.layout, survey.time_format, survey.only_symbol, str(self.path))
        self._state.before_ns, self._before_ns = self._before_ns, int(rows.avail[-1])
        back = rows.avail < np.concatenate(([self._state.before_ns], rows.avail[:-1]))
        if back.any():
            problem = "time is before that of the row above, expected ascending times"
            raise SourceError(problem, file=str(self.path), row=int(number[np.argmax(back)]))
        rows = rows.cut(int(np.searchsorted(rows.number, self._state.next_row)))
        return rows if len(rows) else None

    # -------------------------------------------------------------------------------------------------------- tables

    def _tables(self, rows: Rows) -> Tables:
        codes = np.array([self._code.get(self._survey.roots.get(name, ""), -1) for name in rows.symbol], np.int64)
        told = codes >= 0
        self._state.left_out += int((~(told & (rows.trade | rows.quote))).sum())
        trades, quotes = np.flatnonzero(told & rows.trade), np.flatnonzero(told & rows.quote)
        tables: Tables = {}
        if "trade" in self._info.channels and len(trades):
            tables["trade"] = self._table("trade", rows, codes, trades, ("price", "size", "side", "trade_id"))
        if "l1" in self._info.channels and len(quotes):
            tables["l1"] = self._table("l1", rows, codes, quotes, (*QUOTE, "last_price", "last_size"))
            if "trade" in self._info.channels:
                self._add_last(tables["l1"], rows, codes, quotes, trades)
        if "trade" in tables:
            self._note_last(tables["trade"])
        return tables

    def _table(self, channel: str, rows: Rows, codes: Int64, at: npt.NDArray[np.intp], names: tuple[str, ...]) -> Table:
        columns = {name: rows.columns[name][at] for name in names if name in rows.columns}
        columns |= {"ts": rows.ts[at], "symbol": codes[at]}
        own = rows.number[at] * 2 + (channel == "trade")
        return Table.build(channel, self._info.symbols, columns, avail=rows.avail[at], own=own)

    def _add_last(
        self, table: Table, rows: Rows, codes: Int64, quotes: npt.NDArray[np.intp], trades: npt.NDArray[np.intp]
    ) -> None:
        """Fill in the last trade before each quote: one on the same row came after it."""
        for code in np.unique(codes[quotes]).tolist():
            mine, of_trades = codes[quotes] == code, trades[codes[trades] == code]
            price, size = self._state.last.get(code, (np.nan, INT_NULL))
            before = np.searchsorted(of_trades, quotes[mine])
            table.array("last_price")[mine] = np.concatenate(([price], rows.columns["price"][of_trades]))[before]
            table.array("last_size")[mine] = np.concatenate(([size], rows.columns["size"][of_trades]))[before]

    def _note_last(self, trades: Table) -> None:
        codes = trades.array("symbol")
        for code in np.unique(codes).tolist():
            row = int(np.flatnonzero(codes == code)[-1])
            self._state.last[code] = (float(trades.array("price")[row]), int(trades.array("size")[row]))

    # ----------------------------------------------------------------------------------------------------- positions

    def seek(self, ns: int) -> None:
        """Start again and read up to there, unless it lies ahead."""
        if self._state.next_row > 2:
            self.restore(msgspec.msgpack.encode(_State()))
        while (rows := self._rows()) is not None and rows.avail[0] < ns:
            self.read(min(ns, int(rows.avail[-1]) + 1))

    def save(self) -> bytes:
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        self._state = msgspec.msgpack.decode(state, type=_State)
        self._before_ns = self._state.before_ns
        self._reader.seek(self._state.offset, self._state.row)
        self._pending, self._ended = None, False

    def close(self) -> None:
        self._reader.close()

"""Blocks of a delimited file as arrays: one entry a row, with what is no number, no time or no side as an error."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from feedsim.errors import SourceError
from feedsim.events import INT_NULL
from feedsim.events.columns import Float64, Int64
from feedsim.sources.delimited_header import QUOTE, TRADE, Layout
from feedsim.sources.delimited_times import parse_times
from feedsim.sources.text_lines import Block

Mask = npt.NDArray[np.bool_]
Cells = Sequence[str]
Value = TypeVar("Value", int, float)

_SIDES = {"buy": 1, "b": 1, "1": 1, "+1": 1, "sell": -1, "s": -1, "-1": -1, "": 0, "n": 0, "none": 0, "0": 0}
_TRADE, _QUOTE, _OTHER = 1, 2, 3
_TYPES = {
    **dict.fromkeys(("t", "trade", "last"), _TRADE),
    **dict.fromkeys(("q", "quote", "bidask", "bbo", "a", "m", "c"), _QUOTE),
    **dict.fromkeys(("r", "f", "n"), _OTHER),
}
"""Databento's actions among them: add, modify and cancel change the quote, clear and fill are neither."""
_TOO_MUCH = 1e9
"""No price in points is so high; a count of 1e-9 points is."""
_EXACT = 1 << 53


@dataclass(slots=True)
class Rows:
    """Rows of a file in its order; the numbers of a row that is no trade, or no quote, mean nothing."""

    number: Int64
    ts: Int64
    avail: Int64
    symbol: npt.NDArray[np.object_]
    trade: Mask
    quote: Mask
    columns: dict[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(self.number)

    def cut(self, start: int, stop: int | None = None) -> Rows:
        part = slice(start, stop)
        return Rows(
            self.number[part],
            self.ts[part],
            self.avail[part],
            self.symbol[part],
            self.trade[part],
            self.quote[part],
            {name: column[part] for name, column in self.columns.items()},
        )


def cells_of(block: Block, layout: Layout, file: str) -> tuple[list[list[str]], Int64]:
    """The rows of a block and their numbers, without the header and blank lines. Raises SourceError."""
    try:
        return _cells_of(block, layout)
    except SourceError as error:
        raise SourceError(error.problem, file=file, row=error.row) from None


def _cells_of(block: Block, layout: Layout) -> tuple[list[list[str]], Int64]:
    try:
        lines = block.data.decode("utf-8-sig" if block.offset == 0 else "utf-8").split("\n")
    except UnicodeDecodeError as error:
        row = block.row + block.data.count(b"\n", 0, error.start)
        raise SourceError("expected UTF-8 text", row=row) from None
    if lines[-1] == "":
        lines.pop()
    first_row = block.row
    if first_row == 1:
        lines, first_row = lines[1:], 2
    try:
        rows = _split(lines, layout)
    except csv.Error:
        rows = []
    if len(rows) != len(lines):  # a quoted field that does not end in its line
        rows = [_split_one(line, layout, first_row + index) for index, line in enumerate(lines)]
    number = np.arange(first_row, first_row + len(rows))
    if set(map(len, rows)) == {len(layout.names)}:
        return rows, number
    return _not_blank(rows, number, len(layout.names))


def _split(lines: Sequence[str], layout: Layout) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True, strict=True))


def _split_one(line: str, layout: Layout, row: int) -> list[str]:
    try:
        return next(iter(_split([line], layout)), [])
    except csv.Error as error:
        raise SourceError(f"expected fields whose quotes end in their line: {error}", row=row) from None


def _not_blank(rows: list[list[str]], number: Int64, width: int) -> tuple[list[list[str]], Int64]:
    for index, row in enumerate(rows):
        if len(row) != width and any(map(str.strip, row)):
            problem = f"{len(row)} fields, expected {width} as in the header"
            raise SourceError(problem, row=int(number[index]))
    kept = [index for index, row in enumerate(rows) if len(row) == width and any(row)]
    return [rows[index] for index in kept], number[kept]


def time_texts(rows: Sequence[Sequence[str]], layout: Layout) -> list[str]:
    """The time of each row as one text."""
    at = layout.at
    if "ts" in at:
        return [row[at["ts"]].strip() for row in rows]
    if "time" not in at:
        return [row[at["date"]].strip() for row in rows]
    return [f"{row[at['date']].strip()} {row[at['time']].strip()}" for row in rows]


def parse_rows(rows: list[list[str]], number: Int64, layout: Layout, form: str, symbol: str | None, file: str) -> Rows:
    """Cells as arrays; `form` is the format of the times, `symbol` that of all rows where no column has it.

    Raises SourceError.
    """
    try:
        return _parse(rows, number, layout, form, symbol)
    except SourceError as error:
        row = None if error.row is None else int(number[error.row])
        raise SourceError(error.problem, file=file, row=row) from None


def _parse(rows: list[list[str]], number: Int64, layout: Layout, form: str, symbol: str | None) -> Rows:
    by_column = list(zip(*rows, strict=True))
    cells = {name: by_column[index] for name, index in layout.at.items()}
    ts = parse_times(time_texts(rows, layout), form)
    avail = parse_times([text.strip() for text in cells["recv"]], form) if "recv" in cells else ts
    trade, quote = _masks(cells, layout, len(rows))
    columns: dict[str, npt.NDArray[Any]] = {}
    if layout.kind != "quote":
        columns |= _trades(cells, trade, number, layout)
    if layout.kind != "trade":
        columns |= _quotes(cells, quote, last=layout.kind == "quote")
    symbols = np.array(cells["symbol"] if "symbol" in cells else [symbol] * len(rows), object)
    return Rows(number, ts, avail, symbols, trade, quote, columns)


def _masks(cells: Mapping[str, Cells], layout: Layout, rows: int) -> tuple[Mask, Mask]:
    """Which rows are trades, and which are quotes; a row may be both."""
    has_trade = _filled(cells, TRADE, rows) if layout.kind == "both" else np.full(rows, layout.kind == "trade")
    has_quote = _filled(cells, QUOTE, rows) if layout.kind == "both" else np.full(rows, layout.kind == "quote")
    if "type" not in cells:
        return has_trade, has_quote
    codes = np.array([_TYPES.get(text.strip().lower(), 0) for text in cells["type"]])
    if not codes.all():
        row = int(np.argmin(codes))
        raise SourceError(f"type is {cells['type'][row]!r}, expected trade or quote (T or Q; or T, A, M, C)", row=row)
    if layout.kind == "quote":
        return has_trade, has_quote & (codes != _OTHER) & ((codes == _QUOTE) | _filled(cells, QUOTE, rows))
    is_trade = codes == _TRADE
    # What calls itself a trade or a quote must have the numbers of one.
    return is_trade, (codes == _QUOTE) | (has_quote & is_trade) if layout.kind == "both" else has_quote & False


def _filled(cells: Mapping[str, Cells], names: Sequence[str], rows: int) -> Mask:
    """Rows in which one of some cells is not empty."""
    found = np.zeros(rows, np.bool_)
    for name in names:
        if name in cells:
            found |= np.array([bool(text) for text in cells[name]], np.bool_)
    return found


def _trades(cells: Mapping[str, Cells], trade: Mask, number: Int64, layout: Layout) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {
        "price": _prices(cells, "price", trade),
        "size": _lots(cells, "size", trade),
        "side": _sides(cells["side"], trade, layout) if "side" in cells else np.zeros(len(trade), np.int64),
        "trade_id": number,
    }
    if "trade_id" in cells:
        found["trade_id"] = _whole(cells["trade_id"], trade, "trade_id")
        _refuse(trade & (found["trade_id"] == INT_NULL), cells["trade_id"], "trade_id", "a whole number")
    return found


def _quotes(cells: Mapping[str, Cells], quote: Mask, *, last: bool) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {name: _prices(cells, name, quote) for name in QUOTE[:2]}
    found |= {name: _lots(cells, name, quote) for name in QUOTE[2:]}
    if last and "price" in cells:
        found["last_price"] = _floats(cells["price"], quote, "last price")
    if last and "size" in cells:
        found["last_size"] = _whole(cells["size"], quote, "last size")
    return found


# ------------------------------------------------------------------------------------------------------------ numbers


def _prices(cells: Mapping[str, Cells], name: str, wanted: Mask) -> Float64:
    found = _floats(cells[name], wanted, name)
    _refuse(wanted & np.isnan(found), cells[name], name, "a price")
    _refuse(wanted & (np.abs(found) >= _TOO_MUCH), cells[name], name, "a price in points, below 1e9")
    return found


def _lots(cells: Mapping[str, Cells], name: str, wanted: Mask) -> Int64:
    found = _whole(cells[name], wanted, name)
    _refuse(wanted & (found < 0), cells[name], name, "a whole number of 0 or more")
    return found


def _sides(cells: Cells, trade: Mask, layout: Layout) -> Int64:
    known = _SIDES | ({"a": -1} if layout.has_side_letters else {})
    found = np.array([known.get(text.strip().lower(), 9) for text in cells], np.int64)
    _refuse(trade & (found == 9), cells, "side", "buy or sell (b, s, 1, -1), or nothing")
    return found


def _floats(cells: Cells, wanted: Mask, name: str) -> Float64:
    """NaN for empty cells and those of rows that are not wanted."""
    found = np.array(_each(cells, wanted, name, float, np.nan), np.float64)
    _refuse(wanted & np.isinf(found), cells, name, "a number")
    return found


def _whole(cells: Cells, wanted: Mask, name: str) -> Int64:
    """INT_NULL for empty cells and those of rows that are not wanted; 3.0 is 3."""
    try:
        found = np.array(_each(cells, wanted, name, int, INT_NULL), np.int64)
    except (SourceError, OverflowError):
        values = _floats(cells, wanted, name)
        whole = np.isnan(values) | ((np.floor(values) == values) & (np.abs(values) < _EXACT))
        _refuse(~whole, cells, name, "a whole number")
        found = np.where(np.isnan(values), INT_NULL, np.nan_to_num(values).astype(np.int64))
    return found


def _each(cells: Cells, wanted: Mask, name: str, parse: Callable[[str], Value], null: Value) -> list[Value]:
    if wanted.all() and "_" not in "".join(cells):
        try:
            return list(map(parse, cells))
        except ValueError:
            pass  # empty or wrong: see which
    found = [null] * len(cells)
    for row in np.flatnonzero(wanted).tolist():
        text = cells[row].strip()
        try:
            found[row] = parse(text) if text else null
        except ValueError:
            raise SourceError(f"{name} is {text!r}, expected a number", row=row) from None
        if "_" in text:  # Python would read 1_000
            raise SourceError(f"{name} is {text!r}, expected a number", row=row)
    return found


def _refuse(wrong: Mask, cells: Cells, name: str, expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise SourceError(f"{name} is {cells[row].strip() or 'empty'!r}, expected {expected}", row=row)

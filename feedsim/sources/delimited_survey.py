"""What a delimited file holds, learned before anything is told: its layout, symbols, first and last time.

The whole file is gone through once where a column has the symbol, since a new one may come anywhere; that also finds
rows with too few fields and compressed files that are cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedsim.errors import SourceError
from feedsim.instruments import root_of
from feedsim.sources.delimited_header import Layout, read_header
from feedsim.sources.delimited_rows import cells_of, parse_rows, time_texts
from feedsim.sources.delimited_times import TEXT, check_unit, format_of, has_zone
from feedsim.sources.text_lines import Block, LineFile

_END = 1 << 16  # bytes of a file's head and tail that its identity covers


@dataclass(frozen=True)
class Survey:
    """Enough to read the file."""

    layout: Layout
    time_format: str
    only_symbol: str | None
    """The symbol of all rows, where no column has it."""
    roots: dict[str, str]
    """The root of every name that is told."""
    first_ns: int
    last_ns: int
    notes: tuple[str, ...]
    identity: dict[str, Any]

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.roots.values())))

    @property
    def contracts(self) -> dict[str, str]:
        return {root: name for name, root in sorted(self.roots.items()) if root != name}


def survey_of(
    path: Path, columns: Mapping[str, str], symbol: str | None, time_unit: str | None, kind: str | None
) -> Survey:
    """Look through a file. Raises SourceError, ConfigError."""
    check_unit(time_unit)
    file = str(path)
    reader = LineFile(path)
    try:
        first = reader.read()
        layout = _layout(first, file, columns, kind)
        names: dict[str, None] = {}
        head = last = first
        block: Block | None = first
        head_cells: list[list[str]] = []
        while block is not None:
            if block.data.strip():
                last = block
            if "symbol" in layout.at or not head_cells:
                cells, _ = cells_of(block, layout, file)
                if cells and not head_cells:
                    head, head_cells = block, cells
                if "symbol" in layout.at:
                    names |= dict.fromkeys(row[layout.at["symbol"]] for row in cells)
            block = reader.read()
    finally:
        reader.close()
    if not head_cells:
        raise SourceError("expected rows below the header", file=file, row=2)
    assert head is not None
    assert last is not None
    return _survey(path, layout, head, last, list(names), symbol, time_unit)


def _layout(first: Block | None, file: str, columns: Mapping[str, str], kind: str | None) -> Layout:
    if first is None:
        raise SourceError("is empty, expected a header line with the names of the columns", file=file, row=1)
    try:
        line = first.data.partition(b"\n")[0].decode("utf-8-sig")
        return read_header(line.strip("\r"), columns, kind)
    except UnicodeDecodeError:
        raise SourceError("expected UTF-8 text", file=file, row=1) from None
    except SourceError as error:
        raise SourceError(error.problem, file=file, row=error.row) from None


def _survey(
    path: Path, layout: Layout, head: Block, last: Block, names: list[str], symbol: str | None, time_unit: str | None
) -> Survey:
    file = str(path)
    cells, number = cells_of(head, layout, file)
    first_text = time_texts(cells[:1], layout)[0]
    try:
        form = format_of(first_text, time_unit)
    except SourceError as error:
        raise SourceError(error.problem, file=file, row=int(number[0])) from None
    roots = _roots(names, symbol, layout, file)
    only = None if "symbol" in layout.at else symbol
    first_ns = int(parse_rows(cells[:1], number[:1], layout, form, only, file).avail[0])
    cells, number = cells_of(last, layout, file)
    last_ns = int(parse_rows(cells[-1:], number[-1:], layout, form, only, file).avail[0])
    if last_ns < first_ns:
        raise SourceError(
            "time is before that of the first row, expected ascending times", file=file, row=int(number[-1])
        )
    zone = form != TEXT or has_zone(first_text)
    return Survey(layout, form, only, roots, first_ns, last_ns, _notes(layout, form, zone=zone), _identity(path))


def _roots(names: list[str], symbol: str | None, layout: Layout, file: str) -> dict[str, str]:
    """Roots by name of the symbols to tell."""
    if "symbol" not in layout.at:
        if symbol is None:
            raise SourceError("no column has the symbol; --option symbol=ES says it", file=file, row=1)
        return {symbol: root_of(symbol)}
    found = {name: root_of(name.strip()) for name in names if name.strip()}
    if symbol is None:
        chosen = found
    else:
        wanted = {root_of(name.strip()) for name in symbol.split(",")}
        chosen = {name: root for name, root in found.items() if root in wanted}
    if not chosen:
        there = ", ".join(sorted(set(found.values()))) or "no symbols"
        raise SourceError(f"no row has the symbol {symbol}; the file has {there}", file=file)
    return chosen


def _notes(layout: Layout, form: str, *, zone: bool) -> tuple[str, ...]:
    what = {"trade": "trades", "quote": "quotes", "both": "trades and quotes"}[layout.kind]
    times = f"times in {form}" if form != TEXT else "times as text" if zone else "times without a zone, taken as UTC"
    notes = [f"{what}, {times}"]
    if layout.unread:
        notes.append(f"columns that are not read: {', '.join(layout.unread)}")
    return tuple(notes)


def _identity(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    ends = hashlib.sha256()
    with path.open("rb") as file:
        ends.update(file.read(_END))
        file.seek(max(0, size - _END))
        ends.update(file.read())
    return {"size": size, "ends_sha256": ends.hexdigest()}

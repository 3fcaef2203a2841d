"""Which DBN files lie at a path, and which of them tell what: found out by reading each once."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from feedsim.dbn.files import SUFFIXES, DbnFile, Records, blocks, definitions_in, read_head
from feedsim.dbn.layout import F_LAST, UNDEF_TIMESTAMP
from feedsim.errors import SourceError
from feedsim.events.columns import Int64
from feedsim.instruments import NS_PER_S, root_of

EVENTS = ("mbo", "mbp-10", "mbp-1", "tbbo", "trades")
"""Schemas of which one is told, the fullest that is there: each has all that those after it have."""
_CONTINUOUS = re.compile(r"^(?P<root>[A-Z0-9]+)\.[cnv]\.\d+$")


def recognise(path: Path) -> bool:
    """Whether a path is a file that is named as DBN, or a folder with such files."""
    return bool(_found(path))


def _found(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.name.lower().endswith(SUFFIXES) and file.is_file())
    return [path] if path.is_file() and path.name.lower().endswith(SUFFIXES) else []


@dataclass
class Contents:
    """What a file has."""

    file: DbnFile
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    ids: set[int] = field(default_factory=set)
    marked: bool = False
    """Whether it says where events end."""
    crc: int = 0
    counts: dict[int, int] = field(default_factory=dict)


@dataclass
class Survey:
    """The files that are told, and what their instruments are called."""

    events: list[Contents]
    bars: list[Contents]
    schema: str
    symbols: tuple[str, ...]
    code_of: dict[int, int]
    """Symbols' codes by instrument id."""
    contracts: dict[str, str]
    notes: list[str]

    @property
    def told(self) -> list[Contents]:
        return self.events or self.bars


def survey(path: Path) -> Survey:
    """Read every file once. Raises SourceError where nothing can be replayed."""
    files = [read_head(found) for found in _found(path)]
    names = {number: name for file in files for number, name in file.names.items()}
    for file in files:
        if file.schema.name == "definition":
            names |= definitions_in(file)
    contents = [_read(file) for file in files if file.schema.name in EVENTS or file.schema.name.startswith("ohlcv")]
    contents = [content for content in contents if content.rows]
    schema = next((name for name in EVENTS if any(content.file.schema.name == name for content in contents)), "")
    events = [content for content in contents if content.file.schema.name == schema]
    bars = [content for content in contents if content.file.schema.name.startswith("ohlcv")]
    if not events and not bars:
        raise SourceError(f"no records of {', '.join(EVENTS)} or ohlcv", file=str(path))
    left_out = sorted({file.path.name for file in files} - {content.file.path.name for content in (*events, *bars)})
    notes = [f"left out, as other files tell it or nothing is in it: {', '.join(left_out)}"] if left_out else []
    symbols, code_of, contracts = _called(events or bars, names)
    return Survey(events, bars, schema, symbols, code_of, contracts, notes)


def _read(file: DbnFile) -> Contents:
    contents = Contents(file)
    for records in blocks(file):
        times = available(records, file)
        if not contents.rows:
            contents.first_ns = int(times.min())
        contents.rows += len(records)
        contents.last_ns = max(contents.last_ns, int(times.max()))
        ids, counts = np.unique(records["instrument_id"], return_counts=True)
        for number, count in zip(ids.tolist(), counts.tolist(), strict=True):
            contents.counts[number] = contents.counts.get(number, 0) + count
        contents.ids.update(ids.tolist())
        contents.crc = zlib.crc32(records.tobytes(), contents.crc)
        if "flags" in (records.dtype.names or ()):
            contents.marked = contents.marked or bool((records["flags"] & F_LAST).any())
    return contents


def available(records: Records, file: DbnFile) -> Int64:
    """When each record was received or, where that is not told, happened; bars at their ends."""
    if file.schema.name.startswith("ohlcv"):
        return records["ts_event"].astype(np.int64) + file.schema.interval_s * NS_PER_S
    received = records["ts_recv"]
    known = np.where(received == UNDEF_TIMESTAMP, records["ts_event"], received)
    whole: Int64 = known.astype(np.int64)
    return whole


def _called(
    contents: Sequence[Contents], names: dict[int, str]
) -> tuple[tuple[str, ...], dict[int, int], dict[str, str]]:
    """A root where it has one name, else the name itself: contracts of one root that trade side by side."""
    ids = sorted({number for content in contents for number in content.ids})
    raw = {number: names.get(number, str(number)) for number in ids}
    by_root: dict[str, set[str]] = {}
    for name in raw.values():
        by_root.setdefault(_root(name), set()).add(name)
    symbol_of = {name: root if len(names) == 1 else name for root, names in by_root.items() for name in names}
    symbols = tuple(sorted(set(symbol_of.values())))
    code_of = {number: symbols.index(symbol_of[name]) for number, name in raw.items()}
    contracts = {symbol: name for name, symbol in symbol_of.items() if symbol != name}
    return symbols, code_of, contracts


def _root(name: str) -> str:
    match = _CONTINUOUS.match(name)
    return match["root"] if match else root_of(name)


def identity(path: Path, contents: Sequence[Contents]) -> dict[str, Any]:
    """What fixes the files: their names, how many records they have and the checksums of these."""
    files = [[content.file.path.name, content.rows, content.crc] for content in contents]
    return {"kind": "dbn", "path": str(path.absolute()), "files": files, "options": {}}

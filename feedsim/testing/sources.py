"""A conformance check for sources: every breach of the contract is an AssertionError that says what was broken.

It reads the source many times, in windows of several lengths and from saved positions, and compares all rows with
those of one plain reading. It knows the contract alone, and nothing of any kind of source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from feedsim.events import CHANNELS, INT_NULL, SCHEMAS, Field, Kind, Ragged, Table
from feedsim.events.columns import Column
from feedsim.instruments import NS_PER_S
from feedsim.sources.base import Source, SourceInfo, Tables

YEAR_NS = 366 * 86_400 * NS_PER_S
EARLIEST_NS, LATEST_NS = 10 * YEAR_NS, 230 * YEAR_NS  # 1980 and 2200: other times are in another unit
LONGEST_DELAY_NS = 8 * 86_400 * NS_PER_S  # a row's ts is at most a week (of one bar) before it is available
CLOCK_SKEW_NS = 60 * NS_PER_S  # an exchange's clock may be ahead of the receiver's
SAVES = 3

Make = Callable[[], Source]


def check_source(make: Make, *, window_ns: int = NS_PER_S, max_rows: int = 200_000) -> None:
    """Hold the sources that `make` makes to the contract of `feedsim.sources.base.Source`.

    make: opens the same data anew at every call; window_ns: the length of the windows of the plain reading (they grow
    where nothing happens); max_rows: how much is compared, of a source that has more or no end.
    Raises AssertionError, with one sentence on what is wrong.
    """
    opened: list[Source] = []

    def fresh() -> Source:
        opened.append(make())
        return opened[-1]

    try:
        info = _check_info(fresh(), fresh())
        reading = _read_plainly(fresh(), info, window_ns, max_rows)
        _check_rows(reading, info)
        _check_windows(fresh, reading, window_ns)
        _check_positions(fresh, reading)
        _check_end(fresh, info, reading)
    finally:
        for source in opened:
            source.close()


class _Reading:
    """What a source told before `end_ns`, by channel, and at which times its windows ended."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = self.end_ns = start_ns
        self.parts: list[Tables] = []

    @property
    def tables(self) -> Tables:
        return joined(self.parts)

    def after(self, ns: int) -> Tables:
        """The rows available at or after `ns`."""
        return {
            channel: table.take(table.avail >= ns)
            for channel, table in self.tables.items()
            if len(table) and table.avail[-1] >= ns
        }

    def times(self) -> list[int]:
        """Every time at which a row was available."""
        tables = self.tables
        return np.unique(np.concatenate([table.avail for table in tables.values()])).tolist() if tables else []


def joined(parts: Iterable[Tables]) -> Tables:
    """Windows end to end, by channel."""
    by_channel: dict[str, list[Table]] = {}
    for tables in parts:
        for channel, table in tables.items():
            if len(table):
                by_channel.setdefault(channel, []).append(table)
    return {channel: Table.concatenate(tables) for channel, tables in by_channel.items()}


# --------------------------------------------------------------------------------------------------------------- info


def _check_info(source: Source, other: Source) -> SourceInfo:
    info = source.info
    _same_info(info, other.info, "two sources made alike")
    assert info.kind, "info.kind is empty"
    assert info.symbols, "info.symbols is empty"
    assert list(info.symbols) == sorted(set(info.symbols)), f"info.symbols must be sorted and unique: {info.symbols}"
    known = [channel for channel in CHANNELS if channel in info.channels]
    assert list(info.channels) == known, f"info.channels must be known channels in rank order: {info.channels}"
    assert info.channels, "info.channels is empty"
    assert EARLIEST_NS < info.start_ns < LATEST_NS, f"info.start_ns is {info.start_ns}, which is no time in ns UTC"
    assert info.end_ns is None or info.end_ns > info.start_ns, "info.end_ns must be after info.start_ns"
    assert set(info.contracts) <= set(info.symbols), "info.contracts names symbols that info.symbols does not"
    assert "kind" in info.identity, "info.identity has no kind"
    try:
        json.dumps(info.identity)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"info.identity must be JSON values: {error}") from error
    return info


def _same_info(info: SourceInfo, other: SourceInfo, when: str) -> None:
    """All but the notes, which may grow while a source is read."""
    assert replace(info, notes=()) == replace(other, notes=()), f"info differs: {when}"


# --------------------------------------------------------------------------------------------------------------- rows


def _read_plainly(source: Source, info: SourceInfo, window_ns: int, max_rows: int) -> _Reading:
    """Read window by window to the end or up to about `max_rows`; windows double while they are empty."""
    reading = _Reading(info.start_ns)
    rows, length = 0, window_ns
    while rows < max_rows and (info.end_ns is None or reading.end_ns < info.end_ns):
        until = reading.end_ns + length
        tables = source.read(until)
        got = sum(map(len, tables.values()))
        _check_window(tables, info, reading.end_ns, until)
        reading.parts.append(tables)
        reading.end_ns = until
        rows += got
        length = window_ns if got else min(length * 2, YEAR_NS)
        assert until < LATEST_NS, "a source without an end told nothing for two hundred years"
    _same_info(info, source.info, "before and after reading")
    assert rows, "the source told no rows"
    return reading


def _check_window(tables: Tables, info: SourceInfo, start_ns: int, until_ns: int) -> None:
    for channel, table in tables.items():
        assert channel in info.channels, f"channel {channel} is told but not in info.channels"
        assert table.channel == channel, f"the table of {channel} says that it is {table.channel}"
        assert table.symbols == info.symbols, f"{channel}: the table's symbols are not those of info"
        if not len(table):
            continue
        assert int(table.avail.max()) < until_ns, f"{channel}: read({until_ns}) told a row available at or after it"
        first = int(table.avail.min())
        assert first >= start_ns, f"{channel}: a row available at {first} came after read({start_ns}) or before start"


def _check_rows(reading: _Reading, info: SourceInfo) -> None:
    for channel, table in reading.tables.items():
        _check_columns(table)
        codes = table.array("symbol")
        assert codes.min() >= 0, f"{channel}: symbol codes must index info.symbols"
        assert codes.max() < len(info.symbols), f"{channel}: symbol codes must index info.symbols"
        _check_order(table)
        _check_times(table)
        if info.end_ns is not None:
            assert table.avail.max() < info.end_ns, f"{channel}: a row is available at or after info.end_ns"


def _check_columns(table: Table) -> None:
    assert tuple(table.columns) == SCHEMAS[table.channel].names, f"{table.channel}: columns are not those of the schema"
    for field in SCHEMAS[table.channel].fields:
        column = table.columns[field.name]
        where = f"{table.channel}.{field.name}"
        assert len(column) == len(table), f"{where}: has {len(column)} values in {len(table)} rows"
        values = column.values if isinstance(column, Ragged) else column
        assert isinstance(column, Ragged) == field.kind.is_list, f"{where}: expected {field.kind.value}"
        expected = np.dtype(np.int64) if field.name == "symbol" else field.kind.dtype  # symbols are held as indices
        assert values.dtype == expected, f"{where}: dtype is {values.dtype}, expected {expected}"
        if field.name != "symbol" and not field.nullable and not field.optional:
            assert not _has_null(column, field), f"{where}: has a null or NaN, which the field cannot be"


def _has_null(column: Column, field: Field) -> bool:
    if isinstance(column, Ragged):
        values = column.packed().values
        return bool((column.length < 0).any()) or bool(np.isnan(values.astype(np.float64)).any())
    if field.kind is Kind.FLOAT:
        return bool(np.isnan(column).any())
    if field.kind is Kind.TEXT:
        return not all(isinstance(value, str) for value in column.tolist())
    return field.kind is Kind.INT and bool((column == INT_NULL).any())


def _check_order(table: Table) -> None:
    step = np.diff(table.avail)
    assert (step >= 0).all(), f"{table.channel}: rows must be in the order of their available time"
    own = np.diff(table.own)
    assert (own[step == 0] >= 0).all(), f"{table.channel}: rows of one time must be in the source's own order"


def _check_times(table: Table) -> None:
    for field in SCHEMAS[table.channel].fields:
        if not field.time:
            continue
        ts = table.array(field.name)
        where = f"{table.channel}.{field.name}"
        assert ((ts > EARLIEST_NS) & (ts < LATEST_NS)).all(), f"{where}: has values that are no times in ns UTC"
        delay = table.avail - ts
        assert (delay >= -CLOCK_SKEW_NS).all(), f"{where}: is later than the time at which its row is available"
        assert (delay <= LONGEST_DELAY_NS).all(), f"{where}: is more than a week before its row is available"


# ---------------------------------------------------------------------------------------- windows, positions, the end


def _check_windows(fresh: Make, reading: _Reading, window_ns: int) -> None:
    """The same rows in one window, in windows of other lengths, and in windows that end at the rows themselves."""
    times = reading.times()
    cuts = {
        "one window": [reading.end_ns],
        "longer windows": _grid(reading, 7 * window_ns + 1),
        "windows that end when rows are available": [
            *(ns + one for ns in times[:: max(1, len(times) // 50)] for one in (0, 1)),
            reading.end_ns,
        ],
    }
    for name, edges in cuts.items():
        source = fresh()
        got = joined(list(map(source.read, edges)))
        _same_rows(got, reading.tables, f"read in {name} instead of windows of {window_ns} ns")
        for until in (reading.end_ns, reading.start_ns, reading.end_ns):
            again = source.read(until)
            assert not any(map(len, again.values())), "read() told rows again for a time that it had read up to"


def _grid(reading: _Reading, length: int) -> list[int]:
    count = min(-(-(reading.end_ns - reading.start_ns) // length), 1000)
    return [*(reading.start_ns + length * number for number in range(1, count)), reading.end_ns]


def _check_positions(fresh: Make, reading: _Reading) -> None:
    """save, restore and seek at some times: before all, at rows, between them, at the end."""
    times = reading.times()
    chosen = [times[len(times) * part // (SAVES + 1)] for part in range(1, SAVES + 1)]
    places = sorted({reading.start_ns, *(ns + one for ns in chosen for one in (0, 1)), reading.end_ns})
    source = fresh()
    saved = list(_save_at(source, places))
    for ns, state in [*reversed(saved), *saved]:
        other = fresh()
        other.restore(state)
        _same_rows(other.read(reading.end_ns), reading.after(ns), f"restored to {ns} in another source")
        source.restore(state)
        _same_rows(source.read(reading.end_ns), reading.after(ns), f"restored to {ns} in the same source")
    for ns in [*reversed(places), *places, times[0] - NS_PER_S]:
        source.seek(ns)
        _same_rows(source.read(reading.end_ns), reading.after(ns), f"seek({ns}) after reading on")
    for ns in places:
        other = fresh()
        other.seek(ns)
        _same_rows(other.read(reading.end_ns), reading.after(ns), f"seek({ns}) in a new source")
    for ns, state in saved:
        source.seek(ns)
        source.restore(source.save())
        _same_rows(source.read(reading.end_ns), reading.after(ns), f"saved after seek({ns}) and restored")
        source.restore(state)
        assert isinstance(state, bytes), "save() must give bytes"


def _save_at(source: Source, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    for ns in places:
        source.read(ns)
        yield ns, source.save()


def _check_end(fresh: Make, info: SourceInfo, reading: _Reading) -> None:
    if info.end_ns is None or reading.end_ns < info.end_ns:
        return
    source = fresh()
    source.read(info.end_ns)
    after = source.read(info.end_ns + YEAR_NS)
    assert not any(map(len, after.values())), "rows were told that are available at or after info.end_ns"
    source.seek(info.end_ns)
    after = source.read(info.end_ns + YEAR_NS)
    assert not any(map(len, after.values())), "rows were told after seek(info.end_ns)"


def _same_rows(got: Tables, expected: Tables, when: str) -> None:
    for channel in CHANNELS:
        have, want = len(got.get(channel, ())), len(expected.get(channel, ()))
        assert have == want, f"{channel}: {have} rows instead of {want}, {when}"
        if want:
            _same_table(got[channel], expected[channel], when)


def _same_table(got: Table, expected: Table, when: str) -> None:
    columns: list[tuple[str, Column, Column]] = [
        ("avail", got.avail, expected.avail),
        ("own", got.own, expected.own),
        *((name, got.columns[name], expected.columns[name]) for name in SCHEMAS[got.channel].names),
    ]
    for name, have, want in columns:
        if isinstance(have, Ragged) or isinstance(want, Ragged):
            assert isinstance(have, Ragged), f"{got.channel}.{name}: is no list column, {when}"
            assert isinstance(want, Ragged), f"{got.channel}.{name}: is a list column, {when}"
            have, want = have.packed(), want.packed()
            same = np.array_equal(have.length, want.length) and np.array_equal(have.values, want.values, equal_nan=True)
        else:
            same = np.array_equal(have, want, equal_nan=have.dtype == np.float64)
        assert same, f"{got.channel}.{name}: has other values, {when}"

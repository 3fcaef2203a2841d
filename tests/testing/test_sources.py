"""check_source: a source that holds to the contract passes, one that breaks any promise of it is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from feedsim.events import INT_NULL, Ragged, Table
from feedsim.sources.base import Source, Tables
from feedsim.testing import check_source
from feedsim.testing.sources import YEAR_NS
from tests.support.memory_source import START_NS, MemorySource, quiet_trades, small_tables

SECOND_NS = 10**9
SYMBOLS = ("ES", "NQ")


def _tables() -> Tables:
    return small_tables(seconds=12, rate=6)


def _check(make: Callable[[], Source], **options: Any) -> None:
    check_source(make, window_ns=SECOND_NS // 2, **options)


def test_a_source_that_keeps_its_promises_passes() -> None:
    """The memory source of the tests does."""
    _check(lambda: MemorySource(_tables(), SYMBOLS))


def test_a_source_without_an_end_is_read_so_far() -> None:
    """Up to about max_rows."""
    _check(lambda: MemorySource(_tables(), SYMBOLS, endless=True), max_rows=40)


def test_sources_are_closed() -> None:
    """All that were made, also where the check fails."""
    made: list[MemorySource] = []

    def make(tables: Tables) -> MemorySource:
        made.append(MemorySource(tables, SYMBOLS))
        return made[-1]

    _check(lambda: make(_tables()))
    wrong = _tables()
    wrong["trade"].array("price")[3] = np.nan
    with pytest.raises(AssertionError):
        _check(lambda: make(wrong))
    assert all(source.closed for source in made)


# ------------------------------------------------------------------------------------------------------- broken rows


def _set(channel: str, name: str, value: Any, row: int = 5) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        column = tables[channel].columns[name]
        (column.values if isinstance(column, Ragged) else column)[row] = value

    return change


def _column(channel: str, name: str, make: Callable[[Any], Any]) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[channel].columns[name] = make(tables[channel].columns[name])

    return change


def _drop_column(tables: Tables) -> None:
    del tables["l1"].columns["ask"]


def _late_ts(tables: Tables) -> None:
    tables["l1"].columns["ts"] = tables["l1"].avail + 120 * SECOND_NS


def _milliseconds(tables: Tables) -> None:
    tables["l1"].columns["ts"] = tables["l1"].avail // 1_000_000


def _old_ts(tables: Tables) -> None:
    tables["l1"].columns["ts"] = tables["l1"].avail - 20 * 86_400 * SECOND_NS


def _own_backwards(tables: Tables) -> None:
    table = tables["trade"]
    table.avail[:] = table.avail[0]
    table.own[:] = np.arange(len(table))[::-1]


def _other_symbols(tables: Tables) -> None:
    tables["l2"].symbols = ("ES", "YM")


def _other_channel(tables: Tables) -> None:
    tables["l2"].channel = "l1"


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (_set("trade", "price", np.nan), "trade.price: has a null or NaN"),
        (_set("l1", "bid_size", INT_NULL), "l1.bid_size: has a null"),
        (_set("l2", "bid_px", np.nan), "l2.bid_px: has a null"),
        (_set("trade", "symbol", 2), "trade: symbol codes must index"),
        (_set("trade", "symbol", -1), "trade: symbol codes must index"),
        (_column("trade", "size", lambda column: column.astype(np.float64)), "trade.size: dtype is float64"),
        (_column("trade", "symbol", lambda column: column.astype(object)), "trade.symbol: dtype is object"),
        (_column("l1", "bid", lambda column: column[:-1]), "l1.bid: has"),
        (_column("l2", "bid_px", lambda column: column.length), "l2.bid_px: expected float list"),
        (_drop_column, "l1: columns are not those of the schema"),
        (_late_ts, "l1.ts: is later than the time"),
        (_milliseconds, "l1.ts: has values that are no times"),
        (_old_ts, "l1.ts: is more than a week before"),
        (_own_backwards, "trade: rows of one time must be in the source's own order"),
        (_other_symbols, "l2: the table's symbols are not those of info"),
        (_other_channel, "the table of l2 says that it is l1"),
    ],
)
def test_broken_rows_are_caught(harm: Callable[[Tables], None], expected: str) -> None:
    """Wrong kinds, nulls where none may be, times and orders that cannot be."""

    def make() -> MemorySource:
        tables = _tables()
        harm(tables)
        return MemorySource(tables, SYMBOLS)

    with pytest.raises(AssertionError, match=expected):
        _check(make)


# ------------------------------------------------------------------------------------------------------- broken info


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"symbols": ()}, "info.symbols is empty"),
        ({"symbols": ("NQ", "ES")}, "sorted and unique"),
        ({"channels": ("l1", "trade", "l2")}, "in rank order"),
        ({"channels": ("trade", "quote")}, "known channels"),
        ({"channels": ("trade", "l1")}, "channel l2 is told but not in info.channels"),
        ({"channels": ()}, "info.channels is empty"),
        ({"start_ns": 5}, "no time in ns UTC"),
        ({"end_ns": START_NS - 1}, "info.end_ns must be after"),
        ({"end_ns": START_NS + 6 * SECOND_NS}, "available at or after info.end_ns"),
        ({"start_ns": START_NS + 6 * SECOND_NS}, "came after read"),
        ({"contracts": {"YM": "YMU5"}}, "names symbols that"),
        ({"identity": {}}, "has no kind"),
        ({"identity": {"kind": "memory", "path": {1, 2}}}, "must be JSON"),
        ({"kind": ""}, "info.kind is empty"),
    ],
)
def test_broken_info_is_caught(change: dict[str, Any], expected: str) -> None:
    """What a source says of itself must be so."""

    def make() -> MemorySource:
        source = MemorySource(_tables(), SYMBOLS)
        source.info = replace(source.info, **change)
        return source

    with pytest.raises(AssertionError, match=expected):
        _check(make)


def test_info_that_differs_between_openings_is_caught() -> None:
    """The same data opened again is the same source."""
    names = iter(f"memory:{number}" for number in range(100))

    def make() -> MemorySource:
        source = MemorySource(_tables(), SYMBOLS)
        source.info = replace(source.info, name=next(names))
        return source

    with pytest.raises(AssertionError, match="info differs"):
        _check(make)


def test_a_source_that_tells_nothing_is_caught() -> None:
    """With an end, and without."""
    nothing: Tables = {"trade": Table.empty("trade", SYMBOLS)}
    with pytest.raises(AssertionError, match="told no rows"):
        _check(lambda: MemorySource(nothing, SYMBOLS, end_ns=START_NS + SECOND_NS))
    with pytest.raises(AssertionError, match="two hundred years"):
        _check(lambda: MemorySource(nothing, SYMBOLS, endless=True))


# ---------------------------------------------------------------------------------------------------- broken reading


class _TellsTooEarly(MemorySource):
    def read(self, until_ns: int) -> Tables:
        return super().read(until_ns + SECOND_NS)


class _DropsWhereWindowsMeet(MemorySource):
    def read(self, until_ns: int) -> Tables:
        told = super().read(until_ns)
        self._position_ns += 1
        return told


class _TellsTheLastAgain(MemorySource):
    def read(self, until_ns: int) -> Tables:
        self._position_ns = max(self._position_ns - SECOND_NS // 10, self.info.start_ns)
        return super().read(until_ns)


class _GoesBackByReading(MemorySource):
    def read(self, until_ns: int) -> Tables:
        self._position_ns = min(self._position_ns, until_ns)
        return super().read(until_ns)


class _DependsOnWindows(MemorySource):
    """Numbers its trades anew in every window."""

    def read(self, until_ns: int) -> Tables:
        told = super().read(until_ns)
        if "trade" in told:
            told["trade"].columns["trade_id"] = np.arange(len(told["trade"]))
        return told


class _ForgetsItsRest(MemorySource):
    """Hands out whole seconds and drops what is between."""

    def read(self, until_ns: int) -> Tables:
        told = super().read(until_ns)
        return {name: table.take(table.avail % (7 * SECOND_NS) > 0) for name, table in told.items()}

    def seek(self, ns: int) -> None:
        super().seek(ns + 1)


class _SavesNothing(MemorySource):
    def save(self) -> bytes:
        return self.info.start_ns.to_bytes(8, "little")


class _SavesNoBytes(MemorySource):
    def save(self) -> bytes:
        return bytearray(super().save())  # type: ignore[return-value] # the breach


class _RestoresOnlyForward(MemorySource):
    def restore(self, state: bytes) -> None:
        self._position_ns = max(self._position_ns, int.from_bytes(state, "little"))


class _StateIsNotInTheBytes(MemorySource):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._saved: list[int] = []

    def save(self) -> bytes:
        self._saved.append(self._position_ns)
        return bytes([len(self._saved) - 1])

    def restore(self, state: bytes) -> None:
        if state[0] < len(self._saved):
            self._position_ns = self._saved[state[0]]


class _SeeksOnlyForward(MemorySource):
    def seek(self, ns: int) -> None:
        self._position_ns = max(self._position_ns, ns)


class _SeeksBehind(MemorySource):
    def seek(self, ns: int) -> None:
        super().seek(ns + 1)


class _SeeksWithoutSaving(MemorySource):
    """What it saves is where it read to, not where it was put."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._read_to = self.info.start_ns

    def read(self, until_ns: int) -> Tables:
        self._read_to = max(self._position_ns, until_ns)
        return super().read(until_ns)

    def save(self) -> bytes:
        return self._read_to.to_bytes(8, "little")


class _StartsAgainAtItsEnd(MemorySource):
    def read(self, until_ns: int) -> Tables:
        assert self.info.end_ns is not None
        if self._position_ns == self.info.end_ns and until_ns == self.info.end_ns + YEAR_NS:
            self._position_ns = self.info.start_ns
        return super().read(until_ns)


class _Unsorted(MemorySource):
    def read(self, until_ns: int) -> Tables:
        return {name: table.take(np.arange(len(table))[::-1]) for name, table in super().read(until_ns).items()}


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (_TellsTooEarly, "told a row available at or after it"),
        (_DropsWhereWindowsMeet, "rows instead of"),
        (_TellsTheLastAgain, "came after read"),
        (_GoesBackByReading, "told rows again for a time that it had read up to"),
        (_DependsOnWindows, "trade.trade_id: has other values, read in one window"),
        (_ForgetsItsRest, "seek"),
        (_SavesNothing, "restored to"),
        (_SavesNoBytes, "save\\(\\) must give bytes"),
        (_RestoresOnlyForward, "restored to .* in the same source"),
        (_StateIsNotInTheBytes, "restored to .* in another source"),
        (_SeeksOnlyForward, "after reading on"),
        (_SeeksBehind, "seek"),
        (_SeeksWithoutSaving, "saved after seek"),
        (_StartsAgainAtItsEnd, "info.end_ns"),
        (_Unsorted, "order of their available time"),
    ],
)
def test_broken_reading_is_caught(broken: type[MemorySource], expected: str) -> None:
    """Windows, positions and the end: one broken promise each."""
    with pytest.raises(AssertionError, match=expected):
        # A trade every half second, so that rows lie where windows meet.
        _check(lambda: broken({**_tables(), "trade": _trades()}, SYMBOLS))


def _trades() -> Table:
    return quiet_trades([START_NS + number * SECOND_NS // 2 for number in range(24)], symbols=SYMBOLS)


def test_a_list_column_that_becomes_plain_is_caught() -> None:
    """Columns must be of one kind in every window."""

    class Broken(MemorySource):
        def read(self, until_ns: int) -> Tables:
            told = super().read(until_ns)
            if until_ns > START_NS + 5 * SECOND_NS and len(told.get("l2", ())) == 12:
                told["l2"].columns["bid_px"] = told["l2"].ragged("bid_px").length
            return told

    with pytest.raises(AssertionError, match=r"l2\.bid_px: is no list column"):
        _check(lambda: Broken(_tables(), SYMBOLS))

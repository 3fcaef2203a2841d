"""The files of an export by channel: which columns they have, what stands for those that they lack, rows as tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from feedsim.errors import SourceError
from feedsim.events import SCHEMAS, Column, Field, Ragged, Table
from feedsim.instruments import NS_PER_S
from feedsim.sources.seed_columns import column_of, type_problem
from feedsim.sources.seed_files import NO_SYMBOL, Batch, ExportFile, Lane, Survey, survey_of

DEFAULT_TF_S = 1  # of the seed's generator, where one bar a symbol does not tell it
_TIMES = {"footprint": "bar_start_ts"}
_LASTING = ("bar", "footprint")
"""Channels whose rows are known at their window's end."""
_MADE: dict[str, tuple[str, ...]] = {
    "bar": ("ts", "symbol", "tf_s"),
    "footprint": ("ts", "symbol", "bar_start_ts", "tf_s", "delta"),
    "context": ("ts", "symbol"),
    "l2": ("ts", "symbol", "levels"),
}
"""Fields that need no column of their own."""


def open_channels(path: Path, files: Mapping[str, str]) -> tuple[list[Channel], list[str]]:
    """The channels that can be told, and what a user should know. Raises SourceError where there are none."""
    channels: list[Channel] = []
    notes: list[str] = []
    for name, file_name in files.items():
        if not (path / file_name).is_file():
            notes.append(f"no {file_name}")
            continue
        file = ExportFile(path / file_name, _TIMES.get(name, "ts"))
        problem = _unusable(file, name)
        if problem is None:
            channels.append(Channel(name, file, survey_of(file)))
            notes += channels[-1].notes()
        else:
            notes.append(f"{file_name} is left out: it has {problem}")
            file.close()
    others = sorted(file.name for file in path.glob("*.parquet") if file.name not in files.values())
    if others:
        notes.append(f"files that are not read: {', '.join(others)}")
    if not channels:
        raise SourceError(f"nothing in it can be told ({'; '.join(notes)})", file=str(path))
    return channels, notes


def _unusable(file: ExportFile, channel: str) -> str | None:
    """What a file lacks that its channel cannot do without. Raises SourceError for a column of another type."""
    if not file.rows:
        return "no rows"
    for field in SCHEMAS[channel].fields:
        if field.name in file.schema.names:
            problem = type_problem(file.schema.field(field.name).type, field)
            if problem is not None:
                raise SourceError(problem, file=str(file.path))
    lacking = [field.name for field in SCHEMAS[channel].fields if _needs_column(field, channel)]
    lacking = [name for name in (file.time_name, *lacking) if name not in file.schema.names]
    return f"no column {', '.join(dict.fromkeys(lacking))}" if lacking else None


def _needs_column(field: Field, channel: str) -> bool:
    return not (field.nullable or field.optional or field.name in _MADE.get(channel, ("ts",)))


class Channel:
    """One file as the rows of its channel; `tell_for` says which symbols there are before anything is read."""

    def __init__(self, name: str, file: ExportFile, survey: Survey) -> None:
        self.name = name
        self._file = file
        self._survey = survey
        known = SCHEMAS[name].names
        self._columns = [
            column for column in file.schema.names if column in known or column in (file.time_name, "symbol")
        ]
        codes = [None] if survey.ascending else list(survey.last_row)
        self._lanes = [Lane(file, survey, self._columns, code, self._table) for code in codes]
        step_s = (survey.step_ns or 0) // NS_PER_S
        self.tf_s = max(step_s, 1) if survey.step_ns else DEFAULT_TF_S
        self._delay_ns = self.tf_s * NS_PER_S if name in _LASTING else 0

    # ------------------------------------------------------------------------------------------------ what is known

    @property
    def roots(self) -> list[str]:
        return [root for root in self._file.roots if root != NO_SYMBOL]

    @property
    def names(self) -> dict[str, str]:
        return self._file.names

    @property
    def first_ns(self) -> int:
        return self._survey.first_ns + self._delay_ns

    @property
    def last_ns(self) -> int:
        return self._survey.last_ns + self._delay_ns

    def notes(self) -> list[str]:
        there = self._file.schema.names
        fields = SCHEMAS[self.name].fields
        lacking = [field.name for field in fields if field.name not in there and (field.nullable or field.optional)]
        lacking = [name for name in lacking if name not in ("bid_ct", "ask_ct", "coarse")]
        ignored = [name for name in there if name not in self._columns]
        name = self._file.path.name
        notes = []
        if lacking:
            notes.append(f"{name} has no {', '.join(lacking)}")
        if ignored:
            notes.append(f"{name}: columns that are not read: {', '.join(ignored)}")
        if "symbol" not in there:
            notes.append(f"{name} has no symbol: its rows are told for every symbol")
        return notes

    # -------------------------------------------------------------------------------------------------------- reading

    def tell_for(self, symbols: tuple[str, ...]) -> None:
        self._symbols = symbols

    def take(self, until_ns: int) -> Table | None:
        """The rows not taken yet that are available before `until_ns`, by (available time, symbol, row)."""
        parts = [table for lane in self._lanes for table in lane.take(until_ns)]
        if not parts:
            return None
        table = Table.concatenate(parts)
        table = table.take(np.lexsort((table.array("symbol"), table.avail)))
        return _one_a_bar(table) if self.name == "footprint" else table

    def seek(self, ns: int) -> None:
        for lane in self._lanes:
            lane.seek(ns - self._delay_ns)

    def close(self) -> None:
        self._file.close()

    def _table(self, batch: Batch) -> Table:
        columns: dict[str, Any] = {"ts": batch.ts, "bar_start_ts": batch.ts}
        columns["tf_s"] = np.full(len(batch.ts), self.tf_s)
        for field in SCHEMAS[self.name].fields:
            if field.name in batch.rows.schema.names and not field.time and field.name != "symbol":
                columns[field.name] = self._column(batch, field)
        self._make_missing(columns)
        if "symbol" in batch.rows.schema.names:
            columns["symbol"] = np.array([self._symbols.index(root) for root in self._file.roots])[batch.code]
            return Table.build(self.name, self._symbols, columns, avail=batch.ts + self._delay_ns)
        count = len(self._symbols)
        columns["symbol"] = np.zeros(len(batch.ts), np.int64)
        table = Table.build(self.name, self._symbols, columns, avail=batch.ts + self._delay_ns)
        table = table.take(np.repeat(np.arange(len(table)), count))
        table.columns["symbol"] = np.tile(np.arange(count), len(batch.ts))
        return table

    def _column(self, batch: Batch, field: Field) -> Column:
        try:
            return column_of(batch.rows.column(field.name), field)
        except SourceError as error:
            row = None if error.row is None else int(batch.number[error.row])
            raise SourceError(error.problem, file=str(self._file.path), row=row) from None
        except pa.ArrowException as error:
            raise SourceError(f"{field.name}: {error}", file=str(self._file.path), row=int(batch.number[0])) from None

    def _make_missing(self, columns: dict[str, Any]) -> None:
        if self.name == "l2" and "levels" not in columns:
            columns["levels"] = np.maximum(columns["bid_px"].length, columns["ask_px"].length)
        if self.name == "footprint" and "delta" not in columns:
            columns["delta"] = _sums(columns["ask_volume"]) - _sums(columns["bid_volume"])


def _sums(lists: Ragged) -> Any:
    upto = np.concatenate(([0], np.cumsum(lists.values)))
    return upto[lists.start + np.maximum(lists.length, 0)] - upto[lists.start]


def _one_a_bar(table: Table) -> Table:
    """Rows of one symbol and bar are its levels: one event, with the levels in the order of the rows."""
    symbol, start = table.array("symbol"), table.array("bar_start_ts")
    first = np.ones(len(table), np.bool_)
    first[1:] = (symbol[1:] != symbol[:-1]) | (start[1:] != start[:-1])
    if first.all():
        return table
    starts = np.flatnonzero(first)
    bars = table.take(starts)
    for name in ("price_level", "bid_volume", "ask_volume"):
        levels = table.ragged(name).packed()
        bars.columns[name] = Ragged(levels.values, np.add.reduceat(levels.length, starts))
    bars.columns["delta"] = np.add.reduceat(table.array("delta"), starts)
    return bars

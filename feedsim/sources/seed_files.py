"""One Parquet file of an export, read in the order of time, whatever the order in which it has its symbols.

Exports are ascending as a whole, or symbol after symbol. An ascending file is read as one lane, any other as a lane a
symbol; a symbol whose times run back is an error. Rows are read a few thousand at a time from where they are needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feedsim.errors import SourceError
from feedsim.events import Table
from feedsim.events.columns import Int64
from feedsim.instruments import root_of
from feedsim.recording.arrays import DAMAGED, numbers_from_arrow, numbers_to_arrow, told_of
from feedsim.sources.seed_columns import refuse, times_of

SCAN_ROWS = 1 << 16
READ_ROWS = 1 << 12
BUFFER = (
    1 << 18
)  # bytes a column; unbuffered or pre-buffered, Arrow holds whole row groups, which may be the whole file
NO_SYMBOL = ""
"""The root of all rows of a file that has no symbols."""


class Batch(NamedTuple):
    """Rows of one lane, in the order of time."""

    rows: pa.RecordBatch
    ts: Int64
    number: Int64
    """The row in its file, from 1."""
    code: Int64
    """The root, by its place in the file's `roots`."""


class ExportFile:
    """A file with a column of times. Raises SourceError where it is no readable Parquet file."""

    def __init__(self, path: Path, time_name: str) -> None:
        self.path = path
        self.time_name = time_name
        self.roots: list[str] = []
        """As they come in the file."""
        self.names: dict[str, str] = {}
        """The newest raw name of each root."""
        self._codes: dict[str, int] = {}
        with self.telling():
            self._file = pq.ParquetFile(path, page_checksum_verification=True, buffer_size=BUFFER, pre_buffer=False)
        self.schema: pa.Schema = self._file.schema_arrow
        if twice := [name for name, count in Counter(self.schema.names).items() if count > 1]:
            self.close()
            raise SourceError(f"{twice[0]!r} is the name of more than one column", file=str(path))
        self.rows = int(self._file.metadata.num_rows)

    @property
    def groups(self) -> int:
        return int(self._file.metadata.num_row_groups)

    def batches(self, groups: range, columns: list[str], rows: int) -> Iterator[Batch]:
        """Some row groups, up to so many rows at once."""
        # Group by group, so that a damaged page is known by the rows of its own group.
        for group in groups:
            number = 1 + sum(self._file.metadata.row_group(before).num_rows for before in range(group))
            with self.telling(number):
                found = self._file.iter_batches(rows, row_groups=[group], columns=columns)
            while True:
                with self.telling(number):
                    batch = next(found, None)
                if batch is None:
                    break
                if batch.num_rows:
                    yield self._batch(batch, number)
                number += batch.num_rows

    def _batch(self, rows: pa.RecordBatch, number: int) -> Batch:
        with self.telling(number, relative=True):
            ts = times_of(rows.column(self.time_name), self.time_name)
            return Batch(rows, ts, np.arange(number, number + len(ts)), self._codes_of(rows))

    def _codes_of(self, rows: pa.RecordBatch) -> Int64:
        if "symbol" not in rows.schema.names:
            return np.full(rows.num_rows, self._code(NO_SYMBOL))
        texts = pc.dictionary_encode(rows.column("symbol").cast(pa.string()))
        names = texts.dictionary.to_pylist()
        place = numbers_from_arrow(texts.indices, np.int32, -1)
        refuse(np.isin(place, [-1, *(at for at, name in enumerate(names) if not name)]), "symbol is empty")
        codes: Int64 = np.array([self._code(name) for name in names], np.int64)[place]
        return codes

    def _code(self, name: str) -> int:
        if name not in self._codes:
            root = root_of(name)
            if root not in self.roots:
                self.roots.append(root)
            self._codes[name] = self.roots.index(root)
            self.names[root] = name
        return self._codes[name]

    @contextmanager
    def telling(self, row: int | None = None, *, relative: bool = False) -> Iterator[None]:
        """Errors inside name this file; `relative`: their row counts from 0 at `row`."""
        try:
            yield
        except SourceError as error:
            at = error.row if not relative or error.row is None else error.row + (row or 0)
            raise SourceError(error.problem, file=str(self.path), row=at) from None
        except DAMAGED as error:
            raise SourceError(
                f"expected a whole Parquet file: {told_of(error)}", file=str(self.path), row=row
            ) from None

    def close(self) -> None:
        self._file.close()


# ---------------------------------------------------------------------------------------------- what is known of it


@dataclass
class Survey:
    """What one look at the times and symbols of a file found."""

    ascending: bool = True
    first_ns: int = 0
    last_ns: int = 0
    step_ns: int | None = None
    """The least distance between two times of one symbol."""
    last_ts: list[dict[int, int]] = field(default_factory=list)
    """By row group: the latest time of each code in it."""
    last_row: dict[int, int] = field(default_factory=dict)
    """The last row of each code, from 1."""
    _newest: dict[int, int] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        newest = max(self._newest.values(), default=int(batch.ts[0]))
        least = int(batch.ts.min())
        self.first_ns = min(self.first_ns, least) if self._newest else least
        self.ascending = self.ascending and bool((np.diff(batch.ts, prepend=newest) >= 0).all())
        for code in np.unique(batch.code).tolist():
            self._add_code(code, batch, np.flatnonzero(batch.code == code))
        self.last_ns = max(self._newest.values())

    def _add_code(self, code: int, batch: Batch, rows: npt.NDArray[np.intp]) -> None:
        ts = batch.ts[rows]
        steps = np.diff(ts, prepend=self._newest.get(code, int(ts[0])))
        if (steps < 0).any():
            at = int(np.argmax(steps < 0))
            problem = "time is before that of the symbol's row above, expected ascending times"
            raise SourceError(problem, row=int(batch.number[rows[at]]))
        if len(steps := steps[steps > 0]):
            least = int(steps.min())
            self.step_ns = least if self.step_ns is None else min(self.step_ns, least)
        self._newest[code] = self.last_ts[-1][code] = int(ts[-1])
        self.last_row[code] = int(batch.number[rows[-1]])


def survey_of(file: ExportFile) -> Survey:
    """Look at all times and symbols, and at nothing else. Raises SourceError where a symbol's times run back."""
    survey = Survey()
    columns = [name for name in (file.time_name, "symbol") if name in file.schema.names]
    for group in range(file.groups):
        survey.last_ts.append({})
        for batch in file.batches(range(group, group + 1), columns, SCAN_ROWS):
            with file.telling():
                survey.add(batch)
    return survey


# ------------------------------------------------------------------------------------------------------------ reading


class Lane:
    """A forward reader of one symbol's rows (code None: of all rows) that can be put at any time.

    `to_table` makes rows of the channel, in the order of their available time, of the rows of the file.
    """

    def __init__(
        self,
        file: ExportFile,
        survey: Survey,
        columns: list[str],
        code: int | None,
        to_table: Callable[[Batch], Table],
    ) -> None:
        self.file = file
        self.code = code
        self._columns = columns
        self._to_table = to_table
        codes = list(survey.last_row) if code is None else [code]
        self._last_ts = [max((last[code] for code in codes if code in last), default=0) for last in survey.last_ts]
        self._last_row = max(survey.last_row[code] for code in codes)
        self.seek(survey.first_ns)

    def seek(self, ts_ns: int) -> None:
        """Go to the first row whose time in the file is at or after `ts_ns`."""
        group = next((number for number, last in enumerate(self._last_ts) if last >= ts_ns), self.file.groups)
        self._batches = self.file.batches(range(group, self.file.groups), self._columns, READ_ROWS)
        self._held: Table | None = None
        self._at = 0
        self._row = 0 if group < self.file.groups else self._last_row
        self._from_ns = ts_ns

    def take(self, until_ns: int) -> Iterator[Table]:
        """The rows not taken yet that are available before `until_ns`."""
        while (table := self._filled()) is not None:
            count = int(np.searchsorted(table.avail, until_ns))
            if count > self._at:
                yield table.take(slice(self._at, count))
                self._at = count
            if count < len(table):
                return

    def _filled(self) -> Table | None:
        """The rows that are at hand, some of them not taken; None at the end."""
        while self._held is None or self._at == len(self._held):
            if self._row >= self._last_row:
                return None
            batch = next(self._batches, None)
            if batch is None:
                problem = f"damaged: rows end before row {self._last_row}, which was there before"
                raise SourceError(problem, file=str(self.file.path))
            self._row = int(batch.number[-1])
            self._held, self._at = self._to_table(self._own(batch)), 0
        return self._held

    def _own(self, batch: Batch) -> Batch:
        """The lane's rows of a batch that are not before where it was put."""
        mask = batch.ts >= self._from_ns
        if self.code is not None:
            mask &= batch.code == self.code
        if mask.all():
            return batch
        rows = np.flatnonzero(mask)
        return Batch(batch.rows.take(numbers_to_arrow(rows)), batch.ts[rows], batch.number[rows], batch.code[rows])

"""Rows of every channel with all that a column may hold, as tables and as the chunks of a tape; exact comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from feedsim.events import CHANNELS, INT_NULL, SCHEMAS, Chunk, Column, Field, Kind, Ragged, Table
from feedsim.playback.merge import Merger

SYMBOLS = ("ES", "NQ")
START_NS = 1_755_783_000_000_000_000  # 2025-08-21 09:30 in New York
TEXTS = np.array(["", "plain", "unité ∆", "a\nb", 'quote"d'], object)
FLOATS = np.array([0.0, -0.0, 5000.25, -1e-300, 1.7e308, 0.1])
INTS = np.array([0, 1, -1, 2**62, -(2**63) + 1, 2**63 - 1])


def table(channel: str, rows: int, seed: int, *, start_ns: int = START_NS, step_ns: int = 1_000) -> Table:
    """Random rows, nulls and odd values among them; `avail` rises by up to `step_ns` a row, with many ties."""
    rng = np.random.default_rng(seed)
    avail = start_ns + np.cumsum(rng.integers(0, step_ns, rows) * rng.integers(0, 2, rows))
    columns: dict[str, Any] = {field.name: _column(field, rows, rng) for field in SCHEMAS[channel].fields}
    columns["symbol"] = rng.integers(0, len(SYMBOLS), rows)
    columns["ts"] = avail - rng.integers(0, 1_000_000, rows)
    if "tf_s" in columns:
        columns["tf_s"] = rng.choice([1, 60], rows)
    return Table.build(channel, SYMBOLS, columns, avail=avail)


def _column(field: Field, rows: int, rng: np.random.Generator) -> Column:
    null = rng.random(rows) < (0.3 if field.nullable else 0.0)
    if field.kind.is_list:
        length = np.where(null, -1, rng.integers(0, 4, rows))
        kind = Kind.FLOAT if field.kind is Kind.FLOAT_LIST else Kind.INT
        return Ragged(_values(kind, int(np.maximum(length, 0).sum()), rng), length)
    column = _values(field.kind, rows, rng)
    if field.kind is not Kind.BOOL:
        column[null] = {Kind.INT: INT_NULL, Kind.FLOAT: np.nan, Kind.TEXT: None}[field.kind]
    return column


def _values(kind: Kind, rows: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    choices: dict[Kind, npt.NDArray[Any]] = {Kind.TEXT: TEXTS, Kind.FLOAT: FLOATS, Kind.INT: INTS}
    return rng.random(rows) < 0.5 if kind is Kind.BOOL else rng.choice(choices[kind], rows)


def tables(channel: str, *, max_rows: int = 40) -> st.SearchStrategy[Table]:
    """Any rows of one channel."""
    return st.builds(lambda rows, seed: table(channel, rows, seed), st.integers(0, max_rows), st.integers(0, 2**32))


def session(
    seed: int,
    *,
    windows: int = 4,
    rows: int = 30,
    channels: Sequence[str] = CHANNELS,
    epoch: int = 1,
    window_ns: int = 1_000_000_000,
) -> list[Chunk]:
    """The chunks of a tape; up to `rows` rows a channel in each."""
    rng = np.random.default_rng(seed)
    merger = Merger(SYMBOLS, epoch=epoch)
    chunks = []
    for window in range(windows):
        start_ns = START_NS + window * window_ns
        sizes = {channel: int(rng.integers(0, rows + 1)) for channel in channels}
        # At least one row, so that every window is a chunk.
        sizes[channels[-1]] = max(sizes[channels[-1]], 1)
        made = {c: table(c, sizes[c], int(rng.integers(2**32)), start_ns=start_ns) for c in channels if sizes[c]}
        chunks.append(merger.merge(made))
    return chunks


def quotes(windows: int, rows: int) -> list[Chunk]:
    """A tape with nothing but many l1 rows."""
    merger = Merger(SYMBOLS)
    return [
        merger.merge({"l1": table("l1", rows, window, start_ns=START_NS + window * 10**9)}) for window in range(windows)
    ]


def cut(chunks: Iterable[Chunk], seed: int, *, most: int = 50) -> list[tuple[Chunk, int, int]]:
    """The same events in order, in slices of random size."""
    rng = np.random.default_rng(seed)
    slices = []
    for chunk in chunks:
        lo = 0
        while lo < len(chunk):
            hi = min(lo + int(rng.integers(1, most + 1)), len(chunk))
            slices.append((chunk, lo, hi))
            lo = hi
    return slices


def same_column(left: Column, right: Column) -> bool:
    """Bit by bit: NaN is like NaN, 0.0 is not like -0.0."""
    if isinstance(left, Ragged) or isinstance(right, Ragged):
        assert isinstance(left, Ragged)
        assert isinstance(right, Ragged)
        left, right = left.packed(), right.packed()
        return np.array_equal(left.length, right.length) and same_column(left.values, right.values)
    if left.dtype != right.dtype or len(left) != len(right):
        return False
    if left.dtype == object:
        return bool(left.tolist() == right.tolist())
    return left.tobytes() == right.tobytes()


def same_table(left: Table, right: Table) -> bool:
    """All columns and the available time; not the source's own order."""
    return (
        left.channel == right.channel
        and left.symbols == right.symbols
        and same_column(left.avail, right.avail)
        and all(same_column(left.columns[name], right.columns[name]) for name in left.schema.names)
    )


def same_tape(left: Iterable[Chunk], right: Iterable[Chunk]) -> bool:
    """The same events under the same seqs and ns, however the chunks are cut."""
    return told(left) == told(right)


def told(chunks: Iterable[Chunk]) -> list[Any]:
    """All events in order, each with its available time, so that they can be compared."""
    # repr tells NaN from null by name and -0.0 from 0.0, and makes NaN equal to itself.
    return [(repr(event), avail) for c in chunks for event, avail in zip(c.events(), c.avail.tolist(), strict=True)]

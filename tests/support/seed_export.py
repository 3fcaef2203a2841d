"""Small export folders like those of the seed's generator, with whatever a test wants changed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_MS = 1_755_783_000_000
Columns = dict[str, Any]


def l1(rows: int = 40, *, seed: int = 0, step_ms: int = 200) -> Columns:
    """ES and NQ in turn, in the order of time."""
    rng = np.random.default_rng(seed)
    mid = rng.integers(4000, 6000, rows) / 3  # off tick, as the exports are
    return {
        "ts": [START_MS + row // 2 * step_ms for row in range(rows)],
        "symbol": ["ES", "NQ"] * (rows // 2),
        "last_price": mid.tolist(),
        "last_size": rng.integers(1, 9, rows).tolist(),
        "bid": (mid - 0.1).tolist(),
        "ask": (mid + 0.1).tolist(),
        "bid_size": rng.integers(0, 500, rows).tolist(),
        "ask_size": rng.integers(0, 500, rows).tolist(),
    }


def l2(rows: int = 40, *, seed: int = 1, step_ms: int = 100) -> Columns:
    """Symbol after symbol, as the exports have it."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 5, rows)
    lists: dict[str, list[Any]] = {
        "bid_px": [[5000 - 0.25 * level for level in range(count)] for count in levels],
        "bid_sz": [[int(size) for size in rng.integers(1, 99, count)] for count in levels],
        "ask_px": [[5000.25 + 0.25 * level for level in range(count)] for count in levels],
        "ask_sz": [[int(size) for size in rng.integers(1, 99, count)] for count in levels],
    }
    return {
        "ts": [START_MS + row % (rows // 2) * step_ms for row in range(rows)],
        "symbol": ["ES"] * (rows // 2) + ["NQ"] * (rows // 2),
        "levels": levels.tolist(),
        **lists,
        "mid": [5000.125] * rows,
        "spread": [0.25] * rows,
    }


def bars(rows: int = 8) -> Columns:
    """One a second, symbol after symbol; the first bands are null."""
    half = rows // 2
    return {
        "ts": [START_MS + row % half * 1000 for row in range(rows)],
        "symbol": ["ES"] * half + ["NQ"] * half,
        **{name: [5000.1 + row for row in range(rows)] for name in ("open", "high", "low", "close", "vwap")},
        "volume": [float(row) for row in range(rows)],
        "vwap_sd1": [None, *[5001.0] * (rows - 1)],
        "vwap_sd2": [float("nan"), *[5002.0] * (rows - 1)],
    }


def footprint(rows: int = 8) -> Columns:
    """One level a bar."""
    half = rows // 2
    return {
        "bar_start_ts": [START_MS + row % half * 1000 for row in range(rows)],
        "symbol": ["ES"] * half + ["NQ"] * half,
        "price_level": [5000.25] * rows,
        "bid_volume": list(range(rows)),
        "ask_volume": list(range(5, rows + 5)),
        "delta": [5] * rows,
    }


def context(rows: int = 4) -> Columns:
    """Without a symbol."""
    return {
        "ts": [START_MS + row * 1000 for row in range(rows)],
        "vix": [15.0 + row for row in range(rows)],
        "pin_levels": [[4990.0, 5010.0]] * rows,
    }


def write(
    folder: Path, files: Mapping[str, Mapping[str, Any]], *, row_group_size: int | None = None, types: Any = None
) -> Path:
    """Files by name (without .parquet); `types` maps columns to Arrow types."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in files.items():
        arrays = {column: pa.array(values, (types or {}).get(column)) for column, values in columns.items()}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet", row_group_size=row_group_size)
    return folder


def everything() -> dict[str, Columns]:
    return {"l1": l1(), "l2": l2(), "bars": bars(), "footprint": footprint(), "context": context()}


def changed(columns: Columns, name: str, row: int, value: Any) -> Columns:
    """The columns with one value (row from 1) replaced."""
    values = list(columns[name])
    values[row - 1] = value
    return {**columns, name: values}


def without(columns: Columns, *names: str) -> Columns:
    return {name: values for name, values in columns.items() if name not in names}


def rows_of(columns: Columns, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(columns[name] for name in names), strict=True))

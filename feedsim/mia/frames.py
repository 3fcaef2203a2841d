"""The columns of a session as pandas DataFrames: with everything, or as the seed API has them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from feedsim.events import SCHEMAS, Table
from feedsim.events.columns import INT_NULL
from feedsim.instruments import NS_PER_MS
from feedsim.mia.config import MOST_LEVELS, VIX_HIGH, VIX_LOW
from feedsim.mia.grid import Columns, as_objects, values_of
from feedsim.mia.windows import FUTURE

if TYPE_CHECKING:
    from feedsim.mia.session import Session

Frames = dict[str, pd.DataFrame]

WINDOWS = "windows"
"""The extended truth: it stands beside the tables, which the seed API has."""
NAMES = ("l1", "l2", "bars", "footprint", "context", "leadership_features", "ground_truth")
"""The tables, in their order."""
SEED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "l1": ("ts", "symbol", "bid", "ask", "last_price", "bid_size", "ask_size", "last_size"),
    "l2": ("ts", "symbol", "levels", "bid_px", "bid_sz", "ask_px", "ask_sz", "mid", "spread"),
    "bars": ("ts", "symbol", "open", "high", "low", "close", "volume", "vwap", "vwap_sd1", "vwap_sd2"),
    "footprint": ("bar_start_ts", "symbol", "price_level", "bid_volume", "ask_volume", "delta"),
    "context": tuple(name for name in SCHEMAS["context"].names if name != "symbol"),
    "leadership_features": (
        "ts",
        "symbol",
        "confluence_score",
        "delta_divergence",
        "volume_imbalance",
        "sierra_pattern_strength",
        "leadership_strength",
        "volatility_regime",
        "options_flow_bias",
        "gamma_proximity",
        "leadership_mode",
        "leadership_strength_param",
    ),
    "ground_truth": ("ts", "symbol", "label", "confidence", "side"),
}
_TIMES = ("ts", "bar_start_ts", "t_start", "t_end")


def session_frames(session: Session) -> Frames:
    """All columns of all symbols, and the windows."""
    told = session.told
    with _no_collection():
        return {
            "l1": _frame(told.l1, told.symbols),
            "l2": _frame(_with_lists(told.l2, None), told.symbols),
            "bars": _frame(told.bars, told.symbols),
            "footprint": _frame(told.levels, told.symbols),
            "context": _frame(_table(told.tables.get("context"), "context"), told.symbols),
            "leadership_features": _frame(told.leadership, told.symbols),
            "ground_truth": _frame(_table(told.tables.get("truth"), "truth"), told.symbols),
            WINDOWS: window_frame(session),
        }


def window_frame(session: Session) -> pd.DataFrame:
    """A row for each phase of a window and symbol; `attrs["future"]` names what could not be known at its start."""
    frame = _frame(session.told.windows, session.told.symbols)
    frame.attrs["future"] = list(FUTURE)
    return frame


def trade_frame(session: Session) -> pd.DataFrame:
    """Every trade."""
    return _frame(_table(session.told.tables.get("trade"), "trade"), session.told.symbols)


def seed_frames(
    session: Session,
    *,
    names: Sequence[str] | None = None,
    levels: int = MOST_LEVELS,
    options_context: bool = True,
    include_labels: bool = True,
) -> Frames:
    """The seed's columns; `names` may stand for the session's symbols, whose first has the context."""
    told = session.told
    context = _of_first(_table(told.tables.get("context"), "context"))
    context["vix"] = np.clip(context["vix"], VIX_LOW, VIX_HIGH)
    columns: dict[str, Columns] = {
        "l1": told.l1,
        "l2": _with_lists(told.l2, levels),
        "bars": told.bars,
        "footprint": told.pivots,
        "context": context if options_context else _first_rows(context, 0),
        "leadership_features": told.leadership,
        "ground_truth": _table(told.tables.get("truth") if include_labels else None, "truth"),
    }
    with _no_collection():
        return {
            table: _frame({name: columns[table][name] for name in SEED_COLUMNS[table]}, tuple(names or told.symbols))
            for table in NAMES
        }


# ------------------------------------------------------------------------------------------------------------- columns


def _table(table: Table | None, channel: str) -> Columns:
    """A table's columns, in the order of its fields; none of a table that is not there."""
    found = Table.empty(channel, ()) if table is None else table
    return {name: values_of(found.columns[name], slice(None)) for name in SCHEMAS[channel].names}


def _of_first(columns: Columns) -> Columns:
    """The rows of the first symbol."""
    first = columns["symbol"] == 0
    return {name: values[first] for name, values in columns.items()}


def _first_rows(columns: Columns, count: int) -> Columns:
    return {name: values[:count] for name, values in columns.items()}


def _with_lists(l2: Columns, levels: int | None) -> Columns:
    """Books cut to some levels; rows of matrices are made into lists where a DataFrame is made."""
    told = {name: values[:, :levels] if values.ndim == 2 else values for name, values in l2.items()}
    if levels is not None:
        told["levels"] = np.minimum(told["levels"], levels)
    return told


# ------------------------------------------------------------------------------------------------------------ to pandas


def _frame(columns: Columns, symbols: tuple[str, ...]) -> pd.DataFrame:
    """Times in milliseconds, symbols by name, lists as Python lists, nulls as pandas has them."""
    told: dict[str, Any] = {}
    for name, values in columns.items():
        if name in _TIMES:
            told[name] = values // NS_PER_MS
        elif name == "symbol":
            told[name] = np.array([*symbols, ""], object)[values]
        elif values.ndim == 2:
            told[name] = as_objects(_lists(values))
        elif values.dtype == np.int64 and name == "window_id":
            told[name] = _nullable(values)
        else:
            told[name] = values
    return pd.DataFrame(told)


def _lists(matrix: npt.NDArray[Any]) -> list[list[Any]]:
    """Rows as Python lists. Equal numbers are one object: a day of books would take twice the memory else."""
    codes, values = pd.factorize(matrix.reshape(-1))
    rows: list[list[Any]] = as_objects(values.tolist())[codes].reshape(matrix.shape).tolist()
    return rows


def _nullable(values: npt.NDArray[np.int64]) -> Any:
    return pd.arrays.IntegerArray(np.where(values == INT_NULL, 0, values), values == INT_NULL)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of new lists and floats hold no cycles: looking for some among them takes longer than making them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

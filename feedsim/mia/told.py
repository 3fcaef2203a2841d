"""What a session's DataFrames are made of: its tables as columns of NumPy, sampled while the market runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feedsim.events import SCHEMAS, Table
from feedsim.instruments import NS_PER_MS, NS_PER_S
from feedsim.market.config import FOLLOWS
from feedsim.mia.bars import BarTables
from feedsim.mia.grid import Columns, Grid, Sampler
from feedsim.mia.windows import window_columns
from feedsim.observe.leadership import Leadership
from feedsim.sources.base import Tables

if TYPE_CHECKING:
    from feedsim.mia.session import Session
    from feedsim.sources.synthetic import SyntheticSource

PART_NS = 1800 * NS_PER_S  # what is read at once: a few hundred thousand changes of the quotes
_L1 = ("bid", "ask", "last_price", "bid_size", "ask_size", "last_size")
_L2 = ("levels", "bid_px", "bid_sz", "ask_px", "ask_sz", "mid", "spread")
_WHOLE = ("trade", "context", "truth")
"""Channels of which every row is kept."""


@dataclass(frozen=True, slots=True)
class Told:
    """Columns by time and symbol: times in nanoseconds, `symbol` an index into `symbols`."""

    symbols: tuple[str, ...]
    l1: Columns
    l2: Columns
    bars: Columns
    levels: Columns
    """The footprint: a row for each price that traded in a bar."""
    pivots: Columns
    """The footprint: a row for each bar."""
    leadership: Columns
    """At the bars' starts."""
    windows: Columns
    """The extended truth: a row for each phase of a window and symbol."""
    tables: Tables
    """Whole, where the market has them: trade, context, truth."""


def tell(session: Session) -> Told:
    """Run the market from the start to the end."""
    source = session.open()
    try:
        return _Telling(session, source).run()
    finally:
        source.close()


class _Telling:
    def __init__(self, session: Session, source: SyntheticSource) -> None:
        self._session = session
        self._source = source
        self._symbols = source.info.symbols
        start_ns, each = session.start_ns, len(self._symbols)
        self._grids = {
            "l1": Grid(start_ns, session.l1_interval_ms * NS_PER_MS),
            "l2": Grid(start_ns, session.market.l2_interval_ms * NS_PER_MS),
        }
        self._samplers = {"l1": Sampler(each, _L1), "l2": Sampler(each, _L2)}
        self._seconds = Sampler(each, ("bid", "ask"))
        self._bars = BarTables(self._symbols, session.bar_tf_s, start_ns)
        self._whole: dict[str, list[Table]] = {name: [] for name in _WHOLE}
        self._features = Leadership(
            self._symbols,
            mode=session.market.leadership,
            strength=session.market.strength,
            with_context="context" in source.info.channels,
            anchor_ns=start_ns,
        )
        self._leadership: list[Table] = []

    def run(self) -> Told:
        for since_ns, until_ns in self._parts():
            self._take(self._source.read(until_ns), since_ns, until_ns)
        bars = self._bars.bars(self._before())
        tables = {name: Table.concatenate(parts) for name, parts in self._whole.items() if parts}
        return Told(
            symbols=self._symbols,
            l1=_with_last(self._samplers["l1"].columns(), self._before()),
            l2=self._samplers["l2"].columns(),
            bars=bars,
            levels=self._bars.footprint(),
            pivots=self._bars.pivots(bars),
            leadership=self._at_bars(bars),
            windows=self._windows(tables),
            tables=tables,
        )

    def _parts(self) -> Iterator[tuple[int, int]]:
        at, end_ns = self._session.start_ns, self._session.end_ns
        while at < end_ns:
            yield at, min(at + PART_NS, end_ns)
            at += PART_NS

    def _take(self, tables: Tables, since_ns: int, until_ns: int) -> None:
        for name, sampler in self._samplers.items():
            sampler.take(tables.get(name), self._grids[name].within(since_ns, until_ns))
        times = Grid(self._session.start_ns, NS_PER_S).within(since_ns, until_ns)
        self._seconds.take(tables.get("l1"), times)
        self._bars.take(tables.get("trade"), until_ns)
        for name, parts in self._whole.items():
            if name in tables:
                parts.append(tables[name])
        self._leadership.append(self._features.observe(tables, until_ns))

    def _before(self) -> dict[int, float]:
        """The price at which each symbol is said to have traded last before the start."""
        market = self._session.market
        return {code: market.price(FOLLOWS[symbol]) for code, symbol in enumerate(self._symbols)}

    def _windows(self, tables: Tables) -> Columns:
        return window_columns(
            self._source.schedule,
            self._session.market,
            self._seconds.columns(),
            tables.get("context", Table.empty("context", self._symbols)),
            start_ns=self._session.start_ns,
            end_ns=self._session.end_ns,
        )

    def _at_bars(self, bars: Columns) -> Columns:
        """The newest features at the start of each bar."""
        names = tuple(name for name in SCHEMAS["leadership"].names if name not in ("ts", "symbol"))
        sampler = Sampler(len(self._symbols), names)
        sampler.take(Table.concatenate(self._leadership), bars["ts"][:: len(self._symbols)])
        return sampler.columns()


def _with_last(l1: Columns, before: dict[int, float]) -> Columns:
    """Before a symbol's first trade, one lot at the starting price counts as the last."""
    without = np.isnan(l1["last_price"])
    starting = np.array(list(before.values()))
    l1["last_price"] = np.where(without, starting[l1["symbol"]], l1["last_price"])
    l1["last_size"] = np.where(without, 1, l1["last_size"])
    return l1

"""Counts that grow row by row in bounded memory: of streams, of quotes, of books."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feedsim.events import INT_NULL, Field, Kind, Ragged, StreamKey, Table
from feedsim.events.columns import Column, Float64, Int64
from feedsim.instruments import INSTRUMENTS, NS_PER_S
from feedsim.lab.report import BookFacts, QuoteFacts, StreamFacts

PRICES = {
    "trade": ("price",),
    "l1": ("bid", "ask", "last_price"),
    "l2": ("bid_px", "ask_px"),
    "bar": ("open", "high", "low", "close"),
    "footprint": ("price_level",),
}
ON_TICK = 1e-6  # ticks: what floating point leaves of a multiple

Mask = npt.NDArray[np.bool_]


def tick_of(symbol: str) -> float | None:
    """Index points; None for a symbol that is not known."""
    instrument = INSTRUMENTS.get(symbol)
    return None if instrument is None else instrument.tick


class StreamTally:
    """One stream's rows, rate, nulls and prices off tick."""

    def __init__(self, key: StreamKey) -> None:
        self.key = key
        self._tick = tick_of(key.symbol)
        self._rows = 0
        self._first_ns = self._last_ns = 0
        self._last_ts = INT_NULL
        self._second, self._in_second, self._peak = -1, 0, 0
        self._backwards = self._off_tick = 0
        self._nulls: dict[str, int] = {}

    def add(self, rows: Table) -> None:
        """More of the stream's rows, in the tape's order; at least one."""
        if not self._rows:
            self._first_ns = int(rows.avail[0])
        self._rows += len(rows)
        self._last_ns = int(rows.avail[-1])
        self._add_rate(rows.avail // NS_PER_S)
        ts = np.append(self._last_ts, rows.array("ts"))
        self._backwards += int((ts[1:] < ts[:-1]).sum())
        self._last_ts = int(ts[-1])
        if self._tick is not None:
            self._off_tick += _rows_off_tick(rows, self._tick)
        for field in rows.schema.fields:
            if not field.optional and (count := _null_count(rows.columns[field.name], field)):
                self._nulls[field.name] = self._nulls.get(field.name, 0) + count

    def _add_rate(self, seconds: Int64) -> None:
        found, counts = np.unique(seconds, return_counts=True)
        if found[0] == self._second:
            counts[0] += self._in_second
        self._peak = max(self._peak, int(counts.max()))
        self._second, self._in_second = int(found[-1]), int(counts[-1])

    def facts(self) -> StreamFacts:
        return StreamFacts(
            channel=self.key.channel,
            symbol=self.key.symbol,
            tf_s=self.key.tf_s,
            rows=self._rows,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            peak_per_s=self._peak,
            backwards=self._backwards,
            off_tick=self._off_tick,
            nulls=self._nulls,
        )


def _null_count(column: Column, field: Field) -> int:
    if isinstance(column, Ragged):
        values = column.packed().values
        broken = int(np.isnan(values).sum()) if field.kind is Kind.FLOAT_LIST else 0
        return int((column.length < 0).sum()) + broken
    if field.kind is Kind.FLOAT:
        return int(np.isnan(column).sum())
    if field.kind is Kind.INT:
        return int((column == INT_NULL).sum())
    return sum(value is None for value in column.tolist()) if field.kind is Kind.TEXT else 0


def _rows_off_tick(rows: Table, tick: float) -> int:
    off = np.zeros(len(rows), np.bool_)
    for name in PRICES.get(rows.channel, ()):
        column = rows.columns[name]
        if isinstance(column, Ragged):
            packed = column.packed()
            row = np.repeat(np.arange(len(packed)), np.maximum(packed.length, 0))
            off[row[_off_tick(packed.values, tick)]] = True
        else:
            off |= _off_tick(column, tick)
    return int(off.sum())


def _off_tick(price: Float64, tick: float) -> Mask:
    ticks = price / tick
    with np.errstate(invalid="ignore"):  # infinities
        return np.abs(ticks - np.round(ticks)) > ON_TICK  # never of a NaN


class Spreads:
    """Quantiles of spreads from counts by tenths of a tick; what lies beyond ±1,000 ticks counts as that."""

    LIMIT = 10_000  # tenths

    def __init__(self) -> None:
        self._counts = np.zeros(2 * self.LIMIT + 1, np.int64)
        self.least, self.most = np.inf, -np.inf

    def add(self, spread: Float64) -> None:
        """Spreads in ticks, none of them NaN."""
        if len(spread):
            tenths = np.clip(np.round(spread * 10), -self.LIMIT, self.LIMIT).astype(np.int64) + self.LIMIT
            self._counts += np.bincount(tenths, minlength=len(self._counts))
            self.least, self.most = min(self.least, float(spread.min())), max(self.most, float(spread.max()))

    def quantile(self, share: float) -> float | None:
        """The least spread that at least `share` of all do not exceed."""
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), max(share * total, 1)))
        return (place - self.LIMIT) / 10


class QuoteTally:
    """One symbol's l1 rows."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._tick = tick_of(symbol) or 1.0
        self._spreads = Spreads()
        self._quotes = self._crossed = self._locked = self._one_sided = 0

    def add(self, rows: Table) -> None:
        bid, ask = rows.array("bid"), rows.array("ask")
        usable = np.isfinite(bid) & np.isfinite(ask)
        self._quotes += len(rows)
        self._crossed += int((ask < bid).sum())
        self._locked += int((ask == bid).sum())
        sized = (rows.array("bid_size") > 0) & (rows.array("ask_size") > 0)
        self._one_sided += int((~usable | ~sized).sum())
        self._spreads.add((ask[usable] - bid[usable]) / self._tick)

    def facts(self) -> QuoteFacts:
        median = self._spreads.quantile(0.5)
        return QuoteFacts(
            symbol=self.symbol,
            quotes=self._quotes,
            spread_min=None if median is None else round(self._spreads.least, 6),
            spread_median=median,
            spread_p99=self._spreads.quantile(0.99),
            spread_max=None if median is None else round(self._spreads.most, 6),
            crossed=self._crossed,
            locked=self._locked,
            one_sided=self._one_sided,
        )


class BookTally:
    """One symbol's l2 rows, each against the l1 before it."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._books = self._coarse = self._unsorted = self._crossed = 0
        self._compared = self._price_differs = self._size_differs = 0
        self._least, self._most = 1 << 30, 0

    def add(self, rows: Table, quotes: dict[str, npt.NDArray[np.float64]]) -> None:
        """`quotes`: bid, ask, bid_size, ask_size of the l1 in force at each row, NaN where there is none."""
        levels, coarse = rows.array("levels"), rows.array("coarse")
        self._books += len(rows)
        self._coarse += int(coarse.sum())
        self._least, self._most = min(self._least, int(levels.min())), max(self._most, int(levels.max()))
        bids, asks = rows.ragged("bid_px"), rows.ragged("ask_px")
        self._unsorted += int((_unsorted(bids, worse=-1) | _unsorted(asks, worse=1)).sum())
        bid, ask = top(bids), top(asks)
        self._crossed += int((ask <= bid).sum())
        judged = ~coarse & np.isfinite(quotes["bid"]) & np.isfinite(quotes["ask"])
        price = judged & ((bid != quotes["bid"]) | (ask != quotes["ask"]))
        sizes = (top(rows.ragged("bid_sz")) != quotes["bid_size"]) | (top(rows.ragged("ask_sz")) != quotes["ask_size"])
        self._compared += int(judged.sum())
        self._price_differs += int(price.sum())
        self._size_differs += int((judged & ~price & sizes).sum())

    def facts(self) -> BookFacts:
        return BookFacts(
            symbol=self.symbol,
            books=self._books,
            levels_min=self._least if self._books else 0,
            levels_max=self._most,
            coarse=self._coarse,
            unsorted=self._unsorted,
            crossed=self._crossed,
            compared=self._compared,
            price_differs=self._price_differs,
            size_differs=self._size_differs,
        )


def top(side: Ragged) -> Float64:
    """The first value of each row, NaN where a row has none."""
    found = np.full(len(side), np.nan)
    filled = side.length > 0
    found[filled] = side.values[side.start[filled]]
    return found


def _unsorted(side: Ragged, *, worse: int) -> Mask:
    """Rows whose prices do not go in the direction of `worse` at every level."""
    packed = side.packed()
    row = np.repeat(np.arange(len(packed)), np.maximum(packed.length, 0))
    step = np.diff(packed.values) * worse
    wrong = np.zeros(len(packed), np.bool_)
    wrong[row[1:][(row[1:] == row[:-1]) & (step <= 0)]] = True
    return wrong

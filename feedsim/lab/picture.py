"""A session as a picture needs it: some hundred columns of time for each symbol, gathered chunk by chunk.

Prices, VWAP and bands, volume by aggressor, the largest trades, the resting depth, and the truth where it is told.
Painters make files of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from feedsim.events import INT_NULL, Chunk, Ragged, Table
from feedsim.events.columns import Float64, Int64
from feedsim.instruments import NS_PER_S
from feedsim.lab.axes import day_of
from feedsim.lab.heat import HeatMap
from feedsim.lab.overlay import Overlay
from feedsim.lab.spans import Span, Spans
from feedsim.lab.tallies import tick_of
from feedsim.playback.tape import Tape

MAX_COLUMNS = 600
MAX_VOLUME_BARS = 100
CARRY_S = 300  # a book is shown for so long after it was told last
# Lengths that people count in, in ms.
LENGTHS_MS = [
    *(100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000),
    *(60_000 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440)),
]


def fitting_length(span_ns: int, most: int) -> int:
    """The shortest length (ns) that people count in of which at most `most` cover a span."""
    lengths = [ms * 1_000_000 for ms in LENGTHS_MS]
    return next((length for length in lengths if -(-span_ns // length) <= most), -(-span_ns // most))


@dataclass(frozen=True, slots=True)
class VolumeBars:
    """Wider columns for the volume: `start` and `width` in columns of the picture."""

    start: Int64
    width: int
    bought: Int64
    sold: Int64
    other: Int64

    @property
    def volume(self) -> Int64:
        return self.bought + self.sold + self.other

    @property
    def delta(self) -> Int64:
        return self.bought - self.sold


@dataclass(slots=True)
class Panel:
    """One symbol. Arrays have one value a column: NaN or 0 where there is none."""

    symbol: str
    tick: float
    columns: int
    heat: HeatMap = field(init=False)
    """Of l2."""
    touch: HeatMap = field(init=False)
    """Of l1: all that is known where there is no l2, or only coarse ones."""
    fine_books: bool = False
    bar_tf_s: int = 0
    """Where there are no trades: the length of the bars whose volume is shown."""
    spans: Spans = field(default_factory=Spans)
    overlay: Overlay = field(default_factory=Overlay)
    bid: Float64 = field(init=False)
    ask: Float64 = field(init=False)
    mid: Float64 = field(init=False)
    """Of l1, or of l2 where there is no l1; as at the column's end."""
    last: Float64 = field(init=False)
    high: Float64 = field(init=False)
    low: Float64 = field(init=False)
    """Trades: the column's last, highest and lowest price."""
    vwap: Float64 = field(init=False)
    sd: Float64 = field(init=False)
    bought: Int64 = field(init=False)
    sold: Int64 = field(init=False)
    other: Int64 = field(init=False)
    """Volume by aggressor, `other` where it is not known."""
    big_size: Int64 = field(init=False)
    big_price: Float64 = field(init=False)
    big_side: Int64 = field(init=False)
    """The column's largest trade."""

    def __post_init__(self) -> None:
        self.heat, self.touch = HeatMap(self.columns), HeatMap(self.columns)
        for name in ("bid", "ask", "mid", "last", "high", "low", "vwap", "sd", "big_price"):
            setattr(self, name, np.full(self.columns, np.nan))
        for name in ("bought", "sold", "other", "big_size", "big_side"):
            setattr(self, name, np.zeros(self.columns, np.int64))

    # ---------------------------------------------------------------------------------------------------- gathering

    def add_trades(self, column: Int64, rows: Table) -> None:
        price, size, side = rows.array("price"), rows.array("size"), rows.array("side")
        self.last[column] = price
        np.fmax.at(self.high, column, price)
        np.fmin.at(self.low, column, price)
        for total, mask in ((self.bought, side > 0), (self.sold, side < 0), (self.other, side == 0)):
            np.add.at(total, column[mask], size[mask])
        order = np.argsort(size, kind="stable")
        larger = order[size[order] > self.big_size[column[order]]]
        self.big_size[column[larger]] = size[larger]
        self.big_price[column[larger]] = price[larger]
        self.big_side[column[larger]] = side[larger]

    def add_quotes(self, column: Int64, rows: Table) -> None:
        bid, ask = rows.array("bid"), rows.array("ask")
        self.bid[column], self.ask[column] = bid, ask
        self.mid[column] = (bid + ask) / 2
        if not self.fine_books:
            sizes = np.concatenate((rows.array("bid_size"), rows.array("ask_size")))
            self._add_depth(self.touch, column, np.tile(column, 2), np.concatenate((bid, ask)), sizes)

    def _add_depth(self, heat: HeatMap, books: Int64, column: Int64, price: Float64, size: Int64) -> None:
        known = np.isfinite(price) & (size > 0)
        heat.add(books, column[known], np.round(price[known] / self.tick).astype(np.int64), size[known])

    def add_bars(self, column: Int64, rows: Table) -> None:
        vwap = rows.array("vwap")
        known = np.isfinite(vwap)
        self.vwap[column[known]] = vwap[known]
        self.sd[column[known]] = (rows.array("vwap_sd1") - vwap)[known]

    def add_volume(self, column: Int64, rows: Table) -> None:
        """Of bars, for a source without trades; those of one length only, each at its end."""
        self.bar_tf_s = self.bar_tf_s or int(rows.array("tf_s")[0])
        mine = rows.array("tf_s") == self.bar_tf_s
        volume, delta = rows.array("volume")[mine], rows.array("delta")[mine]
        sided = delta != INT_NULL
        delta = np.where(sided, delta, 0)
        bought = np.where(sided, (volume + delta) // 2, 0)
        for total, part in (
            (self.bought, bought),
            (self.sold, np.where(sided, bought - delta, 0)),
            (self.other, np.where(sided, 0, volume)),
        ):
            np.add.at(total, column[mine], part)

    def add_books(self, column: Int64, rows: Table, *, with_mid: bool) -> None:
        self.fine_books = self.fine_books or not bool(rows.array("coarse").all())
        prices = Ragged.concatenate([rows.ragged("bid_px"), rows.ragged("ask_px")])
        sizes = Ragged.concatenate([rows.ragged("bid_sz"), rows.ragged("ask_sz")])
        levels = np.repeat(np.tile(column, 2), np.maximum(prices.length, 0))
        self._add_depth(self.heat, column, levels, prices.values, sizes.values)
        if with_mid:
            self.mid[column] = rows.array("mid")

    # ------------------------------------------------------------------------------------------------------ reading

    @property
    def has_volume(self) -> bool:
        return bool(self.bought.any() or self.sold.any() or self.other.any())

    @property
    def has_delta(self) -> bool:
        return bool(self.bought.any() or self.sold.any())

    def depths(self) -> list[HeatMap]:
        """The maps to draw, each over the one before."""
        return [self.heat] if self.fine_books else [self.heat, self.touch]

    @property
    def price_label(self) -> str:
        """What `price` is."""
        return "mid" if np.isfinite(self.mid).any() else "last trade"

    def price(self) -> Float64:
        """The line to draw: mid where there are quotes, the last trade elsewhere; held until it changes."""
        return held(self.mid if np.isfinite(self.mid).any() else self.last)

    def price_range(self) -> tuple[float, float]:
        """What the price axis must show: all prices and some ticks around them. (0, 1) of an empty panel."""
        beside = self.overlay.beside
        seen = np.concatenate((self.mid, self.high, self.low, *(() if beside is None else (beside.values,))))
        seen = seen[np.isfinite(seen)]
        if not len(seen):
            return 0.0, 1.0
        low, high = float(seen.min()), float(seen.max())
        around = max(5 * self.tick, 0.12 * (high - low))
        return low - around, high + around

    def cumulative_delta(self) -> Int64:
        cumulated: Int64 = np.cumsum(self.bought - self.sold)
        return cumulated

    def volume_bars(self, width: int) -> VolumeBars:
        start = np.arange(0, self.columns, width)
        sums = (np.add.reduceat(total, start) for total in (self.bought, self.sold, self.other))
        return VolumeBars(start, width, *sums)

    def biggest(self, count: int) -> npt.NDArray[np.intp]:
        """The columns of the largest trades, none of one lot; of equal ones some from all over the session."""
        found = np.flatnonzero(self.big_size > 1)
        if len(found) <= count:
            return found
        sizes = self.big_size[found]
        least = np.sort(sizes)[-count]
        larger, equal = found[sizes > least], found[sizes == least]
        spread = np.linspace(0, len(equal) - 1, count - len(larger)).astype(np.intp)
        return np.sort(np.concatenate((larger, equal[spread])))


def held(values: Float64) -> Float64:
    """NaN replaced by the value before it."""
    place = np.where(np.isfinite(values), np.arange(len(values)), 0)
    filled: Float64 = values[np.maximum.accumulate(place)]
    return filled


class Picture:
    """All symbols of a session in [start_ns, end_ns)."""

    def __init__(
        self,
        title: str,
        symbols: tuple[str, ...],
        start_ns: int,
        end_ns: int,
        *,
        has_trades: bool = True,
        with_flow: bool = True,
    ) -> None:
        """Volume is that of the trades, or that of the bars where the session has none.

        Without `with_flow` the market's volume, delta and large trades are not drawn.
        """
        self.title = title
        self.with_flow = with_flow
        self._has_trades = has_trades
        self.length_ns = fitting_length(end_ns - start_ns, MAX_COLUMNS)
        self.start_ns = start_ns - start_ns % min(self.length_ns, NS_PER_S)
        self.columns = -(-(end_ns - self.start_ns) // self.length_ns)
        self.panels = [Panel(symbol, tick_of(symbol) or 0.01, self.columns) for symbol in symbols]

    @staticmethod
    def of(tape: Tape) -> Picture:
        """An empty picture of a tape that has an end."""
        assert tape.end_ns is not None
        return Picture(tape.info.name, tape.symbols, tape.start_ns, tape.end_ns, has_trades="trade" in tape.channels)

    @property
    def subtitle(self) -> str:
        """The day, and what a column is."""
        seconds = self.length_ns / NS_PER_S
        each = f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
        return f"{day_of(self.start_ns)}, New York time; one column is {each}"

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.columns * self.length_ns

    @property
    def ends_ns(self) -> Int64:
        """The last nanosecond of each column."""
        return self.start_ns + (np.arange(self.columns, dtype=np.int64) + 1) * self.length_ns - 1

    @property
    def has_phases(self) -> bool:
        return any(panel.spans.phases for panel in self.panels)

    def place(self, span: Span) -> tuple[float, float]:
        """Where a span begins and ends, in columns of the picture."""
        start, end = ((ns - self.start_ns) / self.length_ns for ns in (span.start_ns, span.end_ns))
        return max(start, 0.0), min(end, float(self.columns))

    @property
    def bar_columns(self) -> int:
        """Columns that share one bar of volume."""
        span_ns = self.columns * self.length_ns
        lengths = (ms * 1_000_000 for ms in LENGTHS_MS)
        whole = (length // self.length_ns for length in lengths if length % self.length_ns == 0)
        return next((width for width in whole if width and span_ns // self.length_ns // width <= MAX_VOLUME_BARS), 1)

    @property
    def carry(self) -> int:
        """For how many columns a book is shown."""
        return CARRY_S * NS_PER_S // self.length_ns

    def add(self, chunk: Chunk) -> None:
        """The next chunk of the session."""
        for channel in ("status", "context", "truth", "trade", "l1", "bar", "l2"):
            if channel in chunk.tables:
                self._add(chunk.tables[channel].table)

    def _add(self, table: Table) -> None:
        # A bar belongs to the column in which it ended, which its end is not in.
        column = (table.avail - (table.channel == "bar") - self.start_ns) // self.length_ns
        inside = (column >= 0) & (column < self.columns)
        for panel in self.panels:
            mask = inside & (table.array("symbol") == table.symbols.index(panel.symbol))
            if mask.any():
                self._add_rows(panel, column[mask], table.take(mask))

    def _add_rows(self, panel: Panel, column: Int64, rows: Table) -> None:
        if rows.channel == "trade":
            panel.add_trades(column, rows)
        elif rows.channel == "l1":
            panel.add_quotes(column, rows)
        elif rows.channel == "bar":
            panel.add_bars(column, rows)
            if not self._has_trades:
                panel.add_volume(column, rows)
        elif rows.channel == "truth":
            panel.spans.add_truth(rows)
        elif rows.channel == "context":
            panel.spans.add_context(rows)
        elif rows.channel == "status":
            panel.spans.add_status(rows)
        else:
            panel.add_books(column, rows, with_mid=not np.isfinite(panel.bid).any())

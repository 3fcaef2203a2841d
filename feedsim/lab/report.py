"""What an inspection found, as plain facts: one Struct a stream, and one a symbol for quotes, books and trades.

Times are nanoseconds UTC, spreads are in ticks (in index points where the tick of a symbol is not known).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class StreamFacts(msgspec.Struct, kw_only=True):
    """One (channel, symbol), bars and footprints by length."""

    channel: str
    symbol: str
    tf_s: int
    rows: int
    first_ns: int
    """Available time of the first row."""
    last_ns: int
    peak_per_s: int
    """Rows in the fullest second."""
    backwards: int
    """Rows with a `ts` before that of the row before."""
    off_tick: int
    """Rows with a price that is no multiple of the tick."""
    nulls: dict[str, int]
    """Rows by field in which it is null or NaN; only fields that have any."""

    @property
    def per_s(self) -> float:
        """Mean rows a second between the first and the last."""
        return self.rows / max((self.last_ns - self.first_ns) / 1e9, 1.0)


class QuoteFacts(msgspec.Struct, kw_only=True):
    """The l1 rows of one symbol. Spreads count quotes, not time."""

    symbol: str
    quotes: int
    spread_min: float | None
    spread_median: float | None
    spread_p99: float | None
    spread_max: float | None
    crossed: int
    """ask < bid"""
    locked: int
    """ask = bid"""
    one_sided: int
    """A price is missing, or a size is not above 0."""


class BookFacts(msgspec.Struct, kw_only=True):
    """The l2 rows of one symbol."""

    symbol: str
    books: int
    levels_min: int
    levels_max: int
    coarse: int
    unsorted: int
    """A side whose prices do not get worse level by level."""
    crossed: int
    """Best ask at or below best bid."""
    compared: int
    """Books that are not coarse, with an l1 before them."""
    price_differs: int
    """l1 is not the top of the book."""
    size_differs: int
    """The prices agree, a size does not."""


class TradeFacts(msgspec.Struct, kw_only=True):
    """The trades of one symbol, each against the l1 that came before it."""

    symbol: str
    trades: int
    volume: int
    bought: int
    sold: int
    at_touch: int
    """A buy at the ask, a sell at the bid; of unknown side, at either."""
    inside: int
    """Between bid and ask, or at the other side's price."""
    through: int
    """Beyond the touch."""
    unquoted: int
    """Before the first l1, or against one without prices."""


class BarFacts(msgspec.Struct, kw_only=True):
    """The bars that a source tells itself against those computed from its trades."""

    symbol: str
    tf_s: int
    compared: int
    equal: int
    differing: dict[str, int]
    """Bars by field in which the two differ."""
    own_only: int
    """Bars with volume in windows without trades."""
    computed_only: int
    """Windows with trades, between the first and the last own bar, that it has no bar of."""


class Report(msgspec.Struct, kw_only=True):
    """All that was found."""

    name: str
    kind: str
    contracts: dict[str, str]
    start_ns: int
    end_ns: int
    """The last event's available time."""
    events: int
    streams: list[StreamFacts]
    quotes: list[QuoteFacts]
    books: list[BookFacts]
    trades: list[TradeFacts]
    bars: list[BarFacts]
    notes: list[str]

    def breaches(self) -> Iterator[tuple[int, str]]:
        """What one true market would not do, with how often it happened."""
        for book in self.books:
            yield book.price_differs, f"{book.symbol}: l1 prices are not the top of l2"
            yield book.size_differs, f"{book.symbol}: l1 sizes are not those of the top of l2"
            yield book.crossed, f"{book.symbol}: books are crossed or locked"
            yield book.unsorted, f"{book.symbol}: books have levels out of order"
        for quote in self.quotes:
            yield quote.crossed, f"{quote.symbol}: quotes are crossed"
        for trade in self.trades:
            yield trade.through, f"{trade.symbol}: trades print through the touch"
            yield trade.inside, f"{trade.symbol}: trades print inside the spread or at the wrong side"
        for bar in self.bars:
            length = f"{bar.symbol} {bar.tf_s} s"
            yield bar.compared - bar.equal, f"{length}: own bars differ from the trades in {', '.join(bar.differing)}"
            yield bar.own_only, f"{length}: own bars have volume where there are no trades"
            yield bar.computed_only, f"{length}: own bars are missing where there are trades"
        for stream in self.streams:
            length = f" {stream.tf_s} s" if stream.tf_s else ""
            yield stream.off_tick, f"{stream.symbol}: {stream.channel}{length} rows have prices off tick"
            yield stream.backwards, f"{stream.symbol}: {stream.channel}{length} rows are earlier than the row before"

"""Reading a session once, chunk by chunk, and counting what is in it and what is wrong with it.

`inspect_tape` is the whole of it; what is kept grows with the streams and the seconds of bars, never with the events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from feedsim.events import RANK, Chunk, Table
from feedsim.events.chunk import Ordered
from feedsim.lab.own_bars import BarComparison
from feedsim.lab.report import Report, StreamFacts
from feedsim.lab.tallies import BookTally, QuoteTally, StreamTally
from feedsim.lab.touch import Quotes, TradeTally
from feedsim.observe import Bars
from feedsim.playback.tape import Tape

CHUNK_ROWS = 8192


@runtime_checkable
class TellsBars(Protocol):
    """A source with trades that can also tell the bars that its files hold."""

    def own_bars(self) -> Table:
        """Bar rows by (end, symbol); reads the files."""
        ...


def inspect_tape(tape: Tape, *, on_chunk: Callable[[Chunk], None] | None = None) -> Report:
    """Read a tape from its start to its end; `on_chunk` gets each chunk after it was counted.

    Raises SourceError for data that cannot be replayed. The tape must have an end.
    """
    tape.skip_to_start()
    inspection = Inspection(tape)
    while (chunk := tape.advance(CHUNK_ROWS)) is not None:
        inspection.add(chunk)
        if on_chunk is not None:
            on_chunk(chunk)
    return inspection.report()


class Inspection:
    """The counts of one epoch of a tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        symbols = tape.symbols
        self._streams: list[StreamTally] = []
        self._quotes = [Quotes() for _ in symbols]
        self._quote_tallies = [QuoteTally(symbol) for symbol in symbols]
        self._book_tallies = [BookTally(symbol) for symbol in symbols]
        self._trade_tallies = [TradeTally(symbol) for symbol in symbols]
        self._events, self._last_ns = 0, tape.start_ns
        self._bars = BarComparison(symbols, start_ns=tape.start_ns, end_ns=tape.end_ns if tape.limited else None)
        self._observer: Bars | None = None
        self._own_in_tape = tape.info.ordered and {"trade", "bar"} <= set(tape.channels)
        self._start_own_bars()

    def _start_own_bars(self) -> None:
        source = self.tape.source
        if self._own_in_tape:
            lengths = self.tape.config.bar_tf_s
        elif "trade" in self.tape.channels and isinstance(source, TellsBars):
            own = source.own_bars()
            self._bars.add_own(own)
            lengths = tuple(np.unique(own.array("tf_s")).tolist())
        else:
            return
        if lengths:
            self._observer = Bars(self.tape.symbols, lengths, flat=False)

    def add(self, chunk: Chunk) -> None:
        """The next chunk of the tape."""
        self._events += len(chunk)
        self._last_ns = int(chunk.avail[-1])
        self._streams += [StreamTally(key) for key in chunk.streams.keys[len(self._streams) :]]
        for part in chunk.tables.values():
            self._add_streams(part)
        for code in range(len(self.tape.symbols)):
            self._add_symbol(code, chunk)
        if self._observer is not None:
            self._add_bars(self._observer, chunk)

    def _add_streams(self, part: Ordered) -> None:
        for code in np.unique(part.stream).tolist():
            self._streams[code].add(part.table.take(part.stream == code))

    def _add_symbol(self, code: int, chunk: Chunk) -> None:
        quotes = self._quotes[code]
        l1, l2, trades = (_of_symbol(chunk, channel, code) for channel in ("l1", "l2", "trade"))
        quotes.take(None if l1 is None else l1.table, np.empty(0, np.int64) if l1 is None else l1.seq)
        if l1 is not None:
            self._quote_tallies[code].add(l1.table)
        if l2 is not None:
            self._book_tallies[code].add(l2.table, quotes.before(l2.seq))
        if trades is not None:
            self._trade_tallies[code].add(trades.table, quotes.before(trades.seq))

    def _add_bars(self, observer: Bars, chunk: Chunk) -> None:
        if self._own_in_tape and "bar" in chunk.tables:
            self._bars.add_own(chunk.tables["bar"].table)
        trades = chunk.tables.get("trade")
        table = Table.empty("trade", self.tape.symbols) if trades is None else trades.table
        until_ns = max(self.tape.position_ns, self._last_ns + 1)
        self._bars.add_computed(observer.observe(table, until_ns))
        self._bars.settle(until_ns)

    def report(self) -> Report:
        """What was found so far."""
        info = self.tape.source.info  # some sources know only now what they left out
        quotes = [tally.facts() for tally in self._quote_tallies]
        books = [tally.facts() for tally in self._book_tallies]
        return Report(
            name=info.name,
            kind=info.kind,
            contracts=dict(info.contracts),
            start_ns=self.tape.start_ns,
            end_ns=self._last_ns,
            events=self._events,
            streams=sorted((tally.facts() for tally in self._streams), key=_by_rank),
            quotes=[facts for facts in quotes if facts.quotes],
            books=[facts for facts in books if facts.books],
            trades=[tally.facts for tally in self._trade_tallies if tally.facts.trades],
            bars=self._bars.facts(),
            notes=list(info.notes),
        )


def _of_symbol(chunk: Chunk, channel: str, code: int) -> Ordered | None:
    part = chunk.tables.get(channel)
    if part is None:
        return None
    rows = part.table.array("symbol") == code
    return part.take(rows) if rows.any() else None


def _by_rank(facts: StreamFacts) -> tuple[int, str, int]:
    return RANK[facts.channel], facts.symbol, facts.tf_s

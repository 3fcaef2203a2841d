"""An inspection's report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from feedsim.instruments import EXCHANGE_TZ, NS_PER_S
from feedsim.lab.report import Report, StreamFacts

LEAST_WIDTH = 124  # columns, where the output is no terminal
WIDE = 108  # columns in which there is room for each stream's times in UTC as well
MAX_NULLS = 6  # fields of a stream that are named


def print_report(report: Report, console: Console) -> None:
    """All that was found: streams, quotes, books, trades, bars, what is wrong, what to know."""
    for line in _heading(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for table in (
        _streams(report, wide=console.width >= WIDE),
        _quotes(report),
        _trades(report),
        _books(report),
        _bars(report),
    ):
        if table.row_count:
            console.print()
            console.print(table)
    console.print()
    for line in (*_nulls(report), *_verdict(report), *(f"note: {note}" for note in report.notes)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _heading(report: Report) -> Iterator[str]:
    contracts = ", ".join(f"{symbol} is {name}" for symbol, name in report.contracts.items())
    yield f"{report.name}  ({report.kind}{'; ' if contracts else ''}{contracts})"
    length_s = (report.end_ns - report.start_ns) / NS_PER_S
    yield f"{report.events:,} events in {_length(length_s)}"
    for label, zone in (("New York", EXCHANGE_TZ), ("UTC", UTC)):
        yield f"  {label:8}  {_moment(report.start_ns, zone)}  –  {_moment(report.end_ns, zone)}"


def _length(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes} min {seconds} s"


def _moment(ns: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(ns // NS_PER_S, zone).strftime("%Y-%m-%d %H:%M:%S") + f".{ns % NS_PER_S // 10**6:03}"


def _table(title: str, text: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD)
    table.show_edge = table.pad_edge = False
    table.padding = (0, 1, 0, 0)
    for name in text:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _streams(report: Report, *, wide: bool) -> Table:
    days = report.end_ns - report.start_ns > 20 * 3600 * NS_PER_S
    shown = "%m-%d %H:%M:%S" if days else "%H:%M:%S"
    zones = {"New York": EXCHANGE_TZ, "UTC": UTC} if wide else {"New York": EXCHANGE_TZ}
    times = (f"in {zone}" for zone in zones)
    columns = ("rows", *times, "mean/s", "peak/s", "off tick", *(("earlier",) if wide else ()))
    table = _table("Streams, first – last", ("channel", "symbol"), columns)
    for facts in report.streams:
        spans = (_span(facts, zone, shown) for zone in zones.values())
        channel = f"{facts.channel} {facts.tf_s} s" if facts.tf_s else facts.channel
        rate = f"{facts.per_s:,.2f}" if facts.per_s < 100 else f"{facts.per_s:,.0f}"
        counts = (f"{facts.peak_per_s:,}", _count(facts.off_tick), _count(facts.backwards))
        table.add_row(channel, facts.symbol, f"{facts.rows:,}", *spans, rate, *(counts if wide else counts[:2]))
    return table


def _span(facts: StreamFacts, zone: tzinfo, shown: str) -> str:
    ends = (datetime.fromtimestamp(ns // NS_PER_S, zone).strftime(shown) for ns in (facts.first_ns, facts.last_ns))
    return "–".join(ends)


def _quotes(report: Report) -> Table:
    columns = ("quotes", "spread min", "median", "p99", "max", "locked", "crossed", "one-sided")
    table = _table("Quotes (spreads in ticks, each quote counted once)", ("symbol",), columns)
    for facts in report.quotes:
        spreads = (facts.spread_min, facts.spread_median, facts.spread_p99, facts.spread_max)
        shown = ("–" if spread is None else f"{spread:,.5g}" for spread in spreads)
        counts = (_count(count) for count in (facts.locked, facts.crossed, facts.one_sided))
        table.add_row(facts.symbol, f"{facts.quotes:,}", *shown, *counts)
    return table


def _trades(report: Report) -> Table:
    columns = ("trades", "volume", "bought", "sold", "at touch", "inside", "through", "no quote")
    table = _table("Trades against the quote before each", ("symbol",), columns)
    for facts in report.trades:
        sums = (f"{value:,}" for value in (facts.trades, facts.volume, facts.bought, facts.sold))
        share = f"{facts.at_touch:,}"
        table.add_row(
            facts.symbol, *sums, share, _count(facts.inside), _count(facts.through), _count(facts.unquoted, bad=False)
        )
    return table


def _books(report: Report) -> Table:
    columns = ("books", "levels", "coarse", "crossed", "unsorted", "with l1", "prices ≠", "sizes ≠")
    table = _table("Books, and l1 against the top of l2", ("symbol",), columns)
    for facts in report.books:
        levels = f"{facts.levels_min}–{facts.levels_max}" if facts.levels_min != facts.levels_max else facts.levels_max
        counts = (_count(count) for count in (facts.crossed, facts.unsorted))
        differs = (_count(count) for count in (facts.price_differs, facts.size_differs))
        coarse = _count(facts.coarse, bad=False)
        table.add_row(facts.symbol, f"{facts.books:,}", str(levels), coarse, *counts, f"{facts.compared:,}", *differs)
    return table


def _bars(report: Report) -> Table:
    columns = ("compared", "equal", "no trades", "no bar", "differs in")
    table = _table("The source's own bars against its trades", ("symbol", "length"), columns)
    for facts in report.bars:
        differing = ", ".join(f"{name} {count:,}" for name, count in facts.differing.items()) or "–"
        counts = (f"{facts.compared:,}", f"{facts.equal:,}", _count(facts.own_only), _count(facts.computed_only))
        table.add_row(facts.symbol, f"{facts.tf_s} s", *counts, differing)
    return table


def _count(count: int, *, bad: bool = True) -> str:
    """Nothing is a dash, so that what is there is seen."""
    if not count:
        return "–"
    return f"[red]{count:,}[/red]" if bad else f"{count:,}"


def _nulls(report: Report) -> Iterator[str]:
    """Fields that are null or NaN in some rows, by stream; first those of all rows."""
    for facts in report.streams:
        if not facts.nulls:
            continue
        always = [name for name, count in facts.nulls.items() if count == facts.rows]
        some = [f"{name} {count:,}" for name, count in facts.nulls.items() if count != facts.rows]
        length = f" {facts.tf_s} s" if facts.tf_s else ""
        parts = [f"always {_listed(always)}"] if always else []
        parts += [f"in some rows {_listed(some)}"] if some else []
        yield f"null: {facts.channel} {facts.symbol}{length}: {'; '.join(parts)}"


def _listed(names: list[str]) -> str:
    more = len(names) - MAX_NULLS
    return ", ".join(names[:MAX_NULLS]) + (f" and {more} more" if more > 0 else "")


def _verdict(report: Report) -> Iterator[str]:
    breaches = [f"breach: {count:,} × {text}" for count, text in report.breaches() if count]
    yield from breaches or ["no breach: quotes, books, trades and bars agree"]

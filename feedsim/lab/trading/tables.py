"""A trading report as tables for a terminal, and its figures as words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from feedsim.instruments import EXCHANGE_TZ, NS_PER_S
from feedsim.lab.trading.costs import Slippage
from feedsim.lab.trading.impact import Impact
from feedsim.lab.trading.report import Figures, TradingReport, TripRow

MOST_TRIPS = 40
NONE = "–"


class Column(NamedTuple):
    """A column of trades: its name, and whether it is a number."""

    name: str
    number: bool = True


TRIP_COLUMNS = (
    Column("entry", number=False),
    Column("exit", number=False),
    Column("symbol", number=False),
    Column("side", number=False),
    *(Column(name) for name in ("lots", "entry price", "exit price", "gross", "fees", "net", "MAE", "MFE")),
    Column("closed by", number=False),
)


def print_report(report: TradingReport, console: Console) -> None:
    """Head, figures of each account, trades, impact, notes."""
    for line in head(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    shown = columns_of(report)
    table = _table(("", *(escape(one.account) for one in shown)), numbers=range(1, len(shown) + 1))
    for block in zip(*(list(rows(one)) for one in shown), strict=True):
        table.add_row(block[0][0], *(text for _, text in block))
    console.print(table)
    if report.trips:
        console.print()
        table = _table([column.name for column in TRIP_COLUMNS], [i for i, c in enumerate(TRIP_COLUMNS) if c.number])
        for trip in report.trips[:MOST_TRIPS]:
            table.add_row(*map(escape, trip_cells(trip)))
        console.print(table)
        if len(report.trips) > MOST_TRIPS:
            console.print(f"and {len(report.trips) - MOST_TRIPS:,} trades more, which --json has", highlight=False)
    for line in (*map(impact_words, report.impact), *(f"note: {note}" for note in report.notes)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(names: Sequence[str], numbers: Sequence[int]) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place in numbers else "left", no_wrap=True)
    return table


def columns_of(report: TradingReport) -> list[Figures]:
    """Each account, and all together where there are several."""
    return report.accounts if len(report.accounts) == 1 else [*report.accounts, report.together]


def head(report: TradingReport) -> Iterator[str]:
    """What the report is of."""
    day = datetime.fromtimestamp(report.start_ns // NS_PER_S, EXCHANGE_TZ).strftime("%Y-%m-%d")
    where = "orders entered the market" if report.in_market else "orders filled in the shadow of the tape"
    yield f"{report.name}: {', '.join(report.symbols)} of {report.source}, {where}"
    yield f"{day}, {clock(report.start_ns)} to {clock(report.end_ns)} New York"


def rows(one: Figures) -> Iterator[tuple[str, str]]:
    """(name, value) of an account's figures."""
    rate = NONE if not one.trades else f"{one.wins / one.trades:.0%}"
    yield "trades", f"{one.trades:,} ({rate} won)" if one.trades else "0"
    yield "P&L gross, closed trades", money(one.gross)
    yield "P&L open positions", f"{money(one.open_profit)} ({one.open_lots} lots)" if one.open_lots else NONE
    yield "fees", f"{one.fees:,.2f}"
    yield "P&L net", money(one.net)
    yield "equity at the end", f"{one.equity:,.2f}"
    yield "drawdown", f"{one.drawdown:,.2f}"
    yield "  from peak to trough", f"{clock(one.peak_ns)} – {clock(one.trough_ns)}" if one.drawdown else NONE
    yield "profit factor", NONE if one.profit_factor is None else f"{one.profit_factor:.2f}"
    yield "best, worst trade", f"{_maybe_money(one.best_trade)}, {_maybe_money(one.worst_trade)}"
    yield "orders (rejected)", f"{one.orders:,} ({one.rejected:,})"
    yield "fill ratio", share(one.fill_ratio)
    yield "maker share", share(one.maker_share)
    yield "slippage of takers, against mid", slipped(one.takers, "mid")
    yield "  against arrival", slipped(one.takers, "arrival")
    yield "  against decision", slipped(one.takers, "decision")
    yield "slippage of makers, against mid", slipped(one.makers, "mid")
    yield "queue time, median, longest", f"{seconds(one.queue.median_s)}, {seconds(one.queue.longest_s)}"
    yield "exposure", f"{seconds(one.exposure_s)} ({one.exposure_share:.1%})"


def trip_cells(trip: TripRow) -> tuple[str, ...]:
    """A trade under TRIP_COLUMNS."""
    return (
        clock(trip.entry_ns),
        clock(trip.exit_ns),
        trip.symbol,
        trip.side,
        f"{trip.quantity:,}",
        f"{trip.entry_price:,.2f}",
        f"{trip.exit_price:,.2f}",
        money(trip.gross),
        f"{trip.fees:,.2f}",
        money(trip.net),
        f"{money(trip.mae)} ({trip.mae_ticks:.0f})",
        f"{money(trip.mfe)} ({trip.mfe_ticks:.0f})",
        trip.exit_order,
    )


def impact_words(impact: Impact) -> str:
    """What the orders did to one symbol's price, beside the same seed without them."""
    return (
        f"impact on {impact.symbol}: {impact.net_lots:+,} lots net; in the direction of the first fill "
        f"{impact.peak_ticks:+.1f} ticks at most ({clock(impact.peak_ns)}), {impact.mean_ticks:+.1f} in the mean, "
        f"{impact.end_ticks:+.1f} at the end"
    )


def money(amount: float) -> str:
    return f"{amount:+,.2f}"


def _maybe_money(amount: float | None) -> str:
    return NONE if amount is None else money(amount)


def share(value: float | None) -> str:
    return NONE if value is None else f"{value:.1%}"


def slipped(one: Slippage, reference: str) -> str:
    """Ticks a lot, and dollars."""
    ticks: float | None = getattr(one, f"against_{reference}")
    dollars: float | None = getattr(one, f"{reference}_dollars")
    return NONE if ticks is None or dollars is None else f"{ticks:+.2f} ticks ({money(dollars)})"


def seconds(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def clock(ns: int) -> str:
    """New York time of day."""
    return datetime.fromtimestamp(ns // NS_PER_S, EXCHANGE_TZ).strftime("%H:%M:%S")

"""A trading report as one HTML page: the figures, the picture with its fills, the trades. It loads nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from feedsim.errors import ConfigError
from feedsim.lab.page import paint_html
from feedsim.lab.picture import Picture
from feedsim.lab.trading.report import Figures, TradingReport
from feedsim.lab.trading.tables import (
    TRIP_COLUMNS,
    columns_of,
    head,
    impact_words,
    money,
    rows,
    share,
    trip_cells,
)


def write_page(report: TradingReport, picture: Picture, path: Path) -> None:
    """Raises ConfigError where it cannot be written."""
    style = resources.files("feedsim.lab.trading").joinpath("page.css").read_text("utf-8")
    try:
        paint_html(picture, path, style=style, before="\n".join(_before(report)), after="\n".join(_after(report)))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", field="html") from None


def _before(report: TradingReport) -> Iterator[str]:
    yield from (f"<p>{html.escape(line)}</p>" for line in head(report))
    yield '<div class="cards">'
    for name, value, good in _cards(report.together):
        kind = "" if good is None else " good" if good else " bad"
        yield f'<div class="card"><span>{name}</span><b class="value{kind}">{value}</b></div>'
    yield "</div>"


def _cards(one: Figures) -> Iterator[tuple[str, str, bool | None]]:
    """(name, value, whether it is good)"""
    yield "P&amp;L net", money(one.net), one.net >= 0
    yield "gross", money(one.gross + one.open_profit), None
    yield "fees", f"{one.fees:,.2f}", None
    yield "drawdown", f"{one.drawdown:,.2f}", None
    yield "trades", f"{one.trades:,}", None
    yield "won", share(one.wins / one.trades if one.trades else None), None
    yield "maker share", share(one.maker_share), None
    yield "exposure", share(one.exposure_share), None


def _after(report: TradingReport) -> Iterator[str]:
    yield from (f"<p>{html.escape(line)}</p>" for line in map(impact_words, report.impact))
    shown = columns_of(report)
    yield '<div class="tables"><table><tr><th></th>'
    yield from (f'<th class="number">{html.escape(one.account)}</th>' for one in shown)
    yield "</tr>"
    for block in zip(*(list(rows(one)) for one in shown), strict=True):
        cells = "".join(f'<td class="number">{html.escape(text)}</td>' for _, text in block)
        yield f"<tr><td>{html.escape(block[0][0])}</td>{cells}</tr>"
    yield "</table>"
    yield from _trips(report)
    yield "</div>"
    yield from (f"<p>note: {html.escape(note)}</p>" for note in report.notes)


def _trips(report: TradingReport) -> Iterator[str]:
    yield "<table><tr>"
    kinds = [' class="number"' if column.number else "" for column in TRIP_COLUMNS]
    yield from (f"<th{kind}>{column.name}</th>" for kind, column in zip(kinds, TRIP_COLUMNS, strict=True))
    yield "</tr>"
    for trip in report.trips:
        cells = zip(kinds, trip_cells(trip), strict=True)
        shown = "".join(f"<td{kind}>{html.escape(text)}</td>" for kind, text in cells)
        yield f'<tr class="{"good" if trip.net > 0 else "bad"}">{shown}</tr>'
    yield "</table>"

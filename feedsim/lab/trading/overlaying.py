"""Trading in a picture of its session: fills and trades at their places, equity and impact below the prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feedsim.events.columns import Float64
from feedsim.exchange.venue import dollars
from feedsim.lab.drawing import INK, LABELS, OTHER_PHASES, VWAP
from feedsim.lab.overlay import FillMark, Graph, Line, TripMark
from feedsim.lab.picture import Picture
from feedsim.lab.trading.equity import in_dollars, together
from feedsim.lab.trading.figures import Account
from feedsim.lab.trading.history import Fill, Products
from feedsim.lab.trading.impact import Impact
from feedsim.lab.trading.trips import Trip

MOST_LINES = 6
COLOURS = (VWAP, LABELS["long_bias"], *OTHER_PHASES)


def mark_up(picture: Picture, accounts: Sequence[Account], products: Products) -> None:
    """Put every fill and trade on its symbol's panel."""
    for panel in picture.panels:
        for account in accounts:
            panel.overlay.fills += [
                _fill_mark(picture, one.fill, products) for one in account.fills if one.fill.symbol == panel.symbol
            ]
            panel.overlay.trips += [
                _trip_mark(picture, trip, products) for trip in account.trips if trip.entry.symbol == panel.symbol
            ]


def _fill_mark(picture: Picture, fill: Fill, products: Products) -> FillMark:
    price = products[fill.symbol].price(fill.price)
    verb, how = ("bought" if fill.side > 0 else "sold"), ("resting" if fill.maker else "taking")
    says = f"{fill.lots} {verb} at {price:,.2f}, {how}: {fill.order.id}"
    return FillMark(_column(picture, fill.at.ns), price, fill.side, fill.maker, says)


def _trip_mark(picture: Picture, trip: Trip, products: Products) -> TripMark:
    tick, entry, exit_ = products[trip.entry.symbol].tick, trip.entry, trip.exit
    return TripMark(
        (max(_column(picture, entry.at.ns), 0.0), trip.entry_ticks * tick),
        (_column(picture, exit_.at.ns), trip.exit_ticks * tick),
        trip.net > 0,
        f"{'long' if entry.side > 0 else 'short'} {trip.lots}: {dollars(trip.net):+,.2f} dollars net",
    )


def _column(picture: Picture, ns: int) -> float:
    return (ns - picture.start_ns) / picture.length_ns


def equity_graph(picture: Picture, accounts: Sequence[Account]) -> Graph:
    """Of all accounts together; a line each where they are few."""
    ends = picture.ends_ns
    if not 1 < len(accounts) <= MOST_LINES:
        curve = together([account.curve for account in accounts])
        return Graph("equity, dollars", (Line("equity", INK, in_dollars(curve, ends)),), dollars(int(curve.value[0])))
    lines = (
        Line(account.history.account, colour, in_dollars(account.curve, ends))
        for account, colour in zip(accounts, COLOURS, strict=False)
    )
    return Graph("equity, dollars", tuple(lines), dollars(accounts[0].history.paid_in))


def without_line(impact: Impact) -> Line:
    """The price as it would have been."""
    return Line("mid without the orders", COLOURS[1], _values(impact.without_orders))


def impact_graph(impact: Impact) -> Graph:
    return Graph("impact of the orders, ticks", (Line("impact", INK, _values(impact.impact_ticks)),), 0.0)


def _values(values: Sequence[float | None]) -> Float64:
    return np.array([np.nan if value is None else value for value in values])

"""What came of one account, or of several together, and how trades and fills read as rows of the report.

Formulas: win = net above 0; profit factor = Σ net of wins ÷ −Σ net of the others; fill ratio = lots filled ÷ lots asked
of accepted orders; maker share = lots of makers ÷ all lots; exposure = time with a position ÷ time of the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedsim.exchange.venue import dollars
from feedsim.instruments import NS_PER_S
from feedsim.lab.trading.costs import Priced, priced, slippage, waits
from feedsim.lab.trading.equity import Curve, Span, covered_ns, curve_of, drawdown, exposure, together
from feedsim.lab.trading.history import History, Order, Products
from feedsim.lab.trading.prices import Prices
from feedsim.lab.trading.report import Figures, FillRow, TripRow
from feedsim.lab.trading.trips import Trip, trips_of

REFERENCES = ("mid", "arrival", "decision")


@dataclass(slots=True)
class Account:
    """All that is computed of one account."""

    history: History
    trips: list[Trip]
    fills: list[Priced]
    curve: Curve
    held: list[Span]


def account_of(history: History, products: Products, prices: dict[str, Prices], start_ns: int, end_ns: int) -> Account:
    return Account(
        history,
        trips_of(history, products, prices),
        priced(history.fills, prices),
        curve_of(history, products, prices, start_ns),
        exposure(history, start_ns, end_ns),
    )


def figures(name: str, accounts: Sequence[Account], products: Products, span_ns: int) -> Figures:
    """Of some accounts together."""
    trips = [trip for account in accounts for trip in account.trips]
    fills = [fill for account in accounts for fill in account.fills]
    lots = sum(fill.fill.lots for fill in fills)
    makers = [fill for fill in fills if fill.fill.maker]
    takers = [fill for fill in fills if not fill.fill.maker]
    curve = together([account.curve for account in accounts])
    fell = drawdown(curve)
    gross, fees = sum(trip.gross for trip in trips), sum(fill.fill.fee for fill in fills)
    change = int(curve.value[-1] - curve.value[0])
    nets = [trip.net for trip in trips]
    won, lost = sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)
    own = [order for account in accounts for order in account.history.orders.values() if _is_sent(order)]
    asked, filled = sum(order.asked for order in own), sum(order.filled for order in own)
    held_ns = covered_ns([span for account in accounts for span in account.held])
    return Figures(
        account=name,
        trades=len(trips),
        wins=sum(net > 0 for net in nets),
        gross=dollars(gross),
        fees=dollars(fees),
        net=dollars(change),
        open_lots=sum(_open_lots(account.history) for account in accounts),
        open_profit=dollars(change - gross + fees),
        equity=dollars(int(curve.value[-1])),
        profit_factor=won / lost if lost else None,
        best_trade=dollars(max(nets)) if nets else None,
        worst_trade=dollars(min(nets)) if nets else None,
        drawdown=dollars(fell.amount),
        peak_ns=fell.peak_ns,
        trough_ns=fell.trough_ns,
        orders=len(own),
        rejected=sum(account.history.rejected for account in accounts),
        asked_lots=asked,
        filled_lots=filled,
        fill_ratio=filled / asked if asked else None,
        fills=len(fills),
        lots=lots,
        maker_share=sum(fill.fill.lots for fill in makers) / lots if lots else None,
        takers=slippage(takers, products),
        makers=slippage(makers, products),
        queue=waits(fill.fill for fill in makers),
        exposure_s=held_ns / NS_PER_S,
        exposure_share=held_ns / span_ns,
    )


def _is_sent(order: Order) -> bool:
    """By the client: of a bracket's exits one is cancelled when the other fills."""
    return order.parent is None


def _open_lots(history: History) -> int:
    held: dict[str, int] = {}
    for fill in history.traded:
        held[fill.symbol] = held.get(fill.symbol, 0) + fill.side * fill.lots
    return sum(abs(lots) for lots in held.values())


def trip_row(trip: Trip, products: Products) -> TripRow:
    entry, exit_, product = trip.entry, trip.exit, products[trip.entry.symbol]
    value = trip.lots * product.tick_value
    return TripRow(
        account=trip.account,
        symbol=product.symbol,
        side="long" if entry.side > 0 else "short",
        quantity=trip.lots,
        entry_ns=entry.at.ns,
        exit_ns=exit_.at.ns,
        entry_price=trip.entry_ticks * product.tick,
        exit_price=trip.exit_ticks * product.tick,
        entry_order=entry.order.id,
        exit_order=exit_.order.id,
        gross=dollars(trip.gross),
        fees=dollars(trip.fees),
        net=dollars(trip.net),
        mae_ticks=trip.worst,
        mfe_ticks=trip.best,
        mae=dollars(round(trip.worst * value)),
        mfe=dollars(round(trip.best * value)),
    )


def fill_row(account: str, one: Priced, products: Products) -> FillRow:
    fill, tick = one.fill, products[one.fill.symbol].tick
    points = {name: None if (mid := getattr(one, name)) is None else mid * tick for name in REFERENCES}
    return FillRow(
        account=account,
        order=fill.order.id,
        symbol=fill.symbol,
        ns=fill.at.ns,
        after_seq=fill.at.seq,
        side="buy" if fill.side > 0 else "sell",
        price=fill.price * tick,
        quantity=fill.lots,
        fee=dollars(fill.fee),
        liquidity="maker" if fill.maker else "taker",
        waited_s=None if fill.waited_ns is None else fill.waited_ns / NS_PER_S,
        **points,
        against_mid=one.slip("mid"),
        against_arrival=one.slip("arrival"),
        against_decision=one.slip("decision"),
    )

"""Reads the tape of a run once, and gives its report and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from feedsim.errors import SourceError
from feedsim.events import Chunk
from feedsim.events.columns import Int64
from feedsim.exchange.venue import Venue
from feedsim.lab.picture import Picture
from feedsim.lab.trading.equity import Curve, in_dollars
from feedsim.lab.trading.figures import Account, account_of, figures, fill_row, trip_row
from feedsim.lab.trading.history import Fill, History
from feedsim.lab.trading.impact import Impact, impact_of
from feedsim.lab.trading.overlaying import equity_graph, impact_graph, mark_up, without_line
from feedsim.lab.trading.prices import Prices
from feedsim.lab.trading.report import EquityRows, TradingReport
from feedsim.lab.trading.trips import first_disagreement


@dataclass(slots=True, kw_only=True)
class Run:
    """A run's facts besides its tape; `histories` are those of one epoch, in which something was asked for."""

    name: str
    source: str
    epoch: int
    start_ns: int
    end_ns: int
    in_market: bool
    venue: Venue
    histories: list[History]
    notes: list[str] = field(default_factory=list)

    @property
    def symbols(self) -> list[str]:
        """What was traded, or asked for."""
        named = [history.symbols for history in self.histories]
        named += [[order.symbol for order in history.orders.values()] for history in self.histories]
        return list(dict.fromkeys(symbol for symbols in named for symbol in symbols))


class Study:
    """It gets the tape by `add`, that without the orders by `add_without`; then `finish`."""

    def __init__(self, run: Run, *, channels: Sequence[str]) -> None:
        """Raises SourceError where the exchange told accounts other sums than their fills give."""
        self.run = run
        products = run.venue.products
        for history in run.histories:
            wrong = first_disagreement(history, products)
            if wrong is not None:
                raise SourceError(f"the log does not add up: {wrong}", file=run.name)
        self._prices = {symbol: Prices(symbol, products[symbol].tick) for symbol in run.symbols}
        self._without = {symbol: Prices(symbol, products[symbol].tick) for symbol in run.symbols}
        self.compared = False
        self.picture = Picture(
            run.name, tuple(run.symbols), run.start_ns, run.end_ns, has_trades="trade" in channels, with_flow=False
        )

    def add(self, chunk: Chunk, seqs: Int64) -> None:
        """The next of the tape; `seqs` of its events."""
        self.picture.add(chunk)
        for prices in self._prices.values():
            prices.add(chunk, seqs)

    def add_without(self, chunk: Chunk, seqs: Int64) -> None:
        """The next of the same market without the orders."""
        self.compared = True
        for prices in self._without.values():
            prices.add(chunk, seqs)

    def finish(self) -> TradingReport:
        """The report; the picture is marked up."""
        run, products = self.run, self.run.venue.products
        for prices in (*self._prices.values(), *self._without.values()):
            prices.close()
        accounts = [account_of(history, products, self._prices, run.start_ns, run.end_ns) for history in run.histories]
        impact = [self._impact(symbol) for symbol in run.symbols if self.compared and self._fills(symbol)]
        self._mark_up(accounts, impact)
        span_ns = run.end_ns - run.start_ns
        total = figures("together", accounts, products, span_ns)
        trades = f"{total.trades:,} trade" + "s" * (total.trades != 1)
        self.picture.title = f"{run.name}: {trades}, {total.net:+,.2f} dollars net, drawdown {total.drawdown:,.2f}"
        every = [figures(one.history.account, [one], products, span_ns) for one in accounts]
        return TradingReport(
            name=run.name,
            source=run.source,
            epoch=run.epoch,
            start_ns=run.start_ns,
            end_ns=run.end_ns,
            symbols=run.symbols,
            in_market=run.in_market,
            together=total,
            accounts=every,
            trips=[trip_row(trip, products) for one in accounts for trip in one.trips],
            fills=[fill_row(one.history.account, fill, products) for one in accounts for fill in one.fills],
            equity=[self._listed(one.history.account, one.curve) for one in accounts],
            impact=impact,
            notes=run.notes,
        )

    def _fills(self, symbol: str) -> list[Fill]:
        fills = [fill for history in self.run.histories for fill in history.fills if fill.symbol == symbol]
        return sorted(fills, key=lambda fill: fill.number)

    def _impact(self, symbol: str) -> Impact:
        return impact_of(
            self._fills(symbol),
            self._prices[symbol],
            self._without[symbol],
            ends_ns=self.picture.ends_ns,
        )

    def _mark_up(self, accounts: Sequence[Account], impact: Sequence[Impact]) -> None:
        picture = self.picture
        mark_up(picture, accounts, self.run.venue.products)
        for panel in picture.panels:
            panel.overlay.graphs.append(equity_graph(picture, accounts))
            for one in impact:
                if one.symbol == panel.symbol:
                    panel.overlay.beside = without_line(one)
                    panel.overlay.graphs.append(impact_graph(one))

    def _listed(self, account: str, curve: Curve) -> EquityRows:
        ends = self.picture.ends_ns
        return EquityRows(account=account, ends_ns=ends.tolist(), equity=in_dollars(curve, ends).tolist())

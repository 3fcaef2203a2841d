"""What an account is told of its money: positions and sums at the market's prices, in dollars."""

from __future__ import annotations

from collections.abc import Collection

from feedsim.exchange import checks
from feedsim.exchange.hours import Hours
from feedsim.exchange.order import Moment, Order
from feedsim.exchange.reading import Reading
from feedsim.exchange.trader import Trader
from feedsim.exchange.venue import Venue, dollars
from feedsim.wire.messages import AccountEvent, OrderEvent, PositionEvent


class Statements:
    """Values accounts by the books as they have been read."""

    def __init__(self, venue: Venue, reading: Reading) -> None:
        self._venue, self._reading = venue, reading
        self.hours = Hours(venue.overnight_minutes)

    def equity(self, trader: Trader) -> int:
        return trader.ledger.balance + self.unrealized(trader)

    def unrealized(self, trader: Trader) -> int:
        total = 0
        for symbol, position in trader.ledger.positions.items():
            if position.quantity:
                total += position.unrealized(self._reading.catch_up(symbol).mark(position.quantity))
        return total

    def margin(self, trader: Trader, orders: Collection[Order], moment: Moment, *, but: str = "") -> int:
        """What these orders and the positions need; without those of one symbol, if one is named."""
        total = 0
        for symbol in {order.symbol for order in orders} | trader.ledger.positions.keys():
            if symbol != but:
                worst = checks.worst(trader.ledger.quantity(symbol), *checks.reach(orders, symbol))
                total += worst * self.hours.margin(self._venue.products[symbol], moment.ns)
        return total

    def position_event(self, trader: Trader, symbol: str, moment: Moment) -> PositionEvent:
        position = trader.ledger.positions[symbol]
        mark = self._reading.catch_up(symbol).mark(position.quantity)
        return PositionEvent(
            n=0,
            after_seq=moment.seq,
            ts=moment.ns,
            symbol=symbol,
            quantity=position.quantity,
            average_price=position.average_price,
            realized=dollars(position.realized),
            unrealized=dollars(position.unrealized(mark)),
            fees=dollars(position.fees),
        )

    def account_event(self, trader: Trader, moment: Moment, *, id: int | None = None, reason: str = "") -> AccountEvent:
        ledger = trader.ledger
        unrealized = self.unrealized(trader)
        margin = self.margin(trader, trader.orders.values(), moment)
        equity = ledger.balance + unrealized
        return AccountEvent(
            n=0,
            after_seq=moment.seq,
            ts=moment.ns,
            id=id,
            account=trader.name,
            state="closing_only" if trader.closing_only else "active",
            balance=dollars(ledger.balance),
            equity=dollars(equity),
            realized=dollars(ledger.realized),
            unrealized=dollars(unrealized),
            fees=dollars(ledger.fees),
            margin=dollars(margin),
            free=dollars(equity - margin),
            reason=reason,
        )

    def state(self, trader: Trader, moment: Moment) -> list[OrderEvent | PositionEvent]:
        """Every open order and position."""
        orders = [order.event(moment) for order in trader.orders.values()]
        held = [symbol for symbol, position in trader.ledger.positions.items() if position.quantity]
        return [*orders, *(self.position_event(trader, symbol, moment) for symbol in held)]

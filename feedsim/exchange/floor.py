"""Orders at work: they enter the book, trade, trigger, hang on each other and end; their owners hear of each step.

It is told when and after which event something happens. What may be asked for is the desk's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import groupby

from feedsim.exchange.book import Book
from feedsim.exchange.matching import Fill, Matching
from feedsim.exchange.order import Moment, Order
from feedsim.exchange.reading import CHANNELS, Reading
from feedsim.exchange.statements import Statements
from feedsim.exchange.stops import Stops, is_reached
from feedsim.exchange.trader import Trader
from feedsim.exchange.venue import dollars
from feedsim.wire.messages import Error, FillEvent, OrderState, Private

VALUED_BY = ("status", "trade")
"""Channels that a position alone minds."""

Put = Callable[[str, Private | Error, int], None]
"""Tells an account something that happened at a time."""


class Floor:
    """`daily_loss` in 1/10,000 dollar, 0 for no limit; `put` tells an account what it has to hear."""

    def __init__(
        self, matching: Matching, reading: Reading, statements: Statements, put: Put, *, daily_loss: int
    ) -> None:
        self._matching, self._reading, self._statements, self._put = matching, reading, statements, put
        self._daily_loss = daily_loss
        self.traders: dict[str, Trader] = {}
        self._stops: defaultdict[str, Stops] = defaultdict(Stops)
        self.numbered = self._fill_id = 0

    def minded(self) -> dict[str, tuple[str, ...]]:
        """By symbol, the channels whose events may do something now; no others."""
        found: dict[str, tuple[str, ...]] = {}
        if not self.traders:
            return found
        for symbol in self._reading.books:
            if self._matching.watches(symbol) or self._stops[symbol].orders:
                found[symbol] = CHANNELS
            elif self._daily_loss and any(trader.ledger.quantity(symbol) for trader in self.traders.values()):
                found[symbol] = VALUED_BY
        return found

    # ----------------------------------------------------------------------------------------------------------- orders

    def accept(self, trader: Trader, order: Order, moment: Moment, id: int | None) -> None:
        self._register(trader, order, moment, id)
        self._start(trader, order, moment)

    def _register(self, trader: Trader, order: Order, moment: Moment, id: int | None) -> None:
        self.numbered = order.number
        trader.orders[order.client_order_id] = order
        self._put(trader.name, order.event(moment, id), moment.ns)

    def _start(self, trader: Trader, order: Order, moment: Moment) -> None:
        if order.waits:
            self._stops[order.symbol].add(order)
        else:
            self._work(trader, order, moment)

    def _work(self, trader: Trader, order: Order, moment: Moment) -> None:
        """Enter it in the book: it trades, rests, or goes as its time in force says."""
        book = self._reading.catch_up(order.symbol)
        if order.tif == "fok" and self._matching.offered(order, book) < order.left:
            self.end(trader, order, "cancelled", "fok", moment)
            return
        if book.phase == "open":
            self.fill(self._matching.enter(order, book), moment)
        if not order.open:
            return
        if order.tif in ("ioc", "fok"):
            self.end(trader, order, "cancelled", order.tif, moment)
        else:
            self._matching.rest(order, book)

    def change(self, trader: Trader, order: Order, wanted: Order, moment: Moment, id: int | None) -> None:
        """An open order gets the quantity and prices of another; fewer lots at its price keep their place."""
        fewer = order.quantity - wanted.quantity
        keeps_place = fewer >= 0 and wanted.price == order.price and not order.waits
        if keeps_place:
            self._matching.reduce(order, fewer)
        else:
            self._withdraw(order)
        order.quantity, order.price, order.stop_price = wanted.quantity, wanted.price, wanted.stop_price
        self.tell_replaced(trader, order, "", moment, id)
        if order.waits:
            self._stops[order.symbol].add(order)
        elif not keeps_place:
            self._work(trader, order, moment)

    def tell_replaced(self, trader: Trader, order: Order, reason: str, moment: Moment, id: int | None = None) -> None:
        order.state, order.reason = "replaced", reason
        self._put(trader.name, order.event(moment, id), moment.ns)

    def end(
        self,
        trader: Trader,
        order: Order,
        state: OrderState,
        reason: str,
        moment: Moment,
        id: int | None = None,
    ) -> None:
        """An open order is over."""
        self._withdraw(order)
        order.state, order.reason = state, reason
        trader.finish(order)
        self._put(trader.name, order.event(moment, id), moment.ns)

    def _withdraw(self, order: Order) -> None:
        if order.waits:
            self._stops[order.symbol].remove(order)
        else:
            self._matching.cancel(order)

    def cancel_all(
        self, trader: Trader, reason: str, moment: Moment, symbol: str | None = None, id: int | None = None
    ) -> None:
        for order in trader.of(symbol):
            if order.open:
                self.end(trader, order, "cancelled", reason, moment, id)

    def expire(self, reason: str, moment: Moment, *, gtc: bool) -> None:
        for trader in self.traders.values():
            for order in trader.of(None):
                if order.open and (gtc or order.tif != "gtc"):
                    self.end(trader, order, "expired", reason, moment)

    # ------------------------------------------------------------------------------------------------------------ fills

    def fill(self, fills: Iterable[Fill], moment: Moment) -> None:
        """Orders trade; what an earlier fill took away from a later one is not traded."""
        for order, parts in groupby(fills, key=lambda fill: fill.order):
            trader, lots = self.traders[order.account], 0
            for part in parts:
                traded = min(part.lots, order.left) if order.open else 0
                if traded > 0:
                    self._trade(trader, order, part._replace(lots=traded), moment)
                    lots += traded
            if lots:
                self._after_fill(trader, order, lots, moment)

    def _trade(self, trader: Trader, order: Order, part: Fill, moment: Moment) -> None:
        trader.ledger.position(order.product).fill(order.side, part.lots, part.price)
        order.filled += part.lots
        self._fill_id += 1
        event = FillEvent(
            n=0,
            after_seq=moment.seq,
            ts=moment.ns,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            fill_id=self._fill_id,
            side=order.word,
            price=order.product.price(part.price),
            quantity=part.lots,
            fee=dollars(part.lots * order.product.fee),
            liquidity="maker" if part.maker else "taker",
        )
        self._put(trader.name, event, moment.ns)

    def _after_fill(self, trader: Trader, order: Order, lots: int, moment: Moment) -> None:
        order.state, order.reason = ("partially_filled" if order.left else "filled"), ""
        if not order.left:
            self._matching.cancel(order)
            trader.finish(order)
        self._put(trader.name, order.event(moment), moment.ns)
        self.tell_position(trader, order.symbol, moment)
        self.tell_account(trader, moment)
        self._follow(trader, order, lots, moment)

    def _follow(self, trader: Trader, order: Order, lots: int, moment: Moment) -> None:
        """What hangs on a fill: exits grow with it, the other exit shrinks, what closes can close no more than is."""
        if order.parent is not None:
            for other in order.parent.children:
                if other is not order and other.open:
                    self._cut(trader, other, max(other.left - lots, 0), "oco", moment)
        held = trader.ledger.quantity(order.symbol)
        for other in trader.of(order.symbol):
            if other.reduce_only and other.open:
                most = abs(held) if held * other.side < 0 else 0
                if other.left > most:
                    self._cut(trader, other, most, "position_closed", moment)
        if order.exits is not None:
            self._exit(trader, order, lots, moment)

    def _cut(self, trader: Trader, order: Order, left: int, reason: str, moment: Moment) -> None:
        """Fewer lots are left of it, in the same place."""
        if not left:
            self.end(trader, order, "cancelled", reason, moment)
            return
        if not order.waits:
            self._matching.reduce(order, order.left - left)
        order.quantity = order.filled + left
        self.tell_replaced(trader, order, reason, moment)

    # ------------------------------------------------------------------------------------------------------------ exits

    def _exit(self, trader: Trader, parent: Order, lots: int, moment: Moment) -> None:
        """The exits of a bracket cover what its order has filled."""
        assert parent.exits is not None
        grown = [child for child in parent.children if child.open]
        for child in grown:
            if not child.waits:
                self._matching.cancel(child)
            child.quantity += lots
            self.tell_replaced(trader, child, "", moment)
        for child in grown:
            if child.open and not child.waits:
                self._work(trader, child, moment)
        if not grown:
            self._make_exits(trader, parent, lots, moment)

    def _make_exits(self, trader: Trader, parent: Order, lots: int, moment: Moment) -> None:
        assert parent.exits is not None
        made = []
        for name, price in (("sl", parent.exits.stop_loss), ("tp", parent.exits.take_profit)):
            if price is None:
                continue
            child = Order(
                number=self.numbered + 1,
                account=trader.name,
                client_order_id=trader.free_id(f"{parent.client_order_id}.{name}"),
                product=parent.product,
                side=-parent.side,
                type="stop" if name == "sl" else "limit",
                quantity=lots,
                price=None if name == "sl" else price,
                stop_price=price if name == "sl" else None,
                tif="gtc" if parent.tif == "gtc" else "day",
                reduce_only=True,
                parent=parent,
            )
            self.numbered = child.number
            made.append(child)
        parent.children += made
        for child in made:
            self._register(trader, child, moment, None)
        for child in made:
            if not child.open:
                continue  # the other one closed the position at once
            self._start(trader, child, moment)
            last = self._reading.books[child.symbol].last
            if child.waits and last is not None and is_reached(child, last):
                self._trigger(trader, child, moment)

    # ----------------------------------------------------------------------------------------------------------- events

    def minds_trade(self, book: Book) -> bool:
        """Whether a trade, besides what it fills, may matter."""
        return bool(self._stops[book.symbol].orders) or bool(self._daily_loss)

    def on_trade(self, book: Book, moment: Moment) -> None:
        """After a trade and what it filled: stops, and the daily loss limit."""
        if book.phase == "open" and book.last is not None:
            for order in self._stops[book.symbol].reached(book.last):
                if order.waits and order.open:
                    self._trigger(self.traders[order.account], order, moment)
        if self._daily_loss:
            for trader in self.traders.values():
                if trader.ledger.quantity(book.symbol) and not trader.closing_only:
                    self._check_loss(trader, moment)

    def _trigger(self, trader: Trader, order: Order, moment: Moment) -> None:
        self._stops[order.symbol].remove(order)
        order.triggered = True
        self._put(trader.name, order.event(moment), moment.ns)
        self._work(trader, order, moment)

    def _check_loss(self, trader: Trader, moment: Moment) -> None:
        if self._statements.equity(trader) - trader.day_equity > -self._daily_loss:
            return
        trader.closing_only = True
        for order in trader.of(None):
            if order.open and not order.reduce_only:
                self.end(trader, order, "cancelled", "closing_only", moment)
        self.tell_account(trader, moment, reason="daily_loss")

    def on_closed(self, symbol: str, moment: Moment) -> None:
        """A symbol's trading day is over."""
        for trader in self.traders.values():
            for order in trader.of(symbol):
                if order.open and order.tif == "day":
                    self.end(trader, order, "expired", "day", moment)

    # ------------------------------------------------------------------------------------------------------------ words

    def tell_position(self, trader: Trader, symbol: str, moment: Moment) -> None:
        self._put(trader.name, self._statements.position_event(trader, symbol, moment), moment.ns)

    def tell_account(self, trader: Trader, moment: Moment, *, id: int | None = None, reason: str = "") -> None:
        self._put(trader.name, self._statements.account_event(trader, moment, id=id, reason=reason), moment.ns)

"""The orders and accounts of one session: what may be entered, what a fill means, what its owner hears.

Pure: it is told when and after which event something happens; how orders fill is the matching's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby

from feedsim.config import TradeSettings
from feedsim.errors import OrderError
from feedsim.exchange import checks
from feedsim.exchange.account import Ledger
from feedsim.exchange.book import Book
from feedsim.exchange.hours import Hours
from feedsim.exchange.log import OrderRequest
from feedsim.exchange.matching import Fill, Matching
from feedsim.exchange.order import Moment, Order
from feedsim.exchange.reading import Reading
from feedsim.exchange.rejects import refuse
from feedsim.exchange.stops import Stops, is_reached
from feedsim.exchange.trader import Trader
from feedsim.exchange.venue import Product, Venue, dollars, money
from feedsim.wire.messages import (
    AccountEvent,
    AccountQuery,
    CancelAll,
    Error,
    FillEvent,
    Flatten,
    OrderCancel,
    OrderEvent,
    OrderNew,
    OrderReplace,
    OrderState,
    PositionEvent,
    Private,
)

Put = Callable[[str, Private | Error, int], None]
"""Tells an account something that happened at a time."""


class Desk:
    """`put` tells an account what it has to hear."""

    def __init__(self, venue: Venue, settings: TradeSettings, matching: Matching, reading: Reading, put: Put) -> None:
        self._venue, self._settings = venue, settings
        self._matching, self._reading, self._put = matching, reading, put
        self._hours = Hours(venue.overnight_minutes)
        self.traders: dict[str, Trader] = {}
        self.stops: defaultdict[str, Stops] = defaultdict(Stops)
        self._orders = self._fill_id = 0
        self.ended = False

    def open_account(self, name: str) -> None:
        paid_in = money(self._settings.balance)
        self.traders[name] = Trader(name, len(self.traders) + 1, Ledger(paid_in), paid_in)

    def hot(self) -> list[str]:
        """The symbols whose every event matters."""
        return [symbol for symbol in self._reading.books if self._is_hot(symbol)]

    def _is_hot(self, symbol: str) -> bool:
        if self._matching.watches(symbol) or self.stops[symbol].orders:
            return True
        return bool(self._settings.daily_loss) and any(t.ledger.quantity(symbol) for t in self.traders.values())

    # ------------------------------------------------------------------------------------------------------ requests

    def do(self, trader: Trader, request: OrderRequest, moment: Moment, *, lost: bool = False) -> None:
        """What an account asks for; what is wrong with it is told to it. `lost`: it was asked in an epoch that ends."""
        try:
            if lost:
                raise refuse("epoch", "the session moved before the request took effect: ask again")
            self._new_day(trader, moment)
            if not trader.request(moment.ns, self._settings.orders_per_s):
                raise refuse("throttle", f"at most {self._settings.orders_per_s} requests a second of the session")
            self._dispatch(trader, request, moment)
        except OrderError as error:
            self._refuse(trader, request, error, moment)

    def _dispatch(self, trader: Trader, request: OrderRequest, moment: Moment) -> None:
        match request:
            case OrderNew():
                self._new(trader, request, moment)
            case OrderReplace():
                self._replace(trader, request, moment)
            case OrderCancel():
                order = self._find(trader, request.client_order_id)
                self.end(trader, order, "cancelled", "request", moment, id=request.id)
            case CancelAll():
                self.cancel_all(trader, "request", moment, symbol=request.symbol, id=request.id)
                self._tell_account(trader, moment, id=request.id)
            case Flatten():
                self._flatten(trader, request, moment)
            case AccountQuery():
                self._query(trader, request, moment)

    def _refuse(self, trader: Trader, request: OrderRequest, error: OrderError, moment: Moment) -> None:
        if isinstance(request, OrderNew):
            self._put(trader.name, _rejected(request, error, moment), moment.ns)
        else:
            self._put(trader.name, Error(id=request.id, code="order_rejected", message=str(error)), moment.ns)

    def _find(self, trader: Trader, client_order_id: str) -> Order:
        order = trader.find(client_order_id)
        if order is None:
            raise refuse("unknown_order", f"no order has the client_order_id {client_order_id!r}")
        if not order.open:
            raise refuse("too_late", f"order {client_order_id!r} is {order.state}")
        return order

    def _product(self, symbol: str) -> Product:
        if symbol not in self._reading.books:
            known = ", ".join(self._reading.books) or "none"
            raise refuse("unknown_symbol", f"{symbol!r}: symbols that are traded here: {known}")
        return self._venue.products[symbol]

    # --------------------------------------------------------------------------------------------------------- orders

    def _new(self, trader: Trader, request: OrderNew, moment: Moment) -> None:
        known = trader.find(request.client_order_id)
        if known is not None:
            if not _is_same(known, request):
                raise refuse("duplicate_id", f"order {request.client_order_id!r} is another one, and {known.state}")
            self._put(trader.name, known.event(moment, request.id), moment.ns)
            return
        order = self._read(trader, request)
        book = self._reading.catch_up(order.symbol)
        self._check(order, book)
        checks.quoted(order, book)
        checks.reduces(order, trader.ledger)
        order.exits = checks.exits(request.bracket, order, book)
        if order.exits is not None and f"{order.client_order_id}.sl" in trader.orders:
            raise refuse("duplicate_id", f"order {order.client_order_id}.sl is another one")
        if len(trader.orders) >= self._settings.max_orders:
            raise refuse("too_many_orders", f"at most {self._settings.max_orders} open orders an account")
        self._check_limits(trader, order, None, moment)
        self._accept(trader, order, moment, request.id)

    def _read(self, trader: Trader, request: OrderNew) -> Order:
        product = self._product(request.symbol)
        price, stop_price = checks.prices(request, product)
        order = Order(
            number=self._orders + 1,
            account=trader.name,
            client_order_id=request.client_order_id,
            product=product,
            side=1 if request.side == "buy" else -1,
            type=request.type,
            quantity=checks.whole_lots(request.quantity, product),
            price=price,
            stop_price=stop_price,
            tif=request.tif,
            post_only=request.post_only,
            reduce_only=request.reduce_only,
        )
        checks.words(order)
        return order

    def _check(self, order: Order, book: Book) -> None:
        """What the venue asks of a new order and of one that changes."""
        if self.ended:
            raise refuse("closed", "the session is over")
        checks.phase(order, book)
        checks.band(order, book)
        checks.post_only(order, book)

    def _check_limits(self, trader: Trader, order: Order, instead_of: Order | None, moment: Moment) -> None:
        """What the account may risk: closing is always allowed."""
        if order.reduce_only:
            return
        before = list(trader.orders.values())
        after = [*(other for other in before if other is not instead_of), order]
        ledger, symbol = trader.ledger, order.symbol
        worst, could = checks.worst(ledger, before, symbol), checks.worst(ledger, after, symbol)
        if trader.closing_only and could > worst:
            raise refuse("closing_only", "the daily loss limit was reached: only positions may be closed")
        checks.position_limit(worst, could, self._settings.max_position, symbol)
        held = self._margin(trader, before, moment)
        rate = self._hours.margin(order.product, moment.ns)
        checks.margin(held, held + (could - worst) * rate, self._equity(trader))

    def _accept(self, trader: Trader, order: Order, moment: Moment, id: int | None) -> None:
        self._orders = order.number
        trader.orders[order.client_order_id] = order
        self._put(trader.name, order.event(moment, id), moment.ns)
        if order.waits:
            self.stops[order.symbol].add(order)
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

    def _replace(self, trader: Trader, request: OrderReplace, moment: Moment) -> None:
        order = self._find(trader, request.client_order_id)
        wanted = self._changed(order, request)
        self._check(wanted, self._reading.catch_up(order.symbol))
        checks.reduces(wanted, trader.ledger)
        self._check_limits(trader, wanted, order, moment)
        fewer = order.quantity - wanted.quantity
        keeps_place = fewer >= 0 and wanted.price == order.price and wanted.stop_price == order.stop_price
        if order.waits:
            self.stops[order.symbol].remove(order)
        elif not keeps_place:
            self._matching.cancel(order)
        else:
            self._matching.reduce(order, fewer)
        order.quantity, order.price, order.stop_price = wanted.quantity, wanted.price, wanted.stop_price
        self._tell_replaced(trader, order, "", moment, request.id)
        if order.waits:
            self.stops[order.symbol].add(order)
        elif not keeps_place:
            self._work(trader, order, moment)

    def _changed(self, order: Order, request: OrderReplace) -> Order:
        """The order as it would be. Raises OrderError."""
        product, wanted = order.product, replace(order)
        if request.quantity is not None:
            wanted.quantity = checks.whole_lots(request.quantity, product)
        if request.price is not None and order.price is not None:
            wanted.price = checks.whole_ticks(request.price, product)
        if request.stop_price is not None and order.waits:
            wanted.stop_price = checks.whole_ticks(request.stop_price, product, "stop_price")
        if wanted.quantity <= order.filled:
            raise refuse("no_change", f"{order.filled} lots are filled: ask for more than that, or cancel")
        if (wanted.quantity, wanted.price, wanted.stop_price) == (order.quantity, order.price, order.stop_price):
            raise refuse("no_change", "name a quantity, price or stop_price that the order has and that differs")
        return wanted

    def _tell_replaced(self, trader: Trader, order: Order, reason: str, moment: Moment, id: int | None = None) -> None:
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
            self.stops[order.symbol].remove(order)
        else:
            self._matching.cancel(order)

    def cancel_all(
        self, trader: Trader, reason: str, moment: Moment, symbol: str | None = None, id: int | None = None
    ) -> None:
        for order in trader.of(symbol):
            if order.open:
                self.end(trader, order, "cancelled", reason, moment, id)

    def _flatten(self, trader: Trader, request: Flatten, moment: Moment) -> None:
        self.cancel_all(trader, "flatten", moment, symbol=request.symbol, id=request.id)
        for position in list(trader.ledger.positions.values()):
            if not position.quantity or request.symbol not in (None, position.product.symbol):
                continue
            trader.flattened += 1
            order = Order(
                number=self._orders + 1,
                account=trader.name,
                client_order_id=f"flatten.{trader.flattened}",
                product=position.product,
                side=-1 if position.quantity > 0 else 1,
                type="market",
                quantity=abs(position.quantity),
                reduce_only=True,
            )
            self._check(order, self._reading.catch_up(order.symbol))
            self._accept(trader, order, moment, request.id)
        self._tell_account(trader, moment, id=request.id)

    # ---------------------------------------------------------------------------------------------------------- fills

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
        self._tell_position(trader, order.symbol, moment)
        self._tell_account(trader, moment)
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
        self._tell_replaced(trader, order, reason, moment)

    def _exit(self, trader: Trader, parent: Order, lots: int, moment: Moment) -> None:
        """The exits of a bracket cover what its order has filled."""
        assert parent.exits is not None
        grown = [child for child in parent.children if child.open]
        for child in grown:
            if not child.waits:
                self._matching.cancel(child)
            child.quantity += lots
            self._tell_replaced(trader, child, "", moment)
        for child in grown:
            if child.open and not child.waits:
                self._work(trader, child, moment)
        if not grown:
            self._make_exits(trader, parent, lots, moment)

    def _make_exits(self, trader: Trader, parent: Order, lots: int, moment: Moment) -> None:
        assert parent.exits is not None
        again = sum(1 for child in parent.children if child.stop_price is not None or parent.exits.stop_loss is None)
        made = []
        for name, price in (("sl", parent.exits.stop_loss), ("tp", parent.exits.take_profit)):
            if price is None:
                continue
            child = Order(
                number=self._orders + 1,
                account=trader.name,
                client_order_id=f"{parent.client_order_id}.{name}{again + 1 if again else ''}",
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
            self._orders = child.number
            made.append(child)
        parent.children += made
        for child in made:
            if not child.open:
                continue
            self._accept(trader, child, moment, None)
            last = self._reading.books[child.symbol].last
            if child.waits and last is not None and is_reached(child, last):
                self._trigger(trader, child, moment)

    # --------------------------------------------------------------------------------------------------------- events

    def minds_trade(self, book: Book) -> bool:
        """Whether a trade, besides what it fills, may matter."""
        return bool(self.stops[book.symbol].orders) or bool(self._settings.daily_loss)

    def on_trade(self, book: Book, moment: Moment) -> None:
        """After a trade and what it filled: stops, and the daily loss limit."""
        if book.phase == "open" and book.last is not None:
            for order in self.stops[book.symbol].reached(book.last):
                if order.waits and order.open:
                    self._trigger(self.traders[order.account], order, moment)
        if self._settings.daily_loss:
            for trader in self.traders.values():
                if trader.ledger.quantity(book.symbol) and not trader.closing_only:
                    self._check_loss(trader, moment)

    def _trigger(self, trader: Trader, order: Order, moment: Moment) -> None:
        self.stops[order.symbol].remove(order)
        order.triggered = True
        self._put(trader.name, order.event(moment), moment.ns)
        self._work(trader, order, moment)

    def _check_loss(self, trader: Trader, moment: Moment) -> None:
        if self._equity(trader) - trader.day_equity > -money(self._settings.daily_loss):
            return
        trader.closing_only = True
        for order in trader.of(None):
            if order.open and not order.reduce_only:
                self.end(trader, order, "cancelled", "closing_only", moment)
        self._tell_account(trader, moment, reason="daily_loss")

    def on_closed(self, symbol: str, moment: Moment) -> None:
        """A symbol's trading day is over."""
        for trader in self.traders.values():
            for order in trader.of(symbol):
                if order.open and order.tif == "day":
                    self.end(trader, order, "expired", "day", moment)

    def _new_day(self, trader: Trader, moment: Moment) -> None:
        close_ns = self._hours.close_ns(moment.ns)
        if close_ns != trader.day_close_ns:
            trader.day_close_ns = close_ns
            trader.day_equity, trader.closing_only = self._equity(trader), False

    def end_session(self, moment: Moment, *, keep: bool) -> None:
        """Nothing is traded any more; with `keep` orders good till cancelled stay."""
        self._expire("session_end", moment, gtc=not keep)
        self.ended = True

    def begin_anew(self, moment: Moment, *, keep: bool) -> None:
        """The session moved: no order outlives it, accounts begin anew unless `keep`."""
        self._expire("epoch", moment, gtc=True)
        self.ended = False
        self._hours = Hours(self._venue.overnight_minutes)
        for trader in self.traders.values():
            if not keep:
                self._reset(trader, moment)
            trader.day_close_ns = 0
            self._tell_account(trader, moment, reason="epoch")

    def _reset(self, trader: Trader, moment: Moment) -> None:
        held = [position.product for position in trader.ledger.positions.values() if position.quantity]
        trader.ledger = Ledger(trader.ledger.paid_in)
        trader.done.clear()
        trader.day_equity, trader.closing_only = trader.ledger.paid_in, False
        for product in held:
            trader.ledger.position(product)
            self._tell_position(trader, product.symbol, moment)

    def _expire(self, reason: str, moment: Moment, *, gtc: bool) -> None:
        for trader in self.traders.values():
            for order in trader.of(None):
                if order.open and (gtc or order.tif != "gtc"):
                    self.end(trader, order, "expired", reason, moment)

    # ---------------------------------------------------------------------------------------------------------- words

    def _equity(self, trader: Trader) -> int:
        return trader.ledger.balance + self._unrealized(trader)

    def _unrealized(self, trader: Trader) -> int:
        total = 0
        for symbol, position in trader.ledger.positions.items():
            if position.quantity:
                total += position.unrealized(self._reading.catch_up(symbol).mark(position.quantity))
        return total

    def _margin(self, trader: Trader, orders: list[Order], moment: Moment) -> int:
        symbols = {order.symbol for order in orders} | set(trader.ledger.positions)
        return sum(
            checks.worst(trader.ledger, orders, symbol) * self._hours.margin(self._venue.products[symbol], moment.ns)
            for symbol in symbols
        )

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
        unrealized = self._unrealized(trader)
        margin = self._margin(trader, list(trader.orders.values()), moment)
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

    def _tell_position(self, trader: Trader, symbol: str, moment: Moment) -> None:
        self._put(trader.name, self.position_event(trader, symbol, moment), moment.ns)

    def _tell_account(self, trader: Trader, moment: Moment, *, id: int | None = None, reason: str = "") -> None:
        self._put(trader.name, self.account_event(trader, moment, id=id, reason=reason), moment.ns)

    def state(self, trader: Trader, moment: Moment) -> list[OrderEvent | PositionEvent]:
        """Every open order and position."""
        orders = [order.event(moment) for order in trader.orders.values()]
        held = [symbol for symbol, position in trader.ledger.positions.items() if position.quantity]
        return [*orders, *(self.position_event(trader, symbol, moment) for symbol in held)]

    def _query(self, trader: Trader, request: AccountQuery, moment: Moment) -> None:
        if request.cancel_on_disconnect is not None:
            trader.cancel_on_disconnect = request.cancel_on_disconnect
        if request.orders:
            for event in self.state(trader, moment):
                self._put(trader.name, event, moment.ns)
        self._tell_account(trader, moment, id=request.id)


def _is_same(order: Order, request: OrderNew) -> bool:
    """Whether a request is the one that an order was made of, as far as it cannot be changed."""
    return (order.symbol, order.word, order.type, order.tif) == (
        request.symbol,
        request.side,
        request.type,
        request.tif,
    ) and order.parent is None


def _rejected(request: OrderNew, error: OrderError, moment: Moment) -> OrderEvent:
    return OrderEvent(
        n=0,
        after_seq=moment.seq,
        ts=moment.ns,
        id=request.id,
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        order_type=request.type,
        state="rejected",
        quantity=_finite(request.quantity) or 0.0,
        price=_finite(request.price),
        stop_price=_finite(request.stop_price),
        tif=request.tif,
        reason=error.code,
        message=error.sentence,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < 1e300 else None

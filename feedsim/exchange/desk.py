"""What accounts ask for: read, checked against the venue's rules and the account's limits, and done or refused.

Pure: it is told when and after which event something is asked. What becomes of orders is the floor's business.
"""

from __future__ import annotations

from dataclasses import replace

from feedsim.config import TradeSettings
from feedsim.errors import OrderError
from feedsim.exchange import checks
from feedsim.exchange.account import Ledger
from feedsim.exchange.book import Book
from feedsim.exchange.floor import Floor, Put
from feedsim.exchange.log import OrderRequest
from feedsim.exchange.order import Moment, Order
from feedsim.exchange.reading import Reading
from feedsim.exchange.rejects import refuse
from feedsim.exchange.statements import Statements
from feedsim.exchange.trader import Trader
from feedsim.exchange.venue import Product, Venue, money
from feedsim.wire.messages import (
    AccountQuery,
    CancelAll,
    Error,
    Flatten,
    OrderCancel,
    OrderEvent,
    OrderNew,
    OrderReplace,
)


class Desk:
    """`put` tells an account what it has to hear."""

    def __init__(
        self,
        venue: Venue,
        settings: TradeSettings,
        reading: Reading,
        statements: Statements,
        floor: Floor,
        put: Put,
    ) -> None:
        self._venue, self._settings, self._put = venue, settings, put
        self._reading, self._statements, self._floor = reading, statements, floor
        self._ended = False

    def open_account(self, name: str) -> None:
        paid_in = money(self._settings.balance)
        traders = self._floor.traders
        traders[name] = Trader(name, len(traders) + 1, Ledger(paid_in), paid_in)

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
                self._floor.end(trader, order, "cancelled", "request", moment, id=request.id)
            case CancelAll():
                self._floor.cancel_all(trader, "request", moment, symbol=request.symbol, id=request.id)
                self._floor.tell_account(trader, moment, id=request.id)
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
        self._check(order, book, moment)
        checks.quoted(order, book)
        checks.reduces(order, trader.ledger)
        order.exits = checks.exits(request.bracket, order, book)
        if len(trader.orders) >= self._settings.max_orders:
            raise refuse("too_many_orders", f"at most {self._settings.max_orders} open orders an account")
        self._check_limits(trader, order, None, moment)
        self._floor.accept(trader, order, moment, request.id)

    def _read(self, trader: Trader, request: OrderNew) -> Order:
        product = self._product(request.symbol)
        price, stop_price = checks.prices(request, product)
        order = Order(
            number=self._floor.numbered + 1,
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

    def _check(self, order: Order, book: Book, moment: Moment) -> None:
        """What the venue asks of a new order and of one that changes."""
        if self._ended:
            raise refuse("closed", "the session is over")
        checks.phase(order, book)
        checks.band(order, book)
        checks.limits(order, book, self._statements.hours.session(moment.ns), moment.ns)
        checks.post_only(order, book)

    def _check_limits(self, trader: Trader, order: Order, instead_of: Order | None, moment: Moment) -> None:
        """What the account may risk: closing is always allowed."""
        if order.reduce_only:
            return
        ledger, symbol, open_orders = trader.ledger, order.symbol, trader.orders.values()
        held = ledger.quantity(symbol)
        long, short = checks.reach(open_orders, symbol)
        worst = checks.worst(held, long, short)
        added = order.left - (0 if instead_of is None or instead_of.reduce_only else instead_of.left)
        could = checks.worst(held, long + added, short) if order.side > 0 else checks.worst(held, long, short + added)
        if could <= worst:
            return
        if trader.closing_only:
            raise refuse("closing_only", "the daily loss limit was reached: only positions may be closed")
        checks.position_limit(could, self._settings.max_position, symbol)
        rate = self._statements.hours.margin(order.product, moment.ns)
        if rate:
            needed = self._statements.margin(trader, open_orders, moment, but=symbol) + could * rate
            checks.margin(needed, self._statements.equity(trader))

    def _replace(self, trader: Trader, request: OrderReplace, moment: Moment) -> None:
        order = self._find(trader, request.client_order_id)
        wanted = self._changed(order, request)
        self._check(wanted, self._reading.catch_up(order.symbol), moment)
        checks.reduces(wanted, trader.ledger)
        self._check_limits(trader, wanted, order, moment)
        self._floor.change(trader, order, wanted, moment, request.id)

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

    def _flatten(self, trader: Trader, request: Flatten, moment: Moment) -> None:
        self._floor.cancel_all(trader, "flatten", moment, symbol=request.symbol, id=request.id)
        for position in list(trader.ledger.positions.values()):
            if not position.quantity or request.symbol not in (None, position.product.symbol):
                continue
            order = Order(
                number=self._floor.numbered + 1,
                account=trader.name,
                client_order_id=trader.free_id("flatten"),
                product=position.product,
                side=-1 if position.quantity > 0 else 1,
                type="market",
                quantity=abs(position.quantity),
                reduce_only=True,
            )
            self._check(order, self._reading.catch_up(order.symbol), moment)
            self._floor.accept(trader, order, moment, request.id)
        self._floor.tell_account(trader, moment, id=request.id)

    def _query(self, trader: Trader, request: AccountQuery, moment: Moment) -> None:
        if request.cancel_on_disconnect is not None:
            trader.cancel_on_disconnect = request.cancel_on_disconnect
        if request.orders:
            for event in self._statements.state(trader, moment):
                self._put(trader.name, event, moment.ns)
        self._floor.tell_account(trader, moment, id=request.id)

    # ----------------------------------------------------------------------------------------------------------- days

    def _new_day(self, trader: Trader, moment: Moment) -> None:
        close_ns = self._statements.hours.close_ns(moment.ns)
        if close_ns != trader.day_close_ns:
            trader.day_close_ns = close_ns
            trader.day_equity, trader.closing_only = self._statements.equity(trader), False

    def end_session(self, moment: Moment, *, keep: bool) -> None:
        """Nothing is traded any more; with `keep` orders good till cancelled stay."""
        self._floor.expire("session_end", moment, gtc=not keep)
        self._ended = True

    def begin_anew(self, moment: Moment, *, keep: bool) -> None:
        """The session moved: no order outlives it, accounts begin anew unless `keep`."""
        self._floor.expire("epoch", moment, gtc=True)
        self._ended = False
        self._statements.hours.forget()
        for trader in self._floor.traders.values():
            if not keep:
                self._reset(trader, moment)
            trader.day_close_ns = 0
            self._floor.tell_account(trader, moment, reason="epoch")

    def _reset(self, trader: Trader, moment: Moment) -> None:
        held = [position.product for position in trader.ledger.positions.values() if position.quantity]
        trader.ledger = Ledger(trader.ledger.paid_in)
        trader.done.clear()
        trader.day_equity, trader.closing_only = trader.ledger.paid_in, False
        for product in held:
            trader.ledger.position(product)
            self._floor.tell_position(trader, product.symbol, moment)


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

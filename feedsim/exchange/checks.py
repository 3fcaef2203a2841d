"""What the venue and the account's limits allow: checks of an order before it is entered. Raises OrderError."""

from __future__ import annotations

import math
from collections.abc import Iterable

from feedsim.exchange.account import Ledger
from feedsim.exchange.book import ASK, BID, Book
from feedsim.exchange.order import Exits, Order
from feedsim.exchange.rejects import refuse
from feedsim.exchange.venue import Product, dollars
from feedsim.instruments import TradingDay
from feedsim.market.limits import limit_bands, phase_at
from feedsim.wire.messages import Bracket, OrderNew


def whole_lots(quantity: float, product: Product) -> int:
    if not math.isfinite(quantity) or quantity < 1 or quantity != int(quantity):
        raise refuse("quantity", f"quantity {quantity:g}: expected a whole number of lots from 1 on")
    if quantity > product.max_quantity:
        raise refuse("quantity_limit", f"quantity {quantity:g}: at most {product.max_quantity} lots an order")
    return int(quantity)


def whole_ticks(price: float, product: Product, name: str = "price") -> int:
    ticks = product.ticks(price)
    if not math.isfinite(price) or price <= 0:
        raise refuse("price", f"{name} {price:g}: expected a price above 0")
    if ticks is None:
        raise refuse("off_tick", f"{name} {price:.10g}: expected a multiple of {product.tick:g}")
    return ticks


def prices(request: OrderNew, product: Product) -> tuple[int | None, int | None]:
    """An order's price and stop price in ticks: those that its type has, and no others."""
    price = _price(request, "price", request.price, request.type in ("limit", "stop_limit"), product)
    stop_price = _price(request, "stop_price", request.stop_price, request.type in ("stop", "stop_limit"), product)
    return price, stop_price


def _price(request: OrderNew, name: str, value: float | None, wanted: bool, product: Product) -> int | None:
    if wanted != (value is not None):
        raise refuse("price", f"a {request.type} order {'needs a' if wanted else 'has no'} {name}")
    return None if value is None else whole_ticks(value, product, name)


def exits(bracket: Bracket | None, order: Order, book: Book) -> Exits | None:
    """A bracket's prices: beyond the order's price, or the market's, on the side where each closes it."""
    if bracket is None:
        return None
    stop, target = (
        None if price is None else whole_ticks(price, order.product, name)
        for name, price in (("stop_loss", bracket.stop_loss), ("take_profit", bracket.take_profit))
    )
    if stop is None and target is None:
        raise refuse("bracket", "a bracket has a stop_loss, a take_profit or both")
    if len(order.client_order_id) > 58:
        raise refuse("bracket", "the client_order_id of an order with a bracket has at most 58 characters")
    at = order.price if order.price is not None else order.stop_price
    if at is None:
        best = book.best(order.other)
        at = None if best is None else best.price
    for name, price, away in (("stop_loss", stop, -1), ("take_profit", target, 1)):
        if price is not None and at is not None and (price - at) * order.side * away <= 0:
            where = "below" if order.side * away < 0 else "above"
            raise refuse("bracket", f"{name} of a {order.word} order must be {where} {order.product.price(at):g}")
    return Exits(stop, target)


def words(order: Order) -> None:
    """Whether type, time in force and marks fit together."""
    if order.tif in ("ioc", "fok") and (order.post_only or order.stop_price is not None):
        raise refuse("tif", f"{order.tif} does not go with post_only or a stop")
    if order.post_only and order.type != "limit":
        raise refuse("post_only", "only a limit order can be post_only")


def phase(order: Order, book: Book) -> None:
    if book.phase == "open":
        return
    if book.phase == "halt":
        raise refuse("halted", f"{book.symbol} is halted: orders are taken again when it opens")
    if book.phase == "closed":
        raise refuse("closed", f"{book.symbol} is closed")
    if order.type != "limit" or order.tif in ("ioc", "fok"):
        raise refuse("auction", f"{book.symbol} is in {book.phase}: limit orders of tif day or gtc are taken")


def band(order: Order, book: Book) -> None:
    """No limit order may reach through the market farther than the band, no stop may have been passed already."""
    reference = _reference(book)
    if reference is None:
        raise refuse("no_market", f"no price of {book.symbol} is known yet")
    price, product = order.price, order.product
    if price is not None and (price - reference) * order.side > product.band:
        raise refuse(
            "price_band",
            f"price {product.price(price):g}: at most {product.price(product.band):g} points through the market at "
            f"{product.price(reference):g}",
        )
    if order.stop_price is not None and not order.triggered and (order.stop_price - reference) * order.side <= 0:
        where = "above" if order.side > 0 else "below"
        raise refuse("stop_side", f"a {order.word} stop must be {where} the market at {product.price(reference):g}")


def limits(order: Order, book: Book, day: TradingDay, ns: int) -> None:
    """The exchange's price limits, around the market's price: few tapes know the settlement before."""
    reference = _reference(book)
    if reference is None or order.price is None:
        return
    low, high = limit_bands(reference, phase_at(day, ns))
    if not low <= order.price <= high:
        product = order.product
        above = "" if math.isinf(high) else f" and not above {product.price(int(high)):g}"
        raise refuse(
            "price_limit",
            f"price {product.price(order.price):g}: not below {product.price(int(low)):g}{above}, the price limits",
        )


def _reference(book: Book) -> int | None:
    if book.last is not None:
        return book.last
    best = book.best(ASK) or book.best(BID)
    return None if best is None else best.price


def quoted(order: Order, book: Book) -> None:
    if order.price is None and order.stop_price is None and book.best(order.other) is None:
        raise refuse("no_market", f"no {'offer' if order.side > 0 else 'bid'} of {book.symbol} is known now")


def post_only(order: Order, book: Book) -> None:
    best = book.best(order.other)
    if order.post_only and best is not None and order.takes(best.price):
        raise refuse("post_only", f"it would trade at once at {order.product.price(best.price):g}")


def reduces(order: Order, ledger: Ledger) -> None:
    held = ledger.quantity(order.symbol)
    if order.reduce_only and (held * order.side >= 0 or order.left > abs(held)):
        raise refuse("reduce_only", f"it must close no more than the position of {held:+d}")


def reach(orders: Iterable[Order], symbol: str) -> tuple[int, int]:
    """The lots by which a symbol's open orders could move its position up, and down."""
    long = short = 0
    for order in orders:
        if order.symbol == symbol and not order.reduce_only:
            if order.side > 0:
                long += order.left
            else:
                short += order.left
    return long, short


def worst(held: int, long: int, short: int) -> int:
    """The largest position, long or short, that could come of one that is held."""
    return max(abs(held + long), abs(held - short), abs(held))


def position_limit(could: int, limit: int, symbol: str) -> None:
    """`could` is more than was possible before."""
    if limit and could > limit:
        raise refuse("position_limit", f"{symbol} could reach {could} lots; at most {limit}")


def margin(needed: int, equity: int) -> None:
    """In 1/10,000 dollar; `needed` is more than before."""
    if needed > equity:
        raise refuse("margin", f"{dollars(needed):,.2f} dollars of margin are needed, equity is {dollars(equity):,.2f}")

"""Matching in the shadow of a tape: orders fill from what the tape tells and move nothing.

What takes liquidity walks the levels that are known and uses each lot once an account. What rests fills by a model of
its queue, at its own price. Pure: the tape, the orders and the seed fix every fill.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from feedsim.exchange.book import ASK, BID, Book, is_better
from feedsim.exchange.draws import uniform
from feedsim.exchange.ladder import Ladder, Resting, Share, Watched
from feedsim.exchange.matching import L2, Fill
from feedsim.exchange.order import Moment, Order


class FillModel(NamedTuple):
    """When a resting order trades."""

    waits: bool
    """Behind the lots that were there before it."""
    last: bool = False
    """Whoever comes later is put before it."""
    through: bool = False
    """Only where the market goes through its price."""
    whole: bool = False
    """Then all of it, whatever traded."""


MODELS = {
    "queue": FillModel(waits=True),
    "pessimistic": FillModel(waits=True, last=True),
    "touch": FillModel(waits=False),
    "cross": FillModel(waits=False, through=True, whole=True),
    "optimistic": FillModel(waits=False, whole=True),
}


class ShadowMatching:
    """`Matching` by one of MODELS. `share`: cancelled lots are ahead of an order with the chance ahead / shown."""

    def __init__(self, model: str = "queue", *, share: bool = False, seed: int = 0) -> None:
        self._model = MODELS[model]
        self._share, self._seed = share, seed
        self._ladders: defaultdict[str, Ladder] = defaultdict(Ladder)
        self._unpriced: defaultdict[str, list[Order]] = defaultdict(list)
        """What is left of market orders: it waits for lots, at any price."""

    # -------------------------------------------------------------------------------------------------------- orders

    def at(self, moment: Moment) -> Sequence[Fill]:  # noqa: ARG002 # a matching's signature
        """Nothing trades but by the tape's events."""
        return ()

    def offered(self, order: Order, book: Book) -> int:
        return sum(lots for _, lots in self._walk(order, book))

    def enter(self, order: Order, book: Book) -> list[Fill]:
        return [Fill(order, price, lots, maker=False) for price, lots in self._take(order, book)]

    def rest(self, order: Order, book: Book) -> None:
        if order.price is None:
            self._unpriced[order.symbol].append(order)
            return
        ladder = self._ladders[order.symbol]
        shown = book.size_at(order.own, order.price)
        best = book.best(order.own)
        sure = best is not None and not is_better(order.own, best.price, order.price)
        level = ladder.level(order.own, order.price, shown or 0)
        ladder.add(level, Resting(order, (shown or 0) if self._model.waits else 0, sure or not self._model.waits))

    def cancel(self, order: Order) -> None:
        if order.price is None:
            self._unpriced[order.symbol] = [other for other in self._unpriced[order.symbol] if other is not order]
        else:
            self._ladders[order.symbol].remove(order)

    def reduce(self, order: Order, lots: int) -> None:
        """Nothing to do: its place is that of its first lot."""

    def watches(self, symbol: str) -> bool:
        return bool(self._ladders[symbol]) or bool(self._unpriced[symbol])

    def clear(self) -> None:
        self._ladders.clear()
        self._unpriced.clear()

    def _walk(self, order: Order, book: Book) -> list[tuple[int, int]]:
        """Prices and lots that an order would take."""
        found, left = [], order.left
        levels = self._ladders[order.symbol].sides[order.other]
        for price, size in book.levels(order.other):
            if left <= 0 or not order.takes(price):
                break
            watched = levels.get(price)
            lots = min(left, size - (watched.taken.get(order.account, 0) if watched else 0))
            if lots > 0:
                found.append((price, lots))
                left -= lots
        return found

    def _take(self, order: Order, book: Book) -> list[tuple[int, int]]:
        found = self._walk(order, book)
        for price, lots in found:
            shown = book.size_at(order.other, price)
            assert shown is not None
            taken = self._ladders[order.symbol].level(order.other, price, shown).taken
            taken[order.account] = taken.get(order.account, 0) + lots
        return found

    # -------------------------------------------------------------------------------------------------------- events

    def on_trade(self, book: Book, price: int, size: int, side: int) -> list[Fill]:
        if not side:
            return []
        hit = ASK if side > 0 else BID
        ladder = self._ladders[book.symbol]
        fills: list[Fill] = []
        best = ladder.best[hit]
        if best is not None and not is_better(hit, price, best):
            fills = self._hit(ladder, hit, price, size)
        ladder.trade(hit, price, size)
        return fills

    def _hit(self, ladder: Ladder, side: int, price: int, size: int) -> list[Fill]:
        """A trade reaches resting orders; each of its lots is used once an account."""
        fills: list[Fill] = []
        used: dict[str, int] = {}
        for level in ladder.queues(side):
            if is_better(side, price, level.price):
                break
            through = level.price != price
            if self._model.through and not through:
                continue
            for resting in level.queue:
                account = resting.order.account
                lots = self._lots_of(resting, size - used.get(account, 0), through=through)
                if lots > 0:
                    used[account] = used.get(account, 0) + lots
                    fills.append(Fill(resting.order, level.price, lots, maker=True))
        return fills

    def _lots_of(self, resting: Resting, size: int, *, through: bool) -> int:
        """What an order gets of `size` lots that trade at its price or, `through`, beyond it."""
        left = resting.order.left
        if self._model.whole:
            return left
        if through:
            resting.ahead = 0
            return min(left, size)
        before = min(resting.ahead, size)
        resting.ahead -= before
        return min(left, size - before) if resting.sure else 0

    def on_quote(self, book: Book, told: int, seq: int) -> list[Fill]:
        symbol = book.symbol
        ladder = self._ladders[symbol]
        for side in (BID, ASK):
            first = ladder.first[side]
            if first is not None:
                best = book.best(side)
                if told == L2 or best is None or not is_better(side, best.price, first):
                    self._tell(ladder, book, side, told, seq)
        if self._unpriced.get(symbol) or self._is_crossed(ladder, book):
            return self._cross(ladder, book)
        return []

    def _is_crossed(self, ladder: Ladder, book: Book) -> bool:
        bid, ask = ladder.best
        if bid is not None and (best := book.best(ASK)) is not None and best.price <= bid:
            return True
        return ask is not None and (best := book.best(BID)) is not None and best.price >= ask

    def _tell(self, ladder: Ladder, book: Book, side: int, told: int, seq: int) -> None:
        best = book.best(side)
        share = self._shares(seq) if self._share else None

        def at_best(price: int) -> int | None:
            if best is None or is_better(side, price, best.price):
                return 0
            return best.size if price == best.price else None

        def at_any(price: int) -> int | None:
            return book.size_at(side, price)

        ladder.tell(side, at_any if told == L2 else at_best, share, last=self._model.last)

    def _shares(self, seq: int) -> Share:
        return lambda order: uniform(self._seed, order.number, seq)

    def _cross(self, ladder: Ladder, book: Book) -> list[Fill]:
        """The other side came to an order's price: its lots would have traded with it."""
        fills: list[Fill] = []
        for side in (BID, ASK):
            best, other = ladder.best[side], book.best(1 - side)
            if best is None or other is None or is_better(side, other.price, best):
                continue
            for level in ladder.queues(side):
                fills += self._crossed(level, book, side)
        for order in self._unpriced.get(book.symbol, ()):
            fills += [Fill(order, price, lots, maker=False) for price, lots in self._take(order, book)]
        return fills

    def _crossed(self, level: Watched, book: Book, side: int) -> list[Fill]:
        other = book.best(1 - side)
        if other is None or is_better(side, other.price, level.price):
            return []
        if self._model.through and other.price == level.price:
            return []
        fills = []
        for resting in level.queue:
            order = resting.order
            lots = order.left if self._model.whole else sum(lots for _, lots in self._take(order, book))
            if lots:
                fills.append(Fill(order, level.price, lots, maker=True))
        return fills

"""Orders that wait in the synthetic market without being there: when they would have traded, first come, first served.

The market's own log of orders says who was before them, so that this is known; and the queue model's fills beside it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from feedsim.exchange import Exchange, TradeSettings
from feedsim.market.book import ADD, FILL
from feedsim.market.config import START_NS, MarketConfig
from feedsim.market.market import SymbolMarket
from feedsim.market.schedule import Schedule
from feedsim.market.sheets import Sheets
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.synthetic import SyntheticSource
from feedsim.wire.messages import FillEvent, OrderNew

NS_PER_S = 1_000_000_000


@dataclass
class Phantom:
    """An order of `lots`, `away` ticks behind the best price of its side at `ns` (below 0: before it)."""

    ns: int
    side: int
    """0 buys, 1 sells."""
    away: int
    lots: int
    price: int = 0
    ahead: dict[int, int] = field(default_factory=dict)
    true: list[tuple[int, int]] = field(default_factory=list)
    """(ns, lots) as it would have traded."""
    model: list[tuple[int, int]] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.lots - sum(lots for _, lots in self.true)

    def happens(self, ns: int, kind: int, order_id: int, side: int, price: int, size: int) -> None:
        """A row of the log."""
        up = 1 - 2 * self.side
        traded = 0
        if kind == ADD:
            traded = size if side != self.side and (price - self.price) * up <= 0 else 0
        elif side == self.side and order_id in self.ahead and price == self.price:
            self.ahead[order_id] -= size
        elif side == self.side and kind == FILL and (price - self.price) * up <= 0:
            traded = size
        if traded and self.left:
            self.true.append((ns, min(traded, self.left)))


def phantoms(count: int, seconds: float, seed: int) -> list[Phantom]:
    """At random times of the first two thirds of a session, mostly in the best queue."""
    rng = np.random.default_rng(seed)
    times = START_NS + np.sort(rng.uniform(0.02, 0.66, count)) * seconds * NS_PER_S
    sides, away, lots = rng.integers(0, 2, count), rng.choice((0, 0, 0, 1, 2, -1), count), rng.integers(1, 12, count)
    return [Phantom(int(ns), int(s), int(a), int(n)) for ns, s, a, n in zip(times, sides, away, lots, strict=True)]


def truth(orders: list[Phantom], symbol: str, *, seconds: float, seed: int) -> None:
    """Give each order its price, and when it would have traded, from the log of the market's orders."""
    config = MarketConfig(symbols=(symbol,))
    schedule = Schedule(config.find(), seed=seed, minutes=seconds / 60)
    market = SymbolMarket(symbol, config, schedule, seed=seed, start_ns=START_NS)
    sheets = Sheets(orders=1 << 17)
    queues: tuple[dict[int, dict[int, int]], ...] = (defaultdict(dict), defaultdict(dict))
    coming, there = list(orders), []
    for *_, log in market.run(START_NS + round(seconds * NS_PER_S), sheets):
        for ns, kind, order_id, side, price, size in log.tolist():
            while coming and coming[0].ns < ns:
                there.append(_enter(coming.pop(0), queues))
            for phantom in there:
                phantom.happens(ns, kind, order_id, side, price, size)
            queue = queues[side][price]
            queue[order_id] = queue.get(order_id, 0) + (size if kind == ADD else -size)
            if not queue[order_id]:
                del queue[order_id]
        there = [phantom for phantom in there if phantom.left]


def _enter(phantom: Phantom, queues: tuple[dict[int, dict[int, int]], ...]) -> Phantom:
    best = [pick(price for price, queue in queues[side].items() if queue) for side, pick in enumerate((max, min))]
    up = 1 - 2 * phantom.side
    phantom.price = best[phantom.side] - phantom.away * up
    if (phantom.price - best[1 - phantom.side]) * up >= 0:
        phantom.price = best[phantom.side]
    phantom.ahead = dict(queues[phantom.side][phantom.price])
    return phantom


def model(orders: list[Phantom], symbol: str, settings: TradeSettings, *, seconds: float, seed: int) -> None:
    """Enter the same orders in the shadow of the same market's tape, each with an account of its own."""
    source = SyntheticSource(config=MarketConfig(symbols=(symbol,)), seed=seed, minutes=seconds / 60)
    tape = Tape(source, TapeConfig(bar_tf_s=(), footprint_tf_s=(), profile_every_s=0, features_every_s=0))
    tape.open_epoch(1, "")
    exchange = Exchange((symbol,), settings=settings, generated=True)
    tick, coming = source.config.tick(symbol), list(enumerate(orders))
    while (chunk := tape.advance(1000)) is not None:
        at = 0
        while at < len(chunk):
            hi = len(chunk)
            if coming:
                hi = max(int(np.searchsorted(chunk.avail, coming[0][1].ns, side="right")), at)
            if hi > at:
                exchange.on_told(chunk, at, hi)
                at = hi
            if at < len(chunk):
                number, phantom = coming.pop(0)
                exchange.open_account(str(number))
                request = OrderNew(
                    client_order_id="a",
                    symbol=symbol,
                    side="sell" if phantom.side else "buy",
                    type="limit",
                    quantity=phantom.lots,
                    price=phantom.price * tick,
                )
                exchange.enter(str(number), request, now_ns=phantom.ns, head_seq=chunk.first_seq + at - 1)
    for name, event in exchange.take():
        if isinstance(event, FillEvent):
            orders[int(name)].model.append((event.ts, event.quantity))


def ahead_of_truth(phantom: Phantom) -> int:
    """The most lots by which the model was ever ahead of what would have been."""
    most = 0
    for index, (ns, _) in enumerate(phantom.model):
        filled = sum(lots for _, lots in phantom.model[: index + 1])
        true = sum(lots for at, lots in phantom.true if at <= ns)
        most = max(most, filled - true)
    return most

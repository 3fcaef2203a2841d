"""How far the queue model is from the queue itself, and what an exchange costs while it listens.

The synthetic market's log says who was ahead of whom; orders that are not there are followed through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.report import Figure, against, beside
from feedsim.events import Chunk
from feedsim.exchange import Exchange, TradeSettings
from feedsim.playback.tape import Tape
from feedsim.sources.synthetic import SyntheticSource
from feedsim.wire.messages import OrderNew
from tests.support.true_queue import Phantom, ahead_of_truth, model, phantoms, truth

SECONDS = 120
ORDERS = 300
SEEDS = (1, 2, 3)
ROUNDS = 5  # the best counts: what disturbs only adds


def run() -> list[Figure]:
    return [*_queue("ES"), *_queue("NQ"), *_cost()]


def _queue(symbol: str) -> list[Figure]:
    found: list[Phantom] = []
    for seed in SEEDS:
        orders = phantoms(ORDERS, SECONDS, seed)
        truth(orders, symbol, seconds=SECONDS, seed=seed)
        model(orders, symbol, TradeSettings(), seconds=SECONDS, seed=seed)
        found += orders
    ahead = sum(ahead_of_truth(order) > 0 for order in found)
    true = [order for order in found if not order.left]
    both = [order for order in true if sum(lots for _, lots in order.model) == order.lots]
    late_s = np.array([(order.model[-1][0] - order.true[-1][0]) / 1e9 for order in both])
    return [
        against(f"{symbol}: orders ever ahead of the queue, of {len(found)}", ahead, 0.5, digits=0),
        beside("  filled in the queue, and by the model", f"{len(true)}, {len(both)}"),
        beside("  mean time behind the queue", f"{late_s.mean():.2f} s"),
        beside("  filled at the same event", f"{(late_s == 0).mean():.0%}"),
    ]


def _cost() -> list[Figure]:
    tape = Tape(SyntheticSource(seed=1, minutes=2))
    tape.open_epoch(1, "")
    chunks = []
    while (chunk := tape.advance(4096)) is not None:
        chunks.append(chunk)
    idle = min(_us_an_event(chunks, lambda _: None) for _ in range(ROUNDS))
    busy = min(_us_an_event(chunks, _rest) for _ in range(ROUNDS))
    return [
        against("an event while nobody has an order", idle, 0.2, unit=" µs"),
        against("an event while two orders rest in each of both symbols", busy, 2, unit=" µs"),
    ]


def _us_an_event(chunks: list[Chunk], prepare: Callable[[Exchange], None]) -> float:
    exchange = Exchange(("ES", "NQ"), generated=True)
    exchange.open_account("a")
    exchange.on_told(chunks[0], 0, len(chunks[0]))
    prepare(exchange)
    started = time.process_time()
    for chunk in chunks[1:]:
        for lo in range(0, len(chunk), 64):
            exchange.on_told(chunk, lo, min(lo + 64, len(chunk)))
    return (time.process_time() - started) * 1e6 / sum(len(chunk) for chunk in chunks[1:])


def _rest(exchange: Exchange) -> None:
    """Deep orders that do not fill, and are looked at with every book."""
    for number in range(4):
        symbol, price = ("ES", 4990.0) if number % 2 else ("NQ", 17_950.0)
        request = OrderNew(
            client_order_id=str(number), symbol=symbol, side="buy", type="limit", quantity=1, price=price + number / 4
        )
        exchange.enter("a", request, now_ns=0, head_seq=1)

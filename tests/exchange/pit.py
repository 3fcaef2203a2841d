"""A market told by hand, one event at a time, and an exchange that listens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedsim.events import Ragged, Table
from feedsim.exchange import Exchange, LogEntry, OrderRequest, TradeSettings
from feedsim.playback.merge import Merger
from feedsim.wire.messages import AccountEvent, Error, FillEvent, OrderEvent, OrderNew, PositionEvent, Private

START_NS = 1_755_783_000_000_000_000  # 2025-08-21 09:30 in New York
MS = 1_000_000
SYMBOLS = ("ES", "NQ")


class Pit:
    """ES at 5000.00 bid, 5000.25 offered, ten lots a level and five levels; NQ without a market."""

    def __init__(self, *, told: bool = True, **settings: Any) -> None:
        self.log: list[LogEntry] = []
        self.exchange = Exchange(SYMBOLS, settings=TradeSettings(**settings), on_log=self.log.append)
        self.exchange.open_account("a")
        self.now_ns, self.epoch = START_NS, 1
        self._merger = Merger(SYMBOLS)
        if told:
            self.trade(5000.25, 1, 1)
            self.depth(5000.0, 5000.25)
            self.quote(5000.0, 5000.25)

    def tell(self, channel: str, *, symbol: str = "ES", after_ns: int = MS, **columns: Any) -> list[Any]:
        """One event, `after_ns` later; what accounts hear of it."""
        self.now_ns += after_ns
        values = {"ts": [self.now_ns], "symbol": [SYMBOLS.index(symbol)], **columns}
        chunk = self._merger.merge({channel: Table.build(channel, SYMBOLS, values)})
        self.exchange.on_told(chunk, 0, len(chunk))
        return self.hear()

    def quote(self, bid: float, ask: float, bid_size: int = 10, ask_size: int = 10, **at: Any) -> list[Any]:
        return self.tell("l1", bid=[bid], ask=[ask], bid_size=[bid_size], ask_size=[ask_size], **at)

    def trade(self, price: float, size: int, side: int, **at: Any) -> list[Any]:
        return self.tell("trade", price=[price], size=[size], side=[side], trade_id=[1], **at)

    def depth(self, bid: float, ask: float, sizes: Sequence[int] = (10,) * 5, **at: Any) -> list[Any]:
        steps = np.arange(len(sizes)) * 0.25
        return self.tell(
            "l2",
            levels=[len(sizes)],
            bid_px=Ragged.from_matrix((bid - steps)[None]),
            bid_sz=Ragged.from_matrix(np.array([sizes])),
            ask_px=Ragged.from_matrix((ask + steps)[None]),
            ask_sz=Ragged.from_matrix(np.array([sizes])),
            **at,
        )

    def phase(self, phase: str, **at: Any) -> list[Any]:
        return self.tell("status", phase=[phase], reason=["told"], contract=["ESU25"], **at)

    def ask(self, request: OrderRequest, account: str = "a", *, after_ns: int = 0) -> list[Any]:
        """A request, and what accounts hear at once."""
        self.now_ns += after_ns
        self.exchange.enter(account, request, now_ns=self.now_ns, head_seq=self._merger.seq)
        return self.hear()

    def new(self, client_order_id: str = "o", side: str = "buy", quantity: float = 1, **fields: Any) -> list[Any]:
        """An order for ES: a limit order where it has a price."""
        if "price" in fields and "type" not in fields:
            fields["type"] = "limit"
        fields = {"symbol": "ES", **fields}
        return self.ask(OrderNew(client_order_id=client_order_id, side=side, quantity=quantity, **fields))  # type: ignore[arg-type] # the test says which

    def hear(self) -> list[Private | Error]:
        return [event for _, event in self.exchange.take()]


def fills(events: Sequence[Any]) -> list[tuple[str, str, float, int]]:
    """(order, side, price, lots) of each."""
    return [(e.client_order_id, e.side, e.price, e.quantity) for e in events if isinstance(e, FillEvent)]


def states(events: Sequence[Any]) -> list[tuple[str, str, str]]:
    """(order, state, reason) of each order event."""
    return [(e.client_order_id, e.state, e.reason) for e in events if isinstance(e, OrderEvent)]


def account(events: Sequence[Any]) -> AccountEvent:
    """The last one told."""
    return [event for event in events if isinstance(event, AccountEvent)][-1]


def position(events: Sequence[Any]) -> PositionEvent:
    return [event for event in events if isinstance(event, PositionEvent)][-1]

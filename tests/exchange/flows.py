"""Tapes to trade on, random flows of orders for them, and how an exchange hears of both."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from feedsim.events import L1, Chunk, Table
from feedsim.exchange import Exchange, LogEntry, OrderRequest, TradeSettings
from feedsim.market.config import MarketConfig
from feedsim.playback.merge import Merger
from feedsim.playback.tape import Tape, TapeConfig
from feedsim.sources.synthetic import SyntheticSource
from feedsim.wire.messages import (
    AccountQuery,
    Bracket,
    CancelAll,
    Error,
    Flatten,
    OrderCancel,
    OrderNew,
    OrderReplace,
    Private,
)
from tests.support.memory_source import small_tables

ACCOUNTS = ("ann", "ben")
Heard = list[tuple[str, Private | Error]]
Tell = Callable[[Exchange, Chunk, int, int], None]


@functools.cache
def synthetic(seed: int = 7, scenario: str = "normal", minutes: float = 0.1) -> tuple[Chunk, ...]:
    """A short session of the synthetic market."""
    source = SyntheticSource(config=MarketConfig(scenario=scenario), seed=seed, minutes=minutes)
    return chunks_of(source)


def chunks_of(source: SyntheticSource) -> tuple[Chunk, ...]:
    tape = Tape(source, TapeConfig(bar_tf_s=(), footprint_tf_s=(), profile_every_s=0, features_every_s=0))
    tape.open_epoch(1, "")
    chunks = []
    while (chunk := tape.advance(1000)) is not None:
        chunks.append(chunk)
    return tuple(chunks)


@functools.cache
def walk(seed: int) -> tuple[Chunk, ...]:
    """A tape whose trades, quotes and books come from a random walk and know little of each other."""
    tables = small_tables(seconds=20, rate=15, seed=seed)
    merger = Merger(("ES", "NQ"))
    merged = merger.merge(tables)
    return (merged.part(0, len(merged) // 3), merged.part(len(merged) // 3, len(merged)))


def hand_made(*tables: Table) -> Chunk:
    """One chunk of some tables."""
    return Merger(tables[0].symbols).merge({table.channel: table for table in tables})


@dataclass(frozen=True)
class Asked:
    """A request at a part of the tape's events, so many ns after the last."""

    at: float
    account: str
    request: OrderRequest
    after_ns: int = 0


@dataclass
class Run:
    """What an exchange told, and what it logged."""

    heard: Heard = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)

    def of(self, account: str) -> list[Private | Error]:
        return [event for name, event in self.heard if name == account]


def run(
    tape: Sequence[Chunk],
    flow: Sequence[Asked],
    settings: TradeSettings | None = None,
    *,
    seed: int = 1,
    generated: bool = False,
    cut: Callable[[int, int], Iterator[int]] | None = None,
    wakes: bool = False,
    tell: Tell = Exchange.on_told,
) -> Run:
    """Tell a tape, with requests where they are asked. `cut` yields where between two positions to pause the telling.

    `wakes`: the clock is read at every pause, and nothing is due for a moment. `tell` tells positions [lo, hi).
    """
    told = Run()
    exchange = Exchange(("ES", "NQ"), settings=settings, seed=seed, generated=generated, on_log=told.log.append)
    for account in ACCOUNTS:
        exchange.open_account(account)
    total = sum(len(chunk) for chunk in tape)
    asked = sorted(flow, key=lambda each: (round(each.at * total), each.after_ns))
    for chunk in tape:
        at = 0
        while at < len(chunk):
            due = [each for each in asked if round(each.at * total) < chunk.last_seq + 1]
            hi = max(round(due[0].at * total) - chunk.first_seq + 1, at) if due else len(chunk)
            for stop in [*(cut(at, hi) if cut else ()), hi]:
                if stop > at:
                    tell(exchange, chunk, at, stop)
                    if wakes:
                        exchange.advance(int(chunk.avail[stop - 1]))
                        exchange.on_idle()
                        told.heard += exchange.take()
                    at = stop
            if due:
                asked.remove(due[0])
                head = chunk.first_seq + at - 1
                now_ns = int(chunk.avail[at - 1] if at else chunk.avail[0]) + due[0].after_ns
                if at < len(chunk):
                    now_ns = min(now_ns, int(chunk.avail[at]))
                exchange.enter(due[0].account, due[0].request, now_ns=now_ns, head_seq=head)
                told.heard += exchange.take()
    exchange.advance(int(tape[-1].avail[-1]) + 10**12)
    told.heard += exchange.take()
    exchange.on_end()
    exchange.advance(int(tape[-1].avail[-1]) + 2 * 10**12)
    told.heard += exchange.take()
    return told


def cuts(seed: int, most: int) -> Callable[[int, int], Iterator[int]]:
    """Pauses after 1 to `most` events."""
    rng = np.random.default_rng(seed)

    def cut(lo: int, hi: int) -> Iterator[int]:
        while (lo := lo + int(rng.integers(1, most + 1))) < hi:
            yield lo

    return cut


@functools.cache
def middle(tape: tuple[Chunk, ...]) -> dict[str, float]:
    """Where each symbol trades at first."""
    event: dict[str, float] = {}
    for each in tape[0].events(channels=frozenset(("l1",))):
        assert isinstance(each, L1)
        event.setdefault(each.symbol, each.bid)
    return event


def flows(tape: tuple[Chunk, ...], *, most: int = 25) -> st.SearchStrategy[list[Asked]]:
    """Any requests, mostly near the market, for the accounts' own orders and each other's."""
    base = middle(tape)
    at, account, symbol = st.floats(0.01, 0.99), st.sampled_from(ACCOUNTS), st.sampled_from(("ES", "NQ"))
    ids = st.sampled_from([f"o{number}" for number in range(12)])
    lots, side = st.integers(1, 40), st.sampled_from(("buy", "sell"))

    def price(symbol: str, offset: int) -> float:
        return base[symbol] + offset * 0.25

    @st.composite
    def orders(draw: st.DrawFn) -> OrderNew:
        name, way = draw(symbol), draw(side)
        kind = draw(st.sampled_from(("market", "market", "limit", "limit", "limit", "stop", "stop_limit")))
        near = st.integers(-6, 6).map(lambda offset: price(name, offset))
        up = 1 if way == "buy" else -1
        bracket = None
        if draw(st.integers(0, 3)) == 0:
            bracket = Bracket(
                stop_loss=draw(st.sampled_from((None, price(name, -up * 10)))),
                take_profit=draw(st.sampled_from((None, price(name, up * 8)))),
            )
        tif = draw(st.sampled_from(("day", "day", "gtc", "ioc", "fok")))
        return OrderNew(
            client_order_id=draw(ids),
            symbol=name,
            side=way,  # type: ignore[arg-type] # one of the words above
            type=kind,  # type: ignore[arg-type] # one of the words above
            quantity=draw(lots),
            price=draw(near) if kind in ("limit", "stop_limit") else None,
            stop_price=draw(near) if kind in ("stop", "stop_limit") else None,
            tif=tif if "stop" not in kind else "day",  # type: ignore[arg-type] # one of the words above
            post_only=kind == "limit" and tif in ("day", "gtc") and draw(st.integers(0, 4)) == 0,
            reduce_only=draw(st.integers(0, 5)) == 0,
            bracket=bracket,
        )

    changes = st.builds(
        lambda order_id, quantity, name, offset: OrderReplace(
            client_order_id=order_id, quantity=quantity, price=None if offset is None else price(name, offset)
        ),
        ids,
        st.none() | lots,
        symbol,
        st.none() | st.integers(-6, 6),
    )
    others = st.sampled_from((CancelAll(id=3), Flatten(id=4), Flatten(id=5, symbol="ES"), AccountQuery(id=6)))
    requests = orders() | orders() | orders() | changes | st.builds(OrderCancel, client_order_id=ids) | others
    return st.lists(st.builds(Asked, at, account, requests, st.integers(0, 10**7)), min_size=1, max_size=most)

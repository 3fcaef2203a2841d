"""What one symbol's clients are told of its market: the newest state as a snapshot, and each event as updates.

Messages carry the SymbolID 0 until they are addressed to a client. Prices are as in events; times as seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedsim.bridges.dtc.enums import AtBidOrAsk, DepthUpdate, FinalUpdate
from feedsim.bridges.dtc.messages import (
    MarketDataSnapshot,
    MarketDataUpdateBidAsk,
    MarketDataUpdateTrade,
    MarketDepthSnapshotLevel,
    MarketDepthUpdateLevel,
)
from feedsim.events import L1, L2, Profile, Trade
from feedsim.instruments import NS_PER_S

TOLD = frozenset(("trade", "l1", "l2", "profile"))
"""Channels that a market is made of."""
AGGRESSOR = {1: AtBidOrAsk.ASK, -1: AtBidOrAsk.BID, 0: AtBidOrAsk.UNSET}
Levels = list[tuple[float, int, int]]
"""(price, lots, orders), best first."""


class Market:
    """Of one symbol and epoch."""

    def __init__(self) -> None:
        self.snapshot = MarketDataSnapshot(symbol_id=0)
        self.book: tuple[Levels, Levels] = ([], [])
        self._book_before: tuple[Levels, Levels] = ([], [])
        self._book_at = 0.0

    def trade(self, event: Trade, shift_ns: int) -> MarketDataUpdateTrade:
        at, now = seconds(event.ts + shift_ns), self.snapshot
        if now.session_open_price is UNKNOWN:
            now.session_open_price = event.price
        if not isinstance(now.session_high_price, float) or event.price > now.session_high_price:
            now.session_high_price = event.price
        if not isinstance(now.session_low_price, float) or event.price < now.session_low_price:
            now.session_low_price = event.price
        volume = now.session_volume if isinstance(now.session_volume, float) else 0.0
        now.session_volume = volume + event.size
        now.session_num_trades += 1
        now.last_trade_price, now.last_trade_volume, now.last_trade_date_time = event.price, float(event.size), at
        return MarketDataUpdateTrade(
            symbol_id=0, at_bid_or_ask=AGGRESSOR[event.side], price=event.price, volume=float(event.size), date_time=at
        )

    def quote(self, event: L1, shift_ns: int) -> MarketDataUpdateBidAsk | None:
        """None where nothing of it changed but the last trade."""
        at, now = seconds(event.ts + shift_ns), self.snapshot
        told = (now.bid_price, now.bid_quantity, now.ask_price, now.ask_quantity)
        bid_size, ask_size = float(event.bid_size), float(event.ask_size)
        if told == (event.bid, bid_size, event.ask, ask_size):
            return None
        now.bid_price, now.bid_quantity, now.ask_price, now.ask_quantity = event.bid, bid_size, event.ask, ask_size
        now.bid_ask_date_time = at
        return MarketDataUpdateBidAsk(
            symbol_id=0,
            bid_price=event.bid,
            bid_quantity=bid_size,
            ask_price=event.ask,
            ask_quantity=ask_size,
            date_time=int(at),
        )

    def profile(self, event: Profile) -> None:
        """The session's high and low also of what was traded before anybody listened."""
        if event.high is not None and event.low is not None:
            self.snapshot.session_high_price, self.snapshot.session_low_price = event.high, event.low
        if event.settlement is not None:
            self.snapshot.session_settlement_price = event.settlement

    # --------------------------------------------------------------------------------------------------------- depth

    def depth(self, event: L2, shift_ns: int) -> None:
        """A new book; `depth_updates` tells what has changed."""
        self._book_before = self.book
        self.book = (
            _levels(event.bid_px, event.bid_sz, event.bid_ct),
            _levels(event.ask_px, event.ask_sz, event.ask_ct),
        )
        self._book_at = self.snapshot.market_depth_update_date_time = seconds(event.ts + shift_ns)

    def depth_updates(self, levels: int) -> list[MarketDepthUpdateLevel]:
        """What changed in the best `levels` of both sides with the last book."""
        updates = [
            update
            for side, before, now in zip((AtBidOrAsk.BID, AtBidOrAsk.ASK), self._book_before, self.book, strict=True)
            for update in self._changes(side, before[:levels], now[:levels])
        ]
        for update in updates:
            update.final_update_in_batch = FinalUpdate.TRUE if update is updates[-1] else FinalUpdate.FALSE
        return updates

    def _changes(self, side: AtBidOrAsk, before: Levels, now: Levels) -> Iterator[MarketDepthUpdateLevel]:
        standing = {price for price, _, _ in now}
        for price, _, _ in before:
            if price not in standing:
                yield self._update(side, (price, 0, 0), DepthUpdate.DELETE)
        known = set(before)
        for level in now:
            if level not in known:
                yield self._update(side, level, DepthUpdate.INSERT_UPDATE)

    def _update(self, side: AtBidOrAsk, level: tuple[float, int, int], kind: DepthUpdate) -> MarketDepthUpdateLevel:
        price, lots, orders = level
        return MarketDepthUpdateLevel(
            symbol_id=0,
            side=side,
            price=price,
            quantity=float(lots),
            update_type=kind,
            date_time=self._book_at,
            num_orders=orders,
        )

    def depth_snapshot(self, levels: int) -> list[MarketDepthSnapshotLevel]:
        """The book as it is; one level without a price where it is not known yet."""
        told = [
            (side, number, level)
            for side, part in zip((AtBidOrAsk.BID, AtBidOrAsk.ASK), self.book, strict=True)
            for number, level in enumerate(part[:levels], 1)
        ] or [(AtBidOrAsk.UNSET, 0, (0.0, 0, 0))]
        return [
            MarketDepthSnapshotLevel(
                symbol_id=0,
                side=side,
                price=price,
                quantity=float(lots),
                level=number,
                is_first_message_in_batch=int(place == 0),
                is_last_message_in_batch=int(place == len(told) - 1),
                date_time=self._book_at,
                num_orders=orders,
            )
            for place, (side, number, (price, lots, orders)) in enumerate(told)
        ]


UNKNOWN = MarketDataSnapshot(symbol_id=0).bid_price


def seconds(ns: int) -> float:
    """A time as the protocol has it: seconds since 1970, with the milliseconds as decimals."""
    return ns // 1_000_000 / 1000


def whole_seconds(ns: int) -> int:
    return ns // NS_PER_S


def _levels(prices: Sequence[float], sizes: Sequence[int], orders: Sequence[int] | None) -> Levels:
    return list(zip(prices, sizes, orders or [0] * len(prices), strict=True))
